"""What an apply has told so far, as the state of each stack."""

from __future__ import annotations

import pytest

from rollout.progress import RATE_OVER, ApplyProgress, Finished, Instances, Line, Resource, Started

STACK = "AWS::CloudFormation::Stack"


def told(*events: object) -> Line:
    progress = ApplyProgress(("a",))
    for event in events:
        progress.tell(event)  # type: ignore[arg-type]
    return progress.lines["a"]


def resource(logical_id: str, status: str, kind: str = "AWS::SSM::Parameter") -> Resource:
    return Resource(at=1.0, stack="a", logical_id=logical_id, resource_type=kind, status=status, reason="")


def test_a_stack_counts_what_is_complete_and_shows_what_is_under_way() -> None:
    begun = Started(at=10.0, stack="a", operation="update", resources=3, expected_seconds=60.0)
    line = told(begun, resource("One", "UPDATE_IN_PROGRESS"))
    assert (line.operation, line.total, line.started, line.expected_seconds) == ("update", 3, 10.0, 60.0)
    assert not begun.resumed, "unless it is said"
    assert (line.current, line.finished, line.rolling_back) == ("One", 0, False)
    line = told(begun, resource("One", "UPDATE_IN_PROGRESS"), resource("One", "UPDATE_COMPLETE"), resource("Two", "UPDATE_IN_PROGRESS"))
    assert (line.current, line.finished) == ("Two", 1)
    line = told(begun, resource("One", "UPDATE_IN_PROGRESS"), resource("Two", "CREATE_FAILED"))
    assert (line.current, line.finished) == ("One", 0)
    assert told(begun, resource("One", "CREATE_IN_PROGRESS"), resource("One", "CREATE_FAILED")).current == ""


def test_a_stack_that_rolls_back_does_so_to_the_end() -> None:
    line = told(resource("a", "UPDATE_ROLLBACK_IN_PROGRESS", STACK))
    assert line.rolling_back and line.current == ""
    assert told(resource("a", "UPDATE_ROLLBACK_IN_PROGRESS", STACK), resource("a", "UPDATE_IN_PROGRESS", STACK)).rolling_back
    assert not told(resource("a", "UPDATE_IN_PROGRESS", STACK)).rolling_back


def test_an_end_is_told_once_and_clears_what_was_under_way() -> None:
    ended = Finished(at=30.0, stack="a", result="succeeded", status="UPDATE_COMPLETE", seconds=20.0)
    line = told(Started(at=10.0, stack="a", operation="update", resources=1), resource("One", "UPDATE_IN_PROGRESS"), ended)
    assert (line.result, line.status, line.ended, line.seconds, line.current) == ("succeeded", "UPDATE_COMPLETE", 30.0, 20.0, "")
    assert line.elapsed(99.0) == 20.0


def test_how_long_it_has_taken() -> None:
    assert told().elapsed(50.0) == 0.0 and (told().total, told().finished, told().ended) == (0, 0, None)
    line = told(Started(at=10.0, stack="a", operation="update", resources=1))
    assert (line.elapsed(50.0), line.elapsed(9.0)) == (40.0, 0.0)
    line.ended = 30.0
    assert line.elapsed(50.0) == 20.0


def instances(at: float, done: int, running: int = 0, pending: int = 0, total: int = 100) -> Instances:
    return Instances(at=at, stack="a", total=total, counts={"SUCCEEDED": done, "RUNNING": running, "PENDING": pending})


def test_instances_are_counted_and_the_rate_is_that_of_the_last_readings() -> None:
    line = told(instances(0.0, 0, running=5, pending=95), instances(10.0, 20, running=5, pending=75))
    assert (line.finished, line.total, line.rate, line.remaining_seconds) == (20, 100, 2.0, 40.0)
    many = told(*(instances(float(second), second) for second in range(RATE_OVER + 30)))
    assert len(many.progress) == RATE_OVER and many.progress[-1] == (RATE_OVER + 29, RATE_OVER + 29)
    assert many.rate == 1.0


@pytest.mark.parametrize("readings", [(), (instances(5.0, 3),), (instances(5.0, 3), instances(5.0, 9))])
def test_a_rate_that_cannot_be_told_yet_is_none(readings: tuple[Instances, ...]) -> None:
    line = told(*readings)
    assert (line.rate, line.remaining_seconds) == (0.0, None)


def test_nothing_remains_of_what_is_done() -> None:
    assert told(instances(0.0, 50), instances(10.0, 100)).remaining_seconds is None


def test_events_of_stacks_that_nobody_follows_are_left_out() -> None:
    progress = ApplyProgress(("a",))
    progress.tell(Started(at=1.0, stack="b", operation="update", resources=1))
    assert list(progress.lines) == ["a"] and progress.lines["a"].started is None
