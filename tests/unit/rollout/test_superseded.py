"""What a stack has replaced: how it is known, and what is never removed."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import pytest

from aws.cloudformation.stacks import StackDescription, StackEvent, StackResource
from aws.errors import Conflict
from gateways.retained import CERTIFICATE, VERSION, StillReplicated
from planning.model import Superseded
from planning.superseded import left, waits
from rollout.lock import LockLost
from rollout.superseded_step import POLLS, remove_superseded

PLACE = {"stack": "certificate", "stack_name": "s", "account_id": "1", "region": "us-east-1"}
OLD = Superseded(**PLACE, role_arn=None, logical_id="C", resource_type=CERTIFICATE, physical_id="old")


@dataclasses.dataclass
class World:
    """CloudFormation, one service, and a run of apply, as far as this step needs them."""

    held: tuple[str, ...] = ("new",)
    parameters: dict[str, str] = dataclasses.field(default_factory=dict)
    events_: tuple[StackEvent, ...] = ()
    refusals: list[Exception] = dataclasses.field(default_factory=list)
    removed: list[str] = dataclasses.field(default_factory=list)
    told: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    stop: threading.Event = dataclasses.field(default_factory=threading.Event)
    paused: int = 0
    checked: int = 0
    lost: bool = False
    kind: str = "stack"

    @property
    def gateways(self) -> Any:
        return self

    plan = property(lambda self: type("Plan", (), {"superseded": (OLD,)}))
    assembly = property(
        lambda self: type("Assembly", (), {"stacks": [type("S", (), {**PLACE, "id": "site", "kind": self.kind, "role_arn": None})]})
    )

    def cloudformation(self, *_: object) -> Any:
        return self

    retained = cloudformation

    def list_resources(self, _: str) -> tuple[StackResource, ...]:
        return tuple(StackResource(logical_id="C", resource_type=CERTIFICATE, physical_id=each) for each in self.held)

    def events(self, _: str) -> tuple[StackEvent, ...]:
        return self.events_

    def describe_stack(self, _: str) -> StackDescription:
        return StackDescription(name="site", status="UPDATE_COMPLETE", parameters=dict(self.parameters))

    def remove(self, _: str, physical_id: str) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.removed.append(physical_id)

    def check(self) -> None:
        self.checked += 1
        if self.lost:
            raise LockLost("taken over")

    def report(self, event: Any) -> None:
        self.told.append((event.stack, event.text))

    def now(self) -> float:
        return 0.0

    def pause(self, _: int) -> None:
        self.paused += 1


def run(world: Any) -> tuple[str, str]:
    (done,) = remove_superseded(world)
    return done.result, done.message


def test_what_nobody_uses_any_more_is_removed() -> None:
    world = World()
    assert run(world) == ("removed", "")
    assert world.removed == ["old"] and world.checked == 1
    assert world.told == [("certificate", "old was replaced: removed")]


def test_a_lost_lock_or_a_wish_to_stop_keeps_it_and_says_why() -> None:
    lost = World(lost=True)
    assert run(lost) == ("kept", "taken over") and lost.removed == []
    stopped = World()
    stopped.stop.set()
    assert run(stopped) == ("kept", "stopped before it was removed") and (stopped.removed, stopped.checked) == ([], 0)
    assert stopped.told == [("certificate", "old was replaced: kept: stopped before it was removed")]


def test_before_each_further_try_the_lock_is_asked_again() -> None:
    world = World(refusals=[Conflict("in use")] * 2)
    assert run(world)[0] == "removed" and world.checked == 3


def test_only_plain_stacks_have_parameters_to_look_at_and_another_type_of_that_name_is_another_thing() -> None:
    assert run(World(parameters={"CertificateArn": "old"}, kind="stackset")) == ("removed", "")

    class OtherType(World):
        def list_resources(self, _: str) -> tuple[StackResource, ...]:
            return (StackResource(logical_id="C", resource_type=VERSION, physical_id="old"),)

    assert run(OtherType()) == ("removed", "")


@pytest.mark.parametrize(
    ("world", "why"),
    [
        (World(held=("old",)), "s has it still"),
        (World(parameters={"CertificateArn": "old"}), "still a parameter of s"),
        (World(refusals=[StillReplicated("a replicated function")]), "a replicated function"),
        (World(refusals=[Conflict("in use")] * POLLS), "in use"),
    ],
    ids=["not replaced", "a parameter", "replicated", "in use"],
)
def test_what_is_needed_stays(world: World, why: str) -> None:
    result, told = run(world)
    assert (result, world.removed) == ("kept", [])
    assert why in told


def test_a_service_that_learns_late_that_a_user_has_left_is_asked_again() -> None:
    world = World(refusals=[Conflict("in use")] * 3)
    assert run(world) == ("removed", "")
    assert world.paused == 3


def event(status: str, physical_id: str = "old", **more: Any) -> StackEvent:
    return StackEvent(id=status, logical_id="C", physical_id=physical_id, resource_type=CERTIFICATE, status=status, **more)


@pytest.mark.parametrize(
    ("events", "held", "found"),
    [
        ((event("DELETE_SKIPPED"),), ("new",), ["old"]),
        ((event("DELETE_FAILED", reason="in use"),), ("new",), ["old"]),
        ((event("DELETE_FAILED"), event("DELETE_COMPLETE")), ("new",), []),
        ((event("DELETE_SKIPPED"),), ("old",), []),
        ((event("UPDATE_COMPLETE"),), ("new",), []),
    ],
    ids=["kept", "refused", "gone at last", "taken in again", "an ordinary update"],
)
def test_events_tell_what_a_stack_has_let_go_of(events: tuple[StackEvent, ...], held: tuple[str, ...], found: list[str]) -> None:
    world: Any = World(held=held, events_=events)
    assert [each.physical_id for each in left({**PLACE, "role_arn": None}, "arn", world)] == found


def test_a_version_waits_for_its_replicas() -> None:
    version = Superseded(**PLACE, role_arn=None, logical_id="V", resource_type=VERSION, physical_id="v", since="2026-11-27T01:00:00Z")
    assert waits(version, "2026-11-27T08:59:00Z")
    assert not waits(version, "2026-11-27T09:01:00Z")
    assert not waits(OLD, "2026-11-27T01:00:00Z")
