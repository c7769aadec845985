"""Which property a cause belongs to, and what may not be called unchanged."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from agreement.compare import differences
from aws.cloudformation.change_sets import RawDetail
from changes.causes import belongs, keeps_value, settle_causes
from changes.change_set import from_change_set
from changes.context import Context
from changes.model import PropertyChange, Replacement, ResourceChange
from templates.intrinsics import Scope, after_mark, resolved_resources
from templates.schemas import bundled
from templates.values import Known
from tests.unit.changes.test_changes import description, raw

SCHEMAS = bundled()
DISTRIBUTION, POLICY = "AWS::CloudFront::Distribution", "AWS::S3::BucketPolicy"


def template(price: str = "PriceClass_100", /, **policy: Any) -> dict[str, Any]:
    """A distribution, and a bucket policy that refers to it."""
    config = {"PriceClass": price, "Comment": {"Ref": "Version"}, "Origins": [{"Id": "site", "DomainName": "a"}]}
    properties = {"Bucket": "b", "PolicyDocument": {"Statement": [{"Sid": "Read", "Resource": {"Fn::Sub": "x/${Distribution}"}}]}, **policy}
    return {
        "Parameters": {"Version": {"Type": "String"}, "Looked": {"Type": "AWS::SSM::Parameter::Value<String>"}},
        "Resources": {
            "Distribution": {"Type": DISTRIBUTION, "Properties": {"DistributionConfig": config}},
            "Policy": {"Type": POLICY, "Properties": properties},
        },
    }


def context(before: dict[str, Any], after: dict[str, Any], old: str = "1", new: str = "1", **more: Any) -> Context:
    def resources(body: dict[str, Any], version: str) -> Any:
        parameters = {"Version": version, "Looked": "/a/b"}
        return resolved_resources(Scope(template=body, parameters=parameters, account_id="1" * 12, region="eu-west-1", stack_name="s"))

    def blurred(name: str) -> Any:
        return resources(after, after_mark(name) if name == "Version" else new)

    return Context(
        before=resources(before, old), after=resources(after, new), schemas=SCHEMAS, region="eu-west-1", **{"blurred": blurred, **more}
    )


def reference(source: str = "ResourceReference", entity: str = "Distribution", **more: Any) -> RawDetail:
    return RawDetail(
        **{"attribute": "Properties", "name": "PolicyDocument", "requires_recreation": "Never", "evaluation": "Dynamic", **more},
        change_source=source,
        causing_entity=entity,
    )


PRICE = RawDetail(
    attribute="Properties", name="DistributionConfig", requires_recreation="Never", change_source="DirectModification", evaluation="Static"
)


def policy_of(where: Context, *details: RawDetail) -> ResourceChange:
    changes = (
        raw(PRICE, logical_id="Distribution", kind=DISTRIBUTION, replacement="False"),
        raw(*details, logical_id="Policy", kind=POLICY, replacement="False"),
    )
    return next(c for c in from_change_set(description(*changes), where) if c.logical_id == "Policy")


def test_what_refers_to_something_modified_in_place_is_unaffected() -> None:
    assert policy_of(context(template(), template("PriceClass_200")), reference()).unaffected


LOOKED = {"PolicyDocument": {"Statement": [{"Sid": "Read", "Resource": [{"Ref": "Looked"}, {"Ref": "Distribution"}]}]}}
IMPORTED = {"PolicyDocument": {"Statement": [{"Sid": "Read", "Resource": [{"Fn::ImportValue": "v"}, {"Ref": "Distribution"}]}]}}
DYNAMIC = {"PolicyDocument": {"Statement": [{"Sid": "Read", "Resource": ["{{resolve:ssm:/a}}", {"Ref": "Distribution"}]}]}}
LISTED = {"PolicyDocument": {"Fn::If": ["Unknown", {"Ref": "Distribution"}, "b"]}}


@pytest.mark.parametrize(
    ("policy", "detail", "more"),
    [
        (LOOKED, reference("ParameterReference", "Looked"), {}),
        (IMPORTED, reference("", ""), {}),
        (DYNAMIC, reference("", ""), {}),
        (LISTED, reference("ResourceAttribute", "Distribution.Whatever"), {}),
        ({}, reference("ResourceAttribute", "Distribution.LastModifiedTime"), {}),
        ({}, reference("DirectModification", "", evaluation="Static"), {}),
        ({}, reference(drift_detected_at="2026-11-27"), {}),
        ({}, reference(), {"comparable": False}),
        ({}, reference(attribute="Tags", name="Tags"), {}),
        ({}, reference(attribute="Metadata", name=""), {}),
    ],
    ids=[
        "looked up",
        "imported",
        "dynamic reference",
        "open condition",
        "unknown attribute",
        "said to be direct",
        "drifted",
        "no template",
        "tags",
        "metadata",
    ],
)
def test_what_cannot_be_settled_is_shown(policy: dict[str, Any], detail: RawDetail, more: dict[str, Any]) -> None:
    assert not policy_of(context(template(**policy), template("PriceClass_200", **policy), **more), detail).unaffected


def test_an_imported_value_beside_a_reference_that_stays_is_shown() -> None:
    for policy in (IMPORTED, DYNAMIC, LOOKED):
        found = policy_of(context(template(**policy), template("PriceClass_200", **policy)), reference("ParameterReference", "Version"))
        assert not found.unaffected


def test_a_cause_is_told_of_the_property_that_depends_on_it() -> None:
    where = context(template(), template("PriceClass_200"), "1", "2")
    blamed = msgspec.structs.replace(PRICE, change_source="ParameterReference", causing_entity="Version")
    [change] = from_change_set(description(raw(PRICE, blamed, logical_id="Distribution", kind=DISTRIBUTION, replacement="False")), where)
    assert {p.path: p.because_of for p in change.properties} == {
        "DistributionConfig.PriceClass": (),
        "DistributionConfig.Comment": ("parameter Version",),
    }


def test_a_reference_that_may_move_is_shown_beside_an_edit_of_the_same_property() -> None:
    """A replaced bucket moves an origin, although the template's only change is the price class."""
    before, after = template(), template("PriceClass_200")
    for body, name in ((before, "a"), (after, "b")):
        body["Resources"]["Bucket"] = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}
        body["Resources"]["Distribution"]["Properties"]["DistributionConfig"]["Origins"] = [
            {"Id": "site", "DomainName": {"Fn::GetAtt": ["Bucket", "RegionalDomainName"]}}
        ]
    renamed = RawDetail(
        attribute="Properties", name="BucketName", requires_recreation="Always", change_source="DirectModification", evaluation="Static"
    )
    moved = reference("ResourceAttribute", "Bucket.RegionalDomainName", name="DistributionConfig")
    changes = (
        raw(renamed, logical_id="Bucket", kind="AWS::S3::Bucket", replacement="True"),
        raw(PRICE, moved, logical_id="Distribution", kind=DISTRIBUTION, replacement="False"),
    )
    found = {c.logical_id: c for c in from_change_set(description(*changes), context(before, after))}
    told = {p.path: p.because_of for p in found["Distribution"].properties if not p.keeps}
    assert told == {
        "DistributionConfig.PriceClass": (),
        "DistributionConfig.Origins[site].DomainName": ("resource Bucket.RegionalDomainName",),
    }


