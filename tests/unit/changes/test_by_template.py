"""What becomes of a resource by its two templates alone, in full; and what is a move."""

from __future__ import annotations

from typing import Any

import pytest

from changes.by_template import all_from_templates, from_templates
from changes.context import Context
from changes.model import PropertyChange, Replacement, ResourceChange
from changes.moved import Move, Side, moves, sides
from templates.schemas import bundled
from templates.values import Known, Redacted, Unknown

SCHEMAS = bundled()
BUCKET, TOPIC = "AWS::S3::Bucket", "AWS::SNS::Topic"
Body = dict[str, Any] | None


def context(before: Body, after: Body, **more: Any) -> Context:
    given = {"before": {"X": before} if before is not None else {}, "after": {"X": after} if after is not None else {}, **more}
    return Context(schemas=SCHEMAS, region="eu-west-1", **given)


def became(before: Body, after: Body) -> ResourceChange | None:
    return from_templates("X", context(before, after))


def test_a_resource_that_comes_brings_its_properties_and_nothing_is_lost() -> None:
    body = {"Type": BUCKET, "DeletionPolicy": "Delete", "Properties": {"BucketName": "b", "AccessControl": "Private"}}
    assert became(None, body) == ResourceChange(
        logical_id="X",
        resource_type=BUCKET,
        action="add",
        holds_data=True,
        properties=(
            PropertyChange(path="AccessControl", change="add", after=Known(text="Private"), values_from="template"),
            PropertyChange(path="BucketName", change="add", after=Known(text="b"), values_from="template"),
        ),
    )
    assert became(None, None) is None
    assert became(None, {"Type": TOPIC}) == ResourceChange(logical_id="X", resource_type=TOPIC, action="add")


@pytest.mark.parametrize(
    ("policy", "told"),
    [(None, "Delete"), ("Delete", "Delete"), ("Retain", "Retain"), ("Snapshot", "Snapshot"), ("RetainExceptOnCreate", "Retain")],
)
def test_one_that_goes_is_kept_or_not_as_its_policy_says(policy: str | None, told: Any) -> None:
    body = {"Type": BUCKET, "Properties": {"BucketName": "b"}, **({"DeletionPolicy": policy} if policy else {})}
    assert became(body, None) == ResourceChange(
        logical_id="X",
        resource_type=BUCKET,
        action="remove",
        policy_action=told,
        holds_data=True,
        properties=(PropertyChange(path="BucketName", change="remove", before=Known(text="b"), values_from="template"),),
    )


@pytest.mark.parametrize(
    ("policy", "told"), [(None, "ReplaceAndDelete"), ("Retain", "ReplaceAndRetain"), ("Snapshot", "ReplaceAndSnapshot")]
)
@pytest.mark.parametrize(("old", "new", "data"), [(BUCKET, TOPIC, True), (TOPIC, BUCKET, False)])
def test_another_type_is_another_resource(old: str, new: str, data: bool, policy: str | None, told: Any) -> None:
    """Under the policy of the old one, and with the old one's data."""
    before = {"Type": old, **({"UpdateReplacePolicy": policy} if policy else {})}
    assert became(before, {"Type": new, "UpdateReplacePolicy": "Nothing"}) == ResourceChange(
        logical_id="X",
        resource_type=new,
        action="modify",
        replacement=Replacement(verdict="yes", by="schema", because=("Type",)),
        policy_action=told,
        holds_data=data,
        properties=(PropertyChange(path="", attribute="Type", before=Known(text=old), after=Known(text=new)),),
    )


NO, OPEN = Replacement(verdict="no", by="schema"), Replacement(verdict="maybe", by="cloudformation", because=("A",))
SAME = {"BucketName": "n"}
RENAMED = Replacement(verdict="yes", by="schema", because=("BucketName",))


