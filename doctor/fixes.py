"""Does a fix that was shown and agreed to.

In: a `Fix`, CloudFormation. Out: `Fixed`, what became of it.
Never: acts on a stack that is no longer in the state that the fix was offered for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aws.cloudformation.connection import POLL_SECONDS
from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.requests import client_token
from aws.errors import AwsError
from doctor.deployed import last_failure
from doctor.values import Fix, FixAction, Fixed
from operations.gateways import CloudFormationGateways

ATTEMPTS = 1200
"""Polls of a stack that is being mended; an hour."""

ATTEMPTS_UNTIL_BEGUN = 10
"""Polls after which a stack that still shows its old state has failed again without our seeing it work."""

Progress = Callable[[str, str], None]


@dataclass(frozen=True, kw_only=True)
class _Action:
    """A fix that takes CloudFormation some time."""

    begin: Callable[[CloudFormation, Fix, str], object]
    """Called with the fix and a client token."""
    succeeded: frozenset[str] | None
    """Terminal states that mean success; None: any."""


_ACTIONS: dict[FixAction, _Action] = {
    "delete": _Action(
        begin=lambda gateway, fix, token: gateway.delete_stack(fix.arn, token=token),
        succeeded=frozenset({"DELETE_COMPLETE"}),
    ),
    "delete_retaining": _Action(
        begin=lambda gateway, fix, token: gateway.delete_stack(fix.arn, token=token, retain=fix.names),
        succeeded=frozenset({"DELETE_COMPLETE"}),
    ),
    "continue_rollback": _Action(
        begin=lambda gateway, fix, token: gateway.continue_update_rollback(fix.stack_name, token=token),
        succeeded=frozenset({"UPDATE_ROLLBACK_COMPLETE"}),
    ),
    "roll_back": _Action(
        begin=lambda gateway, fix, token: gateway.rollback_stack(fix.stack_name, token=token),
        succeeded=frozenset({"ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}),
    ),
    "wait": _Action(begin=lambda *_: None, succeeded=None),
}


def carry_out(
    fix: Fix,
    gateways: CloudFormationGateways,
    *,
    nonce: str,
    sleep: Callable[[float], None],
    poll_seconds: float = POLL_SECONDS,
    progress: Progress = lambda *_: None,
) -> Fixed:
    """Do one fix and wait for its end. It is not done if the stack is no longer in the state that it was offered for."""
    try:
        gateway = gateways.cloudformation(fix.account_id, fix.region, fix.role_arn)
        live = gateway.describe_stack(fix.arn)
        if live is None or live.status != fix.status:
            now = "gone" if live is None else live.status
            return Fixed(stack=fix.stack, done=False, message=f"{fix.stack_name} is {now} by now, not {fix.status}; nothing was done")
        if fix.action == "delete_reviewed":
            gone = gateway.delete_reviewed_stack(fix.arn, besides=fix.names)
            message = f"{fix.stack_name} is deleted" if gone else f"{fix.stack_name} has a change set by now that was not shown"
            return Fixed(stack=fix.stack, done=gone, message=message)
        if fix.action == "delete_change_sets":
            for arn in fix.names:
                gateway.delete_change_set(arn, fix.arn)
            return Fixed(stack=fix.stack, done=True, message=f"{fix.stack_name}: {len(fix.names)} change set(s) deleted")
        action = _ACTIONS[fix.action]
        action.begin(gateway, fix, client_token("doctor", nonce, fix.stack))
        return _ended(fix, action, gateway, sleep=sleep, poll_seconds=poll_seconds, progress=progress)
    except AwsError as error:
        return Fixed(stack=fix.stack, done=False, message=str(error))


def _ended(
    fix: Fix, action: _Action, gateway: CloudFormation, *, sleep: Callable[[float], None], poll_seconds: float, progress: Progress
) -> Fixed:
    """What the action came to."""
    status = fix.status
    begun = fix.action == "wait"
    for attempt in range(ATTEMPTS):
        live = gateway.describe_stack(fix.arn)
        status = "DELETE_COMPLETE" if live is None else live.status
        begun = begun or status != fix.status
        if not status.endswith("_IN_PROGRESS") and (begun or attempt >= ATTEMPTS_UNTIL_BEGUN):
            break
        progress(fix.stack, status)
        sleep(min(poll_seconds, 0.2 * 2**attempt) if attempt < 8 else poll_seconds)
    else:
        return Fixed(stack=fix.stack, done=False, message=f"{fix.stack_name} is still {status}")
    done = action.succeeded is None or status in action.succeeded
    failure = "" if done else last_failure(gateway, fix.arn)
    return Fixed(stack=fix.stack, done=done, message=f"{fix.stack_name} is {status}{f': {failure}' if failure else ''}")
