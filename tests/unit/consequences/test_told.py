"""What edits mean: who notices, what is defended less, how long it takes, what it costs."""

from __future__ import annotations

from typing import Any

import pytest

from changes.model import ResourceChange
from consequences.duration import Work, expected
from consequences.posture import loosened
from tests.edits import RECOVERY, STANDBY
from tests.unit.consequences.edited import file_of, meaning

EDITS: tuple[tuple[dict[str, Any], set[str], set[str]], ...] = (
    ({"basic_auth__enabled": False}, {"authentication_off"}, {"authentication_off"}),
    ({"price_class": "PriceClass_200"}, {"edge_locations_changed"}, set()),
    ({"security_headers__allow_indexing": True}, {"headers_changed"}, {"indexing_on"}),
    ({"security_headers__content_security_policy": {"connect-src": ["https://a.example"]}}, {"headers_changed"}, {"csp_loosened"}),
    ({"security_headers__hsts": {"max_age_seconds": 31_536_000}}, {"headers_changed"}, {"hsts_shortened"}),
    ({"security_headers__hsts": {"include_subdomains": False}}, {"headers_changed"}, {"hsts_shortened"}),
    ({"security_headers__frame_options": "SAMEORIGIN"}, {"headers_changed"}, {"header_weakened"}),
    ({"security_headers__referrer_policy": "no-referrer"}, {"headers_changed"}, set()),
    ({"security_headers__permissions_policy": "camera=()"}, {"headers_changed"}, {"header_weakened"}),
    ({"headers": {"Cross-Origin-Opener-Policy": "same-origin"}}, {"headers_changed"}, set()),
    ({"bucket": "{bucket}-two"}, {"content_emptied"}, set()),
    ({"domain": "dev2.kimmyai.io"}, {"name_removed", "name_added", "dns_removed", "dns_added"}, set()),
    ({"failover": STANDBY}, {"dns_removed", "dns_changed"}, set()),
    ({"disaster_recovery": RECOVERY}, {"origin_group_changed"}, set()),
    ({"firewall": {}}, {"distribution_changed"}, set()),
    ({"basic_auth__log_level": "DEBUG"}, set(), set()),
    ({"protection__approvals": 2}, set(), set()),
    ({"monitoring__error_rate_4xx_percent": 40.0}, set(), set()),
    ({"monitoring__access_log_retention_days": 30}, set(), {"retention_shortened"}),
    ({"monitoring__access_log_retention_days": 400}, set(), set()),
    ({"basic_auth__log_retention_days": 7}, set(), {"retention_shortened"}),
    ({"artifacts__retention_days": 30}, set(), {"retention_shortened"}),
    ({"artifacts__retention_days": 3650}, set(), set()),
    ({"publishing__hashed_paths": ["assets/*", "static/*"]}, {"distribution_changed"}, set()),
    ({"tags": {"Team": "web"}}, set(), set()),
    ({"adopt": {"let_go": True}}, set(), set()),
)


@pytest.mark.parametrize(("edit", "visitors", "posture"), EDITS, ids=lambda value: ",".join(value) if isinstance(value, dict) else "")
def test_an_edit_says_who_notices_and_what_is_defended_less(edit: dict[str, Any], visitors: set[str], posture: set[str]) -> None:
    found = meaning(file_of(), file_of(**edit))
    assert {effect.kind for effect in found.visitors} == visitors
    assert {change.kind for change in found.posture} == posture


@pytest.mark.parametrize("edit", [edit for edit, _, posture in EDITS if posture], ids=",".join)
def test_taken_back_it_is_defended_as_before(edit: dict[str, Any]) -> None:
    assert meaning(file_of(**edit), file_of()).posture == ()


def test_the_first_deployment_opens_the_site_and_weakens_nothing() -> None:
    found = meaning(None, file_of())
    assert [effect.kind for effect in found.visitors] == ["site_appears", "dns_added", "dns_added", "dns_added"]
    assert found.posture == ()
    assert found.cost is not None and found.cost.before == 0.0 < found.cost.after


