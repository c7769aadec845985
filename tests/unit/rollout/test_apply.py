"""Applying against a CloudFormation in memory whose every answer is scripted: what the local AWS cannot be made to do."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from assembly.model import Assembly
from aws.errors import AccessDenied, AwsError, BadRequest, CredentialsExpired, NetworkError
from planning.inputs import Gateways
from planning.model import Options, Plan, StackPlan
from planning.plan import make_plan
from planning.request import Request
from rollout.apply import Applied, LockTableMissing, StalePlan, apply, record_of, refusals
from rollout.execution import MAX_FAILED_POLLS, Run
from rollout.lock import Lock, LockHeld, LockLost, acquire
from rollout.progress import Event, Note, Resource, Started
from takeover.model import Taken
from templates.makers import makers_of_table
from templates.schemas import Schemas
from tests.simulated import ACCOUNT, NOW, Simulated, SimulatedGateways, Small, literal, output, small_assembly
from tests.unit.rollout.test_lock import ME, Clock, Table

LATE = "The role defined for the function cannot be assumed by Lambda."

NO_SCHEMAS = Schemas(directory=None)
IN_FLIGHT = {"CREATE": "CREATE_IN_PROGRESS", "UPDATE": "UPDATE_IN_PROGRESS", "IMPORT": "IMPORT_IN_PROGRESS"}


class Scripted(Simulated):
    """Executions that take as many polls as the script of the stack says, with events."""

    def __init__(self, region: str, simulation: Simulation) -> None:
        super().__init__(region, simulation.faults)
        self._simulation = simulation

    def execute_change_set(self, ChangeSetName: str, StackName: str, **given: Any) -> Any:
        found = self._change_set(ChangeSetName)
        name = found["StackName"]
        if found["ExecutionStatus"] != "AVAILABLE":
            raise BadRequest(f"ChangeSet [{ChangeSetName}] is in {found['ExecutionStatus']} status", code="InvalidChangeSetStatus")
        stack = self.stacks[name]
        imports = found["_kind"] == "IMPORT"
        begun = IN_FLIGHT["IMPORT" if imports else "CREATE" if stack["StackStatus"] == "REVIEW_IN_PROGRESS" else "UPDATE"]
        earlier = stack.get("_events", [])
        self._simulation.executed.append(name)
        token = given["ClientRequestToken"]
        stack["_ids"] = {**stack.get("_ids", {}), **found["_ids"]}
        self.deploy(name, found["_template"], found["_values"], status="IMPORT_COMPLETE" if imports else "")
        stack["LastUpdatedTime"] = NOW.replace(minute=len(self._simulation.executed))
        stack["_script"] = [*self._simulation.scripts.get(name, [begun, stack["StackStatus"]])]
        stack["_token"] = token
        stack["_change_set"] = found
        stack["_events"] = [*self._simulation.earlier.get(name, earlier)]
        self._event(stack, name, begun)
        for logical_id, status, reason in self._simulation.events.get(name, []):
            self._event(stack, logical_id, status, reason, kind="AWS::SSM::Parameter")
        others = {arn: c for arn, c in self.change_sets.items() if c["StackId"] != stack["StackId"]}
        self.change_sets = others | ({} if self._simulation.forgets else {ChangeSetName: found})
        found["ExecutionStatus"] = "EXECUTE_IN_PROGRESS"
        for error in self._simulation.after_execute.pop(name, []):
            raise error
        return {}

    def _event(
        self, stack: dict[str, Any], logical_id: str, status: str, reason: str = "", kind: str = "AWS::CloudFormation::Stack"
    ) -> None:
        stack["_events"].insert(
            0,
            {
                "EventId": f"{stack['StackName']}-{len(stack['_events'])}",
                "StackId": stack["StackId"],
                "LogicalResourceId": logical_id,
                "PhysicalResourceId": stack["StackId"] if logical_id == stack["StackName"] else f"{logical_id}-physical",
                "ResourceType": kind,
                "ResourceStatus": status,
                "ResourceStatusReason": reason,
                "Timestamp": NOW,
                **({"ClientRequestToken": stack["_token"]} if self._simulation.tokens else {}),
            },
        )

    def describe_stack_events(self, StackName: str, NextToken: str = "") -> Any:
        if any(each["StackId"] == StackName for each in self.deleted):
            return super().describe_stack_events(StackName, NextToken)
        name = self._stack(StackName)["StackName"]
        if self._simulation.late.get(name, 0) > 0:
            self._simulation.late[name] -= 1
            return {"StackEvents": self._simulation.earlier[name]}
        return super().describe_stack_events(StackName, NextToken)

    def describe_stacks(self, StackName: str) -> Any:
        stack = self._stack(StackName)
        script = stack.get("_script", [])
        status = stack["StackStatus"]
        if script:
            status = script.pop(0)
            if not script:
                stack["StackStatus"] = status
                good = status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
                stack["_change_set"]["ExecutionStatus"] = "EXECUTE_COMPLETE" if good else "EXECUTE_FAILED"
                self._event(stack, stack["StackName"], status)
        return {"Stacks": [{k: v for k, v in stack.items() if not k.startswith("_")} | {"StackStatus": status}]}

    def set_stack_policy(self, StackName: str, StackPolicyBody: str) -> Any:
        self._stack(StackName)["_policy"] = StackPolicyBody

    def update_termination_protection(self, StackName: str, EnableTerminationProtection: bool) -> Any:
        self._stack(StackName)["EnableTerminationProtection"] = EnableTerminationProtection


@dataclass
class Simulation(SimulatedGateways):
    """Scripted places."""

    scripts: dict[str, list[str]] = field(default_factory=dict)
    """Stack name to its statuses, look by look, of the next executions."""
    events: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    """Stack name to (logical id, status, reason)."""
    after_execute: dict[str, list[AwsError]] = field(default_factory=dict)
    """Stack name to what its next execution answers although it has begun."""
    executed: list[str] = field(default_factory=list)
    forgets: bool = False
    """An executed change set cannot be described any more."""
    tokens: bool = True
    """Events tell the token of the call that caused them."""
    earlier: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Stack name to the events of earlier operations, latest first."""
    late: dict[str, int] = field(default_factory=dict)
    """Stack name to the looks for which the events of its execution are not told yet."""

    def at(self, region: str, account_id: str = ACCOUNT) -> Simulated:
        return self.places.setdefault((account_id, region), Scripted(region, self))


