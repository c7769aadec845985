"""The resource types that the local AWS adds, and those the platform uses: made, changed, replaced and removed as CloudFormation says."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from assembly.model import Assembly, HostedZoneRef, LiteralValue, OutputRef, Parameter, SecretRef
from aws.acm import Acm
from aws.errors import AwsError, BadRequest, NotFound
from aws.route53 import Record, Route53
from aws.secrets import Secrets
from aws.session import Aws
from local_aws import prepare
from local_aws.server import LocalAws
from operations.credential import hash_password
from tests.functional.harness import CommandLine, eventually

pytestmark = pytest.mark.functional
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]


@dataclass(frozen=True)
class Stacks:
    """CloudFormation of one account and region, as far as these tests need it."""

    aws: Aws
    account: str
    region: str = "us-east-1"

    @property
    def client(self) -> Any:
        return self.aws.client("cloudformation", account_id=self.account, region=self.region)

    def settled(self, name: str) -> dict[str, Any]:
        def settled() -> dict[str, Any] | None:
            stack: dict[str, Any] = self.client.describe_stacks(StackName=name)["Stacks"][0]
            return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack

        return eventually(settled)

    def apply(self, name: str, template: dict[str, Any] | str, parameters: dict[str, str] | None = None) -> dict[str, str]:
        """Create or update; the outputs. Fails the test with the events of a stack that failed."""
        body = json.dumps(json.loads(template) if isinstance(template, str) else template, separators=(",", ":"))
        values = [{"ParameterKey": key, "ParameterValue": value} for key, value in (parameters or {}).items()]
        request = {"StackName": name, "TemplateBody": body, "Parameters": values, "Capabilities": CAPABILITIES}
        try:
            self.client.describe_stacks(StackName=name)
        except NotFound:
            self.client.create_stack(**request)
        else:
            self.client.update_stack(**request)
        stack = self.settled(name)
        assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), self.failures(name)
        return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}

    def failures(self, name: str) -> list[str]:
        events = self.client.describe_stack_events(StackName=name)["StackEvents"]
        return [f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason')}" for each in events if "FAILED" in each["ResourceStatus"]]

    def delete(self, name: str) -> None:
        stack_id = self.client.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        self.client.delete_stack(StackName=name)
        assert self.settled(stack_id)["StackStatus"] == "DELETE_COMPLETE", self.failures(stack_id)


def template(kind: str, properties: dict[str, Any], *attributes: str, **others: dict[str, Any]) -> dict[str, Any]:
    """One resource R, its Ref and attributes as outputs."""
    outputs: dict[str, Any] = {"Ref": {"Value": {"Ref": "R"}}}
    outputs |= {name.replace(".", ""): {"Value": {"Fn::GetAtt": ["R", name]}} for name in attributes}
    return {"Resources": {"R": {"Type": kind, "Properties": properties}, **others}, "Outputs": outputs}


@pytest.fixture
def stacks(aws: Aws, account: str) -> Stacks:
    return Stacks(aws, account)


def test_record_set_group(aws: Aws, account: str, stacks: Stacks) -> None:
    zone = prepare.hosted_zone(aws, name="example.com", account_id=account)
    client = aws.client("route53", account_id=account, region="us-east-1")

    def names() -> set[tuple[str, str]]:
        found = client.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return {(each["Name"], each["Type"]) for each in found} - {("example.com.", "NS"), ("example.com.", "SOA")}

    def group(*labels: str) -> dict[str, Any]:
        records = [{"Name": f"{each}.example.com", "Type": "TXT", "TTL": "60", "ResourceRecords": ['"x"']} for each in labels]
        return template("AWS::Route53::RecordSetGroup", {"HostedZoneId": zone, "RecordSets": records})

    first = stacks.apply("g", group("a", "b"))
    assert names() == {("a.example.com.", "TXT"), ("b.example.com.", "TXT")}
    assert stacks.apply("g", group("b", "c")) == first
    assert names() == {("b.example.com.", "TXT"), ("c.example.com.", "TXT")}
    with pytest.raises(AssertionError, match="already exists"):
        stacks.apply("clash", group("d", "c"))
    assert names() == {("b.example.com.", "TXT"), ("c.example.com.", "TXT")}
    stacks.delete("g")
    assert names() == set()


def test_health_check(aws: Aws, account: str, stacks: Stacks) -> None:
    client = aws.client("route53", account_id=account, region="us-east-1")

    def check(**config: Any) -> dict[str, Any]:
        fixed = {"Type": "HTTPS", "FullyQualifiedDomainName": "a.example.com", "RequestInterval": 30, "EnableSNI": True}
        return template("AWS::Route53::HealthCheck", {"HealthCheckConfig": {**fixed, **config}}, "HealthCheckId")

    first = stacks.apply("h", check(ResourcePath="/a"))
    assert first["Ref"] == first["HealthCheckId"]
    assert stacks.apply("h", check(ResourcePath="/b")) == first
    config = client.get_health_check(HealthCheckId=first["Ref"])["HealthCheck"]["HealthCheckConfig"]
    assert (config["ResourcePath"], config["EnableSNI"]) == ("/b", True)
    replaced = stacks.apply("h", check(ResourcePath="/b", RequestInterval=10))
    assert replaced["Ref"] != first["Ref"]
    assert [each["Id"] for each in client.list_health_checks()["HealthChecks"]] == [replaced["Ref"]]
    stacks.delete("h")
    assert client.list_health_checks()["HealthChecks"] == []


def test_oidc_provider(aws: Aws, account: str, stacks: Stacks) -> None:
    client = aws.client("iam", account_id=account, region="us-east-1")
    url = "https://token.actions.githubusercontent.com"

    def provider(*audiences: str) -> dict[str, Any]:
        return template("AWS::IAM::OIDCProvider", {"Url": url, "ClientIdList": [*audiences]}, "Arn")

    made = stacks.apply("o", provider("a"))
    assert made["Ref"] == made["Arn"] == f"arn:aws:iam::{account}:oidc-provider/token.actions.githubusercontent.com"
    assert stacks.apply("o", provider("a", "b")) == made
    assert client.get_open_id_connect_provider(OpenIDConnectProviderArn=made["Arn"])["ClientIDList"] == ["a", "b"]
    with pytest.raises(AssertionError, match="already exists"):
        stacks.apply("second", provider("a"))
    stacks.delete("o")
    assert client.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_log_delivery(aws: Aws, account: str, stacks: Stacks) -> None:
    client = aws.client("logs", account_id=account, region="us-east-1")

    def delivery(*fields: str, suffix: str = "a") -> dict[str, Any]:
        return template(
            "AWS::Logs::Delivery",
            {
                "DeliverySourceName": {"Ref": "Source"},
                "DeliveryDestinationArn": {"Fn::GetAtt": ["Target", "Arn"]},
                "RecordFields": [*fields],
                "S3SuffixPath": suffix,
            },
            "Arn",
            "DeliveryId",
            Source={
                "Type": "AWS::Logs::DeliverySource",
                "Properties": {"Name": "s", "LogType": "ACCESS_LOGS", "ResourceArn": f"arn:aws:cloudfront::{account}:distribution/E1"},
            },
            Target={
                "Type": "AWS::Logs::DeliveryDestination",
                "Properties": {"Name": "t", "OutputFormat": "json", "DestinationResourceArn": "arn:aws:s3:::logs"},
            },
        )

    made = stacks.apply("d", delivery("date"))
    assert made["Ref"] == made["DeliveryId"]
    assert stacks.apply("d", delivery("date", "time", suffix="b")) == made
    found = client.get_delivery(id=made["Ref"])["delivery"]
    assert found["recordFields"] == ["date", "time"]
    assert found["s3DeliveryConfiguration"] == {"suffixPath": "b"}
    stacks.delete("d")
    assert client.describe_deliveries()["deliveries"] == []
    assert client.describe_delivery_sources()["deliverySources"] == []
    assert client.describe_delivery_destinations()["deliveryDestinations"] == []


def test_log_delivery_of_cloudfront_moves_unless_its_destination_has_a_prefix(aws: Aws, account: str, stacks: Stacks) -> None:
    """CloudFront Developer Guide, "Send logs to Amazon S3"; cloudformation-coverage-roadmap#2274."""
    client = aws.client("logs", account_id=account, region="us-east-1")

    def delivery(bucket: str, suffix: str, name: str = "t") -> dict[str, Any]:
        source = {"Name": "s", "LogType": "ACCESS_LOGS", "ResourceArn": f"arn:aws:cloudfront::{account}:distribution/E1"}
        target = {"Name": name, "OutputFormat": "json", "DestinationResourceArn": f"arn:aws:s3:::{bucket}"}
        pair = {"DeliverySourceName": {"Ref": "Source"}, "DeliveryDestinationArn": {"Fn::GetAtt": ["Target", "Arn"]}}
        return template(
            "AWS::Logs::Delivery",
            {**pair, "S3SuffixPath": suffix},
            "DeliveryId",
            Source={"Type": "AWS::Logs::DeliverySource", "Properties": source},
            Target={"Type": "AWS::Logs::DeliveryDestination", "Properties": target},
        )

    def stored(made: dict[str, str]) -> str:
        return str(client.get_delivery(id=made["Ref"])["delivery"]["s3DeliveryConfiguration"]["suffixPath"])

    assert (
        stored(stacks.apply("d", delivery("logs", "{DistributionId}/{yyyy}"))) == "AWSLogs/{account-id}/CloudFront/{DistributionId}/{yyyy}"
    )
    assert stored(stacks.apply("d", delivery("logs", "{DistributionId}"))) == "{DistributionId}"
    with pytest.raises(AssertionError, match="cannot update the custom-named t"):
        stacks.apply("d", delivery("logs/prefix", "{DistributionId}"))
    assert stored(stacks.apply("d", delivery("logs/prefix", "{DistributionId}", name="u"))) == "{DistributionId}"
    assert [d["name"] for d in client.describe_delivery_destinations()["deliveryDestinations"]] == ["u"]
    stacks.delete("d")


