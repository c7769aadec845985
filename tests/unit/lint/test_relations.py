"""E9904 by small structures: for each word of `constraints.relations` what breaks it, what does not, and what nobody can know at build."""

from __future__ import annotations

from typing import Any

import pytest

from constraints.relations import Check, Excludes, ExclusiveValue, Once, OneOf, Ordered, Refers, Requires, When, Without
from lint.rules.relations import _CHECKS, GoTogether
from templates.view import Node, View

BUCKET, TOPIC = {"Type": "AWS::S3::Bucket"}, {"Type": "AWS::SNS::Topic"}
TEMPLATE = {
    "Parameters": {"P": {"Type": "String"}, "ANY": {"Type": "String", "AllowedValues": ["a", "A"]}},
    "Conditions": {"C": {"Fn::Equals": ["a", "b"]}},
    "Resources": {"B": BUCKET, "T": TOPIC, "K": {"Type": "AWS::KMS::Key"}, "X": {"Type": "Custom::X"}},
}
GONE, UNKNOWN = {"Ref": "AWS::NoValue"}, {"Ref": "P"}
IMPORTED = {"Fn::ImportValue": "x"}


def either(yes: Any, no: Any) -> dict[str, Any]:
    return {"Fn::If": ["C", yes, no]}


def told(check: Check, value: dict[str, Any]) -> list[tuple[str, str]]:
    """Dotted path and message of every problem."""
    view = View(TEMPLATE, ("us-east-1",))
    return [(".".join(map(str, path)), message) for path, message in _CHECKS[type(check)](view, Node((), value), check)]


EXCLUDES, REQUIRES = Excludes("A", ("B", "C")), Requires("A", ("B", "C.D"))
MANY = OneOf(tuple("ABCDEFG"))
ONE, TWO, UP_TO = OneOf(("A", "B")), OneOf(("A", "B", "C"), least=2, most=2), OneOf(("A", "B", "C"), least=0, most=1)
WHEN = When("A", ("x", "true"), needs=("B",), never=("N",), then=(("T", ("1", "2")),))
ANY, ABSENT = When("A", ("*",), never=("N",)), When("A", ("x",), needs=("B",), absent=True)
ORDERED = Ordered(("A", "B", "C"))
ONCE, ANY_CASE = Once("L.*.N"), Once("L.*.N", any_case=True)
WITHOUT, GIVEN = Without("L", ("host",), "why", prefixes=("x-amz-",)), Without("L", ("*",), "why", given="On")
ALONE = ExclusiveValue("L", "all")
REFERS = Refers("A", {"AWS::S3::Bucket": ("Arn", "DomainName"), "AWS::KMS::Key": ("",)})

FINE: list[tuple[Check, dict[str, Any]]] = [
    (EXCLUDES, {"A": 1}),
    (EXCLUDES, {"B": 1, "C": 1}),
    (EXCLUDES, {"A": "", "B": 1}),
    (EXCLUDES, {"A": [], "B": 1}),
    (EXCLUDES, {"A": 1, "B": IMPORTED}),
    (EXCLUDES, {"A": either(1, GONE), "B": either(GONE, 1)}),
    (REQUIRES, {"A": 1, "B": 1, "C": {"D": 0}}),
    (REQUIRES, {"B": 1}),
    (REQUIRES, {"A": ""}),
    (REQUIRES, {"A": IMPORTED}),
    (REQUIRES, {"A": 1, "B": IMPORTED, "C": {"D": 1}}),
    (REQUIRES, {"A": either(1, GONE), "B": either(1, GONE), "C": {"D": 1}}),
    (ONE, {"A": 1}),
    (ONE, {"B": 1, "A": False}),
    (ONE, {"B": 1, "A": "False"}),
    (ONE, {"A": IMPORTED}),
    (ONE, {"A": either(1, GONE), "B": either(GONE, 1)}),
    (ONE, {"A": IMPORTED, "B": 1}),
    (TWO, {"A": 1, "C": 1}),
    (UP_TO, {}),
    (UP_TO, {"C": 1}),
    (WHEN, {"A": "y", "N": 1, "T": "9"}),
    (WHEN, {}),
    (WHEN, {"A": "x", "B": 1, "T": 2}),
    (WHEN, {"A": "x", "B": 1, "N": []}),
    (WHEN, {"A": "x", "B": 1, "N": IMPORTED, "T": IMPORTED}),
    (WHEN, {"A": "x", "B": 1, "T": ["9"]}),
    (WHEN, {"A": either("x", "y"), "B": either(1, GONE)}),
    (ANY, {"N": 1}),
    (ANY, {"A": "", "N": 1}),
    (ABSENT, {"B": 1}),
    (ABSENT, {"A": "y"}),
    (ORDERED, {"A": 1, "B": 1, "C": 2}),
    (ORDERED, {"A": 1, "C": "1"}),
    (ORDERED, {"A": 3, "B": UNKNOWN, "C": IMPORTED}),
    (ONCE, {"L": [{"N": "a"}, {"N": "A"}, {"N": "b"}, {}, {}]}),
    (ONCE, {"L": [{"N": "${P}"}, {"N": "${P}"}, {"N": IMPORTED}, {"N": IMPORTED}]}),
    (ONCE, {"L": [{"N": {"Ref": "B"}}, {"N": {"Ref": "T"}}]}),
    (ONCE, {"L": [{"N": None}, {"N": None}, {"N": ["a"]}, {"N": ["a"]}]}),
    (ANY_CASE, {"L": [{"N": {"Ref": "B"}}, {"N": "b"}]}),
    (ANY_CASE, {"L": [{"N": {"Ref": "ANY"}}]}),
    (ONCE, {"L": [either({"N": "a"}, {"N": "b"}), either({"N": "b"}, {"N": "a"})]}),
    (WITHOUT, {"L": ["hosts", "amz-x", IMPORTED]}),
    (WITHOUT, {}),
    (GIVEN, {"L": ["*"]}),
    (GIVEN, {"L": ["*"], "On": False}),
    (GIVEN, {"L": ["a"], "On": True}),
    (GIVEN, {"L": either(["*"], ["a"]), "On": either(False, True)}),
    (ALONE, {"L": ["all"]}),
    (ALONE, {"L": ["a", "b"]}),
    (ALONE, {"L": either(["all"], ["a", "b"])}),
    (REFERS, {"A": {"Fn::GetAtt": ["B", "DomainName"]}}),
    (REFERS, {"A": {"Ref": "X"}}),
    (REFERS, {"A": {"Ref": "K"}}),
    (REFERS, {"A": {"Ref": "P"}}),
    (REFERS, {"A": {"Ref": "Nothing"}}),
    (REFERS, {"A": "arn:aws:s3:::b"}),
]

