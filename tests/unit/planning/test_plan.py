"""Planning against a CloudFormation in memory: what is shown, what waits, and above all what is left behind."""

from __future__ import annotations

import json
import threading
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assembly.model import Parameter, SecretRef, SecretVersionRef
from aws.errors import AccessDenied, AwsError, BadRequest, CredentialsExpired, Unavailable, UnexpectedAnswer
from planning.cleanup import drop
from planning.model import Options, Plan, StackPlan, StackSetPlan, plan_bytes, plan_digest
from planning.plan import make_plan, plan_stack
from planning.request import PlanError, Request, Stopped, selected
from templates.schemas import Schemas, bundled
from templates.values import Known, Redacted, Unknown
from tests.simulated import ACCOUNT, Faults, SimulatedGateways, Small, literal, output, small_assembly, stackset

SCHEMAS = bundled()
NO_SCHEMAS = Schemas(directory=None)

CERTIFICATE = {
    "Parameters": {"Domain": {"Type": "String"}},
    "Resources": {"Certificate": {"Type": "AWS::CertificateManager::Certificate", "Properties": {"DomainName": {"Ref": "Domain"}}}},
    "Outputs": {"CertificateArn": {"Value": {"Ref": "Certificate"}}},
}
SITE = {
    "Parameters": {
        "CertificateArn": {"Type": "String", "AllowedPattern": "arn:aws:acm:us-east-1:[0-9]{12}:certificate/[-0-9a-f]{36}"},
    },
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "demo-site"}},
        "Distribution": {
            "Type": "AWS::CloudFront::Distribution",
            "Properties": {"DistributionConfig": {"ViewerCertificate": {"AcmCertificateArn": {"Ref": "CertificateArn"}}}},
        },
    },
    "Outputs": {"DistributionId": {"Value": {"Ref": "Distribution"}}},
}


def two(domain: str = "example.org", site: Any = None, **more: Any) -> Any:
    return small_assembly(
        Small(id="certificate", region="us-east-1", template=CERTIFICATE, parameters=(literal("Domain", domain),)),
        Small(
            id="site",
            template=site or SITE,
            parameters=(output("CertificateArn", "certificate", "CertificateArn"),),
            depends_on=("certificate",),
            more=more,
        ),
    )


def plan_of(
    made: Any,
    gateways: SimulatedGateways,
    *,
    nonce: str = "0a1b2c3d",
    schemas: Schemas = SCHEMAS,
    caller: str = "arn:aws:iam::123456789012:user/somebody",
    **options: Any,
) -> Plan:
    assembly, templates = made
    request = Request(
        assembly=assembly,
        templates=templates,
        options=Options(**options),
        created_at="2026-11-22T10:00:00Z",
        created_by=caller,
        nonce=nonce,
    )
    return make_plan(request, gateways, schemas)


def stack_of(plan: Plan, stack: str) -> StackPlan:
    found = next(s for s in plan.stacks if s.stack == stack)
    assert isinstance(found, StackPlan)
    return found


def execute(plan: Plan, gateways: SimulatedGateways) -> None:
    for stack in plan.stacks:
        if isinstance(stack, StackPlan) and stack.change_set is not None:
            made = stack.change_set
            gateways.at(stack.region).execute_change_set(ChangeSetName=made.arn, StackName=made.stack_arn)


def settled(made: Any, gateways: SimulatedGateways) -> Plan:
    """Plan and execute until a plan has no change set to execute; the last plan."""
    for turn in range(5):
        plan = plan_of(made, gateways, nonce=f"{turn:08x}")
        if not plan.change_sets:
            return plan
        execute(plan, gateways)
    raise AssertionError("it never settles")


# --- previews -----------------------------------------------------------------------------------------------------


