"""Trying again what failed for AWS's lateness: when, how often, and never over something that is left or was not approved."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from aws.cloudformation.requests import client_token
from aws.cloudformation.stack_sets import InstanceTargets
from aws.cloudformation.stacks import StackDescription
from planning.model import Options, StackPlan, StackState
from planning.request import Request
from rollout.diagnosis import Diagnosis
from rollout.execution import Interrupted
from rollout.outcome import InstanceFailure
from rollout.planned_change import MOST_TRIES
from rollout.second_try import _DELETION_POLLS, SecondTry, late, pause, steps_again, why_late
from rollout.stack_execution import StackExecution
from rollout.stackset_operations import Step
from tests.simulated import Small, small_assembly

ROLE = "AWS::IAM::Role"
LATE = "The role defined for the function cannot be assumed by Lambda."
MADE, _ = small_assembly(Small(id="a", template={"Resources": {}}))


def live(status: str, arn: str = "arn:1") -> Any:
    return SimpleNamespace(
        status=status, arn=arn, deployed=status not in ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS"), busy=status.endswith("_IN_PROGRESS")
    )


class World:
    """CloudFormation and a run, as far as a second try needs them. `looks`: what DescribeStacks says, one after the other."""

    def __init__(self, *looks: Any, left: tuple[tuple[str, str], ...] = (), new: Any = True, exists: bool = False) -> None:
        self.looks, self.left, self.exists = list(looks), left, exists
        self.new = new
        self.sleeps: list[float] = []
        self.polls: list[int] = []
        self.deleted: list[str] = []
        self.states: dict[str, Any] = {}
        self.stop = threading.Event()
        self.checked = 0
        self.asked: list[str] = []

    # the run
    poll_seconds = 3.0

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)

    def pause(self, polls: int) -> None:
        self.polls.append(polls)

    def check(self) -> None:
        self.checked += 1

    def is_new(self, kind: str) -> bool:
        self.asked.append(kind)
        return bool(self.new(kind) if callable(self.new) else self.new)

    def request(self) -> Request:
        return Request(assembly=MADE, templates={}, options=Options(), created_at="t", created_by="s", nonce="0f")

    # CloudFormation
    def describe_stack(self, name: str) -> Any:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def list_resources(self, arn: str) -> Any:
        return [SimpleNamespace(status=status, physical_id=physical_id) for status, physical_id in self.left]

    def delete_stack(self, arn: str, token: str) -> None:
        assert token == client_token(arn, "delete")
        self.deleted.append(arn)

    def change_set_state(self, name: str, stack: str) -> Any:
        return self.states.get(name)


class Trying(SecondTry):
    def __init__(self, world: World) -> None:
        self.world = world
        anything: Any = world
        self.run = self.gateway = anything
        self.plan: Any = SimpleNamespace(stack="a", stack_name="demo-a", state=SimpleNamespace(exists=world.exists))
        self.token = self.change_set = ""
        self.told: list[str] = []

    def note(self, text: str) -> None:
        self.told.append(text)

    def follow(self, stack: str) -> Any:
        return f"followed {stack}"

    def made_again(self, request: Request) -> Any:
        return f"made again as {request.nonce}"


def diagnosis(status: str = "ROLLBACK_COMPLETE", reason: str = LATE) -> Diagnosis:
    cause: Any = SimpleNamespace(reason=reason, logical_id="Function") if reason else None
    found: Any = SimpleNamespace(cause=cause, status=status)
    return found  # type: ignore[no-any-return]


GONE = (live("ROLLBACK_COMPLETE"), None, None, None)


# --- is it late? --------------------------------------------------------------------------------------------------


def test_it_is_late_if_something_of_that_kind_is_new_and_asked_three_times_else() -> None:
    world: Any = World(None)
    found = late(world, LATE)
    assert found is not None and found.kinds == (ROLE,) and world.polls == []
    old: Any = World(None, new=False)
    assert late(old, LATE) is None and old.polls == [0, 1, 2]
    answers = iter([False, False, True])
    at_last: Any = World(None, new=lambda _: next(answers))
    assert late(at_last, LATE) is not None and at_last.polls == [0, 1]
    other: Any = World(None)
    assert late(other, "Bucket already exists") is None and other.asked == []
    second: Any = World(None, new=lambda kind: kind == "AWS::IAM::Policy")
    assert late(second, "is not authorized to perform: s3:GetObject") is not None, "one of the kinds is enough"


def test_pauses_double_up_to_ten_polls_and_end_with_an_interrupt() -> None:
    world: Any = World(None)
    for number in range(1, 6):
        pause(world, number)
    assert world.sleeps == [6.0, 12.0, 24.0, 30.0, 30.0]
    world.stop.set()
    with pytest.raises(Interrupted):
        pause(world, 1)


# --- is it tried again? -------------------------------------------------------------------------------------------


def test_a_creation_that_came_too_early_is_made_again_under_a_name_of_its_own() -> None:
    trying = Trying(World(*GONE))
    assert trying.try_again(diagnosis()) == "made again as 0f-1"  # type: ignore[comparison-overlap]
    assert trying.world.deleted == ["arn:1"] and trying.world.checked == 1
    assert trying.told == [
        f"Function: {LATE}; waiting for the role to be assumed by Lambda (AWS may need 120 s), then trying again (1 of {MOST_TRIES})"
    ]
    assert trying.world.sleeps == [6.0]


@pytest.mark.parametrize(
    "found",
    [diagnosis(reason=""), diagnosis(reason="Bucket already exists"), diagnosis(status="ROLLBACK_FAILED"), diagnosis("UPDATE_FAILED")],
)
def test_any_other_failure_is_the_end(found: Diagnosis) -> None:
    trying = Trying(World(*GONE))
    assert trying.try_again(found) is None and trying.world.deleted == [] and trying.told == [] and trying.tries == 0


def test_what_has_stood_for_long_is_not_late() -> None:
    trying = Trying(World(*GONE, new=False))
    assert trying.try_again(diagnosis()) is None and trying.world.deleted == []


def test_five_tries_are_made_and_no_more() -> None:
    trying = Trying(World(*GONE))
    trying.tries = MOST_TRIES - 1
    assert trying.try_again(diagnosis()) is not None and trying.tries == MOST_TRIES == 5
    assert trying.try_again(diagnosis()) is None


def test_after_the_last_try_nothing_is_asked_any_more() -> None:
    world: Any = World(*GONE)
    trying = Trying(world)
    trying.tries = MOST_TRIES
    assert trying.try_again(diagnosis()) is None and trying.tries == MOST_TRIES and world.asked == [] and world.sleeps == []


def test_a_try_that_an_earlier_apply_began_is_followed() -> None:
    trying = Trying(World(*GONE))
    name = f"plan-test-{MADE.digest[:8]}-0f-1"
    for status, followed in (("AVAILABLE", False), ("EXECUTE_IN_PROGRESS", True), ("EXECUTE_COMPLETE", True), ("EXECUTE_FAILED", True)):
        trying.world.states[name] = SimpleNamespace(execution_status=status, arn="arn:set", name=name)
        assert trying.take_up(1) is followed
    assert (trying.tries, trying.change_set, trying.token) == (1, "arn:set", client_token(name, "a", "execute"))
    fresh = Trying(World(*GONE, new=False))
    fresh.world.states = trying.world.states
    assert fresh.try_again(diagnosis("ROLLBACK_FAILED")) == "followed demo-a" and fresh.world.deleted == []  # type: ignore[comparison-overlap]


# --- is it cleared? -----------------------------------------------------------------------------------------------


def cleared(world: World, status: str = "ROLLBACK_COMPLETE") -> bool:
    return Trying(world).cleared(status)


def test_a_stack_that_was_there_before_only_has_to_be_rolled_back() -> None:
    assert cleared(World(None, exists=True), "UPDATE_ROLLBACK_COMPLETE")
    assert not cleared(World(None, exists=True), "UPDATE_ROLLBACK_FAILED") and not cleared(World(None, exists=True), "ROLLBACK_COMPLETE")


def test_a_stack_in_which_something_is_left_is_not_deleted() -> None:
    kept = World(live("ROLLBACK_COMPLETE"), left=(("DELETE_SKIPPED", "bucket"), ("DELETE_COMPLETE", "role")))
    assert not cleared(kept) and kept.deleted == [] and kept.polls == []
    late_ = World(live("ROLLBACK_COMPLETE"), left=(("CREATE_COMPLETE", "bucket"),))
    assert not cleared(late_) and late_.deleted == [] and len(late_.polls) == _DELETION_POLLS, "waited for, as the list may be old"


def test_what_was_never_made_or_is_deleted_is_nothing_left() -> None:
    world = World(*GONE, left=(("DELETE_COMPLETE", "role"), ("CREATE_FAILED", "")))
    assert cleared(world) and world.deleted == ["arn:1"] and world.polls == [0, 1, 2]


def test_it_is_gone_when_three_looks_in_a_row_say_so() -> None:
    world = World(live("ROLLBACK_COMPLETE"), None, live("DELETE_IN_PROGRESS"), None, live("DELETE_COMPLETE"), live("REVIEW_IN_PROGRESS"))
    assert cleared(world) and world.polls == [0, 1, 2, 3, 4] and world.deleted == ["arn:1"]
    again = World(live("ROLLBACK_COMPLETE"), live("ROLLBACK_COMPLETE"), None)
    assert cleared(again) and again.deleted == ["arn:1"], "an old answer does not delete it twice"


def test_a_deletion_that_fails_or_never_ends_is_no_room_for_another() -> None:
    failed = World(live("ROLLBACK_COMPLETE"), live("DELETE_FAILED"))
    assert not cleared(failed) and failed.polls == [0]
    endless = World(live("ROLLBACK_COMPLETE"), live("DELETE_IN_PROGRESS"))
    assert not cleared(endless) and len(endless.polls) == _DELETION_POLLS


def test_a_stack_that_cloudformation_has_deleted_itself_is_not_deleted_again() -> None:
    world = World(None)
    assert cleared(world, "DELETE_COMPLETE") and world.deleted == [] and world.polls == [0, 1]
    assert not cleared(World(None), "ROLLBACK_COMPLETE"), "an answer that is ahead of the others is no deletion of ours"


def test_where_it_cannot_be_cleared_nothing_is_made() -> None:
    trying = Trying(World(live("ROLLBACK_COMPLETE"), left=(("DELETE_SKIPPED", "bucket"),)))
    assert trying.try_again(diagnosis()) is None and trying.tries == 1


# --- is it made again? --------------------------------------------------------------------------------------------


class Making(Trying):
    """The real plan is given; a run and what is dropped are the world's."""

    made_again = SecondTry.made_again

    def __init__(self, approved: StackPlan, real: StackPlan) -> None:
        super().__init__(World(None))
        self.plan, self.real = approved, real
        self.requests: list[Request] = []
        self.sent: list[tuple[str, str]] = []
        anything: Any = self.world
        anything.delete_change_set = lambda arn, stack: self.world.deleted.append(arn)
        anything.delete_reviewed_stack = lambda *_, **__: None

    def planned(self, request: Request) -> StackPlan:
        self.requests.append(request)
        return self.real

    def send(self, change_set: str, stack: str) -> None:
        self.sent.append((change_set, stack))

    def refused(self, why: str, differences: tuple[str, ...] = ()) -> Any:
        return differences


