"""Taking over what exists, planned and applied against a CloudFormation in memory: first as it is, then what was reviewed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from assembly.model import RoleName
from aws.errors import AwsError, BadRequest, NetworkError
from planning.model import Plan, StackPlan
from rollout.apply import Applied
from rollout.execute import execute
from rollout.import_execution import TakingOver, import_part
from rollout.lock import LockLost
from rollout.progress import Note, Started
from takeover.model import Taken
from templates.schemas import bundled
from templates.values import Known, Redacted
from tests.simulated import ACCOUNT, NOW, Faults, SimulatedLive, Small, output, small_assembly
from tests.unit.rollout.test_apply import Desk, Simulation, results, waiting

BUCKET, DISTRIBUTION = "AWS::S3::Bucket", "AWS::CloudFront::Distribution"
SCHEMAS = bundled()

SITE: dict[str, Any] = {
    "Resources": {
        "Bucket": {
            "Type": BUCKET,
            "DeletionPolicy": "Retain",
            "Properties": {"BucketName": "old-site", "VersioningConfiguration": {"Status": "Enabled"}},
        },
        "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {"Statement": []}}},
    },
    "Outputs": {"BucketName": {"Value": {"Ref": "Bucket"}}, "Arn": {"Value": {"Fn::GetAtt": ["Bucket", "Arn"]}}},
}
EDGE = {
    "Parameters": {"Origin": {"Type": "String"}},
    "Resources": {
        "Distribution": {
            "Type": DISTRIBUTION,
            "DeletionPolicy": "Retain",
            "Properties": {"DistributionConfig": {"Enabled": True, "Comment": {"Ref": "Origin"}, "PriceClass": "PriceClass_100"}},
        }
    },
    "Outputs": {"Domain": {"Value": {"Fn::GetAtt": ["Distribution", "DomainName"]}}},
}
LIVE_BUCKET = {"BucketName": "old-site", "Arn": "arn:aws:s3:::old-site", "VersioningConfiguration": {"Status": "Suspended"}}
LIVE_DISTRIBUTION = {
    "Id": "E123",
    "DomainName": "d1.cloudfront.net",
    "DistributionConfig": {
        "Enabled": True,
        "Comment": "clicked",
        "Origins": [{"Id": "o", "OriginCustomHeaders": [{"HeaderName": "X", "HeaderValue": "s3cret"}]}],
    },
}


def taken(stack: str, logical_id: str, kind: str, **identifier: str) -> Taken:
    return Taken(
        stack=stack, logical_id=logical_id, type=kind, identifier=identifier, source="a test", account_id=ACCOUNT, region="eu-west-1"
    )


THE_BUCKET = taken("site", "Bucket", BUCKET, BucketName="old-site")
THE_DISTRIBUTION = taken("edge", "Distribution", DISTRIBUTION, Id="E123")


def a_desk(*wanted: Taken, **more: Any) -> Desk:
    lives: dict[tuple[str, str], dict[str, Any]] = {(BUCKET, "old-site"): LIVE_BUCKET, (DISTRIBUTION, "E123"): LIVE_DISTRIBUTION}
    return Desk(
        simulation=Simulation(lives=json.loads(json.dumps([[*lives.items()]])) and dict(lives), **more), schemas=SCHEMAS, taken=wanted
    )


def platform() -> Any:
    """The bucket, and the distribution that takes its name."""
    return small_assembly(
        Small(id="site", template=SITE),
        Small(id="edge", template=EDGE, parameters=(output("Origin", "site", "BucketName"),), depends_on=("site",)),
    )


def stack_plan(plan: Plan, name: str) -> StackPlan:
    found = next(s for s in plan.stacks if s.stack == name)
    assert isinstance(found, StackPlan)
    return found


def errors(plan: Plan) -> list[str]:
    return [f.code for f in plan.all_findings if f.severity == "error"]


def stack(desk: Desk, name: str) -> dict[str, Any]:
    return desk.simulation.at("eu-west-1").stacks[f"demo-test-{name}"]


def properties(desk: Desk, name: str, logical_id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stack(desk, name)["_body"])["Resources"][logical_id]["Properties"]
    return found


def imports(desk: Desk) -> list[dict[str, Any]]:
    return [a for method, a in desk.simulation.at("eu-west-1").calls if method == "create_change_set" and a["ChangeSetType"] == "IMPORT"]


# --- the plan -------------------------------------------------------------------------------------------------------


def test_the_plan_takes_over_first_and_tells_what_differs_then() -> None:
    desk = a_desk(THE_BUCKET, THE_DISTRIBUTION)
    plan = desk.plan(platform())
    assert not errors(plan)
    site, edge = stack_plan(plan, "site"), stack_plan(plan, "edge")
    assert (site.operation, edge.operation) == ("import", "import")
    assert [each.physical_id for each in site.takes] == ["old-site"]
    assert site.change_set is not None
    assert site.change_set.type == "IMPORT"
    changed = {(c.logical_id, p.path): p for c in site.resources for p in c.properties}
    versions = changed["Bucket", "VersioningConfiguration.Status"]
    assert (versions.before, versions.after) == (Known(text="Suspended"), Known(text="Enabled"))
    assert {c.logical_id: c.action for c in site.resources} == {"Bucket": "modify", "Policy": "add"}


def test_the_import_says_what_is_there_and_nothing_else() -> None:
    desk = a_desk(THE_BUCKET)
    desk.plan(platform())
    (sent,) = imports(desk)
    template = json.loads(sent["TemplateBody"])
    assert template["Resources"] == {
        "Bucket": {
            "Type": BUCKET,
            "DeletionPolicy": "Retain",
            "Properties": {"BucketName": "old-site", "VersioningConfiguration": {"Status": "Suspended"}},
        }
    }
    assert {*template} == {"AWSTemplateFormatVersion", "Resources"}
    assert "Tags" not in sent
    assert sent["ResourcesToImport"] == [
        {"ResourceType": BUCKET, "LogicalResourceId": "Bucket", "ResourceIdentifier": {"BucketName": "old-site"}}
    ]


def test_what_the_next_stack_takes_is_known_before_the_import() -> None:
    """The name of a bucket that exists waits for nothing."""
    edge = stack_plan(a_desk(THE_BUCKET, THE_DISTRIBUTION).plan(platform()), "edge")
    assert not edge.waits_for
    assert [p.after for p in edge.parameters] == [Known(text="old-site")]


def test_a_secret_of_what_is_taken_over_is_not_shown() -> None:
    plan = a_desk(THE_DISTRIBUTION, THE_BUCKET).plan(platform())
    assert b"s3cret" not in msgspec.json.encode(plan)
    assert any(p.before == Redacted() or "(hidden)" in str(p.before) for c in stack_plan(plan, "edge").resources for p in c.properties)


def test_read_only_leaves_nothing_and_plans_the_same() -> None:
    desk = a_desk(THE_BUCKET)
    plan = desk.plan(platform(), read_only=True)
    assert not imports(desk)
    site = stack_plan(plan, "site")
    assert (site.operation, site.change_set) == ("import", None)
    assert desk.apply(platform(), plan).result == "succeeded"


# --- what is refused --------------------------------------------------------------------------------------------------


def test_what_another_stack_has_is_refused_with_the_way_out() -> None:
    desk = a_desk(THE_BUCKET)
    desk.simulation.at("eu-west-1").owned["old-site"] = "legacy"
    plan = desk.plan(platform())
    found = next(f for f in plan.all_findings if f.code == "import_of_another")
    assert "legacy" in found.message
    assert "DeletionPolicy Retain" in found.command
    assert waiting(desk.simulation) == []


def test_a_policy_in_another_stack_has_the_buckets_name_and_not_the_bucket() -> None:
    desk = a_desk(THE_BUCKET)
    there = desk.simulation.at("eu-west-1")
    there.owned["old-site"], there.owned_type = "legacy", "AWS::S3::BucketPolicy"
    plan = desk.plan(platform())
    assert not errors(plan)
    assert stack_plan(plan, "site").operation == "import"


def test_what_is_not_there_is_refused() -> None:
    plan = a_desk(taken("site", "Bucket", BUCKET, BucketName="other")).plan(platform())
    assert "import_missing" in errors(plan)


def test_what_would_be_replaced_is_refused() -> None:
    desk = a_desk(taken("site", "Bucket", BUCKET, BucketName="elsewhere"))
    desk.simulation.lives[BUCKET, "elsewhere"] = {"BucketName": "elsewhere"}
    plan = desk.plan(platform())
    found = next(f for f in plan.all_findings if f.code == "import_replaced")
    assert "BucketName: elsewhere, ours old-site" in found.message
    assert waiting(desk.simulation) == []


def test_a_stack_in_a_wrong_state_takes_nothing_over() -> None:
    desk = a_desk(THE_BUCKET)
    desk.simulation.at("eu-west-1").deploy("demo-test-site", {"Resources": {}}, {}, status="ROLLBACK_COMPLETE")
    assert "stack_rollback_complete" in errors(desk.plan(platform()))


def test_what_cloudformation_says_no_to_is_told_when_it_is_planned() -> None:
    desk = a_desk(THE_BUCKET, faults=Faults(refuse={"demo-test-site": "ResourceTypes [AWS::S3::Bucket] are not supported for Import"}))
    plan = desk.plan(platform())
    assert any("not supported for Import" in f.message for f in plan.all_findings)
    assert waiting(desk.simulation) == []


def test_a_change_set_that_does_not_say_import_is_not_kept() -> None:
    desk = a_desk(THE_BUCKET)

    def also_adds(_: Any, __: Any, ___: Any, changes: list[dict[str, Any]]) -> str:
        more = {"LogicalResourceId": "Other", "ResourceType": "AWS::SNS::Topic", "Action": "Add", "Details": []}
        changes.append({"Type": "Resource", "ResourceChange": more})
        return ""

    vars(desk.simulation.at("eu-west-1"))["_import_refusal"] = also_adds
    plan = desk.plan(platform())
    found = next(f for f in plan.all_findings if f.code == "import_does_more")
    assert "Import Other" in found.message
    assert waiting(desk.simulation) == []


def test_what_the_stack_has_already_is_not_taken_twice() -> None:
    desk = a_desk(THE_BUCKET)
    assert desk.apply(platform()).result == "succeeded"
    plan = desk.plan(platform())
    assert [s.operation for s in plan.stacks] == ["none", "none"]
    assert "taken_already" in [f.code for f in plan.all_findings]


# --- the apply --------------------------------------------------------------------------------------------------------


def test_both_stacks_are_taken_over_and_aligned_in_one_apply() -> None:
    desk = a_desk(THE_BUCKET, THE_DISTRIBUTION)
    applied = desk.apply(platform())
    assert results(applied) == {"site": "succeeded", "edge": "succeeded"}
    assert desk.simulation.executed == ["demo-test-site"] * 2 + ["demo-test-edge"] * 2
    assert [o.operation for o in applied.stacks] == ["import", "import"]
    told = {e.stack: e.text for e in desk.told if isinstance(e, Note) and "has taken over" in e.text}
    assert "old-site" in told["site"] and "E123" in told["edge"]
    started = [(e.stack, e.operation, e.resumed) for e in desk.told if isinstance(e, Started)]
    assert started == [(name, part, False) for name in ("site", "edge") for part in ("import", "update")]
    assert [e.resources for e in desk.told if isinstance(e, Started) and e.operation == "import"] == [1, 1]
    assert properties(desk, "site", "Bucket")["VersioningConfiguration"] == {"Status": "Enabled"}
    assert stack(desk, "edge")["StackStatus"] == "UPDATE_COMPLETE"
    assert waiting(desk.simulation) == []
    assert [s.operation for s in desk.plan(platform()).stacks] == ["none", "none"]


def test_an_existing_stack_takes_over_beside_what_it_has() -> None:
    desk = a_desk(THE_BUCKET)
    before = {
        "Parameters": {"P": {"Type": "String"}},
        # A name where the new template refers to what is taken over: no change, though CloudFormation may list it as one.
        "Resources": {"Policy": SITE["Resources"]["Policy"] | {"Properties": {"Bucket": "old-site", "PolicyDocument": {}}}},
        "Outputs": {"P": {"Value": {"Ref": "P"}}},
    }
    desk.simulation.at("eu-west-1").deploy("demo-test-site", before, {"P": "kept"})
    plan = desk.plan(platform())
    (sent,) = imports(desk)
    template = json.loads(sent["TemplateBody"])
    assert template["Outputs"] == before["Outputs"]
    assert sent["Parameters"] == [{"ParameterKey": "P", "UsePreviousValue": True}]
    assert template["Resources"]["Policy"] == before["Resources"]["Policy"]
    assert desk.apply(platform(), plan).result == "succeeded"


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("number", range(1, 60))
def test_killed_at_any_call_the_next_apply_of_the_same_plan_ends_it(number: int) -> None:
    """Every call of CloudFormation in turn, before it is answered; nothing is executed twice."""
    desk = a_desk(THE_BUCKET, THE_DISTRIBUTION)
    made = platform()
    plan = desk.plan(made)
    calls = 0

    def die(_: str, __: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == number:
            raise Killed

    desk.simulation.faults.before_call = die
    try:
        desk.apply(made, plan)
    except Killed:
        desk.table.item = None
    desk.simulation.faults.before_call = lambda *_: None
    desk.stop.clear()
    applied = desk.apply(made, plan)
    assert applied.result == "succeeded", applied
    assert sorted(desk.simulation.executed) == ["demo-test-edge"] * 2 + ["demo-test-site"] * 2
    assert waiting(desk.simulation) == []


@pytest.mark.parametrize("change", [{"VersioningConfiguration": {"Status": "Enabled"}}, {"VersioningConfiguration": {}}])
def test_a_foreign_change_between_approval_and_apply_refuses(change: dict[str, Any]) -> None:
    desk = a_desk(THE_BUCKET)
    plan = desk.plan(platform())
    desk.simulation.lives[BUCKET, "old-site"] = LIVE_BUCKET | change
    applied = desk.apply(platform(), plan)
    assert results(applied)["site"] == "refused"
    assert desk.simulation.executed == []
    assert "not as it was when the plan was made" in str(applied.stacks[0].differences)
    assert applied.stacks[0].command == "python deploy.py adopt --env test", "plan knows nothing of what adopt has found"


@pytest.mark.parametrize("status", ["UPDATE_COMPLETE", "IMPORT_COMPLETE"])
def test_a_foreign_operation_between_import_and_alignment_refuses(status: str) -> None:
    desk = a_desk(THE_BUCKET)
    plan = desk.plan(platform())
    desk.simulation.faults.errors["create_change_set", "demo-test-site"] = BadRequest("no", code="ValidationError")
    assert results(desk.apply(platform(), plan))["site"] == "failed"
    assert stack(desk, "site")["StackStatus"] == "IMPORT_COMPLETE"
    del desk.simulation.faults.errors["create_change_set", "demo-test-site"]
    found = stack(desk, "site")
    found |= {"StackStatus": status, "LastUpdatedTime": NOW.replace(hour=23)}
    found["_events"].insert(0, {**found["_events"][0], "EventId": "other", "ResourceStatus": status, "ClientRequestToken": "x"})
    applied = desk.apply(platform(), plan)
    assert results(applied)["site"] == "refused"
    assert desk.simulation.executed == ["demo-test-site"]


def test_an_import_that_an_earlier_apply_began_is_followed_and_not_begun_again() -> None:
    desk = a_desk(THE_BUCKET)
    made = platform()
    plan = desk.plan(made)
    desk.simulation.scripts["demo-test-site"] = ["IMPORT_IN_PROGRESS"] * 40 + ["IMPORT_COMPLETE"]

    def stop(name: str, _: Any) -> None:
        if desk.simulation.executed and name == "describe_stack_events":
            desk.stop.set()

    desk.simulation.faults.before_call = stop
    assert results(desk.apply(made, plan))["site"] == "running"
    desk.stop.clear()
    desk.simulation.faults.before_call = lambda *_: None
    desk.simulation.scripts.clear()
    desk.told.clear()
    sent = len(imports(desk))
    assert desk.apply(made, plan).result == "succeeded" and len(imports(desk)) == sent
    assert next(e.text for e in desk.told if isinstance(e, Note)) == "an earlier apply has begun to take over; following it"
    assert desk.simulation.executed.count("demo-test-site") == 2, "the import and the update after it"


def test_an_import_whose_template_has_no_way_to_cloudformation_makes_no_change_set() -> None:
    desk = a_desk(THE_BUCKET)
    desk.simulation.bucket = False
    topics = {f"T{n}": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "x" * 400}} for n in range(150)}
    desk.simulation.at("eu-west-1").deploy("demo-test-site", {"Resources": topics}, {})
    plan = desk.plan(platform())
    assert "artifact_bucket_missing" in errors(plan) and stack_plan(plan, "site").operation == "blocked"
    assert [a for method, a in desk.simulation.at("eu-west-1").calls if method == "create_change_set"] == []


@pytest.mark.parametrize("read_only", [False, True])
def test_what_exists_is_read_with_the_role_that_the_stack_is_made_with_unless_nothing_may_be_passed(read_only: bool) -> None:
    roles: list[str | None] = []

    class Asked(SimulatedLive):
        def get(self, resource_type: str, identifier: Mapping[str, str], *, service_role_arn: str | None = None) -> dict[str, Any]:
            roles.append(service_role_arn)
            return super().get(resource_type, identifier)

    class Asking(Simulation):
        def live(self, account_id: str, region: str, role_arn: str | None = None) -> Any:
            return Asked(self.lives)

    desk = a_desk(THE_BUCKET)
    desk.simulation = Asking(lives=desk.simulation.lives)
    made = small_assembly(Small(id="site", template=SITE, more={"service_role": RoleName(name="service")}))
    assert not errors(desk.plan(made, read_only=read_only))
    assert set(roles) == {None if read_only else f"arn:aws:iam::{ACCOUNT}:role/service"}


def test_a_stack_that_moves_right_before_its_turn_takes_nothing_over() -> None:
    desk = a_desk(THE_BUCKET)
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}
    desk.simulation.at("eu-west-1").deploy("demo-test-site", {"Resources": {"Topic": topic}}, {})
    made = small_assembly(Small(id="site", template={**SITE, "Resources": {**SITE["Resources"], "Topic": topic}}))
    plan = desk.plan(made)
    stack(desk, "site")["LastUpdatedTime"] = NOW.replace(hour=23)
    before = len(imports(desk))
    outcome = execute(desk.run(made, plan), plan.stacks[0], {})
    assert outcome.result == "refused" and "when it was planned, and is CREATE_COMPLETE of" in outcome.message
    assert desk.simulation.executed == [] and len(imports(desk)) == before
    assert outcome.command == "python deploy.py adopt --env test"


def test_without_the_lock_no_change_set_is_made_to_take_over() -> None:
    desk = a_desk(THE_BUCKET)
    made = platform()
    plan = desk.plan(made)
    (site,) = (each for each in plan.stacks if each.stack == "site")
    sent = len([method for method, _ in desk.simulation.at("eu-west-1").calls if method == "create_change_set"])

    def lost() -> None:
        raise LockLost("taken over")

    outcome = execute(dataclasses.replace(desk.run(made, plan), check=lost), msgspec.structs.replace(site, change_set=None), {})
    assert (outcome.result, outcome.message) == ("not_started", "taken over")
    assert len([method for method, _ in desk.simulation.at("eu-west-1").calls if method == "create_change_set"]) == sent


@pytest.mark.parametrize("events", [True, False])
def test_the_stack_is_as_the_import_left_it_only_if_an_event_says_so(events: bool) -> None:
    desk = a_desk(THE_BUCKET)
    made = platform()
    plan = desk.plan(made)
    desk.simulation.faults.errors["create_change_set", "demo-test-site"] = BadRequest("no", code="ValidationError")
    desk.apply(made, plan)
    found = stack(desk, "site")
    assert found["StackStatus"] == "IMPORT_COMPLETE"
    if not events:
        found["_events"].clear()
    (site,) = (each for each in plan.stacks if isinstance(each, StackPlan) and each.stack == "site")
    left = TakingOver(desk.run(made, plan), import_part(site), {}).left()
    assert (left.status, left.stack_arn, bool(left.changed_at)) == ("IMPORT_COMPLETE", found["StackId"], events)
    found["StackStatus"] = "UPDATE_COMPLETE"
    since = TakingOver(desk.run(made, plan), import_part(site), {}).left()
    assert since.changed_at == ("2026-11-22T10:00:00Z" if events else ""), "when the import ended, and not since"


def test_what_was_only_just_taken_over_is_not_replaced_whatever_was_approved() -> None:
    desk = a_desk(THE_BUCKET)
    made = small_assembly(Small(id="site", template=SITE))
    plan = desk.plan(made)
    renamed = json.loads(json.dumps(SITE))
    renamed["Resources"]["Bucket"]["Properties"]["BucketName"] = "new-site"
    other = small_assembly(Small(id="site", template=renamed))
    outcome = execute(desk.run((made[0], other[1]), plan), plan.stacks[0], {})
    assert outcome.result == "refused" and outcome.differences == ("Bucket would be replaced, though it was only just taken over",)
    assert desk.simulation.executed == ["demo-test-site"] and waiting(desk.simulation) == []


def test_what_stood_beside_it_may_be_replaced_by_the_update_after_the_import() -> None:
    desk = a_desk(THE_BUCKET)
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "old"}}
    desk.simulation.at("eu-west-1").deploy("demo-test-site", {"Resources": {"Topic": topic}}, {})
    renamed = {**SITE, "Resources": {**SITE["Resources"], "Topic": {**topic, "Properties": {"TopicName": "new"}}}}
    made = small_assembly(Small(id="site", template=renamed))
    plan = desk.plan(made)
    assert {c.logical_id: c.replacement.verdict for c in stack_plan(plan, "site").resources}["Topic"] == "yes"
    assert desk.apply(made, plan).result == "succeeded"


def test_an_import_that_is_rolled_back_says_what_to_type() -> None:
    desk = a_desk(THE_BUCKET)
    desk.simulation.scripts["demo-test-site"] = ["IMPORT_IN_PROGRESS", "IMPORT_ROLLBACK_COMPLETE"]
    desk.simulation.events["demo-test-site"] = [("Bucket", "IMPORT_FAILED", "it is gone")]
    applied = desk.apply(platform())
    outcome = applied.stacks[0]
    assert (outcome.result, outcome.status) == ("failed", "IMPORT_ROLLBACK_COMPLETE")
    assert "it is gone" in outcome.message
    assert outcome.command == "python deploy.py adopt --env test"
    assert desk.simulation.executed == ["demo-test-site"]


def test_a_lost_answer_is_no_second_import() -> None:
    desk = a_desk(THE_BUCKET)
    lost: list[AwsError] = [NetworkError("lost")]
    desk.simulation.after_execute["demo-test-site"] = lost
    applied: Applied = desk.apply(platform())
    assert applied.result == "succeeded"
    assert desk.simulation.executed.count("demo-test-site") == 2


# --- what was kept ----------------------------------------------------------------------------------------------------


def deleted(name: str, *events: tuple[str, str, str, str]) -> dict[str, Any]:
    """A deleted stack; events are (logical id, type, physical id, status), the latest last."""
    arn = f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/{name}/gone"
    told = [
        {
            "EventId": f"gone-{number}",
            "StackId": arn,
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": physical_id,
            "ResourceType": kind,
            "ResourceStatus": status,
            "Timestamp": NOW,
        }
        for number, (logical_id, kind, physical_id, status) in enumerate(events)
    ]
    return {"StackName": name, "StackId": arn, "StackStatus": "DELETE_COMPLETE", "_events": told[::-1]}


def test_what_a_deleted_stack_kept_is_taken_over_by_the_ordinary_plan() -> None:
    """A distribution has no name of its own: only the stack's events tell which it was."""
    desk = a_desk()
    desk.simulation.at("eu-west-1").deleted = [deleted("demo-test-edge", ("Distribution", DISTRIBUTION, "E123", "DELETE_SKIPPED"))]
    plan = desk.plan(platform())
    edge = stack_plan(plan, "edge")
    assert edge.operation == "import"
    assert [(each.physical_id, each.source) for each in edge.takes] == [("E123", "kept by the deleted stack of this name")]
    assert desk.apply(platform(), plan).result == "succeeded"