def test_a_dependent_stack_is_previewed_with_a_placeholder() -> None:
    gateways = SimulatedGateways()
    plan = plan_of(two(), gateways)
    site = stack_of(plan, "site")
    assert site.waits_for == ("certificate.CertificateArn",)
    assert site.change_set is None
    assert [r.logical_id for r in site.resources] == ["Bucket", "Distribution"]
    assert site.parameters[0].after == Unknown(text="{known after certificate.CertificateArn}", after=("certificate.CertificateArn",))
    sent = next(c for n, c in gateways.at("eu-west-1").calls if n == "create_change_set")
    placeholder = sent["Parameters"][0]["ParameterValue"]
    assert placeholder.startswith(f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/")
    assert placeholder not in plan_bytes(plan).decode(), "a placeholder value must never pass for a value"


def test_only_executable_change_sets_and_their_stacks_stay() -> None:
    gateways = SimulatedGateways()
    plan = plan_of(two(), gateways)
    kept = stack_of(plan, "certificate").change_set
    assert kept is not None
    assert gateways.left == sorted([kept.arn, kept.stack_arn])


def test_a_settled_environment_has_no_changes_and_leaves_nothing() -> None:
    gateways = SimulatedGateways()
    plan = settled(two(), gateways)
    assert not plan.has_changes
    assert [s.operation for s in plan.stacks] == ["none", "none"]
    assert gateways.left == []


def test_an_output_that_surely_stays_is_no_placeholder() -> None:
    gateways = SimulatedGateways()
    settled(two(), gateways)
    changed = json.loads(json.dumps(CERTIFICATE))
    changed["Resources"]["Certificate"]["Properties"]["Tags"] = [{"Key": "a", "Value": "b"}]
    made = small_assembly(
        Small(id="certificate", region="us-east-1", template=changed, parameters=(literal("Domain", "example.org"),)),
        Small(
            id="site",
            template=SITE,
            parameters=(output("CertificateArn", "certificate", "CertificateArn"),),
            depends_on=("certificate",),
        ),
    )
    plan = plan_of(made, gateways)
    assert stack_of(plan, "certificate").operation == "update"
    assert stack_of(plan, "site").operation == "none"


def test_a_replaced_resource_gives_its_outputs_a_value_that_is_not_known_yet() -> None:
    gateways = SimulatedGateways()
    settled(two(), gateways)
    plan = plan_of(two(domain="other.example.org"), gateways)
    certificate, site = stack_of(plan, "certificate"), stack_of(plan, "site")
    assert certificate.resources[0].replacement.verdict == "yes"
    assert certificate.resources[0].replacement.by == "schema"
    assert [o.change for o in certificate.outputs] == ["modify"]
    assert site.waits_for == ("certificate.CertificateArn",)
    [distribution] = site.resources
    [change] = distribution.properties
    assert change.path == "DistributionConfig.ViewerCertificate.AcmCertificateArn"
    assert change.before == Known(text="Certificate-physical")
    assert change.after == Unknown(text="{known after certificate.CertificateArn}", after=("certificate.CertificateArn",))


def test_a_preview_that_cloudformation_refuses_falls_back_to_the_templates() -> None:
    gateways = SimulatedGateways(faults=Faults(refuse={"demo-test-site": "certificate not found"}))
    plan = plan_of(two(), gateways)
    site = stack_of(plan, "site")
    assert site.operation == "create"
    assert [r.logical_id for r in site.resources] == ["Bucket", "Distribution"]
    assert [(f.severity, f.code) for f in site.findings] == [("warning", "preview_failed")]
    assert "certificate not found" in site.findings[0].message


def test_the_service_role_counts_as_an_input() -> None:
    from assembly.model import OutputRef

    role = {
        "Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}},
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
    }
    bucket = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}}}}
    made = small_assembly(
        Small(id="foundation", template=role),
        Small(
            id="site", template=bucket, depends_on=("foundation",), more={"service_role": OutputRef(stack="foundation", output="RoleArn")}
        ),
    )
    gateways = SimulatedGateways()
    assert stack_of(plan_of(made, gateways), "site").waits_for == ("foundation.RoleArn",)
    execute(plan_of(made, gateways, nonce="1"), gateways)
    plan = plan_of(made, gateways, nonce="2")
    assert stack_of(plan, "site").waits_for == ()
    sent = [c for n, c in gateways.at("eu-west-1").calls if n == "create_change_set"][-1]
    assert sent["RoleARN"] == "Role-Arn-physical"


