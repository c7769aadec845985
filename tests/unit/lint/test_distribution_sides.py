"""Rules of distributions and web ACLs over one or two resources: the smallest thing that each refuses, and the nearest that it takes."""

from __future__ import annotations

from typing import Any

import pytest

from lint.rules import api, cdn
from lint.rules import distribution as rules
from lint.rules.base import Rule
from tests.unit.lint.test_rule_sides import ANY, GONE, IMPORTED, behaviour, control, distribution, either, origin, said, told

GET, OPTIONS = ["GET", "HEAD"], ["GET", "HEAD", "OPTIONS"]
ALL = [*OPTIONS, "PUT", "PATCH", "POST", "DELETE"]
ENDPOINT = "b.s3-website-eu-west-1.amazonaws.com"
ARN = "arn:aws:cloudfront::123456789012:distribution/E1"


def patterns(*texts: Any) -> dict[str, Any]:
    return distribution(CacheBehaviors=[{"PathPattern": text} for text in texts])


def groups(*ids: Any, members: tuple[Any, ...] = (), target: Any = "a", **more: Any) -> dict[str, Any]:
    """Origins a and b, groups of these ids, a behaviour that asks `target`."""
    named = [{"Id": each, "Members": {"Items": [{"OriginId": member} for member in members]}} for each in ids]
    asking = {"TargetOriginId": target, **more}
    return distribution(Origins=[{"Id": "a"}, {"Id": "b"}], OriginGroups={"Items": named}, DefaultCacheBehavior=asking)


