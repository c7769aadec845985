"""Publishing as the last step of an apply: whatever happens becomes an outcome, and is told."""

from __future__ import annotations

import msgspec
import pytest

from aws.errors import AccessDenied
from rollout.content_step import publish_step
from rollout.outcome import ContentOutcome
from rollout.progress import Event, Finished, Instances, Note, Started
from tests.unit.website.stores import release
from website.content_plan import ContentPlan, FileChange
from website.errors import Busy, Moved, SourceError, WebsiteError
from website.run import Begun, Outcome, Sent, Warned


def change(key: str, size: int) -> FileChange:
    return FileChange(key=key, change="add", size=size, content_type="text/html", cache_control="no-cache")


APPROVED = ContentPlan(
    environment="dev",
    bucket="",
    origin="build",
    manifest="m" * 64,
    content="c" * 64,
    files=3,
    size=33,
    kept=1,
    changes=(change("a.js", 10), change("index.html", 20)),
)
DONE = Outcome(
    release=release(7), plan=msgspec.structs.replace(APPROVED, bucket="site"), changed=True, invalidation="I1", invalidation_done=False
)


class Step:
    """A clock that goes on by two seconds a look, and what was told."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.time = 1_000.0

    def now(self) -> float:
        self.time += 2
        return self.time

    def run(self, result: Outcome | BaseException, *events: Begun | Sent | Warned) -> ContentOutcome:
        def do(tell):  # type: ignore[no-untyped-def]
            for event in events:
                tell(event)
            if isinstance(result, BaseException):
                raise result
            return result

        return publish_step(APPROVED, do, report=self.told.append, now=self.now)


def test_what_was_published_is_the_outcome() -> None:
    step = Step()
    found = step.run(DONE)
    assert (found.result, found.ok, found.bucket, found.content) == ("succeeded", True, "site", "c" * 64)
    assert (found.release, found.written, found.written_bytes, found.kept) == (7, 2, 30, 1)
    assert (found.invalidation, found.invalidation_done) == ("I1", False)
    assert found.command == "python deploy.py verify --env dev"
    assert (found.started, found.seconds) == (1_002.0, 2.0)
    first, last = step.told
    assert isinstance(first, Started) and (first.stack, first.operation, first.resources, first.at) == ("content", "publish", 2, 1_002.0)
    assert isinstance(last, Finished) and (last.stack, last.result, last.seconds) == ("content", "succeeded", 2.0)


def test_what_was_live_already_wrote_nothing() -> None:
    found = Step().run(msgspec_changed(False))
    assert (found.result, found.ok, found.written, found.written_bytes, found.release) == ("unchanged", True, 0, 0, 7)


def msgspec_changed(changed: bool) -> Outcome:
    return Outcome(release=DONE.release, plan=DONE.plan, changed=changed)


AGAIN = "python deploy.py apply --env dev"


@pytest.mark.parametrize(
    ("error", "result", "message", "command"),
    [
        (KeyboardInterrupt(), "interrupted", "visitors have the old page or the new one, each whole", AGAIN),
        (Moved("the bucket has changed", "python deploy.py plan"), "refused", "the bucket has changed", "python deploy.py plan"),
        (Busy("bob was first", "python deploy.py releases"), "failed", "bob was first", "python deploy.py releases"),
        (WebsiteError("broken", "wait for it"), "failed", "broken", AGAIN),
        (SourceError(("a.js: changed",)), "failed", "a.js: changed", AGAIN),
        (AccessDenied("not authorized"), "failed", "not authorized", AGAIN),
        (OSError(28, "No space left on device", "/tmp/x"), "failed", "/tmp/x: No space left on device", AGAIN),
        (OSError("gone"), "failed", "the content: gone", AGAIN),
    ],
)
def test_whatever_goes_wrong_is_an_outcome_with_the_next_command(error: BaseException, result: str, message: str, command: str) -> None:
    step = Step()
    found = step.run(error)
    assert (found.result, found.message, found.command) == (result, message, command)
    assert (found.ok, found.content, found.release, found.seconds) == (False, "c" * 64, 0, 2.0)
    last = step.told[-1]
    assert isinstance(last, Finished) and last.result == result


def test_steps_and_warnings_are_told_and_files_of_the_plan_are_counted() -> None:
    step = Step()
    events = (
        Begun(step="other files", files=1, size=10),
        Sent(key="site/dev/content/1", size=20),
        Sent(key="a.js", size=10),
        Warned(text="no cache"),
        Sent(key="index.html", size=20),
    )
    step.run(DONE, *events)
    assert [event.text for event in step.told if isinstance(event, Note)] == ["other files: 1 file, 10 B", "warning: no cache"]
    counted = [event for event in step.told if isinstance(event, Instances)]
    assert [event.counts for event in counted] == [{"SUCCEEDED": 1, "PENDING": 1}, {"SUCCEEDED": 2, "PENDING": 0}]
    assert {event.total for event in counted} == {2}
    assert {event.stack for event in step.told} == {"content"}
