"""Rules of CloudFront where several things stand side by side, and the words they say."""

from __future__ import annotations

from typing import Any

import pytest

from lint.rules import cdn, distribution
from lint.rules.base import Rule
from templates.view import View
from tests.unit.lint.test_rule_sides import GONE, IMPORTED, S3, behaviour, either, headers, identity, origin, told
from tests.unit.lint.test_rule_sides import distribution as config_of

WITH, WITHOUT = {"OriginAccessControlId": "E1"}, {"OriginAccessControlId": ""}


def origins(*each: dict[str, Any]) -> dict[str, Any]:
    return config_of(Origins=[{"Id": f"o{number}", "DomainName": S3, **more} for number, more in enumerate(each)])


def certified(*aliases: Any, **certificate: Any) -> dict[str, Any]:
    return config_of(Aliases=[*aliases], ViewerCertificate=certificate)


def said(rule: type[Rule], **resources: dict[str, Any]) -> list[str]:
    view = View({"Resources": resources, "Conditions": {"C": {}}, "Parameters": {"P": {"Type": "String"}}}, ("us-east-1",))
    return [words for _, words in rule().check(view)]


# --- which origin is a bucket -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("domain", "is_s3", "website"),
    [
        ("b.s3.amazonaws.com", True, False),
        ("b.s3.eu-west-1.amazonaws.com", True, False),
        ("b.s3-eu-west-1.amazonaws.com", True, False),
        ("b.s3.dualstack.eu-west-1.amazonaws.com", True, False),
        ("b.s3.cn-north-1.amazonaws.com.cn", True, False),
        ("b.with.dots.s3.amazonaws.com", True, False),
        ("s3.amazonaws.com", True, False),
        # A bucket may be called as the endpoint is.
        ("my-s3-website.s3.eu-west-1.amazonaws.com", True, False),
        ({"Fn::Join": ["", [{"Ref": "P"}, ".s3.", {"Ref": "AWS::Region"}, ".amazonaws.com"]]}, True, False),
        ({"Fn::Sub": "${P}.s3.${P}.amazonaws.com"}, True, False),
        ("b.s3-website-eu-west-1.amazonaws.com", False, True),
        ("b.s3-website.eu-central-1.amazonaws.com", False, True),
        ("notes3.amazonaws.com", False, False),
        ("b.s3.amazonaws.com.example.org", False, False),
        ("www.example.org", False, False),
        ("", False, False),
        (IMPORTED, False, False),
        ({"Ref": "P"}, False, False),
        ({"Fn::GetAtt": ["P", "DomainName"]}, False, False),
    ],
)
def test_a_bucket_and_its_website_are_told_apart_by_the_domain(domain: Any, is_s3: bool, website: bool) -> None:
    assert (told(cdn.PrivateOrigin, X=origin(domain)) == ["X.Origins.0.OriginAccessControlId"]) is is_s3
    assert bool(told(distribution.WebsiteOrigin, X=origin(domain, **WITH))) is website


# --- one beside another -------------------------------------------------------------------------------------------

