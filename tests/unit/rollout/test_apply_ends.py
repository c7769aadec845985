"""How an apply ends: what is cleaned up and only then, what the result is, which command is next, and what the history gets."""

from __future__ import annotations

import dataclasses
import sys
import threading
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from aws.errors import AwsError
from planning.model import Options, Superseded
from planning.removals import Removal as PlannedRemoval
from rollout.apply import Applied, StalePlan, _applied, _not_started, _publish, _walk, apply, before_the_lock, record_of, stale
from rollout.lock import LockLost
from rollout.outcome import ContentOutcome, Outcome, StackRemoved
from rollout.progress import Finished, Note, Started
from templates.makers import makers_of_table
from tests.simulated import ACCOUNT, NOW, small_assembly
from tests.unit.planning.test_plan import deployed, logs, stack_of
from tests.unit.planning.test_stackset_plan import planned as planned_set
from tests.unit.rollout.test_apply import Desk, Simulation, chain, results, small, table_maker, waiting
from tests.unit.rollout.test_apply_content import CONTENT, LIVE
from tests.unit.rollout.test_lock import ME
from tests.unit.rollout.test_rollout_steps import removal


class Removing(Simulation):
    """Whatever is to be removed goes at once."""

    def retained(self, account_id: str, region: str, role_arn: str | None) -> Any:
        return SimpleNamespace(remove=lambda *_: None)


CERTIFICATE = "AWS::CertificateManager::Certificate"


def with_leftovers(desk: Desk, plan: Any) -> Any:
    """The plan, and a certificate that stack a had before."""
    old = Superseded(
        stack="a", stack_name="demo-test-a", account_id=ACCOUNT, region="eu-west-1", role_arn=None, logical_id="C",
        resource_type=CERTIFICATE, physical_id="old", since="2026-11-22T10:00:00Z",
    )  # fmt: skip
    return msgspec.structs.replace(plan, superseded=(old,))


def test_what_stacks_have_replaced_is_removed_after_every_stack_stands_and_not_after_a_failure() -> None:
    for script, tried in ((None, True), (["CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE"], False)):
        desk = Desk(simulation=Removing())
        made = chain()
        if script:
            desk.simulation.scripts["demo-test-c"] = script
        applied = desk.apply(made, with_leftovers(desk, desk.plan(made)))
        assert [each.result for each in applied.superseded] == ["removed"] * tried
        assert any("old was replaced" in e.text for e in desk.told if isinstance(e, Note)) is tried


def test_nothing_is_removed_while_a_stack_was_not_begun() -> None:
    desk = Desk()
    made = chain()
    plan = with_leftovers(desk, desk.plan(made))

    def stop(name: str, _: Any) -> None:
        if name == "execute_change_set":
            desk.stop.set()

    desk.simulation.faults.before_call = stop
    applied = desk.apply(made, plan)
    assert "not_started" in results(applied).values() and applied.superseded == ()


def test_nothing_is_removed_where_all_that_was_begun_stands_and_the_rest_was_not_begun() -> None:
    desk = Desk(simulation=Removing())
    made = small_assembly(small("a"), small("b", depends_on=("a",)))
    plan = msgspec.structs.replace(with_leftovers(desk, desk.plan(made)), removals=(removal(status="CREATE_COMPLETE"),))
    plan = msgspec.structs.replace(plan, options=Options(remove=True))

    def told(event: Any) -> None:
        if isinstance(event, Finished):
            desk.stop.set()

    applied = apply(dataclasses.replace(desk.run(made, plan), report=told), desk.take)
    assert (results(applied), applied.result) == ({"a": "succeeded", "b": "not_started"}, "interrupted")
    assert applied.superseded == () and [each.result for each in applied.removals] == ["not_started"]


def test_a_plan_that_has_moved_is_refused_before_the_stack_that_makes_the_lock_is_begun() -> None:
    desk = Desk()
    assert desk.apply(small_assembly(small("d"))).result == "succeeded"
    desk.table.there, desk.table.item = False, None
    made = small_assembly(table_maker(), small("d", "2"))
    plan = desk.plan(made)
    desk.simulation.at("eu-west-1").stacks["demo-test-d"]["StackStatus"] = "UPDATE_ROLLBACK_COMPLETE"
    desk.simulation.executed.clear()
    with pytest.raises(StalePlan, match="demo-test-d"):
        desk.apply(made, plan)
    assert desk.simulation.executed == []


