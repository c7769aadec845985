"""Why a stack failed: the first resource that failed by itself, AWS's words for it, and what to type next.

In: the events of one execution, oldest first; the stack's status. Out: a `Diagnosis`.
Never: talks to AWS, changes anything, blames a resource that was only cancelled because another failed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from assembly.commands import deploy
from aws.cloudformation.stacks import StackEvent
from aws.cloudformation.validations import ValidationEvent
from rollout.known_causes import known_cause

_CANCELLED = re.compile(
    r"^Resource (creation|update|deletion|import) (was )?cancelled|^Update cancelled|^Rollback requested", re.IGNORECASE
)
"""CloudFormation's words for a resource that it stopped itself after another one had failed."""

_STACK_TYPE = "AWS::CloudFormation::Stack"


class FailedResource(msgspec.Struct, frozen=True, kw_only=True):
    """One resource that failed by itself."""

    logical_id: str
    resource_type: str
    physical_id: str
    status: str
    reason: str
    """AWS's own words."""
    at: str


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong with one stack, as far as its events tell."""

    status: str
    """The stack's status at the end."""
    cause: FailedResource | None
    """The first that failed by itself; None where no event says so."""
    others: tuple[FailedResource, ...] = ()
    """Further ones that failed by themselves, in order of time."""
    cancelled: int = 0
    """Resources that were only stopped because of it."""
    explanation: str = ""
    """What the state means and what is possible from it."""
    command: str = ""
    """What to type next."""


def failures(events: Iterable[StackEvent]) -> tuple[tuple[FailedResource, ...], int]:
    """Resources that failed by themselves in order of time, and how many were only cancelled."""
    found: list[FailedResource] = []
    cancelled: set[str] = set()
    for event in events:
        if not event.status.endswith("_FAILED") or _is_stack_itself(event):
            continue
        if _CANCELLED.search(event.reason):
            cancelled.add(event.logical_id)
            continue
        found.append(
            FailedResource(
                logical_id=event.logical_id,
                resource_type=event.resource_type,
                physical_id=event.physical_id,
                status=event.status,
                reason=event.reason,
                at=event.at,
            )
        )
    return tuple(found), len(cancelled)


def _is_stack_itself(event: StackEvent) -> bool:
    return event.resource_type == _STACK_TYPE and event.physical_id == event.stack_arn


def invalid(validations: Iterable[ValidationEvent]) -> tuple[FailedResource, ...]:
    """What CloudFormation's own validation stopped the operation for, before it began with any resource."""
    return tuple(
        FailedResource(
            logical_id=v.logical_id,
            resource_type=v.resource_type,
            physical_id="",
            status="VALIDATION_FAILED",
            reason=f"{v.path}: {v.reason}" if v.path else v.reason,
            at="",
        )
        for v in validations
        if v.status == "FAILED" and v.failure_mode == "FAIL"
    )


def diagnose(
    events: Iterable[StackEvent],
    *,
    status: str,
    status_reason: str,
    environment: str,
    validations: Iterable[ValidationEvent] = (),
) -> Diagnosis:
    """The diagnosis of a stack whose execution has failed."""
    seen = tuple(events)
    failed, cancelled = failures(seen)
    failed = failed or invalid(validations)
    cause = failed[0] if failed else None
    if cause is None:
        words = next((e.reason for e in seen if _is_stack_itself(e) and e.reason and "FAILED" in e.status), "") or status_reason
        if words:
            cause = FailedResource(logical_id="", resource_type=_STACK_TYPE, physical_id="", status=status, reason=words, at="")
    explanation, command = next_step(status, environment=environment)
    known = known_cause(cause.reason) if cause is not None else None
    if known is not None and known.advice:
        explanation, command = f"{known.explanation}; then: {command}" if command else known.explanation, known.advice
    elif known is not None:
        explanation = "; ".join(part for part in (known.explanation, explanation) if part)
        if known.command and not (known.only_without_other and command):
            verb, *arguments = known.command
            command = deploy(verb, environment, *arguments)
    return Diagnosis(status=status, cause=cause, others=failed[1:], cancelled=cancelled, explanation=explanation, command=command)


_PLAN = ("plan",)
_DOCTOR = ("doctor", "--fix")

_NEXT: dict[str, tuple[str, tuple[str, ...]]] = {
    "ROLLBACK_COMPLETE": (
        "its first creation was rolled back; CloudFormation lets such a stack only be deleted, and doctor deletes it after a dry run",
        _DOCTOR,
    ),
    "ROLLBACK_FAILED": (
        "its first creation failed and so did the rollback; it has to be deleted, with what stands in the way kept",
        _DOCTOR,
    ),
    "UPDATE_ROLLBACK_COMPLETE": ("it is back in its state before the update; mend the cause, build, and plan again", _PLAN),
    "IMPORT_ROLLBACK_COMPLETE": ("the import was taken back; mend the cause, build, and plan again", _PLAN),
    "IMPORT_ROLLBACK_FAILED": (
        "nothing that was to be taken over was changed; doctor deletes the stack if it keeps all that it has, then plan again",
        _DOCTOR,
    ),
    "UPDATE_ROLLBACK_FAILED": ("the rollback itself got stuck: mend what it names, and let doctor continue it", _DOCTOR),
    "CREATE_FAILED": ("it stopped where it failed; doctor rolls it back", _DOCTOR),
    "UPDATE_FAILED": ("it stopped where it failed; doctor rolls it back", _DOCTOR),
    "DELETE_FAILED": ("something in it could not be deleted; doctor shows what, and keeps it if you say so", _DOCTOR),
    "DELETE_COMPLETE": ("the stack is gone; plan again", _PLAN),
    "REVIEW_IN_PROGRESS": ("the stack was never created; plan again", _PLAN),
}


def next_step(status: str, *, environment: str) -> tuple[str, str]:
    """What a stack's status means for a person, and what to type; both empty for a status that needs nobody."""
    explanation, command = _NEXT.get(status, ("", ()))
    if not command and status.endswith("_IN_PROGRESS"):
        explanation, command = "CloudFormation is still working on it", ("apply",)
    return explanation, deploy(command[0], environment, *command[1:]) if command else ""