def made(value: str = "1") -> StackPlan:
    """The plan of one stack, with its change set."""
    from tests.unit.rollout.test_apply import Desk, small

    (found,) = Desk().plan(small_assembly(small("a", value))).stacks
    assert isinstance(found, StackPlan)
    return found


def again(approved: StackPlan, real: StackPlan) -> tuple[Making, Any]:
    making = Making(approved, real)
    return making, making.made_again(making.run.request())


def test_what_was_approved_is_executed_and_followed_under_its_own_name() -> None:
    approved = made()
    making, outcome = again(approved, approved)
    assert approved.change_set is not None
    change_set = approved.change_set
    assert outcome == f"followed {change_set.stack_arn}" and making.sent == [(change_set.arn, change_set.stack_arn)]
    assert (making.change_set, making.token) == (change_set.arn, change_set.client_token)
    assert making.world.checked == 1 and making.world.deleted == [] and len(making.requests) == 1


def test_what_would_do_something_else_or_nothing_is_dropped_and_refused() -> None:
    approved = made()
    for real in (msgspec.structs.replace(approved, resources=()), msgspec.structs.replace(approved, change_set=None)):
        making, outcome = again(approved, real)
        assert isinstance(outcome, tuple) and making.sent == []
        assert making.world.deleted == ([real.change_set.arn] if real.change_set else [])


