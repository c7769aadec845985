"""StackSets against a set in memory: the plan, the exact sequence of calls, what is refused, how often AWS is asked."""

from __future__ import annotations

import contextlib
import io
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assembly.model import OperationPreferences, StackSet, Targets
from aws.cloudformation.gateway import CloudFormation
from aws.errors import NetworkError
from operations.retry import find, retry_plan
from planning.model import InstancePlan, Options, Plan, StackSetPlan
from planning.plan import make_plan
from planning.request import Request
from review.progress_view import shown
from rollout.execute import execute
from rollout.execution import Run
from rollout.outcome import Outcome
from rollout.progress import ApplyProgress, Event, Instances, Note
from rollout.stackset_execution import moved_set
from rollout.stackset_operations import rectangles, steps_of
from templates.schemas import Schemas
from tests.simulated import ACCOUNT, SimulatedGateways, Small, literal, small_assembly
from tests.simulated_sets import SimulatedSet

OTHER = "210987654321"
THIRD = "310987654321"
REGIONS = ("us-east-1", "eu-west-1", "ap-south-1")
LOGS = {
    "Parameters": {"Days": {"Type": "Number"}},
    "Resources": {
        "Logs": {
            "Type": "AWS::Logs::LogGroup",
            "DeletionPolicy": "Retain",
            "Properties": {"LogGroupName": {"Fn::Sub": "/edge/${AWS::Region}"}, "RetentionInDays": {"Ref": "Days"}},
        }
    },
}
BUCKET = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}}}}


@dataclass
class Gateways(SimulatedGateways):
    """One set, in the administrating account; everything else as simulated."""

    stack_set: SimulatedSet = field(default_factory=SimulatedSet)

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> CloudFormation:
        if (account_id, region) == (ACCOUNT, "us-east-1"):
            client: Any = self.stack_set
            return CloudFormation(client, account_id=account_id, region=region, sleep=self.stack_set.sleep)
        return super().cloudformation(account_id, region, role_arn)


@dataclass
class World:
    """An assembly of one StackSet, and AWS."""

    accounts: tuple[str, ...] = (ACCOUNT, OTHER)
    regions: tuple[str, ...] = REGIONS
    days: str = "14"
    template: dict[str, Any] = field(default_factory=lambda: LOGS)
    preferences: OperationPreferences = field(default_factory=lambda: OperationPreferences(region_order=("us-east-1",)))
    more: dict[str, Any] = field(default_factory=dict)
    gateways: Gateways = field(default_factory=Gateways)
    events: list[Event] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def live(self) -> SimulatedSet:
        return self.gateways.stack_set

    def assembly(self) -> Any:
        organized = "organizational_units" in self.more
        target = StackSet(
            permission_model="SERVICE_MANAGED" if organized else "SELF_MANAGED",
            targets=Targets(
                accounts=() if organized else self.accounts,
                organizational_units=self.more.get("organizational_units", ()),
                regions=self.regions,
            ),
            preferences=self.preferences,
            administration_role_name=None if organized else "admin",
            execution_role_name=None if organized else "execution",
            auto_deployment=self.more.get("auto_deployment", False),
        )
        parameters = (literal("Days", self.days),) if "Parameters" in self.template else ()
        return small_assembly(
            Small(id="logs", template=self.template, region="us-east-1", parameters=parameters, more={"stackset": target})
        )

    def plan(self, **options: Any) -> Plan:
        assembly, templates = self.assembly()
        request = Request(
            assembly=assembly, templates=templates, options=Options(**options), created_at="t", created_by="somebody", nonce="0a1b2c3d"
        )
        return make_plan(request, self.gateways, Schemas(directory=None))

    def set_of(self, plan: Plan) -> StackSetPlan:
        (found,) = plan.stacks
        assert isinstance(found, StackSetPlan)
        return found

    def run_of(self, plan: Plan, **more: Any) -> Run:
        """A run of the plan, with a lock or whatever else it has."""
        assembly, templates = self.assembly()
        return Run(
            plan=plan,
            assembly=assembly,
            templates=templates,
            gateways=self.gateways,
            schemas=Schemas(directory=None),
            report=self.events.append,
            now=lambda: self.live.now,
            sleep=self.live.sleep,
            stop=self.stop,
            **more,
        )

    def run(self, plan: Plan, **more: Any) -> Outcome:
        return execute(self.run_of(plan, **more), plan.stacks[0], {})

    def deploy(self, **options: Any) -> Outcome:
        return self.run(self.plan(**options))

    def notes(self) -> list[str]:
        return [e.text for e in self.events if isinstance(e, Note)]

    def statuses(self) -> dict[tuple[str, str], str]:
        self.live._catch_up()
        return {where: i["Status"] for where, i in self.live.instances.items()}