@dataclass
class Desk:
    """One apply after another, as one person makes them."""

    simulation: Simulation = field(default_factory=Simulation)
    table: Table = field(default_factory=Table)
    clock: Clock = field(default_factory=Clock)
    told: list[Event] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    locks: list[Lock] = field(default_factory=list)
    number: int = 0
    schemas: Schemas = field(default_factory=lambda: NO_SCHEMAS)
    taken: tuple[Taken, ...] = ()
    """What is to be taken over."""

    def plan(self, made: tuple[Assembly, Mapping[str, bytes]], **options: Any) -> Plan:
        self.number += 1
        request = Request(
            assembly=made[0],
            templates=made[1],
            options=Options(**options),
            created_at="2026-11-22T10:00:00Z",
            created_by=ME.arn,
            nonce=f"{self.number:08x}",
            taken=self.taken,
        )
        return make_plan(request, self.simulation, self.schemas)

    def take(self) -> Lock:
        self.number += 1
        lock = acquire(
            self.table, "demo-locks", "demo/test", environment="test", verb="apply", lock_id=str(self.number), me=ME, now=self.clock
        )
        self.locks.append(lock)
        return lock

    def run(self, made: tuple[Assembly, Mapping[str, bytes]], plan: Plan) -> Run:
        gateways: Gateways = self.simulation
        return Run(
            plan=plan,
            assembly=made[0],
            templates=made[1],
            gateways=gateways,
            schemas=self.schemas,
            report=self.told.append,
            now=self.clock,
            sleep=self.sleep,
            stop=self.stop,
        )

    def sleep(self, seconds: float) -> None:
        self.clock.seconds += seconds

    def apply(self, made: tuple[Assembly, Mapping[str, bytes]], plan: Plan | None = None) -> Applied:
        return apply(self.run(made, plan or self.plan(made)), self.take)


def results(applied: Applied) -> dict[str, str]:
    return {o.stack: o.result for o in applied.stacks}


def waiting(simulation: Simulation) -> list[str]:
    """Change sets that could still be executed, and empty stacks."""
    sets = [c["ChangeSetId"] for p in simulation.places.values() for c in p.change_sets.values() if c["ExecutionStatus"] == "AVAILABLE"]
    return sets + [s["StackId"] for p in simulation.places.values() for s in p.stacks.values() if s["StackStatus"] == "REVIEW_IN_PROGRESS"]


