"""What only all stacks of a plan together tell: which widenings follow what is replaced or moved.

In: every planned stack with what it was compared by. Out: its plan, with widenings that allow nothing more marked `follows`.
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
from changes.widenings import Elsewhere, moving, widenings
from planning.model import AnyStackPlan, StackPlan
from planning.run import Planned


def across(planned: Iterable[Planned]) -> dict[str, AnyStackPlan]:
    """The plans by stack id."""
    done = [*planned]
    if not any(p.plan.widenings for p in done):
        return {p.plan.stack: p.plan for p in done}
    compared = [(p.plan, p.context) for p in done if p.context is not None and isinstance(p.plan, StackPlan)]
    names = dict(pair for plan, context in compared for pair in renamed(plan.resources, context))
    elsewhere = Elsewhere(
        allowed=moving((_renamed(body, names) for _, c in compared for body in c.before.values()), "Allow"),
        refused=moving((body for _, c in compared for body in c.after.values()), "Deny"),
    )
    found = {p.plan.stack: p.plan for p in done}
    for plan, context in compared:
        if plan.widenings:
            real = widenings(plan.stack, {i: _renamed(body, names) for i, body in context.before.items()}, context.after, elsewhere)
            found[plan.stack] = msgspec.structs.replace(plan, widenings=_told(plan.widenings, real))
    return found


def renamed(changes: Iterable[ResourceChange], context: Context) -> Iterator[tuple[str, str]]:
    """(name before, name after) of every resource that is certainly replaced and has a name of its own in both templates."""
    for change in changes:
        if change.action != "modify" or change.replacement.verdict != "yes":
            continue
        schema = context.schemas.of(change.resource_type, context.region)
        for path in schema.primary_identifier if schema is not None else ():
            before, after = (_property(side, change.logical_id, path) for side in (context.before, context.after))
            if len(path) == 1 and isinstance(before, str) and isinstance(after, str) and before and before != after:
                yield before, after


def _property(side: Resources, logical_id: str, path: tuple[str, ...]) -> Any:
    return (side.get(logical_id, {}).get("Properties") or {}).get(path[0])


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
    pattern = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.sub(rf"(?<![A-Za-z0-9_.-])(?:{pattern})(?![A-Za-z0-9_.-])", lambda m: names[m[0]], value)


def _told(plain: tuple[Widening, ...], real: tuple[Widening, ...]) -> tuple[Widening, ...]:
    """Those that are real, then those that only follow."""
    known = {_key(widening) for widening in real}
    return (*real, *(msgspec.structs.replace(w, follows=True) for w in plain if _key(w) not in known))


def _key(widening: Widening) -> tuple[str, str, str, str]:
    return widening.logical_id, widening.path, widening.kind, widening.statement