# --- secrets ------------------------------------------------------------------------------------------------------

EDGE = {
    "Parameters": {"Hash": {"Type": "String", "NoEcho": True}, "Version": {"Type": "String"}},
    "Resources": {
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {"Code": {"ZipFile": {"Fn::Sub": "check('${Hash}')"}}, "Description": {"Ref": "Version"}},
        }
    },
    "Outputs": {"Leak": {"Value": {"Ref": "Hash"}}},
}


def edge() -> Any:
    parameters = (
        Parameter(name="Hash", source=SecretRef(secret="demo/auth", key="hash"), no_echo=True),
        Parameter(name="Version", source=SecretVersionRef(secret="demo/auth")),
    )
    return small_assembly(Small(id="edge", region="us-east-1", template=EDGE, parameters=parameters))


def test_an_unchanged_secret_is_neither_read_nor_a_change() -> None:
    gateways = SimulatedGateways(secrets={"demo/auth": ("v1", {"hash": "first-secret-hash"})})
    execute(plan_of(edge(), gateways), gateways)
    gateways.read.clear()
    plan = plan_of(edge(), gateways, nonce="1")
    assert gateways.read == []
    assert stack_of(plan, "edge").operation == "none"
    sent = [c for n, c in gateways.at("us-east-1").calls if n == "create_change_set"][-1]
    assert {"ParameterKey": "Hash", "UsePreviousValue": True} in sent["Parameters"]


def test_a_changed_secret_is_a_change_without_a_value() -> None:
    gateways = SimulatedGateways(secrets={"demo/auth": ("v1", {"hash": "first-secret-hash"})})
    execute(plan_of(edge(), gateways), gateways)
    gateways.secrets["demo/auth"] = ("v2", {"hash": "second-secret-hash"})
    plan = plan_of(edge(), gateways, nonce="1")
    stack = stack_of(plan, "edge")
    assert stack.parameters[0].changed and stack.parameters[0].after == Redacted()
    changed = {p.path: p for p in stack.resources[0].properties}
    assert changed["Code.ZipFile"].after == Known(text="check('(hidden)')")
    text = plan_bytes(plan).decode()
    assert "secret-hash" not in text


@pytest.mark.parametrize("no_values", [True, False])
def test_no_secret_is_in_any_plan(no_values: bool) -> None:
    gateways = SimulatedGateways(secrets={"demo/auth": ("v1", {"hash": "first-secret-hash"})}, faults=Faults(no_values=no_values))
    plan = plan_of(edge(), gateways)
    assert "secret-hash" not in plan_bytes(plan).decode()
    assert "secret-hash" not in repr(plan)


def test_a_missing_secret_names_the_command() -> None:
    plan = plan_of(edge(), SimulatedGateways())
    assert plan.blocked
    assert {f.code for f in plan.all_findings} == {"secret_missing"}
    assert plan.all_findings[0].command == "python deploy.py set-password --env test"


# --- what stands in the way ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "command"),
    [
        ("ROLLBACK_COMPLETE", "stack_rollback_complete", "python deploy.py doctor --env test --fix"),
        ("UPDATE_ROLLBACK_FAILED", "stack_update_rollback_failed", "python deploy.py doctor --env test --fix"),
        ("DELETE_FAILED", "stack_delete_failed", "python deploy.py doctor --env test --fix"),
        ("UPDATE_IN_PROGRESS", "stack_busy", "python deploy.py status --env test"),
    ],
)
def test_a_stuck_stack_is_a_finding_with_the_next_command(status: str, code: str, command: str) -> None:
    gateways = SimulatedGateways()
    gateways.at("us-east-1").deploy("demo-test-certificate", CERTIFICATE, {"Domain": "example.org"}, status=status)
    plan = plan_of(two(), gateways)
    certificate, site = stack_of(plan, "certificate"), stack_of(plan, "site")
    assert (certificate.findings[0].code, certificate.findings[0].command) == (code, command)
    assert (site.operation, site.findings[0].code) == ("blocked", "dependency_blocked")
    assert gateways.left == []