def small(name: str, value: str = "1", **more: Any) -> Small:
    return Small(
        id=name,
        template={
            "Parameters": {"Value": {"Type": "String"}},
            "Resources": {"It": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": name, "Value": {"Ref": "Value"}}}},
            "Outputs": {"Name": {"Value": {"Ref": "It"}}},
        },
        parameters=more.pop("parameters", (literal("Value", value),)),
        **more,
    )


def chain(value: str = "1", **more: Any) -> tuple[Assembly, dict[str, bytes]]:
    """a, then b that takes a's output, and c beside them."""
    return small_assembly(
        small("a", value, more=more),
        small("b", parameters=(output("Value", "a", "Name"),), depends_on=("a",)),
        small("c", value),
    )


def test_stacks_are_executed_in_order_and_the_rest_has_nothing_to_do() -> None:
    desk = Desk()
    made = chain()
    applied = desk.apply(made)
    assert applied.result == "succeeded"
    assert results(applied) == {"a": "succeeded", "b": "succeeded", "c": "succeeded"}
    order = desk.simulation.executed
    assert order.index("demo-test-a") < order.index("demo-test-b")
    assert next(o for o in applied.stacks if o.stack == "b").outputs == {"Name": "It-physical"}
    assert desk.table.item is None
    again = desk.apply(made)
    assert (results(again), len(desk.simulation.executed)) == ({"a": "unchanged", "b": "unchanged", "c": "unchanged"}, 3)
    assert waiting(desk.simulation) == []


def test_nothing_to_change_may_be_said_at_once() -> None:
    class Hasty(Scripted):
        def create_change_set(self, **request: Any) -> Any:
            made = super().create_change_set(**request)
            if self.change_sets[made["Id"]]["Status"] == "FAILED":
                del self.change_sets[made["Id"]]
                raise BadRequest("No updates are to be performed.", code="ValidationError")
            return made

    desk = Desk()
    desk.simulation.places[(ACCOUNT, "eu-west-1")] = Hasty("eu-west-1", desk.simulation)
    assert desk.apply(chain()).result == "succeeded"
    assert results(desk.apply(chain())) == {"a": "unchanged", "b": "unchanged", "c": "unchanged"}


def test_the_same_plan_twice_executes_nothing_twice() -> None:
    desk = Desk()
    made = chain()
    plan = desk.plan(made)
    assert desk.apply(made, plan).result == "succeeded"
    assert desk.apply(made, plan).result == "succeeded"
    assert sorted(desk.simulation.executed) == ["demo-test-a", "demo-test-b", "demo-test-c"]


def test_what_was_executed_is_told_by_the_token_where_the_change_set_is_gone() -> None:
    desk = Desk(simulation=Simulation(forgets=True))
    desk.simulation.scripts["demo-test-a"] = ["CREATE_IN_PROGRESS"] * 4 + ["CREATE_COMPLETE"]
    made = chain()
    plan = desk.plan(made)
    assert desk.apply(made, plan).result == "succeeded"
    assert desk.clock.seconds > 1_000_000
    assert desk.apply(made, plan).result == "succeeded"
    assert len(desk.simulation.executed) == 3
    resumed = [event.stack for event in desk.told if isinstance(event, Started) and event.resumed]
    assert sorted(resumed) == ["a", "b", "c"]


@pytest.mark.parametrize("token", ["somebody", ""])
def test_an_execution_by_somebody_else_is_not_ours(token: str) -> None:
    desk = Desk(simulation=Simulation(forgets=True))
    made = chain()
    assert desk.apply(made).result == "succeeded"
    newer = chain("2")
    plan = desk.plan(newer)
    place = desk.simulation.at("eu-west-1")
    change_set = next(s.change_set for s in plan.stacks if isinstance(s, StackPlan) and s.stack == "c")
    assert change_set is not None
    place.execute_change_set(ChangeSetName=change_set.arn, StackName=change_set.stack_arn, ClientRequestToken=token)
    desk.simulation.executed.clear()
    with pytest.raises(StalePlan, match="demo-test-c") as refused:
        desk.apply(newer, plan)
    assert refused.value.command == "python deploy.py plan --env test"
    assert desk.simulation.executed == []


def test_an_old_state_right_after_the_execution_is_not_taken_for_its_end() -> None:
    desk = Desk()
    assert desk.apply(chain()).result == "succeeded"
    desk.simulation.scripts["demo-test-a"] = ["CREATE_COMPLETE", "CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]
    desk.simulation.events["demo-test-a"] = [("It", "UPDATE_FAILED", "too long")]
    applied = desk.apply(chain("2"))
    assert results(applied)["a"] == "failed"
    assert next(o for o in applied.stacks if o.stack == "a").message == "It (AWS::SSM::Parameter): too long"


def earlier(name: str, *told: tuple[str, str, str]) -> list[dict[str, Any]]:
    """Events of an operation that was over an hour before the change set was made, latest first."""
    stack = f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/{name}/1"
    return [
        {
            "EventId": f"earlier-{number}",
            "StackId": stack,
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": stack if logical_id == name else logical_id,
            "ResourceType": "AWS::CloudFormation::Stack" if logical_id == name else "AWS::SSM::Parameter",
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
            "Timestamp": NOW - timedelta(hours=1) + timedelta(seconds=number),
        }
        for number, (logical_id, status, reason) in enumerate(told)
    ][::-1]


@pytest.mark.parametrize("forgets", [False, True], ids=["change set told", "change set gone"])
def test_the_cause_is_found_in_events_without_a_token(forgets: bool) -> None:
    """Their times are AWS's, as is the change set's; the clock here, which stands in 1970, is not asked."""
    desk = Desk(simulation=Simulation(tokens=False))
    assert desk.apply(chain()).result == "succeeded"
    desk.simulation.forgets = forgets
    name = "demo-test-a"
    desk.simulation.earlier[name] = earlier(
        name, (name, "UPDATE_IN_PROGRESS", ""), ("It", "UPDATE_FAILED", "of last week"), (name, "UPDATE_ROLLBACK_COMPLETE", "")
    )
    desk.simulation.events[name] = [("It", "UPDATE_FAILED", "too long"), ("Other", "UPDATE_FAILED", "Resource update cancelled")]
    desk.simulation.scripts[name] = ["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]
    applied = desk.apply(chain("2"))
    found = next(o for o in applied.stacks if o.stack == "a")
    assert (found.result, found.message) == ("failed", "It (AWS::SSM::Parameter): too long")
    assert [e.reason for e in desk.told if isinstance(e, Resource) and e.status == "UPDATE_FAILED"] == [
        "too long",
        "Resource update cancelled",
    ]


def test_an_end_of_last_week_is_not_the_end_of_an_execution_whose_events_have_no_token() -> None:
    desk = Desk(simulation=Simulation(tokens=False))
    assert desk.apply(chain()).result == "succeeded"
    name = "demo-test-a"
    desk.simulation.earlier[name] = earlier(name, (name, "UPDATE_IN_PROGRESS", ""), (name, "UPDATE_COMPLETE", ""))
    desk.simulation.late[name] = 2
    desk.simulation.scripts[name] = ["UPDATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]
    desk.simulation.events[name] = [("It", "UPDATE_FAILED", "too long")]
    found = next(o for o in desk.apply(chain("2")).stacks if o.stack == "a")
    assert (found.result, found.message) == ("failed", "It (AWS::SSM::Parameter): too long")


def test_what_validation_said_of_an_earlier_operation_is_not_the_cause() -> None:
    desk = Desk(simulation=Simulation(tokens=False))
    assert desk.apply(chain()).result == "succeeded"
    name = "demo-test-a"
    said: dict[str, Any] = {
        "EventType": "VALIDATION_ERROR",
        "LogicalResourceId": "It",
        "ValidationStatus": "FAILED",
        "ValidationFailureMode": "FAIL",
    }
    desk.simulation.scripts[name] = ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]
    before, since = NOW - timedelta(hours=1), NOW + timedelta(seconds=1)
    plan = desk.plan(chain("2"))
    desk.simulation.faults.validations[name] = [
        said | {"ValidationStatusReason": "too long", "Timestamp": since},
        said | {"ValidationStatusReason": "of last week", "Timestamp": before},
    ]
    found = next(o for o in desk.apply(chain("2"), plan).stacks if o.stack == "a")
    assert found.diagnosis is not None and found.diagnosis.cause is not None
    assert (found.diagnosis.cause.reason, found.diagnosis.others) == ("too long", ())


@pytest.mark.parametrize(
    ("statuses", "result"),
    [
        (["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"], "succeeded"),
        (
            [
                "UPDATE_IN_PROGRESS",
                "UPDATE_ROLLBACK_IN_PROGRESS",
                "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
                "UPDATE_ROLLBACK_COMPLETE",
            ],
            "failed",
        ),
        (["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"], "failed"),
        (["UPDATE_IN_PROGRESS", "UPDATE_FAILED"], "failed"),
    ],
)
def test_every_way_that_an_update_ends(statuses: list[str], result: str) -> None:
    desk = Desk()
    assert desk.apply(chain()).result == "succeeded"
    desk.simulation.scripts["demo-test-a"] = statuses
    applied = desk.apply(chain("2"))
    outcome = next(o for o in applied.stacks if o.stack == "a")
    assert (outcome.result, outcome.status) == (result, statuses[-1])
    if result == "failed":
        assert outcome.command.startswith("python deploy.py ")
        assert results(applied)["b"] in ("not_started", "unchanged")
        assert applied.result == "failed"


def test_a_failed_create_starts_nothing_that_depends_on_it() -> None:
    desk = Desk()
    desk.simulation.scripts["demo-test-a"] = ["CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"]
    made = chain()
    plan = desk.plan(made)
    applied = desk.apply(made, plan)
    assert results(applied) == {"a": "failed", "b": "not_started", "c": "succeeded"}
    assert applied.command == "python deploy.py doctor --env test --fix"
    assert "demo-test-b" not in desk.simulation.executed
    assert results(desk.apply(made, plan)) == {"a": "failed", "b": "not_started", "c": "succeeded"}
    assert desk.simulation.executed.count("demo-test-a") == 1


def test_events_come_from_every_page_and_none_twice() -> None:
    desk = Desk()
    desk.simulation.faults.page = 2
    desk.simulation.events["demo-test-a"] = [(f"R{n}", "CREATE_COMPLETE", "") for n in range(7)]
    desk.simulation.scripts["demo-test-a"] = ["CREATE_IN_PROGRESS"] * 5 + ["CREATE_COMPLETE"]
    assert desk.apply(chain()).result == "succeeded"
    told = [e.logical_id for e in desk.told if isinstance(e, Resource) and e.stack == "a" and e.resource_type == "AWS::SSM::Parameter"]
    assert told == [f"R{n}" for n in range(7)]


@pytest.mark.parametrize(
    "error",
    [NetworkError("lost"), BadRequest("is in EXECUTE_IN_PROGRESS status", code="InvalidChangeSetStatus")],
    ids=["answer lost", "said twice"],
)
def test_an_execution_that_had_begun_is_followed(error: AwsError) -> None:
    desk = Desk()
    desk.simulation.after_execute["demo-test-a"] = [error]
    assert desk.apply(chain()).result == "succeeded"
    assert desk.simulation.executed.count("demo-test-a") == 1


def test_an_execution_that_aws_refuses_is_a_failure_in_its_words() -> None:
    desk = Desk()
    made = chain()
    plan = desk.plan(made)
    denied = AccessDenied("not authorized to perform: cloudformation:ExecuteChangeSet", code="AccessDenied", hint="python deploy.py doctor")
    change_set = next(s.change_set for s in plan.stacks if isinstance(s, StackPlan) and s.stack == "a")
    assert change_set is not None
    desk.simulation.faults.errors["execute_change_set", change_set.stack_arn] = denied
    applied = desk.apply(made, plan)
    outcome = next(o for o in applied.stacks if o.stack == "a")
    assert (outcome.result, outcome.command) == ("failed", "python deploy.py doctor")
    assert "not authorized to perform" in outcome.message


def test_credentials_that_run_out_leave_it_running_and_say_both_commands() -> None:
    desk = Desk()
    made = chain()
    plan = desk.plan(made)
    desk.simulation.scripts["demo-test-a"] = ["CREATE_IN_PROGRESS"] * 3 + ["CREATE_COMPLETE"]
    arn = next(s.change_set.stack_arn for s in plan.stacks if isinstance(s, StackPlan) and s.stack == "a" and s.change_set)
    desk.simulation.faults.errors["describe_stack_events", arn] = CredentialsExpired("expired", hint="aws sso login")
    applied = desk.apply(made, plan)
    outcome = next(o for o in applied.stacks if o.stack == "a")
    assert (outcome.result, outcome.command) == ("running", "aws sso login && python deploy.py apply --env test")
    desk.simulation.faults.errors.clear()
    assert desk.apply(made, plan).result == "succeeded"
    assert desk.simulation.executed.count("demo-test-a") == 1


def test_a_network_that_comes_back_is_waited_for_and_one_that_does_not_leaves_it_running() -> None:
    for failures, result in ((3, "succeeded"), (100, "running")):
        desk = Desk()
        made = chain()
        left = [failures]

        def fail(name: str, arguments: Mapping[str, Any], left: list[int] = left) -> None:
            if name == "describe_stack_events" and "demo-test-a" in str(arguments["StackName"]) and left[0]:
                left[0] -= 1
                raise NetworkError("no network")

        plan = desk.plan(made)
        desk.simulation.faults.before_call = fail
        assert results(desk.apply(made, plan))["a"] == result


def test_a_stack_that_is_gone_before_the_first_look_has_failed() -> None:
    desk = Desk()
    made = small_assembly(small("a"))
    plan = desk.plan(made)
    place = desk.simulation.at("eu-west-1")

    def gone(name: str, _: Mapping[str, Any]) -> None:
        if name == "describe_stacks" and desk.simulation.executed:
            place.deleted += place.stacks.values()
            place.stacks.clear()

    desk.simulation.faults.before_call = gone
    (outcome,) = desk.apply(made, plan).stacks
    assert (outcome.result, outcome.status) == ("failed", "DELETE_COMPLETE")
    assert [e.resources for e in desk.told if isinstance(e, Started)] == [1], "what changes, and not what is only listed"


def test_silence_counts_from_the_last_answer() -> None:
    desk = Desk()
    made = small_assembly(small("a"))
    plan = desk.plan(made)
    desk.simulation.scripts["demo-test-a"] = ["CREATE_IN_PROGRESS"] * 100 + ["CREATE_COMPLETE"]
    silence = iter([*[True] * (MAX_FAILED_POLLS - 1), False, *[True] * 100])
    asked = [0]

    def fail(name: str, _: Mapping[str, Any]) -> None:
        if name == "describe_stack_events" and desk.simulation.executed:
            asked[0] += 1
            if next(silence):
                raise NetworkError("no network")

    desk.simulation.faults.before_call = fail
    assert results(desk.apply(made, plan))["a"] == "running" and asked == [2 * MAX_FAILED_POLLS]


def test_an_update_that_came_too_early_is_made_again_and_its_end_is_that_of_the_last_try() -> None:
    desk = Desk()
    assert desk.apply(small_assembly(small("a"))).result == "succeeded"
    made = small_assembly(small("a", "2"))
    plan = desk.plan(made)
    place = desk.simulation.at("eu-west-1")
    before = {key: place.stacks["demo-test-a"][key] for key in ("_body", "_parameters", "Parameters")}
    desk.simulation.executed.clear()
    desk.simulation.scripts["demo-test-a"] = ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]
    desk.simulation.events["demo-test-a"] = [("It", "UPDATE_FAILED", LATE)]

    def again(name: str, _: Mapping[str, Any]) -> None:
        if name == "create_change_set" and desk.simulation.executed:
            place.stacks["demo-test-a"] |= before
            desk.simulation.scripts.clear()
            desk.simulation.events.clear()

    desk.simulation.faults.before_call = again
    applied = apply(dataclasses.replace(desk.run(made, plan), is_new=lambda _: True), desk.take)
    (outcome,) = applied.stacks
    assert (outcome.result, outcome.status, len(desk.simulation.executed)) == ("succeeded", "UPDATE_COMPLETE", 2)
    assert any("then trying again (1 of 5)" in e.text for e in desk.told if isinstance(e, Note))


# --- previewed stacks -------------------------------------------------------------------------------------------------


def test_a_real_change_set_that_does_more_than_was_approved_is_not_run() -> None:
    desk = Desk()
    made = chain()
    plan = desk.plan(made)
    other = chain()
    template = json.loads(other[1]["b"])
    template["Resources"]["Extra"] = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "extra", "Value": "x"}}
    desk.simulation.faults.before_call = sneaked_in(template)

    applied = desk.apply(made, plan)

    outcome = next(o for o in applied.stacks if o.stack == "b")
    assert (outcome.result, outcome.command) == ("refused", "python deploy.py plan --env test")
    assert outcome.differences == ("Extra: would be added, which was not in the approved plan",)
    assert "demo-test-b" not in desk.simulation.executed
    assert waiting(desk.simulation) == []