def test_what_was_applied_before_the_lock_is_not_begun_again_under_it() -> None:
    desk = Desk()
    desk.table.there = False
    made = small_assembly(table_maker(), small("c", depends_on=("base",)))
    plan = desk.plan(made)

    def stands(name: str, _: Any) -> None:
        desk.table.there = desk.table.there or bool(desk.simulation.executed)

    desk.simulation.faults.before_call = stands
    assert desk.apply(made, plan).result == "succeeded"
    assert [(e.stack, e.resumed) for e in desk.told if isinstance(e, Started)] == [("base", False), ("c", False)]


def test_a_first_deployment_may_have_nothing_else() -> None:
    desk = Desk()
    desk.table.there = False
    made = small_assembly(table_maker())
    plan = desk.plan(made)

    def stands(name: str, _: Any) -> None:
        desk.table.there = desk.table.there or bool(desk.simulation.executed)

    desk.simulation.faults.before_call = stands
    assert desk.apply(made, plan).result == "succeeded" and desk.table.item is None


@pytest.mark.parametrize("workers", [0, 1])
def test_one_worker_executes_one_stack_after_the_other(workers: int) -> None:
    desk, threads = Desk(), set[str]()
    made = small_assembly(*(small(name) for name in ("a", "b", "c")))
    run = dataclasses.replace(desk.run(made, desk.plan(made)), report=lambda _: threads.add(threading.current_thread().name))
    _walk(run, run.plan.stacks, {}, workers)
    assert len(threads) == 1


def test_a_set_that_was_deleted_since_is_named_with_its_place() -> None:
    desk = Desk()
    deployed(desk.simulation, "eu-west-1", "us-east-1")
    made = logs({"Resources": {"Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/other"}}}})
    plan = desk.plan(made)
    assert stale(desk.run(made, plan), plan.stacks) == ()
    desk.simulation.at("eu-west-1").sets.clear()
    where = f"demo-test-logs (eu-west-1, account {ACCOUNT})"
    assert stale(desk.run(made, plan), plan.stacks) == (f"{where}: the StackSet has been deleted since it was planned",)


def test_a_stack_waits_for_no_stack_that_is_not_in_the_plan() -> None:
    desk = Desk()
    made = small_assembly(small("a"), small("b", depends_on=("a",)))
    plan = desk.plan(made)
    first = msgspec.structs.replace(plan.stacks[0], depends_on=("elsewhere",))
    plan = msgspec.structs.replace(plan, stacks=(first, *plan.stacks[1:]))
    assert results(desk.apply(made, plan)) == {"a": "succeeded", "b": "succeeded"}
    assert desk.simulation.executed == ["demo-test-a", "demo-test-b"]


@pytest.mark.parametrize(("plan", "kind"), [(planned_set(), "stackset"), (stack_of(Desk().plan(chain()), "a"), "stack")])
def test_what_was_not_begun_is_told_as_what_it_is(plan: Any, kind: str) -> None:
    told = _not_started(plan, ())
    assert (told.kind, told.stack, told.operation, told.result) == (kind, plan.stack, "create", "not_started")
    assert (told.started, told.seconds, told.resources) == (0.0, 0.0, 0)


def test_change_sets_of_earlier_plans_go_with_an_apply_that_has_overtaken_them() -> None:
    desk = Desk()
    desk.apply(small_assembly(small("a"), small("b")))
    place = desk.simulation.at("eu-west-1")
    earlier = desk.plan(small_assembly(small("a", "2"), small("b")))
    for made in place.change_sets.values():
        made["CreationTime"] = NOW.replace(hour=1)
    assert earlier.change_sets and desk.apply(small_assembly(small("a"), small("b", "2"))).result == "succeeded"
    assert waiting(desk.simulation) == []


def test_where_the_stacks_before_the_lock_fail_the_lock_is_not_asked_for_again() -> None:
    desk = Desk()
    desk.table.there = False
    made = small_assembly(table_maker(), small("c", depends_on=("base",)))
    desk.simulation.scripts["demo-test-base"] = ["CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE"]
    plan, asked = desk.plan(made), [0]

    def take() -> Any:
        asked[0] += 1
        return desk.take()

    applied = apply(desk.run(made, plan), take)
    assert (applied.result, applied.problem, asked) == ("failed", "", [1])
    assert results(applied) == {"base": "failed", "c": "not_started"}
    told = [e.text for e in desk.told if isinstance(e, Note)]
    assert told[0].startswith("base makes the lock table")


