"""When a change replaces, what settings differ, whose roles count, and what a list is to a plan."""

from __future__ import annotations

from typing import Any

import pytest

from changes.causes import keeps_value, settle_causes
from changes.model import PropertyChange, Replacement, ResourceChange
from changes.replacement import settled
from changes.structure import differences_of, same
from planning.model import Options
from planning.plan import make_plan
from planning.request import Request
from templates.schemas import Schemas, bundled
from templates.values import Known, Redacted, Unknown
from tests.simulated import ACCOUNT, SimulatedGateways, Small, literal, small_assembly
from tests.unit.changes.test_changes import bucket, context
from tests.unit.planning.test_plan import plan_of, stack_of, two
from tests.unit.planning.test_plan import settled as settled_plan
from tests.unit.planning.test_stacksets import LOGS, World, codes

BUCKET = bundled().of("AWS::S3::Bucket", "eu-west-1")


def change(path: str = "BucketName", recreation: Any = "conditionally", **more: Any) -> PropertyChange:
    return PropertyChange(path=path, recreation=recreation, **{"before": Known(text="a"), "after": Known(text="b"), **more})


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        (change(), "yes"),
        (change("Tags"), "no"),
        (change(""), "maybe"),
        (change(recreation="always"), "yes"),
        (change(recreation="never"), "no"),
        (change(attribute="Metadata", recreation="always"), "no"),
        (change(after=Unknown(text="{known after a.B}", after=("a.B",))), "maybe"),
        (change(before=Redacted(), after=Redacted()), "maybe"),
        (change(before=None, after=None), "maybe"),
        (change(before=None), "yes"),
        (change(after=None), "yes"),
        (change(before=Known(text="b")), "maybe"),
    ],
)
def test_the_schema_settles_what_cloudformation_leaves_open(given: PropertyChange, verdict: str) -> None:
    found = settled([given], BUCKET, by="schema")
    assert found.verdict == verdict
    assert found.because == ((given.path,) if verdict != "no" else ())


def test_without_a_schema_it_is_cloudformations_word() -> None:
    assert settled([change()], None, by="schema") == Replacement(verdict="maybe", by="cloudformation", because=("BucketName",))
    assert settled([change(), change("Other", "always")], None, by="schema").because == ("Other",)


# --- what depends on what -----------------------------------------------------------------------------------------


def resource(name: str, verdict: Any, *causes: str, action: Any = "modify", kind: str = "AWS::S3::Bucket") -> ResourceChange:
    properties = (PropertyChange(path="P", before=None, after=None, because_of=causes),) if causes else ()
    because = ("P",) if verdict == "maybe" else ()
    return ResourceChange(
        logical_id=name,
        resource_type=kind,
        action=action,
        replacement=Replacement(verdict=verdict, by="cloudformation", because=because),
        properties=properties,
        policy_action="ReplaceAndDelete",
    )


def verdicts(*changes: ResourceChange) -> dict[str, str]:
    """Templates in which each refers to what CloudFormation names as its causes."""
    there: dict[str, Any] = {name: {"Type": "AWS::S3::Bucket", "Properties": {}} for name in "ABCD"}
    for change in changes:
        causes = [cause.partition(" ") for p in change.properties for cause in p.because_of]
        there[change.logical_id]["Properties"] = {"P": [{"Ref": entity} for _, _, entity in causes]}
    return {c.logical_id: c.replacement.verdict for c in settle_causes(changes, context(there, there))}


def test_certainty_follows_references_to_the_end() -> None:
    first, second, third = resource("C", "maybe", "resource B"), resource("B", "maybe", "resource A"), resource("A", "no")
    assert verdicts(first, second, third) == {"C": "no", "B": "no", "A": "no"}
    assert verdicts(first, second, resource("A", "yes")) == {"C": "maybe", "B": "maybe", "A": "yes"}
    assert verdicts(first, resource("B", "no", action="remove")) == {"C": "maybe", "B": "no"}
    assert verdicts(resource("C", "maybe", "parameter P")) == {"C": "maybe"}
    assert verdicts(resource("C", "maybe", "resource A", "parameter P")) == {"C": "maybe"}
    assert verdicts(resource("C", "maybe", "resource New")) == {"C": "maybe"}, "it is not there yet"
    assert verdicts(resource("C", "maybe", "resource D")) == {"C": "no"}, "D does not change"
    assert verdicts(resource("B", "maybe", "resource C"), resource("C", "maybe", "resource B")) == {"B": "maybe", "C": "maybe"}