def test_a_resource_has_one_log_source_which_is_not_renamed(account: str, stacks: Stacks) -> None:
    """aws-cloudformation/cloudformation-coverage-roadmap issue 2513."""

    def source(name: str, distribution: str) -> dict[str, Any]:
        arn = f"arn:aws:cloudfront::{account}:distribution/{distribution}"
        return template("AWS::Logs::DeliverySource", {"Name": name, "LogType": "ACCESS_LOGS", "ResourceArn": arn})

    stacks.apply("one", source("s", "E1"))
    with pytest.raises(AssertionError, match="already been used in another Delivery Source"):
        stacks.apply("one", source("t", "E1"))
    with pytest.raises(AssertionError, match="cannot update the custom-named s"):
        stacks.apply("one", source("s", "E2"))
    assert stacks.apply("one", source("t", "E2"))["Ref"] == "t"


def test_composite_alarm(aws: Aws, account: str, stacks: Stacks) -> None:
    client = aws.client("cloudwatch", account_id=account, region="us-east-1")
    metric = {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": "m",
            "MetricName": "x",
            "Namespace": "n",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "Statistic": "Sum",
            "ComparisonOperator": "GreaterThanThreshold",
        },
    }

    def alarm(description: str) -> dict[str, Any]:
        properties = {"AlarmRule": {"Fn::Sub": 'ALARM("${M}")'}, "AlarmDescription": description}
        return template("AWS::CloudWatch::CompositeAlarm", properties, "Arn", M=metric)

    made = stacks.apply("c", alarm("one"))
    assert made["Arn"].endswith(made["Ref"])
    assert stacks.apply("c", alarm("two")) == made
    found = client.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert [(each["AlarmName"], each["AlarmDescription"]) for each in found] == [(made["Ref"], "two")]
    stacks.delete("c")
    assert client.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"] == []