def test_a_reference_in_two_places_is_open_in_both() -> None:
    """The edit of one is told as an edit; the other may move without one."""
    origin = {"Fn::GetAtt": ["Bucket", "RegionalDomainName"]}
    before, after = template(), template()
    for body, name, added in ((before, "a", []), (after, "b", [{"Id": "new", "DomainName": origin}])):
        body["Resources"]["Bucket"] = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}
        body["Resources"]["Distribution"]["Properties"]["DistributionConfig"]["Origins"] = [{"Id": "site", "DomainName": origin}, *added]
    renamed = RawDetail(
        attribute="Properties", name="BucketName", requires_recreation="Always", change_source="DirectModification", evaluation="Static"
    )
    moved = reference("ResourceAttribute", "Bucket.RegionalDomainName", name="DistributionConfig")
    changes = (
        raw(renamed, logical_id="Bucket", kind="AWS::S3::Bucket", replacement="True"),
        raw(PRICE, moved, logical_id="Distribution", kind=DISTRIBUTION, replacement="False"),
    )
    found = {c.logical_id: c for c in from_change_set(description(*changes), context(before, after))}
    told = {p.path for p in found["Distribution"].properties if not p.keeps}
    assert told == {"DistributionConfig.Origins[new]", "DistributionConfig.Origins[site].DomainName"}


def test_a_change_that_cloudformation_calls_direct_is_no_consequence_of_a_reference() -> None:
    named = {"Bucket": {"Ref": "Distribution"}}
    direct, refers = reference("DirectModification", "", evaluation="Static", name="Bucket"), reference(name="Bucket")
    where = context(template(**named), template("PriceClass_200", **named))
    assert policy_of(where, refers).unaffected
    for details in ((direct, refers), (refers, direct)):
        assert not policy_of(where, *details).unaffected


def test_what_refers_to_a_resource_that_cloudformation_forgot_is_shown() -> None:
    before, after = template(), template()
    for body, name in ((before, "a"), (after, "b")):
        body["Resources"]["Bucket"] = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}
        body["Resources"]["Policy"]["Properties"]["Bucket"] = {"Ref": "Bucket"}
    detail = reference("ResourceReference", "Bucket", name="Bucket", requires_recreation="Always")
    changes = from_change_set(description(raw(detail, logical_id="Policy", kind=POLICY)), context(before, after))
    found = {c.logical_id: c for c in changes}
    assert not found["Bucket"].in_change_set and not found["Policy"].unaffected and found["Policy"].replacement.verdict == "maybe"


def test_a_difference_that_cloudformation_does_not_name_is_shown_beside_those_that_it_does() -> None:
    before, after = template(), template(Bucket="c")
    after["Resources"]["Policy"]["Properties"]["PolicyDocument"] = {"Statement": []}
    named = RawDetail(attribute="Properties", name="Bucket", before="b", after="c", change_source="DirectModification")
    changes = from_change_set(description(raw(named, logical_id="Policy", kind=POLICY)), context(before, after))
    assert {p.path for c in changes if c.logical_id == "Policy" for p in c.properties} == {"Bucket", "PolicyDocument.Statement[Read]"}


