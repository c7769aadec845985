"""What becomes of outputs, who may apply what, and that a secret stays hidden on both sides of a change."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from assembly.model import OutputRef
from aws.cloudformation.change_sets import RawDetail
from changes.causes import under
from changes.change_set import _from_detail, _properties, dotted
from changes.context import Context
from changes.model import PropertyChange, Replacement, ResourceChange
from planning.authority import acts_as_deploy_role, beyond
from planning.inputs import Produced
from planning.model import OutputChange
from planning.outputs import changes
from templates.intrinsics import after_mark, value_of
from templates.placeholders import placeholder
from templates.schemas import Schemas
from templates.values import Known, Redacted
from tests.simulated import ACCOUNT, SimulatedGateways, Small, literal, small_assembly
from tests.unit.changes.test_changes import plain_context, raw
from tests.unit.planning.test_plan import plan_of, settled, stack_of

# --- outputs ------------------------------------------------------------------------------------------------------


def became(
    live: dict[str, str],
    outputs: dict[str, str | None],
    *secrets: str,
    hidden: frozenset[str] = frozenset(),
    resources: tuple[ResourceChange, ...] = (),
) -> list[OutputChange]:
    expressions = {name: {"Ref": "It"} for name in outputs}
    produced = Produced(outputs=outputs, expressions=expressions, hidden=hidden, account_id=ACCOUNT, region="eu-west-1")
    return list(changes(live, produced, secrets, resources))


def test_each_way_in_which_an_output_changes() -> None:
    assert became({"A": "1"}, {"A": "1"}) == []
    assert became({"A": "1"}, {}) == [OutputChange(name="A", change="remove", before=Known(text="1"))]
    assert became({}, {"A": "1"}) == [OutputChange(name="A", change="add", after=Known(text="1"))]
    assert became({}, {"A": None}) == [OutputChange(name="A", change="add", after=None)]
    assert became({"A": "1"}, {"A": "2"}) == [OutputChange(name="A", change="modify", before=Known(text="1"), after=Known(text="2"))]
    [perhaps] = became({"A": "1"}, {"A": None})
    assert (perhaps.change, perhaps.before) == ("maybe", Known(text="1")) and perhaps.after == value_of({"Ref": "It"})
    waiting = Produced(outputs={"A": None}, expressions={"A": f"x-{after_mark('b.Out')}"}, account_id=ACCOUNT, region="eu-west-1")
    assert [each.change for each in changes({"A": "1"}, waiting, (), ())] == ["maybe"]
    assert [c.name for c in became({"B": "1"}, {"C": "2", "A": "3"})] == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("action", "verdict", "logical_id", "change"),
    [
        ("add", "no", "It", "modify"),
        ("modify", "yes", "It", "modify"),
        ("modify", "maybe", "It", "maybe"),
        ("modify", "no", "It", "maybe"),
        ("add", "no", "Other", "maybe"),
    ],
)
def test_an_output_surely_changes_where_its_resource_is_another_one(action: Any, verdict: Any, logical_id: str, change: str) -> None:
    made = ResourceChange(logical_id=logical_id, resource_type="AWS::SNS::Topic", action=action, replacement=Replacement(verdict=verdict))
    assert [each.change for each in became({"A": "1"}, {"A": None}, resources=(made,))] == [change]


def test_an_output_that_would_show_a_secret_is_hidden_on_both_sides() -> None:
    [named] = became({"A": "old"}, {"A": "new"}, hidden=frozenset({"A"}))
    assert (named.before, named.after) == (Redacted(), Redacted())
    [held] = became({"A": "user:correct horse"}, {"A": "user:other"}, "correct horse")
    assert (held.before, held.after) == (Redacted(), Known(text="user:other"))
    [later] = became({"A": "old"}, {"A": None}, hidden=frozenset({"A"}))
    assert later.after == Redacted()


# --- changes ------------------------------------------------------------------------------------------------------


def test_a_secret_is_hidden_before_and_after() -> None:
    shown = _from_detail(RawDetail(name="Value", before="1", after="2"), "Value", plain_context(), hide=True)
    assert (shown.before, shown.after) == (Redacted(), Redacted())


def by_template(*properties: PropertyChange, action: Any = "modify") -> ResourceChange:
    return ResourceChange(
        logical_id="Bucket", resource_type="AWS::S3::Bucket", action=action, replacement=Replacement(verdict="no"), properties=properties
    )


def property_of(path: str, attribute: str = "Properties") -> PropertyChange:
    return PropertyChange(path=path, attribute=attribute, before=Known(text="t1"), after=Known(text="t2"), values_from="template")


def test_values_are_taken_from_the_template_at_the_same_place_and_no_other() -> None:
    detail = RawDetail(attribute="Properties", name="Name", change_source="ParameterReference", causing_entity="P")
    [found] = _properties(raw(detail), by_template(property_of("Name")), plain_context())
    assert (found.before, found.after, found.because_of) == (Known(text="t1"), Known(text="t2"), ("parameter P",))
    both = _properties(raw(detail), by_template(property_of("Name", "Metadata")), plain_context())
    assert [(p.attribute, p.path, p.values_from) for p in both] == [
        ("Properties", "Name", "change_set"),
        ("Metadata", "Name", "template"),
    ]
    beside = _properties(raw(detail), by_template(property_of("NameSuffix")), plain_context())
    assert [p.path for p in beside] == ["Name", "NameSuffix"]
    added = _properties(raw(detail), by_template(property_of("Name"), action="add"), plain_context())
    assert [(p.path, p.values_from) for p in added] == [("Name", "change_set")]
    given = RawDetail(attribute="Properties", name="Name", before="c1", after="c2")
    [own] = _properties(raw(given), by_template(property_of("Name")), plain_context())
    assert (own.before, own.after) == (Known(text="c1"), Known(text="c2"))


def test_several_causes_of_one_change_are_told_once_each() -> None:
    first = RawDetail(name="Name", before="1", after="2", change_source="ParameterReference", causing_entity="P")
    second = RawDetail(name="Name", before="1", after="2", change_source="ResourceReference", causing_entity="R")
    name = {"Fn::Sub": "x-${R}"}
    named = Context(before={}, after={"Bucket": {"Properties": {"Name": name}}}, schemas=Schemas(directory=None), region="eu-west-1")
    [found] = _properties(raw(first, second, first), None, named)
    assert found.because_of == ("parameter P", "resource R")
    nobody = RawDetail(name="Name", before="1", after="2", change_source="DirectModification", causing_entity="X")
    [direct] = _properties(raw(nobody), None, plain_context())
    assert direct.because_of == ()


def test_paths() -> None:
    assert dotted("/Properties/Tags/0/Value", "Tags") == "Tags[0].Value"
    assert dotted("/Properties/0", "Tags") == "0"
    assert dotted("/Properties", "Tags") == dotted("", "Tags") == "Tags"
    assert under("a.b", "a") and under("a[0]", "a") and under("a", "a") and under("a", "")
    assert not under("ab", "a") and not under("a", "a.b")


def test_a_live_value_that_cloudformation_hides_is_no_value() -> None:
    template = {
        "Parameters": {"Value": {"Type": "String", "NoEcho": True}},
        "Resources": {"It": {"Type": "AWS::SSM::Parameter", "Properties": {"Value": {"Ref": "Value"}}}},
    }
    gateways = SimulatedGateways()
    settled(small_assembly(Small(id="a", template=template, parameters=(literal("Value", "1"),))), gateways)
    shown = json_without_no_echo(template)
    plan = plan_of(small_assembly(Small(id="a", template=shown, parameters=(literal("Value", "2"),))), gateways, nonce="00000009")
    [parameter] = stack_of(plan, "a").parameters
    assert (parameter.before, parameter.after, parameter.changed) == (Redacted(), Known(text="2"), True)


def json_without_no_echo(template: dict[str, Any]) -> dict[str, Any]:
    return {**template, "Parameters": {"Value": {"Type": "String"}}}


# --- authority ----------------------------------------------------------------------------------------------------

ROLES = small_assembly(
    Small(id="roles", template={"Resources": {"It": {"Type": "AWS::SNS::Topic", "Properties": {}}}}),
    Small(
        id="site",
        template={"Resources": {"It": {"Type": "AWS::SNS::Topic", "Properties": {}}}},
        more={"service_role": OutputRef(stack="roles", output="Role")},
    ),
)
DEPLOYER = f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/session"


@pytest.mark.parametrize(
    ("caller", "deploys"),
    [
        (DEPLOYER, True),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy-other/session", False),
        (f"arn:aws:iam::{ACCOUNT}:user/admin", False),
        ("arn:aws:iam::210987654321:user/somebody", True),
        ("arn:aws:iam:::user/nobody", False),
        ("somebody", False),
    ],
)
def test_who_acts_as_the_deploy_role(caller: str, deploys: bool) -> None:
    assert acts_as_deploy_role(ROLES[0], caller) == deploys
    assert not acts_as_deploy_role(msgspec.structs.replace(ROLES[0], deploy_role_name=""), caller)


def test_what_makes_the_roles_is_an_administrators_work_only_where_it_changes() -> None:
    gateways = SimulatedGateways()
    plan = plan_of(ROLES, gateways)
    [found] = beyond(plan, ROLES[0], DEPLOYER)
    assert (found.code, found.stack, found.command) == ("needs_administrator", "roles", "python deploy.py apply --env test --only roles")
    every = msgspec.structs.replace(plan, stacks=tuple(msgspec.structs.replace(s, operation="create") for s in plan.stacks))
    assert [f.stack for f in beyond(every, ROLES[0], DEPLOYER)] == ["roles"], "what takes the role is the deployer's work"
    assert beyond(plan, ROLES[0], f"arn:aws:iam::{ACCOUNT}:user/admin") == ()
    for operation in ("none", "blocked"):
        unchanged = msgspec.structs.replace(plan, stacks=tuple(msgspec.structs.replace(s, operation=operation) for s in plan.stacks))
        assert beyond(unchanged, ROLES[0], DEPLOYER) == ()


@pytest.mark.parametrize(
    ("kind", "attribute", "wanted"),
    [
        ("AWS::S3::Bucket", "", r"known-after-[0-9a-f]{12}"),
        ("AWS::S3::Bucket", "Arn", r"arn:aws:s3:::known-after-[0-9a-f]{12}"),
        ("AWS::IAM::Role", "Arn", r"arn:aws:iam::123456789012:role/known-after-[0-9a-f]{12}"),
        ("AWS::Lambda::Function", "Arn", r"arn:aws:lambda:eu-west-1:123456789012:function:known-after-[0-9a-f]{12}"),
        ("AWS::Lambda::Version", "", r"arn:aws:lambda:eu-west-1:123456789012:function:known-after-[0-9a-f]{12}:1"),
    ],
)
def test_placeholders_of_what_has_a_name(kind: str, attribute: str, wanted: str) -> None:
    import re

    expression = {"Fn::GetAtt": ["It", attribute]} if attribute else {"Ref": "It"}
    found = placeholder("a.Out", expression, {"It": kind}, {}, account_id=ACCOUNT, region="eu-west-1")
    assert found is not None and re.fullmatch(wanted, found)
