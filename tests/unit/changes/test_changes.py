"""Templates resolved, changes put together, placeholder values and replacement: the pure parts of planning."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreement.compare import agrees, differences
from aws.cloudformation.change_sets import ChangeSetDescription, RawChange, RawDetail
from changes.by_template import all_from_templates
from changes.change_set import dotted, from_change_set
from changes.context import Context
from changes.model import PropertyChange, Replacement, ResourceChange
from changes.structure import differences_of, same
from planning.outputs import output_after
from templates.intrinsics import Scope, after_mark, marked, references, resolve, resolved_resources, secret_mark, unresolved, value_of
from templates.placeholders import accepts, placeholder
from templates.schemas import Schema, bundled, segments
from templates.values import Known, Redacted, Unknown

SCHEMAS = bundled()


def scope(template: dict[str, Any] | None = None, **parameters: str) -> Scope:
    return Scope(template=template or {}, parameters=parameters, account_id="123456789012", region="eu-west-1", stack_name="demo")


DECLARED = {"Parameters": {"A": {"Type": "String"}, "L": {"Type": "CommaDelimitedList"}, "D": {"Type": "String", "Default": "d"}}}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "A"}, "a"),
        ({"Ref": "D"}, "d"),
        ({"Ref": "L"}, ["x", "y"]),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Ref": "Bucket"}, {"Ref": "Bucket"}),
        ({"Fn::Sub": "${A}-${AWS::AccountId}-${!Kept}"}, "a-123456789012-${Kept}"),
        ({"Fn::Sub": ["${X}/${A}", {"X": {"Ref": "D"}}]}, "d/a"),
        ({"Fn::Sub": "${A}-${Bucket.Arn}"}, {"Fn::Sub": "a-${Bucket.Arn}"}),
        ({"Fn::Join": ["-", ["x", {"Ref": "A"}]]}, "x-a"),
        ({"Fn::Join": ["-", {"Ref": "L"}]}, "x-y"),
        ({"Fn::Select": [1, {"Fn::Split": [".", "p.q"]}]}, "q"),
        ({"Fn::GetAtt": "Bucket.Arn"}, {"Fn::GetAtt": ["Bucket", "Arn"]}),
        ({"K": {"Ref": "AWS::NoValue"}, "M": [{"Ref": "AWS::NoValue"}, 1]}, {"M": [1]}),
        ({"Fn::If": ["Yes", "y", "n"]}, "y"),
        ({"Fn::If": ["No", "y", {"Ref": "AWS::NoValue"}]}, None),
        ({"Fn::FindInMap": ["Map", "k", "v"]}, "found"),
    ],
)
def test_what_can_be_computed_is(value: Any, expected: Any) -> None:
    template = DECLARED | {
        "Conditions": {"Yes": {"Fn::Equals": [{"Ref": "A"}, "a"]}, "No": {"Fn::Not": [{"Condition": "Yes"}]}},
        "Mappings": {"Map": {"k": {"v": "found"}}},
    }
    assert resolve(value, scope(template, A="a", L="x, y")) == expected


def test_a_resource_whose_condition_is_false_is_not_there() -> None:
    template = {
        "Conditions": {"No": {"Fn::Equals": ["a", "b"]}},
        "Resources": {"One": {"Type": "T", "Condition": "No"}, "Two": {"Type": "T", "DependsOn": "One"}},
    }
    assert resolved_resources(scope(template)) == {"Two": {"Type": "T"}}


def test_a_condition_on_an_unknown_value_decides_nothing() -> None:
    template = {"Parameters": {"A": {"Type": "String"}}, "Conditions": {"C": {"Fn::Equals": [{"Ref": "A"}, ""]}}}
    value = resolve({"Fn::If": ["C", "y", "n"]}, scope(template, A=after_mark("s.O")))
    assert value == {"Fn::If": ["C", "y", "n"]}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["Ref", "Fn::Sub", "Fn::If", "Fn::Join", "Fn::Split", "Fn::GetAtt", "a", "b"]), inner, max_size=2)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(value=JSON)
def test_no_template_makes_resolving_fail(value: Any) -> None:
    found = resolve(value, scope({"Resources": value if isinstance(value, dict) else {}}))
    unresolved(found), references(found), marked(found), value_of(found)


@given(secret=st.text("abcdef0123456789$", min_size=4, max_size=20))
def test_a_mark_never_becomes_a_text_with_the_secret(secret: str) -> None:
    assert value_of(secret_mark("Hash", "new")) == Redacted()
    whole = value_of({"Code": {"a": [f"x{secret_mark('Hash', 'new')}y"]}})
    assert isinstance(whole, Known) and "(hidden)" in whole.text and "\x1f" not in whole.text


def test_a_mark_survives_functions() -> None:
    template = {"Parameters": {"Arn": {"Type": "String"}}}
    value = {"Fn::Join": ["", ["x-", {"Fn::Select": [5, {"Fn::Split": [":", {"Ref": "Arn"}]}]}]]}
    assert value_of(resolve(value, scope(template, Arn=after_mark("a.Arn")))) == Unknown(text="x-{known after a.Arn}", after=("a.Arn",))


# --- differences --------------------------------------------------------------------------------------------------


def applied(before: Any, after: Any) -> None:
    """Every difference is real, and there is one exactly when they differ."""
    found = list(differences_of(before, after, "p"))
    assert bool(found) != same(before, after)
    assert all(not same(old, new) for _, old, new in found)


PLAIN = st.recursive(
    st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b", "1", "true"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(before=PLAIN, after=PLAIN)
def test_differences_are_there_exactly_where_values_differ(before: Any, after: Any) -> None:
    applied(before, after)


def test_numbers_and_booleans_are_texts_to_cloudformation() -> None:
    assert list(differences_of({"a": 1, "b": True}, {"a": "1", "b": "true"})) == []


def test_lists_are_aligned() -> None:
    before = [{"Id": "a", "V": 1}, {"Id": "b", "V": 1}]
    after = [{"Id": "new", "V": 0}, {"Id": "a", "V": 1}, {"Id": "b", "V": 2}]
    assert list(differences_of(before, after, "Origins")) == [
        ("Origins[new]", None, {"Id": "new", "V": 0}),
        ("Origins[b].V", 1, 2),
    ]


def test_paths_of_cloudformation_become_ours() -> None:
    assert dotted("/Properties/DistributionConfig/Origins/0/Id", "DistributionConfig") == "DistributionConfig.Origins[0].Id"
    assert dotted("", "Tags") == "Tags"
    assert dotted("/Properties", "Name") == "Name"


# --- replacement --------------------------------------------------------------------------------------------------


def bucket(**properties: Any) -> dict[str, Any]:
    return {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties}}


def context(before: Any, after: Any) -> Context:
    return Context(before=before, after=after, schemas=SCHEMAS, region="eu-west-1")


def raw(*details: RawDetail, replacement: str = "Conditional", logical_id: str = "Bucket", kind: str = "AWS::S3::Bucket") -> RawChange:
    return RawChange(action="Modify", logical_id=logical_id, resource_type=kind, replacement=replacement, details=details)


def description(*changes: RawChange) -> ChangeSetDescription:
    return ChangeSetDescription(
        arn="arn",
        name="n",
        stack_arn="s",
        stack_name="s",
        status="CREATE_COMPLETE",
        status_reason="",
        execution_status="AVAILABLE",
        created_at="",
        with_values=changes,
        without_values=changes,
    )


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ({"BucketName": "a"}, {"BucketName": "b"}, "yes"),
        ({"VersioningConfiguration": {"Status": "Suspended"}}, {"VersioningConfiguration": {"Status": "Enabled"}}, "no"),
    ],
)
def test_conditional_is_settled_by_the_schema(before: Any, after: Any, verdict: str) -> None:
    name = next(iter(before))
    change = raw(RawDetail(attribute="Properties", name=name, requires_recreation="Conditionally"))
    [found] = from_change_set(description(change), context(bucket(**before), bucket(**after)))
    assert (found.replacement.verdict, found.replacement.by) == (verdict, "schema")


def test_a_conditionally_create_only_property_stays_open() -> None:
    def table(key: str) -> dict[str, Any]:
        return {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"KeySchema": [{"AttributeName": key, "KeyType": "HASH"}]}}}

    change = raw(
        RawDetail(attribute="Properties", name="KeySchema", requires_recreation="Conditionally"),
        logical_id="Table",
        kind="AWS::DynamoDB::Table",
    )
    [found] = from_change_set(description(change), context(table("a"), table("b")))
    assert found.replacement.verdict == "maybe" and found.loses_data


def test_cloudformations_own_verdict_stands() -> None:
    change = raw(RawDetail(attribute="Properties", name="Tags", requires_recreation="Always", before="a", after="b"), replacement="True")
    [found] = from_change_set(description(change), context(bucket(), bucket()))
    assert found.replacement == Replacement(verdict="yes", by="cloudformation", because=("Tags",))


def test_a_reference_to_something_that_stays_replaces_nothing() -> None:
    version = {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}}
    before = {"Function": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 128}}, "Version": version}
    after = {"Function": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 256}}, "Version": version}
    changes = (
        raw(
            RawDetail(attribute="Properties", name="MemorySize", requires_recreation="Never"),
            replacement="False",
            logical_id="Function",
            kind="AWS::Lambda::Function",
        ),
        raw(
            RawDetail(
                attribute="Properties",
                name="FunctionName",
                requires_recreation="Always",
                evaluation="Dynamic",
                change_source="ResourceReference",
                causing_entity="Function",
            ),
            logical_id="Version",
            kind="AWS::Lambda::Version",
        ),
    )
    found = {c.logical_id: c for c in from_change_set(description(*changes), context(before, after))}
    assert found["Version"].replacement == Replacement(verdict="no", by="schema")


def test_schema_paths() -> None:
    schema = Schema(create_only=frozenset({("A", "B"), ("L", "*", "C")}), conditional_create_only=frozenset({("K",)}))
    assert [schema.recreation(p) for p in ("A.B", "A.B.C", "A", "A.X", "L[3].C", "L", "K.X", "Z")] == [
        "always", "always", "conditionally", "never", "always", "conditionally", "conditionally", "never",
    ]  # fmt: skip
    assert segments("A.B[0].C") == ("A", "B", "*", "C")


def test_kept_data_is_not_lost() -> None:
    before = {"Bucket": bucket()["Bucket"] | {"DeletionPolicy": "Retain"}, "Other": bucket()["Bucket"]}
    found = {c.logical_id: c for c in all_from_templates(context(before, {}))}
    assert found["Bucket"].endangers_data and not found["Bucket"].loses_data
    assert found["Other"].loses_data


def test_outputs_that_can_be_told_before() -> None:
    changes = (ResourceChange(logical_id="Bucket", resource_type="AWS::S3::Bucket", action="modify"),)
    about = context(bucket(), bucket(Tags=[]))
    arn = {"Fn::GetAtt": ["Bucket", "Arn"]}
    assert output_after("literal", None, None, changes, about) == "literal"
    assert output_after(arn, "arn:live", arn, changes, about) == "arn:live"
    assert output_after(arn, None, None, changes, about) is None
    replaced = (msgspec.structs.replace(changes[0], replacement=Replacement(verdict="maybe")),)
    assert output_after(arn, "arn:live", arn, replaced, about) is None
    assert output_after(after_mark("a.B"), "x", "y", changes, about) is None


# --- approved and real --------------------------------------------------------------------------------------------


def modified(*properties: PropertyChange, **more: Any) -> ResourceChange:
    return ResourceChange(logical_id="R", resource_type="AWS::S3::Bucket", action="modify", properties=properties, **more)


UNKNOWN = Unknown(text="arn:{known after a.B}/*", after=("a.B",))


def test_a_placeholder_may_become_anything_that_fits_around_it() -> None:
    assert agrees(UNKNOWN, Known(text="arn:real/*"))
    assert not agrees(UNKNOWN, Known(text="other:real/*"))
    assert not agrees(UNKNOWN, None)
    assert agrees(Known(text="x"), Known(text="x")) and not agrees(Known(text="x"), Known(text="y"))


def test_what_was_not_approved_is_named() -> None:
    approved = (modified(PropertyChange(path="A", before=Known(text="1"), after=UNKNOWN)),)
    real = modified(PropertyChange(path="A", before=Known(text="1"), after=Known(text="arn:x/*")))
    assert differences(approved, (real,)) == ()
    assert differences(approved, ()) == (), "all of it waited for a value, which turned out to be the one that is there"
    for unexpected, words in (
        (modified(*real.properties, PropertyChange(path="B", after=Known(text="2"))), "R.B: changes"),
        (modified(*real.properties, replacement=Replacement(verdict="yes", because=("A",))), "would be replaced because of A"),
        (modified(PropertyChange(path="A", before=Known(text="1"), after=Known(text="nope"))), "becomes 'nope'"),
        (msgspec.structs.replace(real, action="remove", holds_data=True), "would be removed"),
    ):
        assert words in "\n".join(differences(approved, (unexpected,)))
    extra = ResourceChange(logical_id="New", resource_type="T", action="add")
    assert differences(approved, (real, extra)) == ("New: would be added, which was not in the approved plan",)
    known = (modified(PropertyChange(path="A", before=Known(text="1"), after=Known(text="2"))),)
    assert differences(known, ()) == ("R: was to be modified, and now is not touched",)


@given(st.lists(st.sampled_from("abc"), unique=True))
def test_the_same_changes_do_not_differ(names: list[str]) -> None:
    changes = tuple(msgspec.structs.replace(modified(PropertyChange(path=n, after=Known(text=n))), logical_id=n) for n in names)
    assert differences(changes, tuple(reversed(changes))) == ()


# --- placeholder values ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "attribute", "pattern"),
    [
        ("AWS::CertificateManager::Certificate", "", r"arn:aws:acm:eu-west-1:123456789012:certificate/[0-9a-f-]{36}"),
        ("AWS::Lambda::Version", "FunctionArn", r"arn:aws:lambda:eu-west-1:123456789012:function:[\w-]+:\d+"),
        ("AWS::S3::Bucket", "RegionalDomainName", r"[a-z0-9-]+\.s3\.eu-west-1\.amazonaws\.com"),
        ("AWS::CloudFront::Distribution", "DomainName", r"d[a-z0-9]{13}\.cloudfront\.net"),
        ("AWS::CloudFront::Distribution", "", r"E[A-Z0-9]{13}"),
        ("AWS::IAM::Role", "Arn", r"arn:aws:iam::\d{12}:role/.+"),
        ("AWS::Route53::HostedZone", "Id", r"Z[A-Z0-9]{10,32}"),
    ],
)
def test_placeholders_have_the_format_of_the_real_thing(kind: str, attribute: str, pattern: str) -> None:
    expression = {"Fn::GetAtt": ["R", attribute]} if attribute else {"Ref": "R"}
    declaration = {"Type": "String", "AllowedPattern": pattern}
    value = placeholder("a.Out", expression, {"R": kind}, declaration, account_id="123456789012", region="eu-west-1")
    assert value is not None and re.fullmatch(pattern, value)
    assert value == placeholder("a.Out", expression, {"R": kind}, declaration, account_id="123456789012", region="eu-west-1")
    assert value != placeholder("b.Out", expression, {"R": kind}, declaration, account_id="123456789012", region="eu-west-1")


@given(
    name=st.text("abcXYZ", min_size=1, max_size=6),
    declaration=st.fixed_dictionaries(
        {},
        optional={
            "AllowedPattern": st.sampled_from(["arn:.*", "[0-9]+", "E[A-Z0-9]+", "impossible", "[", "x{3}"]),
            "AllowedValues": st.lists(st.sampled_from(["one", "arn:x", "7"]), min_size=1, max_size=2),
            "MinLength": st.integers(0, 40),
            "MaxLength": st.integers(0, 60),
            "Type": st.sampled_from(["String", "Number"]),
        },
    ),
)
def test_a_placeholder_is_accepted_or_there_is_none(name: str, declaration: dict[str, Any]) -> None:
    value = placeholder(f"s.{name}", None, {}, declaration, account_id="123456789012", region="eu-west-1")
    assert value is None or accepts(declaration, value)


def test_a_secret_in_cloudformations_own_words_is_hidden() -> None:
    about = plain_context(secrets=("s3cret-hash",))
    change = raw(RawDetail(attribute="Properties", name="X", before="a", after="hash is s3cret-hash", requires_recreation="Never"))
    [found] = from_change_set(description(change), about)
    assert found.properties[0].after == Known(text="hash is (hidden)")
    assert "s3cret" not in json.dumps(msgspec.to_builtins(found))


def test_a_value_in_which_a_template_has_a_secret_is_never_cloudformations() -> None:
    """The secret before is not known here, so it cannot be searched for: the property itself is what tells."""
    before = {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"X": secret_mark("Hash", "current")}}}
    after = {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"X": secret_mark("Hash", "new")}}}
    change = raw(RawDetail(attribute="Properties", name="X", before="earlier-secret", after="later-secret", requires_recreation="Never"))
    [found] = from_change_set(description(change), context(before, after))
    assert [(p.before, p.after) for p in found.properties] == [(Redacted(), Redacted())]


def plain_context(**more: Any) -> Context:
    return Context(before=bucket(), after=bucket(), schemas=SCHEMAS, region="eu-west-1", **more)
