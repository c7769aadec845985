"""What plans leave behind: resources that were replaced, change sets that wait; and what a plan means for those who defend."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from aws.errors import AccessDenied
from changes.model import Replacement, ResourceChange
from gateways.retained import CERTIFICATE, VERSION
from planning.cleanup import drop
from planning.meaning import _before, _settings, _told, with_consequences
from planning.model import SettingChange, Superseded
from planning.superseded import left, replaced_by, still_there
from tests.simulated import small_assembly
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


def test_a_plan_that_changes_nothing_or_is_blocked_means_nothing() -> None:
    nothing: Any = None
    for blocked, changes in ((True, True), (False, False)):
        plan: Any = SimpleNamespace(blocked=blocked, has_changes=changes)
        assert with_consequences(plan, {}, nothing) is plan