@pytest.fixture
def world() -> World:
    return World()


def codes(plan: Plan, severity: str = "error") -> list[str]:
    return [f.code for f in plan.all_findings if f.severity == severity]


# --- sequences ----------------------------------------------------------------------------------------------------


def test_the_calls_of_a_first_deployment(world: World) -> None:
    assert world.deploy().result == "succeeded"
    both = (ACCOUNT, OTHER)
    assert world.live.begun() == [
        ("create_stack_instances", both, ("us-east-1",)),
        ("create_stack_instances", both, ("eu-west-1", "ap-south-1")),
    ]
    assert world.live.counted()["create_stack_set"] == 1
    assert set(world.statuses().values()) == {"CURRENT"}


def test_the_calls_of_an_update(world: World) -> None:
    world.deploy()
    world.live.calls.clear()
    world.days = "30"
    assert world.deploy().result == "succeeded"
    both = (ACCOUNT, OTHER)
    assert world.live.begun() == [
        ("update_stack_set", both, ("us-east-1",)),
        ("update_stack_set", both, ("eu-west-1", "ap-south-1")),
    ]
    updates = [a for name, a in world.live.calls if name == "update_stack_set"]
    assert [json.loads(a["TemplateBody"]) for a in updates] == [LOGS, LOGS], "the second changes nothing of the set, so it spares the rest"
    assert all(a["AdministrationRoleARN"].endswith(":role/admin") for a in updates), "a custom role has to be passed again"
    assert set(world.statuses().values()) == {"CURRENT"}


def test_an_update_that_turns_out_to_change_nothing_is_not_sent(world: World) -> None:
    """As where the plan had placeholder values."""
    world.deploy()
    begun = world.live.begun()
    plan = world.plan()
    stays = world.set_of(plan)
    updated = tuple(msgspec.structs.replace(each, action="update") for each in stays.instances)
    changes = msgspec.structs.replace(stays, operation="update", instances=updated)
    outcome = world.run(msgspec.structs.replace(plan, stacks=(changes,)))
    assert outcome.result == "succeeded" and world.live.begun() == begun


def test_nothing_to_do_begins_nothing(world: World) -> None:
    world.deploy()
    begun = world.live.begun()
    plan = world.plan()
    assert world.set_of(plan).operation == "none" and not plan.has_changes
    assert world.run(plan).result == "unchanged"
    assert world.live.begun() == begun


def test_a_failed_canary_is_the_only_operation(world: World) -> None:
    world.live.fails.add((OTHER, "us-east-1"))
    outcome = world.deploy()
    assert outcome.result == "failed" and outcome.status == "SUCCEEDED", "an operation that SUCCEEDED with failed instances has failed"
    assert [(i.account_id, i.region, i.reason) for i in outcome.instances] == [(OTHER, "us-east-1", "no room in us-east-1")]
    assert outcome.command == "python deploy.py retry --env test"
    assert len(world.live.begun()) == 1


