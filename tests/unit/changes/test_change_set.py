"""What is put together from both reads of a change set and the two templates, in full."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aws.cloudformation.change_sets import ChangeSetDescription, RawChange, RawDetail
from changes.causes import referring, unaffected
from changes.change_set import from_change_set
from changes.context import Context
from changes.model import PropertyChange, Replacement, ResourceChange
from templates.intrinsics import secret_mark
from templates.schemas import bundled
from templates.values import Known, Redacted
from tests.unit.changes.test_by_template import BUCKET, TOPIC, context
from tests.unit.changes.test_changes import description

SCHEMAS = bundled()


def raw(action: str = "Modify", kind: str = BUCKET, details: tuple[RawDetail, ...] = (), **more: Any) -> RawChange:
    return RawChange(action=action, logical_id="X", resource_type=kind, details=details, **more)


def detail(name: str = "AccessControl", **more: Any) -> RawDetail:
    return RawDetail(**{"attribute": "Properties", "name": name, "requires_recreation": "Never", "evaluation": "Static", **more})


def one(change: RawChange, of: Context, plain: RawChange | None = None) -> ResourceChange:
    both: ChangeSetDescription = msgspec.structs.replace(description(change), without_values=(plain,) if plain else (change,))
    (found,) = from_change_set(both, of)
    return found


def same(*names: str, **properties: Any) -> Context:
    """Both templates have the same."""
    body = {"Type": BUCKET, "Properties": {**dict.fromkeys(names, "same"), **properties}}
    return context(body, body)


# --- two reads ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["with_values", "without_values"])
def test_a_resource_that_one_read_dropped_is_there(missing: str) -> None:
    change = raw("Add", physical_id="p")
    found = from_change_set(msgspec.structs.replace(description(change), **{missing: ()}), context(None, None))
    assert found == (ResourceChange(logical_id="X", resource_type=BUCKET, action="add", physical_id="p", holds_data=True),)


@pytest.mark.parametrize("first", [True, False])
def test_what_one_read_says_and_the_other_does_not_counts(first: bool) -> None:
    """The details of the read with values; of the other those that it has alone."""
    says = {"replacement": "True", "policy_action": "ReplaceAndRetain", "physical_id": "p"}
    rich = raw(details=(detail(before="a", after="b"),), **(says if first else {}))
    plain = raw(details=(detail(), detail("Tags")), **({} if first else says))
    found = one(rich, same("AccessControl"), plain)
    assert (found.replacement, found.policy_action, found.physical_id) == (Replacement(verdict="yes"), "ReplaceAndRetain", "p")
    assert [(p.path, p.before, p.after) for p in found.properties] == [
        ("AccessControl", Known(text="a"), Known(text="b")),
        ("Tags", None, None),
    ]


def test_the_word_of_the_read_with_values_comes_first() -> None:
    rich = raw(replacement="False", policy_action="Delete", physical_id="p")
    found = one(rich, same(), raw(replacement="True", policy_action="Retain", physical_id="q"))
    assert (found.replacement.verdict, found.policy_action, found.physical_id) == ("no", "Delete", "p")


# --- what comes and goes ---------------------------------------------------------------------------------------------

BODY = {"Type": BUCKET, "Properties": {"BucketName": "b"}}
COMES = (PropertyChange(path="BucketName", change="add", after=Known(text="b"), values_from="template"),)
GOES = (PropertyChange(path="BucketName", change="remove", before=Known(text="b"), values_from="template"),)


@pytest.mark.parametrize(
    ("action", "before", "after", "properties"),
    [
        ("Add", None, BODY, COMES),
        ("Remove", BODY, None, GOES),
        ("Import", None, BODY, COMES),
        # One that the stack had before in its template only.
        ("Import", BODY, BODY, COMES),
        ("Add", BODY, BODY, ()),
        ("Import", {"Type": BUCKET, "Properties": {"BucketName": "a"}}, BODY, COMES),
    ],
)
def test_what_comes_or_goes_has_the_templates_properties(
    action: Any, before: Any, after: Any, properties: tuple[PropertyChange, ...]
) -> None:
    found = one(raw(action), context(before, after))
    assert (found.action, found.replacement, found.properties) == (action.lower(), Replacement(verdict="no"), properties)
    assert found.policy_action == ("Delete" if action == "Remove" else None)
    assert found.physical_id is None


@pytest.mark.parametrize(
    ("action", "told"), [("SyncWithActual", "sync"), ("Dynamic", "dynamic"), ("Something", "dynamic"), ("", "dynamic")]
)
def test_an_action_that_nobody_knows_may_be_anything(action: str, told: str) -> None:
    assert one(raw(action), same()).action == told


def test_a_type_that_is_not_told_is_the_templates() -> None:
    assert one(raw("Add", ""), context(None, BODY)).resource_type == BUCKET
    assert one(raw("Add", TOPIC), context(None, BODY)).resource_type == TOPIC
    assert one(raw("Add", ""), same()).resource_type == ""


@pytest.mark.parametrize(
    ("replacement", "said", "policy", "told"),
    [
        ("True", None, None, "ReplaceAndDelete"),
        ("True", None, "Retain", "ReplaceAndRetain"),
        ("True", "ReplaceAndSnapshot", "Retain", "ReplaceAndSnapshot"),
        ("False", None, "Retain", None),
        ("", None, "Retain", None),
    ],
)
def test_what_becomes_of_the_old_one_is_cloudformations_word_then_the_templates(
    replacement: str, said: str | None, policy: str | None, told: str | None
) -> None:
    body = {"Type": BUCKET, **({"UpdateReplacePolicy": policy} if policy else {})}
    of = context({**body, "Properties": {"AccessControl": "a"}}, {**body, "Properties": {"AccessControl": "b"}})
    assert one(raw(replacement=replacement, policy_action=said), of).policy_action == told


def test_what_no_read_has_is_a_change_of_its_own() -> None:
    empty = msgspec.structs.replace(description(), with_values=(), without_values=())
    (found,) = from_change_set(empty, context(None, BODY))
    assert (found.action, found.in_change_set) == ("add", False)
    assert from_change_set(empty, same()) == ()


# --- what a property becomes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "said", "told"),
    [
        ("a", "b", "", "modify"),
        (None, "b", "", "add"),
        ("a", None, "", "remove"),
        (None, "b", "Modify", "modify"),
        ("a", "b", "Add", "add"),
        ("a", "b", "Remove", "remove"),
        ("a", "b", "SyncWithActual", "sync"),
    ],
)
def test_cloudformations_values_are_told_as_it_says_them(before: str | None, after: str | None, said: str, told: Any) -> None:
    given = detail(before=before, after=after, attribute_change=said)
    assert one(raw(details=(given,)), same("AccessControl")).properties == (
        PropertyChange(
            path="AccessControl",
            change=told,
            before=None if before is None else Known(text=before),
            after=None if after is None else Known(text=after),
        ),
    )


@pytest.mark.parametrize(("attribute", "told"), [("Metadata", "Metadata"), ("", "Properties"), ("Tags", "Tags")])
def test_an_attribute_is_named_and_properties_are_meant_where_none_is(attribute: str, told: str) -> None:
    (found,) = one(raw(details=(detail(attribute=attribute, before="a", after="b"),)), same()).properties
    assert (found.attribute, found.path) == (told, "AccessControl")


def test_properties_come_first_and_each_once() -> None:
    details = tuple(detail(name, attribute=attribute, before=value, after="z") for attribute, name, value in (
        ("Metadata", "A", "1"), ("Properties", "Z", "2"), ("Properties", "B", "3"), ("Properties", "B", "4"), ("CreationPolicy", "C", "5"),
    ))  # fmt: skip
    found = one(raw(details=details), same()).properties
    assert [(p.attribute, p.path, p.before) for p in found] == [
        ("Properties", "B", Known(text="3")),
        ("Properties", "Z", Known(text="2")),
        ("CreationPolicy", "C", Known(text="5")),
        ("Metadata", "A", Known(text="1")),
    ]


def test_a_value_that_only_the_execution_tells_is_open() -> None:
    for values in ({"after": "{{changeSet:KNOWN_AFTER_APPLY}}"}, {"before": "x{{changeSet:KNOWN_AFTER_APPLY}}", "after": "b"}):
        (found,) = one(raw(details=(detail(**values),)), same()).properties
        assert found.is_open


@pytest.mark.parametrize("secret", [True, False])
@pytest.mark.parametrize(("before", "after"), [("a", "b"), (None, "b"), ("a", None)])
def test_what_may_be_a_secret_is_hidden_on_both_sides(secret: bool, before: str | None, after: str | None) -> None:
    of = same(AccessControl=secret_mark("Hash", "new") if secret else "x", Tags="y")
    (found,) = one(raw(details=(detail(before=before, after=after),)), of).properties

    def shown(text: str | None) -> Any:
        return None if text is None else Redacted() if secret else Known(text=text)

    assert (found.before, found.after) == (shown(before), shown(after))
    (other,) = one(raw(details=(detail("Tags", before="a", after="b"),)), of).properties
    assert other.after == Known(text="b"), "only what is under the same property"


@pytest.mark.parametrize(
    ("said", "told", "verdict"),
    [("Never", "never", "no"), ("Always", "always", "yes"), ("Conditionally", "always", "yes"), ("", "always", "yes")],
)
def test_cloudformations_word_on_recreation_counts_and_where_it_is_open_the_schema_decides(said: str, told: Any, verdict: str) -> None:
    of = context(
        {"Type": BUCKET, "Properties": {"BucketName": "a", "Tags": []}}, {"Type": BUCKET, "Properties": {"BucketName": "b", "Tags": []}}
    )
    found = one(raw(details=(detail("BucketName", requires_recreation=said),), replacement="Conditional"), of)
    (change,) = found.properties
    assert (change.recreation, change.values_from, change.before, change.after) == (told, "template", Known(text="a"), Known(text="b"))
    assert found.replacement.verdict == verdict


@pytest.mark.parametrize(("word", "verdict", "because"), [("True", "yes", ("BucketName",)), ("False", "no", ()), ("", "no", ())])
def test_a_replacement_that_is_told_names_what_always_causes_it(word: str, verdict: str, because: tuple[str, ...]) -> None:
    details = (detail("BucketName", before="a", after="b", requires_recreation="Always"), detail(before="a", after="b"))
    assert one(raw(details=details, replacement=word), same()).replacement == Replacement(verdict=verdict, because=because)  # type: ignore[arg-type]


@pytest.mark.parametrize("drift", [{"before_from": "ACTUAL_STATE"}, {"drift_detected_at": "2026"}, {}])
def test_drift_is_told_with_what_is_there_and_nothing_that_the_template_adds(drift: dict[str, str]) -> None:
    of = context(*({"Type": BUCKET, "Properties": {"AccessControl": {"B": {"C": each}}}} for each in ("a", "b")))
    (found,) = one(raw(details=(detail(before="actual", after="b", **drift),)), of).properties
    if drift:
        assert (found.path, found.before, found.drifted) == ("AccessControl", Known(text="actual"), True)
    else:
        assert (found.path, found.before, found.drifted) == ("AccessControl.B.C", Known(text="a"), False)


LISTS = (
    {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]},
    {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "3"}]},
    {"Tags": [{"Key": "b", "Value": "3"}, {"Key": "a", "Value": "1"}]},
)


@pytest.mark.parametrize(
    ("old", "new", "path", "told"),
    [
        (LISTS[0], LISTS[1], "/Properties/Tags/1/Value", [("Tags[b].Value", "x", "y")]),
        # Another item stands there: the templates say what differs.
        (LISTS[0], LISTS[2], "/Properties/Tags/1/Value", [("Tags", None, None), ("Tags[b].Value", "2", "3")]),
        (LISTS[0], LISTS[1], "/Properties/Tags/1", [("Tags[b].Value", "2", "3")]),
        (LISTS[0], LISTS[1], "/Properties/Tags/7/Value", [("Tags[b].Value", "2", "3")]),
    ],
)
def test_items_of_a_list_go_by_name(old: dict[str, Any], new: dict[str, Any], path: str, told: list[tuple[str, Any, Any]]) -> None:
    of = context({"Type": BUCKET, "Properties": old}, {"Type": BUCKET, "Properties": new})
    found = one(raw(details=(detail("Tags", path=path, before="x", after="y"),)), of).properties
    assert {p.path: (p.before and p.before.text, p.after and p.after.text) for p in found if p.path != "Tags"} == {  # type: ignore[union-attr]
        path: (before, after) for path, before, after in told if path != "Tags"
    }


# --- causes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "entity", "cause"),
    [
        ("ParameterReference", "P", ("parameter P",)),
        ("ResourceReference", "Y", ("resource Y",)),
        ("ResourceAttribute", "Y.Arn", ("resource Y.Arn",)),
        ("DirectModification", "", ()),
        ("ParameterReference", "", ()),
    ],
)
def test_what_makes_a_property_change_is_named(source: str, entity: str, cause: tuple[str, ...]) -> None:
    (found,) = one(raw(details=(detail(change_source=source, causing_entity=entity, evaluation="Dynamic"),)), same()).properties
    assert (found.path, found.because_of) == ("AccessControl", cause)


def test_several_causes_of_one_property_are_each_named_once() -> None:
    details = tuple(detail(change_source="ResourceReference", causing_entity=entity, evaluation="Dynamic") for entity in ("Y", "Z", "Y"))
    (found,) = one(raw(details=details), same()).properties
    assert found.because_of == ("resource Y", "resource Z")


def test_what_is_changed_directly_has_no_cause() -> None:
    direct = detail(change_source="DirectModification")
    caused = detail(change_source="ResourceReference", causing_entity="Y", evaluation="Dynamic")
    for details in ((direct, caused), (caused, direct)):
        (found,) = one(raw(details=details), same()).properties
        assert (found.is_open, found.because_of) == (True, ())


REFERRING = {
    "Type": TOPIC,
    "Properties": {
        "A": {"Ref": "Y"},
        "B": {"Fn::GetAtt": ["Y", "Arn"]},
        "C": [{"Fn::GetAtt": ["Y", "Arn.Part"]}],
        "D": {"Ref": "Z"},
        "E": "Y",
    },
}


@pytest.mark.parametrize(
    ("entity", "paths"),
    [("Y", ("A", "B", "C")), ("Y.Arn", ("B", "C")), ("Y.Arn.Part", ("C",)), ("Y.Ar", ()), ("Z", ("D",)), ("Z.Arn", ()), ("W", ())],
)
def test_who_refers_to_a_resource_or_to_one_of_its_attributes(entity: str, paths: tuple[str, ...]) -> None:
    found = referring(entity, "X", "Properties", context(None, REFERRING))
    assert tuple(path.partition("[")[0] for path in found) == paths
    assert referring(entity, "W", "Properties", context(None, REFERRING)) == ()


def test_the_unaffected_are_those_of_which_every_value_stays() -> None:
    stays = ResourceChange(logical_id="X", resource_type="T", action="modify", properties=(PropertyChange(path="A", keeps=True),))
    moves = msgspec.structs.replace(stays, properties=(PropertyChange(path="A"),))
    assert unaffected([stays, moves]) == (stays,)
