"""Whatever an execution ends with is an outcome, and its end is told once."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from aws.cloudformation.stacks import StackEvent
from aws.cloudformation.validations import ValidationEvent
from aws.errors import AccessDenied, CredentialsExpired, NetworkError, Throttled, Unavailable
from aws.propagation import StoppedWaiting
from removal.record_switch import Moved
from rollout.execute import execute
from rollout.execution import Interrupted
from rollout.execution_events import ExecutionEvents, seconds
from rollout.lock import LockLost
from rollout.outcome import Outcome
from rollout.progress import Finished, Note, Started
from tests.unit.rollout.test_apply import Desk, chain

APPLY, PLAN = "python deploy.py apply --env test", "python deploy.py plan --env test"


def one(error: BaseException | None, *, begun: bool = False) -> tuple[Outcome, list[Any]]:
    """What becomes of stack a if that is raised, before it is executed or while it is followed."""
    desk = Desk()
    made = chain()
    plan = desk.plan(made)

    def fail(name: str, _: Any) -> None:
        moment = name == "describe_stacks" and desk.simulation.executed if begun else name == "execute_change_set"
        if error is not None and moment:
            raise error

    desk.simulation.faults.before_call = fail
    run = dataclasses.replace(desk.run(made, plan), expected={("a", "create"): 7.0})
    return execute(run, plan.stacks[0], {}), desk.told


def test_the_end_is_told_once_with_its_seconds_and_the_beginning_with_what_is_expected() -> None:
    outcome, told = one(None)
    (finished,) = [e for e in told if isinstance(e, Finished)]
    assert (finished.stack, finished.result, finished.status) == ("a", "succeeded", "CREATE_COMPLETE")
    assert finished.seconds == outcome.seconds > 0 and finished.at == outcome.started + outcome.seconds
    (started,) = [e for e in told if isinstance(e, Started)]
    assert (started.stack, started.operation, started.expected_seconds, started.resources) == ("a", "create", 7.0, outcome.resources)
    assert outcome.kind == "stack" and told.index(started) < told.index(finished)


@pytest.mark.parametrize(
    ("error", "result", "command"),
    [
        (Interrupted(), "not_started", APPLY),
        (LockLost("taken over"), "not_started", APPLY),
        (StoppedWaiting("it is not there yet"), "not_started", APPLY),
        (Moved("another record"), "refused", PLAN),
        (CredentialsExpired("expired", hint="aws sso login"), "not_started", f"aws sso login && {APPLY}"),
        (CredentialsExpired("expired"), "not_started", APPLY),
        (AccessDenied("not you", hint="ask"), "failed", "ask"),
    ],
)
def test_what_is_raised_before_anything_was_sent_is_an_outcome(error: BaseException, result: str, command: str) -> None:
    outcome, told = one(error)
    assert (outcome.result, outcome.command) == (result, command)
    assert [e.result for e in told if isinstance(e, Finished)] == [result]
    if not isinstance(error, Interrupted):
        assert str(error) in outcome.message


@pytest.mark.parametrize("error", [NetworkError("no route"), Unavailable("busy"), Throttled("slower")])
def test_silence_after_it_was_sent_leaves_it_running_at_aws(error: Exception) -> None:
    outcome, told = one(error, begun=True)
    assert (outcome.result, outcome.command) == ("running", APPLY)
    assert sum(isinstance(e, Note) and "looking again" in e.text for e in told) == 4
    before, _ = one(error)
    assert before.result == "failed", "before that nothing runs"


def test_a_stackset_is_told_as_one() -> None:
    from tests.unit.planning.test_stacksets import World

    assert World().deploy().kind == "stackset"


def test_a_refusal_after_it_was_sent_is_a_failure() -> None:
    assert one(AccessDenied("not you"), begun=True)[0].result == "failed"


# --- which events are of this execution -------------------------------------------------------------------------------

ARN = "arn:stack"


def event(number: int, status: str, token: str = "", *, own: bool = True) -> StackEvent:
    return StackEvent(
        id=str(number), stack_arn=ARN, logical_id="s", physical_id=ARN if own else "p", status=status, token=token,
        at=f"2026-11-22T10:00:{number:02d}Z",
    )  # fmt: skip


def taken(*events: StackEvent, made_at: str = "") -> list[str]:
    return [e.id for e in ExecutionEvents("tok", lambda: made_at).take(events)]


def test_events_begin_with_the_first_that_has_the_token_and_those_of_others_are_left_out() -> None:
    events = (event(1, "UPDATE_IN_PROGRESS"), event(2, "UPDATE_IN_PROGRESS", "tok"), event(3, "X", "other"), event(4, "UPDATE_COMPLETE"))
    assert taken(*events) == ["2", "4"]


def test_without_tokens_they_begin_with_an_operation_of_the_stack_itself_since_the_change_set_was_made() -> None:
    events = (
        event(1, "UPDATE_IN_PROGRESS"),
        event(2, "UPDATE_COMPLETE"),
        event(3, "UPDATE_IN_PROGRESS", own=False),
        event(4, "UPDATE_IN_PROGRESS"),
        event(5, "CREATE_IN_PROGRESS", own=False),
        event(6, "UPDATE_COMPLETE"),
    )
    assert taken(*events, made_at="2026-11-22T10:00:04Z") == ["4", "5", "6"]
    assert taken(*events, made_at="2026-11-22T10:00:01Z") == ["1", "2", "3", "4", "5", "6"]
    assert taken(*events, made_at="2026-11-22T10:00:05Z") == [], "nothing has begun since"
    assert taken(*events) == ["4", "5", "6"], "the change set is gone: the latest"
    assert taken(event(1, "UPDATE_COMPLETE"), event(2, "CREATE_IN_PROGRESS", own=False)) == []


def test_what_comes_later_is_taken_whole_and_the_change_set_is_asked_about_once() -> None:
    asked: list[int] = []

    def made_at() -> str:
        asked.append(1)
        return "2026-11-22T10:00:01Z"

    ours = ExecutionEvents("tok", made_at)
    assert ours.take([event(0, "UPDATE_COMPLETE")]) == () and asked == []
    assert [e.id for e in ours.take([event(1, "UPDATE_IN_PROGRESS")])] == ["1"]
    assert [e.id for e in ours.take([event(2, "CREATE_COMPLETE", own=False), event(3, "X", "other")])] == ["2"]
    assert [e.id for e in ours.found] == ["1", "2"] and asked == [1]
    ours.validations([validation("")])
    assert asked == [1]


def validation(token: str, at: str = "2026-11-22T10:00:02Z") -> ValidationEvent:
    return ValidationEvent(token=token, at=at, reason=f"{token} {at}")


def test_validations_are_those_of_the_token_or_of_no_token_and_not_from_before() -> None:
    ours = ExecutionEvents("tok", lambda: "2026-11-22T10:00:02Z")
    mine, other, none = validation("tok"), validation("other"), validation("")
    old, timeless = validation("", "2026-11-22T10:00:01Z"), validation("", "")
    assert ours.validations([mine, other, none]) == (mine,)
    assert ours.validations([other, none, old, timeless]) == (none, timeless)


def test_what_is_no_time_is_the_epoch() -> None:
    assert (seconds("2026-11-22T10:00:00Z"), seconds(""), seconds("soon")) == (1795341600.0, 0.0, 0.0)
