"""What a plan of several stacks asks for and holds beside the stacks themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from planning.model import STACK_MOVED, Finding, Options, Plan, StackPlan
from planning.plan import make_plan
from planning.request import Request
from tests.simulated import ACCOUNT, SimulatedGateways, Small, small_assembly, stackset
from tests.unit.planning.test_outputs_and_authority import DEPLOYER, ROLES
from tests.unit.planning.test_plan import NO_SCHEMAS, deployed, logs, plan_of, settled, stack_of
from tests.unit.planning.test_plan_model import content
from tests.unit.rollout.test_rollout_steps import removal

TOPIC: dict[str, Any] = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}}}


def several(*names: str, **more: Any) -> Any:
    return small_assembly(*(Small(id=name, template=TOPIC, more=more) for name in names))


def asked(
    made: Any, gateways: SimulatedGateways, *, workers: int = 8, progress: Callable[..., None] = lambda *_: None, **more: Any
) -> Plan:
    options = Options(**{name: more.pop(name) for name in [*more] if name in Options.__struct_fields__})
    request = Request(
        assembly=made[0],
        templates=made[1],
        options=options,
        created_at="2026-11-22T10:00:00Z",
        created_by="arn:aws:iam::123456789012:user/somebody",
        nonce="0a1b2c3d",
        **more,
    )
    return make_plan(request, gateways, NO_SCHEMAS, workers=workers, progress=progress)


def seen(code: str) -> Callable[[], tuple[Finding, ...]]:
    return lambda: (Finding(severity="error" if code == STACK_MOVED else "note", code=code, message="m"),)


def test_what_the_looks_beside_the_planning_find_is_in_the_plan() -> None:
    first = several("a")
    plan = asked(first, SimulatedGateways(), look=seen("everywhere"), first_look=seen("first"))
    assert [each.code for each in plan.findings] == ["everywhere", "first"] and plan.change_sets
    gateways = SimulatedGateways()
    settled(first, gateways)
    assert [each.code for each in asked(first, gateways, look=seen("everywhere"), first_look=seen("first")).findings] == ["everywhere"]


def test_of_stacks_that_an_edit_would_make_a_second_time_that_is_all_that_is_told() -> None:
    gateways = SimulatedGateways()
    plan = asked(several("a", "b"), gateways, look=seen(STACK_MOVED))
    assert [(stack.operation, stack.findings) for stack in plan.stacks] == [("blocked", ()), ("blocked", ())]
    assert [each.code for each in plan.all_findings] == [STACK_MOVED] and gateways.left == []


@pytest.mark.parametrize(
    ("options", "only", "removed"),
    [
        ({}, (), True),
        ({"only": ("a",)}, ("a",), False),
        ({"only": ("b", "a")}, ("a", "b"), False),
    ],
)
def test_a_part_of_the_stacks_names_its_stacks_and_removes_nothing(options: dict[str, Any], only: tuple[str, ...], removed: bool) -> None:
    plan = asked(several("a", "b"), SimulatedGateways(), removals=lambda: (removal(),), **options)
    assert plan.options.only == only and bool(plan.removals) is removed


def test_a_read_only_plan_without_the_stacks_of_another_account_is_a_part() -> None:
    made = small_assembly(Small(id="a", template=TOPIC), Small(id="dns", template=TOPIC, more={"role_arn": "arn:aws:iam::2:role/dns"}))
    plan = asked(made, SimulatedGateways(), read_only=True, removals=lambda: (removal(),))
    assert (plan.options.only, plan.removals, [stack.stack for stack in plan.stacks]) == (("a",), (), ["a"])
    nothing = asked(several("dns", role_arn="arn:aws:iam::2:role/dns"), SimulatedGateways(), read_only=True)
    assert nothing.stacks == () and "not_in_read_only_plan" in {each.code for each in nothing.findings}


def test_content_that_no_stack_of_the_plan_has_a_place_for_is_told() -> None:
    told = asked(several("a"), SimulatedGateways(), content=content(known_after=("site.Bucket",)))
    assert [each.code for each in told.findings] == ["content_without_site"] and told.content is not None
    assert asked(several("a"), SimulatedGateways()).findings == ()


def test_what_only_an_administrator_may_change_is_told_to_whoever_plans_as_the_deployer() -> None:
    def told(caller: str) -> list[str]:
        found = stack_of(plan_of(ROLES, SimulatedGateways(), caller=caller), "roles").findings
        return [each.code for each in found]

    assert told(DEPLOYER) == ["needs_administrator"] and told(f"arn:aws:iam::{ACCOUNT}:user/admin") == []


@pytest.mark.parametrize(("workers", "threads"), [(1, 1), (0, 1), (3, 3)])
def test_no_more_stacks_are_planned_at_once_than_there_are_workers(workers: int, threads: int) -> None:
    at_once = threading.Barrier(threads, timeout=180)
    used: set[str] = set()

    def told(_: str, what: str) -> None:
        if what == "reading":
            used.add(threading.current_thread().name)
            at_once.wait()

    asked(several("a", "b", "c"), SimulatedGateways(), workers=workers, progress=told)
    assert len(used) == threads


def test_how_long_such_things_took_is_asked_where_something_changes() -> None:
    gateways = SimulatedGateways()
    settled(several("a"), gateways)
    times: list[int] = []

    def measured() -> dict[tuple[str, str], float]:
        times.append(1)
        return {}

    assert not asked(several("a", "b"), gateways, only=("a",), measured=measured).has_changes and times == []
    assert asked(several("a", "b", "c"), gateways, measured=measured).has_changes and times == [1]


def test_how_far_the_survey_of_a_set_is_is_told() -> None:
    told: list[tuple[str, str]] = []
    gateways = SimulatedGateways()
    assert asked(logs(), gateways, progress=lambda *each: told.append(each)).has_changes
    deployed(gateways, "eu-west-1", "us-east-1")
    asked(logs(), gateways, progress=lambda *each: told.append(each))
    assert [what for _, what in told if what.startswith("looking")] == [
        "looking at its instances and their accounts",
        "looking at 2 instances and their accounts",
    ]


def test_what_stands_in_the_way_of_a_set_that_waits_is_told_by_nobody_who_looks_for_a_stack() -> None:
    made = small_assembly(
        Small(id="a", template=TOPIC), Small(id="set", template=TOPIC, depends_on=("a",), more={"stackset": stackset("eu-west-1")})
    )
    gateways = SimulatedGateways()
    gateways.faults.refuse["demo-test-a"] = "because"
    plan = asked(made, gateways)
    assert [each.code for each in plan.stacks[1].findings] == ["dependency_blocked"]
    assert not [name for name, given in gateways.at("eu-west-1").calls if "demo-test-set" in given.values()]


def test_of_a_plan_that_is_blocked_no_stack_has_a_change_set_that_waits() -> None:
    gateways = SimulatedGateways()
    gateways.faults.refuse["demo-test-b"] = "because"
    plan = asked(several("a", "b"), gateways)
    assert isinstance(plan.stacks[0], StackPlan) and plan.stacks[0].operation == "create" and plan.stacks[0].change_set is None
    assert plan.blocked and gateways.left == []
