"""Whether a modified resource is replaced, where CloudFormation leaves it open.

In: the changed properties, the provider schema, the other resources of the stack. Out: `Replacement` values.
Never: says that a resource stays where that is not certain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from changes.context import Context
from changes.model import PropertyChange, Replacement, ResourceChange
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


def settle_causes(changes: tuple[ResourceChange, ...], context: Context) -> tuple[ResourceChange, ...]:
    """Follow references among the resources until nothing moves: who is certainly replaced changes what refers to it; who is certainly not
    keeps its Ref and its identifying attributes, so a replacement that only depends on those does not happen."""
    by_id = {c.logical_id: c for c in changes}
    for _ in range(len(changes) + 1):
        moved = False
        for logical_id, change in by_id.items():
            if change.action != "modify" or change.replacement.verdict != "maybe":
                continue
            open_ones = [p for p in change.properties if p.path in change.replacement.because]
            verdicts = [_cause_verdict(p, by_id, context) for p in open_ones]
            if verdicts and all(v is False for v in verdicts):
                by_id[logical_id] = msgspec.structs.replace(change, replacement=Replacement(verdict="no", by="schema"), policy_action=None)
                moved = True
        if not moved:
            break
    return tuple(by_id[c.logical_id] for c in changes)


def _cause_verdict(change: PropertyChange, by_id: Mapping[str, ResourceChange], context: Context) -> bool | None:
    """False: every cause keeps its value. None: cannot be told."""
    if change.before is not None or change.after is not None or not change.because_of:
        return None
    for cause in change.because_of:
        word, _, entity = cause.partition(" ")
        logical_id, _, attribute = entity.partition(".")
        if word != "resource" or not keeps_value((logical_id, attribute), by_id, context):
            return None
    return False


def keeps_value(reference: tuple[str, str], by_id: Mapping[str, ResourceChange], context: Context) -> bool:
    """Whether Ref (attribute "") or Fn::GetAtt of a resource surely has the value that it had before."""
    logical_id, attribute = reference
    if logical_id not in context.before:
        return False
    change = by_id.get(logical_id)
    if change is None:
        return True
    if change.action not in ("modify", "sync") or change.replacement.verdict != "no":
        return False
    if not attribute:
        return True
    schema = context.schemas.of(change.resource_type, context.region)
    return schema is not None and schema.keeps(attribute)
