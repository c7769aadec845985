"""Destroy: what is shown, the order, what is never deleted unasked, and going on where a run was cut off."""

from __future__ import annotations

import io
import json
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assembly.model import Assembly, BasicAuthSecret
from aws.cloudformation.stack_sets import StackInstance
from aws.errors import AccessDenied, AwsError, BadRequest, CredentialsError, NotFound
from gateways.existing import Found
from gateways.retained import Retained, StillReplicated
from operations.destroy.execution import destroy
from operations.destroy.survey import survey
from operations.destroy.text import outcome_lines, plan_lines
from operations.destroy.values import DestroyPlan
from removal.effects import removal_order
from removal.execution import targets_of
from session.context import CommandError, Context
from tests.golden_files import assert_golden
from tests.scripted import Scripted, ScriptedAws
from tests.simulated import ACCOUNT, Small, small_assembly, stackset
from verbs.destroy import _confirm

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
TAGS = [{"Key": "project", "Value": "demo"}, {"Key": "environment", "Value": "test"}]
GONE = NotFound("Stack does not exist", code="ValidationError")
REPLICATED = BadRequest(
    "Lambda was unable to delete arn:aws:lambda:us-east-1:1:function:demo-edge:1 because it is a replicated function. "
    "Please see our documentation for Deleting Lambda@Edge Functions and Replicas.",
    code="InvalidParameterValueException",
)
BASE = {
    "Resources": {
        "Artifacts": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": "demo-artifacts"}},
        "Locks": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain", "Properties": {"TableName": "demo-locks"}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
    }
}
EDGE = {
    "Resources": {
        "Function": {"Type": "AWS::Lambda::Function", "DeletionPolicy": "Retain", "Properties": {"FunctionName": "demo-edge"}},
        "Version1": {"Type": "AWS::Lambda::Version", "DeletionPolicy": "Retain", "Properties": {}},
        "EdgeRole": {"Type": "AWS::IAM::Role", "Properties": {}},
    }
}
LOGS = {
    "Resources": {
        "LogGroup": {
            "Type": "AWS::Logs::LogGroup",
            "DeletionPolicy": "Retain",
            "Properties": {"LogGroupName": "/aws/lambda/us-east-1.demo-edge"},
        }
    }
}