def test_an_error_of_one_stack_does_not_hide_the_other_and_nothing_stays() -> None:
    gateways = SimulatedGateways(
        faults=Faults(
            errors={
                ("create_change_set", "demo-test-b"): AccessDenied(
                    "not authorized to perform CreateChangeSet", code="AccessDenied", hint="ask"
                )
            }
        )
    )
    bucket = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}}}}
    plan = plan_of(small_assembly(Small(id="a", template=bucket), Small(id="b", template=bucket)), gateways)
    assert stack_of(plan, "a").operation == "create"
    assert stack_of(plan, "a").change_set is None, "what is deleted must not be named"
    assert stack_of(plan, "b").findings[0].message.endswith("not authorized to perform CreateChangeSet")
    assert gateways.left == []


def test_expired_credentials_end_planning_and_leave_nothing() -> None:
    gateways = SimulatedGateways(
        faults=Faults(errors={("create_change_set", "demo-test-site"): CredentialsExpired("expired", hint="aws sso login")})
    )
    with pytest.raises(CredentialsExpired):
        plan_of(two(), gateways)
    assert gateways.left == []


@pytest.mark.parametrize("pending", [0, 3])
def test_an_interrupt_leaves_nothing(pending: int) -> None:
    stop = threading.Event()
    faults = Faults(pending=pending)
    gateways = SimulatedGateways(faults=faults)

    def interrupt(name: str, arguments: Any) -> None:
        if name == "describe_change_set":
            stop.set()

    faults.before_call = interrupt
    assembly, templates = two()
    request = Request(
        assembly=assembly, templates=templates, options=Options(), created_at="2026-11-22T10:00:00Z", created_by="me", nonce="0a"
    )
    with pytest.raises(Stopped):
        make_plan(request, gateways, SCHEMAS, stop=stop)
    assert any(n == "create_change_set" for p in gateways.places.values() for n, _ in p.calls)
    assert gateways.left == []


def test_a_change_set_that_fails_is_told_in_awss_words() -> None:
    gateways = SimulatedGateways(faults=Faults(refuse={"demo-test-certificate": "Resource of type X is not supported"}))
    plan = plan_of(two(), gateways)
    assert "Resource of type X is not supported" in plan.all_findings[0].message
    assert gateways.left == []


def test_a_failed_validation_blocks_and_a_warning_does_not() -> None:
    event = {
        "EventType": "VALIDATION_ERROR",
        "LogicalResourceId": "Certificate",
        "ValidationName": "PROPERTY",
        "ValidationStatus": "FAILED",
        "ValidationStatusReason": "the name is taken",
    }
    for mode, status, operation in (("FAIL", "FAILED", "blocked"), ("WARN", "FAILED", "create"), ("FAIL", "SKIPPED", "create")):
        told = event | {"ValidationFailureMode": mode, "ValidationStatus": status}
        gateways = SimulatedGateways(faults=Faults(validations={"demo-test-certificate": [told]}))
        certificate = stack_of(plan_of(two(), gateways), "certificate")
        assert certificate.operation == operation
        assert certificate.validations[0].reason == "the name is taken"
        assert [f.message for f in certificate.findings] == ["Certificate: the name is taken (PROPERTY)"]


