"""What all stacks of a plan tell together: widenings that only follow, resources that only moved."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from assembly.model import OperationPreferences
from changes.context import Context
from changes.model import Replacement, ResourceChange
from planning.across import renamed
from planning.model import Plan, StackSetPlan
from review import shown, terminal
from templates.schemas import bundled
from tests.simulated import Small, small_assembly
from tests.simulated_provisioning import ProvisionedGateways
from tests.unit.planning.test_plan import plan_of, settled

BUCKET, BUCKET_POLICY, ROLE = "AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::IAM::Role"


def bucket(name: str) -> dict[str, Any]:
    return {"Type": BUCKET, "UpdateReplacePolicy": "Retain", "Properties": {"BucketName": name}}


def statement(effect: str, *resources: str, action: str = "s3:GetObject") -> dict[str, Any]:
    return {"Sid": effect, "Effect": effect, "Principal": {"AWS": "111122223333"}, "Action": action, "Resource": [*resources]}


def policy(name: str, *statements: dict[str, Any]) -> dict[str, Any]:
    return {"Type": BUCKET_POLICY, "Properties": {"Bucket": name, "PolicyDocument": {"Statement": [*statements]}}}


def reader(*names: str) -> dict[str, Any]:
    resources = [f"arn:aws:s3:::{name}/*" for name in names]
    document = {"Statement": [{"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": resources}]}
    return {"Type": ROLE, "Properties": {"RoleName": "reader", "Policies": [{"PolicyName": "p", "PolicyDocument": document}]}}


Stacks = dict[str, dict[str, Any]]


def edited(before: Stacks, after: Stacks) -> Plan:
    """The plan of an edit of stacks that stand; resources by stack id."""
    gateways = ProvisionedGateways()

    def made(stacks: Stacks) -> Any:
        return small_assembly(*(Small(id=name, template={"Resources": resources}) for name, resources in stacks.items()))

    settled(made(before), gateways)
    return plan_of(made(after), gateways, nonce="edited00")


def real(plan: Plan) -> list[tuple[str, str, str]]:
    return [(w.logical_id, w.kind, w.after) for stack in plan.stacks for w in stack.widenings if not w.follows]


def all_of(plan: Plan) -> int:
    return sum(len(stack.widenings) for stack in plan.stacks)


BEFORE: Stacks = {
    "roles": {"Reader": reader("one")},
    "site": {"Bucket": bucket("one"), "Policy": policy("one", statement("Allow", "arn:aws:s3:::one/*"))},
}


def site(name: str, *more: str) -> dict[str, Any]:
    named = [f"arn:aws:s3:::{each}/*" for each in (name, *more)]
    return {"Bucket": bucket(name), "Policy": policy(name, statement("Allow", *named))}


def test_a_replaced_name_is_no_widening_in_any_stack() -> None:
    plan = edited(BEFORE, {"roles": {"Reader": reader("two")}, "site": site("two")})
    assert real(plan) == [] and all_of(plan) == 2
    text = terminal.render(plan)
    assert "allow more than before" not in text and "takes the place of what is replaced" in text
    assert "also on arn:aws:s3:::two/*" in terminal.render(plan, verbose=True)


@pytest.mark.parametrize(
    ("role", "places", "found"),
    [
        (reader("one", "two"), site("two"), [("Reader", "resource_added", "arn:aws:s3:::one/*")]),
        (reader("two", "three"), site("two"), [("Reader", "resource_added", "arn:aws:s3:::three/*")]),
        (reader("two-more"), site("two"), [("Reader", "resource_added", "arn:aws:s3:::two-more/*")]),
        (reader("one"), site("two", "one-more"), [("Policy", "resource_added", "arn:aws:s3:::one-more/*")]),
        (reader("two"), site("one"), [("Reader", "resource_added", "arn:aws:s3:::two/*")]),
    ],
    ids=["the old one too", "another one too", "a longer name", "a longer name in the policy", "nothing is replaced"],
)
def test_what_is_allowed_beyond_the_replacement_is_a_widening(role: dict[str, Any], places: dict[str, Any], found: list[Any]) -> None:
    plan = edited(BEFORE, {"roles": {"Reader": role}, "site": places})
    assert set(found) <= set(real(plan))


def test_a_name_inside_of_a_longer_one_is_another_name() -> None:
    before = {"roles": {"Reader": reader("one", "one-more")}, "site": site("one")}
    plan = edited(before, {"roles": {"Reader": reader("two", "two-more")}, "site": site("two")})
    assert real(plan) == [("Reader", "resource_added", "arn:aws:s3:::two-more/*")]


def test_only_what_is_certainly_replaced_has_another_name() -> None:
    before, after = ({"Bucket": bucket(name)} for name in ("one", "two"))
    where = Context(before=before, after=after, schemas=bundled(), region="eu-west-1")
    for verdict, names in (("yes", [("one", "two")]), ("maybe", []), ("no", [])):
        change = ResourceChange(logical_id="Bucket", resource_type=BUCKET, action="modify", replacement=Replacement(verdict=verdict))  # type: ignore[arg-type]
        assert list(renamed((change,), where)) == names
        unnamed = Context(before=after, after=after, schemas=bundled(), region="eu-west-1")
        assert list(renamed((change,), unnamed)) == [], "the same name, as of what CloudFormation names"
        added = ResourceChange(logical_id="Other", resource_type=BUCKET, action="add")
        assert list(renamed((added, change), where)) == names, "whatever stands before it"


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        (BUCKET, {}, {"BucketName": "two"}),
        (BUCKET, {"BucketName": "one"}, {}),
        (BUCKET, {"BucketName": {"Ref": "Name"}}, {"BucketName": "two"}),
        (BUCKET, {"BucketName": "one"}, {"BucketName": {"Ref": "Name"}}),
        (BUCKET, {"BucketName": ""}, {"BucketName": "two"}),
        ("AWS::S3::StorageLens", {"StorageLensConfiguration": {"Id": "one"}}, {"StorageLensConfiguration": {"Id": "two"}}),
        ("Custom::Bucket", {"BucketName": "one"}, {"BucketName": "two"}),
    ],
    ids=["none before", "none after", "unknown before", "unknown after", "empty", "inside of another property", "no schema"],
)
def test_what_has_no_name_of_its_own_on_both_sides_is_not_named_otherwise(kind: str, before: Any, after: Any) -> None:
    sides = [{"It": {"Type": kind, **({"Properties": properties} if properties else {})}} for properties in (before, after)]
    where = Context(before=sides[0], after=sides[1], schemas=bundled(), region="eu-west-1")
    change = ResourceChange(logical_id="It", resource_type=kind, action="modify", replacement=Replacement(verdict="yes"))
    assert list(renamed((change,), where)) == []


def test_what_widens_and_what_only_follows_are_told_side_by_side() -> None:
    plan = edited(BEFORE, {"roles": {"Reader": reader("one", "two")}, "site": site("two")})
    assert [(w.logical_id, w.after, w.follows) for stack in plan.stacks for w in stack.widenings] == [
        ("Reader", "arn:aws:s3:::one/*", False),
        ("Policy", "arn:aws:s3:::two/*", True),
    ]


@pytest.mark.parametrize("where", ["in the same stack", "in another stack"])
def test_a_policy_that_stays_as_it_is_widens_nothing_though_what_it_names_is_replaced(where: str) -> None:
    same = where == "in the same stack"
    before: Stacks = {"a": {"Reader": reader("one")}, "b": {**site("one"), **({"Other": reader("one")} if same else {})}}
    plan = edited(before, {"a": {"Reader": reader("one")}, "b": {**site("two"), **({"Other": reader("one")} if same else {})}})
    assert real(plan) == [] and [w.logical_id for stack in plan.stacks for w in stack.widenings] == ["Policy"]


def test_values_that_are_no_texts_are_no_names() -> None:
    def limited(name: str) -> dict[str, Any]:
        condition = {"NumericLessThan": {"s3:max-keys": 10}, "Bool": {"aws:SecureTransport": True}}
        allowed = {**statement("Allow", f"arn:aws:s3:::{name}/*"), "Condition": condition}
        return {"Bucket": bucket(name), "Policy": policy(name, allowed)}

    plan = edited({"a": limited("one")}, {"a": limited("two")})
    assert real(plan) == [] and all_of(plan) == 1


def test_a_deny_that_moves_with_its_bucket_is_no_widening_and_one_that_does_not_is() -> None:
    deny = statement("Deny", "arn:aws:s3:::one/*", action="s3:*")
    here = {"Bucket": bucket("one"), "Policy": policy("one", deny)}
    other = {"Other": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}}
    moved = edited({"a": {**here, **other}, "b": other}, {"a": other, "b": {**here, **other}})
    assert real(moved) == []
    for left in (statement("Deny", "arn:aws:s3:::one/a/*", action="s3:*"), statement("Deny", "arn:aws:s3:::one/*")):
        weaker = {"Bucket": bucket("one"), "Policy": policy("one", left)}
        plan = edited({"a": {**here, **other}, "b": other}, {"a": other, "b": {**weaker, **other}})
        assert [kind for _, kind, _ in real(plan)] == ["deny_removed"]


def test_a_deny_of_a_role_does_not_stand_for_that_of_another_role() -> None:
    def role(name: str, *statements: dict[str, Any]) -> dict[str, Any]:
        policies = [{"PolicyName": "p", "PolicyDocument": {"Statement": [*statements]}}]
        return {"Type": ROLE, "Properties": {"RoleName": name, "Policies": policies}}

    deny = {"Sid": "No", "Effect": "Deny", "Action": "s3:*", "Resource": ["arn:aws:s3:::one/*"]}
    plan = edited({"a": {"A": role("a", deny)}, "b": {"B": role("b")}}, {"a": {"A": role("a")}, "b": {"B": role("b", deny)}})
    assert [(w, kind) for w, kind, _ in real(plan)] == [("A", "deny_removed")]


# --- moved resources ----------------------------------------------------------------------------------------------


def moved_findings(plan: Plan) -> list[str]:
    return [f"{f.stack}: {f.message} {f.command}" for f in plan.all_findings if f.code == "moved"]


def test_a_renamed_resource_is_recognised() -> None:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}
    same = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": "alarm", "Threshold": 1}}
    plan = edited({"a": {"Topic": topic, "Old": same}}, {"a": {"Topic": topic, "New": same}})
    [words] = moved_findings(plan)
    assert "New is Old under another logical id (AWS::CloudWatch::Alarm alarm): both cannot exist at once" in words
    assert "create-stack-refactor" in words and "LogicalResourceId=Old" in words and "LogicalResourceId=New" in words


def test_a_resource_that_went_to_another_stack_is_recognised() -> None:
    other = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}
    plan = edited(
        {"a": {"Bucket": bucket("one"), "T": other}, "b": {"U": other}}, {"a": {"T": other}, "b": {"Bucket": bucket("one"), "U": other}}
    )
    [words] = moved_findings(plan)
    assert words.startswith("b: Bucket is Bucket of a under another stack") and "StackName=demo-test-a" in words


def test_what_leaves_a_stack_for_a_stack_set_is_no_move_that_a_refactor_makes() -> None:
    from planning.across import across
    from planning.run import Planned

    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}
    keep = bucket("b")
    plan = edited({"a": {"Topic": topic}, "b": {"Keep": keep}}, {"a": {"Keep": bucket("a")}, "b": {"Keep": keep, "New": topic}})
    assert len(moved_findings(plan)) == 1

    def planned(number: int, before: dict[str, Any], after: dict[str, Any]) -> Planned:
        alone = msgspec.structs.replace(plan.stacks[number], findings=())
        return Planned(plan=alone, context=Context(before=before, after=after, schemas=bundled(), region="eu-west-1"))

    left, come = planned(0, {"Topic": topic}, {}), planned(1, {}, {"New": topic})
    assert [each.code for each in across([left, come], "test")["b"].findings] == ["moved"]
    into = StackSetPlan(
        **plan.stacks[1].place,
        role_arn=None,
        operation="create",
        depends_on=(),
        exists=False,
        stack_set_id=None,
        template_sha256="",
        deployed_template_sha256=None,
        preferences=OperationPreferences(),
        resources=plan.stacks[1].resources,
    )
    assert across([left, Planned(plan=into, context=come.context)], "test")["b"].findings == ()


def test_what_differs_or_has_nothing_in_it_has_not_moved() -> None:
    keep = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}
    for old, new in ((bucket("one"), bucket("two")), ({"Type": BUCKET}, {"Type": BUCKET})):
        assert moved_findings(edited({"a": {"Keep": keep, "Old": old}}, {"a": {"Keep": keep, "New": new}})) == []


# --- what is folded -----------------------------------------------------------------------------------------------


def test_policies_of_a_new_stack_are_a_count_but_for_what_grants_everything() -> None:
    everything = {**statement("Allow", "arn:aws:s3:::one/*"), "Sid": "All", "Principal": "*"}
    plan = edited(
        {"a": {"Bucket": bucket("one")}},
        {"a": {"Bucket": bucket("one")}, "b": {"P": policy("one", statement("Allow", "arn:aws:s3:::one/*"), everything)}},
    )
    loud, folded = shown.policies(plan)
    assert [w.statement for w in loud] == ["All"] and folded.new == (("b", 1, 1),)
    assert [w.statement for w in shown.quiet(plan)] == ["Allow"]
    assert "1 widened permission" in terminal.render(plan)


def test_findings_come_first_and_again_at_the_end_of_a_long_review() -> None:
    resources = {f"Topic{i}": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": f"t{i}"}} for i in range(30)}
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": "alarm", "Threshold": 1}}
    lines = terminal.render(edited({"a": {"Old": alarm}}, {"a": {**resources, "New": alarm}})).splitlines()
    told = [number for number, line in enumerate(lines) if "New is Old under" in line]
    assert len(told) == 2 and told[0] < 6 and told[1] > len(lines) - 6
    short = terminal.render(edited({"a": {"Old": alarm}}, {"a": {"New": alarm}}))
    assert short.count("New is Old under") == 1
