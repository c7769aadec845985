"""What makes a property change that no template says: which property a cause belongs to, and whether its value stays as it is.

In: the changes of a stack, its resolved templates, the provider schemas. Out: the same changes, those marked `keeps` that change nothing.
Never: marks what it cannot settle. A property keeps its value if both templates say the same there, what that refers to keeps its value,
and nothing else is in it that CloudFormation alone can compute.

CloudFormation lists a resource that refers to one which is modified, as it does not look at what an attribute will be (API
ResourceChangeDetail, Evaluation: Dynamic). An update in place keeps the physical id, which is what Ref gives (user guide, "Update
behaviors of stack resources"); which attributes stay is `Schema.keeps`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from changes.context import Context
from changes.model import PropertyChange, Replacement, ResourceChange
from changes.structure import parts_of, same
from templates.intrinsics import marked, references

_PURE = ("Fn::Join", "Fn::Sub", "Fn::Select", "Fn::Split", "Fn::Base64", "Fn::FindInMap", "Fn::ToJsonString", "Fn::Length", "Fn::Cidr")
"""Functions that give the same for the same; not among them: what reads other stacks, the account or the region (ImportValue, GetAZs)."""


def under(path: str, top: str) -> bool:
    """Whether the path is `top`, or inside of it; everything is inside of ""."""
    return not top or path == top or path.startswith((f"{top}.", f"{top}["))


# --- whose cause it is --------------------------------------------------------------------------------------------


def belongs(cause: str, change: PropertyChange, logical_id: str, context: Context) -> bool:
    """Whether what the template has for this very property depends on the cause ("parameter Domain", "resource Bucket.Arn")."""
    word, _, entity = cause.partition(" ")
    if word == "resource":
        return any(under(path, change.path) for path in referring(entity, logical_id, change.attribute, context))
    if context.blurred is None:
        return True
    clear, blurred = (
        {
            path: part
            for path, part in parts_of(side.get(logical_id, {}).get(change.attribute))
            if under(path, change.path) or under(change.path, path)
        }
        for side in (context.after, context.blurred(entity))
    )
    return clear != blurred


def referring(entity: str, logical_id: str, attribute: str, context: Context) -> tuple[str, ...]:
    """Paths of the parts of a resource that refer to "RESOURCE.ATTRIBUTE"; to "RESOURCE" in any way."""
    name, _, wanted = entity.partition(".")
    body = context.after.get(logical_id, {}).get(attribute)
    return tuple(
        path
        for path, part in parts_of(body)
        if any(ref == name and (not wanted or of == wanted or of.startswith(f"{wanted}.")) for ref, of in references(part))
    )


# --- what keeps its value -----------------------------------------------------------------------------------------


def settle_causes(changes: tuple[ResourceChange, ...], context: Context) -> tuple[ResourceChange, ...]:
    """Follow references among the resources until nothing moves: who is certainly not replaced keeps its Ref and its identifying
    attributes, so what only refers to those keeps its value, and is not replaced because of them."""
    by_id = {c.logical_id: c for c in changes}
    for _ in range(len(changes) + 1):
        now = {logical_id: _settled(change, by_id, context) for logical_id, change in by_id.items()}
        if now == by_id:
            break
        by_id = now
    return tuple(by_id[c.logical_id] for c in changes)


def _settled(change: ResourceChange, by_id: Mapping[str, ResourceChange], context: Context) -> ResourceChange:
    if change.action != "modify" or not context.comparable:
        return change
    properties = tuple(
        msgspec.structs.replace(p, keeps=True) if not p.keeps and _keeps(p, change.logical_id, by_id, context) else p
        for p in change.properties
    )
    if properties == change.properties:
        return change
    kept = {p.path for p in properties if p.keeps}
    because = tuple(path for path in change.replacement.because if path not in kept)
    replacement, policy = msgspec.structs.replace(change.replacement, because=because), change.policy_action
    if change.replacement.verdict == "maybe" and change.replacement.because and not because:
        replacement, policy = Replacement(verdict="no", by="schema"), None
    return msgspec.structs.replace(change, properties=properties, replacement=replacement, policy_action=policy)


def _keeps(change: PropertyChange, logical_id: str, by_id: Mapping[str, ResourceChange], context: Context) -> bool:
    if change.attribute != "Properties" or not change.path or change.drifted or not change.because_of or not change.is_open:
        return False
    named = (cause.removeprefix("resource ").partition(".") for cause in change.because_of if cause.startswith("resource "))
    if not all(keeps_value((entity, attribute), by_id, context) for entity, _, attribute in named):
        return False
    old, new = (_parts(side, logical_id, change.path) for side in (context.before, context.after))
    if not new or old.keys() != new.keys():
        return False
    return all(same(old[path], part) and _fixed(part, by_id, context) for path, part in new.items())


def _parts(side: Mapping[str, Mapping[str, Any]], logical_id: str, path: str) -> dict[str, Any]:
    return {at: part for at, part in parts_of(side.get(logical_id, {}).get("Properties") or {}) if under(at, path)}


def _fixed(value: Any, by_id: Mapping[str, ResourceChange], context: Context) -> bool:
    """Whether a value that both templates have surely comes out the same."""
    if marked(value) or any(name not in ("Ref", "Fn::GetAtt", *_PURE) or "{{resolve:" in text for name, text in _functions(value)):
        return False
    return all(keeps_value(reference, by_id, context) for reference in references(value))


def _functions(value: Any) -> Iterator[tuple[str, str]]:
    """(function, "") of every intrinsic function, and ("Ref", text) of every text: dynamic references stand in texts."""
    if isinstance(value, str):
        yield "Ref", value
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _functions(inner)
    if isinstance(value, Mapping):
        yield from ((key, "") for key in value if key == "Condition" or key.startswith("Fn::"))


def keeps_value(reference: tuple[str, str], by_id: Mapping[str, ResourceChange], context: Context) -> bool:
    """Whether Ref (attribute "") or Fn::GetAtt of a resource surely has the value that it had before."""
    logical_id, attribute = reference
    if logical_id not in context.before:
        return False
    change = by_id.get(logical_id)
    if change is None or change.unaffected:
        return True
    if change.action not in ("modify", "sync") or change.replacement.verdict != "no":
        return False
    schema = context.schemas.of(change.resource_type, context.region)
    return schema is not None and (schema.keeps_ref if not attribute else schema.keeps(attribute))


def unaffected(changes: Iterable[ResourceChange]) -> tuple[ResourceChange, ...]:
    """Those that CloudFormation lists although nothing about them changes."""
    return tuple(change for change in changes if change.unaffected)
