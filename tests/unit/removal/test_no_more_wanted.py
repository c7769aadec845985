"""Stacks that an environment no longer has: which they are, what a plan says of them, and what deleting them never does."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from assembly import files
from assembly.model import Assembly, RoleName
from planning.model import Options, Plan
from planning.removal_checks import in_the_way
from planning.removals import Removal
from removal.belongings import dropped
from review import terminal
from rollout import history
from rollout.orphaned_stacks import find, no_more_wanted
from rollout.removal_step import moved, remove_stacks
from tests.golden_files import assert_golden
from tests.simulated import ACCOUNT, Small, small_assembly
from tests.unit.operations.test_destroy import BASE, EDGE, TAGS, World, deployed, platform
from tests.unit.rollout.test_history import Bucket, record


def without_edge(**more: Any) -> tuple[Assembly, dict[str, bytes]]:
    """The platform after Basic Auth was turned off."""
    made, templates = small_assembly(Small(id="base", template=BASE, **more))
    return made, templates


def after(*applied: tuple[Assembly, dict[str, bytes]]) -> Bucket:
    """A history of these, the last one applied last."""
    bucket = Bucket()
    for number, (made, templates) in enumerate(applied):
        assembly = files.sealed(made)
        history.keep(bucket, assembly.artifact_bucket, assembly, templates)
        told = msgspec.structs.replace(record(f"2026-11-22T1{number}:00:00.000Z", environment="test"), assembly_digest=assembly.digest)
        history.save(bucket, assembly.artifact_bucket, told)
    return bucket


def plan_of(world: World, bucket: Bucket, **options: Any) -> Plan:
    assembly, templates = without_edge()
    found = find(lambda: bucket, assembly, templates, world)
    asked = Options(**options)
    return Plan(
        environment="test",
        project="demo",
        account_id=ACCOUNT,
        protected=False,
        assembly_digest=assembly.digest,
        created_at="2026-11-22T10:00:00Z",
        created_by="me",
        options=asked,
        stacks=(),
        findings=(*found.findings, *in_the_way(found.removals, asked, "test")),
        removals=found.removals,
        digest="d" * 64,
    )


@dataclass
class Running:
    """A run of apply, as far as this step needs it."""

    plan: Plan
    gateways: World
    removes: bool = True
    stop: threading.Event = field(default_factory=threading.Event)
    said: list[str] = field(default_factory=list)
    lost: bool = False

    def check(self) -> None: ...

    def now(self) -> float:
        return 1_764_000_000.0

    def pause(self, _: int) -> None: ...

    def report(self, event: Any) -> None:
        self.said.append(event.text)


def results(run: Running) -> list[tuple[str, str]]:
    return [(each.stack, each.result) for each in remove_stacks(run)]  # type: ignore[arg-type]


def test_what_was_dropped_is_listed_with_what_goes_and_what_stays_golden() -> None:
    bucket = after(platform(), without_edge())
    assert_golden("review/no-more-wanted.txt", terminal.render(plan_of(deployed(), bucket)))
    assert_golden("review/no-more-wanted-removed.txt", terminal.render(plan_of(deployed(), bucket, remove=True)))


OWN = {
    "Resources": {
        **{f"Alarm{n}": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": f"demo-test-orders-{n}"}} for n in range(8)},
        "Uploads": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": "demo-uploads"}},
        "Orders": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "demo-orders"}},
    }
}
"""A stack that a team has added, whose table nobody retains."""


def test_of_a_stack_of_ones_own_the_review_names_what_goes_and_data_first_golden() -> None:
    base, templates = small_assembly(Small(id="base", template=BASE), Small(id="orders", template=OWN))
    world = World()
    world.places["eu-west-1"].put("demo-test-base", BASE)
    world.places["eu-west-1"].put("demo-test-orders", OWN, protected=True)
    world.there = {("eu-west-1", "demo-uploads"), ("eu-west-1", "demo-orders")}
    bucket = after((base, templates), without_edge())
    shown = [terminal.render(plan_of(world, bucket, **asked)) for asked in ({}, {"remove": True, "lift_protection": True})]
    assert_golden("review/no-more-wanted-of-ones-own.txt", "\n".join(shown))


def test_it_is_known_however_many_applies_ago_it_was_dropped() -> None:
    assert {r.stack for r in plan_of(deployed(), after(platform(), without_edge(), without_edge())).removals} == {"edge", "logs"}


def test_what_no_history_knows_is_found_by_its_name_if_its_tags_agree() -> None:
    world = deployed()
    world.places["us-east-1"].stacks["demo-test-edge"]["Tags"] = TAGS
    world.places["us-east-1"].put("demo-test-two-site", EDGE)
    world.places["us-east-1"].stacks["demo-test-two-site"]["Tags"] = [TAGS[0], {"Key": "environment", "Value": "test-two"}]
    assembly, _ = small_assembly(Small(id="base", template=BASE), Small(id="new", template=EDGE, region="us-east-1"))
    assert [stack.id for stack in dropped(assembly, (), world).stacks] == ["edge", "logs"]


def test_a_history_that_names_somebody_elses_stack_deletes_nothing_of_theirs() -> None:
    world = deployed()
    world.places["us-east-1"].stacks["demo-test-edge"]["Tags"] = [TAGS[0], {"Key": "environment", "Value": "prod"}]
    plan = plan_of(world, after(platform(), without_edge()), remove=True)
    assert [r.stack for r in plan.removals] == ["logs"]
    assert [f.code for f in plan.findings] == ["stack_not_ours"]


@pytest.mark.attack
def test_a_history_that_names_somebody_elses_deleted_stack_cleans_up_nothing_of_theirs() -> None:
    world = deployed()
    world.places["us-east-1"].has_set = False
    world.replicated = True
    bucket = after(platform(), without_edge())
    results(Running(plan_of(world, bucket, remove=True), world))
    assert [r.stack for r in plan_of(world, bucket).removals] == ["edge"]
    world.places["us-east-1"].deleted["demo-test-edge"]["Tags"] = [TAGS[0], {"Key": "environment", "Value": "prod"}]
    assert plan_of(world, bucket, remove=True).removals == ()


def test_nobody_is_deleted_before_those_that_depend_on_it() -> None:
    made, templates = platform()
    chain, more = small_assembly(
        Small(id="base", template=BASE), Small(id="a", template=EDGE), Small(id="b", template=EDGE, depends_on=("a",)), environment="test"
    )
    world = deployed()
    for name in ("demo-test-a", "demo-test-b"):
        world.places["eu-west-1"].put(name, EDGE)
    assert [r.stack for r in plan_of(world, after((made, templates), (chain, more))).removals].index("b") < [
        r.stack for r in plan_of(world, after((made, templates), (chain, more))).removals
    ].index("a")


def test_a_stack_that_makes_the_roles_of_the_others_stays() -> None:
    body = {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "demo-cloudformation"}}}}
    before = small_assembly(Small(id="base", template=body), Small(id="site", template=EDGE))
    assembly, templates = small_assembly(Small(id="site", template=EDGE, more={"service_role": RoleName(name="demo-cloudformation")}))
    world = World()
    world.places["eu-west-1"].put("demo-test-base", body)
    found = find(lambda: after(before), assembly, templates, world)
    assert (found.removals, [f.code for f in found.findings]) == ((), ["stack_held"])


def test_another_region_is_a_move_and_refused_as_one_with_the_way() -> None:
    named = {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "demo-role"}}}}
    before = small_assembly(Small(id="base", template=named), Small(id="site", template=named))
    assembly, templates = small_assembly(
        Small(id="base", template=named, region="us-east-1"), Small(id="site", template=named, region="us-east-1")
    )
    assembly = files.sealed(msgspec.structs.replace(assembly, home_region="us-east-1"))
    world = World()
    for name in ("demo-test-base", "demo-test-site"):
        world.places["eu-west-1"].put(name, named)
    found = find(lambda: after(before), assembly, templates, world)
    (finding,) = found.findings
    assert (found.removals, finding.severity, finding.code) == ((), "error", "stack_moved")
    assert finding.message.startswith("home_region eu-west-1 -> us-east-1 would move the environment. A stack cannot be moved")
    assert "base stands as demo-test-base in eu-west-1" in finding.message


def test_another_address_is_told_with_its_order() -> None:
    before, templates = without_edge()
    contract = msgspec.structs.replace(before.site, domain="other.example.org")
    assembly = files.sealed(msgspec.structs.replace(before, contract=contract))
    found = find(lambda: after((before, templates)), assembly, templates, deployed())
    (told,) = [f for f in found.findings if f.code == "address_changes"]
    assert "moves from example.org to other.example.org" in told.message


def test_without_a_history_to_read_names_still_tell_and_it_is_said() -> None:
    world = deployed()
    world.places["us-east-1"].stacks["demo-test-edge"]["Tags"] = TAGS
    assembly, templates = small_assembly(Small(id="base", template=BASE), Small(id="new", template=EDGE, region="us-east-1"))

    class Closed(Bucket):
        def list(self, bucket: str, prefix: str = "") -> Any:
            from aws.errors import AccessDenied

            raise AccessDenied("no")

    found = no_more_wanted(Closed, assembly, templates, world)
    assert [stack.id for stack in found.stacks] == ["edge", "logs"]
    assert "names only" in found.findings[0].message


# --- deleting them --------------------------------------------------------------------------------------------------


def test_they_are_deleted_and_what_holds_data_stays() -> None:
    world = deployed()
    run = Running(plan_of(world, after(platform(), without_edge()), remove=True), world)
    assert results(run) == [("logs", "removed"), ("edge", "removed")]
    assert world.deleted == ["demo-edge"]
    assert "demo-test-base" in world.places["eu-west-1"].stacks


def test_replicas_at_the_edge_are_waited_for_and_the_next_plan_knows() -> None:
    world = deployed()
    world.replicated = True
    bucket = after(platform(), without_edge())
    assert results(Running(plan_of(world, bucket, remove=True), world))[1] == ("edge", "waits")
    world.replicated = False
    later = plan_of(world, bucket, remove=True)
    assert [(r.stack, r.status) for r in later.removals] == [("edge", "DELETE_COMPLETE")]
    assert results(Running(later, world)) == [("edge", "removed")]
    assert plan_of(world, bucket).removals == ()


def test_after_one_that_cannot_be_deleted_nothing_that_it_depends_on_goes() -> None:
    world = deployed()
    world.places["us-east-1"].fail = "demo-test-edge"
    plan = plan_of(world, after(platform(), without_edge()), remove=True)
    run = Running(msgspec.structs.replace(plan, removals=tuple(reversed(plan.removals))), world)
    assert results(run) == [("edge", "failed"), ("logs", "not_started")]


def test_killed_in_the_middle_it_goes_on() -> None:
    world = deployed()
    plan = plan_of(world, after(platform(), without_edge()), remove=True)
    world.places["us-east-1"].stacks["demo-test-edge"]["StackStatus"] = "DELETE_IN_PROGRESS"
    assert results(Running(plan, world)) == [("logs", "removed"), ("edge", "removed")]
    assert [name for name, _ in world.places["us-east-1"].calls].count("delete_stack") == 0
    assert moved(Running(plan, world)) == ()  # type: ignore[arg-type]
    assert results(Running(plan, world)) == [("logs", "removed"), ("edge", "removed")]


def test_a_stack_that_has_changed_since_is_not_what_was_approved() -> None:
    world = deployed()
    plan = plan_of(world, after(platform(), without_edge()), remove=True)
    world.places["us-east-1"].stacks["demo-test-edge"]["StackStatus"] = "UPDATE_COMPLETE"
    (words,) = moved(Running(plan, world))  # type: ignore[arg-type]
    assert "was CREATE_COMPLETE and is UPDATE_COMPLETE now" in words


@pytest.mark.parametrize(("lifted", "blocked"), [(False, True), (True, False)])
def test_termination_protection_is_lifted_only_if_that_was_said(lifted: bool, blocked: bool) -> None:
    world = deployed()
    world.places["us-east-1"].stacks["demo-test-edge"]["EnableTerminationProtection"] = True
    bucket = after(platform(), without_edge())
    assert not plan_of(world, bucket).blocked
    assert plan_of(world, bucket, remove=True, lift_protection=lifted).blocked == blocked


@pytest.mark.attack
def test_a_stackset_made_since_under_the_same_name_is_not_what_was_approved() -> None:
    world = deployed()
    plan = plan_of(world, after(platform(), without_edge()), remove=True)
    shown = tuple(msgspec.structs.replace(r, arn="arn:set:before") if r.kind == "stackset" else r for r in plan.removals)
    assert results(Running(msgspec.structs.replace(plan, removals=shown), world))[0] == ("logs", "failed")
    assert world.places["us-east-1"].has_set and world.places["us-east-1"].instances


def test_interrupted_before_it_began_nothing_is_deleted() -> None:
    world = deployed()
    run = Running(plan_of(world, after(platform(), without_edge()), remove=True), world)
    run.stop.set()
    assert {result for _, result in results(run)} == {"not_started"}
    assert "demo-test-edge" in world.places["us-east-1"].stacks


def test_a_stack_that_somebody_changes_is_not_deleted_under_them() -> None:
    busy = Removal(
        stack="edge", kind="stack", stack_name="s", account_id="1", region="r", role_arn=None, arn="a", status="UPDATE_IN_PROGRESS"
    )
    assert [f.code for f in in_the_way((busy,), Options(remove=True), "test")] == ["stack_busy"]
    assert list(in_the_way((busy,), Options(), "test")) == []
