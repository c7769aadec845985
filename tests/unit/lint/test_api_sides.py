"""How a table of what an API takes is held against a template, and how rules are asked by cfn-lint."""

from __future__ import annotations

from typing import Any

import pytest

from lint.rules import refusals
from lint.rules.api import TakenByTheApi, _problems
from lint.rules.base import Rule
from refusals import problems
from templates.view import Node, View
from tests.unit.lint.test_rule_sides import GONE, IMPORTED, either

DEFINITIONS: dict[str, Any] = {"Tag": {"members": {"Key": {"maxLength": 3}}, "required": ["Key"]}}
TABLE: dict[str, Any] = {
    "members": {
        "Mode": {"enum": ["on", "off"]},
        "Names": {"items": {"pattern": "[a-z]+"}, "maxItems": 2},
        "Tag": {"ref": "Tag"},
        "Tags": {"items": {"ref": "Tag"}},
        "Map": {"keyPattern": "[a-z]+"},
    },
    "required": ["Mode"],
}
MISSING, NO_MODE = ("", "Mode is missing; the API needs it"), '"c" is none of on, off'


@pytest.mark.parametrize(
    ("properties", "wanted"),
    [
        ({"Mode": "on"}, []),
        ({"Mode": "on", "Other": "x"}, []),
        ({"Mode": "c"}, [("Mode", NO_MODE)]),
        ({}, [MISSING]),
        ({"Mode": GONE}, [MISSING]),
        ({"Mode": IMPORTED}, []),
        ({"Mode": ["on"]}, []),
        ({"Mode": either("on", "c")}, [("Mode.Fn::If.2", NO_MODE)]),
        ({"Mode": either(IMPORTED, "c")}, [("Mode.Fn::If.2", NO_MODE)]),
        ({"Mode": either("on", GONE)}, [MISSING]),
        ({"Mode": "on", "Names": ["a", "B"]}, [("Names.1", '"B" does not match the pattern [a-z]+')]),
        ({"Mode": "on", "Names": ["a", "b", "c"]}, [("Names", "3 items; at most 2 are taken")]),
        ({"Mode": "on", "Names": "B"}, []),
        ({"Mode": "on", "Names": IMPORTED}, []),
        ({"Mode": "on", "Tag": {"Key": "abcd"}}, [("Tag.Key", "4 characters; at most 3 are taken")]),
        ({"Mode": "on", "Tag": {}}, [("Tag", "Key is missing; the API needs it")]),
        ({"Mode": "on", "Tag": either({"Key": "abc"}, {"Key": "abcd"})}, [("Tag.Fn::If.2.Key", "4 characters; at most 3 are taken")]),
        ({"Mode": "on", "Tags": [{"Key": "abc"}, either({"Key": "a"}, {})]}, [("Tags.1.Fn::If.2", "Key is missing; the API needs it")]),
        ({"Mode": "on", "Map": {"A": 1}}, [("Map", '"A" does not match the pattern [a-z]+')]),
        ({"Mode": "on", "Names": [{"Fn::Sub": "${AWS::Region}"}]}, [("Names.0", '"eu-west-1" does not match the pattern [a-z]+')]),
    ],
)
def test_every_value_that_a_place_can_have_is_held_against_its_entry(properties: Any, wanted: list[tuple[str, str]]) -> None:
    view = View({"Conditions": {"C": {}}}, ("eu-west-1",))
    found = _problems(view, Node((), properties), TABLE, DEFINITIONS)
    assert [(".".join(map(str, path)), said) for path, said in found] == wanted


def test_a_type_that_the_table_does_not_have_is_not_judged() -> None:
    store = {"Type": "AWS::CloudFront::KeyValueStore", "Properties": {"Name": "my routes"}}
    view = View({"Resources": {"A": {"Type": "Custom::X"}, "B": {}, "C": store}}, ("us-east-1",))
    assert [path for path, _ in TakenByTheApi().check(view)] == [("Resources", "C", "Properties", "Name")]


# --- asked by cfn-lint --------------------------------------------------------------------------------------------


class Template:
    """As cfn-lint hands it to a rule."""

    def __init__(self, **resources: Any) -> None:
        self.template, self.regions = {"Resources": resources}, ["us-east-1", "eu-west-1"]


def test_a_problem_is_a_match_of_its_path_and_words_for_all_regions() -> None:
    class Told(Rule):
        id = "E9999"

        def check(self, view: View) -> Any:
            yield ("Resources", 0), f"in {', '.join(view.regions)}: {len(view.template['Resources'])}"

    [match] = Told().match(Template(A={}, B={}))
    assert (match.path, match.message) == (["Resources", 0], "in us-east-1, eu-west-1: 2")


RECORD = {"Type": "AWS::Route53::RecordSet", "Properties": {"Name": "a b", "Type": "CNAME", "TTL": "1", "ResourceRecords": ["a b"]}}


def test_each_rule_of_refusals_tells_its_own_and_all_read_the_template_once() -> None:
    template = Template(R=RECORD)
    every = [(rule, list(path), words) for rule, (path, words) in problems(template.template, ("us-east-1",))]
    of = {rule: getattr(refusals, f"Refused{rule}")() for rule in ("E9311", "E9312", "E9319", "E9908")}
    assert {rule for rule, _, _ in every} == {"E9311", "E9312", "E9319"}
    matches = {rule: [(rule, match.path, match.message) for match in each.match(template)] for rule, each in of.items()}
    view = View(template.template, ("us-east-1",))
    for rule, each in of.items():
        wanted = [found for found in every if found[0] == rule]
        assert matches[rule] == wanted == [(rule, list(path), words) for path, words in each.check(view)]
    template.template = {}
    assert of["E9311"].match(template), "what was read is remembered"
    assert not of["E9311"].match(Template()), "of that template alone"