@pytest.mark.parametrize(
    ("kind", "before", "after", "change", "replacement"),
    [
        (
            BUCKET,
            {"Properties": {"BucketName": "a"}},
            {"Properties": {"BucketName": "b"}},
            ("BucketName", "Properties", "modify", "a", "b", "always"),
            RENAMED,
        ),
        (
            BUCKET,
            {"Properties": {"AccessControl": "a", **SAME}},
            {"Properties": SAME},
            ("AccessControl", "Properties", "remove", "a", None, "never"),
            NO,
        ),
        (
            BUCKET,
            {"Properties": SAME},
            {"Properties": {"AccessControl": "a", **SAME}},
            ("AccessControl", "Properties", "add", None, "a", "never"),
            NO,
        ),
        (
            BUCKET,
            {"Metadata": {"BucketName": "a"}},
            {"Metadata": {"BucketName": "b"}},
            ("BucketName", "Metadata", "modify", "a", "b", "never"),
            NO,
        ),
        (BUCKET, {}, {"DeletionPolicy": "Retain"}, ("", "DeletionPolicy", "add", None, "Retain", "never"), NO),
        (
            "Custom::X",
            {"Properties": {"A": "a"}},
            {"Properties": {"A": "b"}},
            ("A", "Properties", "modify", "a", "b", "conditionally"),
            OPEN,
        ),
    ],
)
@pytest.mark.parametrize("kept", [False, True])
def test_one_that_changes_says_what_and_whether_it_stays(
    kind: str, before: dict[str, Any], after: dict[str, Any], change: tuple[str, ...], replacement: Replacement, kept: bool
) -> None:
    policy = {"UpdateReplacePolicy": "Retain"} if kept else {}
    path, attribute, how, old, new, recreation = change
    found = became({"Type": kind, **policy, **before}, {"Type": kind, **policy, **after})
    assert found == ResourceChange(
        logical_id="X",
        resource_type=kind,
        action="modify",
        replacement=replacement,
        policy_action=None if replacement.verdict == "no" else "ReplaceAndRetain" if kept else "ReplaceAndDelete",
        holds_data=kind == BUCKET,
        properties=(
            PropertyChange(
                path=path,
                attribute=attribute,
                change=how,  # type: ignore[arg-type]
                before=None if old is None else Known(text=old),
                after=None if new is None else Known(text=new),
                recreation=recreation,  # type: ignore[arg-type]
                values_from="template",
            ),
        ),
    )


def test_nothing_and_an_empty_section_are_the_same() -> None:
    assert became({"Type": BUCKET, "Properties": {}, "Metadata": None}, {"Type": BUCKET}) is None
    assert became({"Type": BUCKET}, {"Type": BUCKET, "Properties": {}}) is None
    assert all_from_templates(context({"Type": BUCKET}, {"Type": BUCKET})) == ()
    assert [change.action for change in all_from_templates(context(None, {"Type": BUCKET}))] == ["add"]


def test_what_is_shown_has_no_secret_and_no_placeholder() -> None:
    of = context(None, None, secrets=("hidden-value",), placeholders={"place-holder": "site.Arn", "other-one": "edge.Id"})
    assert of.shown("****") == Redacted()
    assert of.shown("plain") == Known(text="plain")
    assert of.shown("x hidden-value") == Known(text="x (hidden)")
    assert of.shown("x place-holder") == Unknown(text="x {known after site.Arn}", after=("site.Arn",))


# --- what the values say --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holds_data", "action", "verdict", "policy", "endangers", "loses"),
    [
        (True, "remove", "no", "Delete", True, True),
        (True, "remove", "no", "Retain", True, False),
        (True, "modify", "maybe", "ReplaceAndDelete", True, True),
        (True, "modify", "yes", "ReplaceAndRetain", True, False),
        (True, "modify", "no", None, False, False),
        (False, "remove", "no", "Delete", False, False),
        (False, "modify", "yes", "ReplaceAndDelete", False, False),
    ],
)
def test_data_is_in_danger_where_there_is_some_and_it_goes(
    holds_data: bool, action: Any, verdict: Any, policy: Any, endangers: bool, loses: bool
) -> None:
    change = ResourceChange(
        logical_id="X",
        resource_type="T",
        action=action,
        replacement=Replacement(verdict=verdict),
        policy_action=policy,
        holds_data=holds_data,
    )
    assert (change.endangers_data, change.loses_data) == (endangers, loses)


@pytest.mark.parametrize(
    ("action", "verdict", "keeps", "unaffected"),
    [
        ("modify", "no", (True, True), True),
        ("modify", "no", (True, False), False),
        ("modify", "no", (), False),
        ("modify", "maybe", (True,), False),
        ("sync", "no", (True,), False),
    ],
)
def test_only_what_keeps_every_value_is_unaffected(action: Any, verdict: Any, keeps: tuple[bool, ...], unaffected: bool) -> None:
    properties = tuple(PropertyChange(path="A", keeps=each) for each in keeps)
    change = ResourceChange(
        logical_id="X", resource_type="T", action=action, replacement=Replacement(verdict=verdict), properties=properties
    )
    assert change.unaffected == unaffected