BESIDE: list[tuple[type[Rule], dict[str, Any], list[str]]] = [
    # Judged on behind what is fine, of another kind, or not known.
    (cdn.OacOrigin, origins({"DomainName": "www.example.org"}, WITH), ["X.Origins.1.S3OriginConfig"]),
    (cdn.OacOrigin, origins(WITHOUT, WITH), ["X.Origins.1.S3OriginConfig"]),
    (cdn.OacOrigin, origin(OriginAccessControlId=either(GONE, "E1")), ["X.Origins.0.S3OriginConfig"]),
    (cdn.OacOrigin, origin(OriginAccessControlId=either("E1", ""), S3OriginConfig=either({}, GONE)), []),
    (cdn.OacOrigin, origin(OriginAccessControlId={"Ref": "P"}), ["X.Origins.0.S3OriginConfig"]),
    (cdn.OacAndOai, origin(OriginAccessControlId=either("E1", ""), S3OriginConfig=either(identity(""), identity("a"))), []),
    (
        cdn.OacAndOai,
        origin(OriginAccessControlId=either("", "E1"), S3OriginConfig=either(identity(""), identity("a"))),
        ["X.Origins.0.S3OriginConfig.Fn::If.2.OriginAccessIdentity"],
    ),
    (cdn.PrivateOrigin, origins(WITH, {}), ["X.Origins.1.OriginAccessControlId"]),
    (cdn.PrivateOrigin, origin(OriginAccessControlId={"Ref": "P"}), []),
    # A certificate where, and only where, there are names.
    (cdn.AliasCertificate, config_of(Aliases=either([], ["a"])), ["X.Aliases.Fn::If.2"]),
    (cdn.AliasCertificate, config_of(Aliases=either(GONE, ["a"]), ViewerCertificate=either(GONE, {"AcmCertificateArn": "arn"})), []),
    (
        cdn.AliasCertificate,
        config_of(Aliases=either(GONE, ["a"]), ViewerCertificate=either({"AcmCertificateArn": "arn"}, GONE)),
        ["X.Aliases.Fn::If.2"],
    ),
    (cdn.AliasCertificate, certified("a", AcmCertificateArn=either("arn", GONE), IamCertificateId=either(GONE, "id")), []),
    (cdn.AliasCertificate, certified("a", AcmCertificateArn=either("arn", GONE), IamCertificateId=either("id", GONE)), ["X.Aliases"]),
    (cdn.AliasCertificate, certified("a", AcmCertificateArn={"Ref": "P"}), []),
    (cdn.AliasCertificate, certified("a", AcmCertificateArn=IMPORTED), []),
    # With the default certificate CloudFront uses no other.
    (cdn.AliasCertificate, certified("a", AcmCertificateArn="arn", CloudFrontDefaultCertificate="true"), ["X.Aliases"]),
    (cdn.AliasCertificate, certified("a", AcmCertificateArn="arn", CloudFrontDefaultCertificate=False), []),
    # TLS.
    (cdn.ModernTls, config_of(), ["X.ViewerCertificate"]),
    (cdn.ModernTls, config_of(ViewerCertificate=IMPORTED), []),
    (cdn.ModernTls, config_of(ViewerCertificate={"MinimumProtocolVersion": 1.2}), ["X.ViewerCertificate.MinimumProtocolVersion"]),
    (cdn.ModernTls, config_of(ViewerCertificate={"MinimumProtocolVersion": "TLSv1.3_2025"}), []),
    (cdn.Encrypted, origin("www.example.org", CustomOriginConfig={"OriginProtocolPolicy": IMPORTED}), []),
    (cdn.Encrypted, origin("www.example.org", CustomOriginConfig=IMPORTED), []),
    (cdn.Encrypted, origin("www.example.org"), []),
    (
        cdn.Encrypted,
        config_of(Origins=[{"Id": "s"}, {"CustomOriginConfig": {"OriginProtocolPolicy": "match-viewer", "OriginSSLProtocols": "SSLv3"}}]),
        ["X.Origins.1.CustomOriginConfig.OriginProtocolPolicy", "X.Origins.1.CustomOriginConfig.OriginSSLProtocols"],
    ),
    # HSTS.
    (
        cdn.Hsts,
        behaviour(ResponseHeadersPolicyId=either({"Ref": "H"}, GONE)),
        ["X.DefaultCacheBehavior.ResponseHeadersPolicyId.Fn::If.2"],
    ),
    (cdn.Hsts, behaviour(ResponseHeadersPolicyId={"Ref": "H"}), []),
    (
        cdn.Hsts,
        behaviour(ResponseHeadersPolicyId="5cc3b908-e619-4b99-88e5-2cf7f45965bd"),
        ["X.DefaultCacheBehavior.ResponseHeadersPolicyId"],
    ),
    (cdn.Hsts, behaviour(ResponseHeadersPolicyId=IMPORTED), []),
    (cdn.Hsts, headers(AccessControlMaxAgeSec="31536000", Override="true"), []),
]


