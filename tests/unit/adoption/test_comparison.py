"""Live properties against the template's: what counts as a difference, and what nobody can know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from adoption.comparison import beside, compared, scalars
from adoption.places import Place
from adoption.terraform_types import BUCKET, CERTIFICATE, DISTRIBUTION, RECORD
from templates.intrinsics import after_mark, secret_mark
from templates.schemas import Schema, bundled
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
    target = differing(RECORD, {"AliasTarget": {"DNSName": "x"}}, {"AliasTarget": {"DNSName": after_mark("Site.Domain.")}})
    assert isinstance(target["AliasTarget.DNSName"].ours, Unknown)
    assert not differing("AWS::S3::Bucket", {"BucketName": "a"}, {"BucketName": {"Fn::ImportValue": "x"}})["BucketName"].replaces


def test_a_secret_is_hidden_on_both_sides() -> None:
    code = differing("AWS::CloudFront::Function", {"FunctionCode": "the old one"}, {"FunctionCode": "the new one"})["FunctionCode"]
    assert (code.live, code.ours) == (Redacted(), Redacted())
    secret = differing("AWS::Lambda::Version", {"Description": "old"}, {"Description": secret_mark("P", "current")})["Description"]
    assert secret.live == Redacted()
    hashed = differing("AWS::Lambda::Version", {"Description": "$2b$12$abcdefghijk"}, {"Description": "x"})["Description"]
    assert hashed.live == Redacted()


@pytest.mark.parametrize(
    ("kind", "live", "ours", "paths"),
    [
        (RECORD, {"Name": "b.example."}, {"Name": "a.example"}, ["Name"]),
        (RECORD, {"TTL": "61"}, {"TTL": 60}, ["TTL"]),
        (
            RECORD,
            {"AliasTarget": {"DNSName": "d2.cloudfront.net."}},
            {"AliasTarget": {"DNSName": "d1.cloudfront.net"}},
            ["AliasTarget.DNSName"],
        ),
        (RECORD, {"AliasTarget": {"DNSName": "x"}}, {"AliasTarget": {"DNSName": after_mark("D.Name.")}}, ["AliasTarget.DNSName"]),
        (RECORD, {"AliasTarget": {"HostedZoneId": "a"}}, {"AliasTarget": {"HostedZoneId": "b"}}, ["AliasTarget.HostedZoneId"]),
        (RECORD, {"AliasTarget": "x"}, {"AliasTarget": "y"}, ["AliasTarget"]),
        (RECORD, {"Name": {"Ref": "X"}}, {"Name": "a"}, ["Name"]),
        (RECORD, {"ResourceRecords": ["b", "a"]}, {"ResourceRecords": ["a", "b"]}, []),
        (CERTIFICATE, {"DomainName": "a", "SubjectAlternativeNames": ["a"]}, {"DomainName": "a"}, []),
        (CERTIFICATE, {"DomainName": "a"}, {"DomainName": "a", "SubjectAlternativeNames": ["a"]}, []),
        (
            CERTIFICATE,
            {"DomainName": "a", "SubjectAlternativeNames": ["b"]},
            {"DomainName": "a", "SubjectAlternativeNames": ["c"]},
            ["SubjectAlternativeNames"],
        ),
        (DISTRIBUTION, {"DistributionConfig": {"Origins": "x"}}, {"DistributionConfig": {"Origins": "y"}}, ["DistributionConfig.Origins"]),
        (DISTRIBUTION, {"DistributionConfig": "x"}, {"DistributionConfig": "y"}, ["DistributionConfig"]),
        (
            DISTRIBUTION,
            {"DistributionConfig": {"Origins": [{"Id": "o", "OriginPath": "/old"}]}},
            {"DistributionConfig": {"Origins": [{"Id": "o", "OriginPath": ""}]}},
            ["DistributionConfig.Origins[o].OriginPath"],
        ),
        (
            DISTRIBUTION,
            {"DistributionConfig": {"Origins": [{"Id": "o", "OriginPath": ""}]}},
            {"DistributionConfig": {"Origins": [{"Id": "o"}]}},
            [],
        ),
        (
            DISTRIBUTION,
            {"DistributionConfig": {"Origins": [{"Id": "o"}]}},
            {"DistributionConfig": {"Origins": [{"Id": "o", "OriginPath": ""}]}},
            [],
        ),
        (BUCKET, {"Name": "A."}, {"Name": "a"}, ["Name"]),
        (
            BUCKET,
            {"DomainName": "a", "SubjectAlternativeNames": ["a"]},
            {"DomainName": "a", "SubjectAlternativeNames": []},
            ["SubjectAlternativeNames"],
        ),
        (BUCKET, {"OriginPath": "x"}, {"OriginPath": "x"}, []),
        (BUCKET, {"Lists": [{"A": "none", "B": 0}, {"C": ["", False]}]}, {"Lists": []}, []),
        (BUCKET, {"Deep": {"A": {"B": "set"}}}, {"Deep": {}}, ["Deep.A"]),
        (BUCKET, {"Deep": {"A": [None, "set"]}}, {"Deep": {}}, ["Deep.A"]),
        (BUCKET, {"One": 1}, {"One": None}, ["One"]),
        (BUCKET, {"One": {}}, {"One": []}, []),
        (BUCKET, {"One": {}}, {"One": ["a"]}, ["One"]),
        (BUCKET, {"One": ["a"]}, {"One": {}}, ["One"]),
        (BUCKET, {"One": ""}, {"One": []}, ["One"]),
        (BUCKET, {"OnlyThere": "x"}, {}, []),
        (BUCKET, {"PolicyText": '{"Action": "b"}'}, {"PolicyText": '{"Action": ["b"]}'}, []),
        (BUCKET, {"PolicyText": "{no policy"}, {"PolicyText": "{no policy either"}, ["PolicyText"]),
        (BUCKET, {"Comment": "x"}, {"Comment": ["x"]}, ["Comment"]),
    ],
)
def test_what_differs_is_told_where_it_does(kind: str, live: dict[str, Any], ours: dict[str, Any], paths: list[str]) -> None:
    assert sorted(differing(kind, live, ours)) == paths


def test_a_place_for_secrets_inside_of_a_value_hides_the_whole_of_it() -> None:
    def shown(live: Any) -> Any:
        return differing(BUCKET, {"Setting": live}, {"Setting": "other"})["Setting"].live

    assert shown({"Inner": {"Code": "x"}}) == shown([{"SecretString": "x"}]) == shown([1, [{"FunctionCode": "x"}]]) == Redacted()
    assert not isinstance(shown({"Inner": {"Code": ""}}), Redacted)
    assert not isinstance(shown([{"Codex": "x"}, "Code"]), Redacted)


def test_without_a_schema_nothing_is_read_only_or_replaced() -> None:
    found = differing("Custom::Own", {"Arn": "a", "Name": "a"}, {"Arn": "b", "Name": "a"})
    assert [(path, each.replaces) for path, each in found.items()] == [("Arn", False)]
    assert not differing("AWS::DynamoDB::Table", {"Arn": "a"}, {"Arn": "b"}), "a read-only property is nobody's setting"


def test_what_the_template_does_not_mention_is_named_where_it_is_set_and_can_be_set() -> None:
    live = {
        "Tags": [{"Key": "a"}],
        "BucketName": "b",
        "Arn": "arn",
        "DomainName": "b.s3",
        "Empty": {"A": [0]},
        "AccelerateConfiguration": {"A": "x"},
    }
    place = Place(stack=STACK, logical_id="X", type=BUCKET, properties={"BucketName": "b"})
    assert beside(place, live, SCHEMAS.of(BUCKET, "us-east-1")) == ("AccelerateConfiguration", "Tags")
    partly = Schema(read_only=frozenset({("Tags", "*", "Key"), ("Arn",)}))
    assert beside(place, live, partly) == ("AccelerateConfiguration", "DomainName", "Tags"), "what is read-only inside of it can be set"
    assert beside(place, live, None) == ("AccelerateConfiguration", "Arn", "DomainName", "Tags")


def test_the_texts_of_a_structure_are_named_as_attributes() -> None:
    found = dict(scalars({"A": "1", "B": {"C": "2", "D": {"E": "3"}, "F": 4}, "G": ["5"]}))
    assert found == {"A": "1", "B.C": "2", "B.D.E": "3"}
