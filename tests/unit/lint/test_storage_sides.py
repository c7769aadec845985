"""Rules of buckets, health checks and records over few resources: the smallest thing that each refuses beside the nearest that it takes."""

from __future__ import annotations

from typing import Any

import pytest

from lint.rules import records, storage
from lint.rules.base import Rule
from tests.unit.lint.test_rule_sides import GONE, IMPORTED, function, said, told

BUCKET, POLICY = "AWS::S3::Bucket", "AWS::S3::BucketPolicy"


def either(yes: Any, no: Any) -> dict[str, Any]:
    return {"Fn::If": ["C", yes, no]}


def bucket(**properties: Any) -> dict[str, Any]:
    return {"Type": BUCKET, "Properties": properties}


# --- buckets ------------------------------------------------------------------------------------------------------

BLOCKS = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
ENFORCED = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
AES = {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
BUCKETS: list[tuple[type[Rule], dict[str, Any], list[str]]] = [
    (storage.PublicAccess, {"PublicAccessBlockConfiguration": BLOCKS}, []),
    (storage.PublicAccess, {"PublicAccessBlockConfiguration": dict.fromkeys(BLOCKS, "true")}, []),
    (storage.PublicAccess, {}, ["B.PublicAccessBlockConfiguration"]),
    *(
        (storage.PublicAccess, {"PublicAccessBlockConfiguration": {**BLOCKS, name: value}}, [f"B.PublicAccessBlockConfiguration.{name}"])
        for name in BLOCKS
        for value in (False, GONE)
    ),
    (
        storage.PublicAccess,
        {"PublicAccessBlockConfiguration": either(GONE, {**BLOCKS, "BlockPublicAcls": False})},
        ["B.PublicAccessBlockConfiguration.Fn::If.1", "B.PublicAccessBlockConfiguration.Fn::If.2.BlockPublicAcls"],
    ),
    (storage.Ownership, {"OwnershipControls": ENFORCED}, []),
    (storage.Ownership, {}, ["B.OwnershipControls"]),
    (storage.Ownership, {"OwnershipControls": {"Rules": []}}, ["B.OwnershipControls"]),
    (storage.Ownership, {"OwnershipControls": either(ENFORCED, GONE)}, ["B.OwnershipControls"]),
    (
        storage.Ownership,
        {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}},
        ["B.OwnershipControls.Rules.0.ObjectOwnership"],
    ),
    (storage.Ownership, {"OwnershipControls": ENFORCED, "AccessControl": "Private"}, ["B.AccessControl"]),
    (storage.Ownership, {"OwnershipControls": ENFORCED, "AccessControl": GONE}, []),
    (storage.Encryption, {"BucketEncryption": AES}, []),
    (storage.Encryption, {}, ["B.BucketEncryption"]),
    (storage.Encryption, {"BucketEncryption": {"ServerSideEncryptionConfiguration": [{}]}}, ["B.BucketEncryption"]),
    (storage.Encryption, {"BucketEncryption": either(AES, GONE)}, ["B.BucketEncryption"]),
    (storage.Encryption, {"BucketEncryption": {"ServerSideEncryptionConfiguration": [*AES["ServerSideEncryptionConfiguration"], {}]}}, []),
]


@pytest.mark.parametrize(("rule", "properties", "wanted"), BUCKETS)
def test_a_rule_of_buckets(rule: type[Rule], properties: dict[str, Any], wanted: list[str]) -> None:
    assert told(rule, B=bucket(**properties)) == wanted


ARN = {"Fn::GetAtt": ["B", "Arn"]}
OBJECTS = {"Fn::Sub": "${B.Arn}/*"}


def deny(**more: Any) -> dict[str, Any]:
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    return {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [ARN, OBJECTS], "Condition": plain, **more}


def policy(*statements: dict[str, Any], of: Any = None) -> dict[str, Any]:
    return {"Type": POLICY, "Properties": {"Bucket": of or {"Ref": "B"}, "PolicyDocument": {"Statement": [*statements]}}}