# --- instances ----------------------------------------------------------------------------------------------------


def step(kind: Any) -> Step:
    return Step(id="op", kind=kind, targets=InstanceTargets(accounts=("1",), regions=("a",)), instances=1)


def bad(account: str, region: str = "a", status: str = "FAILED", reason: str = LATE) -> InstanceFailure:
    return InstanceFailure(account_id=account, region=region, status=status, reason=reason)


@pytest.mark.parametrize(
    ("kind", "again"), [("remove", "remove"), ("retain", "retain"), ("create", "update_instances"), ("update", "update_instances")]
)
def test_failed_instances_are_redone_and_no_others(kind: str, again: str) -> None:
    made = steps_again(step(kind), [bad("1"), bad("2"), bad("1", "b")], 2)
    assert {s.kind for s in made} == {again}
    places = sorted((a, r) for s in made for a in s.targets.accounts for r in s.targets.regions)
    assert places == [("1", "a"), ("1", "b"), ("2", "a")] and sum(s.instances for s in made) == 3
    assert len({s.id for s in made}) == len(made)
    assert [s.id for s in made] == [s.id for s in steps_again(step(kind), [bad("1"), bad("2"), bad("1", "b")], 2)]
    assert not {s.id for s in made} & {s.id for s in steps_again(step(kind), [bad("1"), bad("2"), bad("1", "b")], 3)}


