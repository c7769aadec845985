"""One stack of a plan: what is sent, what is not asked or sent, and what its changes are read with."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from aws.errors import AccessDenied, BadRequest, CredentialsExpired, NotFound
from planning.inputs import Inputs
from planning.model import Options, StackState
from planning.plan import make_plan
from planning.request import Request, Stopped
from planning.run import PlanningRun
from planning.stack import StackPlanner
from templates.values import Known
from tests.simulated import Faults, SimulatedGateways, Small, literal, output, small_assembly
from tests.unit.planning.test_plan import SCHEMAS, plan_of, settled, stack_of, two
from tests.unit.planning.test_plan_steps import BUCKET, DENY, deployed, one, tag

NAMED: dict[str, Any] = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "x"}}}}
A = {"Parameters": {"A": {"Type": "String"}}, **BUCKET}


class Uploading(SimulatedGateways):
    """Counts what is put into the artifact bucket."""

    uploads = 0

    def upload_template(self, bucket: str, body: bytes, *, sha256: str, account_id: str, region: str) -> str | None:
        self.uploads += 1
        return super().upload_template(bucket, body, sha256=sha256, account_id=account_id, region=region)


def called(gateways: SimulatedGateways, method: str = "create_change_set") -> list[dict[str, Any]]:
    return [given for name, given in gateways.at("eu-west-1").calls if name == method]


def large(size: int = 60_000, text: str = "x") -> dict[str, Any]:
    """A template whose text without spacing has that many bytes."""
    made = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": ""}}}}
    room = size - len(json.dumps(made, separators=(",", ":")))
    made["Resources"]["Topic"]["Properties"]["DisplayName"] = text * (room // len(text.encode()))  # type: ignore[index]
    return made


# --- what is sent -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [True, False])
def test_drift_is_reverted_only_if_that_was_asked_for(asked: bool) -> None:
    gateways = SimulatedGateways()
    settled(one(), gateways)
    plan_of(one(NAMED), gateways, nonce="00000009", revert_drift=asked)
    assert ("DeploymentMode" in called(gateways)[-1]) is asked


@pytest.mark.parametrize(("size", "text", "bucket"), [(51_200, "x", False), (51_201, "x", True), (51_200, "é", False), (60_000, "x", True)])
def test_a_template_goes_through_the_bucket_where_its_shortest_text_is_too_long(size: int, text: str, bucket: bool) -> None:
    made = one(large(size, text))
    assert made[0].stacks[0].template.upload
    plan = stack_of(plan_of(made, SimulatedGateways(bucket=False)), "a")
    assert [each.code for each in plan.findings] == (["artifact_bucket_missing"] if bucket else [])


def test_a_read_only_plan_puts_nothing_into_the_bucket() -> None:
    gateways = Uploading()
    settled(one(), gateways)
    fits, not_ = (stack_of(plan_of(one(large(size)), gateways, nonce=f"{size:08x}", read_only=True), "a") for size in (51_190, 60_000))
    assert gateways.uploads == 0 and (fits.operation, not_.operation) == ("update", "update")
    assert [len(given["TemplateBody"]) for given in called(gateways)][2:] == [51_190]
    assert [each.code for each in fits.findings] == [] and [each.code for each in not_.findings] == ["not_previewed"]


def test_what_cannot_be_planned_is_neither_uploaded_nor_compared() -> None:
    gateways = Uploading()
    settled(one(), gateways)
    template = {"Parameters": {"A": {"Type": "String"}}, **large()}
    made = small_assembly(Small(id="base", template=BUCKET), Small(id="a", template=template, parameters=(output("A", "base", "Out"),)))
    before = len(called(gateways))
    plan = stack_of(plan_of(made, gateways, nonce="00000009"), "a")
    assert (plan.operation, [each.code for each in plan.findings]) == ("blocked", ["output_missing"])
    assert plan.resources == () and gateways.uploads == 0 and len(called(gateways)) == before + 1


def test_a_record_that_would_have_another_routing_policy_is_refused_before_anything_is_made() -> None:
    def record(**more: Any) -> dict[str, Any]:
        body = {"Name": "www.example.org", "Type": "A", "HostedZoneId": "Z1", "TTL": "60", "ResourceRecords": ["192.0.2.9"], **more}
        return {"Resources": {"Record": {"Type": "AWS::Route53::RecordSet", "Properties": body}}}

    gateways = SimulatedGateways()
    settled(one(record()), gateways)
    before = len(called(gateways))
    plan = stack_of(plan_of(one(record(Weight=1, SetIdentifier="x")), gateways, nonce="00000009"), "a")
    (found,) = plan.findings
    assert (plan.operation, found.code, plan.resources, len(called(gateways))) == ("blocked", "record_policy", (), before)
    assert found.command.startswith("edit environments/test.yaml: hosted_zone.records: managed")


# --- what is there ------------------------------------------------------------------------------------------------


def test_an_empty_stack_has_no_parameters_tags_or_outputs_of_before() -> None:
    gateways = SimulatedGateways()
    made = small_assembly(Small(id="a", template=A, parameters=(literal("A", "1"),), more={"tags": {"a": "b"}}))
    gateways.at("eu-west-1").deploy("demo-test-a", {**A, "Outputs": {"Old": {"Value": "v"}}}, {"A": "1"}, status="REVIEW_IN_PROGRESS")
    gateways.at("eu-west-1").stacks["demo-test-a"]["Tags"] = tag(a="other")
    plan = stack_of(plan_of(made, gateways), "a")
    assert (plan.operation, plan.tags, plan.outputs) == ("create", (), ())
    assert [(each.before, each.changed) for each in plan.parameters] == [(None, True)]


def test_a_stack_that_is_told_as_deleted_is_none() -> None:
    gateways = SimulatedGateways()
    settled(one(), gateways)
    place = gateways.at("eu-west-1")
    told = {**place.describe_stacks(StackName="demo-test-a")["Stacks"][0], "StackStatus": "DELETE_COMPLETE"}
    place.delete_stack(StackName="demo-test-a")
    place.describe_stacks = lambda StackName: {"Stacks": [told]}  # type: ignore[method-assign]
    plan = stack_of(plan_of(one(), gateways, nonce="00000009"), "a")
    assert (plan.operation, plan.state) == ("create", StackState(exists=False))


@pytest.mark.parametrize("there", [True, False])
def test_the_deployed_template_is_remembered_by_its_digest(there: bool) -> None:
    gateways = deployed(one())
    if not there:
        gateways.faults.errors["get_template", "demo-test-a"] = NotFound("Stack with id demo-test-a does not exist", code="ValidationError")
    plan = stack_of(plan_of(one(NAMED), gateways, nonce="00000009"), "a")
    again = stack_of(plan_of(one(), gateways, nonce="0000000a"), "a").state.template_sha256
    assert plan.state.template_sha256 == again and (again is not None) is there
    assert not [each for each in plan.findings if each.code == "template_unreadable"]


@pytest.mark.parametrize(
    ("edit", "same"),
    [
        ({}, True),
        ({"tags": {"a": "c"}}, False),
        ({"value": "2"}, False),
        ({"template": {**A, "Description": "d"}}, False),
        ({"there": False}, False),
    ],
)
def test_without_cloudformation_a_stack_is_the_same_if_template_parameters_and_tags_are(edit: dict[str, Any], same: bool) -> None:
    gateways = SimulatedGateways()
    if edit.get("there", True):
        gateways.at("eu-west-1").deploy("demo-test-a", A, {"A": "1"})
        gateways.at("eu-west-1").stacks["demo-test-a"]["Tags"] = tag(a="b")
    made = Small(id="a", template=edit.get("template", A), parameters=(literal("A", edit.get("value", "1")),))
    made = replace(made, more={"tags": edit.get("tags", {"a": "b"})})
    planner = planner_of(small_assembly(made), gateways, read_only=True)
    planner.look()
    given = planner.inputs()
    if not edit.get("there", True):
        planner.old_template = planner.template
        given = replace(given, show=())
    assert planner.same(given) is same


def planner_of(made: Any, gateways: SimulatedGateways, **options: Any) -> StackPlanner:
    request = Request(
        assembly=made[0], templates=made[1], options=Options(**options), created_at="2026-11-22T10:00:00Z", created_by="s", nonce="1a"
    )
    run = PlanningRun(request, gateways, SCHEMAS, lambda *_: None, threading.Event())
    return StackPlanner(run, made[0].stacks[0], {})


@pytest.mark.parametrize(
    ("old", "exists", "macro", "before", "comparable"),
    [
        (BUCKET, True, False, BUCKET, True),
        (BUCKET, True, True, BUCKET, False),
        ({**BUCKET, "Transform": "AWS::Serverless-2016-10-31"}, True, False, BUCKET, False),
        ({}, False, False, {"Resources": {}}, True),
        ({}, True, False, NAMED, False),
        ({"Description": "no JSON that we know"}, True, False, NAMED, False),
    ],
    ids=["plain", "a macro now", "a macro before", "new", "unreadable", "without resources"],
)
def test_changes_are_compared_with_the_deployed_template_where_it_is_what_stands(
    old: dict[str, Any], exists: bool, macro: bool, before: dict[str, Any], comparable: bool
) -> None:
    planner = planner_of(one({**NAMED, **({"Transform": "AWS::Serverless-2016-10-31"} if macro else {})}), SimulatedGateways())
    planner.old_template, planner.state = old, StackState(exists=exists)
    context = planner.context(Inputs())
    assert {name: body["Properties"] for name, body in context.before.items()} == {
        name: body["Properties"] for name, body in before["Resources"].items()
    }
    assert context.comparable is comparable and context.after["Bucket"]["Properties"] == {"BucketName": "x"}


def test_what_depends_on_a_parameter_is_unknown_where_its_value_is() -> None:
    template: dict[str, Any] = {"Parameters": {"A": {"Type": "String"}, "B": {"Type": "String"}}, "Resources": {}}
    template["Resources"] = {name: {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": name}}} for name in ("A", "B")}
    context = planner_of(one(template), SimulatedGateways()).context(Inputs(after={"A": "1", "B": "2"}))
    assert context.blurred is not None
    blurred = context.blurred("A")
    assert blurred["B"] == context.after["B"] and blurred["A"] != context.after["A"]


# --- the change set -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["get_template", "describe_change_set"])
def test_whoever_is_asked_to_stop_makes_and_keeps_no_change_set(call: str) -> None:
    gateways, stop = deployed(one()), threading.Event()
    before, validated = len(called(gateways)), len(called(gateways, "describe_events"))
    gateways.faults.before_call = lambda name, _: stop.set() if name == call else None
    assembly, templates = one(NAMED)
    request = Request(assembly=assembly, templates=templates, options=Options(), created_at="t", created_by="s", nonce="00000009")
    with pytest.raises(Stopped):
        make_plan(request, gateways, SCHEMAS, stop=stop)
    assert len(called(gateways)) - before == (call == "describe_change_set") and gateways.left == []
    assert len(called(gateways, "describe_events")) == validated


def test_what_cloudformation_knows_at_once_to_change_nothing_is_no_change() -> None:
    gateways = deployed(one(), Tags=tag(a="b"))
    gateways.faults.errors["create_change_set", "demo-test-a"] = BadRequest("No updates are to be performed.", code="ValidationError")
    plan = stack_of(plan_of(one(tags={"a": "b"}), gateways, nonce="00000009"), "a")
    assert (plan.operation, plan.findings, plan.change_set) == ("none", (), None)


def test_a_preview_is_told_as_one() -> None:
    told: list[tuple[str, str]] = []
    assembly, templates = two()
    request = Request(assembly=assembly, templates=templates, options=Options(), created_at="t", created_by="s", nonce="00000009")
    make_plan(request, SimulatedGateways(), SCHEMAS, progress=lambda *each: told.append(each))
    assert [(stack, what) for stack, what in told if what not in ("reading", "planned")] == [
        ("certificate", "making a change set"),
        ("site", "previewing"),
    ]


def test_without_a_way_in_validations_are_no_side_matter() -> None:
    with pytest.raises(CredentialsExpired):
        plan_of(one(), SimulatedGateways(faults=Faults(errors={("describe_events", ""): CredentialsExpired("expired")})))


@pytest.mark.parametrize(
    ("error", "command"),
    [(AccessDenied("no"), "allow cloudformation:DescribeEvents on the stack, then plan again"), (BadRequest("no", code="x"), "")],
)
def test_only_what_was_denied_can_be_allowed(error: Any, command: str) -> None:
    plan = stack_of(plan_of(one(), SimulatedGateways(faults=Faults(errors={("describe_events", ""): error}))), "a")
    assert [each.command for each in plan.findings] == [command]


def test_a_tag_has_a_value_on_the_sides_on_which_it_is() -> None:
    gateways = deployed(one(), Tags=tag(gone="1"))
    tags = stack_of(plan_of(one(NAMED, tags={"come": "2"}), gateways, nonce="00000009"), "a").tags
    assert [(each.before, each.after) for each in tags] == [(None, Known(text="2")), (Known(text="1"), None)]


def test_an_answer_of_a_change_set_is_awaited_as_long_as_nobody_stops() -> None:
    gateways = SimulatedGateways(faults=Faults(pending=3))
    looks: list[str] = []

    def looked(name: str, _: Mapping[str, Any]) -> None:
        looks.append(name)

    gateways.faults.before_call = looked
    assert stack_of(plan_of(one(), gateways), "a").change_set is not None and looks.count("describe_change_set") > 3


# --- what came of it ----------------------------------------------------------------------------------------------


def test_what_changes_only_by_a_value_that_is_not_known_yet_is_not_missed() -> None:
    gateways = SimulatedGateways()
    settled(two(), gateways)
    gateways.faults.drop_always = {"Distribution"}
    site = stack_of(plan_of(two("other.example.org"), gateways, nonce="00000009"), "site")
    assert (site.operation, site.findings) == ("none", ())


def test_a_change_set_that_fails_without_a_word_says_so() -> None:
    gateways = SimulatedGateways()

    def fail(name: str, _: Mapping[str, Any]) -> None:
        if name == "describe_change_set":
            for made in gateways.at("eu-west-1").change_sets.values():
                made |= {"Status": "FAILED", "StatusReason": ""}

    gateways.faults.before_call = fail
    (found,) = stack_of(plan_of(one(), gateways), "a").findings
    assert found.message.endswith("could not make the change set: CloudFormation gives no reason")


def test_an_empty_stack_that_is_only_looked_at_is_not_said_to_be_used() -> None:
    gateways = SimulatedGateways()
    gateways.at("eu-west-1").deploy("demo-test-a", {}, {}, status="REVIEW_IN_PROGRESS")
    plan = stack_of(plan_of(one(), gateways, read_only=True), "a")
    assert (plan.operation, plan.findings) == ("create", ())


@pytest.mark.parametrize(
    ("path", "where"), [("/Resources/Bucket/Properties/X", "Bucket /Resources/Bucket/Properties/X: "), ("", "Bucket: ")]
)
def test_where_a_validation_failed_is_told_as_far_as_it_is_known(path: str, where: str) -> None:
    event = {
        "EventType": "VALIDATION_ERROR",
        "LogicalResourceId": "Bucket",
        "ValidationName": "NAME",
        "ValidationStatus": "FAILED",
        "ValidationFailureMode": "FAIL",
        "ValidationStatusReason": "no",
        **({"ValidationPath": path} if path else {}),
    }
    (found,) = stack_of(plan_of(one(), SimulatedGateways(faults=Faults(validations={"demo-test-a": [event]}))), "a").findings
    assert found.message == f"{where}no (NAME)"


@pytest.mark.parametrize(("own", "then"), [(DENY, "apply puts the assembly's policy back"), (None, "it stays open then")])
def test_what_becomes_of_a_policy_that_has_to_be_opened_is_told(own: str | None, then: str) -> None:
    gateways = deployed(one(), _policy=DENY)
    (found,) = [
        f for f in stack_of(plan_of(one(NAMED, stack_policy=own), gateways, nonce="00000009"), "a").findings if f.severity == "error"
    ]
    assert found.code == "stack_policy_forbids" and found.message.endswith(then)


def test_a_stack_that_is_not_there_is_not_asked_for_its_policy() -> None:
    gateways = SimulatedGateways()
    assert stack_of(plan_of(one(stack_policy=DENY), gateways), "a").settings and called(gateways, "get_stack_policy") == []
