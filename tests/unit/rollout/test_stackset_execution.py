"""Executing the plan of a StackSet where AWS, another person or Ctrl-C come in between."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.planning.test_stacksets import BUCKET, LOGS, World


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