def sneaked_in(template: Any) -> Any:
    def before(name: str, arguments: Mapping[str, Any]) -> None:
        if name == "create_change_set" and arguments["StackName"] == "demo-test-b":
            assert isinstance(arguments, dict)
            arguments["TemplateBody"] = json.dumps(template)

    return before


def test_a_placeholder_that_turns_out_as_what_is_there_already_changes_nothing() -> None:
    desk = Desk()
    assert desk.apply(chain()).result == "succeeded"
    newer = small_assembly(
        Small(
            id="a",
            template={
                "Parameters": {"Value": {"Type": "String"}},
                "Resources": {"Other": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "a2", "Value": {"Ref": "Value"}}}},
                "Outputs": {"Name": {"Value": {"Fn::Sub": "It${AWS::NoValue}-physical"}}},
            },
            parameters=(literal("Value", "1"),),
        ),
        small("b", parameters=(output("Value", "a", "Name"),), depends_on=("a",)),
        small("c"),
    )
    plan = desk.plan(newer)
    waits = next(s for s in plan.stacks if s.stack == "b").waits_for
    applied = desk.apply(newer, plan)
    if waits:
        assert results(applied)["b"] in ("unchanged", "succeeded")
    assert applied.result == "succeeded"


# --- settings -----------------------------------------------------------------------------------------------------------


