"""A stack policy that somebody puts there between plan and apply, or between one stack and the next."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rollout.apply import StalePlan, apply
from tests.simulated import Small, literal, output, small_assembly
from tests.unit.rollout.test_apply import Desk, chain, results, small, waiting

DENY = json.dumps({"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}]})
OTHER = json.dumps({"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]})
WORDS = "demo-test-{} .*has a stack policy that forbids to change It in this way, and that it did not have when it was planned"


def settled() -> Desk:
    desk = Desk()
    assert desk.apply(chain()).result == "succeeded"
    desk.simulation.executed.clear()
    return desk


@pytest.mark.parametrize("stack", ["a", "b", "c"])
def test_a_policy_put_there_before_apply_refuses_all_of_it(stack: str) -> None:
    desk = settled()
    newer = chain("2")
    plan = desk.plan(newer)
    desk.simulation.at("eu-west-1").stacks[f"demo-test-{stack}"]["_policy"] = DENY
    with pytest.raises(StalePlan, match=WORDS.format(stack)) as refused:
        desk.apply(newer, plan)
    assert refused.value.command == "python deploy.py plan --env test"
    assert desk.simulation.executed == []


def test_a_policy_put_there_while_apply_runs_refuses_the_stack_and_says_what_it_is() -> None:
    desk = settled()
    newer = chain("2")
    plan = desk.plan(newer)
    place = desk.simulation.at("eu-west-1")
    stacks = place.stacks

    def meanwhile(name: str, _: Any) -> None:
        if name == "execute_change_set":
            for each in ("a", "c"):
                stacks[f"demo-test-{each}"]["_policy"] = DENY

    desk.simulation.faults.before_call = meanwhile
    run = desk.run(newer, plan)
    done = apply(run, desk.take, workers=1)
    refused = [each for each in done.stacks if each.result == "refused"]
    assert len(refused) == 1 and len(desk.simulation.executed) == 1, results(done)
    assert "has a stack policy that forbids to change It" in refused[0].message and refused[0].differences == ()
    assert refused[0].command == "python deploy.py plan --env test"


def test_a_policy_that_allows_it_is_no_obstacle() -> None:
    desk = settled()
    newer = chain("2")
    plan = desk.plan(newer)
    desk.simulation.at("eu-west-1").stacks["demo-test-a"]["_policy"] = OTHER
    assert desk.apply(newer, plan).result == "succeeded"


def test_an_execution_that_has_begun_is_followed_whatever_the_policy_says_now() -> None:
    desk = settled()
    newer = chain("2")
    plan = desk.plan(newer)
    assert desk.apply(newer, plan).result == "succeeded"
    desk.simulation.at("eu-west-1").stacks["demo-test-a"]["_policy"] = DENY
    assert desk.apply(newer, plan).result == "succeeded"


def test_a_policy_put_there_before_the_turn_of_a_previewed_stack_refuses_it_and_says_what_it_is() -> None:
    desk = settled()
    template = json.loads(chain()[1]["a"])
    template["Resources"] = {"Other": template["Resources"].pop("It")}
    template["Outputs"]["Name"]["Value"] = {"Ref": "Other"}
    newer = small_assembly(
        Small(id="a", template=template, parameters=(literal("Value", "1"),)),
        small("b", parameters=(output("Value", "a", "Name"),), depends_on=("a",)),
        small("c"),
    )
    plan = desk.plan(newer)
    assert [each.waits_for for each in plan.stacks if each.stack == "b"] == [("a.Name",)]

    def meanwhile(name: str, _: Any) -> None:
        if name == "execute_change_set":
            desk.simulation.at("eu-west-1").stacks["demo-test-b"]["_policy"] = DENY

    desk.simulation.faults.before_call = meanwhile
    done = desk.apply(newer, plan)
    (refused,) = [each for each in done.stacks if each.stack == "b"]
    assert refused.result == "refused" and "has a stack policy that forbids to change It" in refused.message
    assert waiting(desk.simulation) == []