def topic(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SNS::Topic", "Properties": properties}


def acl(scope: str = "CLOUDFRONT", kind: str = "WebACL") -> dict[str, Any]:
    return {"Type": f"AWS::WAFv2::{kind}", "Properties": {"Scope": scope}}


def addresses(version: Any, *texts: Any) -> dict[str, Any]:
    return {"Type": "AWS::WAFv2::IPSet", "Properties": {"IPAddressVersion": version, "Addresses": [*texts]}}


def association(arn: Any) -> dict[str, Any]:
    return {"Type": "AWS::WAFv2::WebACLAssociation", "Properties": {"ResourceArn": arn}}


def certified(*aliases: Any, domain: Any = "a.example", others: tuple[Any, ...] = ()) -> dict[str, dict[str, Any]]:
    names = {"DomainName": domain, "SubjectAlternativeNames": [*others]}
    used = distribution(Aliases=[*aliases], ViewerCertificate={"AcmCertificateArn": {"Ref": "C"}})
    return {"X": used, "C": {"Type": "AWS::CertificateManager::Certificate", "Properties": names}}


def controlled(kind: Any = "s3", **more: Any) -> dict[str, dict[str, Any]]:
    reference = {"Fn::GetAtt": ["C", "Id"]}
    return {"X": origin(OriginAccessControlId=reference, **more), "C": control(OriginAccessControlOriginType=kind)}


TARGET, MEMBER = "X.DefaultCacheBehavior.TargetOriginId", "X.OriginGroups.Items.0.Members.Items.0.OriginId"
ALLOWED, CACHED = "X.DefaultCacheBehavior.AllowedMethods", "X.DefaultCacheBehavior.CachedMethods"
CONTROL, CONFIG = "X.Origins.0.OriginAccessControlId", "X.Origins.0.S3OriginConfig"
CASES: list[tuple[type[Rule], dict[str, dict[str, Any]], list[str]]] = [
    (rules.PathOnce, {"X": patterns("/a", "b", "a")}, ["X.CacheBehaviors.2.PathPattern"]),
    (rules.PathOnce, {"X": patterns("a", IMPORTED, "b")}, []),
    (rules.PathOnce, {"X": patterns(either("a", "b"))}, []),
    (rules.PathOnce, {"X": patterns(either("a", "b"), either("b", "a"))}, []),
    (rules.PathOnce, {"X": patterns("b", either(IMPORTED, "b"))}, ["X.CacheBehaviors.1.PathPattern"]),
    (rules.PathOnce, {"X": patterns(ANY)}, []),
    (rules.Methods, {"X": behaviour(AllowedMethods=GET, CachedMethods=GET)}, []),
    (rules.Methods, {"X": behaviour(AllowedMethods=ALL, CachedMethods=OPTIONS)}, []),
    (rules.Methods, {"X": behaviour(AllowedMethods=["GET"])}, [ALLOWED]),
    (rules.Methods, {"X": behaviour(AllowedMethods=[])}, [ALLOWED]),
    (rules.Methods, {"X": behaviour(AllowedMethods=IMPORTED, CachedMethods=OPTIONS)}, []),
    (rules.Methods, {"X": behaviour(AllowedMethods=["GET", IMPORTED])}, []),
    (rules.Methods, {"X": behaviour(AllowedMethods=either(IMPORTED, ["GET"]))}, [ALLOWED]),
    (rules.Methods, {"X": behaviour(AllowedMethods=ALL, CachedMethods=ALL)}, [CACHED]),
    (rules.Methods, {"X": behaviour(AllowedMethods=GET, CachedMethods=OPTIONS)}, [CACHED]),
    (rules.Methods, {"X": behaviour(CachedMethods=OPTIONS)}, [CACHED]),
    (rules.RootObject, {"X": distribution(DefaultRootObject="/index.html")}, ["X.DefaultRootObject"]),
    (rules.RootObject, {"X": distribution(DefaultRootObject="index.html")}, []),
    (rules.RootObject, {"X": distribution(DefaultRootObject=IMPORTED)}, []),
    (rules.WebsiteOrigin, {"X": origin(ENDPOINT, OriginAccessControlId="E1")}, [CONTROL]),
    (rules.WebsiteOrigin, {"X": origin(ENDPOINT, OriginAccessControlId=IMPORTED)}, [CONTROL]),
    (rules.WebsiteOrigin, {"X": origin(ENDPOINT, OriginAccessControlId="")}, []),
    (rules.WebsiteOrigin, {"X": origin(ENDPOINT, OriginAccessControlId=GONE)}, []),
    (rules.WebsiteOrigin, {"X": origin(ENDPOINT, S3OriginConfig={})}, [CONFIG]),
    (rules.WebsiteOrigin, {"X": origin(IMPORTED, S3OriginConfig={})}, []),
    (rules.WebsiteOrigin, {"W": origin(), "X": origin(ENDPOINT, S3OriginConfig={})}, [CONFIG]),
    (rules.WebsiteOrigin, {"X": origin(OriginAccessControlId="E1", S3OriginConfig={})}, []),
    (rules.Targets, {"X": groups(target="c")}, [TARGET]),
    (rules.Targets, {"X": groups(target="${P}")}, []),
    (rules.Targets, {"X": groups(target=IMPORTED)}, []),
    (rules.Targets, {"X": groups("g", members=("a", "b"), target="g")}, []),
    (rules.Targets, {"X": groups("g", members=("c",))}, [MEMBER]),
    (rules.Targets, {"X": groups("g", members=("g",))}, [MEMBER]),
    (rules.Targets, {"X": groups("a")}, ["X.OriginGroups.Items.0.Id"]),
    (rules.Targets, {"X": groups(IMPORTED, target="c")}, []),
    (rules.Targets, {"X": groups(IMPORTED, target=IMPORTED, AllowedMethods=ALL)}, []),
    (rules.Targets, {"X": distribution(Origins=[{"Id": IMPORTED}], OriginGroups={"Items": [{"Id": IMPORTED}]})}, []),
    (rules.Targets, {"X": distribution(Origins=[{"Id": either("a", "b")}], OriginGroups={"Items": [{"Id": either("b", "a")}]})}, []),
    (rules.Targets, {"X": groups(), "Y": distribution(Origins=[{"Id": "c"}], DefaultCacheBehavior={"TargetOriginId": "c"})}, []),
    (rules.Targets, {"X": groups("${P}", target="c")}, []),
    (rules.Targets, {"X": groups("g", target="g", AllowedMethods=OPTIONS)}, []),
    (rules.Targets, {"X": groups("g", target="g", AllowedMethods=ALL)}, [f"{ALLOWED}.3"]),
    (rules.Targets, {"X": groups("g", AllowedMethods=ALL)}, []),
    (rules.AccessControlFits, controlled(S3OriginConfig={}), []),
    (rules.AccessControlFits, controlled(CustomOriginConfig={}), [CONTROL]),
    (rules.AccessControlFits, controlled("lambda", CustomOriginConfig={}), []),
    (rules.AccessControlFits, controlled("lambda", S3OriginConfig={}), [CONTROL]),
    (rules.AccessControlFits, {"X": origin(OriginAccessControlId="E1", CustomOriginConfig={})}, []),
    (rules.AccessControlFits, controlled(IMPORTED, S3OriginConfig={}), []),
    (
        rules.AccessControlFits,
        {"X": origin(OriginAccessControlId=either("E1", {"Ref": "C"}), CustomOriginConfig={}), "C": control()},
        [CONTROL],
    ),
    (rules.WebAclScope, {"X": distribution(WebACLId={"Fn::GetAtt": ["W", "Arn"]}), "W": acl("REGIONAL")}, ["X.WebACLId"]),
    (rules.WebAclScope, {"X": distribution(WebACLId={"Fn::GetAtt": ["W", "Arn"]}), "W": acl()}, []),
    (rules.WebAclScope, {"X": distribution(WebACLId={"Fn::GetAtt": ["W", "Arn"]}), "W": acl("REGIONAL", "IPSet")}, []),
    (rules.WebAclScope, {"X": distribution(WebACLId=ARN)}, []),
    (rules.WebAclScope, {"X": association(ARN)}, ["X.ResourceArn"]),
    (rules.WebAclScope, {"X": association("arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/x")}, []),
    (rules.WebAclScope, {"X": association(IMPORTED)}, []),
    (rules.Covered, certified("A.example"), []),
    (rules.Covered, certified("b.example", "a.example"), ["X.Aliases.0"]),
    (rules.Covered, certified("b.example", others=("*.Example",)), []),
    (rules.Covered, certified("c.b.example", others=("*.example",)), ["X.Aliases.0"]),
    (rules.Covered, certified("b.example", others=("${P}",)), []),
    (rules.Covered, certified("b.example", domain=IMPORTED), []),
    (rules.Covered, certified("${P}"), []),
    (rules.Covered, certified(IMPORTED), []),
    (rules.Covered, certified(either("b.example", "a.example"), domain=either("a.example", "b.example")), ["X.Aliases.0"] * 2),
    (rules.Covered, {"X": distribution(Aliases=["b"], ViewerCertificate={"AcmCertificateArn": {"Ref": "P"}})}, []),
    (
        rules.Covered,
        {"X": distribution(Aliases=["b"], ViewerCertificate={"AcmCertificateArn": {"Ref": "T"}}), "T": topic(DomainName="c")},
        [],
    ),
    (
        rules.Covered,
        {**certified(), "X": distribution(Aliases=["b"], ViewerCertificate={"AcmCertificateArn": either("arn", {"Ref": "C"})})},
        ["X.Aliases.0"],
    ),
    (rules.Covered, {"X": distribution(Aliases=["b"], ViewerCertificate={"AcmCertificateArn": "arn"})}, []),
    (rules.Addresses, {"X": addresses("IPV4", "192.0.2.0/24", "192.0.2.1/24", "2001:db8::/32", "x")}, ["X.Addresses.2", "X.Addresses.3"]),
    (rules.Addresses, {"X": addresses("IPV6", "2001:db8::/32", "192.0.2.0/24")}, ["X.Addresses.1"]),
    (rules.Addresses, {"X": addresses("IPV4", "${P}/24", IMPORTED)}, []),
    (rules.Addresses, {"X": addresses(IMPORTED, "2001:db8::/32")}, []),
]


@pytest.mark.parametrize(("rule", "resources", "paths"), CASES)
def test_what_is_refused_of_a_distribution_and_what_is_not(rule: type[Rule], resources: dict[str, Any], paths: list[str]) -> None:
    assert [path.split(".Fn::If")[0] for path in told(rule, **resources)] == paths


@pytest.mark.parametrize(
    ("rule", "resources", "text"),
    [
        (
            rules.Methods,
            {"X": behaviour(AllowedMethods=["PUT", "GET"])},
            "GET, PUT; CloudFront offers GET, HEAD; or GET, HEAD, OPTIONS; or ",
        ),
        (rules.Methods, {"X": behaviour(AllowedMethods=[])}, "no method; CloudFront offers GET, HEAD; or "),
        (rules.Addresses, {"X": addresses("IPV4", "2001:db8::/32")}, "2001:db8::/32 is IPV6 in a set of IPV4"),
        (rules.Addresses, {"X": addresses("IPV4", "x")}, "x is no network in a set of IPV4"),
        (rules.WebAclScope, {"X": distribution(WebACLId={"Ref": "W"}), "W": acl("REGIONAL")}, "W has the scope REGIONAL; "),
        (rules.Covered, certified("b.example"), "b.example is no name of the certificate C"),
        (rules.Targets, {"X": groups("g", target="c")}, "c is none of a, b, g"),
    ],
)
def test_what_is_wrong_with_a_distribution_is_told_by_its_names(rule: type[Rule], resources: dict[str, Any], text: str) -> None:
    assert [told.startswith(text) for _, told in said(rule, **resources)] == [True]


@pytest.mark.parametrize("kind", ["WebACL", "IPSet", "RegexPatternSet", "RuleGroup"])
def test_what_has_the_scope_of_cloudfront_is_made_in_one_region(kind: str) -> None:
    assert told(rules.WebAclScope, X=acl(kind=kind)) == [] == told(rules.WebAclScope, "eu-west-1", X=acl("REGIONAL", kind))
    assert told(rules.WebAclScope, "us-east-1", "eu-west-1", X=acl(kind=kind)) == ["X.Scope"]


def test_of_an_alternative_what_is_known_is_judged_whatever_stands_before_it() -> None:
    for value in (either(IMPORTED, "x" * 200), either("x" * 200, IMPORTED), either("short", "x" * 200)):
        assert [path.split(".Fn::If")[0] for path in told(api.TakenByTheApi, X=distribution(Comment=value))] == ["X.Comment"]
    one = origin(OriginAccessControlId=either(GONE, "E1"))
    assert told(cdn.OacOrigin, X=one) == ["X.Origins.0.S3OriginConfig"]
