"""Publishing the plan's content as the last step of an apply.

In: the approved `ContentPlan`, and what publishes it. Out: events, and a `ContentOutcome` whatever happens.
Never: publishes by itself, or lets an error of it end the apply.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from assembly import commands
from aws.errors import AwsError
from planning.content import CONTENT
from rollout.outcome import ContentOutcome
from rollout.progress import Finished, Instances, Note, Report, Started
from website.content_plan import ContentPlan
from website.errors import Moved, SourceError, WebsiteError
from website.run import Begun, Outcome, Sent, Warned, step_line


def publish_step(
    approved: ContentPlan,
    do: Callable[[Callable[[Begun | Sent | Warned], None]], Outcome],
    *,
    report: Report,
    now: Callable[[], float],
) -> ContentOutcome:
    """Run `do` as the last step of an apply: its events go to `report`, its errors become the outcome. KeyboardInterrupt too."""
    started = now()
    report(Started(at=started, stack=CONTENT, operation="publish", resources=len(approved.changes)))

    def ended(result: str, **more: object) -> ContentOutcome:
        seconds = round(now() - started, 3)
        report(Finished(at=now(), stack=CONTENT, result=result, seconds=seconds))
        return msgspec.convert(
            {"result": result, "bucket": approved.bucket, "started": started, "seconds": seconds, "content": approved.content, **more},
            ContentOutcome,
        )

    try:
        outcome = do(_events(approved, report, now))
    except (KeyboardInterrupt, WebsiteError, SourceError, AwsError, OSError) as error:
        return ended(**_trouble(error, commands.deploy("apply", approved.environment)))
    return ended(
        "succeeded" if outcome.changed else "unchanged",
        bucket=outcome.plan.bucket,
        release=outcome.release.number,
        written=len(outcome.plan.changes) if outcome.changed else 0,
        written_bytes=outcome.plan.upload_size if outcome.changed else 0,
        kept=outcome.plan.kept,
        invalidation=outcome.invalidation,
        invalidation_done=outcome.invalidation_done,
        command=commands.deploy("verify", approved.environment),
    )


def _trouble(error: BaseException, again: str) -> dict[str, str]:
    """Result, message and command for what publishing may raise."""
    match error:
        case KeyboardInterrupt():
            return {"result": "interrupted", "message": "visitors have the old page or the new one, each whole", "command": again}
        case Moved():
            return {"result": "refused", "message": str(error), "command": error.command}
        case WebsiteError():
            return {"result": "failed", "message": str(error), "command": error.command if error.command.startswith("python") else again}
        case AwsError():
            return {"result": "failed", "message": str(error), "command": error.hint or again}
        case OSError():
            return {"result": "failed", "message": f"{error.filename or 'the content'}: {error.strerror or error}", "command": again}
    return {"result": "failed", "message": str(error), "command": again}


def _events(approved: ContentPlan, report: Report, now: Callable[[], float]) -> Callable[[Begun | Sent | Warned], None]:
    wanted = {change.key for change in approved.changes}
    done = 0

    def tell(event: Begun | Sent | Warned) -> None:
        nonlocal done
        if isinstance(event, Begun):
            report(Note(at=now(), stack=CONTENT, text=step_line(event)))
        elif isinstance(event, Warned):
            report(Note(at=now(), stack=CONTENT, text=f"warning: {event.text}"))
        elif event.key in wanted:
            done += 1
            report(Instances(at=now(), stack=CONTENT, total=len(wanted), counts={"SUCCEEDED": done, "PENDING": len(wanted) - done}))

    return tell
