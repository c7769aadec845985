"""What a plan says of the small print: deployed templates, empty stacks, hidden values, names, overrides, suspended accounts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assembly.model import Parameter, SecretRef, SecretVersionRef
from aws.cloudformation.change_sets import RawDetail
from changes.by_template import all_from_templates, kept_action, whole
from changes.change_set import _from_detail
from changes.context import Context
from changes.widenings import widenings
from planning.cleanup import drop
from planning.model import Options
from planning.plan import make_plan
from planning.request import Request, Stopped, real_change_set_name
from templates.placeholders import placeholder
from templates.schemas import Schemas
from templates.values import Known
from tests.simulated import ACCOUNT, Faults, SimulatedGateways, Small, literal, small_assembly
from tests.unit.changes.test_changes import bucket, context, plain_context
from tests.unit.planning.test_plan import SITE, execute, plan_of, settled, stack_of, two
from tests.unit.planning.test_stacksets import LOGS, OTHER, World

NO_SCHEMAS = Schemas(directory=None)


def notes(plan: Any) -> dict[str, str]:
    return {finding.code: finding.message for finding in plan.all_findings if finding.severity == "note"}


# --- what is deployed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("deployed", "told"), [('"Resources: {}"', True), ('"[]"', True), ('""', False)])
def test_a_deployed_template_that_is_no_json_is_noted_and_a_missing_one_is_not(deployed: str, told: bool) -> None:
    gateways = SimulatedGateways()
    made = small_assembly(Small(id="a", template={"Resources": {"It": {"Type": "AWS::SSM::Parameter", "Properties": {"Value": "1"}}}}))
    settled(made, gateways)
    gateways.at("eu-west-1").get_template = lambda **_: {"TemplateBody": json.loads(deployed)}  # type: ignore[method-assign]
    assert ("template_unreadable" in notes(plan_of(made, gateways))) == told


def test_a_plan_names_its_change_sets_by_environment_assembly_and_plan() -> None:
    made = two()
    plan = plan_of(made, SimulatedGateways(), nonce="0a1b2c3d")
    reference = stack_of(plan, "certificate").change_set
    assert reference is not None
    assert reference.name.endswith(f"-test-{made[0].digest[:8]}-0a1b2c3d")
    assert reference.type == "CREATE" and reference.made_stack


def test_an_empty_stack_of_ours_is_used_silently_and_one_of_somebody_else_is_told() -> None:
    for theirs in (False, True):
        gateways = SimulatedGateways()
        made = two()
        plan_of(made, gateways, nonce="00000001")
        if theirs:
            for change_set in gateways.at("us-east-1").change_sets.values():
                change_set["ChangeSetName"] = "somebody-elses"
        again = plan_of(made, gateways, nonce="00000002")
        assert ("empty_stack_there" in notes(again)) == theirs
        reference = stack_of(again, "certificate").change_set
        assert reference is not None and reference.made_stack != theirs


def test_an_interrupt_between_two_stacks_ends_planning() -> None:
    faults = Faults()

    def interrupt(name: str, _: Any) -> None:
        if name == "create_change_set":
            raise KeyboardInterrupt

    faults.before_call = interrupt
    gateways = SimulatedGateways(faults=faults)
    with pytest.raises((Stopped, KeyboardInterrupt)):
        plan_of(two(), gateways)
    assert gateways.left == []


# --- parameters ---------------------------------------------------------------------------------------------------

SECRET_STACK = {
    "Parameters": {"Password": {"Type": "String", "NoEcho": True}, "Version": {"Type": "String"}},
    "Resources": {"It": {"Type": "AWS::SSM::Parameter", "Properties": {"Value": {"Ref": "Password"}, "Name": {"Ref": "Version"}}}},
}


def test_a_secret_is_sent_as_one_and_never_shown() -> None:
    gateways = SimulatedGateways(secrets={"demo/basic-auth": ("v1", {"password": "correct horse"})})
    parameters = (
        Parameter(name="Password", source=SecretRef(secret="demo/basic-auth", key="password")),
        Parameter(name="Version", source=SecretVersionRef(secret="demo/basic-auth")),
    )
    made = small_assembly(Small(id="a", template=SECRET_STACK, parameters=parameters))
    plan = plan_of(made, gateways)
    shown = {p.name: p for p in stack_of(plan, "a").parameters}
    assert type(shown["Password"].after).__name__ == "Redacted" and shown["Password"].changed and shown["Password"].before is None
    assert not shown["Password"].keeps_previous
    execute(plan, gateways)
    again = stack_of(plan_of(made, gateways, nonce="00000002"), "a")
    kept = {p.name: p for p in again.parameters}["Password"]
    assert kept.keeps_previous and not kept.changed and again.operation == "none"


@pytest.mark.parametrize(
    ("kind", "attribute", "pattern"),
    [
        ("AWS::SNS::Topic", "", r"arn:aws:sns:eu-west-1:123456789012:known-after-[0-9a-f]{12}"),
        ("AWS::DynamoDB::Table", "", r"known-after-[0-9a-f]{12}"),
        ("AWS::S3::Bucket", "DomainName", r"known-after-[0-9a-f]{12}\.s3\.amazonaws\.com"),
        ("AWS::S3::Bucket", "RegionalDomainName", r"known-after-[0-9a-f]{12}\.s3\.eu-west-1\.amazonaws\.com"),
        ("AWS::CloudFront::Distribution", "", r"E[0-9A-F]{13}"),
        ("AWS::CloudFront::Distribution", "DomainName", r"d[0-9a-f]{13}\.cloudfront\.net"),
        ("AWS::Route53::HostedZone", "Id", r"Z[0-9A-F]{20}"),
        ("AWS::KMS::Key", "", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}"),
        ("AWS::KMS::Key", "Arn", r"arn:aws:kms:eu-west-1:123456789012:key/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}"),
    ],
)
def test_placeholders_have_exactly_the_form_of_what_they_stand_for(kind: str, attribute: str, pattern: str) -> None:
    expression = {"Fn::GetAtt": ["It", attribute]} if attribute else {"Ref": "It"}
    found = placeholder("a.Out", expression, {"It": kind}, {"AllowedPattern": pattern}, account_id=ACCOUNT, region="eu-west-1")
    plain = placeholder("a.Out", expression, {"It": kind}, {}, account_id=ACCOUNT, region="eu-west-1")
    assert found is not None and found == plain
    assert found == placeholder("a.Out", expression, {"It": kind}, {}, account_id=ACCOUNT, region="eu-west-1"), "never random"


@pytest.mark.parametrize(
    ("declaration", "accepted"),
    [
        ({"Type": "Number"}, True),
        ({"Type": "Number", "MinValue": 0, "MaxValue": 16777215}, True),
        ({"Type": "Number", "MaxValue": -1}, False),
        ({"MinLength": 4000, "MaxLength": 4096}, False),
        ({"AllowedValues": ["one", "two"]}, True),
        ({"AllowedPattern": "["}, False),
    ],
)
def test_a_placeholder_keeps_to_the_declaration(declaration: dict[str, Any], accepted: bool) -> None:
    found = placeholder("a.Out", "x", {}, declaration, account_id=ACCOUNT, region="eu-west-1")
    assert (found is not None) == accepted
    if declaration.get("Type") == "Number" and found is not None:
        assert 0 <= int(found) <= 0xFFFFFF
    if "AllowedValues" in declaration:
        assert found == "one"


def test_the_name_of_an_output_tells_what_it_may_be() -> None:
    def named(output_name: str, **declaration: Any) -> str | None:
        return placeholder(f"a.{output_name}", "x", {}, declaration, account_id=ACCOUNT, region="eu-west-1")

    assert str(named("RoleArn")).startswith("arn:aws:iam::")
    assert str(named("SiteDistributionDomainName")).endswith(".cloudfront.net")
    assert str(named("Whatever")).startswith("known-after-")
    assert str(named("SomeArn")).startswith("arn:")
    assert str(named("Whatever", AllowedPattern="[0-9]+")).isdigit()


# --- changes ------------------------------------------------------------------------------------------------------


def test_a_detail_without_an_attribute_is_about_the_properties() -> None:
    found = _from_detail(RawDetail(name="Value", before="1", after="2"), "Value", plain_context())
    assert (found.attribute, found.change, found.before, found.after) == ("Properties", "modify", Known(text="1"), Known(text="2"))
    tags = _from_detail(RawDetail(attribute="Tags", name="", after="2"), "", plain_context())
    assert (tags.attribute, tags.change, tags.before) == ("Tags", "add", None)
    gone = _from_detail(RawDetail(attribute="Tags", name="", before="2"), "", plain_context())
    assert (gone.change, gone.after) == ("remove", None)


def test_what_comes_has_no_value_before_and_what_goes_none_after() -> None:
    body = {"Properties": {"B": "2", "A": "1"}}
    assert [(p.path, p.change, p.before, p.after) for p in whole(body, "add")] == [
        ("A", "add", None, Known(text="1")),
        ("B", "add", None, Known(text="2")),
    ]
    assert [(p.path, p.change, p.before, p.after) for p in whole(body, "remove")] == [
        ("A", "remove", Known(text="1"), None),
        ("B", "remove", Known(text="2"), None),
    ]
    assert {p.values_from for p in whole(body, "add")} == {"template"}


@pytest.mark.parametrize(
    ("policy", "deleted", "replaced"),
    [
        ("Retain", "Retain", "ReplaceAndRetain"),
        ("Snapshot", "Snapshot", "ReplaceAndSnapshot"),
        ("RetainExceptOnCreate", "Retain", "ReplaceAndRetain"),
        (None, "Delete", "ReplaceAndDelete"),
    ],
)
def test_what_the_policies_of_a_resource_mean(policy: str | None, deleted: str, replaced: str) -> None:
    assert (kept_action(policy, replace=False), kept_action(policy, replace=True)) == (deleted, replaced)


def changes(before: Any, after: Any) -> dict[str, Any]:
    made: Context = context(before, after)
    return {change.logical_id: change for change in all_from_templates(made)}


def test_changes_out_of_two_templates_alone() -> None:
    kept = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": "b"}}
    [gone] = changes({"Bucket": kept}, {}).values()
    assert (gone.action, gone.policy_action, gone.holds_data) == ("remove", "Retain", True)
    [come] = changes({}, {"Bucket": kept}).values()
    assert (come.action, come.policy_action) == ("add", None)
    queue = {"Type": "AWS::SQS::Queue", "Properties": {}}
    [other] = changes({"Bucket": {**kept, "UpdateReplacePolicy": "Snapshot"}}, {"Bucket": queue}).values()
    assert (other.replacement.verdict, other.replacement.because, other.policy_action) == ("yes", ("Type",), "ReplaceAndSnapshot")
    assert other.holds_data and [(p.attribute, p.before, p.after) for p in other.properties] == [
        ("Type", Known(text="AWS::S3::Bucket"), Known(text="AWS::SQS::Queue"))
    ]
    assert changes({"Bucket": kept}, {"Bucket": kept}) == {}
    [metadata] = changes({"Bucket": kept}, {"Bucket": {**kept, "Metadata": {"a": "b"}}}).values()
    [(only)] = metadata.properties
    assert (only.attribute, only.change, only.recreation, metadata.replacement.verdict) == ("Metadata", "add", "never", "no")
    [renamed] = changes(bucket(BucketName="a"), bucket(BucketName="c")).values()
    assert [(p.path, p.change) for p in renamed.properties] == [("BucketName", "modify")]
    assert renamed.policy_action == "ReplaceAndDelete"


# --- policies -----------------------------------------------------------------------------------------------------


def told(before: dict[str, Any], after: dict[str, Any], kind: str = "AWS::IAM::ManagedPolicy") -> list[tuple[str, str, str]]:
    def resources(properties: dict[str, Any]) -> dict[str, Any]:
        return {"It": {"Type": kind, "Properties": properties}} if properties else {}

    return [(w.kind, w.path, w.after) for w in widenings("a", resources(before), resources(after))]


def test_whoever_gets_a_policy_is_told() -> None:
    document = {"Statement": [{"Sid": "S", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:a"}]}
    before = {"PolicyDocument": document, "Roles": ["one"]}
    for holder in ("Roles", "Users", "Groups"):
        after = {**before, holder: [*before.get(holder, []), "two"]}
        assert told(before, after) == [("policy_attached", holder, "two")]
        assert told(before, after, "AWS::IAM::Policy") == [("policy_attached", holder, "two")]
        assert told(before, after, "AWS::IAM::Group") == []
    assert told(before, before) == []


# --- StackSets ----------------------------------------------------------------------------------------------------


def test_overrides_of_instances_are_read_where_there_are_parameters() -> None:
    world = World()
    world.deploy()
    world.statuses()
    world.live.operations.clear()
    instance = world.live.instances[OTHER, "eu-west-1"]
    instance["ParameterOverrides"] = [{"ParameterKey": "Days", "ParameterValue": "3"}]
    found = {(i.account_id, i.region): i.overrides for i in world.set_of(world.plan()).instances}
    assert found[OTHER, "eu-west-1"] == {"Days": "3"} and found[OTHER, "us-east-1"] == {}
    bare = World(template={"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}}}})
    bare.deploy()
    bare.live.calls.clear()
    bare.plan()
    assert bare.live.counted()["describe_stack_instance"] == 0, "without parameters there is nothing to override"


def test_why_an_instance_is_updated_is_said() -> None:
    world = World()
    world.deploy()
    world.statuses()
    world.live.operations.clear()
    world.live.instances[OTHER, "eu-west-1"] |= {"Status": "OUTDATED", "StatusReason": ""}
    world.live.instances[OTHER, "us-east-1"] |= {"Status": "OUTDATED", "StatusReason": "it failed"}

    def reasons() -> dict[tuple[str, str], tuple[str, str]]:
        return {(i.account_id, i.region): (i.action, i.reason) for i in world.set_of(world.plan()).instances}

    assert reasons()[OTHER, "eu-west-1"] == ("update", "it is OUTDATED")
    assert reasons()[OTHER, "us-east-1"] == ("update", "it failed")
    assert reasons()[ACCOUNT, "eu-west-1"] == ("none", "")
    world.days = "30"
    assert reasons()[ACCOUNT, "eu-west-1"] == ("update", "the set changes")
    assert reasons()[OTHER, "eu-west-1"] == ("update", "it is OUTDATED")


def test_log_groups_whose_name_is_not_known_before_clash_with_nothing() -> None:
    template = json.loads(json.dumps(LOGS))
    template["Resources"]["Logs"]["Properties"]["LogGroupName"] = {"Fn::Sub": "/edge/${Other.Arn}"}
    template["Resources"]["Other"] = {"Type": "AWS::IAM::Role", "Properties": {}}
    world = World(template=template)
    world.gateways.targets.log_groups[OTHER, "eu-west-1"] = ("/edge/eu-west-1", "/edge/")
    assert not world.plan().blocked


def test_suspended_accounts_of_a_list_are_left_out_and_named() -> None:
    world = World()
    world.gateways.targets.units = {"ou-a": {ACCOUNT: True, OTHER: False}}
    plan = world.plan()
    warned = [f.message for f in plan.all_findings if f.code == "account_suspended"]
    assert len(warned) == 1 and OTHER in warned[0] and ACCOUNT not in warned[0]
    assert {(i.account_id, i.action) for i in world.set_of(plan).instances} == {(ACCOUNT, "create"), (OTHER, "none")}
    alone = World(accounts=(ACCOUNT,))
    alone.gateways.targets.units = {"ou-a": {ACCOUNT: False}}
    assert not [f for f in alone.plan().all_findings if f.code == "account_suspended"], "our own account is not asked about"


def test_a_plan_of_one_thread_is_the_plan_of_many() -> None:
    made = small_assembly(*(Small(id=f"s{n}", template=LOGS, parameters=(literal("Days", str(n)),)) for n in range(3)))
    request = Request(assembly=made[0], templates=made[1], options=Options(), created_at="t", created_by="s", nonce="0a1b2c3d")
    one = make_plan(request, SimulatedGateways(), NO_SCHEMAS, workers=1)
    many = make_plan(request, SimulatedGateways(), NO_SCHEMAS, workers=8)
    assert one == many and [s.stack for s in one.stacks] == ["s0", "s1", "s2"]


# --- dropping -----------------------------------------------------------------------------------------------------


def killed_apply(gateways: SimulatedGateways, plan: Any, name: str) -> str:
    """What an apply leaves that is killed between making a previewed stack's change set and executing it: the ARN."""
    made = gateways.at("eu-west-1").create_change_set(
        StackName="demo-test-site",
        ChangeSetName=name,
        ChangeSetType="UPDATE" if stack_of(plan, "site").state.exists else "CREATE",
        TemplateBody=json.dumps({**SITE, "Outputs": {}}),
        Parameters=[{"ParameterKey": "CertificateArn", "ParameterValue": "arn"}],
    )
    return str(made["Id"])


