"""Resources that were made through the services' own APIs come into a stack, at the local AWS, as CloudFormation imports them."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from aws.errors import AwsError, BadRequest
from aws.session import Aws
from local_aws import prepare
from local_aws.server import LocalAws
from tests.functional.distributions import certified
from tests.functional.harness import Hold
from tests.functional.test_local_aws_existing import ALARM, EDGE_CODE, LAMBDA_TRUST, OAC, POLICY, TABLE
from tests.functional.test_local_aws_resources import CAPABILITIES, Stacks

pytestmark = pytest.mark.functional

CACHE = {
    "Name": "cached",
    "MinTTL": 1,
    "DefaultTTL": 60,
    "MaxTTL": 600,
    "ParametersInCacheKeyAndForwardedToOrigin": {
        "EnableAcceptEncodingGzip": True,
        "HeadersConfig": {"HeaderBehavior": "none"},
        "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
    },
}
CHECK = {"Type": "HTTPS", "FullyQualifiedDomainName": "www.example.org", "Port": 443, "RequestInterval": 30, "FailureThreshold": 3}
FRAME = {"FrameOptions": {"FrameOption": "DENY", "Override": True}}


@dataclass(frozen=True)
class Stands:
    """What was made: how it is named, what a template says of it, what Ref and GetAtt give, and a later change of the template."""

    identifier: Mapping[str, str]
    properties: dict[str, Any]
    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    change: Mapping[str, Any] = field(default_factory=dict)
    """Properties of a later update, which happens in place."""


@dataclass(frozen=True)
class Account:
    """The services of an empty account."""

    aws: Aws
    id: str

    def client(self, service: str) -> Any:
        return self.aws.client(service, account_id=self.id, region="us-east-1")


def bucket(of: Account) -> Stands:
    name = f"site-{of.id}"
    s3 = of.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    blocked = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=blocked)
    return Stands(
        {"BucketName": name},
        {"BucketName": name, "VersioningConfiguration": {"Status": "Enabled"}, "PublicAccessBlockConfiguration": blocked},
        name,
        {"Arn": f"arn:aws:s3:::{name}", "RegionalDomainName": f"{name}.s3.us-east-1.amazonaws.com"},
        {"PublicAccessBlockConfiguration": {**blocked, "BlockPublicAcls": False}},
    )


def bucket_policy(of: Account) -> Stands:
    name = f"site-{of.id}"
    of.client("s3").create_bucket(Bucket=name)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{name}/*",
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    of.client("s3").put_bucket_policy(Bucket=name, Policy=json.dumps(document))
    other = {**document, "Statement": [{**statement, "Action": ["s3:GetObject", "s3:ListBucket"]}]}
    return Stands({"Bucket": name}, {"Bucket": name, "PolicyDocument": document}, name, {}, {"PolicyDocument": other})


def distribution(of: Account) -> Stands:
    origin = {"Id": "site", "DomainName": "b.s3.eu-west-1.amazonaws.com"}
    behavior = {
        "TargetOriginId": "site",
        "ViewerProtocolPolicy": "redirect-to-https",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    }
    asked: dict[str, Any] = {
        "CallerReference": of.id,
        "Comment": "the site",
        "Enabled": True,
        "HttpVersion": "http2",
        "Aliases": {"Quantity": 1, "Items": [f"www-{of.id}.example.org"]},
        "Origins": {"Quantity": 1, "Items": [{**origin, "S3OriginConfig": {"OriginAccessIdentity": ""}}]},
        "DefaultCacheBehavior": behavior,
        "ViewerCertificate": certified(of.client("acm"), f"www-{of.id}.example.org"),
    }
    made = of.client("cloudfront").create_distribution(DistributionConfig=asked)["Distribution"]
    told = {
        "Comment": "the site",
        "Enabled": True,
        "HttpVersion": "http2",
        "Aliases": [f"www-{of.id}.example.org"],
        "Origins": [{**origin, "S3OriginConfig": {"OriginAccessIdentity": ""}}],
        "DefaultCacheBehavior": behavior,
        "ViewerCertificate": {
            "AcmCertificateArn": asked["ViewerCertificate"]["ACMCertificateArn"],
            "SslSupportMethod": "sni-only",
            "MinimumProtocolVersion": "TLSv1.2_2021",
        },
    }
    return Stands(
        {"Id": made["Id"]},
        {"DistributionConfig": told},
        made["Id"],
        {"DomainName": made["DomainName"], "Id": made["Id"]},
        {"DistributionConfig": {**told, "Comment": "the new site"}},
    )


def access_control(of: Account) -> Stands:
    made = of.client("cloudfront").create_origin_access_control(OriginAccessControlConfig={**OAC, "Description": ""})["OriginAccessControl"]
    changed = {"OriginAccessControlConfig": {**OAC, "SigningBehavior": "never"}}
    return Stands({"Id": made["Id"]}, {"OriginAccessControlConfig": OAC}, made["Id"], {"Id": made["Id"]}, changed)


def headers_policy(of: Account) -> Stands:
    config = {"Name": "headers", "SecurityHeadersConfig": FRAME}
    made = of.client("cloudfront").create_response_headers_policy(ResponseHeadersPolicyConfig=config)["ResponseHeadersPolicy"]
    same = {"FrameOptions": {"FrameOption": "SAMEORIGIN", "Override": True}}
    changed = {"ResponseHeadersPolicyConfig": {**config, "SecurityHeadersConfig": same}}
    return Stands({"Id": made["Id"]}, {"ResponseHeadersPolicyConfig": config}, made["Id"], {"Id": made["Id"]}, changed)


def cache_policy(of: Account) -> Stands:
    made = of.client("cloudfront").create_cache_policy(CachePolicyConfig=nested(CACHE, "EnableAcceptEncodingBrotli", False))["CachePolicy"]
    written = nested(CACHE, "EnableAcceptEncodingBrotli", False)
    return Stands(
        {"Id": made["Id"]},
        {"CachePolicyConfig": written},
        made["Id"],
        {"Id": made["Id"]},
        {"CachePolicyConfig": {**written, "MaxTTL": 601}},
    )


def nested(config: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    inner = "ParametersInCacheKeyAndForwardedToOrigin"
    return {**config, inner: {**config[inner], key: value}}


def edge_function(of: Account) -> Stands:
    config = {"Comment": "routes", "Runtime": "cloudfront-js-2.0"}
    client = of.client("cloudfront")
    made = client.create_function(Name="edge", FunctionConfig=config, FunctionCode=EDGE_CODE.encode())
    client.publish_function(Name="edge", IfMatch=made["ETag"])
    arn = made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    properties = {"Name": "edge", "AutoPublish": True, "FunctionCode": EDGE_CODE, "FunctionConfig": config}
    return Stands({"FunctionARN": arn}, properties, arn, {"FunctionARN": arn}, {"FunctionConfig": {**config, "Comment": "leads"}})


def subscription(of: Account) -> Stands:
    made = distribution(of).ref
    config = {"RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": "Enabled"}}
    of.client("cloudfront").create_monitoring_subscription(DistributionId=made, MonitoringSubscription=config)
    return Stands({"DistributionId": made}, {"DistributionId": made, "MonitoringSubscription": config}, made)


def zone(of: Account) -> Stands:
    made = prepare.hosted_zone(of.aws, name="example.org", account_id=of.id)
    changed = {"HostedZoneConfig": {"Comment": "ours"}}
    return Stands({"Id": made}, {"Name": "example.org"}, made, {"Id": made}, changed)


def record(of: Account) -> Stands:
    made = prepare.hosted_zone(of.aws, name="example.org", account_id=of.id)
    held = {"Name": "www.example.org.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    of.client("route53").change_resource_record_sets(
        HostedZoneId=made, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": held}]}
    )
    properties = {"HostedZoneId": made, "Name": "www.example.org", "Type": "A", "TTL": "60", "ResourceRecords": ["192.0.2.1"]}
    return Stands({"HostedZoneId": made, "Name": "www.example.org", "Type": "A"}, properties, "www.example.org.", {}, {"TTL": "300"})


def health_check(of: Account) -> Stands:
    made = of.client("route53").create_health_check(CallerReference=of.id, HealthCheckConfig=CHECK)["HealthCheck"]["Id"]
    changed = {"HealthCheckConfig": {**CHECK, "FailureThreshold": 2}}
    return Stands({"HealthCheckId": made}, {"HealthCheckConfig": CHECK}, made, {"HealthCheckId": made}, changed)


def certificate(of: Account) -> Stands:
    arn = of.client("acm").request_certificate(DomainName="www.example.org", ValidationMethod="DNS")["CertificateArn"]
    properties = {"DomainName": "www.example.org", "ValidationMethod": "DNS"}
    changed = {"Tags": [{"Key": "team", "Value": "web"}]}
    return Stands({"CertificateArn": arn}, properties, arn, {}, changed)


def role(of: Account) -> Stands:
    made = of.client("iam").create_role(RoleName="edge", AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))["Role"]
    properties = {"RoleName": "edge", "AssumeRolePolicyDocument": LAMBDA_TRUST}
    return Stands({"RoleName": "edge"}, properties, "edge", {"Arn": made["Arn"], "RoleId": made["RoleId"]}, {"Description": "of the edge"})


def managed_policy(of: Account) -> Stands:
    arn = of.client("iam").create_policy(PolicyName="reads", PolicyDocument=json.dumps(POLICY))["Policy"]["Arn"]
    other = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"}]}
    properties = {"ManagedPolicyName": "reads", "PolicyDocument": POLICY}
    return Stands({"PolicyArn": arn}, properties, arn, {"PolicyArn": arn}, {"PolicyDocument": other})


def identity_provider(of: Account) -> Stands:
    url = "https://token.actions.githubusercontent.com"
    made = of.client("iam").create_open_id_connect_provider(Url=url, ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40])
    arn = made["OpenIDConnectProviderArn"]
    properties = {"Url": url, "ClientIdList": ["sts.amazonaws.com"], "ThumbprintList": ["a" * 40]}
    return Stands({"Arn": arn}, properties, arn, {"Arn": arn}, {"ClientIdList": ["sts.amazonaws.com", "other"]})


def function(of: Account) -> Stands:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.js", "exports.handler = async () => ({});")
    trust = role(of).attributes["Arn"]
    code = {"ZipFile": packed.getvalue()}
    made = of.client("lambda").create_function(FunctionName="edge", Runtime="nodejs22.x", Role=trust, Handler="index.handler", Code=code)
    inline = {"ZipFile": "exports.handler = async () => ({});"}
    properties = {"FunctionName": "edge", "Runtime": "nodejs22.x", "Role": trust, "Handler": "index.handler", "Code": inline}
    return Stands({"FunctionName": "edge"}, properties, "edge", {"Arn": made["FunctionArn"]}, {"Timeout": 5})


def version(of: Account) -> Stands:
    made = function(of)
    arn = of.client("lambda").publish_version(FunctionName="edge")["FunctionArn"]
    return Stands({"FunctionArn": arn}, {"FunctionName": made.ref}, arn, {"Version": "1"})


def table(of: Account) -> Stands:
    made = of.client("dynamodb").create_table(**TABLE)["TableDescription"]
    return Stands({"TableName": "t-able"}, TABLE, "t-able", {"Arn": made["TableArn"]}, {"DeletionProtectionEnabled": True})


def log_group(of: Account) -> Stands:
    of.client("logs").create_log_group(logGroupName="/a/group")
    of.client("logs").put_retention_policy(logGroupName="/a/group", retentionInDays=30)
    properties = {"LogGroupName": "/a/group", "RetentionInDays": 30}
    return Stands({"LogGroupName": "/a/group"}, properties, "/a/group", {}, {"RetentionInDays": 90})


def alarm(of: Account) -> Stands:
    of.client("cloudwatch").put_metric_alarm(**ALARM)
    arn = f"arn:aws:cloudwatch:us-east-1:{of.id}:alarm:alarm"
    return Stands({"AlarmName": "alarm"}, ALARM, "alarm", {"Arn": arn}, {"Threshold": 5})


def dashboard(of: Account) -> Stands:
    of.client("cloudwatch").put_dashboard(DashboardName="board", DashboardBody='{"widgets": []}')
    properties = {"DashboardName": "board", "DashboardBody": '{"widgets":[]}'}
    return Stands({"DashboardName": "board"}, properties, "board", {}, {"DashboardBody": '{"widgets":[],"start":"-PT3H"}'})


def topic(of: Account) -> Stands:
    arn = of.client("sns").create_topic(Name="news")["TopicArn"]
    return Stands({"TopicArn": arn}, {"TopicName": "news"}, arn, {"TopicName": "news"}, {"DisplayName": "News"})


def secret(of: Account) -> Stands:
    arn = of.client("secretsmanager").create_secret(Name="held", SecretString="x", Description="of the site")["ARN"]
    return Stands({"Id": arn}, {"Name": "held", "Description": "of the site"}, "held", {"Id": arn}, {"Description": "of the old site"})


def source(of: Account) -> Stands:
    arn = f"arn:aws:cloudfront::{of.id}:distribution/E1"
    made = of.client("logs").put_delivery_source(name="source", resourceArn=arn, logType="ACCESS_LOGS")["deliverySource"]
    properties = {"Name": "source", "ResourceArn": arn, "LogType": "ACCESS_LOGS"}
    return Stands({"Name": "source"}, properties, "source", {"Arn": made["arn"]})


def target(of: Account) -> Stands:
    to = {"destinationResourceArn": "arn:aws:s3:::some-bucket"}
    made = of.client("logs").put_delivery_destination(name="target", outputFormat="json", deliveryDestinationConfiguration=to)
    properties = {"Name": "target", "DestinationResourceArn": "arn:aws:s3:::some-bucket", "OutputFormat": "json"}
    return Stands({"Name": "target"}, properties, "target", {"Arn": made["deliveryDestination"]["arn"]})


def delivery(of: Account) -> Stands:
    source(of)
    to = target(of).attributes["Arn"]
    made = of.client("logs").create_delivery(deliverySourceName="source", deliveryDestinationArn=to, recordFields=["date", "time"])[
        "delivery"
    ]
    properties = {"DeliverySourceName": "source", "DeliveryDestinationArn": to, "RecordFields": ["date", "time"]}
    return Stands({"DeliveryId": made["id"]}, properties, made["id"], {"Arn": made["arn"]}, {"RecordFields": ["date"]})


MADE: dict[str, Callable[[Account], Stands]] = {
    "AWS::CertificateManager::Certificate": certificate,
    "AWS::CloudFront::CachePolicy": cache_policy,
    "AWS::CloudFront::Distribution": distribution,
    "AWS::CloudFront::Function": edge_function,
    "AWS::CloudFront::MonitoringSubscription": subscription,
    "AWS::CloudFront::OriginAccessControl": access_control,
    "AWS::CloudFront::ResponseHeadersPolicy": headers_policy,
    "AWS::CloudWatch::Alarm": alarm,
    "AWS::CloudWatch::Dashboard": dashboard,
    "AWS::DynamoDB::Table": table,
    "AWS::IAM::ManagedPolicy": managed_policy,
    "AWS::IAM::OIDCProvider": identity_provider,
    "AWS::IAM::Role": role,
    "AWS::Lambda::Function": function,
    "AWS::Lambda::Version": version,
    "AWS::Logs::Delivery": delivery,
    "AWS::Logs::DeliveryDestination": target,
    "AWS::Logs::DeliverySource": source,
    "AWS::Logs::LogGroup": log_group,
    "AWS::Route53::HealthCheck": health_check,
    "AWS::Route53::HostedZone": zone,
    "AWS::Route53::RecordSet": record,
    "AWS::S3::Bucket": bucket,
    "AWS::S3::BucketPolicy": bucket_policy,
    "AWS::SNS::Topic": topic,
    "AWS::SecretsManager::Secret": secret,
}


@pytest.fixture
def stacks(aws: Aws, account: str) -> Stacks:
    return Stacks(aws, account)


def resource(kind: str, properties: Mapping[str, Any], policy: str | None = "Retain") -> dict[str, Any]:
    return {"Type": kind, "Properties": dict(properties)} | ({"DeletionPolicy": policy} if policy else {})


def entry(kind: str, stands: Stands, logical_id: str = "R") -> dict[str, Any]:
    return {"ResourceType": kind, "LogicalResourceId": logical_id, "ResourceIdentifier": dict(stands.identifier)}


def import_set(stacks: Stacks, body: Mapping[str, Any], *entries: Mapping[str, Any], name: str = "new", **more: Any) -> dict[str, Any]:
    stacks.client.create_change_set(
        StackName=name,
        ChangeSetName="take",
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(body),
        ResourcesToImport=list(entries),
        Capabilities=CAPABILITIES,
        **more,
    )
    found: dict[str, Any] = stacks.client.describe_change_set(StackName=name, ChangeSetName="take")
    return found


def executed(stacks: Stacks, name: str = "new") -> dict[str, Any]:
    stacks.client.execute_change_set(StackName=name, ChangeSetName="take")
    return stacks.settled(name)


def imported(stacks: Stacks, kind: str, stands: Stands, name: str = "new") -> dict[str, Any]:
    body = {"Resources": {"R": resource(kind, stands.properties)}}
    described = import_set(stacks, body, entry(kind, stands), name=name)
    assert described["Status"] == "CREATE_COMPLETE", described
    stack = executed(stacks, name)
    assert stack["StackStatus"] == "IMPORT_COMPLETE", stacks.failures(name)
    return described


def drifts(stacks: Stacks, name: str) -> dict[str, Any]:
    stacks.client.detect_stack_drift(StackName=name)
    found = stacks.client.describe_stack_resource_drifts(StackName=name)["StackResourceDrifts"]
    return {each["LogicalResourceId"]: each for each in found}


@pytest.mark.parametrize("kind", MADE)
def test_what_stands_comes_into_a_stack_is_changed_in_place_and_stays_when_the_stack_goes(
    aws: Aws, account: str, stacks: Stacks, kind: str
) -> None:
    stands = MADE[kind](Account(aws, account))
    described = imported(stacks, kind, stands)
    change = described["Changes"][0]["ResourceChange"]
    assert (change["Action"], change["LogicalResourceId"], change["PhysicalResourceId"]) == ("Import", "R", stands.ref)
    attributes = {name.replace(".", ""): {"Value": {"Fn::GetAtt": ["R", name]}} for name in stands.attributes}
    outputs = {"Ref": {"Value": {"Ref": "R"}}, **attributes}
    told = stacks.apply("new", {"Resources": {"R": resource(kind, stands.properties)}, "Outputs": outputs})
    assert told == {"Ref": stands.ref} | {name.replace(".", ""): value for name, value in stands.attributes.items()}
    changed = {"Resources": {"R": resource(kind, {**stands.properties, **stands.change})}, "Outputs": outputs}
    assert drifts(stacks, "new")["R"].get("PropertyDifferences", []) == []
    if stands.change:
        assert stacks.apply("new", changed) == told
    stacks.delete("new")
    again = {"Resources": {"R": resource(kind, stands.properties)}}
    assert import_set(stacks, again, entry(kind, stands), name="again")["Status"] == "CREATE_COMPLETE"
    assert executed(stacks, "again")["StackStatus"] == "IMPORT_COMPLETE", stacks.failures("again")
    told_by_both = {*stands.change} & {*stands.properties}
    found = drifts(stacks, "again")["R"]
    assert found["StackResourceDriftStatus"] == ("MODIFIED" if told_by_both else "IN_SYNC"), found
    assert {each["PropertyPath"].split("/")[1] for each in found.get("PropertyDifferences", [])} == told_by_both


# --- what CloudFormation refuses ------------------------------------------------------------------------------------


@pytest.fixture
def held(aws: Aws, account: str) -> Stands:
    return log_group(Account(aws, account))


GROUP = "AWS::Logs::LogGroup"


def failure(stacks: Stacks, body: Mapping[str, Any], *entries: Mapping[str, Any], **more: Any) -> str:
    described = import_set(stacks, body, *entries, **more)
    assert (described["Status"], described["ExecutionStatus"], described["Changes"]) == ("FAILED", "UNAVAILABLE", []), described
    return str(described["StatusReason"])


def test_what_another_stack_has_is_not_imported_nor_what_is_named_twice(stacks: Stacks, held: Stands) -> None:
    imported(stacks, GROUP, held)
    body = {"Resources": {"R": resource(GROUP, held.properties)}}
    assert "/a/group already exists in stack arn:aws:cloudformation" in failure(stacks, body, entry(GROUP, held), name="other")
    stacks.delete("new")
    twice = {"Resources": {name: resource(GROUP, held.properties) for name in ("A", "B")}}
    entries = [entry(GROUP, held, name) for name in ("A", "B")]
    assert "more than once" in failure(stacks, twice, *entries, name="twice")


def test_records_of_one_name_are_told_apart(aws: Aws, account: str, stacks: Stacks) -> None:
    first = record(Account(aws, account))
    changes = [
        {
            "Action": "CREATE",
            "ResourceRecordSet": {"Name": "www.example.org", "Type": "AAAA", "TTL": 60, "ResourceRecords": [{"Value": "::1"}]},
        }
    ]
    aws.client("route53", account_id=account, region="us-east-1").change_resource_record_sets(
        HostedZoneId=first.identifier["HostedZoneId"], ChangeBatch={"Changes": changes}
    )
    imported(stacks, "AWS::Route53::RecordSet", first)
    other = Stands({**first.identifier, "Type": "AAAA"}, {**first.properties, "Type": "AAAA", "ResourceRecords": ["::1"]}, first.ref)
    imported(stacks, "AWS::Route53::RecordSet", other, "other")


def test_a_resource_without_deletion_policy_or_of_a_type_that_cannot_be_read_is_refused(stacks: Stacks, held: Stands) -> None:
    bare = {"Resources": {"R": resource(GROUP, held.properties, None)}}
    with pytest.raises(AwsError, match=r"resources to import \[R\] must have DeletionPolicy attribute specified in the template"):
        import_set(stacks, bare, entry(GROUP, held))
    kind = "AWS::SNS::TopicPolicy"
    body = {"Resources": {"R": resource(kind, {"Topics": [], "PolicyDocument": POLICY})}}
    with pytest.raises(AwsError, match=r"ResourceTypes \[AWS::SNS::TopicPolicy\] are not supported for Import"):
        import_set(stacks, body, {**entry(kind, held), "ResourceIdentifier": {"Id": "x"}})
    with pytest.raises(AwsError, match="does not exist"):
        stacks.client.describe_stacks(StackName="new")


@pytest.mark.parametrize("policy", ["Delete", "Retain", "RetainExceptOnCreate"])
def test_any_deletion_policy_will_do(stacks: Stacks, held: Stands, policy: str) -> None:
    body = {"Resources": {"R": resource(GROUP, held.properties, policy)}}
    assert import_set(stacks, body, entry(GROUP, held))["Status"] == "CREATE_COMPLETE"


def test_nothing_else_may_change_beside_an_import(stacks: Stacks, held: Stands) -> None:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}
    outputs = {"Name": {"Value": "t"}}
    stacks.apply("new", {"Resources": {"Topic": topic}, "Outputs": outputs})
    group = resource(GROUP, held.properties)

    def refused(words: str, resources: Mapping[str, Any], **more: Any) -> None:
        tags = more.pop("Tags", None)
        body = {"Resources": {"R": group, **resources}, "Outputs": outputs, **more}
        with pytest.raises(BadRequest, match=words):
            import_set(stacks, body, entry(GROUP, held), **({"Tags": tags} if tags else {}))

    refused(r"\[Other\] is missing from ResourceToImport list", {"Topic": topic, "Other": topic})
    refused(r"modified resources \[Topic\]", {})
    refused(r"modified resources \[Topic\]", {"Topic": {**topic, "Properties": {"TopicName": "t", "DisplayName": "T"}}})
    refused(r"cannot modify or add \[Outputs\]", {"Topic": topic}, Outputs={**outputs, "Group": {"Value": {"Ref": "R"}}})
    refused(r"cannot modify or add \[Tags\]", {"Topic": topic}, Tags=[{"Key": "a", "Value": "b"}])
    body = {"Resources": {"R": group, "Topic": topic}, "Outputs": outputs}
    assert import_set(stacks, body, entry(GROUP, held))["Status"] == "CREATE_COMPLETE"
    assert executed(stacks)["StackStatus"] == "IMPORT_COMPLETE"
    stacks.client.delete_change_set(StackName="new", ChangeSetName="take")
    with pytest.raises(BadRequest, match="at least one new resource to import"):
        import_set(stacks, body, entry(GROUP, held))


def test_what_does_not_stand_or_is_named_otherwise_fails_the_change_set(stacks: Stacks, held: Stands) -> None:
    body = {"Resources": {"R": resource(GROUP, held.properties)}}
    missing = {**entry(GROUP, held), "ResourceIdentifier": {"LogGroupName": "/none"}}
    assert "was not found" in failure(stacks, body, missing)
    with pytest.raises(BadRequest, match=r"Invalid resource identifier for resource type AWS::Logs::LogGroup. Expected \[LogGroupName\]"):
        import_set(stacks, body, {**entry(GROUP, held), "ResourceIdentifier": {"Arn": "x"}}, name="keys")
    other = {"Resources": {"R": resource(GROUP, {"LogGroupName": {"Fn::Sub": "/${AWS::Region}"}})}}
    assert "is /us-east-1 in the template and /a/group in ResourcesToImport" in failure(stacks, other, entry(GROUP, held), name="named")
    with pytest.raises(BadRequest, match="Must Provide at least one resource to import"):
        import_set(stacks, body, name="nothing")


def test_a_stack_that_cannot_be_updated_takes_no_import(stacks: Stacks, held: Stands) -> None:
    taken = resource(GROUP, {"LogGroupName": "/a/group"}, None)
    stacks.client.create_stack(StackName="new", TemplateBody=json.dumps({"Resources": {"R": taken}}))
    assert stacks.settled("new")["StackStatus"] == "ROLLBACK_COMPLETE"
    with pytest.raises(BadRequest, match=r"is in ROLLBACK_COMPLETE state and can not be updated"):
        import_set(stacks, {"Resources": {"R": resource(GROUP, held.properties)}}, entry(GROUP, held))


def test_what_goes_between_the_change_set_and_its_execution_rolls_the_import_back(
    aws: Aws, account: str, stacks: Stacks, held: Stands
) -> None:
    stacks.apply("new", {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}}})
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}
    body = {"Resources": {"R": resource(GROUP, held.properties), "Topic": topic}}
    assert import_set(stacks, body, entry(GROUP, held))["Status"] == "CREATE_COMPLETE"
    aws.client("logs", account_id=account, region="us-east-1").delete_log_group(logGroupName="/a/group")
    stacks.client.execute_change_set(StackName="new", ChangeSetName="take", ClientRequestToken="token-1")
    assert stacks.settled("new")["StackStatus"] == "IMPORT_ROLLBACK_COMPLETE"
    events = stacks.client.describe_stack_events(StackName="new")["StackEvents"]
    assert {"IMPORT_IN_PROGRESS", "IMPORT_FAILED", "IMPORT_ROLLBACK_IN_PROGRESS"} <= {each["ResourceStatus"] for each in events}
    assert {each.get("ClientRequestToken") for each in events if "IMPORT" in each["ResourceStatus"]} == {"token-1"}
    assert [each["LogicalResourceId"] for each in stacks.client.describe_stack_resources(StackName="new")["StackResources"]] == ["Topic"]


def test_what_another_stack_took_between_the_change_set_and_its_execution_rolls_the_import_back(stacks: Stacks, held: Stands) -> None:
    body = {"Resources": {"R": resource(GROUP, held.properties)}}
    assert import_set(stacks, body, entry(GROUP, held), name="late")["Status"] == "CREATE_COMPLETE"
    imported(stacks, GROUP, held)
    assert executed(stacks, "late")["StackStatus"] in ("IMPORT_ROLLBACK_COMPLETE", "ROLLBACK_COMPLETE")
    assert "already exists in stack" in str(stacks.failures("late"))
    stacks.delete("late")
    stacks.delete("new")
    imported(stacks, GROUP, held, "late")


def test_a_template_tells_by_what_its_resources_are_imported(stacks: Stacks) -> None:
    resources = {
        "Site": {"Type": "AWS::S3::Bucket"},
        "Www": {"Type": "AWS::Route53::RecordSet"},
        "Group": {"Type": "AWS::Route53::RecordSetGroup"},
    }
    found = stacks.client.get_template_summary(TemplateBody=json.dumps({"Resources": resources}))["ResourceIdentifierSummaries"]
    assert found == [
        {
            "ResourceType": "AWS::Route53::RecordSet",
            "LogicalResourceIds": ["Www"],
            "ResourceIdentifiers": ["Name,HostedZoneId,Type,SetIdentifier"],
        },
        {"ResourceType": "AWS::S3::Bucket", "LogicalResourceIds": ["Site"], "ResourceIdentifiers": ["BucketName"]},
    ]


# --- ImportExistingResources ------------------------------------------------------------------------------------------

NAMED = (
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::DynamoDB::Table",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Logs::DeliveryDestination",
    "AWS::Logs::DeliverySource",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
)
"""Types whose own name is their whole identifier."""


def taking(stacks: Stacks, kind: str, name: str, body: Mapping[str, Any]) -> dict[str, str]:
    """The actions of a change set that takes over what stands, by logical id."""
    stacks.client.create_change_set(
        StackName=name,
        ChangeSetName="take",
        ChangeSetType=kind,
        TemplateBody=json.dumps(body),
        Capabilities=CAPABILITIES,
        ImportExistingResources=True,
        Tags=[{"Key": "environment", "Value": "dev"}],
    )
    found = stacks.client.describe_change_set(StackName=name, ChangeSetName="take")
    assert found["ImportExistingResources"] is True
    return {each["ResourceChange"]["LogicalResourceId"]: each["ResourceChange"]["Action"] for each in found["Changes"]}


@pytest.mark.parametrize("change", ["CREATE", "UPDATE"])
@pytest.mark.parametrize("kind", NAMED)
def test_what_has_its_name_already_is_taken_over_beside_what_is_made(
    aws: Aws, account: str, stacks: Stacks, kind: str, change: str
) -> None:
    stands = MADE[kind](Account(aws, account))
    first = {"First": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "first"}}}
    if change == "UPDATE":
        stacks.apply("new", {"Resources": first})
    resources = {**first, "R": resource(kind, stands.properties), "Made": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "made"}}}
    outputs = {name: {"Value": {"Fn::GetAtt": ["R", name]}} for name in stands.attributes}
    body = {"Resources": resources, "Outputs": {"Ref": {"Value": {"Ref": "R"}}, **outputs}}
    actions = taking(stacks, change, "new", body)
    assert (actions["R"], actions["Made"]) == ("Import", "Add")
    stack = executed(stacks)
    assert stack["StackStatus"] == f"{change}_COMPLETE", stacks.failures("new")
    assert {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]} == {"Ref": stands.ref, **stands.attributes}


def test_a_name_that_is_made_of_others_is_not_taken_over(aws: Aws, account: str, stacks: Stacks, held: Stands) -> None:
    made = resource(GROUP, {"LogGroupName": {"Fn::Sub": "/a/group"}})
    assert taking(stacks, "CREATE", "new", {"Resources": {"R": made}}) == {"R": "Add"}
    assert executed(stacks)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "already exists" in str(stacks.failures("new"))
    assert held.ref in str(aws.client("logs", account_id=account, region="us-east-1").describe_log_groups())


def test_what_has_no_name_of_its_own_is_not_taken_over(aws: Aws, account: str, stacks: Stacks) -> None:
    policy = bucket_policy(Account(aws, account))
    zone_id = zone(Account(aws, account)).ref
    weighted = {
        "Name": "w.example.org.",
        "Type": "A",
        "TTL": 60,
        "SetIdentifier": "one",
        "Weight": 1,
        "ResourceRecords": [{"Value": "192.0.2.1"}],
    }
    aws.client("route53", account_id=account, region="us-east-1").change_resource_record_sets(
        HostedZoneId=zone_id, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": weighted}]}
    )
    told = {**weighted, "HostedZoneId": zone_id, "TTL": "60", "ResourceRecords": ["192.0.2.1"]}
    resources = {"P": resource("AWS::S3::BucketPolicy", policy.properties), "W": resource("AWS::Route53::RecordSet", told)}
    assert taking(stacks, "CREATE", "new", {"Resources": resources}) == {"P": "Add", "W": "Add"}


def test_the_policy_of_a_bucket_that_a_stack_makes_is_named_by_its_bucket_too(aws: Aws, account: str, stacks: Stacks) -> None:
    stands = bucket_policy(Account(aws, account))
    aws.client("s3", account_id=account, region="us-east-1").delete_bucket_policy(Bucket=stands.ref)
    body = {"Resources": {"R": resource("AWS::S3::BucketPolicy", stands.properties)}, "Outputs": {"Ref": {"Value": {"Ref": "R"}}}}
    assert stacks.apply("new", body) == {"Ref": stands.ref}
    assert drifts(stacks, "new")["R"]["StackResourceDriftStatus"] == "IN_SYNC"
    stacks.delete("new")
    imported(stacks, "AWS::S3::BucketPolicy", stands)


def test_a_failure_beside_a_take_over_leaves_what_stood(aws: Aws, account: str, stacks: Stacks, held: Stands) -> None:
    bad = {
        "Type": "AWS::CloudFront::MonitoringSubscription",
        "Properties": {"DistributionId": "E0", "MonitoringSubscription": {}},
        "DependsOn": "R",
    }
    body = {"Resources": {"R": resource(GROUP, held.properties, "RetainExceptOnCreate"), "Bad": bad}}
    assert taking(stacks, "CREATE", "new", body) == {"R": "Import", "Bad": "Add"}
    assert executed(stacks)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert held.ref in str(aws.client("logs", account_id=account, region="us-east-1").describe_log_groups())
    stacks.delete("new")
    imported(stacks, GROUP, held, "again")


# --- what an import changes, and what it does not -------------------------------------------------------------------


def test_an_import_puts_the_stacks_tags_on_what_it_takes_and_changes_nothing_else(aws: Aws, account: str, stacks: Stacks) -> None:
    stands = bucket(Account(aws, account))
    name, s3 = stands.ref, aws.client("s3", account_id=account, region="us-east-1")
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "team", "Value": "web"}, {"Key": "environment", "Value": "own"}]})
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}
    tags = [{"Key": "environment", "Value": "dev"}, {"Key": "owner", "Value": "us"}]
    stacks.client.create_stack(StackName="new", TemplateBody=json.dumps({"Resources": {"Topic": topic}}), Tags=tags)
    stack_id = stacks.settled("new")["StackId"]
    told = {"BucketName": name, "VersioningConfiguration": {"Status": "Suspended"}}
    body = {"Resources": {"Topic": topic, "R": resource("AWS::S3::Bucket", told)}}
    import_set(stacks, body, entry("AWS::S3::Bucket", stands))
    assert executed(stacks)["StackStatus"] == "IMPORT_COMPLETE"
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    held = {each["Key"]: each["Value"] for each in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
    assert held == {
        "team": "web",
        "environment": "own",
        "owner": "us",
        "aws:cloudformation:stack-name": "new",
        "aws:cloudformation:stack-id": stack_id,
        "aws:cloudformation:logical-id": "R",
    }
    found = {
        path["PropertyPath"]: (path["ExpectedValue"], path["ActualValue"]) for path in drifts(stacks, "new")["R"]["PropertyDifferences"]
    }
    assert found["/VersioningConfiguration/Status"] == ("Suspended", "Enabled")


def test_an_import_that_is_rolled_back_takes_its_tags_away(aws: Aws, account: str, stacks: Stacks) -> None:
    stands = bucket(Account(aws, account))
    bad = {
        "Type": "AWS::CloudFront::MonitoringSubscription",
        "Properties": {"DistributionId": "E0", "MonitoringSubscription": {}},
        "DependsOn": "R",
    }
    body = {"Resources": {"R": resource("AWS::S3::Bucket", {"BucketName": stands.ref}), "Bad": bad}}
    assert taking(stacks, "CREATE", "new", body)["R"] == "Import"
    assert executed(stacks)["StackStatus"] == "ROLLBACK_COMPLETE"
    with pytest.raises(AwsError, match="NoSuchTagSet"):
        aws.client("s3", account_id=account, region="us-east-1").get_bucket_tagging(Bucket=stands.ref)


def test_what_an_update_leaves_alone_keeps_its_drift(aws: Aws, account: str, stacks: Stacks) -> None:
    """CloudFormation compares templates, not the live resource: an update of another resource aligns nothing."""
    stands = distribution(Account(aws, account))
    config = {**stands.properties["DistributionConfig"], "Comment": "not so", "HttpVersion": "http3", "IPV6Enabled": True}
    body = {"Resources": {"R": resource("AWS::CloudFront::Distribution", {"DistributionConfig": config})}}
    import_set(stacks, body, entry("AWS::CloudFront::Distribution", stands))
    assert executed(stacks)["StackStatus"] == "IMPORT_COMPLETE"
    differing = {"/DistributionConfig/Comment", "/DistributionConfig/HttpVersion", "/DistributionConfig/IPV6Enabled"}

    def paths() -> set[str]:
        return {each["PropertyPath"] for each in drifts(stacks, "new")["R"].get("PropertyDifferences", [])}

    assert paths() == differing
    more = {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}}
    stacks.apply("new", {"Resources": {**body["Resources"], **more}})
    assert paths() == differing
    aligned = resource("AWS::CloudFront::Distribution", {"DistributionConfig": {**config, "Comment": "aligned"}})
    stacks.apply("new", {"Resources": {"R": aligned, **more}})
    assert paths() == set()
    live = aws.client("cloudfront", account_id=account, region="us-east-1").get_distribution(Id=stands.ref)["Distribution"]
    assert (live["DistributionConfig"]["Comment"], live["DistributionConfig"]["HttpVersion"]) == ("aligned", "http3")


@pytest.fixture(scope="module")
def choosy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """An AWS that imports no certificates."""
    settings = {"LOCAL_AWS_NOT_IMPORTABLE": "AWS::Route53::RecordSet,AWS::CertificateManager::Certificate"}
    server = LocalAws.start(tmp_path_factory.mktemp("choosy"), bound_to=os.getpid(), persist=False, settings=settings)
    yield Aws(endpoint_url=server.endpoint_url, static_credentials=server.credentials)
    server.stop()


def test_reports_of_single_types_can_be_played(choosy: Aws) -> None:
    account, kind = "111122223333", "AWS::CertificateManager::Certificate"
    stands = certificate(Account(choosy, account))
    body = {"Resources": {"R": resource(kind, stands.properties)}}
    with pytest.raises(BadRequest, match=r"ResourceTypes \[AWS::CertificateManager::Certificate\] are not supported for Import"):
        import_set(Stacks(choosy, account), body, entry(kind, stands))


def test_an_import_in_progress_is_seen_and_takes_no_other(aws: Aws, account: str, hold: Hold) -> None:
    stacks, stands = Stacks(aws, account), log_group(Account(aws, account))
    body = {"Resources": {"R": resource(GROUP, stands.properties)}}
    import_set(stacks, body, entry(GROUP, stands))
    with hold:
        stacks.client.execute_change_set(StackName="new", ChangeSetName="take")
        assert stacks.client.describe_stacks(StackName="new")["Stacks"][0]["StackStatus"] == "IMPORT_IN_PROGRESS"
        with pytest.raises(BadRequest, match="is in IMPORT_IN_PROGRESS state and can not be updated"):
            import_set(stacks, body, entry(GROUP, stands))
    assert stacks.settled("new")["StackStatus"] == "IMPORT_COMPLETE"
    assert stacks.client.describe_change_set(StackName="new", ChangeSetName="take")["ExecutionStatus"] == "EXECUTE_COMPLETE"
