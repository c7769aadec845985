"""The small print of an apply: words, waiting, events of others, the end of a lock."""

from __future__ import annotations

import dataclasses
import threading
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from assembly.model import OperationPreferences
from aws.errors import NetworkError, NotFound
from planning.model import Options
from rollout.apply import StalePlan, apply, record_of, refusals
from rollout.execution import FIRST_POLL_SECONDS, Interrupted, Run
from rollout.lock import TTL_SECONDS, LockHeld, LockLost, acquire
from rollout.progress import Note, Resource, Started
from rollout.stackset_operations import canary_region, preferences_of
from tests.simulated import small_assembly
from tests.unit.rollout.test_apply import Desk, chain, results, small
from tests.unit.rollout.test_lock import ME, NAME, Clock, Table, elsewhere, take


def test_why_a_plan_is_not_for_this_assembly() -> None:
    desk = Desk()
    made = chain()
    plan = desk.plan(made)
    other = chain("2")[0]
    assert refusals(plan, other, local=False) == (
        f"the assembly has been built again: the plan is for {plan.assembly_digest[:12]}, now there is {other.digest[:12]}",
    )
    everything = msgspec.structs.replace(plan, options=Options(local=True), account_id="1")
    assert len(refusals(everything, other, local=False)) == 3


def test_the_record_says_why_it_failed() -> None:
    desk = Desk()
    made = chain()
    plan = desk.plan(made)
    desk.simulation.scripts["demo-test-a"] = ["CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE"]
    desk.simulation.events["demo-test-a"] = [("It", "CREATE_FAILED", "already exists")]
    applied = desk.apply(made, plan)
    record = record_of(desk.run(made, plan), applied, by=ME.arn, host="here", git_commit="")
    assert record.message == "It (AWS::SSM::Parameter): already exists"
    first = record.stacks[0]
    assert (first.stack, first.result, first.operation) == ("a", "failed", "create")
    stopped = msgspec.structs.replace(applied, problem="the lock is gone")
    assert record_of(desk.run(made, plan), stopped, by=ME.arn, host="here", git_commit="").message == "the lock is gone"
    assert record.started_at == "1970-01-12T13:46:40.000Z"


# --- waiting ------------------------------------------------------------------------------------------------------


def waiting(desk: Desk) -> tuple[Run, list[float]]:
    made = chain()
    slept: list[float] = []
    return dataclasses.replace(desk.run(made, desk.plan(made)), sleep=slept.append), slept


def test_polls_begin_quickly_and_are_never_further_apart_than_three_seconds() -> None:
    run, slept = waiting(Desk())
    for polls in range(60):
        run.pause(polls)
    assert slept[0] == FIRST_POLL_SECONDS == 0.1 and slept == sorted(slept) and slept[-1] == run.poll_seconds == 3.0


def test_who_is_asked_to_stop_does_not_wait_first() -> None:
    desk = Desk()
    run, slept = waiting(desk)
    desk.stop.set()
    with pytest.raises(Interrupted):
        run.pause(0)
    assert slept == []


# --- one stack ----------------------------------------------------------------------------------------------------


def test_events_of_an_earlier_update_are_not_told() -> None:
    desk = Desk()
    assert desk.apply(small_assembly(small("a"))).result == "succeeded"
    desk.told.clear()
    desk.simulation.events["demo-test-a"] = [("It", "UPDATE_COMPLETE", "")]
    assert desk.apply(small_assembly(small("a", "2"))).result == "succeeded"
    told = [(e.logical_id, e.status) for e in desk.told if isinstance(e, Resource)]
    assert ("It", "UPDATE_COMPLETE") in told
    assert not any(status.startswith("CREATE") for _, status in told)


def test_only_what_an_earlier_apply_began_is_said_to_be_followed() -> None:
    desk = Desk()
    made = chain()
    plan = desk.plan(made)
    assert desk.apply(made, plan).result == "succeeded"
    assert {e.resumed for e in desk.told if isinstance(e, Started)} == {False}
    desk.told.clear()
    assert desk.apply(made, plan).result == "succeeded"
    assert {e.resumed for e in desk.told if isinstance(e, Started)} == {True}
    assert any("an earlier apply has executed this change set" in e.text for e in desk.told if isinstance(e, Note))


def test_what_is_unchanged_began_never() -> None:
    desk = Desk()
    made = chain()
    desk.apply(made)
    again = desk.apply(made)
    assert {(o.started, o.seconds, o.resources) for o in again.stacks} == {(0.0, 0.0, 0)}
    assert set(results(again).values()) == {"unchanged"}