def test_the_change_set_of_one_stack_stays_for_apply_unless_the_stack_is_blocked() -> None:
    event = {"EventType": "VALIDATION_ERROR", "LogicalResourceId": "Certificate", "ValidationStatus": "FAILED"}
    for mode, operation in (("FAIL", "blocked"), ("WARN", "create")):
        told = {"demo-test-certificate": [event | {"ValidationFailureMode": mode}]}
        gateways = SimulatedGateways(faults=Faults(validations=told))
        assembly, templates = two()
        request = Request(
            assembly=assembly, templates=templates, options=Options(), created_at="2026-11-22T10:00:00Z", created_by="me", nonce="0a1b"
        )
        plan = plan_stack(request, assembly.stacks[0], {}, gateways, SCHEMAS, stop=threading.Event())
        assert plan.operation == operation and bool(gateways.left) is (operation == "create")


@pytest.mark.parametrize(
    ("error", "severity"),
    [
        (AccessDenied("not authorized to perform DescribeEvents", code="AccessDenied"), "warning"),
        (BadRequest("The action DescribeEvents is not valid", code="InvalidAction"), "note"),
        (AwsError("Unknown operation", code="UnknownOperationException"), "note"),
        (UnexpectedAnswer("unexpected answer: HTTP 404 with an HTML page"), "note"),
        (Unavailable("Internal Server Error", code="500"), "note"),
    ],
)
def test_validation_that_cannot_be_read_is_told_and_blocks_nothing(error: AwsError, severity: str) -> None:
    faults = Faults(errors={("describe_events", ""): error})
    certificate = stack_of(plan_of(two(), SimulatedGateways(faults=faults)), "certificate")
    assert certificate.operation == "create"
    assert [(f.severity, f.code) for f in certificate.findings] == [(severity, "validation_unread")]


def test_a_large_template_needs_the_artifact_bucket() -> None:
    large = {"Resources": {f"Topic{i}": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "x" * 400}} for i in range(150)}}
    made = small_assembly(Small(id="foundation", template={"Resources": {}}), Small(id="large", template=large))
    plan = plan_of(made, SimulatedGateways(bucket=False))
    [finding] = stack_of(plan, "large").findings
    assert (finding.code, finding.command) == ("artifact_bucket_missing", "python deploy.py apply --env test --only foundation")
    gateways = SimulatedGateways()
    assert not plan_of(made, gateways).blocked
    sent = [c for n, c in gateways.at("eu-west-1").calls if n == "create_change_set"]
    assert any("TemplateURL" in c and "TemplateBody" not in c for c in sent)


def test_a_template_that_is_large_by_its_spacing_alone_needs_no_bucket() -> None:
    """Foundation makes the bucket; with long names it is near the limit."""
    spaced = {"Resources": {f"T{i}": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "x" * 100}} for i in range(280)}}
    made = small_assembly(Small(id="foundation", template=spaced))
    assert made[0].stacks[0].template.upload
    gateways = SimulatedGateways(bucket=False)
    assert not plan_of(made, gateways).blocked
    (sent,) = (c for n, c in gateways.at("eu-west-1").calls if n == "create_change_set")
    assert len(sent["TemplateBody"].encode()) <= 51_200 and json.loads(sent["TemplateBody"]) == spaced


def test_the_stack_policy_in_force_is_heard_before_apply() -> None:
    gateways = SimulatedGateways()
    settled(two(), gateways)
    policy = {
        "Statement": [
            {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "Update:Replace", "Principal": "*", "Resource": "LogicalResourceId/Cert*"},
        ]
    }
    gateways.at("us-east-1").stacks["demo-test-certificate"]["_policy"] = json.dumps(policy)
    plan = plan_of(two(domain="other.example.org"), gateways)
    assert stack_of(plan, "certificate").policy_forbids == ("Certificate",)
    assert plan.blocked and gateways.left == []


# --- what CloudFormation forgets ----------------------------------------------------------------------------------


def changed_site() -> Any:
    site = json.loads(json.dumps(SITE))
    site["Resources"]["Bucket"]["Properties"]["BucketName"] = "demo-other"
    return site


