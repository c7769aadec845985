"""What changes between the deployed template and the new one, both resolved with their parameters.

In: the context of a stack. Out: `ResourceChange` values.
Never: talks to AWS, shows a secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from changes.causes import settle_causes
from changes.context import Context
from changes.model import Action, PropertyChange, Replacement, ResourceChange
from changes.replacement import settled
from changes.structure import differences_of
from templates.intrinsics import value_of
from templates.resources import DATA_HOLDING_TYPES
from templates.schemas import Schema
from templates.values import Value

ATTRIBUTES = ("Properties", "Metadata", "CreationPolicy", "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy")
"""Attributes of a resource whose change CloudFormation lists (API ResourceTargetDefinition); Tags come on their own."""


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