@pytest.mark.parametrize(("rule", "resource", "wanted"), BESIDE)
def test_each_case_of_each_condition_is_judged(rule: type[Rule], resource: dict[str, Any], wanted: list[str]) -> None:
    policy = headers(AccessControlMaxAgeSec=31_536_000, Override=True)
    assert told(rule, X=resource, H=policy) == wanted


@pytest.mark.parametrize(
    ("arn", "elsewhere"),
    [
        ("arn:aws:acm:us-east-1:123456789012:certificate/a", False),
        ("arn:aws:acm:us-east-2:123456789012:certificate/a", True),
        ("arn:aws:acm::123456789012:certificate/a", True),
        ({"Fn::Sub": "arn:${AWS::Partition}:acm:us-east-1:${AWS::AccountId}:certificate/a"}, False),
        ({"Fn::Sub": "arn:${AWS::Partition}:acm:eu-west-1:${AWS::AccountId}:certificate/a"}, True),
        ({"Fn::Sub": "arn:aws:acm:${AWS::Region}:${AWS::AccountId}:certificate/a"}, False),
        ({"Fn::Sub": "arn:aws:acm:${P}:${AWS::AccountId}:certificate/a"}, False),
        ("{{resolve:ssm:/site/certificate:1}}", False),
        (IMPORTED, False),
        (GONE, False),
    ],
)
def test_a_certificate_of_another_region_is_one_by_its_arn(arn: Any, elsewhere: bool) -> None:
    found = told(cdn.CertificateRegion, X=certified(AcmCertificateArn=arn))
    assert found == (["X.ViewerCertificate.AcmCertificateArn"] if elsewhere else [])


def test_a_region_that_is_wrong_is_named_and_no_other() -> None:
    certificate = {"X": {"Type": "AWS::CertificateManager::Certificate"}}
    view = View({"Resources": certificate}, ("us-east-1", "eu-west-1", "eu-west-2"))
    [(path, words)] = cdn.CertificateRegion().check(view)
    assert path == ("Resources", "X") and words.endswith("this stack is deployed to eu-west-1, eu-west-2")


@pytest.mark.parametrize(
    ("rule", "resource", "words"),
    [
        (
            cdn.PrivateOrigin,
            {"Type": "AWS::CloudFront::OriginAccessControl", "Properties": {}},
            ["OriginAccessControlOriginType must be s3", "SigningBehavior must be always", "SigningProtocol must be sigv4"],
        ),
        (cdn.Hsts, behaviour(), ["a behaviour without ResponseHeadersPolicyId has no HSTS"]),
        (
            cdn.Hsts,
            behaviour(ResponseHeadersPolicyId="60669652-455b-4ae9-85a4-c4c02393f86c"),
            ["the managed policy SimpleCORS has no HSTS"],
        ),
        (cdn.Hsts, behaviour(ResponseHeadersPolicyId={"Ref": "X"}), ["X is no response headers policy"]),
        (cdn.Hsts, headers(AccessControlMaxAgeSec="300", Override=True), ["HSTS for 300 seconds; at least 15768000 are needed"]),
        (cdn.Hsts, headers(Override=True), ["no StrictTransportSecurity with AccessControlMaxAgeSec"]),
        (
            cdn.ModernTls,
            certified(MinimumProtocolVersion="TLSv1"),
            ["'TLSv1' admits TLS below 1.2; use TLSv1.2_2021 or later"],
        ),
        (cdn.ModernTls, certified(), ["no MinimumProtocolVersion: TLS 1.0 would do; use TLSv1.2_2021 or later"]),
    ],
)
def test_what_is_wrong_and_what_would_be_right_is_said(rule: type[Rule], resource: dict[str, Any], words: list[str]) -> None:
    assert said(rule, X=resource) == words