def test_a_resource_that_one_read_drops_is_there_all_the_same() -> None:
    gateways = SimulatedGateways()
    settled(two(), gateways)
    gateways.faults.drop_with_values = {"Bucket"}
    [bucket] = stack_of(plan_of(two(site=changed_site()), gateways), "site").resources
    assert bucket.in_change_set
    assert bucket.replacement.verdict == "yes"
    assert (bucket.properties[0].before, bucket.properties[0].after) == (Known(text="demo-site"), Known(text="demo-other"))


def test_a_resource_that_both_reads_drop_is_a_warning() -> None:
    gateways = SimulatedGateways()
    settled(two(), gateways)
    gateways.faults.drop_always = {"Bucket"}
    site = changed_site()
    site["Resources"]["Topic"] = {"Type": "AWS::SNS::Topic", "Properties": {}}
    stack = stack_of(plan_of(two(site=site), gateways), "site")
    assert [(r.logical_id, r.in_change_set) for r in stack.resources] == [("Topic", True), ("Bucket", False)]
    assert [f.code for f in stack.findings] == ["not_in_change_set"]


def test_a_change_that_cloudformation_calls_none_is_a_warning() -> None:
    gateways = SimulatedGateways()
    settled(two(), gateways)
    gateways.faults.drop_always = {"Bucket"}
    stack = stack_of(plan_of(two(site=changed_site()), gateways), "site")
    assert (stack.operation, [f.code for f in stack.findings]) == ("none", ["not_in_change_set"])


def test_values_come_from_the_templates_where_cloudformation_has_none() -> None:
    gateways = SimulatedGateways()
    settled(two(), gateways)
    given = stack_of(plan_of(two(site=changed_site()), gateways), "site").resources
    gateways.faults.no_values = True
    ours = stack_of(plan_of(two(site=changed_site()), gateways, nonce="2"), "site").resources
    assert [(p.path, p.before, p.after) for r in given for p in r.properties] == [
        (p.path, p.before, p.after) for r in ours for p in r.properties
    ]
    assert ours[0].properties[0].values_from == "template"


def test_without_a_schema_a_conditional_replacement_stays_open() -> None:
    gateways = SimulatedGateways()
    settled(two(), gateways)
    [bucket] = stack_of(plan_of(two(site=changed_site()), gateways, schemas=NO_SCHEMAS), "site").resources
    assert (bucket.replacement.verdict, bucket.replacement.by) == ("maybe", "cloudformation")
    assert bucket.loses_data


# --- options ------------------------------------------------------------------------------------------------------


def test_only_takes_the_dependencies_along() -> None:
    assembly, _ = two()
    assert [s.id for s in selected(assembly, ("site",))] == ["certificate", "site"]
    assert [s.id for s in selected(assembly, ("certificate",))] == ["certificate"]
    with pytest.raises(PlanError, match=r"no stack is called nonsense in test; there are certificate, site"):
        selected(assembly, ("nonsense",))


def test_options_reach_cloudformation() -> None:
    gateways = SimulatedGateways()
    settled(two(), gateways)
    plan_of(two(domain="other.example.org"), gateways, nonce="9", revert_drift=True, import_existing=True)
    sent = [c for n, c in gateways.at("us-east-1").calls if n == "create_change_set"][-1]
    assert (sent["DeploymentMode"], sent["ImportExistingResources"]) == ("REVERT_DRIFT", True)
    assert "DeploymentConfig" not in sent, "express mode switches rollback off (docs/decisions/0010)"


def test_settings_alone_are_a_change() -> None:
    gateways = SimulatedGateways()
    settled(two(), gateways)
    plan = plan_of(two(termination_protection=True, stack_policy='{"Statement": []}'), gateways)
    site = stack_of(plan, "site")
    assert (site.operation, [s.setting for s in site.settings]) == ("settings", ["termination_protection", "stack_policy"])
    assert plan.has_changes and gateways.left == []


