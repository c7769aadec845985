"""Carries out a plan that was shown and confirmed, so that a second run goes on where the first was cut off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from assembly import commands
from aws.cloudformation.connection import POLL_SECONDS
from aws.errors import AwsError
from operations.destroy.gateways import DestroyGateways
from operations.destroy.unmanaged import SECRET, SECRET_RECOVERY_DAYS
from operations.destroy.values import DestroyOutcome, DestroyPlan, Pending
from operations.gateways import utc
from planning.removals import RetainedResource
from planning.superseded import REPLICA_HOURS
from removal.execution import RemovalFailed, Remover
from removal.gateways import Progress


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
    run = Remover(gateways, nonce, lambda: sleep(poll_seconds), progress)
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
            waits = _secret(gateways, each, progress) if each.resource_type == SECRET else run.delete(each)
            if waits:
                back = utc(now() + timedelta(hours=REPLICA_HOURS), "minutes")
                pending.append(Pending(resource_type=each.resource_type, physical_id=each.physical_id, reason=waits, come_back_at=back))
            else:
                deleted.append(each.physical_id)
    except RemovalFailed as error:
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


def _secret(gateways: DestroyGateways, each: RetainedResource, progress: Progress) -> str:
    gateways.secrets(each.account_id, each.region).schedule_deletion(each.physical_id, recovery_days=SECRET_RECOVERY_DAYS)
    progress(each.physical_id, f"deleted; it can be restored for {SECRET_RECOVERY_DAYS} days")
    return ""