@pytest.mark.parametrize(
    ("more", "refuses"),
    [
        ({}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": ["1", "*"]}}, True),
        ({"Principal": {"AWS": "123456789012"}}, False),
        ({"Action": "*"}, True),
        ({"Action": ["s3:*"]}, True),
        ({"Action": "s3:GetObject"}, False),
        ({"Effect": "Allow"}, False),
        ({"Resource": "*"}, True),
        ({"Resource": [ARN]}, False),
        ({"Resource": [OBJECTS]}, False),
        ({"Resource": [ARN, {"Fn::Sub": "${B.Arn}/only"}]}, False),
        ({"Resource": [ARN, IMPORTED]}, False),
        ({"Condition": {"Bool": {"aws:securetransport": False}}}, True),
        ({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, False),
        ({"Condition": GONE}, False),
        ({"Condition": [{"Bool": {"aws:SecureTransport": "false"}}]}, False),
        ({"Condition": ["Bool"]}, False),
        ({"Condition": {"Bool": {"aws:SecureTransport": "false", "aws:ViaAWSService": "false"}}}, False),
        ({"Condition": {"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"a": "b"}}}, False),
    ],
)
def test_a_bucket_refuses_plain_http_to_everybody_for_everything(more: dict[str, Any], refuses: bool) -> None:
    assert (told(storage.TlsOnly, B=bucket(), P=policy(deny(**more))) == []) is refuses


def test_the_policy_is_the_one_of_the_bucket() -> None:
    named = bucket(BucketName="site")
    assert told(storage.TlsOnly, B=named, P=policy(deny(), of="site")) == []
    assert told(storage.TlsOnly, B=named, P=policy(deny(), of="other")) == told(storage.TlsOnly, B=named) == ["B"]
    assert told(storage.TlsOnly, B=bucket(), P=policy(deny(), of={"Ref": "P"})) == ["B"]
    handed_in = bucket(BucketName={"Ref": "P"})
    assert told(storage.TlsOnly, B=handed_in, Q=policy(deny(), of={"Ref": "P"})) == []
    assert told(storage.TlsOnly, B=bucket(BucketName=IMPORTED), P=policy(deny(), of=IMPORTED)) == ["B"]


@pytest.mark.parametrize(
    ("statement", "refuses"),
    [
        (either(deny(), deny(Principal={"AWS": "*"})), True),
        (either(deny(), GONE), False),
        (either(GONE, deny()), False),
        (either(deny(), either(deny(), GONE)), False),
        (either(deny(), {"Fn::If": ["D", deny(), GONE]}), False),
        (deny(Principal=either("*", {"AWS": "1"})), False),
        (deny(Action=either("s3:*", "s3:Get*")), False),
        (deny(Resource=[ARN, either(OBJECTS, GONE)]), False),
        (deny(Resource=[either(ARN, GONE), OBJECTS]), False),
        (either(deny(Resource=either(["*"], [])), deny()), True),
    ],
)
def test_plain_http_is_refused_whatever_condition_holds(statement: dict[str, Any], refuses: bool) -> None:
    assert (told(storage.TlsOnly, B=bucket(), P=policy(statement)) == []) is refuses


def test_a_bucket_without_a_policy_and_one_whose_policy_says_too_little_are_told_apart() -> None:
    for resources, text in (({}, "it has no bucket policy with a Deny"), ({"P": policy()}, "its bucket policy has no Deny")):
        [(_, found)] = said(storage.TlsOnly, B=bucket(), **resources)
        assert found.startswith(f"{text} of s3:* on bucket and objects")


@pytest.mark.parametrize(
    ("of", "resource", "own"),
    [
        ({"Ref": "B"}, ARN, True),
        ({"Ref": "B"}, OBJECTS, True),
        ({"Ref": "B"}, {"Fn::Sub": "arn:aws:s3:::${B}/*"}, True),
        ({"Ref": "B"}, "arn:aws:s3:::site/*", True),
        ({"Ref": "B"}, {"Fn::GetAtt": ["O", "Arn"]}, False),
        ({"Ref": "B"}, "arn:aws:s3:::other", False),
        ({"Ref": "B"}, "arn:aws:s3:::si*", True),
        ({"Ref": "B"}, "*", True),
        ({"Ref": "B"}, {"Fn::ImportValue": "x"}, True),
        ("site", ARN, True),
        ("site", "arn:aws:s3:::site", True),
        ("site", {"Fn::Sub": "arn:aws:s3:::${O}/*"}, False),
        ({"Ref": "O"}, "arn:aws:s3:::whatever", True),
        ({"Ref": "O"}, ARN, False),
        ({"Fn::Sub": "${P}-site"}, "arn:aws:s3:::other", True),
        ({"Fn::Sub": "${P}-site"}, {"Fn::Sub": "arn:aws:s3:::${B}/*"}, True),
        (IMPORTED, ARN, True),
        ({"Ref": "B"}, {"Ref": "P"}, True),
        ({"Ref": "B"}, {"Fn::Sub": "${O.Arn}/*"}, False),
        ({"Ref": "B"}, {"Fn::Sub": "arn:aws:s3:::${P}-x/*"}, True),
        ({"Ref": "B"}, "arn:aws:s3:::site/a/b", True),
        # The bucket of a policy may be named by a parameter, as the bucket itself is.
        ({"Ref": "P"}, {"Fn::GetAtt": ["H", "Arn"]}, True),
        ({"Ref": "P"}, {"Fn::Sub": "arn:aws:s3:::${P}/*"}, True),
        ({"Ref": "P"}, ARN, False),
        ({"Ref": "H"}, "arn:aws:s3:::other", True),
        (either({"Fn::Sub": "${P}-site"}, "site"), "arn:aws:s3:::other", True),
        ({"Ref": "J"}, "arn:aws:s3:::other", True),
    ],
)
def test_a_bucket_policy_names_its_own_bucket(of: Any, resource: Any, own: bool) -> None:
    others = {"O": bucket(), "H": bucket(BucketName={"Ref": "P"}), "J": bucket(BucketName={"Fn::Sub": "j-${P}"})}
    whole = policy(deny(Resource="*"), of={"Fn::Sub": "${P}-site"})
    found = told(storage.OwnResources, B=bucket(BucketName="site"), A=whole, Q=policy(deny(Resource=[resource]), of=of), **others)
    assert found == ([] if own else ["Q.PolicyDocument.Statement.0.Resource.0"])


@pytest.mark.parametrize(
    ("deletion", "replace", "wanted"),
    [
        ("Retain", "Retain", []),
        ("RetainExceptOnCreate", "Retain", []),
        ("Delete", "Retain", ["DeletionPolicy"]),
        (None, "Retain", ["DeletionPolicy"]),
        ("Retain", "RetainExceptOnCreate", ["UpdateReplacePolicy"]),
        ("Retain", None, ["UpdateReplacePolicy"]),
    ],
)
def test_what_holds_data_or_runs_at_the_edge_is_retained(deletion: str | None, replace: str | None, wanted: list[str]) -> None:
    policies = {name: value for name, value in (("DeletionPolicy", deletion), ("UpdateReplacePolicy", replace)) if value}
    for resource in (bucket(), {"Type": "AWS::DynamoDB::Table"}, function()):
        assert told(storage.Retained, R={**resource, **policies}) == [f"R.{name}" for name in wanted]
    assert told(storage.Retained, R={"Type": "AWS::SNS::Topic", **policies}, F=function(False)) == []
    unsaid = {**bucket(), "DeletionPolicy": {"Ref": "P"}, "UpdateReplacePolicy": {"Ref": "P"}}
    assert told(storage.Retained, R=unsaid) == ["R.DeletionPolicy", "R.UpdateReplacePolicy"]


# --- health checks and records --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["HTTP", "HTTPS", "HTTPS_STR_MATCH", "TCP", "CALCULATED", "CLOUDWATCH_METRIC", "RECOVERY_CONTROL"])
@pytest.mark.parametrize("name", records.SETTINGS)
def test_a_health_check_has_the_settings_of_its_type(kind: str, name: str) -> None:
    def of(**more: Any) -> list[str]:
        needed = {each: "x" for each, types in records.NEEDED.items() if kind in types}
        return told(
            records.FittingCheck,
            H={"Type": "AWS::Route53::HealthCheck", "Properties": {"HealthCheckConfig": {"Type": kind, **needed, **more}}},
        )

    assert of(**{name: "x"}) == ([] if kind in records.SETTINGS[name] else [f"H.HealthCheckConfig.{name}"])
    assert of(**{name: GONE}) == ([f"H.HealthCheckConfig.{name}"] if kind in records.NEEDED.get(name, ()) else [])


def test_a_type_that_only_aws_will_know_hides_no_other() -> None:
    config = {"Type": either(IMPORTED, "TCP"), "SearchString": "x"}
    found = told(records.FittingCheck, H={"Type": "AWS::Route53::HealthCheck", "Properties": {"HealthCheckConfig": config}})
    assert found == ["H.HealthCheckConfig.SearchString"]


def record(**more: Any) -> dict[str, Any]:
    return {"Type": "AWS::Route53::RecordSet", "Properties": {"HostedZoneId": "Z1", "Name": "a.example.org", "Type": "A", **more}}


@pytest.mark.parametrize(
    ("kind", "target", "right"),
    [
        ("A", "lb.eu-west-1.elb.amazonaws.com", True),
        ("TXT", "lb.eu-west-1.elb.amazonaws.com", False),
        ("MX", "LB.eu-west-1.elb.AMAZONAWS.com.", False),
        ("TXT", "b.example.org", True),
        ("TXT", {"Fn::GetAtt": ["L", "DNSName"]}, False),
        ("TXT", {"Ref": "P"}, True),
    ],
)
def test_a_record_that_no_service_answers_is_no_alias_of_one(kind: str, target: Any, right: bool) -> None:
    balancer = {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer"}
    found = told(records.AliasType, R=record(Type=kind, AliasTarget={"DNSName": target, "HostedZoneId": "Z2"}), L=balancer)
    assert found == ([] if right else ["R.Type"])


@pytest.mark.parametrize(
    ("more", "twice"),
    [
        ({}, True),
        ({"Name": "A.example.org."}, True),
        ({"Name": "b.example.org"}, False),
        ({"Type": "AAAA"}, False),
        ({"HostedZoneId": "Z2"}, False),
        ({"Weight": 0}, False),
        ({"Failover": "SECONDARY"}, False),
        ({"SetIdentifier": "x"}, False),
        ({"Name": IMPORTED}, False),
    ],
)
def test_a_name_has_one_record_of_a_type(more: dict[str, Any], twice: bool) -> None:
    assert told(records.RecordOnce, R=record(), S=record(**more)) == (["S"] if twice else [])


def test_records_that_are_never_there_together_are_not_twice() -> None:
    one, other = record(Name=either("a.example.org", "b.example.org")), record(Name=either("b.example.org", "a.example.org"))
    assert told(records.RecordOnce, R=one, S=other) == []
    group = {
        "Type": "AWS::Route53::RecordSetGroup",
        "Properties": {"HostedZoneId": "Z1", "RecordSets": [{"Name": "a.example.org", "Type": "A"}]},
    }
    assert told(records.RecordOnce, R=record(), S=group) == ["S.RecordSets.0"]
    assert told(records.RecordOnce, R=record(HostedZoneId="Z2"), S=group) == []
