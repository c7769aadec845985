"""Steps of an apply, each by itself: records that make room, stacks that go, where a change is, what an environment is known by."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from assembly.model import RoleName
from aws.cloudformation.stacks import StackDescription
from aws.errors import AccessDenied, AwsError
from changes.model import ResourceChange
from planning.model import ExistingRecord, Options, StackState
from planning.removals import Removal, RetainedResource
from planning.request import Request
from removal.record_switch import Moved, RecordSwitch, unique
from rollout.earlier_plans import drop_overtaken
from rollout.identity import changed_identity, moved_finding, roles_of
from rollout.lock import LockLost
from rollout.planned_change import MOST_TRIES, moved, planned_change, protected, try_of
from rollout.progress import Note, Started
from rollout.removal_step import moved as removals_moved
from rollout.removal_step import remove_stacks, untouched
from tests.simulated import ACCOUNT, Small, small_assembly, stackset
from tests.unit.rollout.test_apply import Desk, chain, results

MADE, _ = small_assembly(Small(id="a", template={"Resources": {}}))

# --- records that make room -----------------------------------------------------------------------------------------


def record(name: str = "www.example.org.", value: str = "old.example.net", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": value}], **more}


class Zones:
    """Route 53: the records that stand, and what was changed."""

    def __init__(self, *records: dict[str, Any], error: AwsError | None = None) -> None:
        self.records, self.error = list(records), error
        self.changes: list[tuple[str, str, list[str]]] = []

    def record_sets(self, zone_id: str, name: str) -> tuple[dict[str, Any], ...]:
        return tuple(each for each in self.records if each["Name"] == name)

    def change(self, zone_id: str, changes: Any, *, comment: str = "") -> str:
        if self.error is not None:
            raise self.error
        (action,) = {action for action, _ in changes}
        self.changes.append((zone_id, action, [f"{r['Name']} {r['Type']}" for _, r in changes]))
        return "C1"


def switch(zones: Zones, *replaces: tuple[str, dict[str, Any]]) -> RecordSwitch:
    listed = tuple(ExistingRecord(logical_id="R", zone_id=zone, record=each) for zone, each in replaces)
    plan: Any = SimpleNamespace(stack_name="demo-a", replaces=listed)
    return RecordSwitch(plan, zones)


def test_what_was_approved_is_deleted_in_one_change_a_zone_and_once() -> None:
    zones = Zones(record(), record("b.example.org."), record("c.example.org."))
    told = list(
        switch(zones, ("Z1", record()), ("Z1", record()), ("Z1", record("b.example.org.")), ("Z2", record("c.example.org."))).away()
    )
    assert zones.changes == [
        ("Z1", "DELETE", ["www.example.org. CNAME", "b.example.org. CNAME"]),
        ("Z2", "DELETE", ["c.example.org. CNAME"]),
    ]
    assert len(told) == 3 and told[0].startswith("deleted the record www.example.org CNAME (") and "written back" in told[0]


def test_what_is_gone_is_not_deleted_again_and_what_is_another_not_at_all() -> None:
    gone = Zones()
    assert list(switch(gone, ("Z1", record())).away()) == [] and gone.changes == []
    other = Zones(record(value="somebody.else"))
    with pytest.raises(Moved, match=r"the record www.example.org CNAME .* is not the one any more that the plan replaces"):
        list(switch(other, ("Z1", record())).away())
    assert other.changes == []
    beside = Zones(record(), record(Type="TXT"))
    assert len(list(switch(beside, ("Z1", record())).away())) == 1, "other types stand beside it"
    with pytest.raises(Moved):
        list(switch(Zones(record(SetIdentifier="blue")), ("Z1", record())).away())


def test_it_is_written_back_where_nothing_stands_and_a_no_is_told() -> None:
    zones = Zones(record("b.example.org.", "new"), record(Type="TXT"))
    told = list(switch(zones, ("Z1", record("b.example.org.")), ("Z1", record())).back())
    assert zones.changes == [("Z1", "CREATE", ["www.example.org. CNAME"])]
    assert [text.startswith("wrote the record www.example.org CNAME") for text in told] == [True]
    told = list(switch(Zones(error=AccessDenied("not you")), ("Z1", record()), ("Z1", record("b.example.org."))).back())
    assert len(told) == 2 and all("could not be written back: not you" in text for text in told)


def test_a_record_in_the_way_of_several_is_one() -> None:
    twice = [ExistingRecord(logical_id=i, zone_id="Z", record=record()) for i in ("A", "AAAA")]
    assert unique([*twice, ExistingRecord(logical_id="B", zone_id="Z", record=record("b."))]) == [record(), record("b.")]


# --- stacks that go -------------------------------------------------------------------------------------------------


def removal(stack: str = "edge", **more: Any) -> Removal:
    usual: dict[str, Any] = {"stack_name": f"demo-{stack}", "account_id": ACCOUNT, "region": "us-east-1", "role_arn": None}
    usual |= {"kind": "stack", "arn": f"arn:{stack}", "status": "DELETE_COMPLETE", "changed_at": "t"}
    return Removal(stack=stack, **(usual | more))


def left(physical_id: str, fate: Any = "clean_up") -> RetainedResource:
    return RetainedResource(
        resource_type="AWS::Logs::LogGroup", physical_id=physical_id, stack="edge", account_id=ACCOUNT, region="r", role_arn=None, fate=fate
    )


class Removing:
    """A run of apply and everything it asks. `refuses`: physical id to the error of its removal."""

    def __init__(self, *removals: Removal, live: Any = None, refuses: dict[str, Exception] | None = None, check: Any = None) -> None:
        options = SimpleNamespace(remove=True)
        self.plan = SimpleNamespace(removals=removals, digest="d", environment="test", options=options)
        self.live, self.refuses = live, refuses or {}
        self.removed: list[str] = []
        self.stop = threading.Event()
        self.removes = True
        self.said: list[str] = []
        self.check: Any = check or (lambda: None)
        self.gateways: Any = self

    def now(self) -> float:
        return 0.0

    def pause(self, polls: int) -> None: ...

    def report(self, event: Any) -> None:
        self.said.append(event.text)

    def cloudformation(self, *_: Any) -> Any:
        return self

    retained = cloudformation

    def describe_stack(self, arn: str) -> Any:
        if isinstance(self.live, Exception):
            raise self.live
        return self.live

    def remove(self, resource_type: str, physical_id: str) -> None:
        if physical_id in self.refuses:
            raise self.refuses[physical_id]
        self.removed.append(physical_id)

    def exists(self, *_: Any) -> bool:
        return True


def gone(run: Removing) -> list[tuple[str, str, str]]:
    anything: Any = run
    return [(each.result, each.message, each.command) for each in remove_stacks(anything)]


APPLY, REMOVE = "python deploy.py apply --env test", "python deploy.py plan --env test --remove"


def test_what_is_gone_already_is_removed_and_names_what_it_keeps() -> None:
    run: Any = Removing(removal(leftovers=(left("bucket", "keep"), left("other", "delete"))))
    (found,) = remove_stacks(run)
    assert (found.result, found.kept, found.command, found.seconds) == ("removed", ("bucket",), "", 0.0)
    assert run.removed == []


def test_asked_to_stop_nothing_further_is_removed() -> None:
    run = Removing(removal(), removal("logs"))
    run.stop.set()
    assert gone(run) == [("not_started", "stopped before it", APPLY), ("not_started", "because of edge", "")]


def test_the_last_one_decides_whether_the_next_one_goes() -> None:
    run = Removing(removal(), removal("logs", status="CREATE_COMPLETE"), removal("roles"), live=AccessDenied("not you"))
    assert [result for result, *_ in gone(run)] == ["removed", "failed", "not_started"]


def test_a_removal_that_fails_keeps_those_after_it() -> None:
    run = Removing(removal(status="CREATE_COMPLETE"), removal("logs"), live=AccessDenied("not you"))
    assert gone(run) == [("failed", "not you", REMOVE), ("not_started", "because of edge", "")]
    hinted = Removing(removal(status="CREATE_COMPLETE"), live=AccessDenied("not you", hint="ask somebody"))
    assert gone(hinted) == [("failed", "not you", "ask somebody")]


def test_what_could_not_be_deleted_says_its_own_command_or_how_to_ask_again() -> None:
    from removal.execution import RemovalFailed

    for command, told in (("doctor", "doctor"), ("", REMOVE)):
        run = Removing(removal(status="CREATE_COMPLETE"), removal("logs"), live=RemovalFailed("it is in use", command))
        assert gone(run) == [("failed", "it is in use", told), ("not_started", "because of edge", "")]


def test_a_lost_lock_removes_nothing_and_an_interrupt_leaves_it_to_the_next_apply() -> None:
    def lost() -> None:
        raise LockLost("the lock is lost")

    def interrupted() -> None:
        raise KeyboardInterrupt

    assert gone(Removing(removal(), check=lost))[0][:2] == ("failed", "the lock is lost")
    run = Removing(removal(), check=interrupted)
    assert gone(run) == [("running", "stopped before it was gone", APPLY)] and run.stop.is_set()


def test_what_is_told_where_it_did_not_come_to_that() -> None:
    run: Any = Removing(removal(leftovers=(left("bucket", "keep"),)))
    assert [(each.result, each.kept) for each in untouched(run)] == [("not_started", ("bucket",))]
    run.removes = False
    assert [each.result for each in untouched(run)] == ["kept"]


@pytest.mark.parametrize(
    ("live", "each", "told"),
    [
        (StackDescription(name="e", status="CREATE_COMPLETE", changed_at="t"), {}, False),
        (StackDescription(name="e", status="UPDATE_COMPLETE", changed_at="t"), {}, True),
        (StackDescription(name="e", status="CREATE_COMPLETE", changed_at="later"), {}, True),
        (StackDescription(name="e", status="DELETE_IN_PROGRESS", changed_at="later"), {}, False),
        (None, {}, False),
        (StackDescription(name="e", status="UPDATE_COMPLETE", changed_at="later"), {"kind": "stackset"}, False),
        (StackDescription(name="e", status="UPDATE_COMPLETE", changed_at="later"), {"arn": ""}, False),
    ],
)
def test_a_stack_to_remove_that_is_not_as_it_was_shown(live: Any, each: dict[str, Any], told: bool) -> None:
    run: Any = Removing(removal(**{"status": "CREATE_COMPLETE", **each}), live=live)
    found = removals_moved(run)
    assert bool(found) is told
    assert all(text.startswith(f"demo-edge (us-east-1, account {ACCOUNT}), which is no more wanted, was CREATE_COMPLETE") for text in found)


# --- where a change is ----------------------------------------------------------------------------------------------


def described(status: str = "CREATE_COMPLETE", arn: str = "arn:1", at: str = "t") -> StackDescription:
    return StackDescription(name="demo-a", status=status, arn=arn, changed_at=at)


THERE = StackState(exists=True, stack_arn="arn:1", status="CREATE_COMPLETE", changed_at="t")
ABSENT = StackState(exists=False)


@pytest.mark.parametrize(
    ("state", "live", "words"),
    [
        (ABSENT, None, ""),
        (ABSENT, described("REVIEW_IN_PROGRESS"), ""),
        (ABSENT, described("DELETE_COMPLETE"), ""),
        (ABSENT, described(), "did not exist when it was planned, and is CREATE_COMPLETE now"),
        (THERE, described(), ""),
        (THERE, None, "has been deleted since it was planned"),
        (THERE, described("DELETE_COMPLETE"), "has been deleted since it was planned"),
        (THERE, described(arn="arn:2"), "has been deleted and made again since it was planned"),
        (THERE, described("UPDATE_COMPLETE"), "was CREATE_COMPLETE of t when it was planned, and is UPDATE_COMPLETE of t now"),
        (THERE, described(at="u"), "was CREATE_COMPLETE of t when it was planned, and is CREATE_COMPLETE of u now"),
    ],
)
def test_in_what_a_stack_has_moved(state: StackState, live: StackDescription | None, words: str) -> None:
    assert moved(state, live) == words


class Asked:
    """CloudFormation of one stack: what stands, the change sets by name, the events."""

    def __init__(self, live: StackDescription | None, states: dict[str, Any] | None = None, tokens: tuple[str, ...] = ()) -> None:
        self.live, self.states, self.tokens = live, states or {}, tokens

    def describe_stack(self, name: str) -> StackDescription | None:
        return self.live

    def change_set_state(self, name: str, stack: str) -> Any:
        return self.states.get(name)

    def events(self, arn: str, token: str = "") -> Any:
        return [SimpleNamespace(token=each) for each in self.tokens]

    def get_stack_policy(self, stack: str) -> str | None:
        return None


def where(asked: Asked, state: StackState = THERE, *, made: bool = True, operation: str = "update") -> tuple[str, str, int]:
    request = Request(assembly=MADE, templates={}, options=Options(), created_at="t", created_by="s", nonce="0f")
    run: Any = SimpleNamespace(request=lambda: request)
    change_set = SimpleNamespace(arn="cs", stack_arn="arn:1", client_token="tok", name="plan-1") if made else None
    plan: Any = SimpleNamespace(stack="a", stack_name="demo-a", operation=operation, state=state, change_set=change_set, resources=())
    gateway: Any = asked
    found = planned_change(run, plan, gateway)
    assert found.live is (None if found.at == "moved" and asked.live is None else asked.live)
    return found.at, found.words, found.tries


def summary(status: str = "CREATE_COMPLETE", execution: str = "AVAILABLE", name: str = "plan-1") -> Any:
    return SimpleNamespace(status=status, execution_status=execution, name=name, arn="cs", created_at="t")


def test_a_stack_with_nothing_to_do_is_done_unless_it_moved() -> None:
    for operation in ("none", "settings"):
        assert where(Asked(described()), operation=operation) == ("done", "", 0)
        assert where(Asked(None), operation=operation)[0] == "moved"


def test_a_change_set_that_waits_is_ready_and_one_that_cannot_be_executed_has_moved() -> None:
    assert where(Asked(described(), {"cs": summary()})) == ("ready", "", 0)
    assert where(Asked(described(), {"cs": summary("FAILED", "UNAVAILABLE")})) == (
        "moved",
        "its change set plan-1 is FAILED, UNAVAILABLE",
        0,
    )
    assert where(Asked(described(), {"cs": summary("FAILED")}))[0] == "moved"
    assert where(Asked(described(), {"cs": summary(execution="OBSOLETE")}))[0] == "moved"
    assert where(Asked(described())) == ("moved", "its change set plan-1 is gone", 0)
    assert where(Asked(described(at="u"), {"cs": summary()}))[0] == "moved"
    assert where(Asked(described()), made=False) == ("unmade", "", 0)


@pytest.mark.parametrize("execution", ["EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE", "EXECUTE_FAILED"])
def test_an_executed_change_set_runs_or_is_done(execution: str) -> None:
    running = "running" if execution == "EXECUTE_IN_PROGRESS" else "done"
    states = {"cs": summary(execution=execution)}
    assert where(Asked(described("UPDATE_COMPLETE", at="u"), states)) == (running, "", 0)
    assert where(Asked(described("UPDATE_IN_PROGRESS", at="u"), states)) == ("running", "", 0)
    assert where(Asked(described("REVIEW_IN_PROGRESS"), states), ABSENT) == ("running", "", 0)


def test_where_the_change_set_is_gone_the_token_tells() -> None:
    assert where(Asked(described("UPDATE_COMPLETE", at="u"), tokens=("other", "tok"))) == ("done", "", 0)
    assert where(Asked(described("UPDATE_IN_PROGRESS", at="u"), tokens=("tok",))) == ("running", "", 0)
    assert where(Asked(described("UPDATE_COMPLETE", at="u"), tokens=("other",)))[0] == "moved"


@pytest.mark.parametrize("operation", ["update", "import"])
def test_a_policy_that_forbids_the_update_stops_the_import_before_it(operation: Any) -> None:
    class Guarded(Asked):
        def get_stack_policy(self, stack: str) -> str | None:
            return '{"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}'

    changes = tuple(ResourceChange(logical_id=name, resource_type="T", action=name) for name in ("import", "add", "modify"))
    plan: Any = SimpleNamespace(stack_name="demo-a", operation=operation, state=THERE, resources=changes)
    gateway: Any = Guarded(described())
    assert protected(plan, gateway).startswith("has a stack policy that forbids to change modify in this way")
    plan.resources = changes[:2]
    assert protected(plan, gateway) == "", "what is taken over or made is no change"
    plan.resources, plan.state = changes, ABSENT
    assert protected(plan, gateway) == "", "a stack that is not there has none"


def test_a_change_set_that_is_still_said_to_wait_after_its_stack_has_moved_may_be_executed() -> None:
    states = {"cs": summary()}
    assert where(Asked(described("UPDATE_COMPLETE", at="u"), states, tokens=("tok",))) == ("done", "", 0)
    assert where(Asked(described("UPDATE_COMPLETE", at="u"), states, tokens=("other",)))[0] == "moved"
    assert where(Asked(described(), states, tokens=("tok",)))[0] == "ready", "an event is asked for only where something is odd"


@pytest.mark.parametrize("execution", ["EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE"])
def test_a_later_try_of_a_stack_that_is_known_by_its_name_only_is_found_where_it_stands(execution: str) -> None:
    """A creation whose change set apply makes itself: the stack of that name is the one of the try."""
    tries = {f"plan-test-{MADE.digest[:8]}-0f-2": summary(execution=execution)}
    for status, at in (("CREATE_IN_PROGRESS", "running"), ("CREATE_COMPLETE", "done")):
        assert where(Asked(described(status), tries), ABSENT, made=False, operation="create") == (at, "", 2)
    assert where(Asked(described()), ABSENT, made=False, operation="create")[0] == "moved", "somebody else's"


def test_a_stack_that_is_told_as_deleted_is_gone() -> None:
    tries = {f"plan-test-{MADE.digest[:8]}-0f-1": summary(execution="EXECUTE_COMPLETE")}

    class Deleted(Asked):
        def describe_stack(self, stack: str) -> StackDescription | None:
            return described("DELETE_COMPLETE") if stack == "arn:1" else self.live

    assert where(Deleted(described("CREATE_COMPLETE"), tries), ABSENT, operation="create") == ("done", "", 1)


def test_a_later_try_is_found_where_the_first_stack_is_gone() -> None:
    def name(number: int) -> str:
        return f"plan-test-{MADE.digest[:8]}-0f-{number}"

    class Again(Asked):
        def describe_stack(self, stack: str) -> StackDescription | None:
            return self.live if stack == "demo-a" else None

    executed = summary(execution="EXECUTE_COMPLETE")
    request = Request(assembly=MADE, templates={}, options=Options(), created_at="t", created_by="s", nonce="0f")
    run: Any = SimpleNamespace(request=lambda: request)
    plan: Any = SimpleNamespace(
        stack="a",
        stack_name="demo-a",
        operation="create",
        resources=(),
        state=ABSENT,
        change_set=SimpleNamespace(arn="cs", stack_arn="arn:1", client_token="tok", name="plan-1"),
    )

    def found(asked: Any, state: StackState = ABSENT) -> tuple[str, int]:
        plan.state = state
        at = planned_change(run, plan, asked)
        return at.at, at.tries

    both = {name(1): executed, name(2): executed}
    assert found(Again(described(), both)) == ("done", 2)
    assert found(Again(described("CREATE_IN_PROGRESS"), {name(1): executed})) == ("running", 1)
    assert found(Again(described(), {name(MOST_TRIES): executed})) == ("done", 5)
    assert found(Again(described(), {name(1): summary()}))[1] == 0, "made and never executed"
    assert found(Again(None, both))[1] == 0 and found(Again(described(), both), THERE)[1] == 0
    gateway: Any = Again(None, {name(3): executed})
    assert try_of(run, plan, 3, gateway) is executed and try_of(run, plan, 2, gateway) is None


# --- what an environment is known by ----------------------------------------------------------------------------------


def test_the_roles_that_an_environment_does_not_make_itself() -> None:
    made, _ = small_assembly(
        Small(id="a", template={}, more={"service_role": RoleName(name="service")}),
        Small(id="b", template={}, more={"stackset": stackset("eu-west-1")}),
        Small(id="c", template={}, more={"stackset": msgspec.structs.replace(stackset("eu-west-1"), administration_role_name=None)}),
    )
    assert roles_of(made) == {"demo-artifacts", "deploy", "service", "admin", "execution"}


def test_a_move_names_the_edit_the_place_it_has_and_the_place_it_would_get() -> None:
    before, _ = small_assembly(Small(id="x", template={}), Small(id="a", template={}))
    after, _ = small_assembly(Small(id="x", template={}, region="us-east-2"), Small(id="a", template={}, region="us-west-2"))
    after = msgspec.structs.replace(after, home_region="us-west-2")
    found = moved_finding(after, [before], [(before.stacks[1], ("one", "two"))])
    assert found.message.startswith("home_region eu-west-1 -> us-west-2 would move the environment. A stack cannot be moved: take the edit")
    assert found.message.endswith(
        "What stands in the way: a stands as demo-test-a in eu-west-1, account 123456789012,"
        " and would be made a second time as demo-test-a in us-west-2, account 123456789012, where it cannot have one, two as well"
    )
    assert (found.severity, found.code, found.command) == ("error", "stack_moved", "python deploy.py status --env test")
    older = msgspec.structs.replace(before, home_region="us-east-1")
    assert moved_finding(after, [before, older], [(before.stacks[1], ("n",))]).message.startswith("home_region eu-west-1 -> us-west-2")
    assert moved_finding(after, [], [(before.stacks[1], ("n",))]).message.startswith("A stack cannot be moved")


def test_a_new_address_and_a_new_home_of_the_history() -> None:
    before, _ = small_assembly(Small(id="a", template={}))
    assert before.contract is not None
    elsewhere = msgspec.structs.replace(before, contract=msgspec.structs.replace(before.contract, domain="new.example.org"))
    assert list(changed_identity(before, [before], "demo-artifacts")) == [] == list(changed_identity(elsewhere, [], ""))
    assert list(changed_identity(msgspec.structs.replace(before, contract=None), [elsewhere], "")) == []
    assert list(changed_identity(elsewhere, [msgspec.structs.replace(before, contract=None)], "")) == []
    (address,) = changed_identity(elsewhere, [before, elsewhere], "")
    assert address.code == "address_changes" and "from example.org to new.example.org" in address.message
    (bucket,) = changed_identity(before, [before], "old-bucket")
    assert bucket.code == "history_moves" and "aws s3 sync s3://old-bucket s3://demo-artifacts" in bucket.message


# --- change sets that were overtaken ------------------------------------------------------------------------------------


def test_overtaken_change_sets_of_unchanged_stacks_go_and_a_no_is_told() -> None:
    desk = Desk()
    made = chain()
    plan = desk.plan(made)
    assert desk.apply(made, plan).result == "succeeded"
    place = desk.simulation.at("eu-west-1")
    older = desk.plan(chain("2"))
    for each in place.change_sets.values():
        each["CreationTime"] = each["CreationTime"].replace(year=2020)
    unchanged = desk.plan(made)
    assert {s.operation for s in unchanged.stacks} == {"none"} and older.change_sets
    drop_overtaken(desk.run(made, unchanged))
    notes = [e.text for e in desk.told if isinstance(e, Note) and "of an earlier plan" in e.text]
    assert len(notes) == len(older.change_sets)
    desk.simulation.faults.errors["list_change_sets", "demo-test-a"] = AccessDenied("not you")
    drop_overtaken(desk.run(made, unchanged))
    assert any("could not be deleted: not you" in e.text for e in desk.told if isinstance(e, Note))


def test_a_lock_that_is_lost_while_overtaken_change_sets_go_is_told_and_nothing_more_is_deleted() -> None:
    import dataclasses

    desk = Desk()
    made = chain()
    assert desk.apply(made).result == "succeeded"
    older = desk.plan(chain("2"))
    for each in desk.simulation.at("eu-west-1").change_sets.values():
        each["CreationTime"] = each["CreationTime"].replace(year=2020)
    desk.told.clear()

    def lost() -> None:
        raise LockLost("taken over by somebody")

    run = desk.run(made, desk.plan(made))
    drop_overtaken(dataclasses.replace(run, check=lost))
    notes = [e.text for e in desk.told if isinstance(e, Note)]
    assert notes and all("could not be deleted: taken over by somebody" in text for text in notes)
    there = {c["ChangeSetId"] for c in desk.simulation.at("eu-west-1").change_sets.values()}
    assert {each.arn for each in older.change_sets} <= there


def test_nothing_is_overtaken_by_a_plan_that_changes_the_stack_itself() -> None:
    desk = Desk()
    made = chain()
    assert desk.apply(made).result == "succeeded"
    desk.plan(chain("2"))
    place = desk.simulation.at("eu-west-1")
    for each in place.change_sets.values():
        each["CreationTime"] = each["CreationTime"].replace(year=2020)
    before, desk.told[:] = len(place.change_sets), []
    drop_overtaken(desk.run(chain("3"), desk.plan(chain("3"))))
    left = {c["StackName"] for c in place.change_sets.values()}
    assert before and {"demo-test-a", "demo-test-c"} <= left and not any("demo-test-a" in e.text for e in desk.told if isinstance(e, Note))


# --- executing ------------------------------------------------------------------------------------------------------


def test_settings_alone_are_started_and_told() -> None:
    desk = Desk()
    assert desk.apply(chain()).result == "succeeded"
    desk.told.clear()
    protected = chain(termination_protection=True)
    assert results(desk.apply(protected)) == {"a": "succeeded", "b": "unchanged", "c": "unchanged"}
    started = {e.stack: e.resources for e in desk.told if isinstance(e, Started)}
    assert started["a"] == 0
    assert desk.simulation.at("eu-west-1").stacks["demo-test-a"]["EnableTerminationProtection"] is True


def test_an_import_and_the_update_after_it_are_one_execution() -> None:
    from rollout.import_execution import ImportExecution

    both = object.__new__(ImportExecution)
    both.begun, both.started, both.total = False, 0.0, 0

    def part(begun: bool, started: float, total: int) -> Any:
        return SimpleNamespace(execute=lambda: total, begun=begun, started=started, total=total)

    assert both.carried_out(part(False, 5.0, 3)) == 3 and (both.begun, both.started, both.total) == (False, 5.0, 3)  # type: ignore[comparison-overlap]
    both.carried_out(part(True, 9.0, 7))
    assert (both.begun, both.started, both.total) == (True, 5.0, 3)
    both.carried_out(part(False, 0.0, 0))
    assert both.begun


@pytest.mark.parametrize(
    ("approved", "asked", "goes"), [(True, False, True), (False, True, True), (True, True, True), (False, False, False)]
)
def test_stacks_go_if_that_was_approved_or_planned(approved: bool, asked: bool, goes: bool) -> None:
    import dataclasses

    desk = Desk()
    made = chain()
    plan = desk.plan(made)
    asking = msgspec.structs.replace(plan, options=msgspec.structs.replace(plan.options, remove=asked))
    assert dataclasses.replace(desk.run(made, asking), remove=approved).removes is goes


def test_how_a_removal_goes_is_told_with_what_it_is_about() -> None:
    run = Removing(removal(status="CREATE_COMPLETE"), live=StackDescription(name="e", status="DELETE_COMPLETE"))
    assert gone(run) == [("removed", "", "")] and run.said == ["is gone already"]


def test_certificates_are_validated_while_their_stack_is_made_and_a_no_is_told() -> None:
    import dataclasses

    from assembly.model import HostedZoneRef
    from rollout.apply import apply

    desk = Desk()
    desk.simulation.scripts["demo-test-a"] = ["CREATE_IN_PROGRESS"] * 3 + ["CREATE_COMPLETE"]
    made = chain(certificate_validation=HostedZoneRef(name="example.org"))
    asked: list[str] = []

    def validate(stack: Any, arn: str) -> tuple[str, ...]:
        asked.append(stack.id)
        if len(asked) > 1:
            raise AccessDenied("not you")
        return ("wrote a record",)

    run = dataclasses.replace(desk.run(made, desk.plan(made)), validate_certificates=validate)
    assert apply(run, desk.take).result == "succeeded"
    assert set(asked) == {"a"} and len(asked) > 1, "of that stack alone"
    notes = [e.text for e in desk.told if isinstance(e, Note)]
    assert "wrote a record" in notes and "the certificate's validation record could not be written: not you" in notes
