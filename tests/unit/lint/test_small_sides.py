"""Rules of headers, logs, dashboards, published functions and suppressions: what each refuses, and the nearest that it takes."""

from __future__ import annotations

from typing import Any

import pytest

from lint.rules import code, headers, hygiene, monitoring
from lint.rules.base import Rule
from templates.view import View
from tests.unit.lint.test_rule_sides import ANY, GONE, IMPORTED, behaviour, either, said, told


def policy(custom: tuple[Any, ...] = (), removed: tuple[Any, ...] = ()) -> dict[str, Any]:
    config = {
        "CustomHeadersConfig": {"Items": [{"Header": name} for name in custom]},
        "RemoveHeadersConfig": {"Items": [{"Header": name} for name in removed]},
    }
    return {"Type": "AWS::CloudFront::ResponseHeadersPolicy", "Properties": {"ResponseHeadersPolicyConfig": config}}


def of(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def delivered(target: Any, log: str = "ACCESS_LOGS") -> dict[str, dict[str, Any]]:
    destination = of("AWS::Logs::DeliveryDestination", DestinationResourceArn=target)
    return {"S": of("AWS::Logs::DeliverySource", LogType=log), "X": destination, "B": of("AWS::S3::Bucket"), "T": of("AWS::SNS::Topic")}


def alarm(namespace: Any, name: Any, **dimensions: Any) -> dict[str, dict[str, Any]]:
    named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    return {"X": of("AWS::CloudWatch::Alarm", Namespace=namespace, MetricName=name, Dimensions=[*named, {"Name": IMPORTED}])}


def dashboard(body: Any) -> dict[str, dict[str, Any]]:
    return {"X": of("AWS::CloudWatch::Dashboard", DashboardBody=body)}


def function(publish: Any, *, used: bool = True) -> dict[str, dict[str, Any]]:
    arn = {"Fn::GetAtt": ["F" if used else "G", "FunctionARN"]}
    return {"X": behaviour(FunctionAssociations=[{"FunctionARN": arn}]), "F": of("AWS::CloudFront::Function", AutoPublish=publish)}


CUSTOM = "X.ResponseHeadersPolicyConfig.CustomHeadersConfig.Items"
REMOVED = "X.ResponseHeadersPolicyConfig.RemoveHeadersConfig.Items"
LOGS, BODY, METRIC = ["X.DestinationResourceArn"], ["X.DashboardBody"], ["X.MetricName"]
CASES: list[tuple[type[Rule], dict[str, dict[str, Any]], list[str]]] = [
    (headers.AllowedHeader, {"X": policy(("X-Own", "${P}", IMPORTED), ("Server",))}, []),
    (headers.AllowedHeader, {"X": policy(("a b",))}, [f"{CUSTOM}.0.Header"]),
    (headers.AllowedHeader, {"X": policy(("",))}, [f"{CUSTOM}.0.Header"]),
    (headers.AllowedHeader, {"X": policy(("Connection",), ("connection",))}, [f"{CUSTOM}.0.Header", f"{REMOVED}.0.Header"]),
    (headers.AllowedHeader, {"X": policy(("X-Amz-Cf-Id",))}, [f"{CUSTOM}.0.Header"]),
    (headers.AllowedHeader, {"X": policy(("Strict-Transport-Security",))}, [f"{CUSTOM}.0.Header"]),
    (headers.AllowedHeader, {"X": policy((), ("Strict-Transport-Security",))}, []),
    (headers.HeaderOnce, {"X": policy(("X-Own", "x-OWN"))}, [f"{CUSTOM}.1.Header"]),
    (headers.HeaderOnce, {"X": policy(("X-Own", "X-Own", "X-Own"))}, [f"{CUSTOM}.1.Header", f"{CUSTOM}.2.Header"]),
    (headers.HeaderOnce, {"X": policy(("X-Own", "X-Other"))}, []),
    (headers.HeaderOnce, {"X": policy(("X-Own",), ("X-Own",))}, []),
    (headers.HeaderOnce, {"X": policy(("X-Own",)), "Y": policy(("X-Own",))}, []),
    (headers.HeaderOnce, {"X": policy((either("X-Own", "x-own"),))}, []),
    (headers.HeaderOnce, {"X": policy((ANY,))}, []),
    (monitoring.DeliveryPrefix, delivered({"Fn::GetAtt": ["B", "Arn"]}), LOGS),
    (monitoring.DeliveryPrefix, delivered({"Fn::GetAtt": ["T", "TopicName"]}), []),
    (monitoring.DeliveryPrefix, delivered("arn:aws:s3:::logs"), LOGS),
    (monitoring.DeliveryPrefix, delivered("arn:aws:s3:::logs/cloudfront"), []),
    (monitoring.DeliveryPrefix, delivered("arn:aws:logs:us-east-1:1:log-group:x"), []),
    (monitoring.DeliveryPrefix, delivered(IMPORTED), []),
    (monitoring.DeliveryPrefix, delivered("arn:aws:s3:::logs", "APPLICATION_LOGS"), []),
    (monitoring.KnownMetric, alarm("AWS/CloudFront", "Requests", DistributionId="d", Region="Global"), []),
    (monitoring.KnownMetric, alarm("AWS/CloudFront", "Requests", DistributionId="d", Region={"Ref": "P"}), []),
    (monitoring.KnownMetric, alarm("AWS/CloudFront", "Requests", DistributionId="d", Region="us-east-1"), METRIC),
    (monitoring.KnownMetric, alarm("AWS/CloudFront", "Requests", DistributionId="d"), METRIC),
    (monitoring.KnownMetric, alarm("AWS/CloudFront", IMPORTED), []),
    (monitoring.KnownMetric, alarm(IMPORTED, "Requests"), []),
    (monitoring.KnownMetric, alarm("Own", "Requests"), []),
    (monitoring.DashboardBody, dashboard(either(IMPORTED, "{")), BODY),
    (monitoring.DashboardBody, dashboard(either("{", "[]")), BODY * 2),
    (monitoring.DashboardBody, dashboard('{"widgets": []}'), []),
    (monitoring.DashboardBody, dashboard('{"widgets": {}}'), BODY),
    (monitoring.DashboardBody, dashboard("[]"), BODY),
    (monitoring.DashboardBody, dashboard("{"), BODY),
    (monitoring.DashboardBody, {**dashboard(IMPORTED), "Y": of("AWS::CloudWatch::Dashboard", DashboardBody="{")}, ["Y.DashboardBody"]),
    (monitoring.DashboardBody, {"W": of("AWS::CloudWatch::Dashboard", DashboardBody="{"), **dashboard("[]")}, ["W.DashboardBody", *BODY]),
    (code.Published, function(GONE), ["F.AutoPublish"]),
    (code.Published, function(False), ["F.AutoPublish"]),
    (code.Published, function(True), []),
    (code.Published, function("true"), []),
    (code.Published, function(IMPORTED), []),
    (code.Published, function(False, used=False), []),
]


@pytest.mark.parametrize(("rule", "resources", "paths"), CASES)
def test_what_is_refused_and_what_is_not(rule: type[Rule], resources: dict[str, Any], paths: list[str]) -> None:
    assert [path.split(".Fn::If")[0] for path in told(rule, **resources)] == paths


def test_a_header_is_told_as_it_is_written_with_what_cannot_be_done() -> None:
    found = [text for _, text in said(headers.AllowedHeader, X=policy(("Via", "X-Frame-Options"), ("Via",)))]
    refused, framed, removed = found
    assert refused == "CloudFront does not let a policy add Via" and removed == "CloudFront does not let a policy remove Via"
    assert framed == "X-Frame-Options is a security header; set SecurityHeadersConfig.FrameOptions"


METADATA, IGNORED = "X.Metadata", "X.Metadata.cfn-lint.config.ignore_checks"


def suppressing(*rules: Any, **reasons: Any) -> dict[str, Any]:
    return {"cfn-lint": {"config": {"ignore_checks": [*rules]}}, "Suppressed": reasons}


@pytest.mark.parametrize(
    ("metadata", "paths"),
    [
        ("x", []),
        ({}, []),
        (suppressing("W3037", W3037="why"), []),
        (suppressing("W3037", W3037=" "), [IGNORED]),
        (suppressing("W3037"), [IGNORED]),
        (suppressing("W303", W303="why"), [IGNORED]),
        (suppressing(7), [IGNORED]),
        (suppressing("E0001", E0001="why"), [IGNORED]),
        (suppressing("E9703", E9703="why"), [IGNORED]),
        (suppressing(W3037="why"), [f"{METADATA}.Suppressed"]),
        ({"Suppressed": []}, [METADATA]),
        ({"cfn-lint": []}, [METADATA]),
        ({"cfn-lint": {}}, []),
        ({"cfn-lint": {"config": []}}, [METADATA]),
        ({"cfn-lint": {"config": {"ignore_checks": "W3037"}}}, [METADATA]),
    ],
)
def test_a_suppression_names_one_rule_in_full_and_says_why(metadata: Any, paths: list[str]) -> None:
    assert told(hygiene.Reasons, X={"Type": "AWS::SNS::Topic", "Metadata": metadata}) == paths


def test_a_template_says_what_it_and_its_outputs_are_for_and_does_not_configure_the_gate() -> None:
    def paths(rule: type[Rule], **template: Any) -> list[tuple[Any, ...]]:
        return [path for path, _ in rule().check(View(template, ("us-east-1",)))]

    assert paths(hygiene.StackDescription) == paths(hygiene.StackDescription, Description=" ") == [("Description",)]
    assert paths(hygiene.StackDescription, Description="x") == []
    outputs = {"A": {"Value": 1}, "B": {"Description": "x"}, "C": "x"}
    assert paths(hygiene.OutputDescription, Outputs=outputs) == [("Outputs", "A")]
    assert paths(hygiene.Reasons, Metadata={"cfn-lint": {}}) == [("Metadata", "cfn-lint")] and paths(hygiene.Reasons, Metadata={}) == []


@pytest.mark.parametrize("line", ["import x from 'fs';", "const x = require( 'fs' );", 'import "fs";'])
def test_a_module_that_the_runtime_has_not_is_named(line: str) -> None:
    function = of("AWS::CloudFront::Function", FunctionCode=f"{line}\nfunction handler(event) {{ return event.request; }}")
    [(_, said)] = code.EdgeRuntime().check(View({"Resources": {"F": function}}, ("us-east-1",)))
    assert said.startswith("there is no module fs; the runtime has buffer, cloudfront, crypto")
