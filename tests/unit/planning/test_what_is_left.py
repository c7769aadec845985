"""What plans leave behind: resources that were replaced, change sets that wait; and what a plan means for those who defend."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from aws.errors import AccessDenied
from changes.model import Replacement, ResourceChange
from gateways.retained import CERTIFICATE, VERSION
from planning.cleanup import drop
from planning.meaning import _before, _settings, _told, with_consequences
from planning.model import SettingChange, StackPlan, Superseded, TakenOver
from planning.request import real_change_set_name
from planning.run import Planned
from planning.superseded import left, replaced_by, still_there
from tests.simulated import small_assembly
from tests.unit.planning.test_stackset_plan import planned as planned_set
from tests.unit.planning.test_stacksets import World as OfSets
from tests.unit.rollout.test_apply import Desk, chain, small

# --- what was replaced ------------------------------------------------------------------------------------------------

PLACE: dict[str, Any] = {"stack": "a", "stack_name": "s", "account_id": "1", "region": "r", "role_arn": None}


def change(action: Any, policy: Any, verdict: Any = "yes", kind: str = CERTIFICATE, physical_id: str | None = "old") -> ResourceChange:
    replacement = Replacement(verdict=verdict)
    return ResourceChange(
        logical_id="C", resource_type=kind, action=action, physical_id=physical_id, policy_action=policy, replacement=replacement
    )


@pytest.mark.parametrize(
    ("made", "stays"),
    [
        (change("modify", "ReplaceAndRetain"), True),
        (change("modify", "ReplaceAndRetain", "maybe"), True),
        (change("modify", "ReplaceAndRetain", "no"), False),
        (change("modify", "ReplaceAndDelete"), False),
        (change("modify", "Retain"), False),
        (change("remove", "Retain", "no"), True),
        (change("remove", "ReplaceAndRetain"), False),
        (change("remove", "Delete"), False),
        (change("modify", "ReplaceAndRetain", physical_id=None), False),
        (change("modify", "ReplaceAndRetain", kind="AWS::EC2::VPC"), False),
    ],
)
def test_what_an_execution_leaves_is_what_it_keeps_and_can_be_removed(made: ResourceChange, stays: bool) -> None:
    place = {key: value for key, value in PLACE.items() if key != "role_arn"}
    plan: Any = SimpleNamespace(resources=(made,), place=place, role_arn="role")
    assert [(each.physical_id, each.role_arn, each.since) for each in replaced_by(plan)] == [("old", "role", "")] * stays


def test_only_what_can_be_removed_and_is_there_is_left() -> None:
    found = [Superseded(**PLACE, logical_id="x", resource_type=kind, physical_id=name) for kind, name in (
        (CERTIFICATE, "there"), (CERTIFICATE, "gone"), ("AWS::EC2::VPC", "there"),
    )]  # fmt: skip
    retained: Any = SimpleNamespace(exists=lambda kind, name: name == "there")
    assert [(each.resource_type, each.physical_id) for each in still_there(found, retained)] == [(CERTIFICATE, "there")]


def test_events_without_anything_left_ask_for_no_resources_and_a_refusal_keeps_its_words() -> None:
    def event(status: str, physical_id: str = "old", reason: str = "why") -> Any:
        return SimpleNamespace(
            status=status, physical_id=physical_id, resource_type=VERSION, logical_id="V", at="2026-11-27T10:00:00Z", reason=reason
        )

    def asked(*events: Any) -> list[tuple[str, str, str]]:
        gateway: Any = SimpleNamespace(events=lambda _: events, list_resources=lambda _: ())
        return [(each.physical_id, each.since, each.reason) for each in left(PLACE, "arn", gateway)]

    assert asked(event("DELETE_FAILED")) == [("old", "2026-11-27T10:00:00Z", "why")]
    assert asked(event("DELETE_SKIPPED")) == [("old", "2026-11-27T10:00:00Z", "")]
    assert (
        asked(event("DELETE_SKIPPED"), event("IMPORT_COMPLETE")) == [] == asked(event("DELETE_SKIPPED", ""), event("DELETE_FAILED", "arn"))
    )
    silent: Any = SimpleNamespace(events=lambda _: ())
    assert left(PLACE, "arn", silent) == ()


# --- what waits -------------------------------------------------------------------------------------------------------


def test_a_plan_that_is_dropped_leaves_no_change_set_and_no_empty_stack() -> None:
    desk = Desk()
    plan = desk.plan(chain())
    place = desk.simulation.at("eu-west-1")
    assert place.change_sets and place.stacks
    assert drop(plan, desk.simulation) == () and place.change_sets == {} and place.stacks == {}
    assert drop(plan, desk.simulation) == (), "once more changes nothing"


def test_what_cannot_be_dropped_is_told_stack_by_stack() -> None:
    desk = Desk()
    plan = desk.plan(small_assembly(small("a"), small("b")))

    def refuse(name: str, arguments: Any) -> None:
        if name == "delete_change_set" and "demo-test-a" in str(arguments):
            raise AccessDenied("not you")

    desk.simulation.faults.before_call = refuse
    (found,) = drop(plan, desk.simulation)
    assert (found.severity, found.code, found.stack, found.command) == (
        "warning",
        "change_set_left",
        "a",
        "python deploy.py doctor --env test --fix",
    )
    assert {c["StackName"] for c in desk.simulation.at("eu-west-1").change_sets.values()} == {"demo-test-a"}


def test_what_has_nothing_that_waits_is_not_asked_about() -> None:
    desk = Desk()
    made = small_assembly(small("a"), small("b", "1"))
    desk.apply(made, desk.plan(made))
    changed = desk.plan(small_assembly(small("a"), small("b", "2")))
    assert [stack.operation for stack in changed.stacks] == ["none", "update"]
    of_set = planned_set()
    plan = msgspec.structs.replace(changed, stacks=(of_set, *changed.stacks))
    desk.simulation.at("eu-west-1").calls.clear()
    places: list[str] = []
    places_of: Any = SimpleNamespace(
        cloudformation=lambda *place: places.append(place[0]) or desk.simulation.cloudformation(*place)  # type: ignore[func-returns-value]
    )
    assert drop(plan, places_of) == () and len(places) == 1, "the set and the stack that stays have left nothing"
    assert [name for name, _ in desk.simulation.at("eu-west-1").calls] == ["delete_change_set"]


def test_what_waits_is_told_by_the_name_that_it_has() -> None:
    desk = Desk()
    plan = desk.plan(chain())
    stacks = [*(f"demo-test-{stack.stack}" for stack in plan.stacks), *(each.stack_arn for each in plan.change_sets)]
    for method in ("list_change_sets", "delete_change_set"):
        desk.simulation.faults.errors |= {(method, stack): AccessDenied("not you") for stack in stacks}
    told = {each.stack: each.message for each in drop(plan, desk.simulation)}
    for stack in plan.stacks:
        assert isinstance(stack, StackPlan)
        name = stack.change_set.name if stack.change_set is not None else real_change_set_name(plan)
        assert f"the change set {name} of an earlier plan" in told[stack.stack]


@pytest.mark.parametrize(("name", "goes"), [("", True), ("-import", True), ("-1", False), ("-import-import", False)])
def test_of_an_import_that_was_cut_off_goes_what_was_made_to_take_over_and_to_align(name: str, goes: bool) -> None:
    desk = Desk()
    made = small_assembly(small("a", "1"))
    desk.apply(made, desk.plan(made))
    plan = desk.plan(small_assembly(small("a", "2")))
    imports = msgspec.structs.replace(plan.stacks[0], operation="import", change_set=None)
    plan = msgspec.structs.replace(plan, stacks=(imports,))
    place = desk.simulation.at("eu-west-1")
    place.change_sets.clear()
    body = {"Resources": {"Other": {"Type": "AWS::SNS::Topic"}}}
    request = {"StackName": imports.stack_name, "ChangeSetName": f"{real_change_set_name(plan)}{name}", "Parameters": []}
    place.create_change_set(**request, ChangeSetType="UPDATE", TemplateBody=json.dumps(body))
    assert drop(plan, desk.simulation) == () and bool(place.change_sets) is not goes
    assert imports.stack_name in place.stacks


# --- what it means ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "lifted"),
    [
        ('{"Effect": "Deny"}', '{"Effect": "Allow"}', True),
        ('{"Effect": "Deny"}', '{"Effect": "Deny", "x": 1}', False),
        ('{"Effect": "Allow"}', '{"Effect": "Allow", "x": 1}', False),
        ("", '{"Effect": "Allow"}', False),
    ],
)
def test_a_stack_policy_that_refuses_nothing_any_more_is_a_defence_less(before: str, after: str, lifted: bool) -> None:
    def told(setting: Any) -> int:
        plan: Any = SimpleNamespace(stack="a", settings=(SettingChange(setting=setting, before=before, after=after),))
        return len(_settings(plan))

    assert told("stack_policy") == lifted and told("termination_protection") == 0


def test_regions_of_a_set_are_those_in_which_something_is_done() -> None:
    planned: Any = SimpleNamespace(context=None)
    world = OfSets()
    plan = world.set_of(world.plan())
    assert (_told(plan, planned).regions, _told(plan, planned).after) == (3, {})
    world.run(world.plan())
    assert _told(world.set_of(world.plan()), planned).regions == 0
    (stack,) = Desk().plan(small_assembly(small("a"))).stacks
    assert _told(stack, planned).regions == 0 and _before(stack, planned) == {}


def test_what_the_import_alone_keeps_is_no_defence_of_before() -> None:
    plan = Desk().plan(small_assembly(small("a"))).stacks[0]
    names = ("Taken", "Again", "Stood", "New")
    takes = tuple(
        TakenOver(logical_id=name, resource_type="T", identifier={}, physical_id=name, source="s", sha256="0") for name in ("Taken", "New")
    )
    before = {name: {"Type": "T", "DeletionPolicy": "Retain"} for name in names if name != "New"}
    after = {name: {"Type": "T", "DeletionPolicy": "Delete"} for name in names}
    planned: Any = SimpleNamespace(context=SimpleNamespace(before=before, after=after))
    policies = {name: body["DeletionPolicy"] for name, body in _before(msgspec.structs.replace(plan, takes=takes), planned).items()}
    assert policies == {"Taken": "Delete", "Again": "Retain", "Stood": "Retain"}
    assert _before(plan, planned) == before


def test_what_is_not_asked_for_any_more_is_told_where_there_was_an_apply_before() -> None:
    desk = Desk()
    made = small_assembly(small("a"))
    plan = desk.plan(made)

    def lifted(last: Any) -> list[str]:
        run: Any = SimpleNamespace(request=SimpleNamespace(leaving=dict, last=lambda: last, assembly=made[0]), measured=dict)
        found = with_consequences(plan, {"a": Planned(plan=plan.stacks[0])}, run).consequences
        return [each.subject for each in found.posture] if found is not None else ["nothing"]

    assert lifted(msgspec.structs.replace(made[0], approvals=2)) == ["approvals by other people"]
    assert lifted(made[0]) == lifted(None) == []


def test_a_plan_that_changes_nothing_or_is_blocked_means_nothing() -> None:
    nothing: Any = None
    for blocked, changes in ((True, True), (False, False)):
        plan: Any = SimpleNamespace(blocked=blocked, has_changes=changes)
        assert with_consequences(plan, {}, nothing) is plan