WRONG: list[tuple[Check, dict[str, Any], list[tuple[str, str]]]] = [
    (EXCLUDES, {"A": 1, "C": 1}, [("C", "C beside A; one of the two has to go")]),
    (EXCLUDES, {"A": 1, "B": 0, "C": ""}, [("B", "B beside A; one of the two has to go"), ("C", "C beside A; one of the two has to go")]),
    (EXCLUDES, {"A": IMPORTED, "B": 1}, [("B", "B beside A; one of the two has to go")]),
    (EXCLUDES, {"A": either(1, GONE), "B": either(1, 2)}, [("B.Fn::If.1", "B beside A; one of the two has to go")]),
    (REQUIRES, {"A": 1, "C": {"D": 1}}, [("A", "A needs B beside it")]),
    (REQUIRES, {"A": 1, "B": 1, "C": {}}, [("A", "A needs C.D beside it")]),
    (REQUIRES, {"A": either(1, GONE), "B": either(GONE, 1), "C": {"D": 1}}, [("A.Fn::If.1", "A needs B beside it")]),
    (ONE, {}, [("", "none of A, B; 1 has to be there")]),
    (ONE, {"A": False}, [("", "none of A, B; 1 has to be there")]),
    (ONE, {"A": 1, "B": 1}, [("", "A and B together; 1 of them at most")]),
    (ONE, {"A": 1, "B": either(1, GONE)}, [("", "A and B together; 1 of them at most")]),
    (ONE, {"A": either(1, GONE), "B": either(GONE, GONE)}, [("", "none of A, B; 1 has to be there")]),
    (ONE, {"A": either(IMPORTED, GONE)}, [("", "none of A, B; 1 has to be there")]),
    (MANY, {}, [("", "none of A, B, C, D, E, F; 1 has to be there")]),
    (TWO, {"A": 1}, [("", "none of A, B, C; 2 has to be there")]),
    (TWO, {"A": 1, "B": 1, "C": 1}, [("", "A and B and C together; 2 of them at most")]),
    (UP_TO, {"A": 1, "C": 1}, [("", "A and C together; 1 of them at most")]),
    (WHEN, {"A": "x"}, [("A", "A is x; it needs B")]),
    (WHEN, {"A": True}, [("A", "A is true; it needs B")]),
    (WHEN, {"A": "x", "B": 1, "N": 1}, [("N", "N where A is x")]),
    (WHEN, {"A": "x", "B": 1, "T": 3}, [("T", "T is 3 where A is x; it has to be 1 or 2")]),
    (WHEN, {"A": "x", "B": 1, "T": True}, [("T", "T is true where A is x; it has to be 1 or 2")]),
    (WHEN, {"A": either("x", "y"), "B": either(GONE, 1)}, [("A.Fn::If.1", "A is x; it needs B")]),
    (WHEN, {"A": either("y", "x")}, [("A.Fn::If.2", "A is x; it needs B")]),
    (When("A", ("x",), then=(("T", ("1", "")),)), {"A": "x", "T": 2}, [("T", "T is 2 where A is x; it has to be 1")]),
    (ANY, {"A": "whatever", "N": 1}, [("N", "N where A is whatever")]),
    (ANY, {"A": IMPORTED, "N": 1}, [("N", "N where A is there")]),
    (ABSENT, {}, [("", "A is not there; it needs B")]),
    (ABSENT, {"A": "x"}, [("A", "A is x; it needs B")]),
    (ORDERED, {"A": 2, "B": 1, "C": 3}, [("B", "B 1 is less than A 2")]),
    (ORDERED, {"A": 3, "C": "2"}, [("C", "C 2 is less than A 3")]),
    (ONCE, {"L": [{"N": "a"}, {"N": "b"}, {"N": "a"}]}, [("L.2.N", "a stands there already")]),
    (ONCE, {"L": [{"N": {"Ref": "B"}}, {"N": {"Ref": "B"}}]}, [("L.1.N", "B stands there already")]),
    (ONCE, {"L": [{"N": 1}, {"N": 1}]}, [("L.1.N", "1 stands there already")]),
    (ONCE, {"L": [{"N": "a"}, either({"N": "a"}, {"N": "b"})]}, [("L.1.Fn::If.1.N", "a stands there already")]),
    (ANY_CASE, {"L": [{"N": "a"}, {"N": "A"}]}, [("L.1.N", "A stands there already")]),
    (WITHOUT, {"L": ["Host", "a", "X-AMZ-Id"]}, [("L.0", "Host in L: why"), ("L.2", "X-AMZ-Id in L: why")]),
    (GIVEN, {"L": ["a", "*"], "On": "true"}, [("L.1", "* in L: why")]),
    (GIVEN, {"L": either(["*"], ["a"]), "On": either(True, False)}, [("L.Fn::If.1.0", "* in L: why")]),
    (GIVEN, {"L": ["*"], "On": either(False, True)}, [("L.0", "* in L: why")]),
    (ALONE, {"L": ["a", "all"]}, [("L.1", "all stands alone in L")]),
    (REFERS, {"A": either({"Ref": "X"}, {"Fn::GetAtt": ["K", "Arn"]})}, [("A.Fn::If.2", "Fn::GetAtt Arn of K; here stands its Ref")]),
    (REFERS, {"A": {"Ref": "T"}}, [("A", "T is of type AWS::SNS::Topic; here stands AWS::S3::Bucket or AWS::KMS::Key")]),
    (REFERS, {"A": {"Ref": "B"}}, [("A", "Ref of B; here stands its Fn::GetAtt Arn or Fn::GetAtt DomainName")]),
    (
        REFERS,
        {"A": {"Fn::GetAtt": ["B", "WebsiteURL"]}},
        [("A", "Fn::GetAtt WebsiteURL of B; here stands its Fn::GetAtt Arn or Fn::GetAtt DomainName")],
    ),
]


