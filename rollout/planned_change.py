"""Where a planned change is: still to be made, ready, running, done, or no longer what was planned. AWS is asked every time."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import msgspec

from aws.cloudformation.change_sets import ChangeSetSummary
from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.requests import client_token
from aws.cloudformation.stacks import StackDescription
from changes.stack_policy import forbidden
from planning.model import StackPlan, StackState
from planning.request import IMPORT_SUFFIX, Request, change_set_name
from rollout.execution import Run

EXECUTED = ("EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE", "EXECUTE_FAILED")
"""Execution states of a change set that was executed."""


class PlannedChange(msgspec.Struct, frozen=True, kw_only=True):
    """Where AWS says that a planned change is."""

    at: Literal["unmade", "ready", "running", "done", "moved"]
    """`unmade`: its change set is still to be made (a previewed stack); `moved`: not what was planned for, `words` says why."""
    words: str = ""
    live: StackDescription | None = None
    tries: int = 0
    """Which of the tries after the first it is (`rollout.second_try`)."""


def moved(state: StackState, live: StackDescription | None) -> str:
    """In what a stack is not as the plan found it; empty if it is."""
    exists = live is not None and live.deployed
    if not state.exists:
        return f"did not exist when it was planned, and is {live.status} now" if exists and live is not None else ""
    if live is None or not exists:
        return "has been deleted since it was planned"
    if live.arn != state.stack_arn:
        return "has been deleted and made again since it was planned"
    if (live.status, live.changed_at) != (state.status, state.changed_at):
        return f"was {state.status} of {state.changed_at} when it was planned, and is {live.status} of {live.changed_at} now"
    return ""


def protected(plan: StackPlan, gateway: CloudFormation) -> str:
    """Which planned changes a stack policy that was put there since forbids: no change set minds it, its execution fails half-way."""
    policy = gateway.get_stack_policy(plan.stack_name) if plan.state.exists else None
    return forbids(forbidden(policy, plan.resources))


def forbids(titles: tuple[str, ...]) -> str:
    """What a stack policy has against a plan that was made before it; empty if nothing."""
    if not titles:
        return ""
    return (
        f"has a stack policy that forbids to change {', '.join(titles)} in this way, and that it did not have when it was planned;"
        " the next plan says how it is opened"
    )


def change_of(run: Run, plan: StackPlan) -> tuple[str, str, str]:
    """Change set, stack and client token of a stack's execution; all of them follow from the plan alone."""
    if plan.change_set is not None:
        return plan.change_set.arn, plan.change_set.stack_arn, plan.change_set.client_token
    name = change_set_name(import_request(run) if plan.operation == "import" else run.request())
    return name, plan.state.stack_arn or plan.stack_name, client_token(name, plan.stack, "execute")


def import_request(run: Run) -> Request:
    """What an import is planned with whose change set the plan could not make: the update after it has the plan's own."""
    request = run.request()
    return replace(request, nonce=f"{request.nonce}{IMPORT_SUFFIX}")


MOST_TRIES = 5
"""Tries after the first."""


def try_request(run: Run, number: int) -> Request:
    """What a try is planned with: its change set and token follow from the plan, as the first one's do."""
    request = run.request()
    return replace(request, nonce=f"{request.nonce}-{number}")


def try_of(run: Run, plan: StackPlan, number: int, gateway: CloudFormation) -> ChangeSetSummary | None:
    """The change set of that try, if it was executed. Raises `AwsError`."""
    state = gateway.change_set_state(change_set_name(try_request(run, number)), plan.stack_name)
    return state if state is not None and state.execution_status in EXECUTED else None


def _last_try(run: Run, plan: StackPlan, gateway: CloudFormation) -> PlannedChange | None:
    """The last try, where the first one is not known any more, which happens to a creation only."""
    numbers = range(MOST_TRIES, 0, -1) if not plan.state.exists else ()
    number = next((n for n in numbers if try_of(run, plan, n, gateway)), 0)
    live = gateway.describe_stack(plan.stack_name) if number else None
    return PlannedChange(at="running" if live.busy else "done", live=live, tries=number) if live is not None else None


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
    again = _last_try(run, plan, gateway) if state is None else None
    if again is not None:
        return again
    executed = state is not None and state.execution_status in EXECUTED
    words = moved(plan.state, live)
    if not executed and live is not None and (state is None or words):
        executed = any(e.token == token for e in gateway.events(live.arn, token=token))
    if executed and live is not None:
        busy = live.busy or live.under_review or (state is not None and state.execution_status == "EXECUTE_IN_PROGRESS")
        return PlannedChange(at="running" if busy else "done", live=live)
    if words:
        return PlannedChange(at="moved", words=words, live=live)
    words = protected(plan, gateway)
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