@dataclass
class Formation:
    """A region that remembers which stacks are there; deleting one takes a look more, as it does at AWS."""

    stacks: dict[str, dict[str, Any]] = field(default_factory=dict)
    deleted: dict[str, dict[str, Any]] = field(default_factory=dict)
    instances: list[dict[str, Any]] = field(default_factory=list)
    has_set: bool = False
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    fail: str = ""
    """Stack whose deletion fails."""

    def put(self, name: str, template: dict[str, Any], status: str = "CREATE_COMPLETE", protected: bool = False) -> None:
        self.stacks[name] = {
            "StackName": name,
            "StackId": f"arn:stack/{name}",
            "StackStatus": status,
            "CreationTime": "",
            "EnableTerminationProtection": protected,
            "Tags": TAGS,
            "template": template,
            "events": [],
        }

    def _find(self, name: str) -> dict[str, Any]:
        for stack in (*self.stacks.values(), *self.deleted.values()):
            if name == stack["StackId"] or (name == stack["StackName"] and name in self.stacks):
                return stack
        raise GONE

    def __getattr__(self, method: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.calls.append((method, arguments))
            return getattr(self, f"do_{method}")(**arguments)

        if method.startswith(("do_", "__")):
            raise AttributeError(method)
        return call

    def do_describe_stacks(self, StackName: str) -> Any:
        stack = self._find(StackName)
        answer = {"Stacks": [{k: v for k, v in stack.items() if k not in ("template", "events")}]}
        if stack["StackStatus"] == "DELETE_IN_PROGRESS":
            self._end(stack)
        return answer

    def _end(self, stack: dict[str, Any]) -> None:
        name = stack["StackName"]
        kept = {i for i, body in stack["template"]["Resources"].items() if body.get("DeletionPolicy") == "Retain"}
        if name == self.fail:
            stack["StackStatus"] = "DELETE_FAILED"
            stack["events"] += [
                ("Role", "AWS::IAM::Role", "role", "DELETE_FAILED", "in use"),
                (name, "AWS::CloudFormation::Stack", stack["StackId"], "DELETE_FAILED", ""),
            ]
            return
        for i, body in stack["template"]["Resources"].items():
            stack["events"].append((i, body["Type"], _physical(i, body), "DELETE_SKIPPED" if i in kept else "DELETE_COMPLETE", ""))
        stack["StackStatus"] = "DELETE_COMPLETE"
        self.deleted[name] = self.stacks.pop(name)

    def do_get_template(self, StackName: str, TemplateStage: str) -> Any:
        return {"TemplateBody": self._find(StackName)["template"]}

    def do_list_stack_resources(self, StackName: str) -> Any:
        return {
            "StackResourceSummaries": [
                {
                    "LogicalResourceId": i,
                    "PhysicalResourceId": _physical(i, b),
                    "ResourceType": b["Type"],
                    "ResourceStatus": "CREATE_COMPLETE",
                }
                for i, b in self._find(StackName)["template"]["Resources"].items()
            ]
        }

    def do_describe_stack_events(self, StackName: str) -> Any:
        found = [
            {
                "EventId": f"{n}",
                "LogicalResourceId": i,
                "ResourceType": t,
                "PhysicalResourceId": p,
                "ResourceStatus": s,
                "ResourceStatusReason": r,
            }
            for n, (i, t, p, s, r) in enumerate(self._find(StackName)["events"])
        ]
        return {"StackEvents": found[::-1]}

    def do_list_stacks(self, StackStatusFilter: Sequence[str] = ()) -> Any:
        found = self.deleted if StackStatusFilter else self.stacks
        return {"StackSummaries": [{k: s[k] for k in ("StackName", "StackId", "StackStatus")} for s in found.values()]}

    def do_list_stack_sets(self, Status: str) -> Any:
        return {"Summaries": [{"StackSetName": "demo-test-logs"}] if self.has_set else []}

    def do_list_change_sets(self, StackName: str) -> Any:
        made = {"ChangeSetId": "arn:c", "ChangeSetName": "plan-test-1-a", "Status": "CREATE_COMPLETE", "ExecutionStatus": "AVAILABLE"}
        return {"Summaries": [made]}

    def do_delete_stack(self, StackName: str, ClientRequestToken: str = "") -> Any:
        stack = self._find(StackName)
        if stack["EnableTerminationProtection"]:
            raise BadRequest("termination protection is enabled", code="ValidationError")
        if stack["StackStatus"] == "REVIEW_IN_PROGRESS":
            del self.stacks[stack["StackName"]]
        else:
            stack["StackStatus"] = "DELETE_IN_PROGRESS"

    def do_update_termination_protection(self, StackName: str, EnableTerminationProtection: bool) -> Any:
        self._find(StackName)["EnableTerminationProtection"] = EnableTerminationProtection

    def do_describe_stack_set(self, StackSetName: str, CallAs: str) -> Any:
        if not self.has_set:
            raise NotFound("StackSet not found", code="StackSetNotFoundException")
        return {"StackSet": {"StackSetName": StackSetName, "StackSetARN": "arn:set", "Status": "ACTIVE", "Tags": TAGS}}

    def do_list_stack_instances(self, StackSetName: str, CallAs: str) -> Any:
        return {"Summaries": self.instances}

    def do_list_stack_set_operations(self, StackSetName: str, CallAs: str) -> Any:
        return {"Summaries": []}

    def do_delete_stack_instances(self, **arguments: Any) -> Any:
        self.instances = []
        return {"OperationId": arguments["OperationId"]}

    def do_describe_stack_set_operation(self, **arguments: Any) -> Any:
        return {"StackSetOperation": {"Status": "SUCCEEDED", "Action": "DELETE"}}

    def do_delete_stack_set(self, StackSetName: str, CallAs: str) -> Any:
        assert not self.instances, "a set with instances cannot be deleted"
        self.has_set = False


def _physical(logical_id: str, body: dict[str, Any]) -> str:
    names = [v for k, v in body.get("Properties", {}).items() if k.endswith("Name")]
    return str(names[0]) if names else logical_id.lower()


@dataclass
class World:
    """Two regions, what CloudFormation no longer manages, and the secret."""

    places: dict[str, Formation] = field(default_factory=lambda: {"eu-west-1": Formation(), "us-east-1": Formation()})
    there: set[tuple[str, str]] = field(default_factory=set)
    """(region, name) of buckets, tables, log groups, functions."""
    replicated: bool = False
    secret: bool = True
    deleted: list[str] = field(default_factory=list)
    said: list[tuple[str, str]] = field(default_factory=list)
    refuses: AwsError | None = None
    """What looking answers with."""
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    objects: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Keys by bucket."""

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> Any:
        return ScriptedAws({"cloudformation": self.places[region]}).cloudformation(account_id, region)

    def retained(self, account_id: str, region: str, role_arn: str | None) -> Any:
        return Place(self, region)

    def existing(self, account_id: str, region: str, role_arn: str | None = None) -> Any:
        return Place(self, region)

    def s3(self, account_id: str, region: str, role_arn: str | None = None) -> Any:
        return self

    def list(self, bucket: str, prefix: str = "") -> Any:
        return iter(key for key in self.objects.get(bucket, ()) if key.startswith(prefix))

    def route53(self, account_id: str, role_arn: str | None = None) -> Any:
        raise NotFound("no such zone", service="route53")

    def secrets(self, account_id: str, region: str) -> Any:
        return self

    def exists(self, secret: str) -> bool:
        return self.secret

    def schedule_deletion(self, secret: str, *, recovery_days: int) -> None:
        self.secret = False
        self.deleted.append(secret)

    def look(self, **options: bool) -> DestroyPlan:
        assembly, templates = platform()
        return survey(
            assembly,
            templates,
            self,
            delete_data=options.get("delete_data", False),
            lift_protection=options.get("lift_protection", False),
        )

    def do(self, plan: DestroyPlan, **more: Any) -> Any:
        return destroy(plan, self, nonce="n", now=lambda: NOW, sleep=lambda _: None, progress=lambda *s: self.said.append(s), **more)


@dataclass
class Place:
    world: World
    region: str

    def exists(self, resource_type: str, name: str) -> bool:
        if self.world.refuses is not None:
            raise self.world.refuses
        return (self.region, name) in self.world.there

    def find(self, resource_type: str, name: str) -> Found | None:
        return Found(physical_id=name, tags=self.world.tags.get(name, {})) if self.exists(resource_type, name) else None

    def delete(self, name: str) -> None:
        self.world.there.discard((self.region, name))
        self.world.deleted.append(name)

    delete_bucket = delete_table = delete_log_group = delete

    def empty_bucket(self, name: str) -> Any:
        yield from (1000, 7)

    def delete_function(self, name: str) -> None:
        if self.world.replicated:
            raise StillReplicated(REPLICATED.message)
        self.delete(name)


def platform() -> tuple[Assembly, dict[str, bytes]]:
    made, templates = small_assembly(
        Small(id="base", template=BASE),
        Small(id="logs", template=LOGS, region="us-east-1", depends_on=("base",), more={"stackset": stackset("eu-west-1", "us-east-1")}),
        Small(id="edge", template=EDGE, region="us-east-1", depends_on=("base",)),
    )
    secret = BasicAuthSecret(secret="demo/basic-auth", region="us-east-1", username="admin")
    return msgspec.structs.replace(made, basic_auth_secret=secret), templates


def deployed(**more: Any) -> World:
    world = World()
    world.places["eu-west-1"].put("demo-test-base", BASE, **more)
    world.places["us-east-1"].put("demo-test-edge", EDGE)
    world.places["us-east-1"].has_set = True
    world.places["us-east-1"].instances = [{"Account": ACCOUNT, "Region": r, "Status": "CURRENT"} for r in ("eu-west-1", "us-east-1")]
    world.there = {
        ("eu-west-1", "demo-artifacts"),
        ("eu-west-1", "demo-locks"),
        ("us-east-1", "demo-edge"),
        ("eu-west-1", "/aws/lambda/us-east-1.demo-edge"),
        ("us-east-1", "/aws/lambda/us-east-1.demo-edge"),
    }
    return world


def deleted_stacks(world: World) -> list[str]:
    return [a["StackName"] for p in world.places.values() for name, a in p.calls if name == "delete_stack"]


# --- the plan -----------------------------------------------------------------------------------------------------


def test_the_plan_says_what_goes_and_what_stays_golden() -> None:
    plan = deployed().look()
    assert_golden("destroy/keeps_data.txt", "\n".join(plan_lines(plan)) + "\n")


def test_the_plan_with_data_golden() -> None:
    plan = deployed().look(delete_data=True)
    assert_golden("destroy/deletes_data.txt", "\n".join(plan_lines(plan)) + "\n")


def test_looking_changes_nothing() -> None:
    world = deployed()
    world.look(delete_data=True, lift_protection=True)
    reading = ("describe_", "list_", "get_")
    assert all(name.startswith(reading) for place in world.places.values() for name, _ in place.calls)
    assert world.deleted == []


def test_termination_protection_blocks_until_it_is_lifted_by_name_golden() -> None:
    world = deployed(protected=True)
    plan = world.look()
    assert plan.blocked
    assert_golden("destroy/protected.txt", "\n".join(plan_lines(plan)) + "\n")
    with pytest.raises(ValueError, match="blocked"):
        world.do(plan)
    assert deleted_stacks(world) == []
    outcome = world.do(world.look(lift_protection=True))
    assert outcome.exit_status == 0, outcome
    assert "arn:stack/demo-test-base" in deleted_stacks(world)


def test_a_stack_that_somebody_is_changing_blocks() -> None:
    plan = deployed(status="UPDATE_IN_PROGRESS").look()
    assert [f.code for f in plan.findings] == ["stack_busy"]


# --- order --------------------------------------------------------------------------------------------------------


def test_sets_go_before_stacks_and_the_base_goes_last() -> None:
    assert [r.stack for r in deployed().look().removals] == ["logs", "edge", "base"]


@given(st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, 6))), min_size=1, max_size=7))
def test_a_stack_always_goes_before_what_it_depends_on(shape: list[tuple[bool, set[int]]]) -> None:
    stacks = [
        Small(
            id=f"s{n}",
            template={"Resources": {}},
            depends_on=tuple(f"s{d}" for d in sorted(needs) if d < n),
            more={"stackset": stackset("eu-west-1")} if is_set else {},
        )
        for n, (is_set, needs) in enumerate(shape)
    ]
    assembly, _ = small_assembly(*stacks)
    order = removal_order(assembly.stacks)
    assert {s.id for s in order} == {s.id for s in assembly.stacks}
    at = {s.id: n for n, s in enumerate(order)}
    assert all(at[s.id] < at[d] for s in order for d in s.depends_on)


# --- carrying it out ----------------------------------------------------------------------------------------------


def test_without_delete_data_no_data_is_touched() -> None:
    world = deployed()
    outcome = world.do(world.look())
    assert outcome.exit_status == 0, outcome
    assert world.deleted == ["demo-edge"]
    assert world.secret
    assert {"demo-artifacts", "demo-locks"} <= set(outcome.kept)


def test_with_delete_data_buckets_are_emptied_first_and_the_locks_go_after_the_stacks() -> None:
    world = deployed()
    outcome = world.do(world.look(delete_data=True))
    assert outcome.exit_status == 0, outcome
    assert set(world.deleted) == {"demo-edge", "demo-artifacts", "demo-locks", "/aws/lambda/us-east-1.demo-edge", "demo/basic-auth"}
    assert ("demo-artifacts", "1007 object versions deleted") in world.said
    assert world.look(delete_data=True).nothing_to_do


def test_data_that_no_stack_of_ours_is_known_to_have_made_is_kept() -> None:
    """A bucket and a table of the right name, but no stack, deleted or not, that ever had them."""
    world = World(there={("eu-west-1", "demo-artifacts"), ("eu-west-1", "demo-locks"), ("us-east-1", "demo-edge")}, secret=False)
    plan = world.look(delete_data=True)
    assert {each.physical_id: each.fate for each in plan.leftovers} == dict.fromkeys(("demo-artifacts", "demo-locks", "demo-edge"), "keep")
    assert plan.nothing_to_do
    world.do(plan)
    assert world.deleted == []


@pytest.mark.parametrize("error", [AccessDenied("Forbidden", code="403"), CredentialsError("region is off")])
def test_a_name_that_another_account_has_taken_does_not_stop_it_and_is_noted(error: AwsError) -> None:
    world = World(secret=False)
    world.refuses = error
    plan = world.look(delete_data=True)
    assert plan.leftovers == ()
    assert not plan.blocked
    assert any("demo-artifacts" in line and error.message in line for line in plan_lines(plan))
    live = deployed()
    live.refuses = error
    assert {"demo-artifacts", "demo-locks"} <= {each.physical_id for each in live.look().leftovers}, (
        "what our stack has made is still listed"
    )


def test_replicas_are_waited_for_in_another_run_golden() -> None:
    world = deployed()
    world.replicated = True
    outcome = world.do(world.look())
    assert outcome.exit_status == 3
    assert_golden("destroy/waits.txt", "\n".join(outcome_lines(outcome)) + "\n")

    still = world.look()
    assert [each.fate for each in still.leftovers if each.physical_id == "demo-edge"] == ["clean_up"]
    assert still.removals == ()
    world.replicated = False
    assert world.do(still).exit_status == 0
    assert world.deleted == ["demo-edge"]
    assert world.look().nothing_to_do


@pytest.mark.parametrize("delete_data", [False, True])
def test_what_was_let_go_of_stays_in_this_run_and_in_the_next(delete_data: bool) -> None:
    """Visitors come to it still: somebody else has it, or is about to."""
    world = deployed()
    world.places["us-east-1"].put("demo-test-edge", {**EDGE, "Metadata": {"LetGo": True}})
    for _ in range(2):
        found = world.look(delete_data=delete_data)
        (function,) = (each for each in found.leftovers if each.physical_id == "demo-edge")
        assert (function.fate, "adopt.let_go" in function.because) == ("keep", True)
        assert world.do(found).exit_status == 0
    assert "demo-edge" not in world.deleted
    world.places["us-east-1"].put("demo-test-edge", EDGE)
    assert "clean_up" in [each.fate for each in world.look().leftovers if each.physical_id == "demo-edge"], "taken over again"


def test_a_run_that_was_killed_anywhere_is_finished_by_the_next() -> None:
    class Killed(BaseException):
        pass

    counted = deployed()
    counted.do(counted.look(delete_data=True))
    total = len(counted.said)
    for step in range(total):
        world = deployed()
        left = [step]

        def progress(*_: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Killed

        plan = world.look(delete_data=True)
        with pytest.raises(Killed):
            destroy(plan, world, nonce="1", now=lambda: NOW, sleep=lambda _: None, progress=progress)
        outcome = world.do(world.look(delete_data=True))
        assert outcome.exit_status == 0, (step, outcome)
        assert world.look(delete_data=True).nothing_to_do, step
        assert not world.there, step


def test_a_deletion_that_fails_names_the_cause_and_the_second_run_tries_again_golden() -> None:
    world = deployed()
    world.places["us-east-1"].fail = "demo-test-edge"
    outcome = world.do(world.look())
    assert outcome.exit_status == 1
    assert_golden("destroy/failed.txt", "\n".join(outcome_lines(outcome)) + "\n")
    assert "demo-test-base" in world.places["eu-west-1"].stacks, "what stands below a stack that is not gone must stay"
    world.places["us-east-1"].fail = ""
    assert world.do(world.look()).exit_status == 0


def test_a_lost_lock_stops_before_the_next_stack() -> None:
    world = deployed()
    calls = []

    def check() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("lost")

    with pytest.raises(RuntimeError):
        world.do(world.look(), before_each=check)
    assert deleted_stacks(world) == []
    assert not world.places["us-east-1"].has_set


def test_a_stack_that_was_never_created_goes_with_its_change_set() -> None:
    world = World(secret=False)
    world.places["eu-west-1"].put("demo-test-base", {"Resources": {}}, status="REVIEW_IN_PROGRESS")
    plan = world.look()
    assert plan.removals[0].change_sets == ("plan-test-1-a",)
    assert world.do(plan).exit_status == 0
    assert world.places["eu-west-1"].stacks == {}


# --- confirmation -------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("approve", "typed", "terminal", "confirmed"),
    [
        ("test", "", False, True),
        ("tests", "test\n", True, False),
        ("", "test\n", True, False),
        (None, "test\n", True, True),
        (None, " test \n", True, True),
        (None, "y\n", True, False),
        (None, "TEST\n", True, False),
        (None, "", True, False),
        (None, "test\n", False, False),
    ],
)
def test_only_the_environments_own_name_confirms(approve: str | None, typed: str, terminal: bool, confirmed: bool) -> None:
    context = Context(stdin=Terminal(typed) if terminal else io.StringIO(typed), stdout=io.StringIO(), stderr=io.StringIO())
    args = Namespace(approve=approve, local=False, verb="destroy", env="test", typed=())
    if confirmed:
        _confirm(args, context, "test")
        return
    with pytest.raises(CommandError, match="nothing was deleted") as caught:
        _confirm(args, context, "test")
    assert caught.value.status == 2


# --- what is left behind, at the wire -----------------------------------------------------------------------------


def retained(**clients: Any) -> Retained:
    return Retained(clients.__getitem__, account_id=ACCOUNT, region="us-east-1")


def test_replicated_is_told_from_other_refusals() -> None:
    with pytest.raises(StillReplicated):
        retained(**{"lambda": Scripted(delete_function=REPLICATED)}).delete_function("f")
    with pytest.raises(AwsError) as caught:
        retained(**{"lambda": Scripted(delete_function=BadRequest("something else"))}).delete_function("f")
    assert not isinstance(caught.value, StillReplicated)
    retained(**{"lambda": Scripted(delete_function=NotFound("gone"))}).delete_function("f")


def test_a_versioned_bucket_is_emptied_of_versions_and_markers_page_by_page() -> None:
    page = {"Versions": [{"Key": "a", "VersionId": "1"}], "DeleteMarkers": [{"Key": "b", "VersionId": "2"}], "IsTruncated": False}
    client = Scripted(
        list_object_versions=[page, page, {"IsTruncated": False}],
        delete_objects={},
        list_multipart_uploads={"Uploads": [{"Key": "u", "UploadId": "9"}]},
        abort_multipart_upload={},
    )
    assert list(retained(s3=client).empty_bucket("b")) == [2, 2]
    assert client.called("delete_objects")[0]["Delete"]["Objects"] == [{"Key": "a", "VersionId": "1"}, {"Key": "b", "VersionId": "2"}]
    assert all(arguments["ExpectedBucketOwner"] == ACCOUNT for _, arguments in client.calls)
    assert len(client.called("abort_multipart_upload")) == 1


def test_objects_that_s3_refuses_to_delete_end_it_with_its_words() -> None:
    client = Scripted(
        list_object_versions={"Versions": [{"Key": "a", "VersionId": "1"}], "IsTruncated": False},
        delete_objects={"Errors": [{"Key": "a", "Code": "AccessDenied", "Message": "legal hold"}]},
    )
    with pytest.raises(AwsError, match="legal hold"):
        list(retained(s3=client).empty_bucket("b"))


@given(st.sets(st.tuples(st.sampled_from(["1", "2", "3"]), st.sampled_from(["a", "b", "c"])), max_size=9))
def test_the_targets_of_a_deletion_are_exactly_the_instances(wanted: set[tuple[str, str]]) -> None:
    made = [
        StackInstance(
            account_id=account,
            region=region,
            stack_arn="",
            status="CURRENT",
            detailed_status="",
            reason="",
            organizational_unit="",
            drift="",
            last_operation_id="",
        )
        for account, region in wanted
    ]
    covered = [(a, r) for t in targets_of(made) for a in t.accounts for r in t.regions]
    assert sorted(covered) == sorted(wanted)


def test_json_has_everything() -> None:
    plan = deployed().look()
    assert msgspec.json.decode(json.dumps(msgspec.to_builtins(plan)), type=DestroyPlan) == plan