@pytest.mark.parametrize("killed_after", range(1, 4))
def test_an_apply_killed_after_any_call_begins_nothing_twice(world: World, killed_after: int) -> None:
    class Killed(BaseException):
        pass

    world.live.per_second = 1.0
    plan = world.plan()
    mutations = 0

    def count(_: Any) -> None:
        nonlocal mutations
        mutations += 1

    for name in ("create_stack_set", "create_stack_instances"):
        world.live.before[name] = count
    real_sleep = world.live.sleep

    def sleep(seconds: float) -> None:
        real_sleep(seconds)
        if mutations >= killed_after:
            raise Killed

    world.live.sleep = sleep  # type: ignore[method-assign]
    with contextlib.suppress(Killed):
        world.run(plan)
    world.live.sleep = real_sleep  # type: ignore[method-assign]
    outcome = world.run(plan)
    assert outcome.result == "succeeded"
    assert len(world.live.operations) == len(world.live.begun()) == 2 and world.live.counted()["create_stack_set"] == 1
    assert set(world.statuses().values()) == {"CURRENT"}


def test_a_lost_answer_does_not_begin_an_operation_again(world: World) -> None:
    plan = world.plan()
    lost = iter([True])

    def lose(request: dict[str, Any]) -> None:
        if next(lost, False):
            world.live._begin("CREATE", request, world.live._targets(request))
            for where in world.live._targets(request):
                world.live.instances[where] = world.live._instance(where, "OUTDATED", "PENDING")
            raise NetworkError("the answer never came", code="ReadTimeoutError")

    world.live.before["create_stack_instances"] = lose
    assert world.run(plan).result == "succeeded"
    assert len(world.live.operations) == 2


def test_an_operation_of_somebody_else_is_waited_for(world: World) -> None:
    world.deploy()
    world.days = "30"
    plan = world.plan()
    world.live.per_second = 10.0
    other = world.live.somebody_begins(60)
    outcome = world.run(plan)
    assert outcome.result == "succeeded"
    assert any(f"waiting for its turn: DETECT_DRIFT {other} (RUNNING" in note for note in world.notes())


def test_what_somebody_changes_while_we_wait_is_refused(world: World) -> None:
    world.deploy()
    world.days = "30"
    plan = world.plan()
    world.live.per_second = 10.0
    world.live.somebody_begins(60, "UPDATE")

    def change(_: Any) -> None:
        assert world.live.description is not None
        world.live.description["TemplateBody"] = json.dumps(BUCKET)

    world.live.before["list_stack_set_operations"] = change
    outcome = world.run(plan)
    assert outcome.result == "refused" and "another template" in " ".join(outcome.differences)
    assert len(world.live.operations) == 3, "theirs and the first deployment's two"


def test_another_template_between_two_operations_of_ours_stops_the_second(world: World) -> None:
    world.deploy()
    world.days = "30"
    plan = world.plan()
    seen = 0

    def meddle(_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == 2 and world.live.description is not None:
            raise AssertionError("the second operation was begun over somebody else's template")

    def change(_: Any) -> None:
        if seen == 1 and world.live.description is not None:
            world.live.description["TemplateBody"] = json.dumps(BUCKET)

    world.live.before["update_stack_set"] = meddle
    world.live.before["list_stack_set_operation_results"] = change
    outcome = world.run(plan)
    assert outcome.result == "refused" and "between two operations" in " ".join(outcome.differences)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.description.update(TemplateBody=json.dumps(BUCKET)), "another template"),
        (lambda s: s.description.update(Parameters=[{"ParameterKey": "Days", "ParameterValue": "7"}]), "Days was '14'"),
        (lambda s: s.description.update(StackSetId="s:2"), "made again"),
        (lambda s: s.instances.pop((OTHER, "eu-west-1")), "is gone now"),
        (lambda s: s.instances[OTHER, "eu-west-1"].update(Status="OUTDATED"), "was CURRENT when it was planned, is OUTDATED now"),
        (lambda s: s.instances.update({(THIRD, "eu-west-1"): s._instance((THIRD, "eu-west-1"), "CURRENT", "")}), "there was none"),
    ],
)
def test_whatever_moved_since_the_plan_is_refused(world: World, change: Callable[[Any], Any], words: str) -> None:
    world.deploy()
    world.days = "30"
    plan = world.plan()
    begun = world.live.begun()
    world.live.operations.clear()
    change(world.live)
    before = moved_set(world.run_of(plan), world.set_of(plan), world.gateways.cloudformation(ACCOUNT, "us-east-1"))
    assert words in " ".join(before), "before any stack is touched, too"
    outcome = world.run(plan)
    assert outcome.result == "refused" and words in " ".join(outcome.differences), outcome
    assert world.live.begun() == begun


