"""Removing one stack, StackSet or kept resource, from wherever AWS says that it stands.

In: a `Removal` that was shown and approved, the gateways. Out: nothing, or `RemovalFailed` with AWS's words and what to type.
Never: lifts a termination protection that the removal does not name, deletes a stack that has taken the place of the one that was shown.
Killed at any moment, the same removal goes on: the state of the stack is asked for first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from assembly.errors import Remedied
from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.requests import client_token
from aws.cloudformation.stack_sets import InstanceTargets, StackInstance
from aws.cloudformation.stacks import StackEvent
from aws.errors import Conflict
from gateways.retained import BUCKET, REMOVABLE, Retained, StillReplicated
from planning.removals import Removal, RetainedResource
from removal.gateways import Progress, RemovalGateways

ATTEMPTS = 2400
"""Polls of one deletion before it is given up: two hours at three seconds. A CloudFront distribution takes some twenty minutes."""

EVERYWHERE_AT_ONCE: dict[str, Any] = {
    "RegionConcurrencyType": "PARALLEL",
    "MaxConcurrentPercentage": 100,
    "FailureTolerancePercentage": 100,
}
"""Preferences of a StackSet operation that needs no canary: one that only reads, or one that deletes all of it."""


class RemovalFailed(Remedied):
    """It is not gone; `command` is what to type, empty for the same command again."""


class Remover:
    """Removes one after the other. `nonce` is fresh and names this run's requests; `pause` waits until the next poll."""

    def __init__(self, gateways: RemovalGateways, nonce: str, pause: Callable[[], None], progress: Progress) -> None:
        self._gateways, self._nonce, self._pause, self._progress = gateways, nonce, pause, progress

    def remove(self, removal: Removal) -> None:
        """Delete the stack or StackSet and see it gone. Raises `RemovalFailed`, `AwsError`."""
        if removal.status == "DELETE_COMPLETE":
            return
        gateway = self._gateways.cloudformation(removal.account_id, removal.region, removal.role_arn)
        if removal.kind == "stackset":
            self._remove_set(removal, gateway)
        elif removal.status == "REVIEW_IN_PROGRESS":
            arns = [c.arn for c in gateway.list_change_sets(removal.stack_name) if c.name in removal.change_sets]
            live = gateway.describe_stack(removal.arn)
            if live is not None and live.status != "DELETE_COMPLETE" and not gateway.delete_reviewed_stack(removal.arn, besides=arns):
                raise RemovalFailed(f"{removal.stack_name} is not the empty stack any more that was shown")
            self._progress(removal.stack, "deleted")
        else:
            self._remove_stack(removal, gateway)

    def _remove_stack(self, removal: Removal, gateway: CloudFormation) -> None:
        live = gateway.describe_stack(removal.arn)
        if live is None or live.status == "DELETE_COMPLETE":
            self._progress(removal.stack, "is gone already")
            return
        seen = {e.id for e in gateway.events(removal.arn)}
        if live.status != "DELETE_IN_PROGRESS":
            if removal.protected:
                gateway.set_termination_protection(removal.stack_name, enabled=False)
                self._progress(removal.stack, "termination protection lifted")
            gateway.delete_stack(removal.arn, token=client_token("destroy", self._nonce, removal.stack))
        gone: set[str] = set()
        events: list[StackEvent] = []
        for _ in range(ATTEMPTS):
            new = gateway.events(removal.arn, seen=seen)
            seen |= {e.id for e in new}
            events += new
            self._tell(removal, new, gone)
            live = gateway.describe_stack(removal.arn)
            if live is None or live.status == "DELETE_COMPLETE":
                self._progress(removal.stack, "deleted")
                return
            # A stack that had failed before shows the old state until the new deletion has begun; only a new event says it failed again.
            if live.status == "DELETE_FAILED" and any(e.physical_id == removal.arn and e.status == "DELETE_FAILED" for e in events):
                raise RemovalFailed(f"{removal.stack_name} was not deleted: {_causes(removal.arn, events) or live.status_reason}")
            self._pause()
        raise RemovalFailed(f"{removal.stack_name} is not deleted after {ATTEMPTS} polls; CloudFormation may still be at work")

    def _tell(self, removal: Removal, events: Iterable[StackEvent], gone: set[str]) -> None:
        for event in events:
            if event.physical_id == removal.arn:
                continue
            if event.status == "DELETE_COMPLETE":
                gone.add(event.logical_id)
            if event.status == "DELETE_IN_PROGRESS":
                self._progress(removal.stack, f"{len(gone)} of {max(removal.resources, len(gone))} gone, deleting {event.logical_id}")

    # --- StackSets --------------------------------------------------------------------------------------------

    def _remove_set(self, removal: Removal, gateway: CloudFormation) -> None:
        name, call_as = removal.stack_name, removal.call_as
        live = gateway.describe_stack_set(name, call_as=call_as)
        if live is None:
            self._progress(removal.stack, "is gone already")
            return
        # A set is deleted by its name only, so the ARN has to say that it is still the one that was shown.
        if live.arn != removal.arn:
            raise RemovalFailed(f"{name} is another StackSet than the one that was shown, made since then under the same name")
        for operation in gateway.running_operations(name, call_as=call_as):
            self._progress(removal.stack, f"waiting for {operation.action}, which is under way")
            self._wait(removal, operation.id, gateway)
        for number, targets in enumerate(targets_of(gateway.list_stack_instances(name, call_as=call_as))):
            self._progress(removal.stack, f"deleting instances in {len(targets.regions)} region{'' if len(targets.regions) == 1 else 's'}")
            operation_id = gateway.delete_stack_instances(
                name,
                targets,
                operation_id=client_token("destroy", self._nonce, removal.stack, str(number)),
                preferences=EVERYWHERE_AT_ONCE,
                retain_stacks=False,
                call_as=call_as,
            )
            self._wait(removal, operation_id, gateway)
        gateway.delete_stack_set(name, call_as=call_as)
        self._progress(removal.stack, "deleted")

    def _wait(self, removal: Removal, operation_id: str, gateway: CloudFormation) -> None:
        name, call_as = removal.stack_name, removal.call_as
        for _ in range(ATTEMPTS):
            operation = gateway.stack_set_operation(name, operation_id, call_as=call_as)
            if operation.finished:
                break
            self._pause()
        else:
            raise RemovalFailed(f"the operation {operation_id} of {name} has not come to an end after {ATTEMPTS} polls")
        if operation.action == "DELETE" and (operation.status != "SUCCEEDED" or operation.failed_instances):
            results = gateway.stack_set_operation_results(name, operation_id, call_as=call_as)
            words = "; ".join(f"{r.account_id} {r.region}: {r.reason}" for r in results if r.status != "SUCCEEDED")
            raise RemovalFailed(f"instances of {name} were not deleted: {words or operation.reason or operation.status}")

    # --- what is left behind ----------------------------------------------------------------------------------

    def delete(self, each: RetainedResource) -> str:
        """Why it has to wait; empty if it is gone."""
        place = self._gateways.retained(each.account_id, each.region, each.role_arn)
        match each.resource_type:
            case "AWS::Lambda::Function":
                try:
                    place.delete_function(each.physical_id)
                except StillReplicated as error:
                    self._progress(each.physical_id, "still replicated")
                    return error.message
            case "AWS::S3::Bucket":
                self._delete_bucket(place, each.physical_id)
            case "AWS::DynamoDB::Table":
                place.delete_table(each.physical_id)
            case "AWS::Logs::LogGroup":
                place.delete_log_group(each.physical_id)
            case kind if kind in REMOVABLE:
                try:
                    place.remove(kind, each.physical_id)
                except Conflict as error:
                    self._progress(each.physical_id, "still in use")
                    return error.message
        self._progress(each.physical_id, "deleted")
        return ""

    def _delete_bucket(self, place: Retained, bucket: str) -> None:
        if not place.exists(BUCKET, bucket):
            return
        count = 0
        for number in place.empty_bucket(bucket):
            count += number
            self._progress(bucket, f"{count} object versions deleted")
        place.delete_bucket(bucket)


def _causes(arn: str, events: Iterable[StackEvent]) -> str:
    """What CloudFormation says of the resources that it could not delete; not of those that it gave up because of them."""
    failed = [e for e in events if e.status == "DELETE_FAILED" and e.physical_id != arn and "cancelled" not in e.reason]
    return "; ".join(f"{e.logical_id} ({e.resource_type}): {e.reason}" for e in failed)


def targets_of(instances: Iterable[StackInstance]) -> tuple[InstanceTargets, ...]:
    """The instances as few sets of accounts (or organizational units) times regions, with nothing that is not an instance."""
    regions: dict[tuple[str, str], set[str]] = {}
    for each in instances:
        regions.setdefault((each.organizational_unit, each.account_id), set()).add(each.region)
    groups: dict[tuple[bool, tuple[str, ...]], list[tuple[str, str]]] = {}
    for (unit, account_id), where in regions.items():
        groups.setdefault((bool(unit), tuple(sorted(where))), []).append((unit, account_id))
    return tuple(
        InstanceTargets(
            accounts=tuple(sorted({account_id for _, account_id in members})),
            organizational_units=tuple(sorted({unit for unit, _ in members})) if by_unit else (),
            regions=where,
        )
        for (by_unit, where), members in sorted(groups.items())
    )
