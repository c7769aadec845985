"""Drift: what is told, what is hidden, what cannot be told, and the exit status."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws.cloudformation.drift import PropertyDifference, ResourceDrift
from aws.errors import AccessDenied, NotFound
from operations.drift import ATTEMPTS, DriftReport, Hidden, detect_drift, drift_lines, drifted, still_drifted
from templates.values import Known, Redacted
from tests.golden_files import assert_golden
from tests.scripted import Scripted, ScriptedAws
from tests.simulated import ACCOUNT, Small, small_assembly, stackset

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
HASH = "$scrypt$ln=14,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
TEMPLATE: dict[str, Any] = {
    "Parameters": {"Hash": {"Type": "String", "NoEcho": True}, "Name": {"Type": "String"}},
    "Resources": {
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {"Code": {"ZipFile": {"Fn::Sub": "const hash = '${Hash}'"}}, "Description": {"Ref": "Name"}, "Timeout": 3},
        },
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"Tags": [{"Key": "a", "Value": {"Ref": "Hash"}}]}},
        "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": {}},
    },
}


def live(status: str = "UPDATE_COMPLETE") -> dict[str, Any]:
    parameters = [{"ParameterKey": "Hash", "ParameterValue": "****"}, {"ParameterKey": "Name", "ParameterValue": "edge"}]
    return {
        "Stacks": [
            {"StackName": "demo-test-edge", "StackId": "arn:stack", "StackStatus": status, "Parameters": parameters, "CreationTime": ""}
        ]
    }


def difference(path: str, expected: str, actual: str, kind: str = "NOT_EQUAL") -> dict[str, str]:
    return {"PropertyPath": path, "ExpectedValue": expected, "ActualValue": actual, "DifferenceType": kind}


DRIFTS = {
    "StackResourceDrifts": [
        {
            "LogicalResourceId": "Function",
            "PhysicalResourceId": "demo-edge",
            "ResourceType": "AWS::Lambda::Function",
            "StackResourceDriftStatus": "MODIFIED",
            "PropertyDifferences": [
                difference("/Timeout", "3", "5"),
                difference("/Description", "edge", "", "REMOVE"),
                difference("/MemorySize", "", "256", "ADD"),
                difference("/Code/ZipFile", f"const hash = '{HASH}'", "const hash = 'open sesame'"),
            ],
        },
        {
            "LogicalResourceId": "Bucket",
            "PhysicalResourceId": "demo-bucket",
            "ResourceType": "AWS::S3::Bucket",
            "StackResourceDriftStatus": "DELETED",
        },
    ]
}
LISTED = {
    "StackResourceSummaries": [
        {"LogicalResourceId": i, "PhysicalResourceId": i, "ResourceType": body["Type"], "ResourceStatus": "CREATE_COMPLETE"}
        for i, body in TEMPLATE["Resources"].items()
    ]
}


def detection(status: str = "DETECTION_COMPLETE", drift: str = "DRIFTED", reason: str = "") -> dict[str, Any]:
    return {"DetectionStatus": status, "StackDriftStatus": drift, "DetectionStatusReason": reason}


def formation(**script: Any) -> Scripted:
    return Scripted(
        **{
            "describe_stacks": live(),
            "detect_stack_drift": {"StackDriftDetectionId": "d1"},
            "describe_stack_drift_detection_status": detection(),
            "describe_stack_resource_drifts": DRIFTS,
            "list_stack_resources": LISTED,
            "get_template": {"TemplateBody": TEMPLATE},
            **script,
        }
    )


def look(client: Any, **more: Any) -> DriftReport:
    assembly, _ = small_assembly(Small(id="edge", template=TEMPLATE, **more))
    aws = ScriptedAws({"cloudformation": client})
    return detect_drift(assembly, aws, operation_id="drift-1", now=NOW, sleep=aws.slept.append)


def test_drift_is_told_property_by_property_with_secrets_hidden_golden() -> None:
    report = look(formation())
    text = "\n".join(drift_lines(report)) + "\n"
    assert report.exit_status == 3
    assert "open sesame" not in text
    assert HASH not in repr(report)
    assert_golden("drift/drifted.txt", text)


def test_in_sync_is_exit_status_0_and_what_cannot_be_checked_is_named() -> None:
    function = {"LogicalResourceId": "Function", "ResourceType": "AWS::Lambda::Function", "StackResourceDriftStatus": "IN_SYNC"}
    in_sync = {"StackResourceDrifts": [function]}
    report = look(formation(describe_stack_resource_drifts=in_sync, describe_stack_drift_detection_status=detection(drift="IN_SYNC")))
    (stack,) = report.stacks
    assert (report.exit_status, stack.result, stack.checked) == (0, "in_sync", 1)
    assert {u.logical_id for u in stack.unchecked} == {"Bucket", "Policy"}
    assert "  AWS::S3::BucketPolicy" in drift_lines(report)


def test_a_stack_of_which_nothing_can_be_checked_is_not_called_in_sync() -> None:
    report = look(formation(describe_stack_resource_drifts={}, describe_stack_drift_detection_status=detection(drift="IN_SYNC")))
    assert report.stacks[0].result == "unchecked"
    assert "in sync" not in "\n".join(drift_lines(report))


def test_the_detection_is_waited_for_and_given_up_in_the_end() -> None:
    running = detection("DETECTION_IN_PROGRESS", "UNKNOWN")
    assert look(formation(describe_stack_drift_detection_status=[running, running, detection()])).exit_status == 3
    client = formation(describe_stack_drift_detection_status=running)
    report = look(client)
    assert report.exit_status == 1
    assert f"after {ATTEMPTS} polls" in report.stacks[0].error


def test_a_detection_that_failed_in_part_still_shows_what_it_found_but_is_a_failure() -> None:
    failed = detection("DETECTION_FAILED", "DRIFTED", "Failed to detect drift on resource [Policy]")
    report = look(formation(describe_stack_drift_detection_status=failed))
    assert (report.exit_status, len(report.stacks[0].resources)) == (1, 2)
    assert "resource [Policy]; it has no service role, so its resources are read with the caller's own permissions" in "\n".join(
        drift_lines(report)
    )


@pytest.mark.parametrize(
    ("answer", "result", "status"),
    [
        (NotFound("does not exist"), "not_deployed", 0),
        (live("REVIEW_IN_PROGRESS"), "not_deployed", 0),
        (live("UPDATE_IN_PROGRESS"), "failed", 1),
        (AccessDenied("not authorized", hint="python deploy.py doctor --env test"), "failed", 1),
    ],
)
def test_stacks_that_cannot_be_looked_at(answer: Any, result: str, status: int) -> None:
    report = look(formation(describe_stacks=answer))
    assert (report.stacks[0].result, report.exit_status) == (result, status)


def test_pages_are_all_read() -> None:
    first = {"StackResourceDrifts": DRIFTS["StackResourceDrifts"][:1], "NextToken": "2"}
    second = {"StackResourceDrifts": DRIFTS["StackResourceDrifts"][1:]}
    report = look(formation(describe_stack_resource_drifts=[first, second]))
    assert [r.logical_id for r in report.stacks[0].resources] == ["Function", "Bucket"]


def set_client(status: str = "SUCCEEDED", failed: int = 0) -> Scripted:
    instance = {"Account": ACCOUNT, "Status": "CURRENT"}
    return Scripted(
        describe_stack_set={"StackSet": {"StackSetName": "demo-test-edge", "Status": "ACTIVE", "TemplateBody": "{}"}},
        list_stack_set_operations={"Summaries": []},
        detect_stack_set_drift={"OperationId": "o1"},
        describe_stack_set_operation=[
            {"StackSetOperation": {"Status": "RUNNING"}},
            {"StackSetOperation": {"Status": status, "StatusDetails": {"FailedStackInstancesCount": failed}}},
        ],
        list_stack_instances={
            "Summaries": [
                {**instance, "Region": "eu-west-1", "DriftStatus": "DRIFTED"},
                {**instance, "Region": "us-east-1", "DriftStatus": "IN_SYNC"},
                {**instance, "Region": "us-west-2", "DriftStatus": "NOT_CHECKED"},
            ]
        },
        list_stack_instance_resource_drifts={
            "Summaries": [
                {
                    "LogicalResourceId": "LogGroup",
                    "ResourceType": "AWS::Logs::LogGroup",
                    "StackResourceDriftStatus": "MODIFIED",
                    "PropertyDifferences": [difference("/RetentionInDays", "30", "1")],
                }
            ]
        },
        list_stack_set_operation_results={
            "Summaries": [{"Account": ACCOUNT, "Region": "us-west-2", "Status": "FAILED", "StatusReason": "no role"}]
        },
    )


def test_a_stack_set_is_looked_at_in_every_instance() -> None:
    client = set_client()
    report = look(client, more={"stackset": stackset("eu-west-1")})
    (stack,) = report.stacks
    assert (stack.result, stack.checked) == ("drifted", 2)
    assert [(r.where, r.properties[0].path) for r in stack.resources] == [(f"{ACCOUNT} eu-west-1", "RetentionInDays")]
    assert [u.logical_id for u in stack.unchecked] == [f"{ACCOUNT} us-west-2"]
    assert len(client.called("list_stack_instance_resource_drifts")) == 1


def test_an_operation_that_succeeded_with_failed_instances_is_a_failure() -> None:
    report = look(set_client(failed=1), more={"stackset": stackset("eu-west-1")})
    assert report.exit_status == 1
    assert "us-west-2: no role" in report.stacks[0].error


@given(
    st.sampled_from(["/Code", "/Code/ZipFile", "/Code/ZipFile/deeper", "Code/ZipFile"]),
    st.text(min_size=1, max_size=20),
    st.text(min_size=1, max_size=20),
)
def test_no_path_into_a_secret_property_shows_either_value(path: str, expected: str, actual: str) -> None:
    import json

    hidden = Hidden.of(json.dumps(TEMPLATE), None, ACCOUNT, "us-east-1")
    found = ResourceDrift(
        logical_id="Function",
        physical_id="f",
        resource_type="AWS::Lambda::Function",
        status="MODIFIED",
        differences=(PropertyDifference(path=path, expected=expected, actual=actual, kind="NOT_EQUAL"),),
    )
    (shown,) = drifted(found, hidden).properties
    assert (shown.expected, shown.actual) == (Redacted(), Redacted())


@given(st.text(max_size=10), st.sampled_from([HASH, HASH.replace("scrypt$ln=14,r=8,p=1", "hmac-sha256")]), st.text(max_size=10))
def test_a_password_hash_is_hidden_wherever_it_stands(before: str, password_hash: str, after: str) -> None:
    found = ResourceDrift(
        logical_id="Anything",
        physical_id="x",
        resource_type="AWS::SSM::Parameter",
        status="MODIFIED",
        differences=(PropertyDifference(path="/Value", expected="plain", actual=f"{before}{password_hash}{after}", kind="NOT_EQUAL"),),
    )
    (shown,) = drifted(found, Hidden({})).properties
    assert (shown.expected, shown.actual) == (Known(text="plain"), Redacted())


def test_a_template_that_is_not_json_hides_everything() -> None:
    assert Hidden.of("Resources: {}", None, ACCOUNT, "us-east-1").covers("Any", "/Thing")


@pytest.mark.parametrize("drift", ["DRIFTED", "IN_SYNC", "NOT_CHECKED"])
def test_a_drift_that_a_drift_aware_plan_leaves_alone_is_told(drift: str) -> None:
    described = live()
    described["Stacks"][0]["DriftInformation"] = {"StackDriftStatus": drift}
    assembly, _ = small_assembly(Small(id="edge", template=TEMPLATE))
    told = still_drifted(assembly.stacks, ScriptedAws({"cloudformation": formation(describe_stacks=described)}))
    assert [each.partition(",")[0] for each in told] == (["edge was drifted when last looked at"] if drift == "DRIFTED" else [])