def test_settings_follow_the_execution_and_a_killed_apply_makes_them_up() -> None:
    desk = Desk()
    policy = '{"Statement": []}'
    made = chain(termination_protection=True, stack_policy=policy)
    plan = desk.plan(made)
    assert desk.apply(made, plan).result == "succeeded"
    stack = desk.simulation.at("eu-west-1").stacks["demo-test-a"]
    assert (stack["EnableTerminationProtection"], stack["_policy"]) == (True, policy)
    stack |= {"EnableTerminationProtection": False, "_policy": None}
    assert desk.apply(made, plan).result == "succeeded"
    assert (stack["EnableTerminationProtection"], stack["_policy"]) == (True, policy)
    assert len(desk.simulation.executed) == 3


# --- the lock -----------------------------------------------------------------------------------------------------------


def table_maker(*, depends_on: tuple[str, ...] = ()) -> Small:
    table = {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "demo-locks"}}
    return Small(id="base", template={"Resources": {"Table": table}}, depends_on=depends_on)


def test_before_there_is_a_table_only_what_makes_it_is_executed() -> None:
    desk = Desk()
    desk.table.there = False
    made = small_assembly(small("early"), table_maker(depends_on=("early",)), small("c", depends_on=("base",)), small("d"))
    plan = desk.plan(made)
    seen: list[tuple[str, bool]] = []

    def look(name: str, arguments: Mapping[str, Any]) -> None:
        if name == "execute_change_set":
            seen.append((str(arguments["StackName"]).split("/")[1], desk.table.there))
        desk.table.there = desk.table.there or len(desk.simulation.executed) == 2

    desk.simulation.faults.before_call = look
    applied = desk.apply(made, plan)
    assert applied.result == "succeeded"
    assert seen[:2] == [("demo-test-early", False), ("demo-test-base", False)]
    assert sorted(seen[2:]) == [("demo-test-c", True), ("demo-test-d", True)]
    assert makers_of_table("demo-locks", made[1]) == {"base"}


