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
