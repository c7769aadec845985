"""Is a stack stuck, or busy, or does a change set lie there that nobody waits for? With the fix for each."""

from __future__ import annotations

from collections.abc import Iterator

from assembly.model import Stack
from aws.cloudformation.change_sets import ChangeSetSummary
from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.stacks import StackDescription
from doctor.check import CheckContext, stack_check
from doctor.deployed import last_failure
from doctor.values import CheckResult, Fix, FixAction
from guards import documents
from operations.gateways import cloudformation_of
from planning.request import change_set_prefix
from planning.states import in_the_way
from templates.resources import RETAINING


@stack_check("stack", kind="stack")
def stack_state(context: CheckContext, stack: Stack) -> Iterator[CheckResult | Fix]:
    """Its status first; if that is none to mend, its change sets."""
    gateway = cloudformation_of(stack, context.gateways)
    live = gateway.describe_stack(stack.stack_name)
    if live is None or live.status == "DELETE_COMPLETE":
        yield CheckResult(code="stack", level="ok", message=f"{stack.stack_name} is not deployed yet", stack=stack.id)
        return
    found = in_the_way(context.environment, stack.id, live)
    if found is None:
        yield from _change_sets(context, stack, live, gateway)
        return
    fix = _fix_for(stack, live, gateway)
    if fix is not None:
        yield fix
    yield CheckResult(
        code=found.code,
        level="warning" if live.busy else "problem",
        message=_with_last_failure(found.message, live, gateway),
        command=context.command("doctor", "--fix") if fix else _by_hand(stack, live),
        stack=stack.id,
    )


def _change_sets(context: CheckContext, stack: Stack, live: StackDescription, gateway: CloudFormation) -> Iterator[CheckResult | Fix]:
    # One that was executed is history; it may still be listed.
    sets = tuple(c for c in gateway.list_change_sets(stack.stack_name) if not c.execution_status.startswith("EXECUTE"))
    if any(c.arn in context.waiting for c in sets):
        message = f"{stack.stack_name}: the saved plan waits to be applied"
        yield CheckResult(code="stack", level="ok", message=message, command=context.command("apply"), stack=stack.id)
        return
    ours = tuple(
        c for c in sets if c.name.startswith(tuple(change_set_prefix(context.environment, read_only=each) for each in (False, True)))
    )
    others = tuple(c for c in sets if c not in ours)
    for each in others:
        message = f"{stack.stack_name}: somebody else's change set {each.name} waits there since {each.created_at}"
        yield CheckResult(code="foreign_change_set", level="warning", message=message, stack=stack.id)
    if live.under_review and not others:
        yield _fix(stack, live, "delete_reviewed", _review_lines(stack, ours), tuple(c.arn for c in ours))
        message = f"{stack.stack_name} is REVIEW_IN_PROGRESS, left by a plan that is not saved here"
        command = context.command("doctor", "--fix")
        yield CheckResult(code="stack_review_in_progress", level="problem", message=message, command=command, stack=stack.id)
    elif ours:
        lines = (f"delete the change set {c.name} of {stack.stack_name}, made {c.created_at}, which no plan saved here names" for c in ours)
        yield _fix(stack, live, "delete_change_sets", tuple(lines), tuple(c.arn for c in ours))
        message = f"{stack.stack_name}: {len(ours)} change set(s) left by plans that are not saved here"
        command = context.command("doctor", "--fix")
        yield CheckResult(code="stale_change_sets", level="warning", message=message, command=command, stack=stack.id)
    elif not live.under_review:
        yield CheckResult(code="stack", level="ok", message=f"{stack.stack_name} is {live.status}", stack=stack.id)


def _review_lines(stack: Stack, ours: tuple[ChangeSetSummary, ...]) -> tuple[str, ...]:
    return (
        f"delete {stack.stack_name}, which was never created and has no resources",
        *(f"  with its change set {c.name}, made {c.created_at} (on another machine it may be a plan that waits)" for c in ours),
    )


def _with_last_failure(message: str, live: StackDescription, gateway: CloudFormation) -> str:
    """With CloudFormation's latest words, where the status has none."""
    failure = "" if live.status_reason or live.busy else last_failure(gateway, live.arn)
    return f"{message}; the last failure was {failure}" if failure else message


