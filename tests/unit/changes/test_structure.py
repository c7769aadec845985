"""Values compared by what names their parts, and what must never be lost in that."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changes.structure import differences_of, parts_of, same

ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            [{"Sid": "A", **ALLOW}, {"Sid": "C", **ALLOW}],
            [{"Sid": "A", **ALLOW}, {"Sid": "B", **ALLOW}, {"Sid": "C", **ALLOW}],
            [("S[B]", None, {"Sid": "B", **ALLOW})],
        ),
        (
            [ALLOW, {**ALLOW, "Action": "c"}],
            [{**ALLOW, "Action": "b"}, ALLOW, {**ALLOW, "Action": "c"}],
            [("S[0]", None, {**ALLOW, "Action": "b"})],
        ),
        ([{"Sid": "A", **ALLOW}, ALLOW], [{"Sid": "A", **ALLOW, "Effect": "Deny"}, ALLOW], [("S[A].Effect", "Allow", "Deny")]),
        (
            [{"PathPattern": "/a", "V": 1}, {"PathPattern": "/b", "V": 1}],
            [{"PathPattern": "/b", "V": 1}, {"PathPattern": "/a", "V": 1}],
            [("S", ["/a", "/b"], ["/b", "/a"])],
        ),
        (
            [{"Key": "k", "Value": "1"}],
            [{"Key": "j", "Value": "2"}, {"Key": "k", "Value": "1"}],
            [("S[j]", None, {"Key": "j", "Value": "2"})],
        ),
        ([{"Id": "a", "V": 1}, {"Id": "a", "V": 2}], [{"Id": "a", "V": 1}], [("S[1]", {"Id": "a", "V": 2}, None)]),
    ],
    ids=["by Sid", "by content", "partly named", "order counts", "tags", "a name twice"],
)
def test_items_go_by_name_else_by_content(before: Any, after: Any, expected: Any) -> None:
    assert list(differences_of(before, after, "S")) == expected


@pytest.mark.parametrize(
    "wrapped", [lambda text: text, lambda text: {"Fn::Sub": text}, lambda text: {"Fn::Sub": [text, {"X": {"Ref": "R"}}]}]
)
def test_json_in_a_text_is_compared_as_json(wrapped: Any) -> None:
    old, new = ({"widgets": [{"properties": {"title": "Up", "period": period}}], "start": "${X}"} for period in (60, 300))
    found = list(differences_of(wrapped(json.dumps(old)), wrapped(json.dumps(new)), "DashboardBody"))
    assert found == [("DashboardBody.widgets[Up].properties.period", 60, 300)]


def test_a_widget_more_is_no_change_of_those_after_it() -> None:
    up, more, down = ({"type": "metric", "properties": {"title": title, "period": 60}} for title in ("Up", "More", "Down"))
    text = {"type": "text", "properties": {"markdown": "m"}}
    found = list(
        differences_of(json.dumps({"widgets": [text, up, down]}), json.dumps({"widgets": [text, up, more, down]}), "DashboardBody")
    )
    assert found == [("DashboardBody.widgets[More]", None, more)]
    period = list(differences_of([text, up], [text, {**up, "properties": {"title": "Up", "period": 300}}], "W"))
    assert period == [("W[Up].properties.period", 60, 300)]


def test_what_a_text_refers_to_counts_as_much_as_the_text() -> None:
    text = '{"a": "${X}"}'
    old, new = ({"Fn::Sub": [text, {"X": {"Ref": name}}]} for name in ("R", "S"))
    assert list(differences_of(old, new, "B")) == [("B.(variables).X", {"Ref": "R"}, {"Ref": "S"})]


def test_texts_that_mean_the_same_json_are_a_difference_all_the_same() -> None:
    assert list(differences_of('{"a":1}', '{"a": 1}', "B")) == [("B", '{"a":1}', '{"a": 1}')]


NAMED = st.lists(
    st.fixed_dictionaries(
        {"V": st.integers(0, 1)}, optional={"Id": st.sampled_from("ab1"), "Sid": st.sampled_from("xy"), "Key": st.just("k")}
    ),
    max_size=4,
)
TEXTS = st.sampled_from(['{"a": [1]}', '{"a": [2]}', '{"a":[1]}', "[]", "[1]", "{", "x"])
ANY = st.recursive(
    NAMED | TEXTS | st.builds(lambda t: {"Fn::Sub": t}, TEXTS) | st.builds(lambda t: {"Ref": t}, st.sampled_from("RS")),
    lambda inner: st.dictionaries(st.sampled_from("pq"), inner, max_size=2) | st.lists(inner, max_size=2),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(before=ANY, after=ANY)
def test_no_difference_is_lost_and_none_is_made_up(before: Any, after: Any) -> None:
    found = list(differences_of(before, after, "p"))
    assert bool(found) != same(before, after)
    assert all(not same(old, new) for _, old, new in found)


@settings(max_examples=300, deadline=None)
@given(value=ANY)
def test_parts_are_all_of_a_value(value: Any) -> None:
    """Each leaf is in one of the parts: whoever looks only at the parts misses no reference."""
    from templates.intrinsics import references

    assert references(value) <= frozenset().union(*(references(part) for _, part in parts_of(value, "p")), frozenset())


def sub(text: Any, *variables: Any) -> dict[str, Any]:
    return {"Fn::Sub": [text, *variables] if variables else text}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # A name that cannot stand in a path, or might be taken for a position, names nothing.
        ([{"Id": "1", "V": "a"}], [{"Id": "1", "V": "b"}], [("S[0].V", "a", "b")]),
        ([{"Id": "a[", "V": "a"}], [{"Id": "a[", "V": "b"}], [("S[0].V", "a", "b")]),
        ([{"Id": "", "V": "a"}], [{"Id": "", "V": "b"}], [("S[0].V", "a", "b")]),
        ([{"Id": {"Ref": "X"}, "V": "a"}], [{"Id": {"Ref": "X"}, "V": "b"}], [("S[0].V", "a", "b")]),
        # A name that two items have names nothing, and one that only some have does so for statements alone.
        ([{"Id": "a", "V": "1"}, {"Id": "a", "V": "2"}], [{"Id": "a", "V": "1"}, {"Id": "a", "V": "3"}], [("S[1].V", "2", "3")]),
        ([{"Id": "a", "V": "1"}, {"V": "2"}], [{"Id": "a", "V": "1"}, {"V": "3"}], [("S[1].V", "2", "3")]),
        ([{"V": "9"}, {"Sid": "A", "V": "1"}], [{"V": "9"}, {"Sid": "A", "V": "2"}], [("S[A].V", "1", "2")]),
        # Statements in another order, those without a name by their position.
        ([{"V": "9"}, {"Sid": "A"}], [{"Sid": "A"}, {"V": "9"}], [("S", ["#1", "A"], ["A", "#2"])]),
        (
            [{"Sid": "A"}, {"Sid": "B"}],
            [{"Sid": "B"}, {"Sid": "A"}, {"Sid": "C"}],
            [("S[C]", None, {"Sid": "C"}), ("S", ["A", "B"], ["B", "A", "C"])],
        ),
        ([{"Sid": "A"}, {"V": "1"}], [{"Sid": "A"}, {"V": "1"}, {"V": "2"}], [("S[2]", None, {"V": "2"})]),
        # A list of plain values is one value; one that holds a structure anywhere is looked into.
        (["a", "b"], ["b", "a"], [("S", ["a", "b"], ["b", "a"])]),
        (["a"], [{"B": "c"}], [("S[0]", "a", {"B": "c"})]),
        ([["a"]], [["b"]], [("S[0]", ["a"], ["b"])]),
        # JSON inside of a text, with variables or not; other texts are texts.
        ('{"a": 1, "b": 2}', '{"a": 1, "b": 3}', [("S.b", 2, 3)]),
        (" [{}]", " [{}, {}]", [("S[1]", None, {})]),
        ('{"a": 1}', "{not", [("S", '{"a": 1}', "{not")]),
        ("{}", "{ }", [("S", "{}", "{ }")]),
        ("1", "2", [("S", "1", "2")]),
        (sub('{"a": "${X}"}'), sub('{"a": "${Y}"}'), [("S.a", "${X}", "${Y}")]),
        (sub('{"a": "${X}"}', {"X": "1"}), sub('{"a": "${X}"}', {"X": "2"}), [("S.(variables).X", "1", "2")]),
        (sub('{"a": 1}', {"X": "1"}), sub('{"a": 2}', {"X": "1"}), [("S.a", 1, 2)]),
        (sub("text", {"X": "1"}), sub("text", {"X": "2"}), [("S", sub("text", {"X": "1"}), sub("text", {"X": "2"}))]),
        (sub('["a", {}]', {"X": "1"}), sub('["b", {}]', {"X": "1"}), [("S", sub('["a", {}]', {"X": "1"}), sub('["b", {}]', {"X": "1"}))]),
        ({"Fn::Sub": ["{}"]}, {"Fn::Sub": ["{ }"]}, [("S", {"Fn::Sub": ["{}"]}, {"Fn::Sub": ["{ }"]})]),
        (sub({"a": 1}, {}), sub({"a": 2}, {}), [("S", sub({"a": 1}, {}), sub({"a": 2}, {}))]),
        # An intrinsic function is a value, whatever is in it; two keys are none.
        ({"Ref": "A"}, {"Ref": "B"}, [("S", {"Ref": "A"}, {"Ref": "B"})]),
        ({"Ref": "A", "C": "1"}, {"Ref": "B", "C": "1"}, [("S.Ref", "A", "B")]),
        # To CloudFormation these are the same.
        ({"A": 1, "B": True}, {"A": "1", "B": "true"}, []),
        (None, None, []),
        (None, "None", [("S", None, "None")]),
    ],
)
def test_the_smallest_parts_that_differ(before: Any, after: Any, expected: list[tuple[str, Any, Any]]) -> None:
    assert list(differences_of(before, after, "S")) == expected


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ({"B": "b", "A": {"C": ["x", "y"], "D": {}}}, [("A.C", ["x", "y"]), ("A.D", {}), ("B", "b")]),
        ([{"Sid": "A", "V": "1"}, {"V": "2"}], [("[A].Sid", "A"), ("[A].V", "1"), ("[1].V", "2")]),
        (["x", ["y"]], [("[0]", "x"), ("[1]", ["y"])]),
        ({"A": {"Ref": "X"}}, [("A", {"Ref": "X"})]),
        ({}, [("", {})]),
        ("x", [("", "x")]),
    ],
)
def test_the_parts_of_a_value(value: Any, parts: list[tuple[str, Any]]) -> None:
    assert list(parts_of(value)) == parts
