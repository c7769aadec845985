"""One stack at a time: what is asked again, what blocks, what is only noted, and what a plan says of settings, tags and protection."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from aws.cloudformation.stacks import StackDescription
from aws.errors import AccessDenied, AwsError, BadRequest, CredentialsExpired, Unavailable
from gateways.existing import Found
from planning.cleanup import drop
from planning.model import StackPlan
from planning.plan import CONTRADICTIONS
from planning.states import in_the_way
from tests.simulated import NOW, Faults, SimulatedGateways, Small, output, small_assembly
from tests.unit.planning.test_plan import CERTIFICATE, SITE, execute, plan_of, settled, stack_of, two

BUCKET: dict[str, Any] = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}}}}


def one(template: dict[str, Any] | None = None, **more: Any) -> Any:
    return small_assembly(Small(id="a", template=template or BUCKET, more=more))


@dataclass
class Refusing:
    """Raises at one call until it has done so often enough; counts the calls."""

    method: str
    error: AwsError
    times: int
    calls: int = 0

    def __call__(self, name: str, _: Mapping[str, Any]) -> None:
        if name == self.method:
            self.calls += 1
            if self.calls <= self.times:
                raise self.error


def refused(method: str, error: AwsError, times: int, made: Any = None, deployed: Any = None) -> tuple[StackPlan, Refusing]:
    gateways = SimulatedGateways()
    if deployed is not None:
        settled(deployed, gateways)
    refusing = Refusing(method, error, times)
    gateways.faults.before_call = refusing
    return stack_of(plan_of(made or one(), gateways, nonce="00000009"), "a"), refusing


# --- contradictions -----------------------------------------------------------------------------------------------

STALE = "Stack [demo-test-a] already exists"


@pytest.mark.parametrize(
    "words",
    [
        STALE,
        "Stack demo-test-a already exists",
        "Stack with id demo-test-a does not exist",
        "Stack [demo-test-a] does not exist",
        "Stack:arn is in UPDATE_IN_PROGRESS state and can not be updated",
    ],
)
def test_what_contradicts_an_answer_of_a_moment_ago_is_asked_again(words: str) -> None:
    plan, refusing = refused("create_change_set", BadRequest(words, operation="CreateChangeSet", code="ValidationError"), 1)
    assert plan.operation == "create" and refusing.calls == 2


def test_it_is_asked_again_eight_times_and_then_told() -> None:
    stale = BadRequest(STALE, operation="CreateChangeSet", code="ValidationError")
    plan, refusing = refused("create_change_set", stale, CONTRADICTIONS)
    assert plan.operation == "create" and refusing.calls == CONTRADICTIONS + 1 == 9
    plan, refusing = refused("create_change_set", stale, 100)
    assert plan.operation == "blocked" and refusing.calls == CONTRADICTIONS + 1
    assert [(f.code, f.stack, STALE in f.message) for f in plan.findings] == [("ValidationError", "a", True)]


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("create_change_set", BadRequest("Template format error", operation="CreateChangeSet", code="ValidationError")),
        ("create_change_set", BadRequest(STALE, operation="DescribeStacks", code="ValidationError")),
        ("create_change_set", AccessDenied("not authorized", operation="CreateChangeSet", code="AccessDenied")),
    ],
)
def test_everything_else_is_asked_once(method: str, error: AwsError) -> None:
    plan, refusing = refused(method, error, 100)
    assert plan.operation == "blocked" and refusing.calls == 1 and plan.findings[0].code == error.code


def test_a_template_that_is_read_too_early_is_read_again() -> None:
    error = BadRequest("Stack with id demo-test-a does not exist", operation="GetTemplate", code="ValidationError")
    plan, refusing = refused("get_template", error, 1, deployed=one())
    assert plan.operation == "none" and refusing.calls == 2


def test_an_error_without_a_code_is_told_by_its_kind_with_its_command() -> None:
    plan, _ = refused("create_change_set", Unavailable("gone", hint="try again"), 1)
    assert [(f.severity, f.code, f.command, f.stack) for f in plan.findings] == [("error", "Unavailable", "try again", "a")]
    plan, _ = refused("create_change_set", Unavailable("gone", code="ServiceUnavailable"), 1)
    assert plan.findings[0].code == "ServiceUnavailable"


# --- what is not planned --------------------------------------------------------------------------------------------


def stuck(gateways: SimulatedGateways) -> None:
    gateways.at("us-east-1").deploy("demo-test-certificate", CERTIFICATE, {"Domain": "example.org"}, status="ROLLBACK_COMPLETE")


def test_of_a_stack_that_waits_for_a_blocked_one_all_that_stands_in_its_way_is_told() -> None:
    gateways = SimulatedGateways()
    stuck(gateways)
    gateways.there["AWS::S3::Bucket", "demo-site"] = Found(physical_id="demo-site")
    site = stack_of(plan_of(two(), gateways), "site")
    assert site.findings[0].code == "dependency_blocked" and "as it needs certificate, which" in site.findings[0].message
    assert [f.severity for f in site.findings] == ["error", "error"] and "demo-site" in site.findings[1].message


def test_an_empty_stack_hides_nothing_of_what_stands_in_its_way() -> None:
    gateways = SimulatedGateways()
    stuck(gateways)
    gateways.there["AWS::S3::Bucket", "demo-site"] = Found(physical_id="demo-site")
    gateways.at("eu-west-1").deploy("demo-test-site", {}, {}, status="REVIEW_IN_PROGRESS")
    assert [f.code for f in stack_of(plan_of(two(), gateways), "site").findings] == ["dependency_blocked", "stands_already"]


@pytest.mark.parametrize("why", ["deployed", "unreadable", "free"])
def test_nothing_more_is_told_of_a_stack_that_is_there_or_that_nobody_may_read(why: str) -> None:
    gateways = SimulatedGateways()
    stuck(gateways)
    if why != "free":
        gateways.there["AWS::S3::Bucket", "demo-site"] = Found(physical_id="demo-site")
    if why == "deployed":
        gateways.at("eu-west-1").deploy("demo-test-site", SITE, {"CertificateArn": "arn"})
    if why == "unreadable":
        gateways.faults.errors["describe_stacks", "demo-test-site"] = AccessDenied("no")
    site = stack_of(plan_of(two(), gateways), "site")
    assert [f.code for f in site.findings] == ["dependency_blocked"]


def test_a_dependency_that_is_not_blocked_or_not_in_the_plan_is_no_reason() -> None:
    base = {**BUCKET, "Outputs": {"Out": {"Value": "v"}}}
    taking = {"Parameters": {"A": {"Type": "String"}}, **BUCKET}
    made = small_assembly(
        Small(id="base", template=base), Small(id="top", template=taking, parameters=(output("A", "base", "Out"),), depends_on=("base",))
    )
    assert stack_of(plan_of(made, SimulatedGateways()), "top").operation == "create"


def test_how_planning_goes_is_told_by_stack() -> None:
    from planning.model import Options
    from planning.plan import make_plan
    from planning.request import Request
    from tests.unit.planning.test_plan import NO_SCHEMAS

    told: list[tuple[str, str]] = []
    made, templates = one()
    request = Request(assembly=made, templates=templates, options=Options(), created_at="2026-11-22T10:00:00Z", created_by="s", nonce="1a")
    make_plan(request, SimulatedGateways(), NO_SCHEMAS, progress=lambda *step: told.append(step))
    assert told == [("a", "reading"), ("a", "making a change set"), ("a", "planned")]


# --- what a stack has let go of -------------------------------------------------------------------------------------


class Keeping(SimulatedGateways):
    """Whatever is asked for is still there, or cannot be asked for."""

    error: AwsError | None = None
    asked = 0

    def retained(self, account_id: str, region: str, role_arn: str | None) -> Any:
        self.asked += 1
        return self

    def exists(self, resource_type: str, physical_id: str) -> bool:
        if self.error is not None:
            raise self.error
        return True


def event(status: str, physical_id: str, kind: str = "AWS::CertificateManager::Certificate", at: Any = NOW) -> dict[str, Any]:
    return {
        "EventId": f"{status}{physical_id}",
        "StackName": "demo-test-a",
        "StackId": "arn",
        "Timestamp": at,
        "ResourceStatus": status,
        "ResourceType": kind,
        "LogicalResourceId": "Old",
        "PhysicalResourceId": physical_id,
    }


def replaced(*events: dict[str, Any], error: AwsError | None = None) -> Any:
    gateways = Keeping()
    settled(one(), gateways)
    gateways.at("eu-west-1").stacks["demo-test-a"]["_events"] = list(events)
    gateways.error = error
    return plan_of(one(), gateways, nonce="00000009")


def test_what_is_left_is_named_in_the_plan() -> None:
    plan = replaced(event("DELETE_SKIPPED", "old"))
    assert [(s.physical_id, s.stack, s.logical_id) for s in plan.superseded] == [("old", "a", "Old")] and not plan.all_findings


def test_a_version_that_cloudfront_may_still_have_waits_and_is_told() -> None:
    plan = replaced(event("DELETE_FAILED", "arn:version:1", "AWS::Lambda::Version"), event("DELETE_SKIPPED", "old"))
    assert [s.physical_id for s in plan.superseded] == ["old"]
    assert [(f.severity, f.code, f.stack) for f in plan.all_findings] == [("note", "superseded_waits", "a")]
    assert "replicas of arn:version:1; a plan made 8 hours after" in plan.all_findings[0].message


def test_what_cannot_be_looked_up_is_a_note_and_no_way_in_is_none() -> None:
    plan = replaced(event("DELETE_SKIPPED", "old"), error=AccessDenied("not you"))
    assert [(f.severity, f.code) for f in plan.all_findings] == [("note", "superseded_unknown")] and not plan.blocked
    assert plan.superseded == () and "not you" in plan.all_findings[0].message
    with pytest.raises(CredentialsExpired):
        replaced(event("DELETE_SKIPPED", "old"), error=CredentialsExpired("expired"))


def test_what_has_let_go_of_nothing_is_not_asked_about() -> None:
    gateways = Keeping()
    plan_of(one(), gateways)
    place = gateways.at("eu-west-1")
    place.create_change_set(StackName="demo-test-a", ChangeSetName="else", ChangeSetType="CREATE", TemplateBody="{}", Parameters=[])
    assert stack_of(plan_of(one(), gateways, nonce="00000008"), "a").operation == "create"
    assert "describe_stack_events" not in [name for name, _ in place.calls], "an empty stack has never had anything"
    settled(one(), gateways)
    assert not plan_of(one(), gateways, nonce="00000009").superseded and gateways.asked == 0
    assert "describe_stack_events" in [name for name, _ in place.calls]


def test_a_part_of_the_stacks_removes_nothing() -> None:
    gateways = Keeping()
    settled(one(), gateways)
    gateways.at("eu-west-1").stacks["demo-test-a"]["_events"] = [event("DELETE_SKIPPED", "old")]
    assert plan_of(one(), gateways, nonce="00000009", only=("a",)).superseded == ()


# --- tags and settings ----------------------------------------------------------------------------------------------


def deployed(made: Any, **live: Any) -> SimulatedGateways:
    gateways = SimulatedGateways()
    settled(made, gateways)
    gateways.at("eu-west-1").stacks["demo-test-a"] |= live
    return gateways


def tag(**tags: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def test_tags_that_come_go_and_change_are_told_and_the_others_not() -> None:
    gateways = deployed(one(), Tags=tag(gone="1", changed="1", same="1"))
    changed = json.loads(json.dumps(BUCKET))
    changed["Resources"]["Bucket"]["Properties"]["BucketName"] = "named"
    plan = stack_of(plan_of(one(changed, tags={"come": "2", "changed": "2", "same": "1"}), gateways, nonce="00000009"), "a")
    told = [(t.path, t.attribute, t.before and getattr(t.before, "text", ""), t.after and getattr(t.after, "text", "")) for t in plan.tags]
    assert told == [("changed", "Tags", "1", "2"), ("come", "Tags", None, "2"), ("gone", "Tags", "1", None)]


def test_a_new_stack_has_no_changed_tags() -> None:
    assert stack_of(plan_of(one(tags={"a": "b"}), SimulatedGateways()), "a").tags == ()


@pytest.mark.parametrize(
    ("wanted", "on", "settings", "note"),
    [
        (True, True, [], []),
        (True, False, [("termination_protection", "off", "on")], []),
        (False, True, [], ["protection_stays"]),
        (False, False, [], []),
    ],
)
def test_protection_is_put_on_and_never_taken_off(wanted: bool, on: bool, settings: Any, note: list[str]) -> None:
    gateways = deployed(one(termination_protection=wanted), EnableTerminationProtection=on)
    plan = stack_of(plan_of(one(termination_protection=wanted), gateways, nonce="00000009"), "a")
    assert [(s.setting, s.before, s.after) for s in plan.settings] == settings
    assert [f.code for f in plan.findings] == note and plan.operation == ("settings" if settings else "none")


DENY = '{"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}'


@pytest.mark.parametrize(
    ("live", "wanted", "before"),
    [
        (None, None, None),
        (DENY, None, None),
        (DENY, DENY.replace(" ", ""), None),
        (None, DENY, ""),
        (DENY, "{}", DENY),
    ],
)
def test_a_stack_policy_is_put_there_if_it_is_another(live: str | None, wanted: str | None, before: str | None) -> None:
    gateways = deployed(one(), _policy=live)
    plan = stack_of(plan_of(one(stack_policy=wanted), gateways, nonce="00000009"), "a")
    assert [(s.setting, s.before, s.after) for s in plan.settings] == ([] if before is None else [("stack_policy", before, wanted)])


def test_a_new_stack_gets_protection_and_policy() -> None:
    plan = stack_of(plan_of(one(termination_protection=True, stack_policy=DENY), SimulatedGateways()), "a")
    assert [(s.setting, s.before) for s in plan.settings] == [("termination_protection", "off"), ("stack_policy", "")]


# --- change sets ----------------------------------------------------------------------------------------------------


def test_what_is_sent_with_a_change_set() -> None:
    gateways = SimulatedGateways()
    made = one(tags={"a": "b"}, capabilities=("CAPABILITY_IAM",))
    first = stack_of(plan_of(made, gateways, revert_drift=True), "a")
    (sent,) = [c for n, c in gateways.at("eu-west-1").calls if n == "create_change_set"]
    assert (sent["ChangeSetType"], sent["Tags"], sent["Capabilities"]) == ("CREATE", tag(a="b"), ["CAPABILITY_IAM"])
    assert sent["Description"] == f"Plan of demo test, assembly {made[0].digest[:12]}"
    assert not [v for v in sent.values() if v == "REVERT_DRIFT"], "nothing has drifted of what is not there"
    assert first.change_set is not None and first.change_set.made_stack and first.change_set.type == "CREATE"
    execute(plan_of(made, gateways, nonce="00000002"), gateways)
    named = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "x"}}}}
    second = stack_of(plan_of(one(named), gateways, nonce="00000003"), "a")
    assert second.change_set is not None
    assert (second.change_set.type, second.change_set.made_stack) == ("UPDATE", False)
    assert second.change_set.client_token != first.change_set.client_token
    assert second.change_set.name.endswith("-00000003") and second.change_set.arn != first.change_set.arn


def test_a_change_set_without_a_reason_says_so() -> None:
    gateways = SimulatedGateways(faults=Faults(refuse={"demo-test-a": " "}))
    plan = stack_of(plan_of(one(), gateways), "a")
    assert plan.operation == "blocked" and [f.code for f in plan.findings] == ["change_set_failed"]
    assert plan.findings[0].command == "python deploy.py plan --env test --only a" and gateways.left == []


def test_a_change_set_that_cannot_be_deleted_is_told_and_the_others_go() -> None:
    gateways = SimulatedGateways()
    made = small_assembly(Small(id="a", template=BUCKET), Small(id="b", template=BUCKET))
    plan = plan_of(made, gateways)
    arns = {s.stack: s.change_set.arn for s in plan.stacks if isinstance(s, StackPlan) and s.change_set}

    def refuse(name: str, arguments: Mapping[str, Any]) -> None:
        if name == "delete_change_set" and arguments["ChangeSetName"] == arns["a"]:
            raise AccessDenied("not you")

    gateways.faults.before_call = refuse
    (told,) = drop(plan, gateways)
    assert (told.severity, told.code, told.stack, told.command) == (
        "warning",
        "change_set_left",
        "a",
        "python deploy.py doctor --env test --fix",
    )
    assert "not you" in told.message and arns["a"] in gateways.left and arns["b"] not in gateways.left


# --- states -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("CREATE_COMPLETE", ""),
        ("UPDATE_COMPLETE", ""),
        ("UPDATE_ROLLBACK_COMPLETE", ""),
        ("IMPORT_COMPLETE", ""),
        ("IMPORT_ROLLBACK_COMPLETE", ""),
        ("REVIEW_IN_PROGRESS", ""),
        ("DELETE_COMPLETE", ""),
        ("ROLLBACK_COMPLETE", "stack_rollback_complete"),
        ("ROLLBACK_FAILED", "stack_rollback_failed"),
        ("CREATE_FAILED", "stack_create_failed"),
        ("UPDATE_FAILED", "stack_update_failed"),
        ("DELETE_FAILED", "stack_delete_failed"),
        ("IMPORT_ROLLBACK_FAILED", "stack_import_rollback_failed"),
        ("CREATE_IN_PROGRESS", "stack_busy"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "stack_busy"),
        ("NEVER_HEARD_OF", "stack_busy"),
    ],
)
def test_what_each_status_means_for_a_plan(status: str, code: str) -> None:
    found = in_the_way("test", "a", StackDescription(name="demo-a", status=status, status_reason="why"))
    assert (found.code if found else "") == code and in_the_way("test", "a", None) is None
    if found is not None:
        assert found.stack == "a" and found.severity == "error" and "(why)" in found.message and f"demo-a is {status}" in found.message
        bare = in_the_way("test", "a", StackDescription(name="demo-a", status=status))
        assert bare is not None and "()" not in bare.message