def test_a_wider_price_class_and_a_dropped_password_change_the_price() -> None:
    wider = meaning(file_of(), file_of(price_class="PriceClass_200")).cost
    open_to_all = meaning(file_of(), file_of(basic_auth__enabled=False)).cost
    assert wider is not None and wider.difference > 0
    assert open_to_all is not None and open_to_all.difference < 0


# --- resources by themselves --------------------------------------------------------------------------------------


def body(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def distribution(**config: Any) -> dict[str, Any]:
    default = {"ViewerProtocolPolicy": "redirect-to-https", "ResponseHeadersPolicyId": "p"}
    return body("AWS::CloudFront::Distribution", DistributionConfig={"DefaultCacheBehavior": default, **config})


def headers(**sections: Any) -> dict[str, Any]:
    return body("AWS::CloudFront::ResponseHeadersPolicy", ResponseHeadersPolicyConfig={"SecurityHeadersConfig": sections})


def referrer(policy: str) -> dict[str, Any]:
    return headers(ReferrerPolicy={"ReferrerPolicy": policy, "Override": True})


def csp(text: str) -> dict[str, Any]:
    return headers(ContentSecurityPolicy={"ContentSecurityPolicy": text, "Override": True})


def tls(version: str) -> dict[str, Any]:
    return distribution(ViewerCertificate={"MinimumProtocolVersion": version})


def rules(days: int) -> dict[str, Any]:
    found = [{"Status": "Enabled", "ExpirationInDays": days}]
    return body("AWS::S3::Bucket", LifecycleConfiguration={"Rules": found})


def acl(*found: dict[str, Any]) -> dict[str, Any]:
    return body("AWS::WAFv2::WebACL", Rules=list(found))


BUCKET, TABLE = "AWS::S3::Bucket", "AWS::DynamoDB::Table"
KMS = {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}
GUARDED = {"EventType": "viewer-request", "LambdaFunctionARN": "arn"}
OPEN_BEHAVIOUR = {"PathPattern": "open/*", "ViewerProtocolPolicy": "redirect-to-https", "ResponseHeadersPolicyId": "p"}
GUARDED_DEFAULT = {"ViewerProtocolPolicy": "https-only", "LambdaFunctionAssociations": [GUARDED], "ResponseHeadersPolicyId": "p"}

LOOSER: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("tls_lowered", tls("TLSv1.2_2021"), tls("TLSv1.2_2018")),
    ("tls_lowered", tls("TLSv1.2_2021"), distribution(ViewerCertificate={"CloudFrontDefaultCertificate": True})),
    ("plaintext_allowed", distribution(), distribution(DefaultCacheBehavior={**OPEN_BEHAVIOUR, "ViewerProtocolPolicy": "allow-all"})),
    ("header_removed", distribution(), distribution(DefaultCacheBehavior={"ViewerProtocolPolicy": "redirect-to-https"})),
    (
        "authentication_off",
        distribution(DefaultCacheBehavior=GUARDED_DEFAULT),
        distribution(DefaultCacheBehavior=GUARDED_DEFAULT, CacheBehaviors=[OPEN_BEHAVIOUR]),
    ),
    ("protection_lifted", distribution(WebACLId="arn"), distribution()),
    ("logging_off", distribution(Logging={"Bucket": "b"}), distribution()),
    (
        "protection_lifted",
        distribution(Origins=[{"Id": "site", "OriginAccessControlId": "x"}]),
        distribution(Origins=[{"Id": "site", "OriginAccessControlId": ""}]),
    ),
    ("header_removed", headers(ContentTypeOptions={"Override": True}), headers()),
    ("header_weakened", headers(ContentTypeOptions={"Override": True}), headers(ContentTypeOptions={"Override": False})),
    (
        "header_weakened",
        headers(ReferrerPolicy={"ReferrerPolicy": "no-referrer"}),
        headers(ReferrerPolicy={"ReferrerPolicy": "unsafe-url"}),
    ),
    ("csp_loosened", csp("default-src 'self'"), csp("default-src 'self'; script-src *")),
    ("csp_loosened", csp("default-src 'self'; object-src 'none'"), csp("default-src 'self'")),
    ("csp_loosened", csp("default-src 'self'; base-uri 'none'"), csp("default-src 'self'")),
    ("csp_loosened", csp("frame-ancestors 'none'"), csp("")),
    ("encryption_weakened", body(BUCKET, BucketEncryption=KMS), body(BUCKET)),
    ("protection_lifted", body(BUCKET, VersioningConfiguration={"Status": "Enabled"}), body(BUCKET)),
    ("replication_off", body(BUCKET, ReplicationConfiguration={"Role": "r"}), body(BUCKET)),
    ("retention_shortened", rules(90), rules(30)),
    ("retention_shortened", body(BUCKET), rules(30)),
    ("public_access", body(BUCKET), body(BUCKET, AccessControl="PublicRead")),
    ("public_access", body("AWS::Lambda::Url", AuthType="AWS_IAM"), body("AWS::Lambda::Url", AuthType="NONE")),
    ("protection_lifted", body(TABLE, DeletionProtectionEnabled=True), body(TABLE, DeletionProtectionEnabled=False)),
    ("protection_lifted", body(TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": "true"}), body(TABLE)),
    ("protection_lifted", {**body(TABLE), "DeletionPolicy": "Retain"}, body(TABLE)),
    ("retention_shortened", body("AWS::Logs::LogGroup"), body("AWS::Logs::LogGroup", RetentionInDays=30)),
    ("protection_lifted", acl({"Name": "rate", "Action": {"Block": {}}}), acl({"Name": "rate", "Action": {"Count": {}}})),
    ("protection_lifted", acl({"Name": "rate", "Action": {"Block": {}}}), acl()),
    ("encryption_weakened", body("AWS::SNS::Topic", KmsMasterKeyId="alias/aws/sns"), body("AWS::SNS::Topic")),
)


@pytest.mark.parametrize(("kind", "strict", "loose"), LOOSER)
def test_less_defence_is_told_and_more_is_not(kind: str, strict: dict[str, Any], loose: dict[str, Any]) -> None:
    assert kind in {change.kind for change in loosened("site", {"It": strict}, {"It": loose})}
    assert kind not in {change.kind for change in loosened("site", {"It": loose}, {"It": strict})}
    assert loosened("site", {"It": strict}, {"It": strict}) == ()
    assert loosened("site", {}, {"It": loose}) == ()


def test_a_renamed_headers_policy_is_compared_with_the_one_that_went() -> None:
    assert [c.subject for c in loosened("site", {"Old": csp("default-src 'none'")}, {"New": csp("default-src *")})] == ["default-src"]


# --- how long -----------------------------------------------------------------------------------------------------


def test_the_longest_chain_counts_and_what_was_measured_wins() -> None:
    site = ResourceChange(logical_id="D", resource_type="AWS::CloudFront::Distribution", action="modify")
    work = (
        Work(stack="foundation", operation="none", depends_on=()),
        Work(stack="certificate", operation="update", depends_on=("foundation",)),
        Work(stack="site", operation="update", depends_on=("certificate",), changes=(site,)),
        Work(stack="dns", operation="none", depends_on=("site",)),
        Work(stack="monitoring", operation="update", depends_on=("dns",)),
    )
    documented = expected(work, {})
    assert [each.stack for each in documented.stacks] == ["certificate", "site", "monitoring"]
    assert documented.source == "documented" and documented.seconds > 300
    measured = expected(work, {("site", "update"): 12.5, ("certificate", "update"): 2.0, ("monitoring", "update"): 1.0})
    assert (measured.seconds, measured.source) == (15.5, "history")
    assert expected(work, {("site", "update"): 12.5}).source == "mixed"
    assert expected((), {}).seconds == 0.0
    removed = (*work, Work(stack="edge", operation="remove", depends_on=tuple(each.stack for each in work)))
    assert expected(removed, {}).seconds == documented.seconds + 120
    assert expected(removed, {("edge", "remove"): 7.0}).seconds == documented.seconds + 7
