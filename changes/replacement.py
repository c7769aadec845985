"""Whether a modified resource is replaced, where CloudFormation leaves it open.

In: the changed properties, the provider schema. Out: `Replacement` values.
Never: says that a resource stays where that is not certain.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from changes.model import PropertyChange, Replacement
from templates.schemas import Schema
from templates.values import Redacted, Unknown


def settled(properties: Iterable[PropertyChange], schema: Schema | None, *, by: Literal["cloudformation", "schema"]) -> Replacement:
    """Replacement by the schema: certain if a create-only property surely changes, open if one may change, else none."""
    always: list[str] = []
    perhaps: list[str] = []
    for change in properties:
        if change.attribute != "Properties":
            continue
        said = change.recreation
        if schema is not None and said == "conditionally" and change.path:
            said = schema.recreation(change.path)
        if said == "always" and _surely_differs(change):
            always.append(change.path)
        elif said in ("always", "conditionally"):
            perhaps.append(change.path)
    if always:
        return Replacement(verdict="yes", by=by, because=tuple(always))
    if perhaps:
        return Replacement(verdict="maybe", by="cloudformation" if schema is None else by, because=tuple(perhaps))
    return Replacement(verdict="no", by=by)


def _surely_differs(change: PropertyChange) -> bool:
    """The value is another one: known on both sides and different, or there on one side only. A value still to come may be the same."""
    if change.before is None and change.after is None:
        return False
    return not isinstance(change.after, (Unknown, Redacted)) and change.before != change.after
