"""Shapes of older platforms: which setting makes one, and what is none."""

from __future__ import annotations

from typing import Any

import pytest

from adoption.legacy import NO_LONGER_SAFE, shapes
from adoption.terraform_types import BUCKET, DISTRIBUTION

PRIVATE = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
CLOSED: dict[str, Any] = {
    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    "PublicAccessBlockConfiguration": PRIVATE,
}
IDENTITY = {"S3OriginConfig": {"OriginAccessIdentity": "origin-access-identity/cloudfront/E2"}}
ENDPOINT = "old.s3-website-eu-west-1.amazonaws.com"
FUNCTION = {"LambdaFunctionAssociations": [{"LambdaFunctionARN": "arn:aws:lambda:us-east-1:1:function:f:1"}]}


@pytest.mark.parametrize(
    ("config", "codes"),
    [
        ({}, []),
        ({"Origins": [IDENTITY]}, ["origin_access_identity"]),
        (
            {"Origins": ["x", {"S3OriginConfig": {"OriginAccessIdentity": ""}}, {"S3OriginConfig": None}, IDENTITY]},
            ["origin_access_identity"],
        ),
        ({"Origins": [{"S3OriginConfig": {"OriginAccessIdentity": ""}}]}, []),
        ({"Origins": [{"DomainName": "a.s3.eu-west-1.amazonaws.com"}, {"DomainName": ENDPOINT}]}, ["website_endpoint"]),
        ({"Origins": [{"DomainName": "old.s3-website.eu-central-1.amazonaws.com.cn"}]}, ["website_endpoint"]),
        ({"Origins": [{"DomainName": f"{ENDPOINT}.example.org"}]}, []),
        ({"DefaultCacheBehavior": {"ForwardedValues": {"QueryString": False}}}, ["forwarded_values"]),
        ({"DefaultCacheBehavior": {}, "CacheBehaviors": ["x", {"ForwardedValues": {"QueryString": False}}]}, ["forwarded_values"]),
        ({"CacheBehaviors": [{"CachePolicyId": "p", "ForwardedValues": {}}]}, []),
        ({"Logging": {"Bucket": "logs.s3.amazonaws.com"}}, ["standard_logging"]),
        ({"Logging": {"Bucket": ""}}, []),
        *(({"ViewerCertificate": {"MinimumProtocolVersion": old}}, ["old_tls"]) for old in NO_LONGER_SAFE),
        ({"ViewerCertificate": {"MinimumProtocolVersion": "TLSv1.2_2021"}}, []),
        ({"DefaultCacheBehavior": FUNCTION}, ["edge_function_version"]),
        ({"CacheBehaviors": [{}, "x", FUNCTION]}, ["edge_function_version"]),
        ({"DefaultCacheBehavior": {"LambdaFunctionAssociations": []}}, []),
    ],
)
def test_of_a_distribution(config: dict[str, Any], codes: list[str]) -> None:
    found = shapes(DISTRIBUTION, {"DistributionConfig": config}, "environments/dev.yaml")
    assert [each.code for each in found] == codes
    assert (
        shapes(BUCKET, {"DistributionConfig": config, **CLOSED}, "") == shapes("AWS::SNS::Topic", {"DistributionConfig": config}, "") == ()
    )


def test_a_shape_names_what_makes_it_and_the_file_in_which_it_ends() -> None:
    two = {"S3OriginConfig": {"OriginAccessIdentity": "origin-access-identity/cloudfront/E3"}, "DomainName": ENDPOINT}
    identity, endpoint = shapes(DISTRIBUTION, {"DistributionConfig": {"Origins": [IDENTITY, two]}}, "environments/dev.yaml")
    assert identity.what.endswith(" E2") and "adopt.origin_access_identity: E2 in environments/dev.yaml" in identity.way_out
    assert endpoint.what.endswith(ENDPOINT) and "adopt.website_endpoint in environments/dev.yaml" in endpoint.way_out


@pytest.mark.parametrize(
    ("live", "codes"),
    [
        ({}, []),
        ({"OwnershipControls": {"Rules": []}}, ["acl_ownership"]),
        ({"OwnershipControls": None}, ["acl_ownership"]),
        ({"OwnershipControls": {"Rules": ["x", {"ObjectOwnership": "ObjectWriter"}]}}, ["acl_ownership"]),
        ({"OwnershipControls": {"Rules": ["x", *CLOSED["OwnershipControls"]["Rules"]]}}, []),
        ({"WebsiteConfiguration": {"IndexDocument": "index.html"}}, ["website_bucket"]),
        ({"WebsiteConfiguration": {}}, []),
        ({"PublicAccessBlockConfiguration": None}, ["public_bucket"]),
        *(({"PublicAccessBlockConfiguration": {**PRIVATE, name: False}}, ["public_bucket"]) for name in PRIVATE),
    ],
)
def test_of_a_bucket(live: dict[str, Any], codes: list[str]) -> None:
    assert [each.code for each in shapes(BUCKET, CLOSED | live, "")] == codes


def test_whose_objects_a_bucket_holds_is_said() -> None:
    def what(*rules: Any) -> str:
        return shapes(BUCKET, CLOSED | {"OwnershipControls": {"Rules": [*rules]}}, "")[0].what

    assert what({"ObjectOwnership": "ObjectWriter"}).endswith("(ObjectWriter)") and what().endswith("(no ownership controls)")
