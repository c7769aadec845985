"""How a distribution reads a bucket and whom the bucket's policy lets in, statement by statement."""

from __future__ import annotations

from typing import Any

import pytest

from planning.cut_off import CONTROL, PUBLIC, cut_off

NAME, DIST = "site", "E1DIST"
ARN = f"arn:aws:cloudfront::1:distribution/{DIST}"
CONTROLLED = {"DomainName": f"{NAME}.s3.eu-west-1.amazonaws.com", "OriginAccessControlId": "E9"}
IDENTIFIED = {
    "DomainName": f"{NAME}.s3.eu-west-1.amazonaws.com",
    "S3OriginConfig": {"OriginAccessIdentity": "origin-access-identity/cloudfront/EOAI"},
}
OPEN = {"DomainName": f"{NAME}.s3-website-eu-west-1.amazonaws.com"}


def stack(*origins: Any, statements: Any = None, bucket: Any = None, policy_of: Any = NAME, name: Any = NAME) -> dict[str, Any]:
    """A distribution of these origins, a bucket, and its policy if there are statements."""
    found: dict[str, Any] = {
        "Distribution": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": {"Origins": [*origins]}}},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name, **(bucket or {})}},
        "Other": {"Type": "AWS::SNS::Topic", "Properties": {}},
    }
    if statements is not None:
        document = {"Statement": statements}
        found["Policy"] = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": policy_of, "PolicyDocument": document}}
    return found


def cut(before: dict[str, Any], after: dict[str, Any], ids: dict[str, str] | None = None) -> list[str]:
    return [why for why, _ in cut_off(before, after, {"Distribution": DIST} if ids is None else ids)]


def allow(**statement: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **statement}


SERVICE = {"Service": "cloudfront.amazonaws.com"}


@pytest.mark.parametrize(
    ("statements", "let_in"),
    [
        ([allow(Principal=SERVICE)], True),
        (allow(Principal={"Service": ["s3.amazonaws.com", "cloudfront.amazonaws.com"]}), True),
        ([allow(Principal=SERVICE, Condition={"StringEquals": {"AWS:SourceArn": ARN}})], True),
        ([allow(Principal=SERVICE, Condition={"StringEquals": {"AWS:SourceArn": ["arn:aws:cloudfront::1:distribution/E2", ARN]}})], True),
        ([allow(Principal=SERVICE, Condition={"StringLike": {"AWS:SourceArn": "arn:aws:cloudfront::1:distribution/*"}})], True),
        ([allow(Principal=SERVICE, Condition={"StringEquals": {"AWS:SourceArn": "arn:aws:cloudfront::1:distribution/${D}"}})], True),
        ([allow(Principal=SERVICE, Condition={"StringEquals": {"AWS:SourceAccount": "1"}})], True),
        ([allow(Principal=SERVICE, Condition={"StringEquals": {"AWS:SourceArn": "arn:aws:cloudfront::1:distribution/E2"}})], False),
        ([allow(Principal=SERVICE) | {"Effect": "Deny"}], False),
        ([allow(Principal={"AWS": "*"})], False),
        ([allow(Principal="*")], False),
        ([allow(Principal={"Service": "s3.amazonaws.com"})], False),
        ([], False),
        (["nonsense"], False),
        (None, False),
    ],
)
def test_whom_a_policy_lets_in_by_origin_access_control(statements: Any, let_in: bool) -> None:
    found = cut(stack(IDENTIFIED, statements=statements), stack(CONTROLLED))
    assert (found == []) is let_in
    assert all("Origin Access Control" in why and "lets in Origin Access Identity EOAI" in why for why in found)


@pytest.mark.parametrize(
    ("principal", "let_in"),
    [
        ({"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity EOAI"}, True),
        ({"AWS": ["arn:aws:iam::1:root", "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity EOAI"]}, True),
        ({"CanonicalUser": "abc"}, True),
        ({"AWS": "*"}, True),
        ("*", True),
        ({"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity EOTHER"}, False),
        ({"AWS": "arn:aws:iam::1:root"}, False),
        (SERVICE, False),
        (None, False),
    ],
)
def test_whom_a_policy_lets_in_by_identity(principal: Any, let_in: bool) -> None:
    found = cut(stack(CONTROLLED, statements=[allow(Principal=principal)]), stack(IDENTIFIED))
    assert (found == []) is let_in
    assert all("changes to Origin Access Identity EOAI" in why and "lets in Origin Access Control" in why for why in found)


def test_a_distribution_that_is_not_known_yet_is_let_in_by_any_arn() -> None:
    other = [allow(Principal=SERVICE, Condition={"StringEquals": {"AWS:SourceArn": "arn:aws:cloudfront::1:distribution/E2"}})]
    assert cut(stack(IDENTIFIED, statements=other), stack(CONTROLLED), {}) == []