def test_monitoring_of_a_distribution_that_is_not_there(stacks: Stacks) -> None:
    config = {"RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": "Enabled"}}
    with pytest.raises(AssertionError, match="does not exist"):
        stacks.apply("m", template("AWS::CloudFront::MonitoringSubscription", {"DistributionId": "E1", "MonitoringSubscription": config}))


# --- certificates and time ----------------------------------------------------------------------------------------


def certificate(
    zone: str | None, *, names: tuple[str, ...] = ("example.com", "*.example.com"), options: tuple[str, ...] = ("example.com",)
) -> dict[str, Any]:
    properties: dict[str, Any] = {"DomainName": names[0], "SubjectAlternativeNames": list(names[1:]), "ValidationMethod": "DNS"}
    if zone:
        properties["DomainValidationOptions"] = [{"DomainName": each, "HostedZoneId": zone} for each in options]
    return template("AWS::CertificateManager::Certificate", properties)


def test_a_certificate_in_its_own_zone_is_validated_by_cloudformation(aws: Aws, account: str, stacks: Stacks) -> None:
    zone = prepare.hosted_zone(aws, name="example.com", account_id=account)
    arn = stacks.apply("c", certificate(zone))["Ref"]
    found = Acm.connect(aws, account_id=account, region="us-east-1").certificate(arn)
    assert found.status == "ISSUED"
    (record,) = {(each.record_name, each.record_value) for each in found.validations}
    assert Route53.connect(aws, account_id=account).records(zone, record[0] or "")