def test_an_interrupt_leaves_the_operation_to_aws(world: World) -> None:
    world.live.per_second = 0.1
    plan = world.plan()
    world.live.before["list_stack_set_operation_results"] = lambda _: world.stop.set()
    outcome = world.run(plan)
    assert outcome.result == "running" and "python deploy.py stop --env test" in outcome.message
    assert outcome.command == "python deploy.py apply --env test"


# --- the plan -----------------------------------------------------------------------------------------------------


def actions(plan: StackSetPlan) -> dict[tuple[str, str], str]:
    return {(i.account_id, i.region): i.action for i in plan.instances}


def test_instances_that_are_not_as_they_should_be_are_named(world: World) -> None:
    world.deploy()
    assert set(world.statuses().values()) == {"CURRENT"}
    live = world.live.instances
    world.live.operations.clear()
    live[OTHER, "us-east-1"]["Status"] = "INOPERABLE"
    live[OTHER, "eu-west-1"] |= {"Status": "OUTDATED", "StatusReason": "it failed"}
    live[OTHER, "ap-south-1"] |= {
        "DriftStatus": "DRIFTED",
        "ParameterOverrides": [{"ParameterKey": "Days", "ParameterValue": "1"}],
    }
    plan = world.plan()
    said = {f.code: f.message for f in plan.all_findings}
    assert f"{OTHER} us-east-1" in said["instances_inoperable"]
    assert f"{OTHER} eu-west-1" in said["instances_outdated"]
    assert f"{OTHER} ap-south-1" in said["instances_drifted"] and f"{OTHER} ap-south-1" in said["parameter_overridden"]
    found = {(i.account_id, i.region): i for i in world.set_of(plan).instances}
    assert found[OTHER, "us-east-1"].action == "none", "CloudFormation leaves it out of updates"
    assert (found[OTHER, "eu-west-1"].action, found[OTHER, "eu-west-1"].reason) == ("update", "it failed")
    assert found[OTHER, "ap-south-1"].overrides == {"Days": "1"} and found[OTHER, "ap-south-1"].drift == "DRIFTED"
    assert world.set_of(plan).operation == "instances"
    assert world.run(plan).result == "succeeded"
    assert world.live.begun()[-1] == ("update_stack_instances", (OTHER,), ("eu-west-1",))


@pytest.mark.parametrize(("choice", "wanted"), [("default", "retain"), ("keep", "retain"), ("delete", "remove")])
def test_what_holds_data_is_kept_by_default(choice: str, wanted: str) -> None:
    world = World(template=BUCKET)
    world.deploy()
    world.accounts = (ACCOUNT,)
    plan = world.plan(removed_instances=choice)
    assert {a for (account, _), a in actions(world.set_of(plan)).items() if account == OTHER} == {wanted}
    assert world.run(plan).result == "succeeded"
    lost = [f for f in plan.all_findings if f.code == "instance_data_lost"]
    assert bool(lost) is (wanted == "remove")
    for finding in lost:
        assert f"REMOVED in {OTHER} us-east-1" in finding.message and "its objects WILL BE LOST" in finding.message
        assert finding.command == "python deploy.py plan --env test --removed-instances keep"
    sent = next(a for name, a in world.live.calls if name == "delete_stack_instances")
    assert sent["RetainStacks"] is (wanted == "retain")


def test_logs_are_no_reason_to_keep_a_stack(world: World) -> None:
    world.deploy()
    world.regions = REGIONS[:2]
    assert set(actions(world.set_of(world.plan())).values()) == {"none", "remove"}
    assert "retain" in actions(world.set_of(world.plan(removed_instances="keep"))).values()


