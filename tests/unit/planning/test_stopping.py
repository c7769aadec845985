"""Planning that is asked to stop, has no way in any more, or is blocked: nothing further is begun, in no thread."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from aws.cloudformation.gateway import CloudFormation
from aws.errors import BadRequest, CredentialsExpired
from planning.model import Finding, Options, StackPlan, StackSetPlan, StackState
from planning.plan import make_plan
from planning.plans import blocked
from planning.request import Progress, Request, Stopped
from tests.simulated import SimulatedGateways, Small, small_assembly, stackset
from tests.unit.planning.test_plan import SCHEMAS

BUCKET: dict[str, Any] = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}}}}


class Waiting(SimulatedGateways):
    """Counts how often somebody waits."""

    waits = 0

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> CloudFormation:
        client: Any = self.at(region, account_id)
        return CloudFormation(client, account_id=account_id, region=region, sleep=self._wait)

    def _wait(self, _: float) -> None:
        self.waits += 1


def plan(gateways: SimulatedGateways, stop: threading.Event, *names: str, workers: int = 8, progress: Progress = lambda *_: None) -> None:
    assembly, templates = small_assembly(*(Small(id=name, template=BUCKET) for name in names or ("a",)))
    request = Request(
        assembly=assembly, templates=templates, options=Options(), created_at="2026-11-22T10:00:00Z", created_by="s", nonce="1a"
    )
    make_plan(request, gateways, SCHEMAS, stop=stop, workers=workers, progress=progress)


def test_a_contradiction_is_not_waited_for_by_who_is_asked_to_stop() -> None:
    gateways, stop = Waiting(), threading.Event()

    def contradict(name: str, _: Mapping[str, Any]) -> None:
        if name == "create_change_set":
            stop.set()
            raise BadRequest("Stack [demo-test-a] already exists", operation="CreateChangeSet", code="ValidationError")

    gateways.faults.before_call = contradict
    with pytest.raises(Stopped):
        plan(gateways, stop)
    assert gateways.waits == 0


def test_what_contradicts_itself_is_waited_for_before_it_is_asked_again() -> None:
    gateways, refusals = Waiting(), iter(range(3))

    def contradict(name: str, _: Mapping[str, Any]) -> None:
        if name == "create_change_set" and next(refusals, None) is not None:
            raise BadRequest("Stack [demo-test-a] already exists", operation="CreateChangeSet", code="ValidationError")

    gateways.faults.before_call = contradict
    plan(gateways, threading.Event())
    assert gateways.waits == 3


def test_an_interrupt_stops_every_other_stack_and_is_over_when_they_are() -> None:
    gateways, stop, begun = SimulatedGateways(), threading.Event(), threading.Event()
    ended: list[str] = []

    def interrupt(name: str, arguments: Mapping[str, Any]) -> None:
        if name == "create_change_set" and arguments["StackName"] == "demo-test-b":
            begun.set()
            assert stop.wait(180), "nobody asked it to stop"
            threading.Event().wait(0.2)
            ended.append("b")
        if arguments.get("StackName") == "demo-test-a":
            assert begun.wait(180)
            raise KeyboardInterrupt

    gateways.faults.before_call = interrupt
    with pytest.raises(Stopped):
        plan(gateways, stop, "a", "b")
    assert ended == ["b"] and gateways.left == []


def test_whoever_is_asked_to_stop_begins_with_no_further_stack() -> None:
    gateways, stop = SimulatedGateways(), threading.Event()

    def planned(stack: str, what: str) -> None:
        if (stack, what) == ("a", "planned"):
            stop.set()

    with pytest.raises(Stopped):
        plan(gateways, stop, "a", "b", workers=1, progress=planned)
    assert not [given for _, given in gateways.at("eu-west-1").calls if given.get("StackName") == "demo-test-b"] and gateways.left == []


def test_without_a_way_in_all_other_stacks_are_asked_to_stop() -> None:
    gateways, stop = SimulatedGateways(), threading.Event()

    def expired(name: str, _: Mapping[str, Any]) -> None:
        if name == "create_change_set":
            raise CredentialsExpired("expired")

    gateways.faults.before_call = expired
    with pytest.raises(CredentialsExpired):
        plan(gateways, stop)
    assert stop.is_set()


@pytest.mark.parametrize(("given", "wanted"), [({"stackset": stackset("eu-west-1")}, StackSetPlan), ({}, StackPlan)])
def test_what_is_blocked_is_a_plan_of_its_own_kind(given: dict[str, Any], wanted: type) -> None:
    stack = small_assembly(Small(id="a", template=BUCKET, more=given))[0].stacks[0]
    finding = Finding(severity="error", code="x", message="m", stack="a")
    plan = blocked(stack, StackState(exists=True), (finding,))
    assert (type(plan), plan.operation, plan.findings, plan.stack) == (wanted, "blocked", (finding,), "a")
