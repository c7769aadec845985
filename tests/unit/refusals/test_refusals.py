"""What services refuse is found, in every template with a fault and in none without."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lint.gate import load_rules
from lint.rules.base import Rule
from refusals import problems
from refusals.deployments import deployments
from refusals.left_out import LEFT_OUT
from refusals.values import REFUSALS, UNKNOWN
from templates.view import View
from tests.golden_files import GOLDEN, assert_golden
from tests.unit.refusals.broken import BROKEN, without_nothing
from tests.unit.refusals.unseen import UNSEEN
from tests.unit.refusals.valid import VALID, Resources

REGION = "us-east-1"
OPINIONS = frozenset(
    """E9001 E9002 E9208 E9306 E9307 E9401 E9402 E9403 E9404 E9405 E9501 E9502 E9503 E9504 E9505 E9506 E9507 E9601 E9602 E9603
    E9701 E9702 E9804""".split()  # noqa: SIM905 - a table
)
"""Rules of ours about what this platform wants; services take it otherwise as well."""


def template(resources: Resources) -> dict[str, Any]:
    return {"Resources": without_nothing(resources)}


@functools.cache
def refusing() -> tuple[Rule, ...]:
    return tuple(rule for rule in load_rules().values() if isinstance(rule, Rule) and rule.id not in OPINIONS)


def found(resources: Resources) -> list[str]:
    view = View(template(resources), (REGION,))
    return sorted(rule.id for rule in refusing() if any(rule.check(view)))


@pytest.mark.parametrize("what", VALID)
def test_what_a_service_takes_has_no_finding(what: str) -> None:
    assert list(problems(template(VALID[what]), (REGION,))) == []
    assert found(VALID[what]) == []


def test_what_a_service_refuses_is_found_by_the_rules_that_were_reviewed() -> None:
    """Where nothing of ours stands, a rule of cfn-lint finds it."""
    assert_golden(
        "refusals.json", json.dumps({what: found(resources) for what, resources in {**BROKEN, **UNSEEN}.items()}, indent=1) + "\n"
    )


def test_every_rule_is_shown_by_a_fault_and_has_a_sentence_and_a_source() -> None:
    shown = {rule for resources in (*BROKEN.values(), *UNSEEN.values()) for rule, _ in problems(template(resources), (REGION,))}
    shown |= {rule for rule, _ in problems(template(VALID["an alarm"]), ("eu-west-1",))}
    third = (Path(__file__).parent / "third_broken.jsonl").read_text(encoding="utf-8").splitlines()
    shown |= {rule for line in third for rule in json.loads(line)["rules"] if rule in {rule.id for rule in REFUSALS}}
    assert {rule.id for rule in REFUSALS} == shown
    assert len({rule.id for rule in REFUSALS}) == len(REFUSALS)
    for rule in REFUSALS:
        assert rule.what and rule.more and rule.source.startswith("https://")


def test_every_type_that_is_emitted_has_rules_or_a_reason() -> None:
    """CloudFront and Lambda have theirs in lint/rules (E91, E92)."""
    judged = {kind for rule in REFUSALS for kind in rule.kinds} | {kind for kind, _, _ in LEFT_OUT}
    templates = [json.loads(file.read_bytes()) for file in GOLDEN.glob("templates/*/*.template.json")]
    emitted = {resource["Type"] for each in templates for resource in each["Resources"].values()}
    assert {kind for kind in emitted if not kind.startswith(("AWS::CloudFront::", "AWS::Lambda::"))} <= judged


def test_names_that_cloudformation_gives_do_not_clash() -> None:
    twice = {**VALID["a topic of alarms"], "Again": VALID["a topic of alarms"]["Topic"]}
    assert not list(problems(template(twice), (REGION,)))


def conditional(value: Any) -> dict[str, Any]:
    return {"Fn::If": ["Chosen", value, {"Ref": "AWS::NoValue"}]}


CHOICE: dict[str, Any] = {
    "Parameters": {"Size": {"Type": "String", "AllowedValues": ["s", "l"]}},
    "Conditions": {"Chosen": {"Fn::Equals": [{"Ref": "Size"}, "l"]}},
}


def alarm(**more: Any) -> dict[str, Any]:
    given = {"MetricName": "E", "Namespace": "Shop", "Statistic": "Sum", "Period": 60, "Threshold": 1, "EvaluationPeriods": 1}
    properties = {**given, "ComparisonOperator": "GreaterThanThreshold", **more}
    return {"Resources": {"A": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}}}


@pytest.mark.parametrize(
    ("value", "faults"),
    [
        ({"Fn::If": ["Chosen", 86401, 1]}, 1),
        ({"Fn::If": ["Chosen", 1, 2]}, 0),
        ({"Fn::FindInMap": ["Periods", {"Ref": "Size"}, "Count"]}, 1),
        ({"Fn::Select": [1, [1, 86401]]}, 1),
        ({"Fn::Select": ["1", {"Fn::Split": [",", "1,86401"]}]}, 1),
        ({"Ref": "Unknown"}, 0),
        ({"Ref": "Many"}, 1),
        ({"Fn::Sub": "8640${Digit}"}, 1),
        ({"Fn::Join": ["", ["8640", {"Ref": "Digit"}]]}, 1),
        ({"Fn::ImportValue": "x"}, 0),
        ({"Fn::If": ["Never", 86401, 1]}, 0),
        ({"Fn::If": ["Both", 86401, 1]}, 0),
    ],
)
def test_a_fault_is_seen_through_functions(value: Any, faults: int) -> None:
    more = {
        "Parameters": {
            **CHOICE["Parameters"],
            "Many": {"Type": "Number", "Default": 86401},
            "Unknown": {"Type": "Number"},
            "Digit": {"Type": "Number", "Default": 1},
        },
        "Mappings": {"Periods": {"s": {"Count": 1}, "l": {"Count": 86401}}},
        "Conditions": {
            **CHOICE["Conditions"],
            "Never": {"Fn::Equals": ["a", "b"]},
            "Small": {"Fn::Not": [{"Condition": "Chosen"}]},
            "Both": {"Fn::And": [{"Condition": "Chosen"}, {"Condition": "Small"}]},
        },
    }
    assert len(list(problems({**more, **alarm(EvaluationPeriods=value)}, (REGION,)))) == faults


def test_what_conditions_keep_apart_does_not_exclude_each_other() -> None:
    apart = alarm(Statistic=conditional("Sum"), ExtendedStatistic={"Fn::If": ["Chosen", {"Ref": "AWS::NoValue"}, "p90"]})
    assert not list(problems({**CHOICE, **apart}, (REGION,)))
    together = alarm(Statistic=conditional("Sum"), ExtendedStatistic=conditional("p90"))
    assert sorted(words for _, (_, words) in problems({**CHOICE, **together}, (REGION,))) == [
        "Statistic and ExtendedStatistic exclude each other",
        "an alarm needs Statistic or ExtendedStatistic",
    ]


def test_a_resource_that_a_condition_leaves_out_is_not_there() -> None:
    left_out = alarm()
    left_out["Resources"]["A"]["Condition"] = "Chosen"
    assert [sorted(deployment.resources) for deployment in deployments({**CHOICE, **left_out}, (REGION,))] == [[], ["A"]]


def test_many_conditions_are_tried_in_few_deployments() -> None:
    conditions = {f"C{i}": {"Fn::Equals": [{"Ref": f"P{i}"}, "x"]} for i in range(30)}
    tried = list(deployments({"Conditions": conditions, "Parameters": {f"P{i}": {"Type": "String"} for i in range(30)}}, (REGION,)))
    assert 2 <= len(tried) <= 70


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 10**9)
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "*", UNKNOWN, "${A}", "arn:aws:s3:::b", "x.y"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Ref", "Fn::If", "Fn::Sub", "Fn::GetAtt", "Statement", "Action", "Rules", "Id", "a"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


@given(st.data())
def test_no_rule_stumbles_over_a_value_of_another_shape(data: st.DataObject) -> None:
    resources = json.loads(json.dumps(template(data.draw(st.sampled_from([*VALID.values(), *BROKEN.values()])))["Resources"]))
    where = data.draw(st.sampled_from([place for place in places(resources) if len(place) > 2]))
    node = resources
    for step in where[:-1]:
        node = node[step]
    node[where[-1]] = data.draw(VALUES)
    list(problems({"Resources": resources}, (REGION,)))
