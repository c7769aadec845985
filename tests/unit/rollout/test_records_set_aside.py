"""Records that stood aside for a stack's own: whatever is cut off, refused or changed, the name is answered, and nothing stays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from agreement.compare import unapproved
from assembly.model import Assembly
from aws.errors import AwsError, NetworkError, Throttled
from inventory.records import ASIDE
from planning.model import Plan, StackPlan
from rollout.progress import Note
from tests.simulated import Small, small_assembly
from tests.unit.rollout.test_apply import Desk, Simulation, results

NAME = "www.example.org."
OLD = {"Name": NAME, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
BESIDE = {**OLD, "SetIdentifier": ASIDE, "Weight": 0}
OURS = {**OLD, "SetIdentifier": "demo-test", "Weight": 1}


@dataclass
class World(Simulation):
    """`zone`: what stands in it beside the stack's own record, which stands once the stack was executed. `fails`: what the changes of
    records answer, one after the other; `lost`: although they are made."""

    zone: list[dict[str, Any]] = field(default_factory=lambda: [OLD])
    fails: list[AwsError | None] = field(default_factory=list)
    lost: bool = False

    def route53(self, account_id: str, role_arn: str | None = None) -> Any:
        return self

    def record_sets(self, _: str, name: str) -> tuple[dict[str, Any], ...]:
        return tuple(each for each in [*self.zone, *([OURS] if self.executed else [])] if each["Name"].rstrip(".") == name.rstrip("."))

    def change(self, _: str, changes: Any, *, comment: str = "") -> str:
        error = self.fails.pop(0) if self.fails else None
        if error is None or self.lost:
            for action, each in changes:
                (self.zone.remove if action == "DELETE" else self.zone.append)(each)
            assert self.record_sets("", NAME), "the name is without an answer"
        if error is not None:
            raise error
        return "C1"


def dns(value: str = "1") -> tuple[Assembly, dict[str, bytes]]:
    record = {"Name": NAME, "Type": "A", "HostedZoneId": "Z1", "TTL": "60", "ResourceRecords": ["192.0.2.9"]}
    body = {"Type": "AWS::Route53::RecordSet", "Properties": {**record, "SetIdentifier": "demo-test", "Weight": 1}}
    other = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "p", "Value": value}}
    return small_assembly(Small(id="dns", template={"Resources": {"Record": body, "Other": other}}))


def planned(plan: Plan) -> StackPlan:
    (found,) = plan.stacks
    assert isinstance(found, StackPlan)
    return found


def left_behind() -> Desk:
    """An apply whose last change of records was refused."""
    desk = Desk(simulation=World(fails=[None, Throttled("Rate exceeded")]))
    applied = desk.apply(dns(), desk.plan(dns(), replace_records=True))
    assert applied.result == "succeeded" and desk.simulation.zone == [BESIDE]  # type: ignore[attr-defined]
    assert any("not deleted: www.example.org A" in each.text for each in desk.told if isinstance(each, Note))
    return desk


def test_what_an_apply_that_was_cut_off_has_left_is_told_by_the_next_plan_and_goes() -> None:
    desk = left_behind()
    world: Any = desk.simulation
    plan = desk.plan(dns())
    (finding,) = planned(plan).findings
    assert plan.has_changes and planned(plan).operation == "settings"
    assert (finding.severity, finding.code) == ("warning", "record_replaced") and "left by an apply that was cut off" in finding.message
    assert results(desk.apply(dns(), plan)) == {"dns": "succeeded"} and world.zone == []
    after = desk.plan(dns())
    assert not after.has_changes and not planned(after).findings
    assert results(desk.apply(dns(), plan)) == {"dns": "succeeded"}, "the same plan once more finds nothing to do"


def test_what_is_left_goes_with_an_update_as_well_and_stays_if_that_fails() -> None:
    desk = left_behind()
    world: Any = desk.simulation
    plan = desk.plan(dns("2"))
    assert planned(plan).operation == "update" and planned(plan).replaces
    desk.simulation.scripts["demo-test-dns"] = ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]
    assert desk.apply(dns("2"), plan).result == "failed" and world.zone == [BESIDE]
    again = left_behind()
    assert again.apply(dns("2")).result == "succeeded" and again.simulation.zone == []  # type: ignore[attr-defined]


def test_what_answers_in_the_place_of_the_stacks_own_is_not_what_was_left() -> None:
    """Somebody has deleted ours, or has given the other one a weight."""
    desk = left_behind()
    world: Any = desk.simulation
    world.zone = [{**BESIDE, "Weight": 3}]
    assert not planned(desk.plan(dns())).replaces
    world.zone, world.executed = [BESIDE], []
    assert not planned(desk.plan(dns())).replaces


def test_what_was_set_aside_and_then_changed_by_somebody_is_told_and_stays() -> None:
    desk = left_behind()
    world: Any = desk.simulation
    plan = desk.plan(dns())
    changed = {**BESIDE, "Weight": 5}
    world.zone = [changed]
    desk.told.clear()
    desk.apply(dns(), plan)
    assert world.zone == [changed]
    assert any("is another one by now" in each.text for each in desk.told if isinstance(each, Note))


def test_the_only_record_that_answers_stays() -> None:
    desk = left_behind()
    world: Any = desk.simulation
    plan = desk.plan(dns())
    world.executed = []
    desk.told.clear()
    desk.apply(dns(), plan)
    assert world.zone == [BESIDE]
    assert any("the only one that answers" in each.text for each in desk.told if isinstance(each, Note))


def test_a_change_whose_answer_was_lost_is_undone() -> None:
    """The record stands aside, and the stack was never executed."""
    desk = Desk(simulation=World(fails=[NetworkError("no answer")], lost=True))
    world: Any = desk.simulation
    applied = desk.apply(dns(), desk.plan(dns(), replace_records=True))
    assert applied.result == "failed" and world.executed == [] and world.zone == [OLD]


@pytest.mark.parametrize("by", [{"SetIdentifier": "green", "Weight": 10}, {"SetIdentifier": "eu", "Region": "eu-west-1"}])
def test_a_record_of_another_set_that_came_since_the_plan_is_nobodys_to_share_with(by: dict[str, Any]) -> None:
    desk = Desk(simulation=World())
    world: Any = desk.simulation
    plan = desk.plan(dns(), replace_records=True)
    world.zone = [{**OLD, **by}]
    assert desk.apply(dns(), plan).result != "succeeded" and world.executed == []
    assert world.zone == [{**OLD, **by}]


def test_what_an_earlier_try_has_set_aside_is_what_was_approved() -> None:
    desk = Desk(simulation=World())
    approved = planned(desk.plan(dns(), replace_records=True))
    world: Any = desk.simulation
    world.zone = [BESIDE]
    again = planned(desk.plan(dns(), replace_records=True))
    assert again.replaces[0].record == BESIDE
    assert unapproved(approved, again) == ()
    other = msgspec.structs.replace(again.replaces[0], record={**BESIDE, "TTL": 5})
    assert len(unapproved(approved, msgspec.structs.replace(again, replaces=(other,)))) == 1