def test_what_moves_while_the_first_stacks_are_applied_stops_the_others_and_is_told() -> None:
    desk = Desk()
    assert desk.apply(small_assembly(small("d"))).result == "succeeded"
    desk.table.there, desk.table.item = False, None
    made = small_assembly(table_maker(), small("d", "2"))
    plan = desk.plan(made)

    def meddle(name: str, _: Any) -> None:
        if name == "execute_change_set":
            desk.table.there = True
            desk.simulation.at("eu-west-1").stacks["demo-test-d"]["StackStatus"] = "UPDATE_ROLLBACK_COMPLETE"

    desk.simulation.faults.before_call = meddle
    applied = desk.apply(made, plan)
    assert results(applied) == {"base": "succeeded", "d": "not_started"}
    assert "demo-test-d" in applied.problem and applied.command.startswith("python deploy.py plan")
    assert desk.table.item is None, "the lock was given back"


@pytest.mark.parametrize(
    ("operation", "found"), [("create", True), ("update", True), ("import", True), ("none", False), ("settings", False)]
)
def test_only_a_stack_that_is_made_or_changed_makes_the_table(operation: Any, found: bool) -> None:
    from rollout.apply import LockTableMissing

    desk = Desk()
    made = small_assembly(small("early"), table_maker(depends_on=("early",)), small("d"))
    plan = desk.plan(made)
    plan = msgspec.structs.replace(
        plan, stacks=tuple(msgspec.structs.replace(p, operation=operation) if p.stack == "base" else p for p in plan.stacks)
    )
    if not found:
        with pytest.raises(LockTableMissing):
            before_the_lock(desk.run(made, plan))
        return
    assert [p.stack for p in before_the_lock(desk.run(made, plan))] == ["early", "base"]


def test_who_makes_the_table_is_told_by_type_and_name() -> None:
    def template(kind: str, name: str) -> bytes:
        return msgspec.json.encode({"Resources": {"T": {"Type": kind, "Properties": {"TableName": name}}, "U": {"Type": kind}}})

    templates = {
        "one": template("AWS::DynamoDB::Table", "locks"),
        "two": template("AWS::DynamoDB::GlobalTable", "locks"),
        "three": template("AWS::DynamoDB::Table", "others"),
        "four": template("AWS::Timestream::Table", "locks"),
        "five": b"{}",
    }
    assert makers_of_table("locks", templates) == {"one", "two"}


def test_every_stack_that_moved_is_named_with_its_place_and_the_others_are_not() -> None:
    desk = Desk()
    assert desk.apply(chain()).result == "succeeded"
    made = chain("2")
    plan = desk.plan(made)
    run = desk.run(made, plan)
    assert stale(run, plan.stacks) == ()
    desk.simulation.at("eu-west-1").stacks["demo-test-a"]["StackStatus"] = "UPDATE_ROLLBACK_COMPLETE"
    (told,) = stale(run, plan.stacks)
    assert told.startswith("demo-test-a (eu-west-1, account 123456789012): was CREATE_COMPLETE of")


class Interrupting(threading.Event):
    """Ctrl-C comes to the main thread when it looks whether it was asked to stop, once a stack is executed; so many times."""

    def __init__(self, desk: Desk, times: int) -> None:
        super().__init__()
        self.desk, self.times, self.owner = desk, times, threading.get_ident()

    def is_set(self) -> bool:
        handling = sys.exc_info()[0] is not None
        if self.times and self.desk.simulation.executed and threading.get_ident() == self.owner and not handling:
            self.times -= 1
            raise KeyboardInterrupt
        return super().is_set()


def interrupted(times: int) -> tuple[Desk, Applied | None]:
    """An apply of a stack, and one after it, that is interrupted so often while the first is executed."""
    desk = Desk()
    made = small_assembly(small("a"), small("z", depends_on=("a",)))
    plan = desk.plan(made)
    desk.stop = Interrupting(desk, times)
    try:
        return desk, desk.apply(made, plan)
    except KeyboardInterrupt:
        return desk, None


def test_the_first_interrupt_lets_what_runs_end_and_the_second_leaves_at_once() -> None:
    desk, applied = interrupted(1)
    told = [e.text for e in desk.told if isinstance(e, Note) and "stopping after the current step" in e.text]
    assert applied is not None and desk.stop.is_set() and len(told) == 1 and desk.table.item is None
    assert next(o.result for o in applied.stacks if o.stack == "z") == "not_started"
    desk, applied = interrupted(2)
    told = [e.text for e in desk.told if isinstance(e, Note) and "stopping after the current step" in e.text]
    assert applied is None and len(told) == 1 and desk.table.item is None, "the lock was given back all the same"


def test_a_fault_of_ours_begins_nothing_more_and_is_not_hidden() -> None:
    desk = Desk()
    made = small_assembly(small("a"), small("z", depends_on=("a",)))

    def fault(name: str, _: Any) -> None:
        if name == "execute_change_set":
            raise ZeroDivisionError

    desk.simulation.faults.before_call = fault
    with pytest.raises(ZeroDivisionError):
        desk.apply(made)
    assert desk.stop.is_set() and desk.simulation.executed == [] and desk.table.item is None