def test_only_the_policy_of_that_bucket_counts() -> None:
    let_in = [allow(Principal=SERVICE)]
    assert cut(stack(IDENTIFIED, statements=let_in, policy_of="other"), stack(CONTROLLED))
    assert cut(stack(IDENTIFIED, statements=let_in, policy_of={"Ref": "Bucket"}), stack(CONTROLLED)) == []
    assert cut(stack(IDENTIFIED, statements=let_in, policy_of={"Ref": "Other"}), stack(CONTROLLED))


def test_a_policy_that_is_no_document_lets_nobody_in() -> None:
    for document in ("text", None, ["a"]):
        before = stack(IDENTIFIED, statements=[])
        before["Policy"]["Properties"]["PolicyDocument"] = document
        assert cut(before, stack(CONTROLLED))


def test_which_origins_lead_to_the_bucket() -> None:
    by_attribute = {"DomainName": {"Fn::GetAtt": ["Bucket", "RegionalDomainName"]}, "OriginAccessControlId": "E9"}
    assert cut(stack(IDENTIFIED), stack(by_attribute))
    assert cut(stack(IDENTIFIED), stack({**by_attribute, "DomainName": {"Fn::GetAtt": ["Other", "Name"]}})) == []
    elsewhere = {**CONTROLLED, "DomainName": "another.s3.amazonaws.com"}
    assert cut(stack(IDENTIFIED), stack(IDENTIFIED, elsewhere)) == []
    assert cut(stack({**IDENTIFIED, "DomainName": "x.s3.amazonaws.com"}, name=""), stack(CONTROLLED, name="")) == [], "a name nobody knows"
    assert cut(stack("nonsense", {"DomainName": None}), stack("nonsense", CONTROLLED)), "lets in nobody"
    assert "(it lets in nobody)" in cut(stack("nonsense"), stack(CONTROLLED))[0]


def test_what_is_new_or_of_another_kind_cuts_nobody_off() -> None:
    before, after = stack(IDENTIFIED), stack(CONTROLLED)
    for title in ("Distribution", "Bucket"):
        assert cut({name: body for name, body in before.items() if name != title}, after) == []
    no_config = {**before, "Distribution": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": "x"}}}
    assert "lets in nobody" in cut(no_config, after)[0]
    assert cut(after, no_config) == [] == cut(before, before)


def test_the_edit_that_is_told_keeps_the_way_that_it_had() -> None:
    ((_, by_identity),) = cut_off(stack(IDENTIFIED), stack(CONTROLLED), {})
    assert by_identity == "adopt: {origin_access_identity: EOAI}"
    ((_, by_website),) = cut_off(stack(OPEN), stack(CONTROLLED), {})
    assert by_website == "adopt: {website_endpoint: {index_document: index.html}}"


@pytest.mark.parametrize(
    ("before", "after", "closes"),
    [
        ({}, {}, False),
        ({}, {"PublicAccessBlockConfiguration": {"IgnorePublicAcls": True}}, True),
        ({}, {"PublicAccessBlockConfiguration": {"RestrictPublicBuckets": "true"}}, True),
        ({}, {"PublicAccessBlockConfiguration": {"RestrictPublicBuckets": False}}, False),
        ({}, {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "BlockPublicPolicy": True}}, False),
        ({}, {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}, True),
        ({}, {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}, "nonsense"]}}, False),
        ({}, {"OwnershipControls": None, "PublicAccessBlockConfiguration": None}, False),
        (
            {"PublicAccessBlockConfiguration": {"IgnorePublicAcls": True}},
            {"PublicAccessBlockConfiguration": {"IgnorePublicAcls": True}},
            False,
        ),
        (
            {"PublicAccessBlockConfiguration": {"IgnorePublicAcls": True}},
            {"PublicAccessBlockConfiguration": {"IgnorePublicAcls": True, "RestrictPublicBuckets": True}},
            True,
        ),
    ],
)
def test_when_a_public_bucket_is_closed(before: dict[str, Any], after: dict[str, Any], closes: bool) -> None:
    let_in = [allow(Principal=SERVICE)]
    found = cut(stack(OPEN, bucket=before, statements=let_in), stack(CONTROLLED, bucket=after))
    assert any("closed to the public first" in why for why in found) is closes and len(found) == closes
    still = cut(stack(OPEN, bucket=before, statements=let_in), stack(OPEN, CONTROLLED, bucket=after))
    assert still == [], "who reads it publicly still has not been changed by this plan"


def test_the_public_way_needs_no_policy() -> None:
    assert cut(stack(CONTROLLED), stack(OPEN)) == [] and {CONTROL, PUBLIC} == {"Origin Access Control", "the public bucket"}
