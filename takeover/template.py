"""The template with which CloudFormation imports resources into a stack: what the stack has already, and the resources as they are.

In: the deployed template (empty for a new stack), resources as they are, our own template's resources. Out: a template, its fingerprint.
Never: a reference to what is not in it, an output, parameter, condition or tag more than the stack has, a resource that is neither imported
nor deployed, an imported one without DeletionPolicy.

The properties of what is imported are those that it has now, not those that it is to have: an import is to change nothing, and
CloudFormation sends a resource's properties to its handler when it gives it the stack's tags (aws-cloudformation/
cloudformation-coverage-roadmap#809: an import that lacked a property set it back). What differs is the next update's, where it is reviewed.
What AWS does not tell (write-only properties), or does not tell of what can only be set at creation, is put down as we want it: another
value would have CloudFormation replace the resource.

Sources: CloudFormation user guide, "Import AWS resources into a CloudFormation stack manually" (no new resource, no deletion, no change
of a property; DeletionPolicy on each; a template of the entire stack); CreateChangeSet's refusal "As part of the import operation, you
cannot modify or add [Outputs]".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from assembly.files import canonical_json, sha256
from takeover.live import without
from takeover.model import Live
from templates.intrinsics import marked, references, unresolved
from templates.resources import RETAINING
from templates.schemas import Schema

VERSION = "2010-09-09"


def import_template(
    deployed: Mapping[str, Any], imported: Mapping[str, tuple[str, Mapping[str, Any]]], ours: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """`imported`: logical id to type and properties. ValueError for one that the stack has already.

    `ours`: the template that follows. Its policies count already where they retain; parameters that `imported` refers to are its own.
    """
    ours = ours or {}
    base = dict(deployed) or {"AWSTemplateFormatVersion": VERSION}
    resources = dict(base.get("Resources") or {})
    twice = sorted({*resources} & {*imported})
    if twice:
        raise ValueError(f"the stack has {', '.join(twice)} already")
    for logical_id, (kind, properties) in imported.items():
        wanted = (ours.get("Resources") or {}).get(logical_id) or {}
        policy = wanted.get("DeletionPolicy")
        resources[logical_id] = {
            "Type": kind,
            "DeletionPolicy": policy if policy in RETAINING else "Retain",
            **{name: wanted[name] for name in ("UpdateReplacePolicy",) if name in wanted},
            "Properties": dict(properties),
        }
    found = {**base, "Resources": resources}
    used = {target for _, properties in imported.values() for target, _ in references(properties)}
    declared = {name: body for name, body in (ours.get("Parameters") or {}).items() if name in used}
    if declared:
        found["Parameters"] = {**declared, **(base.get("Parameters") or {})}
    return found


_PLAIN = frozenset({"Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::Select", "Fn::Split"})
"""Functions that need no other section of a template."""


def closed(value: Any, targets: Collection[str]) -> bool:
    """Whether a value as it is written needs nothing but these resources and parameters."""
    if isinstance(value, Mapping):
        if len(value) == 1 and unresolved(value) and next(iter(value)) not in _PLAIN and next(iter(value)).startswith("Fn::"):
            return False
        inside = all(closed(part, targets) for part in value.values())
        return inside and all(target in targets or target.startswith("AWS::") for target, _ in references(value))
    return all(closed(item, targets) for item in value) if isinstance(value, list) else True


def put_down(
    schema: Schema, live: Live, ours: Mapping[str, Any], written: Mapping[str, Any] | None = None, targets: Collection[str] = ()
) -> dict[str, Any]:
    """The properties of a resource in the import template. `ours`: as far as they are known without any other stack.

    What our template says nothing of is left out but for what is required: CloudFormation leaves such a property as it is, while one that
    it has been told of would be reset by the update that says nothing of it any more.
    Ours stand where AWS tells nothing: write-only properties, and those of the creation alone that it leaves out or says in other words
    (another order, without the parts that are write-only, a certificate's own name among its further names, a URL without its scheme,
    as GetOpenIDConnectProvider tells it).
    """
    told = {*ours, *schema.required}
    found = {name: value for name, value in live.properties.items() if name in told}
    create_only = {path[0] for path in schema.create_only}
    for name, value in ours.items():
        if marked(value) or unresolved(value):
            continue
        silent = name not in found and (name in create_only or (name,) in schema.write_only or _write_only_inside(schema, name, value))
        if silent or (name in create_only and _means(schema, name, found.get(name), value, found)):
            as_written = (written or {}).get(name)
            found[name] = as_written if as_written is not None and closed(as_written, targets) else value
    return found


def _write_only_inside(schema: Schema, name: str, value: Any) -> bool:
    """All of it is write-only."""
    left = without({name: value}, {path for path in schema.write_only if path[0] == name}).get(name)
    return bool(value) and (left is None or left in ({}, []))


def _means(schema: Schema, name: str, told: Any, ours: Any, properties: Mapping[str, Any]) -> bool:
    """The same, but for order and for what AWS cannot tell."""
    hidden = {path for path in schema.write_only if path[0] == name}
    bare = without({name: ours}, hidden).get(name)
    own = properties.get("DomainName") if name == "SubjectAlternativeNames" else None
    return bool(_sorted(_but(told, own)) == _sorted(_but(bare, own)))


def _but(value: Any, own: Any) -> Any:
    if isinstance(value, str):
        return value.removeprefix("https://")
    return [item for item in value if item != own] if own is not None and isinstance(value, list) else value


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _sorted(part) for key, part in value.items()}
    if isinstance(value, list):
        return sorted((_sorted(item) for item in value), key=canonical_json)
    return value


def fingerprint(template: Mapping[str, Any]) -> str:
    """The sha256 of what a template says, whatever the order of its lists: AWS may tell the same list in another order."""
    return sha256(canonical_json(_sorted(template)))


def missing(schema: Schema, properties: Mapping[str, Any]) -> tuple[str, ...]:
    """Required properties that are not there: CloudFormation refuses to import without them."""
    return tuple(name for name in schema.required if name not in properties)


def odd(properties: Mapping[str, Any]) -> tuple[str, ...]:
    """Properties whose value would read as a function of CloudFormation in a template."""
    return tuple(name for name, value in properties.items() if unresolved(value))


def names(imported: Iterable[Live]) -> str:
    """For a person."""
    return ", ".join(f"{each.taken.logical_id} ({each.ref})" for each in imported)