@pytest.mark.parametrize(("check", "value"), FINE)
def test_what_a_service_takes_or_nobody_can_know_is_no_problem(check: Check, value: dict[str, Any]) -> None:
    assert told(check, value) == []


@pytest.mark.parametrize(("check", "value", "wanted"), WRONG)
def test_what_a_service_refuses_is_told_where_it_stands(check: Check, value: dict[str, Any], wanted: list[tuple[str, str]]) -> None:
    assert told(check, value) == wanted


def function(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::Lambda::Function", "Properties": properties}


def acl(*statements: Any) -> dict[str, Any]:
    rules = [{"Action": {"Block": {}}, "Statement": statement} for statement in statements]
    return {"Type": "AWS::WAFv2::WebACL", "Properties": {"Rules": rules}}


@pytest.mark.parametrize(
    ("resource", "wanted"),
    [
        (function(SnapStart={"ApplyOn": "PublishedVersions"}, FileSystemConfigs=[{"Arn": "x"}]), ["FileSystemConfigs"]),
        (function(SnapStart=IMPORTED, FileSystemConfigs=[{"Arn": "x"}]), []),
        ({"Properties": {"SnapStart": {"ApplyOn": "PublishedVersions"}, "FileSystemConfigs": [{"Arn": "x"}]}}, []),
        (acl({}, {"NotStatement": {}, "GeoMatchStatement": {}}), ["Rules.0.Statement", "Rules.1.Statement"]),
        (acl("x", IMPORTED, {"GeoMatchStatement": {"CountryCodes": ["DE"]}}), []),
    ],
)
def test_each_resource_is_asked_what_its_type_demands(resource: dict[str, Any], wanted: list[str]) -> None:
    view = View({"Resources": {"X": resource, "Y": resource}}, ("us-east-1",))
    found = [(".".join(map(str, path[3:])), said) for path, said in GoTogether().check(view) if path[1] == "X"]
    assert [path for path, said in found if "where SnapStart" in said or "1 " in said] == wanted
