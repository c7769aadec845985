"""Carries out a plan that was shown and confirmed, so that a second run goes on where the first was cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from assembly import commands
from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.requests import client_token
from aws.cloudformation.stack_sets import InstanceTargets, StackInstance
from aws.errors import AwsError, Conflict
from gateways.retained import BUCKET, REMOVABLE, Retained, StillReplicated
from operations.destroy.gateways import DestroyGateways, Progress
from operations.destroy.retained import SECRET, SECRET_RECOVERY_DAYS
from operations.destroy.values import DestroyOutcome, DestroyPlan, Pending, Removal, RetainedResource
from operations.gateways import EVERYWHERE_AT_ONCE, utc
from planning.superseded import REPLICA_HOURS
from rollout.diagnosis import failures

POLL_SECONDS = 3.0
ATTEMPTS = 2400
"""Polls of one deletion before it is given up: two hours. A CloudFront distribution takes some twenty minutes."""


class _Failed(Exception):
    def __init__(self, message: str, command: str = "") -> None:
        super().__init__(message)
        self.command = command


def destroy(
    plan: DestroyPlan,
    gateways: DestroyGateways,
    *,
    nonce: str,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
    poll_seconds: float = POLL_SECONDS,
    progress: Progress = lambda *_: None,
    before_each: Callable[[], None] = lambda: None,
) -> DestroyOutcome:
    """Carry out a plan that was shown and confirmed. It stops at the first stack that cannot be deleted; a second run goes on from there.

    `nonce` is fresh and names this run's requests. `before_each` is called before each stack (to see that the lock is still ours).
    ValueError for a blocked plan. AWS's refusals are in the outcome.
    """
    if plan.blocked:
        raise ValueError("a blocked plan is not to be carried out")
    run = _Run(gateways, nonce, lambda: sleep(poll_seconds), progress)
    again = _again(plan)
    deleted: list[str] = []
    pending: list[Pending] = []
    failed, command = "", ""
    try:
        for removal in plan.removals:
            before_each()
            run.remove(removal)
            deleted.append(removal.stack_name)
        for each in plan.leftovers:
            if each.fate == "keep":
                continue
            waits = run.delete(each)
            if waits:
                back = utc(now() + timedelta(hours=REPLICA_HOURS), "minutes")
                pending.append(Pending(resource_type=each.resource_type, physical_id=each.physical_id, reason=waits, come_back_at=back))
            else:
                deleted.append(each.physical_id)
    except _Failed as error:
        failed, command = str(error), error.command or again
    except AwsError as error:
        failed, command = str(error), error.hint or again
    return DestroyOutcome(
        environment=plan.environment,
        deleted=tuple(deleted),
        kept=tuple(each.physical_id for each in plan.leftovers if each.fate == "keep"),
        pending=tuple(pending),
        failed=failed,
        command=command or (again if pending else ""),
    )


def _again(plan: DestroyPlan) -> str:
    flags = [f for f, on in (("--delete-data", plan.delete_data), ("--lift-termination-protection", plan.lift_protection)) if on]
    return commands.deploy("destroy", plan.environment, *flags)


class _Run:
    def __init__(self, gateways: DestroyGateways, nonce: str, pause: Callable[[], None], progress: Progress) -> None:
        self._gateways, self._nonce, self._pause, self._progress = gateways, nonce, pause, progress

    def remove(self, removal: Removal) -> None:
        gateway = self._gateways.cloudformation(removal.account_id, removal.region, removal.role_arn)
        if removal.kind == "stackset":
            self._remove_set(removal, gateway)
        elif removal.status == "REVIEW_IN_PROGRESS":
            arns = [c.arn for c in gateway.list_change_sets(removal.stack_name) if c.name in removal.change_sets]
            if not gateway.delete_reviewed_stack(removal.arn, besides=arns):
                raise _Failed(f"{removal.stack_name} is not the empty stack any more that was shown")
            self._progress(removal.stack, "deleted")
        else:
            self._remove_stack(removal, gateway)

    def _remove_stack(self, removal: Removal, gateway: CloudFormation) -> None:
        seen = {e.id for e in gateway.events(removal.arn)}
        if removal.status != "DELETE_IN_PROGRESS":
            if removal.protected:
                gateway.set_termination_protection(removal.stack_name, enabled=False)
                self._progress(removal.stack, "termination protection lifted")
            gateway.delete_stack(removal.arn, token=client_token("destroy", self._nonce, removal.stack))
        gone: set[str] = set()
        for _ in range(ATTEMPTS):
            events = gateway.events(removal.arn, seen=seen)
            seen |= {e.id for e in events}
            for event in events:
                if event.physical_id == removal.arn:
                    continue
                if event.status == "DELETE_COMPLETE":
                    gone.add(event.logical_id)
                if event.status == "DELETE_IN_PROGRESS":
                    self._progress(removal.stack, f"{len(gone)} of {max(removal.resources, len(gone))} gone, deleting {event.logical_id}")
            live = gateway.describe_stack(removal.arn)
            if live is None or live.status == "DELETE_COMPLETE":
                self._progress(removal.stack, "deleted")
                return
            # A stack that had failed before shows the old state until the new deletion has begun; only a new event says it failed again.
            if live.status == "DELETE_FAILED" and any(e.physical_id == removal.arn and e.status == "DELETE_FAILED" for e in events):
                causes, _ = failures(gateway.events(removal.arn))
                words = "; ".join(f"{c.logical_id} ({c.resource_type}): {c.reason}" for c in causes if c.reason) or live.status_reason
                raise _Failed(f"{removal.stack_name} was not deleted: {words}")
            self._pause()
        raise _Failed(f"{removal.stack_name} is not deleted after {ATTEMPTS} polls; CloudFormation may still be at work")

    # --- StackSets --------------------------------------------------------------------------------------------

    def _remove_set(self, removal: Removal, gateway: CloudFormation) -> None:
        name, call_as = removal.stack_name, removal.call_as
        for operation in gateway.running_operations(name, call_as=call_as):
            self._progress(removal.stack, f"waiting for {operation.action}, which is under way")
            self._wait(removal, operation.id, gateway)
        for number, targets in enumerate(targets_of(gateway.list_stack_instances(name, call_as=call_as))):
            self._progress(removal.stack, f"deleting instances in {len(targets.regions)} regions")
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
            raise _Failed(f"the operation {operation_id} of {name} has not come to an end after {ATTEMPTS} polls")
        if operation.action == "DELETE" and (operation.status != "SUCCEEDED" or operation.failed_instances):
            results = gateway.stack_set_operation_results(name, operation_id, call_as=call_as)
            words = "; ".join(f"{r.account_id} {r.region}: {r.reason}" for r in results if r.status != "SUCCEEDED")
            raise _Failed(f"instances of {name} were not deleted: {words or operation.reason or operation.status}")

    # --- what is left behind ----------------------------------------------------------------------------------

    def delete(self, each: RetainedResource) -> str:
        """Why it has to wait; empty if it is gone."""
        if each.resource_type == SECRET:
            self._gateways.secrets(each.account_id, each.region).schedule_deletion(each.physical_id, recovery_days=SECRET_RECOVERY_DAYS)
            self._progress(each.physical_id, f"deleted; it can be restored for {SECRET_RECOVERY_DAYS} days")
            return ""
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
