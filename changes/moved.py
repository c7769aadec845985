"""Resources that stand under another logical id, or in another stack, after a plan: to CloudFormation one goes and another one comes.

In: what each stack of a plan removes and adds, with the resolved bodies. Out: `Move`.
Never: takes two for one that differ in a property, or that merely have nothing in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from changes.context import Context
from changes.model import ResourceChange
from changes.structure import same
from templates.intrinsics import references


@dataclass(frozen=True, kw_only=True)
class Side:
    """A resource in a stack, before or after."""

    stack: str
    """Stack id."""
    stack_name: str
    place: tuple[str, str]
    """Account and region."""
    logical_id: str
    type: str
    body: Mapping[str, Any]
    name: str
    """The name that the template gives it; empty where AWS makes one."""
    kept: bool
    """Its stack keeps it when it lets go of it."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """The same resource before and after."""

    before: Side
    after: Side

    @property
    def one_at_a_time(self) -> bool:
        """Both have the one name, so AWS refuses the second while the first stands."""
        return bool(self.after.name)

    @property
    def refactorable(self) -> bool:
        """CloudFormation can move it: both stacks are in one account and region (user guide, "Stack refactoring")."""
        return self.before.place == self.after.place


def sides(
    stack: str, stack_name: str, place: tuple[str, str], changes: Iterable[ResourceChange], context: Context
) -> tuple[tuple[Side, ...], tuple[Side, ...]]:
    """What goes and what comes in one stack."""

    def of(change: ResourceChange, side: Mapping[str, Mapping[str, Any]]) -> Side:
        body = side.get(change.logical_id, {})
        schema = context.schemas.of(change.resource_type, context.region)
        names = [(body.get("Properties") or {}).get(path[0]) for path in (schema.primary_identifier if schema else ()) if len(path) == 1]
        return Side(
            stack=stack,
            stack_name=stack_name,
            place=place,
            logical_id=change.logical_id,
            type=change.resource_type,
            body=body,
            name=names[0] if len(names) == 1 and isinstance(names[0], str) else "",
            kept=change.policy_action == "Retain",
        )

    listed = [*changes]
    gone = tuple(of(c, context.before) for c in listed if c.action == "remove")
    return gone, tuple(of(c, context.after) for c in listed if c.action == "add")


def moves(gone: Iterable[Side], come: Iterable[Side]) -> Iterator[Move]:
    """Each that goes with the one that comes in its stead: of the same type, name and properties."""
    left = [*gone]
    for after in come:
        before = next((side for side in left if _is(side, after)), None)
        if before is not None:
            left.remove(before)
            yield Move(before=before, after=after)


def _is(before: Side, after: Side) -> bool:
    if before.type != after.type or before.name != after.name:
        return False
    old, new = (side.body.get("Properties") or {} for side in (before, after))
    # What refers to others says so by logical ids, which mean something in their own stack only.
    elsewhere = before.stack != after.stack and bool(references(old) | references(new))
    return bool(old) and same(old, new) and (bool(after.name) or not elsewhere)