def test_targets_that_are_not_ready(world: World) -> None:
    world.regions = ("us-east-1", "af-south-1")
    targets = world.gateways.targets
    targets.disabled |= {(OTHER, "af-south-1")}
    targets.roles[OTHER, "execution"] = None
    targets.roles[ACCOUNT, "admin"] = frozenset({"cloudformation.amazonaws.com"})
    plan = world.plan()
    assert plan.blocked and sorted(codes(plan)) == ["administration_role_trust", "execution_role_missing", "region_not_enabled"]
    targets.disabled.clear()
    targets.roles[ACCOUNT, "admin"] = None
    targets.roles[OTHER, "execution"] = frozenset({f"arn:aws:iam::{THIRD}:root"})
    assert sorted(codes(world.plan())) == ["administration_role_missing", "execution_role_trust"]
    targets.roles.clear()
    targets.disabled |= {(ACCOUNT, "af-south-1")}
    (finding,) = [f for f in world.plan().all_findings if f.severity == "error"]
    assert "administrates" in finding.message and finding.command == "aws account enable-region --region-name af-south-1"
    targets.disabled.clear()
    assert not world.plan().blocked


def test_roles_that_the_assembly_makes_itself_are_judged_by_its_template(world: World) -> None:
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": ["cloudformation.amazonaws.com"]}, "Action": "sts:AssumeRole"}]}
    roles = {
        "Resources": {
            "Admin": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "admin", "AssumeRolePolicyDocument": trust}},
            "Execution": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "execution", "AssumeRolePolicyDocument": trust}},
        }
    }
    world.accounts = (ACCOUNT,)
    world.gateways.targets.roles |= {(ACCOUNT, "admin"): None, (ACCOUNT, "execution"): None}
    made = small_assembly(
        Small(id="roles", template=roles),
        Small(
            id="logs",
            template=LOGS,
            region="us-east-1",
            parameters=(literal("Days", "14"),),
            more={"stackset": world.assembly()[0].stacks[0].stackset},
            depends_on=("roles",),
        ),
    )
    request = Request(assembly=made[0], templates=made[1], options=Options(), created_at="t", created_by="s", nonce="0a1b2c3d")
    assert codes(make_plan(request, world.gateways, Schemas(directory=None))) == []


def test_a_target_that_nobody_lets_us_look_into_is_said_to_be_unseen(world: World) -> None:
    world.gateways.targets.closed.add(OTHER)
    plan = world.plan()
    assert not plan.blocked
    notes = [f.message for f in plan.all_findings if f.code == "not_looked_at"]
    assert notes and OTHER in notes[0]


def test_accounts_that_were_ready_once_are_not_asked_again(world: World) -> None:
    world.deploy()
    world.gateways.targets.asked.clear()
    world.plan()
    assert world.gateways.targets.asked == [ACCOUNT, ACCOUNT, ACCOUNT], "the administrating one: organization, regions and role"
    world.regions = (*REGIONS, "us-west-2")
    world.plan()
    assert f"{OTHER} us-west-2" in world.gateways.targets.asked, "for log groups"
    assert OTHER not in world.gateways.targets.asked, "its role was there"


def test_a_log_group_that_stands_is_adopted_if_it_is_kept_and_blocks_else(world: World) -> None:
    world.gateways.targets.log_groups[OTHER, "eu-west-1"] = ("/edge/eu-west-1", "/edge/eu-west-1-other")
    world.gateways.targets.log_groups[OTHER, "ap-south-1"] = ("/edge/ap-south-1-other",)
    adopting = world.plan()
    assert codes(adopting) == []
    assert [f.code for f in adopting.all_findings] == ["instance_adopted"]
    assert actions(world.set_of(adopting))[OTHER, "eu-west-1"] == "adopt"
    assert [i.adopts for i in world.set_of(adopting).instances if i.action == "adopt"] == [{"Logs": "/edge/eu-west-1"}]
    world.template = msgspec.json.decode(msgspec.json.encode(LOGS))
    del world.template["Resources"]["Logs"]["DeletionPolicy"]
    assert codes(world.plan()) == ["instance_clash"], "what CloudFormation would not import blocks"


