"""An update of a stack on the local AWS: CloudFormation's order, its clean-up, and what cannot be deleted there."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from aws.errors import AwsError
from aws.session import Aws
from local_aws import prepare
from tests.functional.test_local_aws_resources import Stacks, template

pytestmark = pytest.mark.functional


@pytest.fixture
def stacks(aws: Aws, account: str) -> Stacks:
    return Stacks(aws, account)


def certificate(domain: str, **more: Any) -> dict[str, Any]:
    return {
        "Resources": {"Used": {"Type": "AWS::CertificateManager::Certificate", "Properties": {"DomainName": domain}, **more}},
        "Outputs": {"Arn": {"Value": {"Ref": "Used"}}},
    }


def site(arn: str) -> dict[str, Any]:
    viewer = {"AcmCertificateArn": arn, "SslSupportMethod": "sni-only"}
    config = {
        "Enabled": True,
        "Origins": [{"Id": "o", "DomainName": "b.s3.eu-west-1.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}],
        "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "https-only"},
        "ViewerCertificate": viewer,
    }
    return {"Resources": {"D": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": config}}}}


def told(stacks: Stacks, name: str, logical_id: str) -> list[str]:
    events = stacks.client.describe_stack_events(StackName=name)["StackEvents"]
    return [event["ResourceStatus"] for event in reversed(events) if event["LogicalResourceId"] == logical_id]


def test_what_a_clean_up_cannot_delete_is_tried_three_times_and_forgotten(aws: Aws, account: str, stacks: Stacks) -> None:
    first = stacks.apply("certificate", certificate("a.example.com"))["Arn"]
    stacks.apply("site", site(first))

    second = stacks.apply("certificate", certificate("b.example.com"))["Arn"]

    assert second != first
    assert told(stacks, "certificate", "Used").count("DELETE_FAILED") == 3
    assert told(stacks, "certificate", "certificate")[-2:] == ["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"]
    held = stacks.client.list_stack_resources(StackName="certificate")["StackResourceSummaries"]
    assert [each["PhysicalResourceId"] for each in held] == [second]
    acm = aws.client("acm", account_id=account, region="us-east-1")
    assert {each["CertificateArn"] for each in acm.list_certificates()["CertificateSummaryList"]} == {first, second}
    with pytest.raises(AwsError, match="in use"):
        acm.delete_certificate(CertificateArn=first)
    stacks.apply("site", site(second))
    acm.delete_certificate(CertificateArn=first)


def test_a_removed_resource_that_will_not_go_is_forgotten_as_well(aws: Aws, account: str, stacks: Stacks) -> None:
    s3 = aws.client("s3", account_id=account, region="us-east-1")
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"full-{account}"}}
    other = {"Type": "AWS::SNS::Topic", "Properties": {}}
    stacks.apply("data", {"Resources": {"B": bucket, "T": other}})
    s3.put_object(Bucket=f"full-{account}", Key="a", Body=b"a")

    stacks.apply("data", {"Resources": {"T": other}})

    assert told(stacks, "data", "B").count("DELETE_FAILED") == 3
    assert [each["LogicalResourceId"] for each in stacks.client.list_stack_resources(StackName="data")["StackResourceSummaries"]] == ["T"]
    s3.head_bucket(Bucket=f"full-{account}")


def test_a_stack_with_a_full_bucket_is_not_deleted(aws: Aws, account: str, stacks: Stacks) -> None:
    stacks.apply("data", template("AWS::S3::Bucket", {"BucketName": f"full-{account}"}))
    aws.client("s3", account_id=account, region="us-east-1").put_object(Bucket=f"full-{account}", Key="a", Body=b"a")
    with pytest.raises(AssertionError, match="BucketNotEmpty"):
        stacks.delete("data")


def test_new_resources_are_made_before_old_ones_are_deleted(stacks: Stacks) -> None:
    def body(title: str) -> dict[str, Any]:
        return {"Resources": {title: {"Type": "AWS::SSM::Parameter", "Properties": {"Name": f"/{title}", "Type": "String", "Value": "x"}}}}

    stacks.apply("order", body("Old"))
    stacks.apply("order", body("New"))
    events = stacks.client.describe_stack_events(StackName="order")["StackEvents"]
    order = [(e["LogicalResourceId"], e["ResourceStatus"]) for e in reversed(events)]
    assert order.index(("New", "UPDATE_COMPLETE")) < order.index(("Old", "DELETE_IN_PROGRESS"))


# --- records ------------------------------------------------------------------------------------------------------


def record(zone: str, target: str, **more: Any) -> dict[str, Any]:
    properties = {"HostedZoneId": zone, "Name": "www.example.com", "Type": "A", "TTL": "60", "ResourceRecords": [target], **more}
    return {"Type": "AWS::Route53::RecordSet", "Properties": properties}


PRIMARY = {"SetIdentifier": "p", "Failover": "PRIMARY", "HealthCheckId": "h"}
SECONDARY = {"SetIdentifier": "s", "Failover": "SECONDARY"}


@pytest.mark.parametrize("grouped", [False, True], ids=["records", "group"])
@pytest.mark.parametrize("back", [False, True], ids=["on", "off"])
def test_a_record_does_not_turn_from_simple_to_failover_nor_back(
    aws: Aws, account: str, stacks: Stacks, *, grouped: bool, back: bool
) -> None:
    zone = prepare.hosted_zone(aws, name="example.com", account_id=account)
    simple = {"One": record(zone, "192.0.2.1")}
    pair = {"One": record(zone, "192.0.2.1", **PRIMARY), "Two": record(zone, "192.0.2.2", **SECONDARY)}
    before, after = (pair, simple) if back else (simple, pair)

    def body(records: dict[str, Any]) -> dict[str, Any]:
        if not grouped:
            return {"Resources": copy.deepcopy(records)}
        properties = {
            "HostedZoneId": zone,
            "RecordSets": [{k: v for k, v in r["Properties"].items() if k != "HostedZoneId"} for r in records.values()],
        }
        return {"Resources": {"All": {"Type": "AWS::Route53::RecordSetGroup", "Properties": properties}}}

    stacks.apply("dns", body(before))
    with pytest.raises(AssertionError, match="InvalidChangeBatch"):
        stacks.apply("dns", body(after))
    found = aws.client("route53", account_id=account, region="us-east-1").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert sorted(r.get("SetIdentifier", "") for r in found if r["Name"] == "www.example.com.") == (["p", "s"] if back else [""])


def test_an_alias_needs_its_target(aws: Aws, account: str, stacks: Stacks) -> None:
    zone = prepare.hosted_zone(aws, name="example.com", account_id=account)
    alias = {"HostedZoneId": zone, "DNSName": "there.example.com", "EvaluateTargetHealth": True}
    properties = {"HostedZoneId": zone, "Name": "www.example.com", "Type": "A", "AliasTarget": alias}
    with pytest.raises(AssertionError, match="that target was not found"):
        stacks.apply("dns", template("AWS::Route53::RecordSet", properties))
    stacks.delete("dns")
    there = record(zone, "192.0.2.1", Name="there.example.com")
    stacks.apply(
        "dns", {"Resources": {"A": {"Type": "AWS::Route53::RecordSet", "Properties": properties, "DependsOn": "There"}, "There": there}}
    )
    stacks.delete("dns")


def test_a_deleted_stack_stays_listed_when_another_one_has_its_name(aws: Aws, account: str) -> None:
    client = aws.client("cloudformation", account_id=account, region="us-east-1")
    body = '{"Resources": {"Wait": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}'
    arns = []
    for _ in range(2):
        arns.append(client.create_stack(StackName="again", TemplateBody=body)["StackId"])
        client.get_waiter("stack_create_complete").wait(StackName="again", WaiterConfig={"Delay": 1})
        client.delete_stack(StackName=arns[-1])
        client.get_waiter("stack_delete_complete").wait(StackName=arns[-1], WaiterConfig={"Delay": 1})
    listed = [s["StackId"] for s in client.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]]
    assert set(listed) == set(arns)
    assert all(client.describe_stack_events(StackName=arn)["StackEvents"] for arn in arns)


ALL = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}


@pytest.mark.parametrize(
    ("action", "named"),
    [("Update:Modify", "A"), ("Update:Replace", "A"), ("Update:Delete", "B")],
)
def test_a_stack_policy_refuses_an_update_which_rolls_back_and_no_change_set_minds_it(stacks: Stacks, action: str, named: str) -> None:
    def topics(name: str, shown: str, *more: str) -> dict[str, Any]:
        kind = "AWS::SNS::Topic"
        first = {"Type": kind, "Properties": {"TopicName": name, "DisplayName": shown}}
        return {"Resources": {"A": first, **{each: {"Type": kind, "Properties": {}} for each in more}}}

    stacks.apply("topics", topics("a", "one", "B"))
    denied = {"Effect": "Deny", "Action": action, "Principal": "*", "Resource": f"LogicalResourceId/{named}"}
    stacks.client.set_stack_policy(StackName="topics", StackPolicyBody=json.dumps({"Statement": [ALL, denied]}))
    changed = {
        "Update:Modify": topics("a", "two", "B"),
        "Update:Replace": topics("b", "one", "B"),
        "Update:Delete": topics("a", "one"),
    }[action]
    with pytest.raises(AssertionError, match=rf"{named}: Action denied by stack policy: Statement \[#1\] denies \[{action}\]"):
        stacks.apply("topics", changed)
    assert stacks.settled("topics")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    held = stacks.client.list_stack_resources(StackName="topics")["StackResourceSummaries"]
    assert {each["LogicalResourceId"] for each in held} == {"A", "B"}
    stacks.client.set_stack_policy(StackName="topics", StackPolicyBody=json.dumps({"Statement": [ALL]}))
    stacks.apply("topics", changed)


def test_a_stack_under_review_stays_the_same_and_executing_one_change_set_deletes_the_others(stacks: Stacks) -> None:
    """API reference, ExecuteChangeSet: "CloudFormation deletes all other change sets associated with the stack"."""
    topic = {"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}}}
    common = {"StackName": "reviewed", "TemplateBody": json.dumps(topic), "ChangeSetType": "CREATE"}
    made = [stacks.client.create_change_set(**common, ChangeSetName=name) for name in ("one", "two")]
    assert len({each["StackId"] for each in made}) == 1
    with pytest.raises(AwsError, match="Template format error"):
        stacks.client.create_change_set(**{**common, "TemplateBody": "{"}, ChangeSetName="three")
    (described,) = stacks.client.describe_stacks(StackName=made[0]["StackId"])["Stacks"]
    assert described["StackStatus"] == "REVIEW_IN_PROGRESS"

    stacks.client.execute_change_set(ChangeSetName="two", StackName="reviewed")

    assert [each["ChangeSetName"] for each in stacks.client.list_change_sets(StackName="reviewed")["Summaries"]] == ["two"]


def test_a_stack_policy_has_to_allow_what_refers_to_something_updated_too(stacks: Stacks) -> None:
    """Though it keeps its values: CloudFormation User Guide, "Prevent updates to stack resources"."""

    def topics(shown: str) -> dict[str, Any]:
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": "*"}]}
        beside = {"PolicyDocument": policy, "Topics": [{"Ref": "A"}]}
        return {
            "Resources": {
                "A": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "a", "DisplayName": shown}},
                "B": {"Type": "AWS::SNS::TopicPolicy", "Properties": beside},
                "C": {"Type": "AWS::SNS::Topic", "Properties": {}},
            }
        }

    stacks.apply("topics", topics("one"))
    for named, refused in (("C", False), ("B", True)):
        denied = {"Effect": "Deny", "Action": "Update:Modify", "Principal": "*", "Resource": f"LogicalResourceId/{named}"}
        stacks.client.set_stack_policy(StackName="topics", StackPolicyBody=json.dumps({"Statement": [ALL, denied]}))
        if refused:
            with pytest.raises(AssertionError, match="B: Action denied by stack policy"):
                stacks.apply("topics", topics(named))
        else:
            stacks.apply("topics", topics(named))