def test_dropping_takes_along_what_a_killed_apply_made_of_a_previewed_stack() -> None:
    gateways = SimulatedGateways()
    plan = plan_of(two(), gateways)
    killed_apply(gateways, plan, real_change_set_name(plan))
    assert drop(plan, gateways) == () and gateways.left == []


@pytest.mark.parametrize("why", ["another's", "executing"])
def test_dropping_leaves_what_is_anothers_or_under_way(why: str) -> None:
    gateways = SimulatedGateways()
    plan = plan_of(two(), gateways)
    arn = killed_apply(gateways, plan, "somebody-elses" if why == "another's" else real_change_set_name(plan))
    if why == "executing":
        gateways.at("eu-west-1").change_sets[arn]["ExecutionStatus"] = "EXECUTE_IN_PROGRESS"
    assert drop(plan, gateways) == ()
    assert arn in gateways.left


def test_dropping_removes_no_stack_that_was_there_before() -> None:
    gateways = SimulatedGateways()
    settled(two(), gateways)
    plan = plan_of(two("other.example.org"), gateways, nonce="000000aa")
    site = stack_of(plan, "site")
    assert site.state.exists and site.previewed
    killed_apply(gateways, plan, real_change_set_name(plan))
    assert drop(plan, gateways) == () and gateways.left == []
    assert "demo-test-site" in gateways.at("eu-west-1").stacks


def test_a_parameter_that_accepts_no_placeholder_asks_for_its_producer_first() -> None:
    picky = json.loads(json.dumps(SITE))
    picky["Parameters"]["CertificateArn"]["AllowedPattern"] = "exactly this"
    picky["Parameters"]["CertificateArn"]["MaxLength"] = 3
    plan = plan_of(two(site=picky), SimulatedGateways())
    [found] = [f for f in plan.all_findings if f.code == "no_stand_in"]
    assert found.severity == "error" and "'exactly this'" in found.message and plan.blocked
    assert found.command == "python deploy.py apply --env test --only certificate"