def test_an_interrupt_before_a_stack_is_sent_begins_nothing() -> None:
    desk = Desk()
    made = small_assembly(small("a"))
    plan = desk.plan(made)
    desk.stop.set()
    applied = desk.apply(made, plan)
    assert (applied.result, results(applied), desk.simulation.executed) == ("interrupted", {"a": "not_started"}, [])


def test_one_after_the_other_is_as_good_as_at_once() -> None:
    desk = Desk()
    made = chain()
    applied = apply(desk.run(made, desk.plan(made)), desk.take, workers=1)
    assert applied.result == "succeeded" and len(desk.simulation.executed) == 3


def test_a_network_that_fails_once_between_polls_is_looked_past() -> None:
    desk = Desk()
    desk.simulation.scripts["demo-test-a"] = ["CREATE_IN_PROGRESS"] * 3 + ["CREATE_COMPLETE"]
    made = small_assembly(small("a"))
    plan = desk.plan(made)
    failures = [NetworkError("no route")]

    def fail(name: str, arguments: Any) -> None:
        if name == "describe_stack_events" and desk.simulation.executed and failures:
            raise failures.pop()

    desk.simulation.faults.before_call = fail
    assert desk.apply(made, plan).result == "succeeded"
    assert [e.text for e in desk.told if isinstance(e, Note)] == ["looking again: no route"]


# --- StackSets ----------------------------------------------------------------------------------------------------


def test_an_order_of_regions_is_sent_only_where_regions_go_one_after_the_other() -> None:
    ordered = OperationPreferences(region_concurrency_type="SEQUENTIAL", region_order=("b", "x", "a"))
    assert preferences_of(ordered, ("a", "b", "c"))["RegionOrder"] == ["b", "a", "c"]
    assert "RegionOrder" not in preferences_of(ordered, ())
    assert "RegionOrder" not in preferences_of(OperationPreferences(region_concurrency_type="SEQUENTIAL"), ("a",))
    parallel = OperationPreferences(region_concurrency_type="PARALLEL", region_order=("a",))
    assert "RegionOrder" not in preferences_of(parallel, ("a",))


@pytest.mark.parametrize(
    ("regions", "order", "first"), [((), ("b",), ""), (("b",), ("b",), ""), (("a", "b"), ("b",), "b"), (("a", "b"), ("x",), "a")]
)
def test_one_region_goes_first_where_there_are_several(regions: tuple[str, ...], order: tuple[str, ...], first: str) -> None:
    instances = (*(SimpleNamespace(region=r, action="create") for r in regions), SimpleNamespace(region="c", action="remove"))
    plan: Any = SimpleNamespace(instances=instances, preferences=OperationPreferences(region_order=order))
    assert canary_region(plan, "create") == first


# --- the lock -----------------------------------------------------------------------------------------------------


def test_a_lock_that_was_given_back_is_not_renewed() -> None:
    table, clock = Table(), Clock()
    lock = take(table, clock)
    lock.release()
    take(table, clock, "b", elsewhere())
    table.updated.clear()
    lock.check()
    assert not table.updated.is_set() and table.item is not None and table.item["Id"] == "b"


def test_a_lock_that_was_lost_stays_lost_though_the_table_has_it_again() -> None:
    table, clock = Table(), Clock()
    lock = take(table, clock)
    mine = dict(table.item or {})
    table.item = None
    with pytest.raises(LockLost, match="was removed with unlock"):
        lock.check()
    table.item = mine
    with pytest.raises(LockLost):
        lock.check()


def test_a_lock_holds_for_three_minutes_from_its_last_renewal() -> None:
    table, clock = Table(), Clock()
    lock = take(table, clock)
    assert table.item is not None and table.item["Expires"] == 1_000_000 + 180 == 1_000_000 + TTL_SECONDS
    clock.seconds += 100
    lock.check()
    clock.seconds += TTL_SECONDS
    with pytest.raises(LockHeld):
        take(table, clock, "b", elsewhere())
    clock.seconds += 1
    take(table, clock, "b", elsewhere())


def test_a_heartbeat_without_answers_loses_the_lock_only_after_its_time() -> None:
    table, clock = Table(), Clock()
    lock = take(table, clock)
    table.broken = True
    asked = threading.Event()
    original = table._asked

    def seen() -> None:
        asked.set()
        original()

    table._asked = seen  # type: ignore[method-assign]
    lock.start(every=0.001)
    assert asked.wait(180)
    assert lock._lost == ""
    clock.seconds += TTL_SECONDS + 1
    for _ in range(5_000):
        if lock._lost:
            break
        asked.clear()
        asked.wait(0.01)
    assert f"could not be renewed for {TTL_SECONDS} seconds: no network" in lock._lost
    with pytest.raises(LockLost):
        lock.check()


