"""Executing the plan of a StackSet where AWS, another person or Ctrl-C come in between."""

from __future__ import annotations

from typing import Any

import pytest

from rollout.stackset_execution import known_steps, moved_set
from tests.simulated import ACCOUNT, NOW
from tests.unit.planning.test_stacksets import BUCKET, LOGS, OTHER, World


@pytest.fixture
def world() -> World:
    return World()


def test_an_interrupt_while_another_operation_is_waited_for_begins_nothing(world: World) -> None:
    world.deploy()
    world.days = "30"
    plan = world.plan()
    world.live.per_second = 10.0
    world.live.somebody_begins(600)
    operations, began = len(world.live.operations), world.live.now
    world.live.before["list_stack_set_operations"] = lambda _: world.stop.set()
    outcome = world.run(plan)
    assert outcome.result == "not_started", "nothing of ours goes on at AWS"
    assert outcome.command == "python deploy.py apply --env test"
    assert len(world.live.operations) == operations
    assert world.live.now - began < 60, "it did not wait for theirs"
    assert any("waiting for its turn: DETECT_DRIFT" in note for note in world.notes())


def test_an_interrupt_before_the_first_operation_begins_nothing(world: World) -> None:
    plan = world.plan()
    world.live.before["create_stack_set"] = lambda _: world.stop.set()
    outcome = world.run(plan)
    assert outcome.result == "not_started" and world.live.operations == []
    world.stop.clear()
    world.live.before.clear()
    assert world.run(plan).result == "succeeded"


def test_a_parameter_that_has_come_or_gone_since_the_plan_is_refused() -> None:
    def changed(before: dict[str, Any], after: dict[str, Any], parameters: list[dict[str, str]]) -> str:
        world = World(template=before)
        world.deploy()
        world.template = after
        plan = world.plan()
        assert world.live.description is not None
        world.live.description["Parameters"] = parameters
        begun = world.live.begun()
        outcome = world.run(plan)
        assert outcome.result == "refused" and world.live.begun() == begun
        return " ".join(outcome.differences)

    there = [{"ParameterKey": "Days", "ParameterValue": "14"}]
    longer = {**LOGS, "Description": "another"}
    assert changed(BUCKET, LOGS, there) == "the parameter Days has come since it was planned"
    assert changed(LOGS, longer, []) == "the parameter Days is gone since it was planned"


def test_a_parameter_that_the_new_template_brings_is_no_difference_to_the_plan() -> None:
    world = World(template=BUCKET)
    world.deploy()
    world.template = LOGS
    assert world.deploy().result == "succeeded"
    assert world.live.description is not None
    assert world.live.description["Parameters"] == [{"ParameterKey": "Days", "ParameterValue": "14"}]


def event(logical_id: str, status: str, reason: str = "", *, kind: str = "AWS::Logs::LogGroup", number: int = 0) -> dict[str, Any]:
    arn = f"arn:aws:cloudformation:eu-west-1:{OTHER}:stack/StackSet-s-1/1"
    return {
        "EventId": f"{logical_id}-{status}-{number}",
        "StackId": arn,
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": arn if kind == "AWS::CloudFormation::Stack" else "physical",
        "ResourceType": kind,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
        "Timestamp": NOW,
    }


def failing(world: World, events: list[dict[str, Any]], validations: list[dict[str, str]] | None = None) -> str:
    """What is told of an instance whose stack has these events, the newest first as CloudFormation lists them."""
    where = (OTHER, "eu-west-1")
    world.live.fails = {where}
    place = world.gateways.at("eu-west-1", OTHER)
    stack = place.stacks["StackSet-s-1"] = place._made("StackSet-s-1", "ROLLBACK_COMPLETE")
    stack |= {"StackId": f"arn:aws:cloudformation:eu-west-1:{OTHER}:stack/StackSet-s-1/1", "_events": events}
    place.faults.validations["StackSet-s-1"] = validations or []
    outcome = world.deploy()
    assert outcome.result == "failed" and outcome.command == "python deploy.py retry --env test"
    [bad] = [instance for instance in outcome.instances if instance.status == "FAILED"]
    assert (bad.account_id, bad.region) == where
    return bad.event


STACK = "AWS::CloudFormation::Stack"


def test_a_failed_instance_is_told_with_the_event_of_its_own_stack(world: World) -> None:
    events = [
        event("StackSet-s-1", "ROLLBACK_COMPLETE", kind=STACK),
        event("Logs", "CREATE_FAILED", "already exists"),
        event("StackSet-s-1", "CREATE_IN_PROGRESS", kind=STACK),
    ]
    assert failing(world, events) == "Logs (AWS::Logs::LogGroup) CREATE_FAILED: already exists"


