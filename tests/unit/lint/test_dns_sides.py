"""Rules of records over one or two of them: the smallest thing that each refuses beside the nearest that it takes."""

from __future__ import annotations

from typing import Any

import pytest

from lint.rules import dns, records
from lint.rules.base import Rule
from templates.record_sets import CLOUDFRONT_ZONE
from templates.view import View
from tests.unit.lint.test_rule_sides import ANY, GONE, IMPORTED, either, said, told

VALUES, TTL = {"ResourceRecords": ["x"]}, {"TTL": "60"}
ELSEWHERE = {"AliasTarget": {"HostedZoneId": "Z35SXDOTRQ7X7K", "DNSName": "lb.eu-west-1.elb.amazonaws.com"}}
EDGE = {"AliasTarget": {"HostedZoneId": CLOUDFRONT_ZONE, "DNSName": "d1.cloudfront.net"}}
DISTRIBUTION = {"Type": "AWS::CloudFront::Distribution"}


def record(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::Route53::RecordSet", "Properties": {"Name": "a.example", "Type": "A", **properties}}


def to(name: Any, **more: Any) -> dict[str, Any]:
    return {"AliasTarget": {"HostedZoneId": "Z1", "DNSName": name, **more}}


def side(word: str, **more: Any) -> dict[str, Any]:
    return record(Failover=word, **{**EDGE, **more})


def looked_after(name: Any, asked: Any) -> dict[str, dict[str, Any]]:
    config = {"HealthCheckConfig": {"FullyQualifiedDomainName": asked}}
    return {"X": record(Name=name, HealthCheckId={"Ref": "Y"}), "Y": {"Type": "AWS::Route53::HealthCheck", "Properties": config}}


def group(*items: Any, **properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::Route53::RecordSetGroup", "Properties": {"RecordSets": [*items], **properties}}


def named(name: Any, kind: Any = "A", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, **more}


MAIL = {"Type": "TXT"}
ZONE, HEALTH = "X.AliasTarget.HostedZoneId", "X.AliasTarget.EvaluateTargetHealth"
CASES: list[tuple[type[Rule], dict[str, dict[str, Any]], list[str]]] = [
    (dns.NoTargetHealth, {"X": record(**to("D1.cloudfront.NET.", EvaluateTargetHealth=True))}, [HEALTH]),
    (dns.NoTargetHealth, {"X": record(**to("d1.cloudfront.net", EvaluateTargetHealth="TRUE"))}, [HEALTH]),
    (dns.NoTargetHealth, {"X": record(**to("d1.cloudfront.net", EvaluateTargetHealth=False))}, []),
    (dns.NoTargetHealth, {"X": record(**to("cloudfront.net.example", EvaluateTargetHealth=True))}, []),
    (dns.NoTargetHealth, {"X": record(**to({"Fn::GetAtt": ["D", "DomainName"]}, EvaluateTargetHealth=True)), "D": DISTRIBUTION}, [HEALTH]),
    (dns.NoTargetHealth, {"X": record(**to({"Fn::GetAtt": ["D", "X"]}, EvaluateTargetHealth=True)), "D": {"Type": "AWS::SNS::Topic"}}, []),
    (dns.NoTargetHealth, {"X": record(**to(IMPORTED, HostedZoneId=CLOUDFRONT_ZONE, EvaluateTargetHealth=True))}, [HEALTH]),
    (dns.RecordType, {"X": record(Type="B")}, ["X.Type"]),
    (dns.RecordType, {"X": group("x", IMPORTED)}, []),
    (dns.RecordType, {"X": record(Type=GONE)}, ["X.Type"]),
    (dns.RecordType, {"X": record(Type=IMPORTED)}, []),
    (dns.RecordType, {"X": record(Type="HTTPS")}, []),
    (dns.AliasOrValue, {"X": record(**VALUES, **TTL)}, []),
    (dns.AliasOrValue, {"X": record(**ELSEWHERE)}, []),
    (dns.AliasOrValue, {"X": record(**ELSEWHERE, ResourceRecords=[])}, []),
    (dns.AliasOrValue, {"X": record(**ELSEWHERE, **VALUES)}, ["X.ResourceRecords"]),
    (dns.AliasOrValue, {"X": record(**ELSEWHERE, **TTL)}, ["X.TTL"]),
    (dns.AliasOrValue, {"X": record(**VALUES)}, ["X.TTL"]),
    (dns.AliasOrValue, {"X": record(**VALUES, TTL=IMPORTED)}, []),
    (dns.AliasOrValue, {"X": record()}, ["X"]),
    (dns.AliasOrValue, {"X": record(ResourceRecords=[], **TTL)}, ["X"]),
    (
        dns.AliasOrValue,
        {"X": record(AliasTarget=either(ELSEWHERE["AliasTarget"], GONE), ResourceRecords=either(GONE, ["x"]), TTL="1")},
        ["X.TTL"],
    ),
    (
        dns.AliasOrValue,
        {"X": record(AliasTarget=either(ELSEWHERE["AliasTarget"], GONE), ResourceRecords=either(GONE, ["x"]), TTL=either(GONE, "1"))},
        [],
    ),
    (dns.ZoneId, {"X": record(HostedZoneId="/hostedzone/Z1")}, ["X.HostedZoneId"]),
    (dns.ZoneId, {"X": record(HostedZoneId=1)}, ["X.HostedZoneId"]),
    (dns.ZoneId, {"X": record(HostedZoneId="")}, ["X.HostedZoneId"]),
    (dns.ZoneId, {"X": record(HostedZoneId="Z1ABC")}, []),
    (dns.ZoneId, {"X": record(HostedZoneId="${P}")}, []),
    (dns.ZoneId, {"X": record(HostedZoneId=IMPORTED)}, []),
    (dns.ZoneId, {"X": record(AliasTarget={"HostedZoneId": "z1"})}, [ZONE]),
    (dns.CloudFrontAlias, {"X": record(**EDGE)}, []),
    (dns.CloudFrontAlias, {"X": record(**to("d1.cloudfront.net"))}, [ZONE]),
    (dns.CloudFrontAlias, {"X": record(**to("d1.cloudfront.net", HostedZoneId="${P}"))}, []),
    (dns.CloudFrontAlias, {"X": record(**to("d1.cloudfront.net", HostedZoneId=IMPORTED))}, []),
    (dns.CloudFrontAlias, {"X": record(**ELSEWHERE, Type="CNAME")}, []),
    (dns.CloudFrontAlias, {"X": record(**EDGE, Type="CNAME")}, ["X.Type"]),
    (dns.CloudFrontAlias, {"X": record(**EDGE, Type="HTTPS")}, []),
    (dns.CloudFrontAlias, {"X": record(**EDGE, Type="NONE")}, []),
    (dns.Failover, {"X": side("PRIMARY"), "Y": side("SECONDARY")}, ["Y.Failover"]),
    (dns.Failover, {"W": record(**ELSEWHERE), "X": side("PRIMARY"), "Y": side("SECONDARY")}, ["Y.Failover"]),
    (dns.Failover, {"X": side("PRIMARY"), "Y": side("SECONDARY", **ELSEWHERE)}, []),
    (dns.Failover, {"X": side("PRIMARY"), "Y": side("SECONDARY", Name="b.example")}, []),
    (dns.Failover, {"X": side("PRIMARY"), "Y": side("SECONDARY", Type="AAAA")}, []),
    (dns.Failover, {"X": side("PRIMARY"), "Y": side("OTHER")}, []),
    (dns.CheckOfItself, looked_after("a.example.", "A.example"), ["X.HealthCheckId"]),
    (dns.CheckOfItself, looked_after("a.example", "b.example"), []),
    (dns.CheckOfItself, looked_after({"Ref": "P"}, {"Ref": "P"}), ["X.HealthCheckId"]),
    (dns.CheckOfItself, looked_after(GONE, GONE), []),
    (dns.CheckOfItself, {"X": record(HealthCheckId="abc")}, []),
    (dns.CheckOfItself, {"X": record(HealthCheckId={"Ref": "P"})}, []),
    (dns.CheckOfItself, looked_after(IMPORTED, IMPORTED), []),
    (dns.CheckOfItself, looked_after(either("a", "b"), either("b", "a")), []),
    (dns.CheckOfItself, looked_after(either("a", "b"), either("a", "a")), ["X.HealthCheckId"]),
    (
        dns.CheckOfItself,
        {**looked_after("a", "a"), "X": record(Name="a", HealthCheckId=either("abc", {"Ref": "Y"}))},
        ["X.HealthCheckId"],
    ),
    (dns.CloudFrontAlias, {"W": record(**ELSEWHERE), "X": record(**EDGE, Type="CNAME")}, ["X.Type"]),
    (dns.ZoneId, {"X": group(HostedZoneId="/hostedzone/Z1")}, ["X.HostedZoneId"]),
    (records.AliasType, {"X": record(**EDGE, **MAIL)}, []),
    (records.AliasType, {"W": record(**MAIL), "X": record(**ELSEWHERE, **MAIL)}, ["X.Type"]),
    (records.RecordOnce, {"X": group("x", IMPORTED, named("a"), named("a"))}, ["X.RecordSets.3"]),
    (records.RecordOnce, {"X": {"Type": "AWS::Route53::RecordSet", "Properties": {"Fn::Transform": {"Name": "AWS::Include"}}}}, []),
    (records.RecordOnce, {"X": group(named("a", Weight=1), named("a"), named("a"))}, ["X.RecordSets.2"]),
    (records.RecordOnce, {"X": group(named("a"), named("a", either(IMPORTED, "A")))}, ["X.RecordSets.1"]),
    (records.RecordOnce, {"X": group(named(ANY), named("b", IMPORTED), named("b", IMPORTED))}, []),
    (records.RecordOnce, {"X": group(named("a"), HostedZoneName="b."), "Y": group(named("a"), HostedZoneName="c.")}, []),
    (records.RecordOnce, {"X": group(named("a"), HostedZoneName="b."), "Y": record(**named("a"), HostedZoneName="b.")}, ["X.RecordSets.0"]),
    (records.RecordOnce, {"X": record(**named("a"), HostedZoneName="b."), "Y": record(**named("a"), HostedZoneName="c.")}, []),
    (records.RecordOnce, {"X": group(named("a", HostedZoneId="Z1"), named("a", HostedZoneId="Z2"))}, []),
]


@pytest.mark.parametrize(("rule", "resources", "paths"), CASES)
def test_what_is_refused_of_records_and_what_is_not(rule: type[Rule], resources: dict[str, Any], paths: list[str]) -> None:
    assert [path.split(".Fn::If")[0] for path in told(rule, **resources)] == paths


def test_a_zone_that_is_handed_in_is_a_bare_id_too() -> None:
    kind = "AWS::Route53::HostedZone::Id"
    parameters = {
        "A": {"Type": kind, "Default": "z"},
        "B": {"Type": kind, "Default": ""},
        "C": {"Type": "String", "Default": "z"},
        "D": "x",
    }
    found = dns.ZoneId().check(View({"Parameters": {**parameters, "E": {"Type": kind}, "F": {"Type": kind, "Default": "Z1"}}}, ()))
    assert [path for path, _ in found] == [("Parameters", "A", "Default")]


@pytest.mark.parametrize(
    ("zone", "text"),
    [("/HostedZone/Z1", "'/HostedZone/Z1' is no hosted zone id, leave out /hostedzone/"), ("z1", "'z1' is no hosted zone id")],
)
def test_what_the_api_puts_before_an_id_is_told_apart(zone: str, text: str) -> None:
    assert said(dns.ZoneId, X=record(HostedZoneId=zone)) == [("X.HostedZoneId", text)]
