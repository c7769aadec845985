"""What stands already, at the local AWS: a name that is taken stops a stack, and an import takes over what may be taken over."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aws.errors import AwsError
from aws.session import Aws
from gateways.existing import NAMES, ExistingResources
from local_aws import prepare
from tests.functional.test_local_aws_resources import CAPABILITIES, Stacks, template

pytestmark = pytest.mark.functional

LAMBDA_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}]}
TABLE = {
    "TableName": "t-able",
    "AttributeDefinitions": [{"AttributeName": "K", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "K", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
OAC = {"Name": "oac", "OriginAccessControlOriginType": "s3", "SigningBehavior": "always", "SigningProtocol": "sigv4"}
ALARM = {
    "AlarmName": "alarm",
    "Namespace": "N",
    "MetricName": "M",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanThreshold",
}
EDGE_CODE = "function handler(event) { return event.request; }"
KINDS: dict[str, dict[str, Any]] = {
    "AWS::S3::Bucket": {"BucketName": "clashing-ACCOUNT"},
    "AWS::DynamoDB::Table": TABLE,
    "AWS::Logs::LogGroup": {"LogGroupName": "/a/group"},
    "AWS::IAM::Role": {"RoleName": "role", "AssumeRolePolicyDocument": LAMBDA_TRUST},
    "AWS::IAM::ManagedPolicy": {"ManagedPolicyName": "policy", "PolicyDocument": POLICY},
    "AWS::IAM::OIDCProvider": {"Url": "https://token.actions.githubusercontent.com", "ClientIdList": ["sts.amazonaws.com"]},
    "AWS::SNS::Topic": {"TopicName": "topic"},
    "AWS::CloudWatch::Alarm": ALARM,
    "AWS::CloudWatch::Dashboard": {"DashboardName": "board", "DashboardBody": "{}"},
    "AWS::CloudFront::OriginAccessControl": {"OriginAccessControlConfig": OAC},
    "AWS::CloudFront::ResponseHeadersPolicy": {"ResponseHeadersPolicyConfig": {"Name": "headers"}},
    "AWS::CloudFront::Function": {
        "Name": "edge",
        "AutoPublish": True,
        "FunctionCode": EDGE_CODE,
        "FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-2.0"},
    },
    "AWS::Logs::DeliverySource": {
        "Name": "source",
        "LogType": "ACCESS_LOGS",
        "ResourceArn": "arn:aws:cloudfront::ACCOUNT:distribution/E1",
    },
    "AWS::WAFv2::WebACL": {
        "Name": "acl",
        "Scope": "CLOUDFRONT",
        "DefaultAction": {"Allow": {}},
        "VisibilityConfig": {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "acl"},
    },
    "AWS::Logs::DeliveryDestination": {"Name": "target", "DestinationResourceArn": "arn:aws:s3:::some-bucket"},
}


@pytest.fixture
def stacks(aws: Aws, account: str) -> Stacks:
    return Stacks(aws, account)


def properties(stacks: Stacks, kind: str) -> dict[str, Any]:
    """Bucket names belong to one account of the world."""
    found: dict[str, Any] = json.loads(json.dumps(KINDS[kind]).replace("ACCOUNT", stacks.account))
    return found


def only(stacks: Stacks, kind: str, **more: Any) -> dict[str, Any]:
    return {"Resources": {"R": {"Type": kind, "Properties": properties(stacks, kind), **more}}}


def failed(stacks: Stacks, name: str, body: dict[str, Any]) -> str:
    stacks.client.create_stack(StackName=name, TemplateBody=json.dumps(body), Capabilities=CAPABILITIES)
    stack = stacks.settled(name)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE", stack
    events = stacks.client.describe_events(StackName=name)["OperationEvents"]
    validated = [each.get("ValidationStatusReason", "") for each in events]
    return "\n".join([*stacks.failures(name), *validated])


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_is_taken_stops_the_stack_and_what_stands_stays(stacks: Stacks, kind: str) -> None:
    stacks.apply("first", only(stacks, kind))
    assert "already exists" in failed(stacks, "second", only(stacks, kind))
    held = stacks.client.describe_stack_resources(StackName="first")["StackResources"][0]["PhysicalResourceId"]
    owner = stacks.client.describe_stack_resources(PhysicalResourceId=held)["StackResources"][0]
    assert (owner["StackName"], owner["LogicalResourceId"]) == ("first", "R")
    stacks.apply("first", {**only(stacks, kind), "Description": "an update is no clash"})
    stacks.delete("first")
    with pytest.raises(AwsError, match=r"Stack for .* does not exist"):
        stacks.client.describe_stack_resources(PhysicalResourceId=held)
    stacks.apply("third", only(stacks, kind))


def test_a_record_that_stands_stops_the_stack(aws: Aws, account: str, stacks: Stacks) -> None:
    zone = prepare.hosted_zone(aws, name="example.org", account_id=account)
    record = {"HostedZoneId": zone, "Name": "www.example.org", "Type": "A", "TTL": "60", "ResourceRecords": ["192.0.2.1"]}
    stacks.apply("first", template("AWS::Route53::RecordSet", record))
    assert "already exists" in failed(stacks, "second", template("AWS::Route53::RecordSet", record))
    cname = {**record, "Type": "CNAME", "ResourceRecords": ["elsewhere.example.org"]}
    assert "InvalidChangeBatch" in failed(stacks, "third", template("AWS::Route53::RecordSet", cname))


IMPORTABLE = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::Logs::LogGroup", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard")


def import_set(stacks: Stacks, body: dict[str, Any], name: str = "second") -> dict[str, Any]:
    stacks.client.create_change_set(
        StackName=name,
        ChangeSetName="take",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps(body),
        Capabilities=CAPABILITIES,
        ImportExistingResources=True,
        Tags=[{"Key": "environment", "Value": "dev"}],
    )
    found: dict[str, Any] = stacks.client.describe_change_set(StackName=name, ChangeSetName="take")
    return found


@pytest.mark.parametrize("kind", IMPORTABLE)
def test_what_a_deleted_stack_kept_is_taken_over_by_import(stacks: Stacks, kind: str) -> None:
    body = only(stacks, kind, DeletionPolicy="RetainExceptOnCreate")
    stacks.apply("first", body)
    stacks.delete("first")
    described = import_set(stacks, body)
    assert [c["ResourceChange"]["Action"] for c in described["Changes"]] == ["Import"], described
    stacks.client.execute_change_set(StackName="second", ChangeSetName="take")
    assert stacks.settled("second")["StackStatus"] == "CREATE_COMPLETE", stacks.failures("second")


@pytest.mark.parametrize("kind", IMPORTABLE)
def test_what_is_not_retained_or_belongs_to_a_stack_is_not_imported(stacks: Stacks, kind: str) -> None:
    stacks.apply("first", only(stacks, kind, DeletionPolicy="Retain"))
    taken = import_set(stacks, only(stacks, kind, DeletionPolicy="Retain"))
    assert taken["Status"] == "FAILED"
    assert "already exists in stack" in taken["StatusReason"]
    stacks.delete("first")
    bare = import_set(stacks, only(stacks, kind), "third")
    assert bare["Status"] == "FAILED"
    assert "DeletionPolicy" in bare["StatusReason"]


def test_retain_except_on_create_leaves_nothing_of_a_creation_that_failed(aws: Aws, account: str, stacks: Stacks) -> None:
    resources = {
        f"R{number}": {"Type": kind, "Properties": properties(stacks, kind), "DeletionPolicy": "RetainExceptOnCreate"}
        for number, kind in enumerate(("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::Logs::LogGroup"))
    }
    stacks.apply("first", only(stacks, "AWS::SNS::Topic"))
    clash = {"Type": "AWS::SNS::Topic", "Properties": KINDS["AWS::SNS::Topic"], "DependsOn": list(resources)}
    assert "already exists" in failed(stacks, "second", {"Resources": {**resources, "Clash": clash}})
    stacks.apply("third", {"Resources": resources})
    tags = aws.client("s3", account_id=account, region="us-east-1").get_bucket_tagging(Bucket=f"clashing-{account}")["TagSet"]
    assert {"Key": "aws:cloudformation:stack-name", "Value": "third"} in tags


def test_what_stands_is_found_by_its_name_with_the_physical_id_of_cloudformation_and_its_tags(
    aws: Aws, account: str, stacks: Stacks
) -> None:
    place = ExistingResources.connect(aws, account_id=account, region="us-east-1")
    for number, kind in enumerate(KINDS):
        name: Any = properties(stacks, kind)
        for key in NAMES[kind]:
            name = name[key]
        assert place.find(kind, name) is None, kind
        stacks.apply(f"s{number}", only(stacks, kind))
        found = place.find(kind, name)
        held = stacks.client.describe_stack_resources(StackName=f"s{number}")["StackResources"][0]["PhysicalResourceId"]
        assert found is not None
        assert found.physical_id == held
        assert place.find(kind, f"{name}x") is None, kind
