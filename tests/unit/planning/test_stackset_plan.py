"""The plan of a StackSet as a value: from two templates, a list of instances and what a survey found, without any AWS."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from assembly.files import sha256
from assembly.model import OperationPreferences, Stack, StackSet, Targets
from aws.cloudformation.requests import REDACTED, ParameterValue
from aws.cloudformation.stack_sets import StackInstance, StackSetDescription
from planning.inputs import Inputs
from planning.model import Finding, InstancePlan, Options, ParameterPlan, StackSetPlan
from planning.stackset_survey import Survey, named
from planning.stacksets import administration_role_arn, holds_data, moved_since, plan_stack_set, same_template, template_of
from templates.schemas import Schemas
from templates.values import Known, Redacted
from tests.simulated import ACCOUNT, Small, small_assembly, stackset

OTHER, THIRD = "210987654321", "310987654321"
TOPIC: dict[str, Any] = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "a"}}}}
OTHERWISE: dict[str, Any] = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "b"}}}}
BUCKET: dict[str, Any] = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}}}}
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/admin"


def stack(template: dict[str, Any] = TOPIC, target: StackSet | None = None, **more: Any) -> Stack:
    given = target or stackset("eu-west-1", accounts=(ACCOUNT, OTHER))
    return small_assembly(Small(id="it", template=template, region="us-east-1", more={"stackset": given, **more}))[0].stacks[0]


def live(template: dict[str, Any] | str = TOPIC, **more: Any) -> StackSetDescription:
    body = template if isinstance(template, str) else json.dumps(template)
    usual = {"description": "it", "administration_role_arn": ADMIN, "execution_role_name": "execution", "id": "s:1"}
    return StackSetDescription(name="demo-test-it", template_body=body, **(usual | more))


def instance(account: str = ACCOUNT, region: str = "eu-west-1", status: str = "CURRENT", **more: Any) -> StackInstance:
    return StackInstance(account_id=account, region=region, status=status, **more)


BOTH = (instance(), instance(OTHER))


def planned(
    template: dict[str, Any] = TOPIC,
    found: StackSetDescription | None = None,
    instances: tuple[StackInstance, ...] = BOTH,
    *,
    target: StackSet | None = None,
    inputs: Inputs | None = None,
    surveyed: Survey | None = None,
    stack_more: dict[str, Any] | None = None,
    **options: Any,
) -> StackSetPlan:
    return plan_stack_set(
        stack(template, target, **(stack_more or {})),
        template,
        inputs or Inputs(),
        live=found,
        instances=instances,
        schemas=Schemas(directory=None),
        surveyed=surveyed or Survey(environment="test"),
        options=Options(**options),
    )


def doing(plan: StackSetPlan) -> dict[str, tuple[str, str]]:
    return {f"{i.account_id} {i.region}": (i.action, i.reason) for i in plan.instances}


def codes(plan: StackSetPlan) -> list[tuple[str, str]]:
    return [(f.severity, f.code) for f in plan.findings]


# --- the set itself -----------------------------------------------------------------------------------------------


def test_a_set_that_is_not_there_is_created_everywhere() -> None:
    plan = planned(instances=())
    assert (plan.operation, plan.exists, plan.stack_set_id, plan.deployed_template_sha256) == ("create", False, None, None)
    assert doing(plan) == {f"{ACCOUNT} eu-west-1": ("create", ""), f"{OTHER} eu-west-1": ("create", "")}
    assert [r.action for r in plan.resources] == ["add"] and plan.settings_changed == () and plan.findings == ()


def test_a_set_as_it_is_wanted_is_left_alone() -> None:
    plan = planned(found=live())
    assert (plan.operation, plan.exists, plan.stack_set_id) == ("none", True, "s:1")
    assert plan.deployed_template_sha256 == sha256(json.dumps(TOPIC).encode())
    assert set(doing(plan).values()) == {("none", "")} and plan.resources == ()


@pytest.mark.parametrize(
    "why",
    [
        {"template": OTHERWISE},
        {"template": {**TOPIC, "Description": "another text"}},
        {"inputs": Inputs(show=(ParameterPlan(name="A", source="literal", before=None, after=Known(text="1"), changed=True),))},
        {"stack_more": {"tags": {"a": "b"}}},
    ],
)
def test_each_reason_for_an_update_updates_every_instance(why: dict[str, Any]) -> None:
    plan = planned(found=live(), **why)
    assert plan.operation == "update"
    assert set(doing(plan).values()) == {("update", "the set changes")}
    assert bool(plan.resources) is (why.get("template") == OTHERWISE)


def test_a_parameter_that_stays_is_no_reason_and_one_instance_is() -> None:
    same = Inputs(show=(ParameterPlan(name="A", source="literal", before=Known(text="1"), after=Known(text="1"), changed=False),))
    assert planned(found=live(), inputs=same).operation == "none"
    plan = planned(found=live(), instances=(instance(),))
    assert plan.operation == "instances" and doing(plan)[f"{OTHER} eu-west-1"] == ("create", "") and plan.resources == ()


@pytest.mark.parametrize(
    ("deployed", "name"),
    [
        ({"description": "other"}, "description"),
        ({"tags": {"a": "b"}}, "tags"),
        ({"capabilities": ("CAPABILITY_IAM",)}, "capabilities"),
        ({"administration_role_arn": f"{ADMIN}-other"}, "administration role"),
        ({"execution_role_name": "other"}, "execution role"),
        ({"managed_execution": True}, "managed execution"),
    ],
)
def test_each_setting_that_differs_is_named(deployed: dict[str, Any], name: str) -> None:
    assert planned(found=live(**deployed)).settings_changed == (name,)


def organized(**more: Any) -> StackSet:
    return StackSet(
        permission_model="SERVICE_MANAGED",
        targets=Targets(organizational_units=("ou-a",), regions=("eu-west-1",)),
        preferences=OperationPreferences(),
        **more,
    )


@pytest.mark.parametrize(
    ("wanted", "deployed", "changed"),
    [
        ({}, {}, ()),
        ({}, {"administration_role_arn": "arn:x", "execution_role_name": "x", "retain_stacks_on_account_removal": False}, ()),
        ({}, {"auto_deployment": True}, ("automatic deployment",)),
        ({"auto_deployment": True}, {"managed_execution": True, "retain_stacks_on_account_removal": True}, ("automatic deployment",)),
        (
            {"auto_deployment": True, "retain_stacks_on_account_removal": True},
            {"auto_deployment": True, "managed_execution": True},
            ("retain stacks",),
        ),
    ],
)
def test_settings_of_a_service_managed_set(wanted: dict[str, Any], deployed: dict[str, Any], changed: tuple[str, ...]) -> None:
    found = live(permission_model="SERVICE_MANAGED", **deployed)
    assert planned(found=found, target=organized(**wanted), instances=()).settings_changed == changed


def test_the_administration_role_is_of_the_sets_partition() -> None:
    for region, partition in (("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")):
        placed = msgspec.structs.replace(stack(), region=region)
        assert administration_role_arn(placed) == f"arn:{partition}:iam::{ACCOUNT}:role/admin"
    assert administration_role_arn(stack(target=organized())) is None


def test_what_cannot_be_changed_of_a_set_blocks_it() -> None:
    plan = planned(found=live(permission_model="SERVICE_MANAGED"))
    assert plan.operation == "blocked" and codes(plan) == [("error", "permission_model_fixed")]
    assert "demo-test-it is SERVICE_MANAGED, which cannot be changed to SELF_MANAGED" in plan.findings[0].message
    assert plan.findings[0].stack == "it" and plan.resources == () and plan.widenings == ()


@pytest.mark.parametrize("body", ["Resources: {}", "[]", "{}", ""])
def test_a_deployed_template_that_cannot_be_read_is_noted(body: str) -> None:
    plan = planned(found=live(body))
    assert codes(plan) == [("note", "template_unreadable")] and plan.operation == "update"
    assert [r.action for r in plan.resources] == ["add"]


def test_templates_are_compared_without_the_order_of_their_keys() -> None:
    assert same_template({"a": 1, "b": 2}, {"b": 2, "a": 1}) and not same_template({"a": [1, 2]}, {"a": [2, 1]})
    assert template_of('{"a": 1}') == {"a": 1} and template_of("[1]") == {} == template_of("a: 1")
    assert holds_data(BUCKET) and not holds_data(TOPIC) and not holds_data({})
    assert holds_data({"Resources": {**TOPIC["Resources"], **BUCKET["Resources"]}})


# --- instances ----------------------------------------------------------------------------------------------------


def test_what_becomes_of_each_instance() -> None:
    target = stackset("eu-west-1", "us-east-1", accounts=(ACCOUNT, OTHER))
    there = (
        instance(),
        instance(ACCOUNT, "us-east-1", "INOPERABLE", reason="gone wrong"),
        instance(OTHER, "us-east-1", "OUTDATED", drift="DRIFTED"),
        instance(THIRD),
    )
    surveyed = Survey(environment="test", overrides={(OTHER, "us-east-1"): {"Days": "3"}})
    plan = planned(found=live(), instances=there, target=target, surveyed=surveyed)
    assert doing(plan) == {
        f"{ACCOUNT} eu-west-1": ("none", ""),
        f"{ACCOUNT} us-east-1": ("none", "INOPERABLE, which CloudFormation leaves out of updates: gone wrong"),
        f"{OTHER} eu-west-1": ("create", ""),
        f"{OTHER} us-east-1": ("update", "it is OUTDATED"),
        f"{THIRD} eu-west-1": ("remove", "not among the targets"),
    }
    outdated = next(i for i in plan.instances if (i.account_id, i.region) == (OTHER, "us-east-1"))
    assert (outdated.status, outdated.drift, outdated.overrides) == ("OUTDATED", "DRIFTED", {"Days": "3"})
    assert plan.instances[-1].account_id == THIRD, "what goes comes last"
    kept = planned(found=live(), instances=there, target=target, removed_instances="keep")
    assert doing(kept)[f"{THIRD} eu-west-1"] == ("retain", "not among the targets; its stack stays")


@pytest.mark.parametrize(
    ("deployed", "wanted", "choice", "action"),
    [
        (BUCKET, TOPIC, "default", "retain"),
        (TOPIC, BUCKET, "default", "remove"),
        ("not json", BUCKET, "default", "retain"),
        (BUCKET, BUCKET, "delete", "remove"),
        (TOPIC, TOPIC, "keep", "retain"),
    ],
)
def test_the_deployed_template_tells_whether_an_instance_holds_data(
    deployed: Any, wanted: dict[str, Any], choice: str, action: str
) -> None:
    plan = planned(wanted, live(deployed), (*BOTH, instance(THIRD)), removed_instances=choice)
    assert doing(plan)[f"{THIRD} eu-west-1"][0] == action


def test_accounts_that_are_suspended_and_names_that_are_there() -> None:
    surveyed = Survey(environment="test", inactive=frozenset({OTHER}), existing={(ACCOUNT, "eu-west-1"): {"Logs": "/a"}})
    plan = planned(instances=(), surveyed=surveyed)
    assert doing(plan) == {
        f"{ACCOUNT} eu-west-1": ("adopt", "takes over /a"),
        f"{OTHER} eu-west-1": ("none", "the account is suspended or being closed"),
    }
    assert plan.instances[0].adopts == {"Logs": "/a"} and plan.instances[1].adopts == {}
    there = planned(OTHERWISE, live(), surveyed=surveyed)
    assert doing(there)[f"{OTHER} eu-west-1"] == ("none", "the account is suspended or being closed")
    assert doing(there)[f"{ACCOUNT} eu-west-1"] == ("update", "the set changes")


def test_units_are_planned_by_account_where_they_can_be_read_and_as_units_else() -> None:
    read = planned(target=organized(), instances=(), surveyed=Survey(units={OTHER: "ou-a"}))
    assert [(i.account_id, i.organizational_unit, i.action) for i in read.instances] == [(OTHER, "ou-a", "create")]
    unread = planned(target=organized(), instances=(), surveyed=Survey())
    assert [(i.account_id, i.organizational_unit, i.action) for i in unread.instances] == [("", "ou-a", "create")]
    found = live(permission_model="SERVICE_MANAGED")
    there = planned(target=organized(), found=found, surveyed=Survey(), instances=(instance(OTHER, organizational_unit="ou-a"),))
    assert [(i.account_id, i.action) for i in there.instances] == [(OTHER, "none")]


# --- findings -----------------------------------------------------------------------------------------------------


def test_findings_of_inputs_and_survey_come_along_and_an_error_blocks() -> None:
    error = Finding(severity="error", code="from_inputs", message="m", stack="it")
    warning = Finding(severity="warning", code="from_survey", message="m", stack="it")
    assert planned(found=live(), surveyed=Survey(findings=(warning,))).operation == "none"
    plan = planned(OTHERWISE, live(), inputs=Inputs(findings=(error,)), surveyed=Survey(findings=(warning,)))
    assert (plan.operation, codes(plan), plan.resources) == ("blocked", [("error", "from_inputs"), ("warning", "from_survey")], ())


def clashing(policy: str | None) -> StackSetPlan:
    body: dict[str, Any] = {"Type": "AWS::Logs::LogGroup", **({"DeletionPolicy": policy} if policy else {})}
    surveyed = Survey(existing={(ACCOUNT, "eu-west-1"): {"Logs": "/a"}, (OTHER, "eu-west-1"): {"Logs": "/a"}})
    return planned({"Resources": {"Logs": body}}, instances=(), surveyed=surveyed)


def test_a_log_group_that_stands_in_several_places_is_told_once() -> None:
    for policy in ("Retain", "RetainExceptOnCreate"):
        plan = clashing(policy)
        assert codes(plan) == [("note", "instance_adopted")] and plan.operation == "create"
        assert plan.findings[0].message.startswith(f"/a in {ACCOUNT} eu-west-1, {OTHER} eu-west-1 is taken over")
    for other in (None, "Delete"):
        plan = clashing(other)
        assert codes(plan) == [("error", "instance_clash")] and plan.operation == "blocked"
        assert f"/a exists already in {ACCOUNT} eu-west-1, {OTHER} eu-west-1, where Logs would make it" in plan.findings[0].message


@pytest.mark.parametrize(
    ("policy", "code", "words"),
    [
        (None, "instance_data_lost", "is REMOVED in 310987654321 eu-west-1: its objects WILL BE LOST"),
        ("Snapshot", "instance_data_lost", "its objects WILL BE LOST but for a snapshot"),
        ("Retain", "instance_data_left", "stays in 310987654321 eu-west-1, but no stack knows it any more"),
        ("RetainExceptOnCreate", "instance_data_left", "stays in"),
    ],
)
def test_data_of_an_instance_that_is_removed(policy: str | None, code: str, words: str) -> None:
    body = {**BUCKET["Resources"]["Bucket"], **({"DeletionPolicy": policy} if policy else {})}
    template = {"Resources": {**TOPIC["Resources"], "Bucket": body, "Second": body}}
    plan = planned(template, live(template), (*BOTH, instance(THIRD)), removed_instances="delete")
    assert codes(plan) == [("warning", code)] * 2, "each, and the topic is none"
    assert words in plan.findings[0].message and plan.findings[0].message.startswith("Bucket (AWS::S3::Bucket) ")
    assert ("snapshot" in plan.findings[0].message) is (policy == "Snapshot")
    lost = "python deploy.py plan --env test --removed-instances keep" if code == "instance_data_lost" else ""
    assert plan.findings[0].command == lost
    assert codes(planned(template, live(template), removed_instances="delete")) == [], "nothing goes"
    assert codes(planned(template, live(template), (*BOTH, instance(THIRD)), removed_instances="keep")) == []


def test_conditions_are_told_of_instances_that_stay_only() -> None:
    def of(account: str, *, keep: bool = False) -> list[tuple[str, str]]:
        there = (instance(account, status="INOPERABLE"), instance(account, "us-east-1", status="OUTDATED", drift="DRIFTED"))
        target = stackset("eu-west-1", "us-east-1", accounts=(ACCOUNT,))
        return codes(planned(found=live(), instances=there, target=target, removed_instances="keep" if keep else "delete"))

    assert of(ACCOUNT) == [("warning", "instances_inoperable"), ("note", "instances_outdated"), ("warning", "instances_drifted")]
    assert of(THIRD) == [] == of(THIRD, keep=True)


def test_the_command_for_inoperable_instances_names_the_first_of_them() -> None:
    there = (instance(), instance(OTHER, status="INOPERABLE"), instance(THIRD, status="INOPERABLE"))
    target = stackset("eu-west-1", accounts=(ACCOUNT, OTHER, THIRD))
    (told,) = planned(found=live(), instances=there, target=target).findings
    assert told.message.startswith(f"INOPERABLE, so left out of every update: {OTHER} eu-west-1, {THIRD} eu-west-1;")
    assert told.command == (
        "aws cloudformation delete-stack-instances --stack-set-name demo-test-it --region us-east-1"
        f" --accounts {OTHER} --regions eu-west-1 --retain-stacks"
    )


def test_overrides_are_told_by_parameter() -> None:
    surveyed = Survey(overrides={(ACCOUNT, "eu-west-1"): {"A": "1"}, (OTHER, "eu-west-1"): {"A": "2", "B": "3"}})
    plan = planned(found=live(), surveyed=surveyed)
    assert codes(plan) == [("warning", "parameter_overridden")] * 2
    assert f"the parameter A has values of its own in {ACCOUNT} eu-west-1, {OTHER} eu-west-1," in plan.findings[0].message


def test_the_first_eight_are_named() -> None:
    assert named(map(str, range(8))) == "0, 1, 2, 3, 4, 5, 6, 7"
    assert named(map(str, range(1_010))) == "0, 1, 2, 3, 4, 5, 6, 7 and 1,002 more"
    assert named("abc", 2) == "a, b and 1 more" and named([]) == ""


# --- has it moved? ------------------------------------------------------------------------------------------------


def as_planned(*parameters: ParameterPlan) -> StackSetPlan:
    return planned(OTHERWISE, live(), inputs=Inputs(show=parameters))


def test_a_set_that_is_as_it_was_has_not_moved() -> None:
    assert moved_since(as_planned(), live(), BOTH) == () == moved_since(as_planned(), live(), None)
    new = planned(instances=())
    assert moved_since(new, None, ()) == () == moved_since(new, live(OTHERWISE), (instance(),)), "what makes it anew may have begun"


def test_each_way_in_which_a_set_moves() -> None:
    plan = as_planned()
    assert moved_since(plan, None, BOTH) == ("the StackSet has been deleted since it was planned",)
    assert moved_since(plan, live(id="s:2"), ()) == ("the StackSet has been deleted and made again since it was planned",)
    assert moved_since(plan, live(OTHERWISE), BOTH) == ("the StackSet has got another template since it was planned",)
    assert moved_since(plan, live(), (instance(status="OUTDATED"), instance(THIRD))) == (
        f"instances {ACCOUNT} eu-west-1: was CURRENT when it was planned, is OUTDATED now",
        f"instances {OTHER} eu-west-1: was CURRENT when it was planned, is gone now",
        f"instances {THIRD} eu-west-1: there was none when it was planned, is CURRENT now",
    )
    assert moved_since(plan, live(), None) == (), "instances are not looked at"
    assert len(moved_since(plan, live(OTHERWISE), ())) == 2


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (None, {}, ()),
        (None, {"A": "1"}, ("the parameter A has come since it was planned",)),
        (Known(text="1"), {}, ("the parameter A is gone since it was planned",)),
        (Known(text="1"), {"A": "1"}, ()),
        (Known(text="1"), {"A": "2"}, ("the parameter A was '1' when it was planned, and is '2' now",)),
        (Known(text="1"), {"A": REDACTED}, ()),
        (Redacted(), {"A": "2"}, ()),
        (Redacted(), {}, ("the parameter A is gone since it was planned",)),
    ],
)
def test_each_way_in_which_a_parameter_moves(before: Any, now: dict[str, str], words: tuple[str, ...]) -> None:
    plan = as_planned(ParameterPlan(name="A", source="literal", before=before, after=Known(text="3"), changed=True))
    assert moved_since(plan, live(parameters=now), BOTH) == words


def test_what_is_sent_is_not_what_is_shown() -> None:
    inputs = Inputs(send=(ParameterValue(name="A", value="secret", no_echo=True),), waits_for=("base.Out",))
    plan = planned(found=live(), inputs=inputs)
    assert plan.waits_for == ("base.Out",) and plan.parameters == ()
    assert isinstance(plan.instances[0], InstancePlan)
