"""Where a planned change is: still to be made, ready, running, done, or no longer what was planned. AWS is asked every time."""

from __future__ import annotations

from typing import Literal

import msgspec

from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.requests import client_token
from aws.cloudformation.stacks import StackDescription
from planning.model import StackPlan, StackState
from planning.request import change_set_name
from rollout.execution import Run


class PlannedChange(msgspec.Struct, frozen=True, kw_only=True):
    """Where AWS says that a planned change is."""

    at: Literal["unmade", "ready", "running", "done", "moved"]
    """`unmade`: its change set is still to be made (a previewed stack); `moved`: not what was planned for, `words` says why."""
    words: str = ""
    live: StackDescription | None = None


def moved(state: StackState, live: StackDescription | None) -> str:
    """In what a stack is not as the plan found it; empty if it is."""
    exists = live is not None and live.status != "DELETE_COMPLETE" and not live.under_review
    if not state.exists:
        return f"did not exist when it was planned, and is {live.status} now" if exists and live is not None else ""
    if live is None or not exists:
        return "has been deleted since it was planned"
    if live.arn != state.stack_arn:
        return "has been deleted and made again since it was planned"
    if (live.status, live.changed_at) != (state.status, state.changed_at):
        return f"was {state.status} of {state.changed_at} when it was planned, and is {live.status} of {live.changed_at} now"
    return ""


def change_of(run: Run, plan: StackPlan) -> tuple[str, str, str]:
    """Change set, stack and client token of a stack's execution; all of them follow from the plan alone."""
    if plan.change_set is not None:
        return plan.change_set.arn, plan.change_set.stack_arn, plan.change_set.client_token
    name = change_set_name(run.request())
    return name, plan.state.stack_arn or plan.stack_name, client_token(name, plan.stack, "execute")


def planned_change(run: Run, plan: StackPlan, gateway: CloudFormation) -> PlannedChange:  # noqa: PLR0911
    """Ask AWS where the stack's planned change is. Raises `AwsError`."""
    if plan.operation in ("none", "settings"):
        live = gateway.describe_stack(plan.stack_name)
        words = moved(plan.state, live)
        return PlannedChange(at="moved" if words else "done", words=words, live=live)
    change_set, stack, token = change_of(run, plan)
    live = gateway.describe_stack(stack)
    gone = live is None or live.status == "DELETE_COMPLETE"
    state = None if gone else gateway.change_set_state(change_set, stack)
    executed = state is not None and state.execution_status in ("EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE", "EXECUTE_FAILED")
    words = moved(plan.state, live)
    if not executed and live is not None and (state is None or words):
        executed = any(e.token == token for e in gateway.events(live.arn, token=token))
    if executed and live is not None:
        busy = live.busy or live.under_review or (state is not None and state.execution_status == "EXECUTE_IN_PROGRESS")
        return PlannedChange(at="running" if busy else "done", live=live)
    if words:
        return PlannedChange(at="moved", words=words, live=live)
    if plan.change_set is None:
        return PlannedChange(at="unmade", live=live)
    if state is None:
        return PlannedChange(at="moved", words=f"its change set {plan.change_set.name} is gone", live=live)
    if (state.status, state.execution_status) != ("CREATE_COMPLETE", "AVAILABLE"):
        reason = f"its change set {state.name} is {state.status}, {state.execution_status}"
        return PlannedChange(at="moved", words=reason, live=live)
    return PlannedChange(at="ready", live=live)