def test_an_open_property_whose_texts_differ_does_not_keep_its_value() -> None:
    item = PropertyChange(path="Bucket", because_of=("parameter Version",))
    change = ResourceChange(logical_id="Policy", resource_type=POLICY, action="modify", properties=(item,))
    assert settle_causes((change,), context(template(), template()))[0].unaffected
    assert not settle_causes((change,), context(template(), template(Bucket="c")))[0].unaffected


@pytest.mark.parametrize(
    ("kind", "attribute", "keeps"),
    [
        (DISTRIBUTION, "DomainName", True),
        (DISTRIBUTION, "", True),
        ("AWS::S3::Bucket", "RegionalDomainName", True),
        ("AWS::Lambda::Function", "Arn", True),
        ("AWS::SNS::Topic", "TopicArn", True),
        ("AWS::DynamoDB::Table", "Arn", True),
        ("AWS::DynamoDB::Table", "StreamArn", False),
        ("AWS::EC2::Instance", "PublicDnsName", False),
        ("AWS::EC2::LaunchTemplate", "LatestVersionNumber", False),
        ("AWS::Batch::JobDefinition", "", False),
        ("Custom::Anything", "", False),
        ("AWS::CloudFormation::CustomResource", "", False),
    ],
)
def test_what_an_update_in_place_leaves_as_it_is(kind: str, attribute: str, keeps: bool) -> None:
    body = {"R": {"Type": kind, "Properties": {}}}
    where = Context(before=body, after=body, schemas=SCHEMAS, region="eu-west-1")
    modified = ResourceChange(logical_id="R", resource_type=kind, action="modify")
    assert keeps_value(("R", attribute), {"R": modified}, where) is keeps


def test_what_was_reviewed_as_unaffected_may_not_change_and_what_might_change_may_stay() -> None:
    open_item = PropertyChange(path="Bucket", because_of=("resource Distribution",))
    real = PropertyChange(path="Bucket", before=Known(text="a"), after=Known(text="b"))

    def changed(item: PropertyChange) -> tuple[ResourceChange, ...]:
        return (ResourceChange(logical_id="Policy", resource_type=POLICY, action="modify", properties=(item,)),)

    kept = msgspec.structs.replace(open_item, keeps=True)
    assert differences(changed(kept), changed(real)) and differences(changed(kept), changed(open_item))
    assert not differences(changed(open_item), changed(kept)) and not differences(changed(kept), ())
    beside = ResourceChange(
        logical_id="Policy", resource_type=POLICY, action="modify", properties=(kept, PropertyChange(path="X", after=Known(text="x")))
    )
    assert differences((beside,), (msgspec.structs.replace(beside, properties=(open_item, beside.properties[1])),))


# --- what is left of a replacement once a cause is settled -----------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "because", "left", "policy"),
    [
        ("maybe", ("PolicyDocument",), Replacement(verdict="no", by="schema"), None),
        ("maybe", ("PolicyDocument", "Bucket"), Replacement(verdict="maybe", because=("Bucket",)), "ReplaceAndDelete"),
        ("maybe", (), Replacement(verdict="maybe"), "ReplaceAndDelete"),
        ("yes", ("PolicyDocument",), Replacement(verdict="yes"), "ReplaceAndDelete"),
        ("no", (), Replacement(verdict="no"), "ReplaceAndDelete"),
    ],
)
def test_only_an_open_replacement_ends_with_its_last_cause(verdict: Any, because: tuple[str, ...], left: Replacement, policy: Any) -> None:
    change = ResourceChange(
        logical_id="Policy",
        resource_type=POLICY,
        action="modify",
        replacement=Replacement(verdict=verdict, because=because),
        policy_action="ReplaceAndDelete",
        properties=(PropertyChange(path="PolicyDocument", because_of=("resource Distribution",)),),
    )
    (found,) = settle_causes((change,), context(template(), template()))
    assert (found.replacement, found.policy_action, [p.keeps for p in found.properties]) == (left, policy, [True])


@pytest.mark.parametrize(
    "more",
    [{"because_of": ()}, {"drifted": True}, {"attribute": "Metadata"}, {"path": ""}, {"after": Known(text="b")}, {"path": "Nowhere"}],
)
def test_what_is_not_a_mere_reference_is_not_called_unchanged(more: dict[str, Any]) -> None:
    given = {"path": "PolicyDocument", "because_of": ("resource Distribution",), **more}
    change = ResourceChange(logical_id="Policy", resource_type=POLICY, action="modify", properties=(PropertyChange(**given),))
    assert settle_causes((change,), context(template(), template())) == (change,)


def test_where_nobody_can_tell_every_property_belongs_to_a_parameter() -> None:
    of = context(template(), template(), blurred=None)
    assert belongs("parameter Version", PropertyChange(path="PolicyDocument"), "Policy", of) is True
