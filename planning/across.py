"""What only all stacks of a plan together tell: which widenings follow what is replaced, and what moved from one place to another.

In: every planned stack with what it was compared by. Out: its plan, with widenings that allow nothing more marked `follows`, and a finding
where CloudFormation would make a resource anew that stands already under another logical id or in another stack.
Never: leaves a widening out: apply compares what it is about to do with all of them.

A policy names resources of other stacks by their names. Where a resource is replaced by one of another name, the policy that names the
new one allows on it what was allowed on the old one, which it does not name any more; where it still names both, that is a widening.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from changes.context import Context, Resources
from changes.model import ResourceChange, Widening
from changes.moved import Move, moves, sides
from changes.widenings import PolicyStatements, moving, widenings
from planning.model import AnyStackPlan, Finding, StackPlan
from planning.run import Planned


def across(planned: Iterable[Planned], environment: str) -> dict[str, AnyStackPlan]:
    """The plans by stack id."""
    done = [*planned]
    compared = [(p.plan, p.context) for p in done if p.context is not None and isinstance(p.plan, StackPlan)]
    found: dict[str, AnyStackPlan] = {p.plan.stack: p.plan for p in done}
    if any(plan.widenings for plan, _ in compared):
        names = dict(pair for plan, context in compared for pair in renamed(plan.resources, context))
        elsewhere = PolicyStatements(
            allowed=moving((_renamed(body, names) for _, c in compared for body in c.before.values()), "Allow"),
            refused=moving((body for _, c in compared for body in c.after.values()), "Deny"),
        )
        for plan, context in compared:
            before = {logical_id: _renamed(body, names) for logical_id, body in context.before.items()}
            real = widenings(plan.stack, before, context.after, elsewhere)
            found[plan.stack] = msgspec.structs.replace(plan, widenings=_told(plan.widenings, real))
    for finding in _moved(compared, environment):
        plan_of = found[finding.stack]
        found[finding.stack] = msgspec.structs.replace(plan_of, findings=(*plan_of.findings, finding))
    return found


# --- what moved ---------------------------------------------------------------------------------------------------


def _moved(compared: Iterable[tuple[StackPlan, Context]], environment: str) -> Iterator[Finding]:
    listed = [sides(plan.stack, plan.stack_name, (plan.account_id, plan.region), plan.resources, context) for plan, context in compared]
    gone, come = (tuple(side for pair in listed for side in pair[number]) for number in (0, 1))
    for move in moves(gone, come):
        yield Finding(severity="warning", code="moved", message=_words(move), command=_refactor(move, environment), stack=move.after.stack)


def _words(move: Move) -> str:
    old, new = move.before, move.after
    where = f"{old.logical_id} of {old.stack}" if old.stack != new.stack else old.logical_id
    named = f" {new.name}" if new.name else ""
    said = f"{new.logical_id} is {where} under another {'logical id' if old.stack == new.stack else 'stack'} ({new.type}{named}): "
    said += (
        "both cannot exist at once, and CloudFormation makes the new one before it deletes the old one"
        if move.one_at_a_time
        else "CloudFormation makes a second one and deletes the first"
    )
    if move.refactorable:
        return f"{said}. A stack refactor moves it as it is: deploy with the old place, then move it, then plan again"
    kept = "is kept by its stack" if old.kept else "has to get DeletionPolicy: Retain in its old place, and be deployed so"
    return f"{said}. No refactor goes from one region or account to another: it {kept}; then plan with --import-existing"


def _refactor(move: Move, environment: str) -> str:
    """Source: AWS CLI reference, create-stack-refactor; execute-stack-refactor does it."""
    old, new = move.before, move.after
    if not move.refactorable:
        return ""
    stacks = dict.fromkeys(((old.stack_name, old.stack), (new.stack_name, new.stack)))
    definitions = " ".join(f"StackName={name},TemplateBody@=file://dist/{environment}/{stack}.template.json" for name, stack in stacks)
    mapping = (
        f"Source={{StackName={old.stack_name},LogicalResourceId={old.logical_id}}}"
        f",Destination={{StackName={new.stack_name},LogicalResourceId={new.logical_id}}}"
    )
    command = f"aws cloudformation create-stack-refactor --region {new.place[1]}"
    return f"{command} --stack-definitions {definitions} --resource-mappings '{mapping}'"


# --- what is named otherwise --------------------------------------------------------------------------------------


def renamed(changes: Iterable[ResourceChange], context: Context) -> Iterator[tuple[str, str]]:
    """(name before, name after) of every resource that is certainly replaced and has a name of its own in both templates."""
    for change in changes:
        schema = context.schemas.of(change.resource_type, context.region) if change.replacement.verdict == "yes" else None
        for name, *_ in schema.primary_identifier if schema is not None else ():
            before, after = (_property(side, change.logical_id, name) for side in (context.before, context.after))
            if isinstance(before, str) and isinstance(after, str) and before and before != after:
                yield before, after


def _property(side: Resources, logical_id: str, name: str) -> Any:
    return side.get(logical_id, {}).get("Properties", {}).get(name)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """With every name that is replaced written as the one that takes its place; a name inside of a longer one is another name."""
    if not names:
        return value
    if isinstance(value, Mapping):
        return {key: _renamed(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner, names) for inner in value]
    if not isinstance(value, str):
        return value
    pattern = "|".join(map(re.escape, names))
    return re.sub(rf"(?<![A-Za-z0-9_.-])(?:{pattern})(?![A-Za-z0-9_.-])", lambda m: names[m[0]], value)


def _told(plain: tuple[Widening, ...], real: tuple[Widening, ...]) -> tuple[Widening, ...]:
    """Those that are real, then those that only follow. A policy that says what it said allows nothing more, whatever is replaced."""
    changed = {widening.logical_id for widening in plain}
    known = {_key(widening) for widening in real}
    return (
        *(w for w in real if w.logical_id in changed),
        *(msgspec.structs.replace(w, follows=True) for w in plain if _key(w) not in known),
    )


def _key(widening: Widening) -> tuple[str, str, str, str]:
    return widening.logical_id, widening.path, widening.kind, widening.statement