def test_a_certificate_whose_zone_is_elsewhere_waits_for_its_record(
    aws: Aws, account: str, stacks: Stacks, new_account: Callable[[], str]
) -> None:
    other = new_account()
    zone = prepare.hosted_zone(aws, name="example.com", account_id=other)
    stacks.client.create_stack(StackName="c", TemplateBody=json.dumps(certificate(None)))
    told: dict[str, Any] = {}
    while not told:
        events = stacks.client.describe_stack_events(StackName="c")["StackEvents"]
        told = next((each for each in events if "Content of DNS Record" in each.get("ResourceStatusReason", "")), {})
    found = Acm.connect(aws, account_id=account, region="us-east-1").certificate(told["PhysicalResourceId"])
    assert found.status == "PENDING_VALIDATION"
    assert stacks.client.describe_stacks(StackName="c")["Stacks"][0]["StackStatus"] == "CREATE_IN_PROGRESS"
    first = found.validations[0]
    assert first.record_name
    assert first.record_value
    route = Route53.connect(aws, account_id=other)
    route.upsert(zone, Record(name=first.record_name, type="CNAME", values=(first.record_value,)))
    assert stacks.settled("c")["StackStatus"] == "CREATE_COMPLETE"
    assert Acm.connect(aws, account_id=account, region="us-east-1").certificate(found.arn).status == "ISSUED"


REFUSED_VALIDATION = {
    "a name and its wildcard": (("example.com", "*.example.com"), ("example.com", "*.example.com"), "InvalidChangeBatch"),
    "a name twice": (("example.com",), ("example.com", "example.com"), "InvalidChangeBatch"),
    "a name of another zone": (("example.com", "example.org"), ("example.com", "example.org"), "is not permitted in zone example.com"),
    "a name that only ends like the zone": (("badexample.com",), ("badexample.com",), "is not permitted in zone example.com"),
    "a name that is not in the certificate": (("example.com",), ("example.com", "dev.example.com"), "not a name of the certificate"),
}