def test_a_table_that_nothing_makes_is_said_before_anything_is_changed() -> None:
    desk = Desk()
    desk.table.there = False
    with pytest.raises(LockTableMissing, match="demo-locks is not in account"):
        desk.apply(chain())
    assert desk.simulation.executed == []


def test_who_comes_second_after_the_first_deployment_stops_there() -> None:
    desk = Desk()
    desk.table.there = False
    made = small_assembly(table_maker(), small("c", depends_on=("base",)))
    plan = desk.plan(made)

    def other_takes_it(name: str, arguments: Mapping[str, Any]) -> None:
        if name == "describe_stacks" and desk.simulation.executed and not desk.table.there:
            desk.table.there = True
            other = msgspec.structs.replace(ME, host="elsewhere", machine="")
            acquire(desk.table, "demo-locks", "demo/test", environment="test", verb="apply", lock_id="other", me=other, now=desk.clock)

    desk.simulation.faults.before_call = other_takes_it
    applied = desk.apply(made, plan)
    assert results(applied) == {"base": "succeeded", "c": "not_started"}
    assert applied.result == "failed"
    assert "elsewhere" in applied.problem
    assert applied.command == "python deploy.py unlock --env test"
    assert desk.simulation.executed == ["demo-test-base"]


def test_a_held_lock_stops_it_before_anything_is_changed() -> None:
    desk = Desk()
    made = chain()
    other = msgspec.structs.replace(ME, host="elsewhere", machine="")
    acquire(desk.table, "demo-locks", "demo/test", environment="test", verb="apply", lock_id="other", me=other, now=desk.clock)
    with pytest.raises(LockHeld):
        desk.apply(made)
    assert desk.simulation.executed == []


