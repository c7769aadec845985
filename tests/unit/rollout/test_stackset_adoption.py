"""Instances that take over what is there already: first a stack by an import, then the stack into the set."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from aws.cloudformation.stacks import StackDescription
from planning.inputs import Inputs
from planning.model import InstancePlan, Plan
from rollout.outcome import Outcome
from tests.simulated import ACCOUNT, Faults, Simulated
from tests.simulated_sets import SimulatedSet
from tests.unit.planning.test_stacksets import OTHER, Gateways, World

WHERE = (OTHER, "eu-west-1")
THERE = "/edge/eu-west-1"


class Account(Simulated):
    """Where resources are that no stack has: a change set that may import takes them over."""

    imports = True
    ends: list[str]
    """Statuses that the stack goes through, look by look."""

    def __init__(self, region: str) -> None:
        super().__init__(region, Faults())
        self.ends = []

    def create_change_set(self, **request: Any) -> Any:
        made = super().create_change_set(**request)
        if request.get("ImportExistingResources") and self.imports:
            for change in self.change_sets[made["Id"]]["_changes"]:
                change["ResourceChange"]["Action"] = "Import"
        return made

    def describe_stacks(self, StackName: str) -> Any:
        answer = super().describe_stacks(StackName=StackName)
        if answer["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE" and self.ends:
            answer["Stacks"][0] |= {"StackStatus": self.ends.pop(0), "StackStatusReason": "why"}
        return answer


class ImportingSet(SimulatedSet):
    """A set that takes stacks in; its name has the region of each."""

    def do_import_stacks_to_stack_set(self, StackIds: list[str], **request: Any) -> Any:
        wheres = [(OTHER, stack.split(":")[3]) for stack in StackIds]
        answer = self._begin("IMPORT", request, wheres)
        for where in wheres:
            self.instances[where] = self._instance(where, "OUTDATED", "PENDING")
        return answer


@dataclass
class Adopting:
    """A world where one account has the log group already."""

    world: World = field(default_factory=lambda: World(gateways=Gateways(stack_set=ImportingSet())))
    account: Account = field(default_factory=lambda: Account("eu-west-1"))

    def __post_init__(self) -> None:
        self.world.gateways.targets.log_groups[WHERE] = (THERE,)
        self.world.gateways.places[WHERE] = self.account

    def plan(self) -> Plan:
        return self.world.plan(import_existing=True)

    def run(self, plan: Plan | None = None) -> Outcome:
        return self.world.run(plan or self.plan())

    def change_sets(self) -> list[dict[str, Any]]:
        return [arguments for name, arguments in self.account.calls if name == "create_change_set"]

    def imported(self) -> list[list[str]]:
        return [r["StackIds"] for name, r in self.world.live.calls if name == "import_stacks_to_stack_set"]


@pytest.fixture
def adopting() -> Adopting:
    return Adopting()


def test_what_is_there_becomes_a_stack_and_the_stack_an_instance(adopting: Adopting) -> None:
    outcome = adopting.run()
    assert outcome.result == "succeeded", outcome
    [made] = adopting.change_sets()
    assert made["ImportExistingResources"] is True and made["ChangeSetType"] == "CREATE"
    assert made["StackName"].startswith("StackSet-demo-test-logs-") and made["Description"] == f"Takes over {THERE}"
    assert made["Parameters"] == [{"ParameterKey": "Days", "ParameterValue": "14"}]
    assert '"LogGroupName"' in made["TemplateBody"] and "RetentionInDays" not in made["TemplateBody"], "an import changes no property"
    [stack] = adopting.account.stacks.values()
    assert adopting.imported() == [[stack["StackId"]]]
    assert f"{OTHER} eu-west-1: taking over {THERE}" in adopting.world.notes()
    assert set(adopting.world.statuses().values()) == {"CURRENT"} and len(adopting.world.statuses()) == 6


def test_an_import_that_takes_its_time_is_waited_for(adopting: Adopting) -> None:
    adopting.account.ends = ["CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    before = adopting.world.live.now
    assert adopting.run().result == "succeeded"
    assert adopting.world.live.now > before


def test_a_stack_that_an_earlier_apply_made_is_imported_and_not_made_again(adopting: Adopting) -> None:
    plan = adopting.plan()
    refuse = [True]

    def cut(_: Any) -> None:
        if refuse:
            refuse.clear()
            raise KeyboardInterrupt

    adopting.world.live.before["import_stacks_to_stack_set"] = cut
    with pytest.raises(KeyboardInterrupt):
        adopting.run(plan)
    assert len(adopting.change_sets()) == 1
    assert adopting.run(plan).result == "succeeded"
    assert len(adopting.change_sets()) == 1 and len(adopting.imported()) == 2


def test_a_stack_that_failed_is_told_and_nothing_is_imported(adopting: Adopting) -> None:
    adopting.account.ends = ["ROLLBACK_COMPLETE"] * 9
    outcome = adopting.run()
    assert outcome.result == "failed"
    [bad] = outcome.instances
    assert (bad.account_id, bad.region, bad.status) == (*WHERE, "FAILED")
    assert bad.reason.endswith("is ROLLBACK_COMPLETE: why")
    assert outcome.message == f"{OTHER} eu-west-1: {bad.reason}"
    assert outcome.command == "python deploy.py plan --env test"
    assert adopting.imported() == []


def test_a_change_set_that_aws_refuses_is_removed_with_its_empty_stack(adopting: Adopting) -> None:
    plan = adopting.plan()

    def refuse(name: str, arguments: Any) -> None:
        if name == "create_change_set":
            adopting.account.faults.refuse[arguments["StackName"]] = "no such log group"

    adopting.account.faults.before_call = refuse
    outcome = adopting.run(plan)
    assert outcome.result == "failed" and "no such log group" in outcome.message
    assert adopting.account.change_sets == {} and adopting.account.stacks == {}
    assert adopting.imported() == []


def test_a_change_set_that_would_make_it_anew_is_not_run(adopting: Adopting) -> None:
    adopting.account.drop = True  # type: ignore[attr-defined]
    adopting.account.faults.drop_always.add("Logs")
    outcome = adopting.run()
    assert outcome.result == "failed" and "the change set would not take over what is there: {}" in outcome.message
    assert adopting.account.stacks == {} and adopting.account.change_sets == {}


def test_a_change_set_that_would_remove_or_change_something_is_not_run(adopting: Adopting) -> None:
    plan = adopting.plan()

    def meddle(name: str, _: Any) -> None:
        if name == "describe_change_set":
            for change_set in adopting.account.change_sets.values():
                for change in change_set["_changes"]:
                    change["ResourceChange"]["Action"] = "Modify"

    adopting.account.faults.before_call = meddle
    outcome = adopting.run(plan)
    assert outcome.result == "failed" and "would not take over what is there: {'Logs': 'Modify'}" in outcome.message
    assert adopting.account.stacks == {}


def test_an_interrupt_while_the_change_set_is_made_leaves_nothing_behind(adopting: Adopting) -> None:
    plan = adopting.plan()

    def stop(name: str, _: Any) -> None:
        if name == "create_change_set":
            adopting.world.stop.set()

    adopting.account.faults.before_call = stop
    outcome = adopting.run(plan)
    assert outcome.result in ("running", "not_started")
    assert adopting.account.stacks == {} and adopting.account.change_sets == {}
    adopting.account.faults.before_call = lambda *_: None
    adopting.world.stop.clear()
    assert adopting.run(plan).result == "succeeded"


def test_an_interrupt_before_an_account_is_looked_at_makes_nothing_there(adopting: Adopting) -> None:
    plan = adopting.plan()
    adopting.world.live.before["list_stack_set_operation_results"] = lambda _: adopting.world.stop.set()
    adopting.run(plan)
    assert adopting.change_sets() == []


def test_after_the_lock_is_lost_nothing_is_taken_over() -> None:
    from dataclasses import replace

    from rollout.execute import execute
    from rollout.execution import Run
    from rollout.lock import LockLost
    from templates.schemas import Schemas

    adopting = Adopting(world=World(gateways=Gateways(stack_set=ImportingSet()), accounts=(OTHER,), regions=("eu-west-1",)))
    plan = adopting.plan()
    assembly, templates = adopting.world.assembly()
    run = Run(
        plan=plan,
        assembly=assembly,
        templates=templates,
        gateways=adopting.world.gateways,
        schemas=Schemas(directory=None),
        report=lambda _: None,
        now=lambda: adopting.world.live.now,
        sleep=adopting.world.live.sleep,
        stop=threading.Event(),
    )
    checks = 0

    def check() -> None:
        nonlocal checks
        checks += 1
        if checks > 1:
            raise LockLost("somebody has it")

    outcome = execute(replace(run, check=check), plan.stacks[0], {})
    assert "somebody has it" in outcome.message
    assert adopting.change_sets() == [] and ACCOUNT not in [where for where, _ in adopting.world.live.instances]


def test_what_is_taken_over_is_named_as_far_as_a_description_goes() -> None:
    adopting = Adopting()
    plan = adopting.plan()
    (stack_set,) = plan.stacks
    long = tuple(
        msgspec.structs.replace(i, adopts={"Logs": "/" + "x" * 2_000}) if i.action == "adopt" else i
        for i in adopting.world.set_of(plan).instances
    )
    adopting.run(msgspec.structs.replace(plan, stacks=(msgspec.structs.replace(stack_set, instances=long),)))
    [made] = adopting.change_sets()
    assert len(made["Description"]) == 1_024 and made["Description"].startswith("Takes over /x"), "CreateChangeSet, Description"


def test_a_new_stack_has_no_previous_values_and_nothing_is_made_of_it() -> None:
    from aws.cloudformation.requests import ParameterValue
    from rollout.stackset_adoption import Adoption

    nothing: Any = None
    adoption = Adoption(run=nothing, plan=nothing, stack=nothing, template={}, source=nothing, note=nothing)
    parameters = (ParameterValue(name="A", value="1"), ParameterValue(name="B", value=None))
    assert "previous value" in adoption.take_over(nothing, "s", "t", nothing, parameters)


def adopted(*looks: Any) -> tuple[tuple[str, str], list[int]]:
    """What becomes of a stack that an earlier apply has made, look by look."""
    from rollout.stackset_adoption import Adoption

    left, polls = list(looks), list[int]()
    gateway: Any = SimpleNamespace(describe_stack=lambda _: left.pop(0) if len(left) > 1 else left[0])
    run: Any = SimpleNamespace(gateways=SimpleNamespace(cloudformation=lambda *_: gateway), pause=polls.append)
    plan: Any = SimpleNamespace(stack_name="demo-set")
    instance = InstancePlan(account_id=ACCOUNT, region="eu-west-1", action="adopt")
    nothing: Any = None
    adoption = Adoption(run=run, plan=plan, stack=nothing, template={}, source=nothing, note=nothing)
    return adoption.adopt(instance, Inputs()), polls


def test_a_stack_that_takes_over_is_looked_at_until_it_is_done_or_gone() -> None:
    def live(status: str) -> StackDescription:
        return StackDescription(name="s", arn="arn", status=status, changed_at="t")

    there = live("CREATE_IN_PROGRESS")
    assert adopted(there, there, live("REVIEW_IN_PROGRESS"), live("CREATE_COMPLETE")) == (("arn", ""), [0, 1])
    (arn, problem), polls = adopted(there, None)
    assert (arn, polls) == ("", []) and problem.startswith("the stack StackSet-demo-set-") and problem.endswith(" is gone")