@pytest.mark.parametrize("what", REFUSED_VALIDATION)
def test_validation_records_that_route_53_refuses_fail_the_certificate(aws: Aws, account: str, stacks: Stacks, what: str) -> None:
    names, options, words = REFUSED_VALIDATION[what]
    zone = prepare.hosted_zone(aws, name="example.com", account_id=account)
    stacks.client.create_stack(StackName="c", TemplateBody=json.dumps(certificate(zone, names=names, options=options)))
    assert stacks.settled("c")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert words in " ".join(stacks.failures("c"))


def test_a_certificate_for_a_zone_that_is_not_there_fails(stacks: Stacks) -> None:
    stacks.client.create_stack(StackName="c", TemplateBody=json.dumps(certificate("Z0NOTHERE")))
    assert stacks.settled("c")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "No hosted zone found with ID: Z0NOTHERE" in " ".join(stacks.failures("c"))


def _document(size: int) -> dict[str, Any]:
    statement = {"Sid": "", "Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    statement["Sid"] = "s" * (size - len(json.dumps(document, separators=(",", ":"))))
    return document


def _role(trust: int = 200, *inline: int, managed: int = 0) -> dict[str, Any]:
    own = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole", "Sid": ""}
    document = {"Version": "2012-10-17", "Statement": [own]}
    own["Sid"] = "s" * (trust - len(json.dumps(document, separators=(",", ":"))))
    return {
        "AssumeRolePolicyDocument": document,
        "Policies": [{"PolicyName": f"p{index}", "PolicyDocument": _document(size)} for index, size in enumerate(inline)],
        "ManagedPolicyArns": [f"arn:aws:iam::aws:policy/p{index}" for index in range(managed)],
    }


SIZES: dict[str, tuple[str, dict[str, Any], dict[str, Any], str]] = {
    "managed policy": (
        "AWS::IAM::ManagedPolicy",
        {"PolicyDocument": _document(6144)},
        {"PolicyDocument": _document(6145)},
        "Cannot exceed quota for PolicySize: 6144",
    ),
    "inline policies": ("AWS::IAM::Role", _role(200, 5120, 5120), _role(200, 5120, 5121), "Maximum policy size of 10240 bytes exceeded"),
    "trust": ("AWS::IAM::Role", _role(2048), _role(2049), "Cannot exceed quota for ACLSizePerRole: 2048"),
    "number": ("AWS::IAM::Role", _role(), _role(managed=11), "Cannot exceed quota for PoliciesPerRole: 10"),
}


@pytest.mark.parametrize("what", SIZES)
def test_a_policy_above_the_size_that_iam_takes_fails_at_creation_and_at_an_update(stacks: Stacks, what: str) -> None:
    kind, fits, too_long, words = SIZES[what]
    with pytest.raises(AssertionError, match=words):
        stacks.apply("new", template(kind, too_long))
    stacks.apply("old", template(kind, fits))
    with pytest.raises(AssertionError, match=words):
        stacks.apply("old", template(kind, too_long))


def test_the_api_refuses_a_policy_above_its_size_too(aws: Aws, account: str) -> None:
    iam = aws.client("iam", account_id=account, region="us-east-1")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(_role()["AssumeRolePolicyDocument"]))
    iam.put_role_policy(RoleName="r", PolicyName="a", PolicyDocument=json.dumps(_document(6000)))
    for call, named in (
        (iam.put_role_policy, {"RoleName": "r", "PolicyName": "b", "PolicyDocument": json.dumps(_document(4241))}),
        (iam.update_assume_role_policy, {"RoleName": "r", "PolicyDocument": json.dumps(_role(2049)["AssumeRolePolicyDocument"])}),
    ):
        with pytest.raises(AwsError, match=r"quota|exceeded"):
            call(**named)
    iam.put_role_policy(RoleName="r", PolicyName="b", PolicyDocument=json.dumps(_document(4240)))
    iam.put_role_policy(RoleName="r", PolicyName="b", PolicyDocument=json.dumps(_document(4240), indent=4))