# --- dropping -----------------------------------------------------------------------------------------------------


def test_a_dropped_plan_leaves_nothing() -> None:
    gateways = SimulatedGateways()
    plan = plan_of(two(), gateways)
    assert gateways.left != []
    assert drop(plan, gateways) == ()
    assert gateways.left == []


def test_dropping_leaves_the_change_sets_of_others_alone() -> None:
    gateways = SimulatedGateways()
    mine = plan_of(two(), gateways, nonce="1")
    theirs = plan_of(two(), gateways, nonce="2")
    drop(mine, gateways)
    kept = theirs.change_sets[0]
    assert gateways.left == sorted([kept.arn, kept.stack_arn])


def test_somebody_elses_empty_stack_is_used_but_not_deleted() -> None:
    gateways = SimulatedGateways()
    gateways.at("us-east-1").create_change_set(
        StackName="demo-test-certificate", ChangeSetName="by-hand", ChangeSetType="CREATE", Parameters=[], TemplateBody='{"Resources": {}}'
    )
    before = gateways.left
    plan = plan_of(two(), gateways)
    reference = stack_of(plan, "certificate").change_set
    assert reference is not None and not reference.made_stack
    drop(plan, gateways)
    assert gateways.left == before


# --- StackSets ----------------------------------------------------------------------------------------------------

LOGS = {"Resources": {"Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/demo", "RetentionInDays": 30}}}}


def logs(template: Any = None, *regions: str) -> Any:
    more = {"stackset": stackset(*(regions or ("eu-west-1", "us-east-1")))}
    return small_assembly(Small(id="logs", template=template or LOGS, more=more))


def deployed(gateways: SimulatedGateways, *regions: str, status: str = "CURRENT") -> None:
    gateways.at("eu-west-1").sets["demo-test-logs"] = {
        "set": {
            "StackSetName": "demo-test-logs",
            "StackSetId": "demo-test-logs:1",
            "Status": "ACTIVE",
            "Description": "logs",
            "TemplateBody": json.dumps(LOGS),
            "AdministrationRoleARN": f"arn:aws:iam::{ACCOUNT}:role/admin",
            "ExecutionRoleName": "execution",
            "PermissionModel": "SELF_MANAGED",
        },
        "instances": [{"Account": ACCOUNT, "Region": r, "Status": status} for r in regions],
    }


def set_of(plan: Plan) -> StackSetPlan:
    assert isinstance(plan.stacks[0], StackSetPlan)
    return plan.stacks[0]


def test_a_stack_set_is_planned_by_account_and_region() -> None:
    gateways = SimulatedGateways()
    assert [(i.region, i.action) for i in set_of(plan_of(logs(), gateways)).instances] == [("eu-west-1", "create"), ("us-east-1", "create")]
    deployed(gateways, "eu-west-1", "us-east-1")
    assert set_of(plan_of(logs(), gateways)).operation == "none"
    deployed(gateways, "eu-west-1", "sa-east-1")
    plan = set_of(plan_of(logs(), gateways))
    assert plan.operation == "instances"
    assert [(i.region, i.action) for i in plan.instances] == [("eu-west-1", "none"), ("us-east-1", "create"), ("sa-east-1", "remove")]


def test_a_stack_set_predicts_replacement_and_updates_every_instance() -> None:
    gateways = SimulatedGateways()
    deployed(gateways, "eu-west-1", "us-east-1")
    other = json.loads(json.dumps(LOGS))
    other["Resources"]["Logs"]["Properties"]["LogGroupName"] = "/other"
    plan = set_of(plan_of(logs(other), gateways))
    assert (plan.operation, {i.action for i in plan.instances}) == ("update", {"update"})
    assert (plan.resources[0].replacement.verdict, plan.resources[0].replacement.by) == ("yes", "schema")