@pytest.mark.parametrize(("before", "after", "is_open"), [(None, None, True), ("a", None, False), (None, "a", False), ("a", "b", False)])
def test_a_change_is_open_where_no_value_is_told(before: str | None, after: str | None, is_open: bool) -> None:
    old, new = (None if text is None else Known(text=text) for text in (before, after))
    assert PropertyChange(path="A", before=old, after=new).is_open == is_open


# --- moves ----------------------------------------------------------------------------------------------------------


def side(stack: str = "a", kind: str = TOPIC, name: str = "", body: Any = None, **more: Any) -> Side:
    given: dict[str, Any] = {"stack_name": f"p-{stack}", "place": ("1", "eu-west-1"), "logical_id": "X", "kept": False, **more}
    return Side(stack=stack, type=kind, name=name, body={"Properties": {"A": "1"} if body is None else body}, **given)


REFERS: dict[str, Any] = {"A": {"Ref": "Y"}}


@pytest.mark.parametrize(
    ("gone", "come", "moved"),
    [
        (side(), side("b", logical_id="Y"), True),
        (side(name="n"), side("b", name="n"), True),
        (side(name="n"), side("b", name="m"), False),
        (side(), side("b", name="m"), False),
        (side(), side("b", BUCKET), False),
        (side(), side("b", body={"A": "2"}), False),
        (side(body={}), side("b", body={}), False),
        # A logical id means something in its own stack; a name means the same everywhere.
        (side(body=REFERS), side("b", body=REFERS), False),
        (side(body=REFERS), side("a", body=REFERS), True),
        (side(name="n", body=REFERS), side("b", name="n", body=REFERS), True),
        (side(name="n", body={}), side("b", name="n", body={}), False),
    ],
)
def test_what_comes_is_what_went_if_nothing_about_it_differs(gone: Side, come: Side, moved: bool) -> None:
    assert list(moves([gone], [come])) == ([Move(before=gone, after=come)] if moved else [])


def test_one_that_went_comes_once() -> None:
    gone, other = side(), side(kind=BUCKET)
    come = [side("b", logical_id="P"), side("b", logical_id="Q"), side("b", BUCKET)]
    assert [(move.before.type, move.after.logical_id) for move in moves([gone, other], come)] == [(TOPIC, "P"), (BUCKET, "X")]


@pytest.mark.parametrize(
    ("before", "after", "refactorable", "one_at_a_time"),
    [
        (side(), side("b"), True, False),
        (side(name="n"), side("b", name="n"), True, True),
        (side(), side("b", place=("2", "eu-west-1")), False, False),
        (side(), side("b", place=("1", "us-east-1")), False, False),
    ],
)
def test_a_move_can_be_made_by_cloudformation_in_one_place(before: Side, after: Side, refactorable: bool, one_at_a_time: bool) -> None:
    move = Move(before=before, after=after)
    assert (move.refactorable, move.one_at_a_time) == (refactorable, one_at_a_time)


@pytest.mark.parametrize(
    ("kind", "properties", "name"),
    [
        (BUCKET, {"BucketName": "b"}, "b"),
        (BUCKET, {"BucketName": {"Ref": "P"}}, ""),
        (BUCKET, None, ""),
        ("Custom::X", {"BucketName": "b"}, ""),
        # Its identifier is an attribute, or several parts: neither is a name that the template gives.
        ("AWS::CloudFront::Distribution", {"Id": "b"}, "b"),
        ("AWS::ApiGateway::Resource", {"RestApiId": "a", "ResourceId": "b"}, ""),
    ],
)
def test_the_sides_are_what_goes_and_what_comes_with_the_name_that_the_template_gives(kind: str, properties: Any, name: str) -> None:
    body = {"Type": kind, "Properties": properties}
    of = context(body, body)
    changes = [
        ResourceChange(logical_id="X", resource_type=kind, action="remove", policy_action="Retain"),
        ResourceChange(logical_id="X", resource_type=kind, action="add"),
        ResourceChange(logical_id="X", resource_type=kind, action="modify"),
    ]
    wanted: dict[str, Any] = {
        "stack": "a",
        "stack_name": "p-a",
        "place": ("1", "r"),
        "logical_id": "X",
        "type": kind,
        "body": body,
        "name": name,
    }
    assert sides("a", "p-a", ("1", "r"), changes, of) == ((Side(**wanted, kept=True),), (Side(**wanted, kept=False),))