def test_a_stack_that_waits_for_a_certificate_can_be_deleted(aws: Aws, account: str, stacks: Stacks) -> None:
    stacks.client.create_stack(StackName="c", TemplateBody=json.dumps(certificate(None)))
    stack_id = stacks.client.describe_stacks(StackName="c")["Stacks"][0]["StackId"]
    stacks.delete("c")
    client = aws.client("acm", account_id=account, region="us-east-1")
    eventually(lambda: not client.list_certificates()["CertificateSummaryList"])
    # Whoever waited for the record looks several times in this while.
    time.sleep(0.3)
    assert stacks.settled(stack_id)["StackStatus"] == "DELETE_COMPLETE"


def test_a_server_that_ends_in_the_middle_of_a_stack(tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    server = LocalAws.start(tmp_path, bound_to=os.getpid(), settings={"LOCAL_AWS_HOLD": str(hold)})
    slow = Stacks(Aws(endpoint_url=server.endpoint_url, static_credentials=server.credentials), "111111111111")
    slow.client.create_stack(StackName="s", TemplateBody=json.dumps(template("AWS::SNS::Topic", {})))
    assert slow.client.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"] == "CREATE_IN_PROGRESS"
    server.stop()
    server = LocalAws.start(tmp_path, bound_to=os.getpid())
    again = Stacks(Aws(endpoint_url=server.endpoint_url, static_credentials=server.credentials), "111111111111")
    stack = again.settled("s")
    assert stack["StackStatus"] == "CREATE_FAILED"
    again.delete("s")
    server.stop()


# --- the platform itself ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_every_stack_of_the_platform_is_made_left_alone_and_removed(
    aws: Aws, new_account: Callable[[], str], tmp_path: Path, environment: str
) -> None:
    """All resource types in use, with their references and attributes, over every stack and StackSet of the real assembly."""
    built = CommandLine(home=tmp_path).build("--env", environment, "--out", str(tmp_path))
    assert built.code == 0, built
    directory = tmp_path / environment
    original = (directory / "assembly.json").read_bytes()
    account, old = new_account(), msgspec.json.decode(original, type=Assembly).account_id
    assembly = msgspec.json.decode(original.replace(old.encode(), account.encode()), type=Assembly)
    assert assembly.zone is not None
    zone = prepare.hosted_zone(aws, name=assembly.zone.name, account_id=account)
    secret = Secrets.connect(aws, account_id=account, region="us-east-1")
    if assembly.basic_auth_secret:
        credential = {"username": "u", "password_hash": hash_password("correct horse battery staple", b"0" * 16)}
        secret.create(assembly.basic_auth_secret.secret, credential, description="", tags={})
    outputs: dict[str, dict[str, str]] = {}

    def value(parameter: Parameter) -> str:
        source = parameter.source
        if isinstance(source, LiteralValue):
            return source.value
        if isinstance(source, OutputRef):
            return outputs[source.stack][source.output]
        if isinstance(source, HostedZoneRef):
            return zone
        return secret.json_key(source.secret, source.key) if isinstance(source, SecretRef) else secret.current_version(source.secret)

    plain = [stack for stack in assembly.stacks if stack.kind == "stack"]
    for stack in plain:
        where = Stacks(aws, account, stack.region)
        text = (directory / stack.template.file).read_text().replace(old, account)
        values = {parameter.name: value(parameter) for parameter in stack.parameters}
        outputs[stack.id] = where.apply(stack.stack_name, text, values)
        assert {*stack.outputs} <= {*outputs[stack.id]}
        with pytest.raises(BadRequest, match="No updates are to be performed"):
            where.apply(stack.stack_name, text, values)
    for stack in reversed(plain):
        where = Stacks(aws, account, stack.region)
        where.client.update_termination_protection(StackName=stack.stack_name, EnableTerminationProtection=False)
        where.delete(stack.stack_name)


def test_an_unknown_type_fails_rather_than_being_waved_through(stacks: Stacks) -> None:
    with pytest.raises((AwsError, AssertionError), match="AWS::No::Such"):
        stacks.apply("n", template("AWS::No::Such", {}))
