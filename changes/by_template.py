"""What changes between the deployed template and the new one, both resolved with their parameters.

In: the context of a stack. Out: `ResourceChange` values.
Never: talks to AWS, shows a secret.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from changes.context import Context
from changes.model import Action, PropertyChange, Replacement, ResourceChange
from changes.replacement import settle_causes, settled
from templates.intrinsics import text_of, unresolved, value_of
from templates.resources import DATA_HOLDING_TYPES
from templates.schemas import Schema
from templates.values import Value

ATTRIBUTES = ("Properties", "Metadata", "CreationPolicy", "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy")
"""Attributes of a resource whose change CloudFormation lists (API ResourceTargetDefinition); Tags come on their own."""


def same(left: Any, right: Any) -> bool:
    """Equal to CloudFormation, to which 1 is "1" and true is "true"."""
    return bool(_canonical(left) == _canonical(right))


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _canonical(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_canonical(v) for v in value]
    return None if value is None else text_of(value)


def differences_of(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, before, after) of every smallest part that differs; None where it is absent. Lists are aligned before they are compared."""
    if same(before, after):
        return
    if _plain_mapping(before) and _plain_mapping(after):
        for key in sorted({*before, *after}):
            yield from differences_of(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list) and any(isinstance(v, (Mapping, list)) for v in (*before, *after)):
        left, right = ([json.dumps(_canonical(v), sort_keys=True) for v in side] for side in (before, after))
        for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
            if tag == "equal":
                continue
            paired = min(i2 - i1, j2 - j1)
            for k in range(paired):
                yield from differences_of(before[i1 + k], after[j1 + k], f"{path}[{j1 + k}]")
            for i in range(i1 + paired, i2):
                yield f"{path}[{i}]", before[i], None
            for j in range(j1 + paired, j2):
                yield f"{path}[{j}]", None, after[j]
    else:
        yield path, before, after


def _plain_mapping(value: Any) -> bool:
    return isinstance(value, Mapping) and not (len(value) == 1 and unresolved(value))


def _shown(value: Any) -> Value | None:
    return None if value is None else value_of(value)


def from_templates(logical_id: str, context: Context) -> ResourceChange | None:
    """What becomes of a resource by the two templates alone; None if nothing."""
    before, after = context.before.get(logical_id), context.after.get(logical_id)
    if before is None and after is None:
        return None
    kind = str((after or before or {}).get("Type", ""))
    if before is None or after is None:
        body = after or before or {}
        action: Action = "add" if before is None else "remove"
        policy = None if action == "add" else kept_action(body.get("DeletionPolicy"), replace=False)
        return ResourceChange(
            logical_id=logical_id,
            resource_type=kind,
            action=action,
            policy_action=policy,
            holds_data=kind in DATA_HOLDING_TYPES,
            properties=whole(body, action),
        )
    if before.get("Type") != after.get("Type"):
        return ResourceChange(
            logical_id=logical_id,
            resource_type=kind,
            action="modify",
            replacement=Replacement(verdict="yes", by="schema", because=("Type",)),
            policy_action=kept_action(before.get("UpdateReplacePolicy"), replace=True),
            holds_data=str(before.get("Type")) in DATA_HOLDING_TYPES,
            properties=(PropertyChange(path="", attribute="Type", before=_shown(before.get("Type")), after=_shown(kind)),),
        )
    schema = context.schemas.of(kind, context.region)
    changes = tuple(_template_changes(before, after, schema))
    if not changes:
        return None
    replacement = settled(changes, schema, by="schema")
    return ResourceChange(
        logical_id=logical_id,
        resource_type=kind,
        action="modify",
        replacement=replacement,
        policy_action=None if replacement.verdict == "no" else kept_action(after.get("UpdateReplacePolicy"), replace=True),
        holds_data=kind in DATA_HOLDING_TYPES,
        properties=changes,
    )


def kept_action(policy: Any, *, replace: bool) -> Any:
    word = policy if policy in ("Retain", "Snapshot") else "Retain" if policy == "RetainExceptOnCreate" else "Delete"
    return f"ReplaceAnd{word}" if replace else word


def whole(body: Mapping[str, Any], action: Action) -> tuple[PropertyChange, ...]:
    """The properties of a resource that comes or goes, one for each top-level name."""
    coming = action != "remove"
    return tuple(
        PropertyChange(
            path=name,
            change="add" if coming else "remove",
            before=None if coming else value_of(value),
            after=value_of(value) if coming else None,
            values_from="template",
        )
        for name, value in sorted((body.get("Properties") or {}).items())
    )


def _template_changes(before: Mapping[str, Any], after: Mapping[str, Any], schema: Schema | None) -> Iterator[PropertyChange]:
    for attribute in ATTRIBUTES:
        for path, old, new in differences_of(before.get(attribute) or None, after.get(attribute) or None):
            of_property = attribute == "Properties"
            yield PropertyChange(
                path=path,
                attribute=attribute,
                change="add" if old is None else "remove" if new is None else "modify",
                before=_shown(old),
                after=_shown(new),
                recreation=(schema.recreation(path) if schema else "conditionally") if of_property and path else "never",
                values_from="template",
            )


def all_from_templates(context: Context) -> tuple[ResourceChange, ...]:
    """Every change by the two templates alone, for what has no change set (StackSets, a preview that CloudFormation refused)."""
    found = (from_templates(logical_id, context) for logical_id in sorted({*context.before, *context.after}))
    return settle_causes(tuple(c for c in found if c is not None), context)