def test_events_of_an_earlier_operation_of_the_stack_are_not_the_cause(world: World) -> None:
    events = [
        event("StackSet-s-1", "UPDATE_COMPLETE", kind=STACK),
        event("Nested", "UPDATE_IN_PROGRESS", kind="AWS::SSM::Parameter"),
        event("StackSet-s-1", "UPDATE_IN_PROGRESS", kind=STACK),
        event("Logs", "CREATE_FAILED", "long ago"),
        event("StackSet-s-1", "CREATE_IN_PROGRESS", kind=STACK),
    ]
    assert failing(world, events) == ""


def test_what_validation_found_is_told_where_no_resource_has_an_event(world: World) -> None:
    found = {
        "EventId": "v",
        "EventType": "VALIDATION_ERROR",
        "LogicalResourceId": "Logs",
        "ResourceType": "AWS::Logs::LogGroup",
        "ValidationPath": "/Properties/Days",
        "ValidationStatus": "FAILED",
        "ValidationStatusReason": "no number",
        "ValidationFailureMode": "FAIL",
    }
    assert failing(world, [], [found]) == "Logs (AWS::Logs::LogGroup) VALIDATION_FAILED: /Properties/Days: no number"


def test_a_failure_whose_account_cannot_be_asked_is_told_without_an_event(world: World) -> None:
    world.live.fails = {(OTHER, "eu-west-1")}
    assert [instance.event for instance in world.deploy().instances if instance.status == "FAILED"] == [""]


def test_a_set_that_moved_is_stale_unless_this_very_plan_has_begun(world: World) -> None:
    world.deploy()
    world.days = "30"
    plan = world.plan()
    run = world.run_of(plan)
    gateway = world.gateways.cloudformation(ACCOUNT, "us-east-1")
    stack_set = world.set_of(plan)
    assert moved_set(run, stack_set, gateway) == () and known_steps(run, stack_set, gateway) == frozenset()
    assert world.live.description is not None
    world.live.description["Parameters"] = [{"ParameterKey": "Days", "ParameterValue": "7"}]
    assert moved_set(run, stack_set, gateway) == ("the parameter Days was '14' when it was planned, and is '7' now",)
    world.live.description["Parameters"] = [{"ParameterKey": "Days", "ParameterValue": "14"}]
    assert world.run(plan).result == "succeeded"
    assert moved_set(run, stack_set, gateway) == () and len(known_steps(run, stack_set, gateway)) == 2
    world.live.description = None
    assert moved_set(run, stack_set, gateway) == ("the StackSet has been deleted since it was planned",)


def test_a_large_template_goes_through_the_bucket(world: World) -> None:
    resources = {f"Logs{n}": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": f"/{n}/{'x' * 400}"}} for n in range(120)}
    world.template = {"Resources": resources}
    asked: list[dict[str, Any]] = []

    def seen(arguments: dict[str, Any]) -> None:
        asked.append(dict(arguments))
        arguments["TemplateBody"] = "{}"

    world.live.before["create_stack_set"] = seen
    world.deploy()
    [made] = asked
    assert made["TemplateURL"].startswith("https://") and made["TemplateURL"].endswith(".json") and "TemplateBody" not in made
    world.live.description = None
    world.gateways.bucket = False
    plan = world.plan()
    outcome = world.run(plan)
    assert outcome.result == "failed" and "must go through the bucket" in outcome.message


def test_the_last_operation_begins_with_its_stack_not_with_a_resource(world: World) -> None:
    events = [
        event("Nested", "UPDATE_IN_PROGRESS", kind="AWS::SSM::Parameter"),
        event("Logs", "UPDATE_FAILED", "no such key"),
        event("StackSet-s-1", "UPDATE_IN_PROGRESS", kind=STACK),
    ]
    assert failing(world, events) == "Logs (AWS::Logs::LogGroup) UPDATE_FAILED: no such key"


def test_several_failures_are_counted_and_the_first_is_told(world: World) -> None:
    world.live.fails = {(OTHER, "eu-west-1"), (ACCOUNT, "eu-west-1")}
    outcome = world.deploy()
    assert outcome.result == "failed" and outcome.message.startswith("2 failed: ")
    one = World()
    one.live.fails = {(OTHER, "eu-west-1")}
    assert one.deploy().message.startswith(f"{OTHER} eu-west-1: ")


def test_an_operation_that_somebody_stopped_is_no_success(world: World) -> None:
    plan = world.plan()
    world.live.per_second = 0.1

    def stop(_: Any) -> None:
        for operation in world.live.operations:
            operation.stopped_at = operation.stopped_at or world.live.now

    world.live.before["list_stack_set_operation_results"] = stop
    outcome = world.run(plan)
    assert (outcome.result, outcome.status) == ("failed", "STOPPED")


def test_a_set_that_somebody_else_made_with_instances_is_not_taken_for_ours(world: World) -> None:
    plan = world.plan()
    body = world.assembly()[1]["logs"].decode()
    world.live.put(body, [(OTHER, "eu-west-1")], parameters={"Days": "14"})
    outcome = world.run(plan)
    assert outcome.result == "refused"
    assert outcome.differences == ("somebody else has made the StackSet since it was planned, and instances of it",)
    assert world.live.operations == []