def test_an_instance_that_is_not_current_is_updated() -> None:
    gateways = SimulatedGateways()
    deployed(gateways, "eu-west-1", "us-east-1", status="OUTDATED")
    plan = set_of(plan_of(logs(), gateways))
    assert (plan.operation, {i.action for i in plan.instances}) == ("instances", {"update"})


# --- the value ----------------------------------------------------------------------------------------------------


def test_the_digest_names_the_whole_plan_and_survives_the_file() -> None:
    plan = plan_of(two(), SimulatedGateways())
    again = msgspec.json.decode(plan_bytes(plan), type=Plan)
    assert again == plan
    assert plan_digest(again) == plan.digest
    assert plan_digest(msgspec.structs.replace(plan, account_id="210987654321")) != plan.digest


def test_independent_stacks_are_planned_at_once_and_dependants_after() -> None:
    barrier = threading.Barrier(2, timeout=180)
    faults = Faults()
    gateways = SimulatedGateways(faults=faults)
    order: list[str] = []

    def meet(name: str, arguments: Any) -> None:
        if name == "create_change_set":
            if not arguments["StackName"].endswith("c"):
                barrier.wait()
            order.append(arguments["StackName"][-1])

    faults.before_call = meet
    bucket = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}}}}
    made = small_assembly(
        Small(id="a", template=bucket), Small(id="b", template=bucket), Small(id="c", template=bucket, depends_on=("a", "b"))
    )
    plan_of(made, gateways)
    assert sorted(order[:2]) == ["a", "b"] and order[2:] == ["c"]


@settings(max_examples=40, deadline=None)
@given(
    stacks=st.integers(1, 5),
    data=st.data(),
)
def test_whatever_goes_wrong_only_what_the_plan_names_is_left(stacks: int, data: st.DataObject) -> None:
    made = small_assembly(
        *(
            Small(
                id=f"s{i}",
                template={
                    "Parameters": {f"P{d}": {"Type": "String"} for d in range(i)},
                    "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "x"}}},
                    "Outputs": {"Arn": {"Value": {"Ref": "Topic"}}},
                },
                parameters=tuple(output(f"P{d}", f"s{d}", "Arn") for d in needs),
                depends_on=tuple(f"s{d}" for d in needs),
            )
            for i in range(stacks)
            for needs in [sorted(data.draw(st.sets(st.integers(0, i - 1))) if i else [])]
        )
    )
    gateways = SimulatedGateways()
    names = [s.stack_name for s in made[0].stacks]
    for name in names:
        if data.draw(st.booleans()):
            gateways.at("eu-west-1").deploy(name, json.loads(made[1][name.rpartition("-")[2]]), {})
    methods = ["create_change_set", "describe_stacks", "get_template", "get_stack_policy"]
    for name in names:
        if data.draw(st.integers(0, 3)) == 0:
            gateways.faults.errors[data.draw(st.sampled_from(methods)), name] = AccessDenied("no", code="AccessDenied")
        if data.draw(st.integers(0, 4)) == 0:
            gateways.faults.refuse[name] = "because"
    gateways.faults.pending = data.draw(st.integers(0, 2))
    gateways.faults.page = data.draw(st.integers(1, 3))
    plan = plan_of(made, gateways)
    named = {c.arn for c in plan.change_sets} | {c.stack_arn for c in plan.change_sets if c.type == "CREATE"}
    assert set(gateways.left) == named
    assert not (plan.blocked and named)


@settings(max_examples=30, deadline=None)
@given(edits=st.lists(st.tuples(st.sampled_from(["example.org", "a.example", "b.example"]), st.integers(0, 3)), min_size=1, max_size=4))
def test_planning_and_executing_settles_after_any_edits(edits: list[tuple[str, int]]) -> None:
    gateways = SimulatedGateways()
    for domain, topics in edits:
        site = json.loads(json.dumps(SITE))
        for i in range(topics):
            site["Resources"][f"Topic{i}"] = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": domain}}
        plan = settled(two(domain, site), gateways)
        assert not plan.has_changes and not plan.blocked and gateways.left == []