def test_a_lost_lock_stops_before_the_next_change() -> None:
    desk = Desk()
    made = small_assembly(small("a"), small("b", depends_on=("a",)), small("c", depends_on=("b",)))
    plan = desk.plan(made)

    def lose(name: str, _: Mapping[str, Any]) -> None:
        if "demo-test-a" in desk.simulation.executed and desk.table.item is not None:
            desk.table.item["Id"] = "somebody"

    desk.simulation.faults.before_call = lose
    applied = desk.apply(made, plan)
    assert results(applied) == {"a": "succeeded", "b": "not_started", "c": "not_started"}
    assert desk.simulation.executed == ["demo-test-a"]
    with pytest.raises(LockLost):
        desk.locks[0].check()


# --- stopping, refusing, remembering --------------------------------------------------------------------------------------


def test_asked_to_stop_it_starts_nothing_more_and_says_what_runs() -> None:
    desk = Desk()
    made = chain()
    plan = desk.plan(made)
    desk.simulation.scripts["demo-test-a"] = ["CREATE_IN_PROGRESS"] * 50 + ["CREATE_COMPLETE"]

    def stop(name: str, _: Mapping[str, Any]) -> None:
        if "demo-test-a" in desk.simulation.executed and name == "describe_stack_events":
            desk.stop.set()

    desk.simulation.faults.before_call = stop
    applied = desk.apply(made, plan)
    assert applied.result == "interrupted"
    assert results(applied)["a"] == "running"
    assert results(applied)["b"] == "not_started"
    assert desk.table.item is None
    desk.stop.clear()
    desk.simulation.faults.before_call = lambda *_: None
    assert desk.apply(made, plan).result == "succeeded"
    assert desk.simulation.executed.count("demo-test-a") == 1


