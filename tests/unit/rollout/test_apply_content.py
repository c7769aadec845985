"""The content of a plan in an apply: published last, and never missing from the outcome."""

from __future__ import annotations

import msgspec
import pytest

from assembly.model import Assembly
from planning.model import Plan
from rollout.apply import Applied, Publish, apply, record_of
from rollout.execution import Run
from rollout.lock import LockLost
from rollout.outcome import ContentOutcome
from tests.unit.rollout.test_apply import Desk, chain, results
from tests.unit.rollout.test_lock import ME
from website.content_plan import ContentPlan

CONTENT = ContentPlan(environment="test", bucket="site", origin="build", manifest="m" * 64, content="c" * 64, files=2, size=20)
LIVE = ContentOutcome(result="succeeded", bucket="site", content="c" * 64, release=7, written=2, seconds=1.5, command="verify")


class Publisher:
    """Says what came of publishing, and how often it was asked."""

    def __init__(self, outcome: ContentOutcome = LIVE) -> None:
        self.outcome, self.asked = outcome, 0

    def __call__(self, run: Run) -> ContentOutcome:
        self.asked += 1
        return self.outcome


def with_content(desk: Desk, made: tuple[Assembly, dict[str, bytes]]) -> Plan:
    return msgspec.structs.replace(desk.plan(made), content=CONTENT)


def applied(desk: Desk, plan: Plan, publish: Publish) -> Applied:
    return apply(desk.run(chain(), plan), desk.take, publish=publish)


def test_content_goes_live_after_the_stacks_and_is_recorded() -> None:
    desk, publisher = Desk(), Publisher()
    plan = with_content(desk, chain())
    found = applied(desk, plan, publisher)
    assert (found.result, found.content, publisher.asked) == ("succeeded", LIVE, 1)
    record = record_of(desk.run(chain(), plan), found, by=ME.arn, host="here", git_commit="")
    assert record.content is not None
    assert (record.content.result, record.content.release, record.content.written) == ("succeeded", 7, 2)


def test_content_that_was_never_begun_is_in_the_outcome_with_its_cause() -> None:
    desk, publisher = Desk(), Publisher()
    plan = with_content(desk, chain())
    desk.simulation.scripts["demo-test-a"] = ["CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE"]
    found = applied(desk, plan, publisher)
    assert (found.result, publisher.asked) == ("failed", 0)
    assert found.content == ContentOutcome(result="not_started", content=CONTENT.content, message="because of a")
    told = found.content
    assert (told.started, told.seconds, told.release, told.written, told.written_bytes, told.kept) == (0.0, 0.0, 0, 0, 0, 0)
    record = record_of(desk.run(chain(), plan), found, by=ME.arn, host="here", git_commit="")
    assert record.content is not None and record.content.result == "not_started"


def test_content_after_an_interrupt_is_not_begun_and_that_is_no_failure_of_a_stack() -> None:
    desk, publisher = Desk(), Publisher()
    plan = with_content(desk, chain())

    def stop(name: str, _: object) -> None:
        if len(desk.simulation.executed) == 3:
            desk.stop.set()

    desk.simulation.faults.before_call = stop
    found = applied(desk, plan, publisher)
    assert (found.result, publisher.asked) == ("interrupted", 0)
    assert found.content is not None and found.content.result == "not_started"
    assert found.command == "python deploy.py apply --env test"


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        (ContentOutcome(result="interrupted", message="cut off", command="again"), "interrupted"),
        (ContentOutcome(result="failed", message="refused", command="again"), "failed"),
        (ContentOutcome(result="refused", message="another release is live", command="again"), "failed"),
        (ContentOutcome(result="unchanged", release=7, command="verify"), "succeeded"),
    ],
)
def test_what_became_of_the_content_decides_where_every_stack_stands(outcome: ContentOutcome, result: str) -> None:
    desk, publisher = Desk(), Publisher(outcome)
    plan = with_content(desk, chain())
    found = applied(desk, plan, publisher)
    assert (found.result, found.content) == (result, outcome)
    assert set(results(found).values()) == {"succeeded"}
    assert found.command == ("" if outcome.ok else "again")
    record = record_of(desk.run(chain(), plan), found, by=ME.arn, host="here", git_commit="")
    assert record.message == (outcome.message if result == "failed" else "")


def test_content_is_not_published_once_the_lock_is_lost() -> None:
    desk, publisher = Desk(), Publisher()
    made = chain()
    desk.apply(made)
    plan = with_content(desk, made)
    run = desk.run(made, plan)
    lock = desk.take()

    class Lost:
        def __getattr__(self, name: str) -> object:
            return getattr(lock, name)

        def check(self) -> None:
            raise LockLost("somebody took the lock over")

    found = apply(run, Lost, publish=publisher)  # type: ignore[arg-type]
    assert (found.result, publisher.asked) == ("failed", 0)
    assert found.content is not None and (found.content.result, found.content.message) == ("failed", "somebody took the lock over")


def test_a_plan_without_content_has_none_in_its_outcome() -> None:
    desk, publisher = Desk(), Publisher()
    found = applied(desk, desk.plan(chain()), publisher)
    assert (found.result, found.content, publisher.asked) == ("succeeded", None, 0)