def test_what_is_no_more_there_is_made_anew() -> None:
    desk = a_desk()
    desk.simulation.at("eu-west-1").deleted = [deleted("demo-test-edge", ("Distribution", DISTRIBUTION, "E9", "DELETE_SKIPPED"))]
    assert stack_plan(desk.plan(platform()), "edge").operation == "create"


def test_what_was_deleted_after_all_is_not_taken_over() -> None:
    desk = a_desk()
    events = (("Distribution", DISTRIBUTION, "E123", "DELETE_SKIPPED"), ("Distribution", DISTRIBUTION, "E123", "DELETE_COMPLETE"))
    desk.simulation.at("eu-west-1").deleted = [deleted("demo-test-edge", *events)]
    assert stack_plan(desk.plan(platform()), "edge").operation == "create"


def test_who_may_not_read_what_was_kept_is_told_and_makes_another() -> None:
    desk = a_desk()
    desk.simulation.at("eu-west-1").deleted = [deleted("demo-test-edge", ("Distribution", DISTRIBUTION, "E123", "DELETE_SKIPPED"))]
    desk.simulation.unreadable = True
    plan = desk.plan(platform())
    assert stack_plan(plan, "edge").operation == "create"
    assert "kept_unread" in [f.code for f in plan.all_findings if f.severity == "warning"]


def test_after_an_import_that_was_rolled_back_the_same_is_taken_over_by_the_next_plan() -> None:
    """The stack is there then, with nothing in it."""
    desk = a_desk()
    desk.simulation.at("eu-west-1").deleted = [deleted("demo-test-edge", ("Distribution", DISTRIBUTION, "E123", "DELETE_SKIPPED"))]
    desk.simulation.at("eu-west-1").deploy("demo-test-edge", {}, {}, status="IMPORT_ROLLBACK_COMPLETE")
    plan = desk.plan(platform())
    assert stack_plan(plan, "edge").operation == "import"
    assert desk.apply(platform(), plan).result == "succeeded"


def test_what_the_import_keeps_until_it_is_updated_is_no_loss_of_defence() -> None:
    site = {**SITE, "Resources": {**SITE["Resources"], "Bucket": {**SITE["Resources"]["Bucket"], "DeletionPolicy": "Delete"}}}
    desk = a_desk(THE_BUCKET)
    plan = desk.plan(small_assembly(Small(id="site", template=site)))
    assert stack_plan(plan, "site").operation == "import"
    assert plan.consequences is not None
    assert [each.kind for each in plan.consequences.posture] == []
