"""Removing what stacks have replaced, once those who used it have taken the new one: an apply's last step.

In: the approved plan's `superseded`, the gateways. Out: a `Removal` for each; a resource that AWS does not let go of yet is kept, and the
next plan has it again.
Never: removes what was not in the approved plan, what a stack still has, or what a stack of the environment still takes as a parameter.
"""

from __future__ import annotations

from collections.abc import Iterator

from aws.errors import AwsError, Conflict
from gateways.retained import StillReplicated
from planning.model import Superseded
from rollout.execution import Interrupted, Run
from rollout.lock import LockLost
from rollout.outcome import Removal
from rollout.progress import Note

POLLS = 20
"""Tries while the service still counts a user that has left: it learns of that some time after CloudFront is done."""


def remove_superseded(run: Run) -> tuple[Removal, ...]:
    """Remove them one by one; what was removed already stays so. Errors are in the outcomes."""
    return tuple(_removal(run, each) for each in run.plan.superseded)


def _removal(run: Run, each: Superseded) -> Removal:
    try:
        why = _needed(run, each) or _remove(run, each)
    except (AwsError, LockLost) as error:
        why = str(error)
    except Interrupted:
        why = "stopped before it was removed"
    done = Removal(
        **each.place, resource_type=each.resource_type, physical_id=each.physical_id, result="kept" if why else "removed", message=why
    )
    run.report(Note(at=run.now(), stack=each.stack, text=f"{each.physical_id} was replaced: {done.result}{': ' if why else ''}{why}"))
    return done


def _needed(run: Run, each: Superseded) -> str:
    """Why it has to stay: the stack has it after all, or another one takes it; empty if nobody does."""
    gateway = run.gateways.cloudformation(each.account_id, each.region, each.role_arn)
    if any(r.physical_id == each.physical_id and r.resource_type == each.resource_type for r in gateway.list_resources(each.stack_name)):
        return f"{each.stack_name} has it still, it was not replaced"
    users = ", ".join(_users(run, each.physical_id))
    return f"still a parameter of {users}" if users else ""


def _users(run: Run, physical_id: str) -> Iterator[str]:
    for stack in run.assembly.stacks:
        if stack.kind == "stack":
            live = run.gateways.cloudformation(stack.account_id, stack.region, stack.role_arn).describe_stack(stack.stack_name)
            if live is not None and physical_id in live.parameters.values():
                yield stack.stack_name


def _remove(run: Run, each: Superseded) -> str:
    """Why it could not be removed; empty if it is gone."""
    place = run.gateways.retained(each.account_id, each.region, each.role_arn)
    for polls in range(POLLS):
        if run.stop.is_set():
            raise Interrupted
        run.check()
        try:
            place.remove(each.resource_type, each.physical_id)
        except StillReplicated as error:
            return error.message
        except Conflict as error:
            why = error.message
        else:
            return ""
        run.pause(polls)
    return why