def test_organizational_units_are_planned_account_by_account(world: World) -> None:
    world.more = {"organizational_units": ("ou-a", "ou-b")}
    world.gateways.targets.units = {"ou-a": {ACCOUNT: True, OTHER: True}, "ou-b": {OTHER: True, THIRD: False}}
    plan = world.plan()
    found = world.set_of(plan)
    assert {(i.account_id, i.organizational_unit, i.action) for i in found.instances} == {
        (OTHER, "ou-a", "create"),
        (THIRD, "ou-b", "none"),
    }
    assert codes(plan, "warning") == ["account_suspended"]
    assert world.run(plan).result == "succeeded"
    first = next(a for name, a in world.live.calls if name == "create_stack_instances")
    wanted = {"OrganizationalUnitIds": ["ou-a"], "Accounts": [OTHER], "AccountFilterType": "INTERSECTION"}
    assert first["DeploymentTargets"] == wanted


def test_managed_execution_only_where_aws_begins_operations_itself(world: World) -> None:
    world.more = {"organizational_units": ("ou-a",), "auto_deployment": True}
    world.gateways.targets.units = {"ou-a": {OTHER: True}}
    world.deploy()
    assert next(a for n, a in world.live.calls if n == "create_stack_set")["ManagedExecution"] == {"Active": True}
    plain = World()
    plain.deploy()
    assert "ManagedExecution" not in next(a for n, a in plain.live.calls if n == "create_stack_set")


# --- steps --------------------------------------------------------------------------------------------------------

INSTANCES = st.lists(
    st.builds(
        lambda where, action: InstancePlan(account_id=where[0], region=where[1], action=action),
        st.tuples(st.sampled_from(["1", "2", "3", "4"]), st.sampled_from(["a", "b", "c", "d"])),
        st.sampled_from(["create", "update", "remove", "retain", "none"]),
    ),
    unique_by=lambda i: (i.account_id, i.region),
)


@settings(max_examples=200, deadline=None)
@given(instances=INSTANCES, operation=st.sampled_from(["create", "update", "instances"]))
def test_the_steps_touch_what_is_planned_once_and_nothing_else(instances: list[InstancePlan], operation: Any) -> None:
    plan = StackSetPlan(
        stack="s",
        stack_name="s",
        account_id=ACCOUNT,
        region="us-east-1",
        role_arn=None,
        operation=operation,
        depends_on=(),
        exists=True,
        stack_set_id=None,
        template_sha256="",
        deployed_template_sha256=None,
        preferences=OperationPreferences(region_order=("b",)),
        instances=tuple(instances),
    )
    steps = steps_of(plan, "digest")
    assert len({s.id for s in steps}) == len(steps)
    assert [s.id for s in steps] == [s.id for s in steps_of(plan, "digest")] != [s.id for s in steps_of(plan, "other")] or not steps
    kinds = {"update": "update", "update_instances": "update", "create": "create", "remove": "remove", "retain": "retain"}
    touched = [(a, r, kinds[s.kind]) for s in steps for r in s.targets.regions for a in s.targets.accounts]
    wanted = [
        (i.account_id, i.region, i.action) for i in instances if i.action != "none" and (i.action != "update" or operation != "create")
    ]
    assert sorted(touched) == sorted(wanted)
    assert sum(s.instances for s in steps) == len(wanted)
    for action in ("create", "update"):
        regions = {i.region for i in instances if i.action == action}
        first = next((s for s in steps if kinds[s.kind] == action and s.targets.regions), None)
        if first and len(regions) > 1:
            assert len(first.targets.regions) == 1 and (first.targets.regions == ("b",) or "b" not in regions)


@settings(max_examples=100, deadline=None)
@given(instances=INSTANCES)
def test_rectangles_hold_exactly_the_instances(instances: list[InstancePlan]) -> None:
    found = [(a, r) for t in rectangles(instances, "create") for a in t.accounts for r in t.regions]
    assert sorted(found) == sorted((i.account_id, i.region) for i in instances if i.action == "create")


# --- retry --------------------------------------------------------------------------------------------------------


