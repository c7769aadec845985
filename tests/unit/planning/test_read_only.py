"""A plan of somebody who may change nothing: nothing is left, no role passed, no secret read, and it says the same as any other."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from assembly.model import Parameter, RoleName, SecretRef, SecretVersionRef
from planning.model import StackPlan, plan_digest
from tests.simulated import SimulatedGateways, Small, small_assembly
from tests.unit.planning.test_plan import execute, plan_of, settled, stack_of, two

SECRET = small_assembly(
    Small(
        id="edge",
        template={
            "Parameters": {"Hash": {"Type": "String", "NoEcho": True}, "Version": {"Type": "String"}},
            "Resources": {
                "Function": {
                    "Type": "AWS::Lambda::Function",
                    "Properties": {"Code": {"ZipFile": {"Fn::Sub": "${Hash}"}}, "Description": {"Ref": "Version"}},
                }
            },
        },
        parameters=(
            Parameter(name="Hash", source=SecretRef(secret="demo/auth", key="hash"), no_echo=True),
            Parameter(name="Version", source=SecretVersionRef(secret="demo/auth")),
        ),
    )
)


def created(gateways: SimulatedGateways) -> list[dict[str, Any]]:
    """Every CreateChangeSet that was sent."""
    return [arguments for place in gateways.places.values() for name, arguments in place.calls if name == "create_change_set"]


def test_of_a_stack_that_is_not_there_no_change_set_is_made_and_all_of_it_is_shown() -> None:
    gateways = SimulatedGateways()
    plan = plan_of(two(), gateways, read_only=True)
    assert not plan.blocked and plan.has_changes and plan.change_sets == ()
    assert created(gateways) == [] and gateways.left == []
    usual = plan_of(two(), SimulatedGateways())
    for stack in ("certificate", "site"):
        was, now = stack_of(usual, stack), stack_of(plan, stack)
        assert (now.operation, [r.logical_id for r in now.resources]) == ("create", [r.logical_id for r in was.resources])
    assert "read_only" in {f.code for f in plan.findings}


def test_of_a_stack_that_is_there_the_change_set_is_read_and_deleted_and_no_role_is_passed() -> None:
    gateways = SimulatedGateways()
    role = RoleName(name="demo-cloudformation")
    settled(two(service_role=role), gateways)
    there = gateways.left
    changed = two("example.com", service_role=role)
    before = {each["ChangeSetName"] for each in created(gateways)}
    plan = plan_of(changed, gateways, nonce="feedfeed", read_only=True)
    sent = [each for each in created(gateways) if each["ChangeSetName"] not in before]
    assert sent and all(each["ChangeSetName"].startswith("review-") and "RoleARN" not in each for each in sent)
    assert gateways.left == there and plan.change_sets == ()
    usual = plan_of(changed, gateways, nonce="beefbeef")
    assert any(each.get("RoleARN") for each in created(gateways) if each["ChangeSetName"].endswith("beefbeef"))
    for found in plan.stacks:
        assert isinstance(found, StackPlan)
        same = stack_of(usual, found.stack)
        assert (found.operation, found.resources, found.parameters) == (same.operation, same.resources, same.parameters)


def test_no_secret_is_read_and_a_new_version_shows() -> None:
    gateways = SimulatedGateways(secrets={"demo/auth": ("v1", {"hash": "first-secret-hash"})})
    execute(plan_of(SECRET, gateways), gateways)
    gateways.secrets["demo/auth"] = ("v2", {})
    plan = plan_of(SECRET, gateways, nonce="feedfeed", read_only=True)
    shown = {p.name: p for p in stack_of(plan, "edge").parameters}
    assert shown["Hash"].changed and shown["Version"].changed
    assert not plan.blocked
    kept = next(p for p in created(gateways)[-1]["Parameters"] if p["ParameterKey"] == "Hash")
    assert kept.get("UsePreviousValue") is True and "ParameterValue" not in kept


def test_the_code_of_a_pull_request_makes_no_change_set_of_a_stack_that_takes_a_secret() -> None:
    gateways = SimulatedGateways(secrets={"demo/auth": ("v1", {"hash": "first-secret-hash"})})
    execute(plan_of(SECRET, gateways), gateways)
    sent = len(created(gateways))
    assembly, templates = SECRET
    edited = json.loads(templates["edge"])
    edited["Resources"]["Function"]["Properties"]["Timeout"] = 5
    unreviewed = msgspec.structs.replace(assembly, pull_request_role_name="demo-pull-request"), {"edge": json.dumps(edited).encode()}
    caller = "arn:aws:sts::111111111111:assumed-role/demo-pull-request/plan-1"
    plan = plan_of(unreviewed, gateways, nonce="feedfeed", caller=caller, read_only=True)
    found = stack_of(plan, "edge")
    assert (found.operation, [r.logical_id for r in found.resources]) == ("update", ["Function"])
    assert "not_asked" in {f.code for f in found.findings}
    assert len(created(gateways)) == sent
    same = plan_of((unreviewed[0], templates), gateways, nonce="cafecafe", caller=caller, read_only=True)
    assert (stack_of(same, "edge").operation, len(created(gateways))) == ("none", sent)


def test_what_stands_in_another_account_is_left_out_and_the_rest_is_a_part() -> None:
    assembly, templates = two()
    foreign = msgspec.structs.replace(assembly.stacks[0], role_arn="arn:aws:iam::444444444444:role/zone-records")
    made = msgspec.structs.replace(assembly, stacks=(foreign, *assembly.stacks[1:])), templates
    gateways = SimulatedGateways()
    settled(two(), gateways)
    plan = plan_of(made, gateways, nonce="feedfeed", read_only=True)
    assert [s.stack for s in plan.stacks] == ["site"] and plan.options.only == ("site",)
    assert [f.code for f in plan.findings] == ["read_only", "not_in_read_only_plan"]
    assert not plan.blocked


def test_plans_from_before_there_were_read_only_ones_keep_their_digest() -> None:
    plan = plan_of(two(), SimulatedGateways())
    assert b"read_only" not in msgspec.json.encode(plan.digest)
    raw = msgspec.to_builtins(plan)
    del raw["options"]["read_only"]
    assert plan_digest(msgspec.convert(raw, type(plan))) == plan.digest
