"""What services refuse beyond their models: each rule by a request that breaks it and one that does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api_rules import objects, requests, templates

BUCKET, OWNER, OTHER = "site", "111111111111", "222222222222"


# --- S3 -----------------------------------------------------------------------------------------------------------


def of_s3(method: str = "PUT", key: str = "a", body: bytes = b"", query: dict[str, Any] | None = None, **headers: str) -> str:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    asked = objects.Asked(method=method, bucket=BUCKET, key=key, headers=named, query=query or {}, body=body)
    found = objects.refusal(asked, {BUCKET: OWNER, "other": OTHER}.get)
    return found[0] if found else ""


def deleted(keys: int) -> bytes:
    return b"<Delete>" + b"<Object><Key>k</Key></Object>" * keys + b"</Delete>"


@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("", {"key": "k" * 1024}),
        ("KeyTooLongError", {"key": "k" * 1025}),
        ("KeyTooLongError", {"key": "ü" * 513}),
        ("", {"x_amz_meta_a": "b" * 2047}),
        ("MetadataTooLarge", {"x_amz_meta_a": "b" * 2048}),
        ("", {"x_amz_expected_bucket_owner": OWNER}),
        ("AccessDenied", {"method": "GET", "x_amz_expected_bucket_owner": OTHER}),
        ("", {"x_amz_copy_source": "other/a", "x_amz_source_expected_bucket_owner": OTHER}),
        ("AccessDenied", {"x_amz_copy_source": "/other/a", "x_amz_source_expected_bucket_owner": OWNER}),
        ("", {"if_none_match": "*"}),
        ("NotImplemented", {"if_none_match": '"f00d"'}),
        ("", {"x_amz_copy_source": "site/a", "x_amz_metadata_directive": "REPLACE"}),
        ("InvalidRequest", {"x_amz_copy_source": "site/%61"}),
        ("", {"method": "POST", "key": "", "query": {"delete": [""]}, "body": deleted(1000)}),
        ("MalformedXML", {"method": "POST", "key": "", "query": {"delete": [""]}, "body": deleted(1001)}),
        ("MalformedPolicy", {"key": "", "query": {"policy": [""]}, "body": b"no"}),
    ],
)
def test_s3_refuses(code: str, how: dict[str, Any]) -> None:
    assert of_s3(**how) == code


STATEMENT = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::site", "arn:aws:s3:::site/*"]}


@pytest.mark.parametrize(
    ("words", "policy"),
    [
        ("", {"Statement": STATEMENT}),
        ("", {"Statement": [{**STATEMENT, "Resource": "arn:aws-cn:s3:::site/a"}]}),
        ("Missing required field Statement", {}),
        ("Missing required field Principal", {"Statement": {name: each for name, each in STATEMENT.items() if name != "Principal"}}),
        ("Unknown field Resources", {"Statement": {**STATEMENT, "Resources": "*"}}),
        ("Policy has invalid resource", {"Statement": {**STATEMENT, "Resource": "arn:aws:s3:::site-replica/*"}}),
        ("Policy has invalid resource", {"Statement": {**STATEMENT, "Resource": "*"}}),
        ("Policy exceeds the maximum", {"Statement": [STATEMENT] * 200}),
    ],
)
def test_s3_refuses_a_bucket_policy(words: str, policy: Any) -> None:
    told = objects.policy_problem(json.dumps(policy).encode(), BUCKET)
    assert told.startswith(words) and bool(told) == bool(words)


# --- CloudFormation -----------------------------------------------------------------------------------------------

ONE = {"Type": "AWS::SSM::Parameter", "Properties": {"Value": {"Fn::Sub": "${Given} of ${AWS::Region}"}}}
WHOLE = {"Parameters": {"Given": {"Type": "String"}}, "Resources": {"One": ONE}, "Outputs": {"Name": {"Value": {"Ref": "One"}}}}


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("", {}),
        ("", {"Metadata": {"x": {"Ref": "Nothing"}}}),
        ("Invalid template property or properties [Resource]", {"Resource": {}}),
        ("Template format error: At least one Resources member must be defined.", {"Resources": {}}),
        ("Template format error: Resource name One-1 is non alphanumeric.", {"Resources": {"One-1": ONE}}),
        ("Unresolved resource dependencies [Given] in the Resources", {"Parameters": {}}),
        ("Unresolved resource dependencies [Gone] in the Resources", {"Resources": {"One": {**ONE, "DependsOn": "Gone"}}}),
        ("Unresolved resource dependencies [Gone] in the Outputs", {"Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Gone", "Arn"]}}}}),
        ("Unresolved condition dependency Is in the Resources", {"Resources": {"One": {**ONE, "Condition": "Is"}}}),
        ("", {"Conditions": {"Is": {}}, "Resources": {"One": {**ONE, "Condition": "Is"}}}),
        ("Value field of every Outputs member must evaluate to a String", {"Outputs": {"Name": {"Value": ["a"]}}}),
        (
            "Circular dependency between resources: [",
            {"Resources": {"One": {**ONE, "DependsOn": ["Two"]}, "Two": {**ONE, "DependsOn": ["One"]}}},
        ),
    ],
)
def test_cloudformation_refuses_a_template(words: str, change: dict[str, Any]) -> None:
    told = templates.refusal(json.dumps({**WHOLE, **change}), ())
    assert words in told and bool(told) == bool(words), told


def test_cloudformation_refuses_parameters_that_a_template_does_not_have() -> None:
    assert templates.refusal(json.dumps(WHOLE), ("Given",)) == ""
    assert templates.refusal(json.dumps(WHOLE), ("Given", "Gone")) == "Parameters: [Gone] do not exist in the template"


# --- parameters of single requests --------------------------------------------------------------------------------

PLAIN = {"Name": "a.example.com", "Type": "A", "TTL": "60", "ResourceRecords": [{"Value": "192.0.2.1"}]}
ALIAS = {"Name": "a.example.com", "Type": "A", "AliasTarget": {"HostedZoneId": "Z", "DNSName": "x"}}


@pytest.mark.parametrize(
    ("words", "record"),
    [
        ("", PLAIN),
        ("", ALIAS),
        ("", {**PLAIN, "Weight": "1", "SetIdentifier": "x"}),
        ("", {**PLAIN, "Type": "TXT", "ResourceRecords": [{"Value": '"v=spf1" "-all"'}]}),
        ("", {**PLAIN, "Type": "AAAA", "ResourceRecords": [{"Value": "2001:db8::1"}]}),
        ("found none", {name: each for name, each in PLAIN.items() if name != "TTL"}),
        ("found more than one", {**ALIAS, "TTL": "60"}),
        ("found more than one", {**ALIAS, **PLAIN}),
        ("Missing field 'SetIdentifier'", {**PLAIN, "Weight": "1"}),
        ("but found none", {**PLAIN, "SetIdentifier": "x"}),
        ("but found more than one", {**PLAIN, "SetIdentifier": "x", "Weight": "1", "Failover": "PRIMARY"}),
        ("Duplicate Resource Record: '192.0.2.1'", {**PLAIN, "ResourceRecords": [{"Value": "192.0.2.1"}] * 2}),
        ("ARRDATAIllegalIPv4Address", {**PLAIN, "ResourceRecords": [{"Value": "192.0.2.256"}]}),
        ("AAAARRDATAIllegalIPv6Address", {**PLAIN, "Type": "AAAA"}),
        ("enclosed in quotation marks", {**PLAIN, "Type": "TXT", "ResourceRecords": [{"Value": "v=spf1"}]}),
    ],
)
def test_route_53_refuses_a_record(words: str, record: dict[str, Any]) -> None:
    batch = {"ChangeBatch": {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}}
    told = requests.refusal("route53", "ChangeResourceRecordSets", batch)
    assert (words in told[1]) if told else not words


SITE = {
    "Comment": "c" * 128,
    "Aliases": {"Quantity": "1", "Items": ["a"]},
    "Origins": {"Quantity": "1", "Items": [{"Id": "o", "CustomHeaders": {"Quantity": "0"}}]},
    "OriginGroups": {"Quantity": "0"},
    "DefaultCacheBehavior": {"TargetOriginId": "o"},
}


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("", {}),
        ("InvalidArgument", {"Comment": "c" * 129}),
        ("InconsistentQuantities", {"Aliases": {"Quantity": "2", "Items": ["a"]}}),
        ("InconsistentQuantities", {"Origins": {"Quantity": "1", "Items": [{"Id": "o", "CustomHeaders": {"Quantity": "1"}}]}}),
        ("NoSuchOrigin", {"DefaultCacheBehavior": {"TargetOriginId": "p"}}),
        ("NoSuchOrigin", {"CacheBehaviors": {"Quantity": "1", "Items": [{"TargetOriginId": "group"}]}}),
    ],
)
def test_cloudfront_refuses_a_distribution(code: str, change: dict[str, Any]) -> None:
    told = requests.refusal("cloudfront", "UpdateDistribution", {**SITE, **change})
    assert (told[0] if told else "") == code


@pytest.mark.parametrize(
    ("service", "action", "taken", "refused"),
    [
        ("secretsmanager", "CreateSecret", {"Name": "site/basic-auth_+=.@!"}, {"Name": "a secret"}),
        ("logs", "FilterLogEvents", {"startTime": 1, "endTime": 1}, {"startTime": 2, "endTime": 1}),
        ("logs", "FilterLogEvents", {"startTime": 2}, {"logStreamNames": ["a"], "logStreamNamePrefix": "b"}),
        ("sns", "CreateTopic", {"Name": "a b"}, None),
    ],
)
def test_other_requests(service: str, action: str, taken: dict[str, Any], refused: dict[str, Any] | None) -> None:
    assert requests.refusal(service, action, taken) is None
    assert refused is None or requests.refusal(service, action, refused) is not None
