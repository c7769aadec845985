"""Rules of functions at the edge: which functions are, which version is named, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from lint.rules import cdn, edge
from lint.rules.base import Rule
from tests.unit.lint.test_rule_sides import (
    EDGE_ARN,
    GONE,
    IMPORTED,
    ROLE,
    behaviour,
    distribution,
    either,
    function,
    said,
    told,
)

FUNCTION, VERSION, ALIAS, STACK = "AWS::Lambda::Function", "AWS::Lambda::Version", "AWS::Lambda::Alias", "AWS::CloudFormation::Stack"
VIEWER = "viewer-request"


def of(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def plain(**properties: Any) -> dict[str, Any]:
    """A function without a word of the edge."""
    return of(FUNCTION, MemorySize=512, **properties)


def leading(*arns: Any, name: str = "LambdaFunctionAssociations") -> dict[str, Any]:
    return behaviour(**{name: [{"EventType": VIEWER, "LambdaFunctionARN": arn} for arn in arns]})


def role(*services: Any, kind: str = ROLE) -> dict[str, Any]:
    return of(kind, AssumeRolePolicyDocument={"Statement": [{"Effect": "Allow", "Principal": {"Service": [*services]}}]})


def joined(*parts: Any, by: str = "") -> dict[str, Any]:
    return {"Fn::Join": [by, [*parts]]}


ARN_OF_ROLE = {"Fn::GetAtt": ["R", "Arn"]}
OUTPUT = {"Fn::GetAtt": ["R", "Outputs.Arn"]}
LAMBDA, REPLICATOR = "lambda.amazonaws.com", "edgelambda.amazonaws.com"


@pytest.mark.parametrize(
    ("resources", "at_the_edge"),
    [
        ({"F": plain()}, False),
        ({"F": {**plain(), "Metadata": "Edge"}}, False),
        ({"F": {**plain(), "Metadata": {"Edge": True}}}, True),
        ({"F": plain(Role=ARN_OF_ROLE), "R": role(LAMBDA, REPLICATOR)}, True),
        ({"F": plain(Role=ARN_OF_ROLE), "R": role(LAMBDA)}, False),
        ({"F": plain(), "X": leading({"Ref": "V"}), "V": of(VERSION, FunctionName=either("name", {"Ref": "F"}))}, True),
        ({"F": plain(), "X": leading({"Ref": "V"}), "V": of("Custom::Published", FunctionName={"Ref": "F"})}, True),
        ({"F": plain(), "X": leading({"Ref": "V"}), "V": of(VERSION, FunctionName={"Ref": "P"})}, False),
        ({"F": plain(), "X": leading({"Ref": "V"}), "V": of(VERSION, FunctionName={"Ref": "G"}), "G": of(FUNCTION)}, False),
        ({"F": plain(), "X": leading({"Ref": "P"}, IMPORTED)}, False),
    ],
)
def test_a_function_is_at_the_edge_by_its_mark_its_role_or_a_distribution(resources: dict[str, Any], at_the_edge: bool) -> None:
    assert told(edge.EdgeLimits, **resources) == (["F.MemorySize"] if at_the_edge else [])


@pytest.mark.parametrize(("regions", "names"), [(["us-east-1"], ""), (["eu-west-1", "us-east-1", "us-west-2"], "eu-west-1, us-west-2")])
def test_a_function_of_the_edge_is_in_one_region(regions: list[str], names: str) -> None:
    wanted = [("F", f"an edge function can only be in us-east-1; this stack is deployed to {names}")] if names else []
    assert said(edge.EdgeRegion, *regions, F=function()) == wanted
    assert said(edge.EdgeRegion, *regions, F=plain()) == []


V = of(VERSION, FunctionName={"Ref": "F"})


@pytest.mark.parametrize(
    ("arn", "wrong"),
    [
        (GONE, "no function is named"),
        (IMPORTED, None),
        (EDGE_ARN, f"{EDGE_ARN!r} is no numbered version"),
        ({"Ref": "F"}, "F is the function itself, not a version"),
        ({"Ref": "A"}, "A is an alias, not a version"),
        ({"Ref": "T"}, "T is of type AWS::SNS::Topic, not a version"),
        # A custom resource or a nested stack may hand over the ARN of a version: the usual way for a stack in another region.
        ({"Fn::GetAtt": ["C", "FunctionArn"]}, None),
        ({"Fn::GetAtt": ["N", "Outputs.Version"]}, None),
        (joined({"Ref": "V"}), None),
        (joined({"Ref": "P"}), None),
        (joined({"Ref": "F"}), "F is the function itself, not a version"),
        (joined({"Fn::GetAtt": ["F", "Arn"]}), "F is the function itself, not a version"),
        (joined({"Fn::GetAtt": ["F", "Arn"]}, "7", by=":"), None),
        (joined({"Fn::GetAtt": ["F", "Arn"]}, {"Fn::GetAtt": ["V", "Version"]}, by=":"), None),
        (joined({"Ref": "P"}, "live", by=":"), "'${P}:live' is no numbered version"),
    ],
)
def test_what_is_associated_is_a_version_with_its_number(arn: Any, wrong: str | None) -> None:
    others = {"A": of(ALIAS), "T": of("AWS::SNS::Topic"), "C": of("Custom::Reader"), "N": of(STACK)}
    found = [text.partition(";")[0] for _, text in said(edge.NumberedVersion, F=plain(), V=V, X=leading(arn), **others)]
    assert found == ([wrong] if wrong else [])


def logging(config: Any) -> dict[str, Any]:
    return of(FUNCTION, LoggingConfig=config)


LEVELS = ("ApplicationLogLevel", "SystemLogLevel")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("logged", "right"),
    [
        ({}, False),
        ({"LogFormat": "Text"}, False),
        ({"LogFormat": "JSON"}, True),
        ({"LogFormat": IMPORTED}, True),
        ({"LogFormat": GONE}, False),
    ],
)
def test_a_level_of_logs_has_the_format_that_has_levels(level: str, logged: dict[str, Any], right: bool) -> None:
    assert told(edge.LogFormat, F=logging({level: "WARN", **logged})) == ([] if right else [f"F.LoggingConfig.{level}"])
    assert told(edge.LogFormat, F=logging({level: GONE, **logged})) == told(edge.LogFormat, F=logging(logged)) == []


def test_a_level_and_its_format_are_judged_by_what_they_have_in_common() -> None:
    together = {"SystemLogLevel": either("WARN", GONE), "LogFormat": either("JSON", "Text")}
    assert told(edge.LogFormat, F=logging(together)) == []
    assert told(edge.LogFormat, F=logging({**together, "LogFormat": either("Text", "JSON")})) == ["F.LoggingConfig.SystemLogLevel.Fn::If.1"]
    assert told(edge.LogFormat, F=logging(IMPORTED)) == told(edge.LogFormat, F=logging("x")) == told(edge.LogFormat, F=logging(GONE)) == []


@pytest.mark.parametrize(
    ("metadata", "right"),
    [({"Edge": True}, True), ({"Edge": False}, False), ({"Edge": "true"}, False), ({"Edge": None}, False), ({}, True), ("Edge", True)],
)
def test_the_mark_of_the_edge_is_true_or_not_there(metadata: Any, right: bool) -> None:
    found = told(edge.UnusedMark, F={**plain(), "Metadata": metadata}, G=plain())
    assert found == ([] if right else ["F.Metadata.Edge"])


CASES: list[tuple[type[Rule], dict[str, dict[str, Any]], list[str]]] = [
    (edge.EdgeTrust, {"F": function(Role=OUTPUT), "R": {**of(STACK), "Type": STACK}}, []),
    (edge.EdgeSettings, {"F": function(Code={"ImageUri": {"Ref": "P"}})}, ["F.Code.ImageUri"]),
    (edge.EdgeSettings, {"F": function(Code={"ImageUri": GONE})}, []),
    (edge.EdgeSettings, {"F": function(EphemeralStorage={"Size": IMPORTED})}, []),
    (cdn.Encrypted, {"X": distribution(CacheBehaviors=["x"])}, []),
    (edge.EventTypes, {"X": distribution(CacheBehaviors=[{"FunctionAssociations": [{"EventType": GONE}]}])}, ["X.CacheBehaviors.0"]),
]


@pytest.mark.parametrize(("rule", "resources", "paths"), CASES)
def test_what_is_refused_at_the_edge_and_what_is_not(rule: type[Rule], resources: dict[str, Any], paths: list[str]) -> None:
    assert [path.removesuffix(".FunctionAssociations.0.EventType") for path in told(rule, **resources)] == paths


def test_what_is_wrong_at_the_edge_is_told_by_its_names() -> None:
    assert said(edge.EdgeTrust, F=function(Role=ARN_OF_ROLE), R=role("s3.amazonaws.com")) == [
        ("R.AssumeRolePolicyDocument", f"role of the edge function F does not trust {REPLICATOR} and {LAMBDA}")
    ]
    for event, text in ((GONE, "no event type of "), ("at-noon", "'at-noon' is no event type of ")):
        [(_, found)] = said(edge.EventTypes, X=behaviour(FunctionAssociations=[{"EventType": event}]))
        assert found.startswith(f"{text}FunctionAssociations; there are viewer-request, viewer-response")
