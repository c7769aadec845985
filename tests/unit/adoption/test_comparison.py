"""Live properties against the template's: what counts as a difference, and what nobody can know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from adoption.comparison import compared
from adoption.places import Place
from templates.intrinsics import after_mark, secret_mark
from templates.schemas import bundled
from templates.values import Redacted, Unknown
from tests.simulated import Small, small_assembly

SCHEMAS = bundled()
STACK = small_assembly(Small(id="site", template={"Resources": {}}))[0].stacks[0]


def differing(kind: str, live: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    place = Place(stack=STACK, logical_id="X", type=kind, properties=ours)
    return {each.path: each for each in compared(place, live, SCHEMAS.of(kind, "us-east-1"))}


@pytest.mark.parametrize(
    ("kind", "live", "ours"),
    [
        ("AWS::Route53::RecordSet", {"Name": "a.example.", "TTL": "60"}, {"Name": "A.example", "TTL": 60}),
        (
            "AWS::Route53::RecordSet",
            {"AliasTarget": {"DNSName": "dualstack.D1.cloudfront.net.", "EvaluateTargetHealth": False}},
            {"AliasTarget": {"DNSName": "d1.cloudfront.net", "EvaluateTargetHealth": "false"}},
        ),
        (
            "AWS::CertificateManager::Certificate",
            {"DomainName": "a.example", "SubjectAlternativeNames": ["a.example", "*.a.example"]},
            {
                "DomainName": "a.example",
                "SubjectAlternativeNames": ["*.a.example"],
                "ValidationMethod": "DNS",
                "DomainValidationOptions": [{}],
            },
        ),
        ("AWS::CloudFront::Distribution", {"DistributionConfig": {"Aliases": ["b", "a"]}}, {"DistributionConfig": {"Aliases": ["a", "b"]}}),
        (
            "AWS::CloudFront::Distribution",
            {"DistributionConfig": {"Origins": [{"Id": "o", "OriginPath": "", "OriginCustomHeaders": []}], "WebACLId": ""}},
            {"DistributionConfig": {"Origins": [{"Id": "o"}]}},
        ),
        (
            "AWS::S3::BucketPolicy",
            {"PolicyDocument": '{"Statement": [{"Sid": "a", "Action": "s3:GetObject", "Resource": "x"}]}'},
            {"PolicyDocument": {"Statement": [{"Sid": "a", "Action": ["s3:GetObject"], "Resource": ["x"]}]}},
        ),
        ("AWS::S3::Bucket", {}, {"AccessControl": "Private"}),
        (
            "AWS::S3::Bucket",
            {"LifecycleConfiguration": {"Rules": [{"Id": "a", "Status": "Enabled"}]}},
            {"LifecycleConfiguration": {"Rules": [{"Id": "a", "Status": "Enabled", "ExpiredObjectDeleteMarker": True}]}},
        ),
        ("AWS::Lambda::Function", {"FunctionName": "f"}, {"FunctionName": "f", "Code": {"ZipFile": "x"}}),
        ("AWS::DynamoDB::Table", {"TableName": "t", "Arn": "arn"}, {"TableName": "t"}),
    ],
)
def test_what_only_looks_different_or_cannot_be_read_is_no_difference(kind: str, live: dict[str, Any], ours: dict[str, Any]) -> None:
    assert not differing(kind, live, ours)


def test_what_would_replace_a_resource_is_said_and_an_unknown_value_never_is() -> None:
    assert differing("AWS::S3::Bucket", {"BucketName": "a"}, {"BucketName": "b"})["BucketName"].replaces
    found = differing("AWS::S3::Bucket", {"BucketName": "a"}, {"BucketName": after_mark("one.Name")})["BucketName"]
    assert (isinstance(found.ours, Unknown), found.replaces) == (True, False)


def test_a_secret_is_hidden_on_both_sides() -> None:
    code = differing("AWS::CloudFront::Function", {"FunctionCode": "the old one"}, {"FunctionCode": "the new one"})["FunctionCode"]
    assert (code.live, code.ours) == (Redacted(), Redacted())
    secret = differing("AWS::Lambda::Version", {"Description": "old"}, {"Description": secret_mark("P", "current")})["Description"]
    assert secret.live == Redacted()
    hashed = differing("AWS::Lambda::Version", {"Description": "$2b$12$abcdefghijk"}, {"Description": "x"})["Description"]
    assert hashed.live == Redacted()
