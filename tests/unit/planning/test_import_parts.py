"""What a plan that takes over asks of CloudFormation, what it refuses, and which verb plans it again; across stacks without AWS."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from assembly.model import INLINE_TEMPLATE_LIMIT
from aws.cloudformation.requests import ParameterValue
from changes.model import PropertyChange, Replacement, ResourceChange
from planning.across import across
from planning.findings import Findings
from planning.importing import ImportPlanner, taking_over, verb_of
from planning.inputs import Inputs
from planning.meaning import with_consequences
from planning.model import Options, StackPlan
from planning.request import PlanError, Request, selected
from planning.run import Planned
from planning.site_bucket import _new_name
from takeover.model import KEPT, Import, Taken
from templates.values import Known, Unknown
from tests.simulated import ACCOUNT, SimulatedGateways, Small, literal, small_assembly
from tests.unit.planning.test_plan import plan_of, settled, stack_of
from tests.unit.planning.test_stackset_plan import planned as planned_set

TOPIC: dict[str, Any] = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}}}


def taken(logical_id: str = "Topic", source: str = "--resource") -> Taken:
    return Taken(
        stack="a",
        logical_id=logical_id,
        type="AWS::SNS::Topic",
        identifier={"TopicArn": f"arn:{logical_id}"},
        source=source,
        account_id=ACCOUNT,
        region="eu-west-1",
    )


def found(*each: Taken, template: dict[str, Any] = TOPIC) -> Import:
    lives: list[Any] = [SimpleNamespace(taken=one, ref=f"arn:{one.logical_id}") for one in each or (taken(),)]
    return Import(lives=tuple(lives), template=template)


class Bucket:
    """The artifact bucket, where there is one."""

    def __init__(self, url: str | None = "https://bucket/key") -> None:
        self.url, self.asked = url, list[tuple[Any, ...]]()

    def upload_template(self, *asked: Any, **more: Any) -> str | None:
        self.asked.append((*asked, more["account_id"], more["region"]))
        return self.url


def planner(*, deployed: dict[str, Any] | None = None, gateways: Any = None) -> Any:
    made: Any = object.__new__(ImportPlanner)
    made.assembly = small_assembly(Small(id="a", template=TOPIC))[0]
    made.stack, made.findings, made.deployed = made.assembly.stacks[0], Findings("a"), deployed or {}
    made.run = SimpleNamespace(gateways=gateways)
    return made


MADE, TEMPLATES = small_assembly(Small(id="a", template=TOPIC))
REQUEST = Request(assembly=MADE, templates=TEMPLATES, options=Options(), created_at="2026-11-22T10:00:00Z", created_by="s", nonce="1a")


# --- the change set -----------------------------------------------------------------------------------------------


def test_the_parameters_of_the_deployed_template_keep_their_values_and_new_ones_are_sent_if_the_import_knows_them() -> None:
    template = {**TOPIC, "Parameters": {"Old": {}, "New": {}}}
    inputs = Inputs(send=tuple(ParameterValue(name=name, value="v") for name in ("Old", "New", "Later")), role_arn="role")
    request = planner(deployed={"Parameters": {"Old": {}}}).import_request(inputs, found(template=template), REQUEST)
    assert [(each.name, each.value) for each in request.parameters] == [("Old", None), ("New", "v")]
    assert (request.type, request.role_arn, request.description) == ("IMPORT", "role", "Takes over Topic (arn:Topic)")
    [one] = request.imports
    assert (one.resource_type, one.logical_id, one.identifier) == ("AWS::SNS::Topic", "Topic", {"TopicArn": "arn:Topic"})


def test_a_description_is_cut_to_what_cloudformation_takes() -> None:
    many = [taken(f"Topic{number:04}") for number in range(400)]
    assert len(planner().import_request(Inputs(), found(*many), REQUEST).description) == 1024


@pytest.mark.parametrize(("characters", "uploaded"), [(INLINE_TEMPLATE_LIMIT, False), (INLINE_TEMPLATE_LIMIT + 1, True)])
def test_a_long_template_goes_through_the_artifact_bucket(characters: int, uploaded: bool) -> None:
    template = {"Description": "x" * (characters - len('{"Description":""}'))}
    bucket = Bucket()
    request = planner(gateways=bucket).import_request(Inputs(), found(template=template), REQUEST)
    assert (request.template_url is not None, request.template_body is None, len(bucket.asked)) == (uploaded, uploaded, int(uploaded))
    if uploaded:
        assert len(bucket.asked[0][1]) == characters and bucket.asked[0][2:] == (ACCOUNT, "eu-west-1")


def test_a_long_template_without_a_bucket_is_an_error_with_the_way_to_one() -> None:
    of = planner(gateways=Bucket(None))
    of.assembly = small_assembly(Small(id="a", template=TOPIC), Small(id="b", template=TOPIC))[0]
    assert of.import_request(Inputs(), found(template={"Description": "x" * INLINE_TEMPLATE_LIMIT}), REQUEST) is None
    [told] = of.findings
    assert (told.severity, told.code) == ("error", "artifact_bucket_missing") and told.command.endswith("apply --env test --only a")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ([("Topic", "Import")], None),
        ([], "import_does_more"),
        ([("Topic", "Modify")], "import_does_more"),
        ([("Topic", "Import"), ("Other", "Modify")], "import_does_more"),
    ],
)
def test_a_change_set_that_does_anything_else_than_to_import_is_refused(changes: list[tuple[str, str]], code: str | None) -> None:
    each: list[Any] = [SimpleNamespace(logical_id=name, action=action) for name, action in changes]
    of = planner()
    description: Any = SimpleNamespace(status="CREATE_COMPLETE", status_reason="", without_values=each[:1], with_values=each[1:])
    assert of.refuses(description, found()) is (code is not None)
    assert [told.code for told in of.findings] == ([code] if code else [])


@pytest.mark.parametrize(("reason", "words"), [("No such topic", "No such topic"), ("", "CloudFormation gives no reason")])
def test_a_change_set_that_failed_is_refused_in_the_words_of_cloudformation(reason: str, words: str) -> None:
    of = planner()
    description: Any = SimpleNamespace(status="FAILED", status_reason=reason, without_values=(), with_values=())
    assert of.refuses(description, found())
    [told] = of.findings
    assert told.code == "change_set_failed" and told.message.endswith(f": {words}")


@pytest.mark.parametrize(("logical_id", "verdict", "refused"), [("Topic", "yes", True), ("Topic", "no", False), ("Other", "yes", False)])
def test_what_would_be_taken_over_and_then_replaced_is_refused(logical_id: str, verdict: Any, refused: bool) -> None:
    of = planner()
    change: Any = SimpleNamespace(logical_id=logical_id, replacement=Replacement(verdict=verdict, because=()), properties=())
    of.refuse_replacements([change], found())
    assert [told.code for told in of.findings] == (["import_replaced"] if refused else [])


def test_a_change_set_without_changes_would_do_nothing() -> None:
    of = planner()
    description: Any = SimpleNamespace(status="CREATE_COMPLETE", status_reason="", without_values=(), with_values=())
    assert of.refuses(description, found()) and of.findings[0].message.endswith("would do something else: nothing")


def test_a_replacement_is_refused_with_what_causes_it_alone() -> None:
    of = planner()
    properties = [PropertyChange(path=path, before=Known(text=path), after=Known(text="x")) for path in ("TopicName", "DisplayName")]
    change: Any = SimpleNamespace(
        logical_id="Topic", replacement=Replacement(verdict="yes", because=("TopicName",)), properties=tuple(properties)
    )
    of.refuse_replacements([change], found())
    assert "(TopicName: TopicName, ours x)" in of.findings[0].message


def test_an_import_has_the_same_text_in_whatever_order_its_template_was_made() -> None:
    one, other = ({"Resources": TOPIC["Resources"], "Description": "d"}, {"Description": "d", "Resources": TOPIC["Resources"]})
    bodies = {planner().import_request(Inputs(), found(template=template), REQUEST).template_body for template in (one, other)}
    assert len(bodies) == 1


def test_a_parameter_that_changes_with_the_update_is_none_of_the_import() -> None:
    parameters = (literal("Same", "1"), literal("Other", "2"), literal("New", "3"))
    of = planner()
    of.stack = small_assembly(Small(id="a", template=TOPIC, parameters=parameters))[0].stacks[0]
    inputs = Inputs(before={"Same": "1", "Other": "1"}, after={"Same": "1", "Other": "2", "New": "3"})
    assert of.kept_for_import(inputs) == {"Same", "New"}


# --- the plan -----------------------------------------------------------------------------------------------------


def test_only_adopt_plans_again_what_it_found_and_plan_what_a_deleted_stack_kept() -> None:
    plan = stack_of(plan_of(small_assembly(Small(id="a", template=TOPIC)), SimulatedGateways()), "a")
    assert isinstance(plan, StackPlan)
    kept, asked = taking_over(plan, found(taken(source=KEPT)), None), taking_over(plan, found(), None)
    assert [verb_of(stacks) for stacks in ((), (plan,), (kept,), (plan, kept, asked))] == ["plan", "plan", "plan", "adopt"]
    assert verb_of((planned_set(),)) == "plan"
    assert asked.operation == "import" and [(one.logical_id, one.physical_id) for one in asked.takes] == [("Topic", "arn:Topic")]
    other = {"Resources": {"Topic": {**TOPIC["Resources"]["Topic"], "DeletionPolicy": "Retain"}}}
    assert asked.takes[0].sha256 != taking_over(plan, found(template=other), None).takes[0].sha256


def test_a_stack_that_was_not_compared_and_a_set_are_told_as_they_were_planned() -> None:
    assembly = small_assembly(Small(id="a", template=TOPIC))
    plan = stack_of(plan_of(assembly, SimulatedGateways()), "a")
    of_set = planned_set()
    context: Any = SimpleNamespace(before={}, after={}, region="eu-west-1", schemas=SimpleNamespace(of=lambda *_: None))
    found_plans = across([Planned(plan=plan), Planned(plan=of_set, context=context)], "test")
    assert found_plans == {"a": plan, of_set.stack: of_set}


def test_content_that_does_not_change_means_nothing() -> None:
    gateways = SimulatedGateways()
    settled(small_assembly(Small(id="a", template=TOPIC)), gateways)
    assembly = small_assembly(
        Small(id="a", template={"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "other"}}}})
    )
    plan = plan_of(assembly, gateways)
    assert plan.has_changes
    run: Any = SimpleNamespace(request=SimpleNamespace(leaving=dict, last=lambda: None, assembly=assembly[0]), measured=dict)
    done = {stack.stack: Planned(plan=stack) for stack in plan.stacks}

    def meaning(content: Any) -> Any:
        return with_consequences(msgspec.structs.replace(plan, content=content), done, run).consequences

    same, other = (SimpleNamespace(has_changes=changes, origin="dist") for changes in (False, True))
    assert meaning(None) == meaning(same) != meaning(other)


def test_what_nobody_asked_for_is_not_done() -> None:
    asked = {name: value for name, value in msgspec.structs.asdict(Options()).items() if value not in (False, (), "", None)}
    assert asked == {"removed_instances": "default"}


def test_a_guess_is_made_at_the_first_name_that_is_unknown() -> None:
    made, _ = small_assembly(Small(id="certificate", template=TOPIC))
    with pytest.raises(PlanError, match=r"no stack is called certificat, zzz in test.*certificate"):
        selected(made, ("certificat", "zzz"))
    with pytest.raises(PlanError) as raised:
        selected(made, ("zzz", "certificat"))
    assert "did you mean" not in str(raised.value)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([("BucketName", Known(text="new"))], "new"),
        ([("BucketName", Unknown(text="(known later)", after=("a.B",)))], "a new bucket"),
        ([("Tags", Known(text="x"))], "a new bucket"),
        ([], "a new bucket"),
    ],
)
def test_a_bucket_whose_name_only_aws_will_know_is_called_a_new_one(values: list[tuple[str, Any]], wanted: str) -> None:
    change: Any = SimpleNamespace(properties=[SimpleNamespace(path=path, after=after) for path, after in values])
    assert _new_name(change) == wanted


@pytest.mark.parametrize(
    ("action", "verdict", "new"),
    [("add", "no", True), ("modify", "yes", True), ("modify", "maybe", True), ("modify", "no", False), ("remove", "no", False)],
)
def test_a_bucket_is_another_one_where_it_is_made_or_may_be_replaced(action: Any, verdict: Any, new: bool) -> None:
    from planning.site_bucket import _is_new

    change = ResourceChange(logical_id="B", resource_type="AWS::S3::Bucket", action=action, replacement=Replacement(verdict=verdict))
    assert _is_new(change) is new