@pytest.mark.parametrize("removes", [True, False])
def test_a_stack_that_is_to_go_and_has_changed_stops_everything_if_it_would_go(removes: bool) -> None:
    desk = Desk()
    assert desk.apply(small_assembly(small("a"), small("old"))).result == "succeeded"
    old = desk.simulation.at("eu-west-1").stacks["demo-test-old"]
    made = small_assembly(small("a", "2"))
    plan = desk.plan(made, remove=removes)
    going = PlannedRemoval(
        stack="old", stack_name="demo-test-old", account_id=ACCOUNT, region="eu-west-1", role_arn=None, kind="stack", arn=old["StackId"],
        status="CREATE_COMPLETE", changed_at="another time",
    )  # fmt: skip
    plan = msgspec.structs.replace(plan, removals=(going,))
    desk.simulation.executed.clear()
    if not removes:
        assert desk.apply(made, plan).result == "succeeded"
        return
    with pytest.raises(StalePlan, match="demo-test-old"):
        desk.apply(made, plan)
    assert desk.simulation.executed == []


# --- the result -------------------------------------------------------------------------------------------------------


def ended(*outcomes: tuple[str, str], stop: bool = False, **more: Any) -> Applied:
    """What is told of a, b and c of which these ended so."""
    desk = Desk()
    made = chain()
    run = desk.run(made, msgspec.structs.replace(desk.plan(made), content=more.pop("planned", None), removals=more.pop("goes", ())))
    if stop:
        desk.stop.set()
    by_id = {p.stack: p for p in run.plan.stacks}
    done = {
        stack: Outcome(**by_id[stack].place, kind="stack", operation="create", result=result, command=f"mend {stack}")  # type: ignore[arg-type]
        for stack, result in outcomes
    }
    return _applied(run, 0.0, done, **more)


GOOD = (("a", "succeeded"), ("b", "unchanged"), ("c", "succeeded"))


def test_an_apply_has_succeeded_if_every_stack_stands_and_nothing_else_is_wrong() -> None:
    found = ended(*GOOD)
    assert (found.result, found.command, found.problem, found.content) == ("succeeded", "", "", None)
    assert ended(*GOOD, problem="the lock is gone").result == "failed"
    assert ended(*GOOD, stop=True).result == "succeeded", "asked to stop after the last one"


def test_what_was_not_begun_is_told_with_its_cause_and_what_to_type_is_that_of_the_failure() -> None:
    found = ended(("c", "running"), ("a", "failed"))
    assert found.result == "failed" and found.command == "mend a", "a failure's command comes before that of what goes on"
    assert [(o.stack, o.result, o.message) for o in found.stacks] == [
        ("a", "failed", ""),
        ("b", "not_started", "because of c, a"),
        ("c", "running", ""),
    ]
    assert ended(("a", "refused")).result == "failed" and ended(("a", "running")).command == "mend a"
    assert ended(("a", "failed"), command="unlock").command == "unlock"


def test_an_interrupt_is_no_failure_but_hides_none() -> None:
    assert ended(("a", "running"), stop=True).result == "interrupted"
    assert ended(("a", "running")).result == "failed"
    assert ended(("a", "failed"), stop=True).result == "failed"
    untouched = ended(stop=True)
    assert (untouched.result, untouched.command) == ("interrupted", "python deploy.py apply --env test")
    assert {o.message for o in untouched.stacks} == {""}


def test_content_that_is_not_live_is_no_success() -> None:
    assert ended(*GOOD, planned=CONTENT, content=LIVE).result == "succeeded"
    assert ended(*GOOD, planned=CONTENT).result == "failed"
    cut = ContentOutcome(result="interrupted", command="go on")
    found = ended(*GOOD, planned=CONTENT, content=cut)
    assert (found.result, found.command) == ("interrupted", "go on")
    refused = ContentOutcome(result="refused", command="plan")
    assert (ended(*GOOD, planned=CONTENT, content=refused).result, ended(*GOOD, planned=CONTENT, content=refused).command) == (
        "failed",
        "plan",
    )


def gone(result: Any) -> StackRemoved:
    return StackRemoved(stack="x", stack_name="x", account_id="1", region="r", kind="stack", result=result, command="remove")