def test_what_is_certainly_not_replaced_has_no_policy_for_it() -> None:
    there = {name: {"Type": "AWS::S3::Bucket", "Properties": {"P": {"Ref": "A"}}} for name in "AB"}
    [found] = settle_causes((resource("B", "maybe", "resource A"),), context(there, there))
    assert (found.replacement, found.policy_action) == (Replacement(verdict="no", by="schema"), None)


def test_which_values_of_a_resource_stay() -> None:
    made = context(bucket(BucketName="a"), bucket(BucketName="a"))
    unchanged: dict[str, ResourceChange] = {}
    assert keeps_value(("Bucket", ""), unchanged, made) and not keeps_value(("Other", ""), unchanged, made)
    modified = {"Bucket": resource("Bucket", "no")}
    assert keeps_value(("Bucket", ""), modified, made) and keeps_value(("Bucket", "Arn"), modified, made)
    assert not keeps_value(("Bucket", "Whatever"), modified, made)
    assert not keeps_value(("Bucket", ""), {"Bucket": resource("Bucket", "yes")}, made)
    assert not keeps_value(("Bucket", ""), {"Bucket": resource("Bucket", "no", action="remove")}, made)


# --- values -------------------------------------------------------------------------------------------------------


def test_lists_of_plain_values_change_as_a_whole_and_say_the_same_as_texts() -> None:
    assert same([1, True], ["1", "true"]) and not same([1], [2]) and not same([1], [1, 1])
    assert list(differences_of([1, 2], [1, 3], "L")) == [("L", [1, 2], [1, 3])]
    assert list(differences_of([1, {"a": 1}], [1, {"a": 2}], "L")) == [("L[1].a", 1, 2)]
    assert list(differences_of([{"a": 1}], [{"a": 1}, {"b": 1}], "L")) == [("L[1]", None, {"b": 1})]
    assert list(differences_of([{"a": 1}, {"b": 1}], [{"b": 1}], "L")) == [("L[0]", {"a": 1}, None)]
    assert list(differences_of({"a": {"b": 1}}, {"a": {"c": 1}})) == [("a.b", 1, None), ("a.c", None, 1)]


# --- settings -----------------------------------------------------------------------------------------------------

POLICY = '{"Statement": []}'


def test_settings_say_what_they_were() -> None:
    gateways = SimulatedGateways()
    settled_plan(two(), gateways)
    place = gateways.at("eu-west-1")

    def planned(**more: Any) -> list[tuple[str, str, str]]:
        found = stack_of(plan_of(two(**more), gateways), "site").settings
        return [(s.setting, s.before, s.after) for s in found]

    assert planned(stack_policy=POLICY) == [("stack_policy", "", POLICY)]
    place.stacks["demo-test-site"]["_policy"] = '{"Statement": ["other"]}'
    assert planned(stack_policy=POLICY) == [("stack_policy", '{"Statement": ["other"]}', POLICY)]
    place.stacks["demo-test-site"]["_policy"] = '{ "Statement" : [] }'
    assert planned(stack_policy=POLICY) == []
    assert planned(termination_protection=True) == [("termination_protection", "off", "on")]
    place.stacks["demo-test-site"]["EnableTerminationProtection"] = True
    assert planned(termination_protection=True) == [] and planned() == []


# --- roles of StackSets -------------------------------------------------------------------------------------------

TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}]}


def role(name: str, kind: str = "AWS::IAM::Role") -> dict[str, Any]:
    return {"Resources": {"It": {"Type": kind, "Properties": {"RoleName": name, "AssumeRolePolicyDocument": TRUST}}}}


@pytest.mark.parametrize(
    ("template", "found"),
    [(role("admin"), True), (role("other"), False), (role("admin", "AWS::IAM::InstanceProfile"), False)],
)
def test_a_role_that_the_assembly_makes_counts_as_there(template: dict[str, Any], found: bool) -> None:
    world = World(accounts=(ACCOUNT,))
    world.gateways.targets.roles[ACCOUNT, "admin"] = None
    target = world.assembly()[0].stacks[0].stackset
    made = small_assembly(
        Small(id="roles", template=template),
        Small(id="logs", template=LOGS, region="us-east-1", parameters=(literal("Days", "14"),), more={"stackset": target}),
    )
    request = Request(assembly=made[0], templates=made[1], options=Options(), created_at="t", created_by="s", nonce="0a1b2c3d")
    assert (codes(make_plan(request, world.gateways, Schemas(directory=None))) == []) == found


def test_a_role_that_only_a_stack_set_makes_is_not_there_for_it() -> None:
    world = World(accounts=(ACCOUNT,), template=role("admin"))
    world.gateways.targets.roles[ACCOUNT, "admin"] = None
    assert codes(world.plan()) == ["administration_role_missing"]