def test_a_step_is_late_if_every_instance_that_failed_by_itself_is() -> None:
    world: Any = World(None)
    assert why_late(world, step("create"), [bad("1"), bad("2", status="CANCELLED", reason="")]) is not None
    assert why_late(world, step("create"), [bad("1"), bad("2", reason="no room")]) is None
    assert why_late(world, step("create"), [bad("2", status="CANCELLED")]) is None
    assert why_late(world, step("adopt"), [bad("1")]) is None
    assert why_late(World(None, new=False), step("create"), [bad("1")]) is None  # type: ignore[arg-type]


def test_an_apply_that_takes_over_follows_the_try_that_an_earlier_one_began() -> None:
    """Of a new stack whose change set apply makes itself: it is known by its name only."""
    name = f"plan-test-{MADE.digest[:8]}-0f-2"
    state = SimpleNamespace(arn="cs:2", name=name, execution_status="EXECUTE_IN_PROGRESS")
    began: list[bool] = []

    class Resuming(StackExecution):
        def __init__(self) -> None:
            self.plan: Any = SimpleNamespace(
                stack="a",
                stack_name="demo-a",
                operation="create",
                state=StackState(exists=False),
                change_set=None,
                resources=(),
                settings=(),
            )
            request = Request(assembly=MADE, templates={}, options=Options(), created_at="t", created_by="s", nonce="0f")
            self.run: Any = SimpleNamespace(request=lambda: request)
            self.gateway: Any = SimpleNamespace(
                describe_stack=lambda _: StackDescription(name="demo-a", arn="arn:1", status="CREATE_IN_PROGRESS", changed_at="t"),
                change_set_state=lambda asked, _: state if asked == name else None,
            )
            self.records = None

        def start(self, total: int, *, resumed: bool = False) -> None:
            began.append(resumed)

        def note(self, text: str) -> None:
            began.append("an earlier apply" in text)

        def follow(self, stack: str) -> Any:
            return stack, self.change_set, self.token, self.tries

    followed: Any = Resuming().execute()
    assert followed == ("demo-a", "cs:2", client_token(name, "a", "execute"), 2) and began == [True, True]