def _by_hand(stack: Stack, live: StackDescription) -> str:
    at = f"--stack-name {stack.stack_name} --region {stack.region}"
    if live.termination_protection:
        return f"aws cloudformation update-termination-protection --no-enable-termination-protection {at}"
    return f"aws cloudformation describe-stack-events {at}"


def _fix_for(stack: Stack, live: StackDescription, gateway: CloudFormation) -> Fix | None:  # noqa: PLR0911
    """None where there is no safe action: then a person has to look."""
    if live.busy:
        return _fix(
            stack, live, "wait", (f"wait until CloudFormation is done with {stack.stack_name} ({live.status}); nothing is changed",)
        )
    if live.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED") and live.termination_protection:
        return None
    if live.status == "IMPORT_ROLLBACK_FAILED":
        return _fix_of_import(stack, live, gateway)
    if live.status == "ROLLBACK_COMPLETE":
        return _fix(stack, live, "delete", _deletion_lines(stack, gateway, frozenset()))
    if live.status in ("ROLLBACK_FAILED", "DELETE_FAILED"):
        failed = tuple(r.logical_id for r in gateway.list_resources(stack.stack_name) if r.status == "DELETE_FAILED")
        # RetainResources is only taken for a stack in DELETE_FAILED (API DeleteStack).
        if live.status == "DELETE_FAILED" and failed:
            return _fix(stack, live, "delete_retaining", _deletion_lines(stack, gateway, frozenset(failed)), failed)
        return _fix(stack, live, "delete", _deletion_lines(stack, gateway, frozenset()))
    if live.status == "UPDATE_ROLLBACK_FAILED":
        failed = tuple(r.logical_id for r in gateway.list_resources(stack.stack_name) if r.status == "UPDATE_FAILED")
        lines = (
            f"continue the rollback of {stack.stack_name} to its state before the last update",
            *(f"  tries {logical_id} again, which could not be rolled back" for logical_id in failed),
        )
        return _fix(stack, live, "continue_rollback", lines)
    if live.status in ("CREATE_FAILED", "UPDATE_FAILED"):
        to = (
            "nothing (what the creation made is deleted, but for what is retained)"
            if live.status == "CREATE_FAILED"
            else "its last good state"
        )
        return _fix(stack, live, "roll_back", (f"roll {stack.stack_name} back to {to}",))
    return None


def _fix_of_import(stack: Stack, live: StackDescription, gateway: CloudFormation) -> Fix | None:
    """CloudFormation takes no other call for such a stack than to delete it, which is safe where all that it has is kept.

    Source: CloudFormation user guide, "Stack status codes"; ContinueUpdateRollback and RollbackStack name the states that they take.
    """
    try:
        resources = documents.loads(gateway.get_template(stack.stack_name) or "{}").get("Resources", {})
    except ValueError:
        return None
    kept = frozenset(title for title, body in resources.items() if body.get("DeletionPolicy") in RETAINING)
    there = {r.logical_id for r in gateway.list_resources(stack.stack_name) if r.status != "DELETE_COMPLETE"}
    if live.termination_protection or there - kept:
        return None
    return _fix(stack, live, "delete", _deletion_lines(stack, gateway, kept))


def _deletion_lines(stack: Stack, gateway: CloudFormation, retained: frozenset[str]) -> tuple[str, ...]:
    there = [r for r in gateway.list_resources(stack.stack_name) if r.status != "DELETE_COMPLETE"]
    return (
        f"delete {stack.stack_name}, so that it can be made again",
        *(
            f"  {'keeps' if r.logical_id in retained else 'deletes'} {r.logical_id} ({r.resource_type}, {r.physical_id or 'never made'})"
            for r in there
        ),
    )


def _fix(stack: Stack, live: StackDescription, action: FixAction, does: tuple[str, ...], names: tuple[str, ...] = ()) -> Fix:
    return Fix(
        action=action,
        stack=stack.id,
        stack_name=stack.stack_name,
        account_id=stack.account_id,
        region=stack.region,
        role_arn=stack.role_arn,
        arn=live.arn,
        status=live.status,
        does=does,
        names=names,
    )
