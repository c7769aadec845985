"""Small decisions of a plan, each by itself: moves, ways to the bucket, outputs, what is left behind, content, names."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from assembly.model import Parameter, SecretRef
from aws.cloudformation.stacks import StackEvent
from changes.context import Context
from changes.model import Replacement, ResourceChange
from changes.moved import Move, Side
from gateways.retained import CERTIFICATE
from planning.across import _refactor, _words
from planning.authority import is_unreviewed
from planning.beside import beside_change_sets
from planning.content import findings as content_findings
from planning.cut_off import CONTROL, cut_off
from planning.model import Options
from planning.outputs import hidden, output_after
from planning.read_only import reachable, uncompared, withheld
from planning.request import PlanError, change_set_name, change_set_prefix, real_change_set_name, selected
from planning.superseded import left, replaced_by
from templates.intrinsics import after_mark, secret_mark
from templates.schemas import Schemas
from tests.simulated import ACCOUNT, SimulatedGateways, Small, small_assembly
from tests.unit.planning.test_plan import plan_of, stack_of
from tests.unit.rollout.test_apply import Desk

NO_SCHEMAS = Schemas(directory=None)
TOPIC: dict[str, Any] = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {}}}}


# --- moves --------------------------------------------------------------------------------------------------------


def side(stack: str, logical_id: str, region: str = "eu-west-1", *, name: str = "n", kept: bool = False) -> Side:
    place = (ACCOUNT, region)
    return Side(
        stack=stack, stack_name=f"demo-{stack}", place=place, logical_id=logical_id, type="AWS::X::Y", body={}, name=name, kept=kept
    )


def test_a_refactor_names_each_stack_once_and_both_places() -> None:
    both = _refactor(Move(before=side("a", "Old"), after=side("b", "New")), "test")
    assert both == (
        "aws cloudformation create-stack-refactor --region eu-west-1"
        " --stack-definitions StackName=demo-a,TemplateBody@=file://dist/test/a.template.json"
        " StackName=demo-b,TemplateBody@=file://dist/test/b.template.json"
        " --resource-mappings 'Source={StackName=demo-a,LogicalResourceId=Old},Destination={StackName=demo-b,LogicalResourceId=New}'"
    )
    one = _refactor(Move(before=side("a", "Old"), after=side("a", "New")), "test")
    assert one.count("StackName=demo-a,TemplateBody") == 1 and "demo-b" not in one


def test_how_a_move_is_told() -> None:
    inside = _words(Move(before=side("a", "Old"), after=side("a", "New")))
    assert inside.startswith("New is Old under another logical id (AWS::X::Y n): both cannot exist at once")
    assert inside.endswith("deploy with the old place, then move it, then plan again")
    nameless = _words(Move(before=side("a", "Old", name=""), after=side("b", "New", name="")))
    assert nameless.startswith("New is Old of a under another stack (AWS::X::Y): CloudFormation makes a second one and deletes the first.")


@pytest.mark.parametrize(
    ("kept", "words"), [(True, "it is kept by its stack;"), (False, "it has to get DeletionPolicy: Retain in its old")]
)
def test_what_went_to_another_region_is_not_refactored(kept: bool, words: str) -> None:
    move = Move(before=side("a", "Old", kept=kept), after=side("b", "New", "us-east-1"))
    assert _refactor(move, "test") == "" and words in _words(move) and "No refactor goes from one region" in _words(move)


# --- the way to the bucket ------------------------------------------------------------------------------------------

CONTROLLED = {"DomainName": "site.s3.eu-west-1.amazonaws.com", "OriginAccessControlId": "E9", "S3OriginConfig": {}}
IDENTIFIED = {"DomainName": "site.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": "origin-access-identity/cloudfront/EOLD"}}
OPEN = {"DomainName": "site.s3-website-eu-west-1.amazonaws.com", "CustomOriginConfig": {}}
OAC = {"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}}
OAI = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity EOLD"}}


def stack(origin: Any, *statements: Any, bucket: dict[str, Any] | None = None, of: Any = "site", name: str = "site") -> dict[str, Any]:
    return {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name, **(bucket or {})}},
        "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": of, "PolicyDocument": {"Statement": list(statements)}}},
        "Cdn": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": {"Origins": [origin]}}},
    }


def told(before: Any, after: Any, cdn: str = "E1") -> list[tuple[str, str]]:
    return list(cut_off(before, after, {"Cdn": cdn} if cdn else {}))


ARN = f"arn:aws:cloudfront::{ACCOUNT}:distribution/"


@pytest.mark.parametrize(
    ("statement", "open_"),
    [
        (OAC, True),
        ({**OAC, "Effect": "Deny"}, False),
        ({**OAC, "Principal": {"Service": ["s3.amazonaws.com", "cloudfront.amazonaws.com"]}}, True),
        ({**OAC, "Principal": {"Service": "s3.amazonaws.com"}}, False),
        ({**OAC, "Principal": "*"}, False),
        ({**OAC, "Condition": {"StringEquals": {"AWS:SourceArn": f"{ARN}E1"}}}, True),
        ({**OAC, "Condition": {"StringEquals": {"AWS:SourceArn": [f"{ARN}E2", f"{ARN}E1"]}}}, True),
        ({**OAC, "Condition": {"StringEquals": {"AWS:SourceArn": f"{ARN}E2"}}}, False),
        ({**OAC, "Condition": {"StringEquals": {"AWS:SourceArn": f"{ARN}XE1"}}}, False),
        ({**OAC, "Condition": {"StringLike": {"AWS:SourceArn": f"{ARN}*"}}}, True),
        ({**OAC, "Condition": {"StringEquals": {"AWS:SourceArn": f"{ARN}${{Cdn}}"}}}, True),
        ({**OAC, "Condition": {"StringEquals": {"AWS:SourceAccount": ACCOUNT}}}, True),
    ],
)
def test_whether_a_policy_lets_the_new_way_in(statement: Any, open_: bool) -> None:
    found = told(stack(IDENTIFIED, OAI, statement), stack(CONTROLLED, OAC))
    assert (found == []) is open_
    for why, remedy in found:
        assert why.startswith(f"every page is an error for some minutes: Cdn changes to {CONTROL}, and the policy of Bucket")
        assert "(it lets in Origin Access Identity EOLD)" in why and remedy == "adopt: {origin_access_identity: EOLD}"
    if ARN in str(statement):
        assert told(stack(IDENTIFIED, OAI, statement), stack(CONTROLLED, OAC), cdn="") == [], "not known whose it is"


@pytest.mark.parametrize(
    ("principal", "open_"),
    [
        ("*", True),
        ({"AWS": "*"}, True),
        (OAI["Principal"], True),
        ({"AWS": ["arn:aws:iam::1:root", "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity EOLD"]}, True),
        ({"CanonicalUser": "abc"}, True),
        ({"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity EOTHER"}, False),
        (None, False),
    ],
)
def test_whether_a_policy_lets_an_identity_in(principal: Any, open_: bool) -> None:
    found = told(stack(CONTROLLED, OAC, {"Effect": "Allow", "Principal": principal}), stack(IDENTIFIED, OAI))
    assert (found == []) is open_
    assert all(remedy == "adopt: {origin_access_identity: EOLD, origin: private}" for _, remedy in found)


def test_only_the_policy_of_that_bucket_and_the_way_that_changes_count() -> None:
    assert told(stack(IDENTIFIED, OAI, OAC, of="other"), stack(CONTROLLED, OAC)) != []
    assert told(stack(IDENTIFIED, OAI, OAC, of={"Ref": "Bucket"}), stack(CONTROLLED, OAC)) == []
    assert told(stack(IDENTIFIED, OAI, OAC, of={"Ref": "Other"}), stack(CONTROLLED, OAC)) != []
    assert told(stack(CONTROLLED), stack(CONTROLLED)) == [], "it goes that way already"
    assert told(stack(IDENTIFIED, OAI), stack({**CONTROLLED, "DomainName": "elsewhere.example.org"})) == []
    assert told(stack(IDENTIFIED, OAI, name=""), stack(CONTROLLED, name="")) == [], "its name is not known"
    by_reference = {**CONTROLLED, "DomainName": {"Fn::GetAtt": ["Bucket", "RegionalDomainName"]}}
    assert told(stack(IDENTIFIED, OAI), stack(by_reference)) != []
    assert told(stack(IDENTIFIED, OAI), stack({**by_reference, "DomainName": {"Fn::GetAtt": ["Other", "DomainName"]}})) == []


def test_what_cannot_be_read_lets_nobody_in_and_leads_nowhere() -> None:
    for document in ("text", None, ["a"], {"Statement": ["a"]}):
        before = stack(IDENTIFIED)
        before["Policy"]["Properties"]["PolicyDocument"] = document
        assert told(before, stack(CONTROLLED)) != []
    assert "(it lets in nobody)" in told(stack("nonsense"), stack(CONTROLLED))[0][0]
    odd = {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": "x"}}
    assert told(stack(CONTROLLED), {**stack(CONTROLLED), "Cdn": odd}) == []
    rules = {"OwnershipControls": {"Rules": ["nonsense"]}, "PublicAccessBlockConfiguration": None}
    assert told(stack(OPEN, OAC), stack(CONTROLLED, OAC, bucket=rules)) == []


@pytest.mark.parametrize("kind", ["AWS::CloudFront::StreamingDistribution", "Custom::Cdn"])
def test_only_what_is_a_distribution_is_one(kind: str) -> None:
    before, after = stack(IDENTIFIED, OAI), stack(CONTROLLED, OAC)
    assert told({**before, "Cdn": {**before["Cdn"], "Type": kind}}, {**after, "Cdn": {**after["Cdn"], "Type": kind}}) == []


def test_an_origin_that_is_no_bucket_needs_no_policy_of_one() -> None:
    url = {"Type": "AWS::Lambda::Url", "Properties": {}}
    by_url = {
        "DomainName": {"Fn::Select": [2, {"Fn::Split": ["/", {"Fn::GetAtt": ["Url", "FunctionUrl"]}]}]},
        "OriginAccessControlId": "E8",
    }
    before, after = ({**stack(CONTROLLED, OAC), "Url": url} for _ in range(2))
    after["Cdn"] = {**after["Cdn"], "Properties": {"DistributionConfig": {"Origins": [CONTROLLED, by_url]}}}
    assert told(before, after) == []


def test_an_origin_without_an_identity_reads_publicly() -> None:
    plain = {"DomainName": CONTROLLED["DomainName"], "S3OriginConfig": {}}
    shut = {"PublicAccessBlockConfiguration": {"RestrictPublicBuckets": True}}
    ((why, remedy),) = told(stack(plain, OAC), stack(CONTROLLED, OAC, bucket=shut))
    assert "closed to the public first" in why and remedy.startswith("adopt: {website_endpoint: ")


def test_a_bucket_that_is_new_hides_none_that_is_cut_off() -> None:
    before, after = stack(IDENTIFIED, OAI), stack(CONTROLLED, OAC)
    assert len(told(before, {"A": {"Type": "AWS::S3::Bucket", "Properties": {}}, **after})) == 1


def test_what_is_new_cuts_nobody_off() -> None:
    before = stack(IDENTIFIED, OAI)
    for missing in ("Cdn", "Bucket"):
        assert told({k: v for k, v in before.items() if k != missing}, stack(CONTROLLED)) == []
    nobody = told({**before, "Cdn": {"Type": "AWS::CloudFront::Distribution"}}, stack(CONTROLLED))
    assert "(it lets in nobody)" in nobody[0][0]


@pytest.mark.parametrize(
    ("before", "after", "closes"),
    [
        ({}, {"PublicAccessBlockConfiguration": {"RestrictPublicBuckets": True}}, True),
        ({}, {"PublicAccessBlockConfiguration": {"IgnorePublicAcls": "true"}}, True),
        ({}, {"PublicAccessBlockConfiguration": {"RestrictPublicBuckets": False, "BlockPublicPolicy": True}}, False),
        ({}, {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}, True),
        ({}, {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}}, False),
        (
            {"PublicAccessBlockConfiguration": {"IgnorePublicAcls": True}},
            {"PublicAccessBlockConfiguration": {"IgnorePublicAcls": True}},
            False,
        ),
        ({"PublicAccessBlockConfiguration": {"IgnorePublicAcls": True}}, {}, False),
    ],
)
def test_a_public_bucket_that_is_closed_in_the_same_update(before: Any, after: Any, closes: bool) -> None:
    found = told(stack(OPEN, OAC, bucket=before), stack(CONTROLLED, OAC, bucket=after))
    assert bool(found) is closes
    assert all("closed to the public first" in why and "origin: private" in remedy for why, remedy in found)
    assert told(stack(OPEN, OAC, bucket=before), stack(OPEN, OAC, bucket=after)) == [], "it goes on reading it publicly"


# --- outputs --------------------------------------------------------------------------------------------------------


def after(expression: Any, live: str | None = "l", old: Any = None, *changes: ResourceChange) -> str | None:
    there = {"T": {"Type": "AWS::SNS::Topic", "Properties": {}}}
    context = Context(before=there, after=there, schemas=NO_SCHEMAS, region="eu-west-1")
    return output_after(expression, live, expression if old is None else old, changes, context)


def changed(**more: Any) -> ResourceChange:
    usual: dict[str, Any] = {"logical_id": "T", "resource_type": "AWS::SNS::Topic", "action": "modify"}
    return ResourceChange(**{**usual, "replacement": Replacement(verdict="no"), **more})


def test_when_an_output_is_known_before() -> None:
    join = {"Fn::Join": ["", [{"Ref": "T"}, after_mark("a.B")]]}
    assert after("text") == "text" and after("text", None) == "text"
    assert after(after_mark("a.B")) is None and after(join) is None
    assert after({"Ref": "T"}) == "l" and after({"Ref": "T"}, None) is None
    assert after({"Ref": "T"}, "l", {"Ref": "Other"}) is None
    assert after({"Ref": "T"}, "l", None, changed(replacement=Replacement(verdict="yes"))) is None
    assert after({"Fn::ImportValue": "x"}) is None, "nothing tells whether that changes"


def test_outputs_with_a_secret_in_them_on_either_side() -> None:
    mark = secret_mark("P", "new")
    assert hidden({"A": mark, "B": "b"}, {"C": {"Fn::Join": ["", ["x", mark]]}, "B": "c"}) == {"A", "C"}


# --- what is left behind ----------------------------------------------------------------------------------------------


def leaves(**more: Any) -> list[str]:
    usual: dict[str, Any] = {"resource_type": CERTIFICATE, "physical_id": "old", "policy_action": "ReplaceAndRetain"}
    plan: Any = SimpleNamespace(
        resources=(changed(**{**usual, "replacement": Replacement(verdict="yes"), **more}),),
        place={"stack": "a", "stack_name": "a", "account_id": ACCOUNT, "region": "us-east-1"},
        role_arn=None,
    )
    return [each.physical_id for each in replaced_by(plan)]


def test_what_an_update_leaves_behind() -> None:
    assert leaves() == ["old"] == leaves(replacement=Replacement(verdict="maybe"))
    assert leaves(action="remove", policy_action="Retain", replacement=Replacement(verdict="no")) == ["old"]
    assert leaves(policy_action="Retain") == [] == leaves(policy_action="ReplaceAndDelete")
    assert leaves(action="remove") == [] == leaves(action="remove", policy_action="Delete")
    assert leaves(replacement=Replacement(verdict="no")) == []
    assert leaves(physical_id=None) == [] == leaves(resource_type="AWS::Nobody::Knows")


def test_events_of_the_stack_itself_and_of_what_has_no_id_are_none() -> None:
    def event(physical_id: str, status: str = "DELETE_SKIPPED", reason: str = "why") -> StackEvent:
        return StackEvent(id="1", logical_id="C", physical_id=physical_id, resource_type=CERTIFICATE, status=status, reason=reason, at="t")

    listed: list[str] = []

    def resources(arn: str) -> tuple[()]:
        listed.append(arn)
        return ()

    events = (event(""), event("arn"), event("kept"), event("failed", "DELETE_FAILED"), event("taken"), event("taken", "IMPORT_COMPLETE"))
    gateway: Any = SimpleNamespace(events=lambda _: events, list_resources=resources)
    place = {"stack": "a", "stack_name": "a", "account_id": ACCOUNT, "region": "us-east-1", "role_arn": None}
    found = left(place, "arn", gateway)
    assert [(each.physical_id, each.reason, each.since) for each in found] == [("kept", "", "t"), ("failed", "why", "t")]
    quiet: Any = SimpleNamespace(events=lambda _: (event("", "CREATE_COMPLETE"),), list_resources=resources)
    assert left(place, "arn", quiet) == () and listed == ["arn"], "resources are listed only where there is something to compare"


# --- who plans ------------------------------------------------------------------------------------------------------


def test_the_code_of_a_pull_request_is_known_by_its_role() -> None:
    made = msgspec.structs.replace(small_assembly(Small(id="a", template=TOPIC))[0], pull_request_role_name="pr")
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/pr/s"
    assert is_unreviewed(made, session) and not is_unreviewed(made, session.replace("/pr/", "/other/"))
    assert not is_unreviewed(msgspec.structs.replace(made, pull_request_role_name=""), f"arn:aws:sts::{ACCOUNT}:assumed-role//s")


def test_read_only_leaves_other_accounts_and_withholds_secrets_from_pull_requests() -> None:
    secret = Parameter(name="P", source=SecretRef(secret="s", key="k"), no_echo=True)
    made, _ = small_assembly(
        Small(id="a", template=TOPIC),
        Small(id="b", template=TOPIC, more={"role_arn": "arn:b"}),
        Small(id="c", template=TOPIC, parameters=(secret,)),
    )
    made = msgspec.structs.replace(made, pull_request_role_name="pr")
    everything, nothing = reachable(made.stacks, Options())
    assert len(everything) == 3 and nothing == ()
    chosen, findings = reachable(made.stacks, Options(read_only=True))
    assert [s.id for s in chosen] == ["a", "c"]
    assert [(f.severity, f.code) for f in findings] == [("note", "read_only"), ("warning", "not_in_read_only_plan")]
    assert findings[1].message.startswith("b is not in this plan")
    request: Any = SimpleNamespace(assembly=made, created_by=f"arn:aws:sts::{ACCOUNT}:assumed-role/pr/s")
    a, _, c = made.stacks
    assert withheld(c, request) and not withheld(a, request)
    assert not withheld(c, SimpleNamespace(assembly=made, created_by="somebody"))  # type: ignore[arg-type]
    assert [(f.severity, f.code) for s in (a, c) for f in uncompared(s, request, there=True)] == [
        ("warning", "not_previewed"),
        ("warning", "not_asked"),
    ]
    assert uncompared(c, request, there=False) == ()


# --- names and selection --------------------------------------------------------------------------------------------


def test_which_stacks_are_planned() -> None:
    made, _ = small_assembly(
        Small(id="a", template=TOPIC), Small(id="b", template=TOPIC, depends_on=("a",)), Small(id="c", template=TOPIC, depends_on=("b",))
    )
    assert [s.id for s in selected(made, ())] == ["a", "b", "c"] and [s.id for s in selected(made, ("b",))] == ["a", "b"]
    with pytest.raises(PlanError, match="no stack is called x, y in test; there are a, b, c"):
        selected(made, ("x", "a", "y"))


def test_what_an_apply_makes_is_dropped_under_the_name_that_it_made_it_with() -> None:
    desk = Desk()
    made = small_assembly(Small(id="a", template=TOPIC))
    plan = desk.plan(made)
    assert real_change_set_name(plan) == change_set_name(desk.run(made, plan).request())


def test_names_of_change_sets() -> None:
    assert (change_set_prefix("a.b_c-1"), change_set_prefix("dev", read_only=True)) == ("plan-a-b-c-1-", "review-dev-")
    made, _ = small_assembly(Small(id="a", template=TOPIC))
    for options, prefix in ((Options(), "plan"), (Options(read_only=True), "review")):
        request: Any = SimpleNamespace(assembly=made, options=options, nonce="0f")
        assert change_set_name(request) == f"{prefix}-test-{made.digest[:8]}-0f"


# --- beside the stacks ------------------------------------------------------------------------------------------------


def in_zone(operation: str = "create", account: str = "999988887777", role: str | None = "arn:r", validation: Any = "dns") -> list[str]:
    zone = SimpleNamespace(name="example.org", account_id=account, role_arn=role)
    stacks = [SimpleNamespace(id="certificate", certificate_validation=validation, account_id=ACCOUNT)]
    assembly: Any = SimpleNamespace(hosted_zone=zone if account else None, stacks=stacks)
    plans: Any = [SimpleNamespace(stack="certificate", operation=operation)]
    return [f.message for f in beside_change_sets(assembly, plans)]


def test_records_in_a_zone_of_another_account() -> None:
    assert all(len(in_zone(operation)) == 1 for operation in ("create", "update", "import"))
    assert "of account 999988887777, as arn:r; they stay" in in_zone()[0]
    assert "of account 999988887777; they stay" in in_zone(role=None)[0]
    assert in_zone("none") == in_zone("settings") == in_zone(account=ACCOUNT) == in_zone(account="") == in_zone(validation=None) == []


def content(resources: tuple[ResourceChange, ...] = (), known_after: tuple[str, ...] = (), bucket: str = "old") -> list[tuple[str, str]]:
    plan: Any = SimpleNamespace(known_after=known_after, bucket=bucket, environment="test", option="--content dist")
    stacks: Any = [SimpleNamespace(stack="site", resources=resources)]
    return [(f.severity + " " + f.code, f.message + f.command) for f in content_findings(plan, stacks)]


def test_content_and_the_stacks_of_its_plan() -> None:
    assert content() == [] == content(known_after=("site.Bucket",))
    ((code, words),) = content(known_after=("site.Bucket", "edge.Id", "base.Id"))
    assert code == "error content_without_site" and "base, edge is not deployed" in words
    assert words.endswith("plan --env test --content dist")
    gone = changed(
        logical_id="Bucket", resource_type="AWS::S3::Bucket", physical_id="old", action="remove", policy_action="Delete", holds_data=True
    )
    ((code, words),) = content((gone,))
    assert code == "warning content_bucket_replaced" and "compared with old, which site.Bucket replaces" in words
    for other in ({"physical_id": "other"}, {"resource_type": "AWS::DynamoDB::Table"}, {"action": "modify"}):
        assert content((msgspec.structs.replace(gone, **other),)) == []


def test_a_hidden_output_that_is_not_known_yet_gets_a_stand_in() -> None:
    from planning.inputs import Produced
    from tests.simulated import output
    from tests.unit.planning.test_inputs import inputs

    found = inputs(output("A", "base", "Out"), produced={"base": Produced(outputs={"Out": None}, hidden=frozenset({"Out"}))})
    assert found.waits_for == ("base.Out",) and not found.send[0].no_echo


def test_what_is_there_for_another_stack_is_not_taken_over_by_this_one() -> None:
    from takeover.model import Taken

    mine = Taken(
        stack="other", logical_id="Topic", type="AWS::SNS::Topic", identifier={"TopicArn": "t"}, source="s", account_id=ACCOUNT, region="r"
    )
    from planning.plan import make_plan
    from planning.request import Request

    made, templates = small_assembly(Small(id="a", template=TOPIC))
    request = Request(
        assembly=made, templates=templates, options=Options(), created_at="2026-11-22T10:00:00Z", created_by="s", nonce="1a", taken=(mine,)
    )
    plan = make_plan(request, SimulatedGateways(), NO_SCHEMAS)
    assert (
        stack_of(plan, "a").operation == "create"
        and plan.all_findings == stack_of(plan_of((made, templates), SimulatedGateways()), "a").findings
    )


def test_an_import_may_have_the_parameters_that_need_no_other_stack_and_are_no_secret() -> None:
    from assembly.model import HostedZoneRef
    from planning.importing import ImportPlanner
    from planning.inputs import Inputs
    from tests.simulated import literal, output

    planner = object.__new__(ImportPlanner)
    parameters = (
        literal("Plain", "1"),
        Parameter(name="Hidden", source=literal("Hidden", "2").source, no_echo=True),
        Parameter(name="Zone", source=HostedZoneRef(name="example.org")),
        Parameter(name="Secret", source=SecretRef(secret="s", key="k")),
        output("Out", "base", "Out"),
    )
    anything: Any = SimpleNamespace(parameters=parameters)
    planner.stack = anything
    assert planner.fixed == {"Plain", "Zone"}
    found = planner.static(Inputs(after={"Plain": "1", "Out": "known by now", "Hidden": "2"}))
    assert found == {"Plain": "1", "Out": after_mark("Out"), "Hidden": after_mark("Hidden")}