@pytest.mark.parametrize(
    ("result", "stop", "ends"),
    [
        ("removed", False, "succeeded"),
        ("waits", False, "succeeded"),
        ("kept", False, "succeeded"),
        ("failed", False, "failed"),
        ("failed", True, "failed"),
        ("running", True, "interrupted"),
        ("not_started", True, "interrupted"),
    ],
)
def test_a_stack_that_should_have_gone_and_did_not_is_no_success(result: str, stop: bool, ends: str) -> None:
    found = ended(*GOOD, stop=stop, removals=(gone(result),))
    assert found.result == ends and found.command == ("" if ends == "succeeded" else "remove")
    assert [each.result for each in found.removals] == [result]


def test_stacks_that_nobody_let_go_are_told_as_kept() -> None:
    planned = PlannedRemoval(
        stack="old", stack_name="demo-old", account_id="1", region="r", role_arn=None, kind="stack", arn="arn", status="s", changed_at="t"
    )
    assert [each.result for each in ended(*GOOD, goes=(planned,)).removals] == ["kept"]


# --- content ----------------------------------------------------------------------------------------------------------


def test_content_is_published_under_the_lock_or_not_at_all() -> None:
    import dataclasses

    desk = Desk()
    made = chain()
    run = desk.run(made, msgspec.structs.replace(desk.plan(made), content=CONTENT))
    done = {o.stack: o for o in ended(*GOOD).stacks}
    asked: list[str] = []

    def publish(_: Any) -> ContentOutcome:
        asked.append("publish")
        return LIVE

    assert _publish(dataclasses.replace(run, check=lambda: asked.append("lock")), publish, done) == LIVE and asked == ["lock", "publish"]

    def lost() -> None:
        raise LockLost("taken over")

    found = _publish(dataclasses.replace(run, check=lost), publish, done)
    assert found is not None and (found.result, found.message) == ("failed", "taken over") and len(asked) == 2
    assert found.command == "python deploy.py apply --env test"
    one_failed = done | {"a": msgspec.structs.replace(done["a"], result="failed")}
    for less in ({}, {"a": done["a"]}, one_failed):
        assert _publish(run, publish, less) is None
    desk.stop.set()
    assert _publish(run, publish, done) is None and len(asked) == 2
    assert _publish(desk.run(made, desk.plan(made)), publish, done) is None, "a plan about the stacks alone"


def test_an_error_of_the_first_lock_after_its_table_stands_is_told_with_its_hint() -> None:
    desk = Desk()
    desk.table.there = False
    made = small_assembly(table_maker(), small("c", depends_on=("base",)))
    asked = [0]

    def take() -> Any:
        asked[0] += 1
        if asked[0] == 2:
            raise AwsError("not now", hint="wait")
        return desk.take()

    applied = apply(desk.run(made, desk.plan(made)), take)
    assert (applied.result, applied.problem, applied.command) == ("failed", "not now", "wait")
    assert results(applied) == {"base": "succeeded", "c": "not_started"}


# --- the record -------------------------------------------------------------------------------------------------------


def test_a_record_tells_when_it_began_to_the_thousandth_of_a_second() -> None:
    desk = Desk()
    made = small_assembly(small("a"))
    plan = desk.plan(made)
    applied = msgspec.structs.replace(desk.apply(made, plan), started=1_763_805_600.9995)
    record = record_of(desk.run(made, plan), applied, by="me", host="here", git_commit="c")
    assert (record.started_at, record.rollback) == ("2025-11-22T10:00:00.999Z", False)


def test_a_record_has_what_went_and_the_first_words_of_a_failure() -> None:
    desk = Desk()
    made = chain()
    run = desk.run(made, desk.plan(made))
    removals = tuple(msgspec.structs.replace(gone(r), stack=r, seconds=2.5) for r in ("removed", "kept", "failed", "not_started"))
    applied = ended(("a", "running"), ("c", "failed"), removals=removals)
    failed = tuple(msgspec.structs.replace(o, message=f"words of {o.stack}") for o in applied.stacks)
    record = record_of(run, msgspec.structs.replace(applied, stacks=failed), by=ME.arn, host="h", git_commit="abc", rollback=True)
    assert record.message == "words of c" and record.rollback and (record.by, record.host, record.git_commit) == (ME.arn, "h", "abc")
    assert [(s.stack, s.operation, s.seconds) for s in record.stacks if s.operation == "remove"] == [
        ("removed", "remove", 2.5),
        ("failed", "remove", 2.5),
    ]
    assert record.content is None and not record_of(run, applied, by="", host="", git_commit="").rollback
    refused = ended(*GOOD, planned=CONTENT, content=ContentOutcome(result="refused", message="not the same"))
    assert record_of(run, refused, by="", host="", git_commit="").message == "not the same"
