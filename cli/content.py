"""Content as a part of a plan: what `plan --content` shows, and what apply then publishes.

In: an opened environment and a directory. Out: a `ContentPlan`; what became of it.
Never: publishes anything but what the plan says: content, live release and bucket must be what they were, or `WebsiteError` is raised.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from assembly import commands
from aws.errors import AwsError
from cli.context import CommandError
from cli.site import SITE_STACK, contract_of, deployed_outputs, refuse_unless_promoted, site_of, step_line, verify_command
from planning.content import CONTENT
from rollout.outcome import ContentOutcome
from rollout.progress import Finished, Instances, Note, Started
from website import publish
from website.content import Content, read
from website.content_plan import sealed
from website.errors import SourceError, WebsiteError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cli.session import Opened
    from rollout import progress
    from website.content_plan import ContentPlan
    from website.publish import Begun, Outcome, Run, Sent, Warned


def plan_content(
    opened: Opened, directory: Path, *, allow: tuple[str, ...] = (), origin: str = "", now: datetime
) -> tuple[ContentPlan, Content]:
    """What publishing the directory would do; before the first deployment everything is new.

    Raises `CommandError` for an environment that takes promoted releases only, `SourceError`, `AwsError`.
    """
    contract = contract_of(opened.assembly)
    refuse_unless_promoted(opened.assembly.environment, contract)
    content = read(directory, contract, allow=allow)
    live = deployed_outputs(opened)
    site = site_of(opened, live=live)
    seen = None if site.bucket else publish.nothing(site)
    plan = publish.content_plan(site, content, origin=origin or str(directory), now=now, seen=seen)
    known_after = () if live else (f"{SITE_STACK}.BucketName", f"{SITE_STACK}.DistributionId")
    return sealed(msgspec.structs.replace(plan, directory=str(directory.resolve()), allow=allow, known_after=known_after)), content


def refuse_moved(opened: Opened, directory: Path, approved: ContentPlan, *, now: datetime) -> None:
    """Raise `WebsiteError` if content or site are not what they were when the plan was made; `SourceError`, `AwsError`."""
    plan, _ = plan_content(opened, directory, allow=approved.allow, now=now)
    publish.refuse_moved(approved, plan)


def publish_planned(opened: Opened, directory: Path, approved: ContentPlan, run: Run, *, commit: str = "") -> Outcome:
    """Publish exactly what was approved. Raises `WebsiteError` if content or site have moved since, `Busy`, `SourceError`, `AwsError`."""
    content = read(directory, contract_of(opened.assembly), allow=approved.allow)
    return publish.publish(site_of(opened), content, run, origin=approved.origin, commit=commit, approved=approved)


# --- as a step of apply -------------------------------------------------------------------------------------------


def publish_step(
    approved: ContentPlan,
    do: Callable[[Callable[[Begun | Sent | Warned], None]], Outcome],
    *,
    report: progress.Report,
    now: Callable[[], float],
    local: bool = False,
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
    except (KeyboardInterrupt, WebsiteError, CommandError, SourceError, AwsError, OSError) as error:
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
        command=verify_command(approved.environment, local=local),
    )


def _trouble(error: BaseException, again: str) -> dict[str, str]:
    """Result, message and command for what publishing may raise."""
    match error:
        case KeyboardInterrupt():
            return {"result": "interrupted", "message": "visitors have the old page or the new one, each whole", "command": again}
        case publish.Moved():
            return {"result": "refused", "message": str(error), "command": error.command}
        case WebsiteError() | CommandError():
            return {"result": "failed", "message": str(error), "command": error.command if error.command.startswith("python") else again}
        case AwsError():
            return {"result": "failed", "message": str(error), "command": error.hint or again}
        case OSError():
            return {"result": "failed", "message": f"{error.filename or 'the content'}: {error.strerror or error}", "command": again}
    return {"result": "failed", "message": str(error), "command": again}


def _events(approved: ContentPlan, report: progress.Report, now: Callable[[], float]) -> Callable[[Begun | Sent | Warned], None]:
    wanted = {change.key for change in approved.changes}
    done = 0

    def tell(event: Begun | Sent | Warned) -> None:
        nonlocal done
        if isinstance(event, publish.Begun):
            report(Note(at=now(), stack=CONTENT, text=step_line(event)))
        elif isinstance(event, publish.Warned):
            report(Note(at=now(), stack=CONTENT, text=f"warning: {event.text}"))
        elif event.key in wanted:
            done += 1
            report(Instances(at=now(), stack=CONTENT, total=len(wanted), counts={"SUCCEEDED": done, "PENDING": len(wanted) - done}))

    return tell
