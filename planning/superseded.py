"""Resources that a stack has replaced and that are still there: kept for another stack's sake, or since AWS would not let go of them.

In: a live stack's events and resources, a stack's plan. Out: `Superseded` values.
Never: deletes anything; takes a resource that a stack still has for superseded.

What one stack makes and another uses is kept on replacement (UpdateReplacePolicy: Retain), since CloudFormation would delete it before the
other stack has taken the new one: AWS refuses, and after three tries CloudFormation forgets it. Both leave an event (DELETE_SKIPPED,
DELETE_FAILED), which CloudFormation keeps for 90 days. Sources: CloudFormation template reference, UpdateReplacePolicy; re:Post knowledge
center, "cloudformation-stack-cleanup-stuck".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.stacks import StackEvent
from gateways.retained import REMOVABLE, VERSION, Retained
from planning.model import StackPlan, Superseded

REPLICA_HOURS = 8
"""Until a version that CloudFront let go of is tried again; AWS says "a few hours" (CloudFront Developer Guide, "Delete Lambda@Edge
functions and replicas")."""

_LEFT = ("DELETE_SKIPPED", "DELETE_FAILED")


def left(place: Mapping[str, Any], arn: str, gateway: CloudFormation) -> tuple[Superseded, ...]:
    """What the events of a live stack say that it has let go of and not deleted, oldest first. It may be gone by now. Raises `AwsError`."""
    latest: dict[tuple[str, str], StackEvent] = {}
    for event in gateway.events(arn):
        key = (event.resource_type, event.physical_id)
        if not event.physical_id or event.physical_id == arn:
            continue
        if event.status in _LEFT:
            latest[key] = event
        elif event.status in ("DELETE_COMPLETE", "IMPORT_COMPLETE"):
            latest.pop(key, None)
    if not latest:
        return ()
    held = {(r.resource_type, r.physical_id) for r in gateway.list_resources(arn)}
    return tuple(_superseded(place, event) for key, event in latest.items() if key not in held)


def still_there(found: Iterable[Superseded], retained: Retained) -> tuple[Superseded, ...]:
    """Those of them that can be removed and are there. Raises `AwsError`."""
    return tuple(each for each in found if each.resource_type in REMOVABLE and retained.exists(each.resource_type, each.physical_id))


def waits(each: Superseded, now: str) -> bool:
    """A function version that CloudFront may still have replicas of."""
    if each.resource_type != VERSION or not each.since:
        return False
    return datetime.fromisoformat(now) - datetime.fromisoformat(each.since) < timedelta(hours=REPLICA_HOURS)


def replaced_by(plan: StackPlan) -> Iterator[Superseded]:
    """What executing the plan of a stack leaves, certainly or perhaps."""
    for change in plan.resources:
        kept = change.policy_action == ("Retain" if change.action == "remove" else "ReplaceAndRetain")
        goes = change.action == "remove" or change.replacement.verdict != "no"
        if kept and goes and change.physical_id and change.resource_type in REMOVABLE:
            yield Superseded(
                **plan.place,
                role_arn=plan.role_arn,
                logical_id=change.logical_id,
                resource_type=change.resource_type,
                physical_id=change.physical_id,
            )


def _superseded(place: Mapping[str, Any], event: StackEvent) -> Superseded:
    return Superseded(
        **place,
        logical_id=event.logical_id,
        resource_type=event.resource_type,
        physical_id=event.physical_id,
        since=event.at,
        reason=event.reason if event.status == "DELETE_FAILED" else "",
    )
