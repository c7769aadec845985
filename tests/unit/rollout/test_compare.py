"""What was approved is what runs: any difference but a placeholder value's is found."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreement.compare import unapproved
from changes.model import PropertyChange, Replacement, ResourceChange, Widening
from planning.model import ABSENT, Finding, InstancePlan, ParameterPlan, SettingChange, StackPlan, StackSetPlan
from templates.values import Known, Redacted, Unknown
from tests.simulated import stackset

ARN = "arn:aws:acm:us-east-1:123456789012:certificate/1"
UNKNOWN = Unknown(text="{known after a.Arn}", after=("a.Arn",))


def resource(name: str = "It", **more: Any) -> ResourceChange:
    return ResourceChange(logical_id=name, resource_type="AWS::SSM::Parameter", action=more.pop("action", "modify"), **more)


def changed(after: Any, path: str = "Value") -> PropertyChange:
    return PropertyChange(path=path, before=Known(text="old"), after=after)


def parameter(after: Any, **more: Any) -> ParameterPlan:
    return ParameterPlan(name="Arn", source="output a.Arn", before=None, after=after, **more)


def widening(**more: Any) -> Widening:
    return Widening(
        stack="b", logical_id="Role", resource_type="AWS::IAM::Role", path="Policies[x]", statement="S", **({"kind": "action_added"} | more)
    )


def plan(**more: Any) -> StackPlan:
    given_: dict[str, Any] = {
        "stack": "b",
        "stack_name": "demo-b",
        "account_id": "123456789012",
        "region": "eu-west-1",
        "role_arn": None,
        "operation": "update",
        "depends_on": ("a",),
        "state": ABSENT,
        "template_sha256": "0",
        "parameters": (parameter(UNKNOWN),),
        "resources": (resource(properties=(changed(Unknown(text="cert {known after a.Arn}!", after=("a.Arn",))),)),),
        "widenings": (widening(),),
        "settings": (SettingChange(setting="stack_policy", before="", after="{}"),),
    }
    return StackPlan(**(given_ | more))


REAL = plan(parameters=(parameter(Known(text=ARN)),), resources=(resource(properties=(changed(Known(text=f"cert {ARN}!")),)),))


def test_real_values_in_the_place_of_placeholders_are_what_was_approved() -> None:
    assert unapproved(plan(), REAL) == ()


@pytest.mark.parametrize(
    ("real", "words"),
    [
        ({"account_id": "210987654321"}, "in account 210987654321"),
        ({"region": "us-east-1"}, "us-east-1"),
        ({"template_sha256": "1"}, "template is another one"),
        ({"operation": "create"}, "the operation is create, approved was update"),
        ({"parameters": ()}, "the parameter Arn is gone"),
        (
            {"parameters": (parameter(Known(text=ARN)), ParameterPlan(name="X", source="", before=None, after=None))},
            "the parameter X is new",
        ),
        ({"resources": (*REAL.resources, resource("Extra", action="add"))}, "Extra: would be added"),
        ({"resources": (*REAL.resources, resource("Gone", action="remove"))}, "Gone: would be removed"),
        ({"resources": (resource(action="remove"),)}, "It: would be removed"),
        ({"resources": (resource(properties=(changed(Known(text=f"cert {ARN}?")),)),)}, "It.Value: becomes"),
        ({"resources": (resource(properties=(*REAL.resources[0].properties, changed(Known(text="x"), "Tier"))),)}, "It.Tier: changes"),
        (
            {"resources": (msgspec.structs.replace(REAL.resources[0], replacement=Replacement(verdict="yes", because=("Name",))),)},
            "would be replaced because of Name",
        ),
        ({"widenings": (widening(), widening(kind="principal_added", after="*"))}, "allows more than was announced (principal added *)"),
        ({"widenings": (widening(grants_everything=True),)}, "allows more than was announced"),
        ({"settings": (SettingChange(setting="stack_policy", before="", after='{"a":1}'),)}, "stack policy would change"),
        ({"findings": (Finding(severity="error", code="x", message="validation says no"),)}, "validation says no"),
    ],
)
def test_anything_else_is_a_difference(real: dict[str, Any], words: str) -> None:
    found = unapproved(plan(), msgspec.structs.replace(REAL, **real))
    assert any(words in line for line in found), found


def test_less_than_approved_is_fine_where_nothing_can_go_wrong_by_it() -> None:
    assert unapproved(plan(), msgspec.structs.replace(REAL, widenings=(), settings=())) == ()


def test_a_secret_that_was_to_stay_may_not_change() -> None:
    def secret(**more: Any) -> Any:
        return {"parameters": (parameter(Redacted(), **more),), "resources": ()}

    assert unapproved(plan(**secret(keeps_previous=True)), plan(**secret(keeps_previous=True))) == ()
    assert unapproved(plan(**secret()), plan(**secret())) == ()
    (line,) = unapproved(plan(**secret(keeps_previous=True)), plan(**secret()))
    assert "got another value" in line


def test_instances_are_compared_one_by_one() -> None:
    target = stackset("eu-west-1")

    def set_plan(*instances: InstancePlan, **more: Any) -> StackSetPlan:
        return StackSetPlan(
            stack="s",
            stack_name="demo-s",
            account_id="123456789012",
            region="eu-west-1",
            role_arn=None,
            operation="update",
            depends_on=(),
            exists=True,
            stack_set_id="s:1",
            template_sha256="0",
            deployed_template_sha256="1",
            preferences=more.pop("preferences", target.preferences),
            instances=instances,
            **more,
        )

    one = InstancePlan(account_id="123456789012", region="eu-west-1", action="update")
    assert unapproved(set_plan(one), set_plan(one)) == ()
    (line,) = unapproved(set_plan(one), set_plan(msgspec.structs.replace(one, action="remove")))
    assert line == "the instance in 123456789012, eu-west-1: would be removed, approved was that it is updated"
    assert unapproved(set_plan(one), set_plan(one, msgspec.structs.replace(one, region="us-east-1")))
    assert unapproved(set_plan(one), set_plan(one, settings_changed=("tags",)))
    hasty = msgspec.structs.replace(target.preferences, failure_tolerance_percentage=100)
    assert unapproved(set_plan(one), set_plan(one, preferences=hasty))
    assert unapproved(plan(), set_plan(one))


@given(before=st.text("ab{}", max_size=8), after=st.text("ab{}", max_size=8), real=st.text("ab{}", max_size=12))
def test_a_placeholder_excuses_only_its_own_place(before: str, after: str, real: str) -> None:
    approved = plan(parameters=(parameter(Unknown(text=f"{before}{{known after a.Arn}}{after}", after=("a.Arn",))),), resources=())
    now = plan(parameters=(parameter(Known(text=real)),), resources=())
    fits = len(real) >= len(before) + len(after) and real.startswith(before) and real.endswith(after)
    assert (unapproved(approved, now) == ()) == fits


def differences(approved: ResourceChange, real: ResourceChange) -> str:
    return "; ".join(unapproved(plan(resources=(approved,)), plan(resources=(real,))))


REPLACED = Replacement(verdict="yes", by="schema", because=("Value",))


@pytest.mark.parametrize(
    ("approved", "real", "words"),
    [
        (resource(action="add"), resource(action="remove"), "It: would be removed, approved was that it be added"),
        (resource(action="remove"), resource(), "It: would be modified, approved was that it be removed"),
        (resource(action="add"), resource(replacement=REPLACED), "It: would be replaced, approved was that it be added"),
        (resource(), resource(replacement=REPLACED), "It: would be replaced because of Value, which was not announced"),
        (
            resource(),
            resource(replacement=Replacement(verdict="maybe", by="schema")),
            "It: would be replaced because of its changes, which was not announced",
        ),
        (resource(properties=(changed(Known(text="new")),)), resource(), "It.Value: was to change, and now does not"),
        (resource(), resource(properties=(changed(Known(text="new")),)), "It.Value: changes, which was not in the approved plan"),
        (
            resource(properties=(changed(Known(text="new")),)),
            resource(properties=(changed(Known(text="other")),)),
            "It.Value: becomes 'other', approved was 'new'",
        ),
    ],
)
def test_the_words_for_each_difference(approved: ResourceChange, real: ResourceChange, words: str) -> None:
    assert differences(approved, real) == words


def test_what_was_announced_may_turn_out_milder() -> None:
    assert differences(resource(replacement=REPLACED), resource()) == ""
    assert differences(resource(replacement=Replacement(verdict="maybe", by="schema")), resource(replacement=REPLACED)) == ""


def test_a_resource_that_comes_or_goes_is_named_with_what_would_happen() -> None:
    assert unapproved(plan(resources=()), plan(resources=(resource(action="remove"),))) == (
        "It: would be removed, which was not in the approved plan",
    )
    gone = plan(resources=(resource(replacement=REPLACED, properties=(changed(Known(text="new")),)),))
    assert unapproved(gone, plan(resources=())) == ("It: was to be replaced, and now is not touched",)
    waits = plan(resources=(resource(properties=(changed(UNKNOWN),)),))
    assert unapproved(waits, plan(resources=())) == ()
    both = plan(resources=(resource(properties=(changed(UNKNOWN), changed(Known(text="x"), "Other"))),))
    assert unapproved(both, plan(resources=())) == ("It: was to be modified, and now is not touched",)
    empty = plan(resources=(resource(),))
    assert unapproved(empty, plan(resources=())) == ("It: was to be modified, and now is not touched",)


def test_a_stack_set_in_the_place_of_a_stack_is_a_difference() -> None:
    common = {name: getattr(plan(), name) for name in ("stack", "stack_name", "account_id", "region", "role_arn", "depends_on")}
    group = StackSetPlan(
        **common,
        exists=True,
        stack_set_id="s:1",
        operation="update",
        template_sha256=plan().template_sha256,
        deployed_template_sha256="1",
        preferences=stackset("eu-west-1").preferences,
    )
    for approved, real in ((group, plan()), (plan(), group)):
        assert "it is a StackSet where a stack was approved, or the other way round" in unapproved(approved, real)