def test_a_plan_is_for_its_assembly_account_and_aws() -> None:
    desk = Desk()
    made = chain()
    plan = desk.plan(made)
    assert refusals(plan, made[0], local=False) == ()
    assert "built again" in refusals(plan, chain("2")[0], local=False)[0]
    assert "made against AWS itself, and this is the local AWS" in refusals(plan, made[0], local=True)[0]
    local = msgspec.structs.replace(plan, options=Options(local=True))
    assert "made against the local AWS, and this is AWS itself" in refusals(local, made[0], local=False)[0]
    moved = msgspec.structs.replace(made[0], account_id="210987654321")
    assert any("account 123456789012, the assembly for 210987654321" in r for r in refusals(plan, moved, local=False))


def test_a_stack_that_came_went_or_moved_is_named() -> None:
    cases: list[tuple[Callable[[Simulated], Any], str]] = [
        (lambda p: p.stacks["demo-test-c"].update(LastUpdatedTime=NOW.replace(hour=23)), "is UPDATE_COMPLETE of|is CREATE_COMPLETE of"),
        (lambda p: p.stacks.pop("demo-test-c"), "has been deleted since it was planned"),
        (lambda p: p.stacks["demo-test-c"].update(StackId="arn:another"), "has been deleted"),
        (lambda p: p.stacks["demo-test-a"].update(StackStatus="UPDATE_IN_PROGRESS"), "demo-test-a .* is UPDATE_IN_PROGRESS"),
    ]
    for change, words in cases:
        desk = Desk()
        assert desk.apply(chain()).result == "succeeded"
        newer = chain("2")
        plan = desk.plan(newer)
        change(desk.simulation.at("eu-west-1"))
        desk.simulation.executed.clear()
        with pytest.raises(StalePlan, match=words):
            desk.apply(newer, plan)
        assert desk.simulation.executed == []
        assert desk.table.item is None


def test_a_stack_that_was_made_again_is_another_one_though_nothing_of_it_changes() -> None:
    desk = Desk()
    made = small_assembly(small("a"), small("c"))
    assert desk.apply(made).result == "succeeded"
    newer = small_assembly(small("a"), small("c", "2"))
    plan = desk.plan(newer)
    desk.simulation.at("eu-west-1").stacks["demo-test-a"]["StackId"] = (
        "arn:aws:cloudformation:eu-west-1:123456789012:stack/demo-test-a/again"
    )
    with pytest.raises(StalePlan, match=r"demo-test-a .* has been deleted and made again"):
        desk.apply(newer, plan)


def test_the_record_has_no_outputs_and_says_who_what_when() -> None:
    desk = Desk()
    made = chain()
    plan = desk.plan(made)
    applied = desk.apply(made, plan)
    record = record_of(desk.run(made, plan), applied, by=ME.arn, host="here", git_commit="abc-dirty")
    assert (record.result, record.by, record.git_commit, record.plan_digest) == ("succeeded", ME.arn, "abc-dirty", plan.digest)
    assert [s.stack for s in record.stacks] == ["a", "b", "c"]
    assert b"physical" not in msgspec.json.encode(record)


def test_an_approved_change_set_that_is_gone_or_cannot_be_executed_stops_it_before_anything_is_changed() -> None:
    def gone(place: Simulated, arn: str) -> None:
        del place.change_sets[arn]

    def obsolete(place: Simulated, arn: str) -> None:
        place.change_sets[arn]["ExecutionStatus"] = "OBSOLETE"

    for meddle, words in [(gone, "its change set .* is gone"), (obsolete, "its change set .* is CREATE_COMPLETE, OBSOLETE")]:
        desk = Desk()
        assert desk.apply(chain()).result == "succeeded"
        newer = chain("2")
        plan = desk.plan(newer)
        planned = next(p for p in plan.stacks if p.stack == "c")
        assert isinstance(planned, StackPlan) and planned.change_set is not None
        meddle(desk.simulation.at("eu-west-1"), planned.change_set.arn)
        desk.simulation.executed.clear()
        with pytest.raises(StalePlan, match=words):
            desk.apply(newer, plan)
        assert desk.simulation.executed == []