def test_an_item_that_somebody_wrote_by_hand_is_read_as_far_as_it_goes() -> None:
    table, clock = Table(), Clock()
    table.item = {"Expires": 2_000_000, "Pid": -3, "Since": "soon"}
    with pytest.raises(LockHeld) as refused:
        take(table, clock)
    assert "somebody on an unknown host" in str(refused.value)
    table.item = {"Id": "x", "Owner": "o", "Host": "h", "Verb": "apply", "Expires": 2_000_000, "Pid": -3, "Since": "soon"}
    with pytest.raises(LockHeld, match=r"o on h \(process 0, apply\) since 1970-01-01 00:00:00 UTC, until 1970-01-24"):
        take(table, clock)
    table.item |= {"Since": 253_402_300_800, "Expires": 253_402_300_799}
    with pytest.raises(LockHeld, match=r"since 1970-01-01 00:00:00 UTC, until 9999-12-31 23:59:59 UTC"):
        take(table, clock)
    table.there = False
    with pytest.raises(NotFound):
        acquire(table, "locks", NAME, environment="test", verb="apply", lock_id="a", me=ME, now=clock)


def test_stacks_that_do_not_depend_on_each_other_are_executed_at_once() -> None:
    desk = Desk()
    made = small_assembly(small("a"), small("b"))
    plan = desk.plan(made)
    both = threading.Barrier(2)

    def meet(name: str, _: Any) -> None:
        if name == "execute_change_set":
            both.wait(timeout=180)

    desk.simulation.faults.before_call = meet
    assert desk.apply(made, plan).result == "succeeded"


def test_what_has_nothing_to_do_is_unchanged_though_another_stack_failed() -> None:
    desk = Desk()
    assert desk.apply(small_assembly(small("a"), small("b"))).result == "succeeded"
    newer = small_assembly(small("a", "2"), small("b", depends_on=("a",)), small("c", depends_on=("a",)))
    plan = desk.plan(newer)
    desk.simulation.scripts["demo-test-a"] = ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]
    applied = desk.apply(newer, plan)
    assert {o.stack: (o.result, o.message) for o in applied.stacks if o.stack != "a"} == {
        "b": ("unchanged", ""),
        "c": ("not_started", "because of a"),
    }


def test_the_same_approved_plan_makes_its_real_change_sets_under_one_name() -> None:
    desk = Desk()
    made = chain()
    plan = desk.plan(made)
    run = desk.run(made, plan)
    assert run.request().nonce == plan.digest[:12] and len(run.request().nonce) == 12
    assert run.request() == desk.run(made, plan).request()


def test_a_stack_that_moves_between_the_first_look_and_its_turn_is_refused() -> None:
    desk = Desk()
    assert desk.apply(small_assembly(small("a"), small("c"))).result == "succeeded"
    newer = small_assembly(small("a", "2"), small("c", "2", depends_on=("a",)))
    plan = desk.plan(newer)

    def meddle(name: str, _: Any) -> None:
        if name == "execute_change_set":
            desk.simulation.at("eu-west-1").stacks["demo-test-c"]["StackId"] = (
                "arn:aws:cloudformation:eu-west-1:123456789012:stack/demo-test-c/again"
            )

    desk.simulation.faults.before_call = meddle
    desk.simulation.executed.clear()
    applied = desk.apply(newer, plan)
    refused = next(o for o in applied.stacks if o.stack == "c")
    assert refused.result in ("refused", "failed") and desk.simulation.executed == ["demo-test-a"], refused


def test_a_stack_that_somebody_made_since_the_plan_is_refused_with_its_state() -> None:
    desk = Desk()
    made = small_assembly(small("a"))
    plan = desk.plan(made)
    for status, refused in (("CREATE_COMPLETE", True), ("DELETE_COMPLETE", False)):
        desk.simulation.at("eu-west-1").stacks["demo-test-a"]["StackStatus"] = status
        if refused:
            with pytest.raises(StalePlan, match=r"demo-test-a .* did not exist when it was planned, and is CREATE_COMPLETE now"):
                desk.apply(made, plan)


@pytest.mark.parametrize(("limit", "level"), [(1000.0, "ok"), (100.0, "ok"), (99.0, "warning"), (10.0, "warning")])
def test_too_few_functions_at_once_are_told_with_what_asks_for_more(limit: float, level: str) -> None:
    from rollout.new_account import concurrency

    found, message, command = concurrency(limit, "eu-west-1")
    assert (found, message.startswith(f"Lambda runs {limit:g} functions at once in eu-west-1")) == (level, True)
    assert bool(command) is (level == "warning") and ("--desired-value 1000 --region eu-west-1" in command) is (level == "warning")