def retried(world: World, *, cancelled: bool = False) -> Plan:
    assembly, templates = world.assembly()
    gateway = world.gateways.cloudformation(ACCOUNT, "us-east-1")
    found = find(assembly.stacks[0], templates["logs"], gateway, cancelled=cancelled)
    assert found is not None and not found.problem
    return retry_plan(assembly, [found], local=False)


def test_a_retry_redoes_what_failed_and_nothing_else(world: World) -> None:
    world.deploy()
    world.days = "30"
    world.live.fails |= {(OTHER, "eu-west-1"), (ACCOUNT, "ap-south-1")}
    assert world.deploy().result == "failed"
    plan = retried(world)
    assert plan.digest == retried(world).digest, "killed and called again, it is the same plan"
    world.live.fails.clear()
    before = len(world.live.begun())
    assert world.run(plan).result == "succeeded"
    touched = {(a, r) for name, accounts, regions in world.live.begun()[before:] for a in accounts for r in regions}
    assert touched == {(OTHER, "eu-west-1"), (ACCOUNT, "ap-south-1")}
    assert {name for name, *_ in world.live.begun()[before:]} == {"update_stack_instances"}
    assert set(world.statuses().values()) == {"CURRENT"}
    assert not retried(world).stacks


def test_a_retry_of_a_set_that_is_not_the_assemblys_is_refused(world: World) -> None:
    world.deploy()
    world.template = BUCKET
    assembly, templates = world.assembly()
    found = find(assembly.stacks[0], templates["logs"], world.gateways.cloudformation(ACCOUNT, "us-east-1"), cancelled=False)
    assert found is not None and "not the assembly's" in found.problem


# --- thousands ----------------------------------------------------------------------------------------------------


def many(count: int, **more: Any) -> World:
    return World(accounts=(ACCOUNT, *(f"{n:012d}" for n in range(count - 1))), **more)


def test_pages_are_not_hammered(world: World) -> None:
    world = many(2_000)
    world.live.per_second = 10.0
    world.live.fails = {("000000001234", "eu-west-1")}
    plan = world.plan()
    started = world.live.now
    outcome = world.run(plan)
    elapsed = world.live.now - started
    pages = world.live.counted()["list_stack_set_operation_results"]
    assert outcome.result == "failed" and len(outcome.instances) == 1
    assert elapsed > 500 and pages < 2 * elapsed + 200, f"{pages} pages in {elapsed:.0f} s"
    assert world.live.counted()["describe_stack_set_operation"] < elapsed


def test_numbers_are_reported_not_instances(world: World) -> None:
    world = many(1_000, regions=("us-east-1",))
    world.live.per_second = 5.0
    progress = ApplyProgress(("logs",))
    outcome = world.run(world.plan())
    assert outcome.result == "succeeded"
    for event in world.events:
        progress.tell(event)
    assert len(world.events) < 200, "not one for each instance"
    last = [e for e in world.events if isinstance(e, Instances)][-1]
    assert (last.total, last.counts) == (1_000, {"SUCCEEDED": 1_000})
    assert progress.lines["logs"].finished == 1_000 and 4 < progress.lines["logs"].rate < 6


@pytest.mark.parametrize("live", [False, True])
def test_thousands_on_a_terminal_and_in_a_log(live: bool) -> None:
    world = many(1_000, regions=("us-east-1",))
    world.live.per_second = 5.0
    world.live.fails = {("000000000500", "us-east-1")}
    assert world.run(world.plan()).result == "failed"
    stream = io.StringIO()
    moment = world.events[-1].at
    with shown(("logs",), stream, live=live, colour=False, now=lambda: moment) as report:
        for event in world.events[:-1]:
            report(event)
    text = stream.getvalue()
    assert "000000000500 us-east-1 FAILED: no room in us-east-1" in text
    if live:
        assert "1,000/1,000 [####################] 1 failed" in text
    else:
        lines = [line for line in text.splitlines() if "/1,000 [" in line]
        assert 8 <= len(lines) <= 13, "a line for each tenth"
        assert any("5.0/s, about" in line and line.endswith("left") for line in lines), lines
