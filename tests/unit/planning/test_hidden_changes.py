"""Whatever a plan hides keeps its value: random stacks and edits, planned, executed, and compared with what was said."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from planning.model import Options, StackPlan
from planning.plan import make_plan
from planning.request import Request
from review import shown
from templates.schemas import Schema
from tests.simulated import Small, literal, small_assembly
from tests.simulated_provisioning import Provisioned, ProvisionedGateways

THING = Schema(
    create_only=frozenset({("Fixed",), ("Nested", "Fixed")}),
    read_only=frozenset({("Arn",), ("Revision",), ("StreamArn",), ("Latest", "Name")}),
    primary_identifier=frozenset({("Id",)}),
    type_name="Test::Made::Thing",
)


@dataclass(frozen=True)
class OneSchema:
    """`Schemas` of one type."""

    def of(self, resource_type: str, region: str) -> Schema | None:
        return THING if resource_type == "Test::Made::Thing" else None


NAMES = ("A", "B", "C", "D")
WORDS = st.sampled_from(["x", "y"])


def value(number: int) -> st.SearchStrategy[Any]:
    """A text, the parameter, or a reference to a resource before."""
    plain = WORDS | st.just({"Ref": "P"})
    if number == 0:
        return plain
    before = st.sampled_from(NAMES[:number])
    attribute = st.sampled_from(["Arn", "Id", "Revision", "StreamArn", "Latest.Name"])
    reference = st.builds(lambda n: {"Ref": n}, before) | st.builds(lambda n, a: {"Fn::GetAtt": [n, a]}, before, attribute)
    text = st.builds(lambda n, a, w: {"Fn::Sub": f"{w}-${{{n}.{a}}}"}, before, attribute, WORDS)
    joined = st.builds(lambda r: {"Fn::Join": ["-", ["x", r]]}, reference)
    return plain | reference | text | joined


@st.composite
def resource(draw: Any, number: int) -> dict[str, Any]:
    items = st.lists(
        st.fixed_dictionaries({"Key": st.sampled_from(["k", "l"]), "Value": value(number)}), max_size=2, unique_by=lambda i: i["Key"]
    )
    fields = {
        "Fixed": value(number),
        "Free": value(number),
        "Nested": st.fixed_dictionaries({"Fixed": value(number), "Free": value(number)}),
    }
    return {"Type": "Test::Made::Thing", "Properties": draw(st.fixed_dictionaries({}, optional={**fields, "Tags": items}))}


@st.composite
def edits(draw: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A template's resources, and the same with some of them drawn again or gone."""
    before = {name: draw(resource(number)) for number, name in enumerate(NAMES)}
    after = json.loads(json.dumps(before))
    for name in draw(st.sets(st.sampled_from(NAMES), max_size=2)):
        number = NAMES.index(name)
        field = draw(st.sampled_from(["Fixed", "Free", "Tags", ""]))
        drawn = draw(resource(number))
        if field and field in drawn["Properties"]:
            after[name]["Properties"][field] = drawn["Properties"][field]
        elif not field:
            after[name] = drawn
    return before, after


def plan_of(resources: dict[str, Any], parameter: str, gateways: ProvisionedGateways, nonce: str) -> StackPlan:
    template = {"Parameters": {"P": {"Type": "String"}}, "Resources": resources}
    assembly, templates = small_assembly(Small(id="it", template=template, parameters=(literal("P", parameter),)))
    request = Request(
        assembly=assembly, templates=templates, options=Options(), created_at="2026-11-22T10:00:00Z", created_by="me", nonce=nonce
    )
    [plan] = make_plan(request, gateways, OneSchema(), workers=1).stacks  # type: ignore[arg-type]
    assert isinstance(plan, StackPlan)
    return plan


def execute(plan: StackPlan, gateways: ProvisionedGateways) -> dict[str, Any]:
    place = gateways.at("eu-west-1")
    assert isinstance(place, Provisioned)
    if plan.change_set is not None:
        place.execute_change_set(ChangeSetName=plan.change_set.arn, StackName=plan.change_set.stack_arn)
    return dict(place.resources[plan.stack_name])


@settings(max_examples=150, deadline=None)
@given(edit=edits(), parameters=st.tuples(WORDS, WORDS), no_values=st.booleans())
def test_what_is_hidden_keeps_its_value(edit: tuple[dict[str, Any], dict[str, Any]], parameters: tuple[str, str], no_values: bool) -> None:
    gateways = ProvisionedGateways(schemas=OneSchema())  # type: ignore[arg-type]
    gateways.faults.no_values = no_values
    old = execute(plan_of(edit[0], parameters[0], gateways, "first"), gateways)
    plan = plan_of(edit[1], parameters[1], gateways, "second")
    new = execute(plan, gateways)
    told = {change.logical_id: change for change in shown.changing(plan.resources)}
    for name in NAMES:
        if name not in told:
            assert new.get(name) == old.get(name), f"{name} changed, and the review was silent"
    for change in plan.resources:
        if change.action != "modify":
            continue
        before, after = old[change.logical_id], new[change.logical_id]
        for item in change.properties:
            top = item.path.partition(".")[0].partition("[")[0]
            shown_beside = any(p.path.startswith(top) for p in shown.properties(change))
            if item.keeps and not shown_beside:
                assert before.properties.get(top) == after.properties.get(top), f"{change.logical_id}.{item.path} is hidden and changes"
        if change.replacement.verdict == "no":
            assert before.physical_id == after.physical_id, f"{change.logical_id} is replaced, and the review said it is not"
