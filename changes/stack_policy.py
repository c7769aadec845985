"""What a stack policy forbids of planned changes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from changes.model import ResourceChange
from guards.documents import loads
from templates.policies import Field, covers, statements, texts

OPEN = '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"Update:*","Resource":"*"}]}'
"""A policy that forbids nothing; a policy in force can be replaced and not taken away (API SetStackPolicy)."""


def forbidden(stack_policy: str | None, changes: Iterable[ResourceChange]) -> tuple[str, ...]:
    """Logical ids whose change the stack policy refuses. Source: CloudFormation user guide, "Prevent updates to stack resources".

    With a policy in force everything that no statement allows is refused, and a Deny beats any Allow. What keeps its values and refers to
    something updated counts as updated (Update:Modify).
    """
    if not stack_policy:
        return ()
    try:
        raw = loads(stack_policy).get("Statement", [])
    except (ValueError, AttributeError):
        return ()
    rules = [s for s in (raw if isinstance(raw, list) else [raw]) if isinstance(s, Mapping)]
    refused = []
    for change in changes:
        if change.action not in ("modify", "remove", "sync"):
            continue
        needed = (
            "Update:Delete" if change.action == "remove" else "Update:Replace" if change.replacement.verdict != "no" else "Update:Modify"
        )
        effects = {str(rule.get("Effect")) for rule in rules if _rule_applies(rule, needed, change)}
        if "Deny" in effects or "Allow" not in effects:
            refused.append(change.logical_id)
    return tuple(refused)


def sentences(stack_policy: str) -> str:
    """A line for each statement; the policy itself where it cannot be read."""
    try:
        document = loads(stack_policy)
    except ValueError:
        return stack_policy
    return "\n".join(each.shown for each in statements(document)) or stack_policy


def same_policy(left: str, right: str) -> bool:
    """The same JSON, however it is written."""
    return _canonical(left) == _canonical(right)


def _canonical(policy: str) -> str:
    try:
        return json.dumps(loads(policy), sort_keys=True)
    except ValueError:
        return policy


def _rule_applies(rule: Mapping[str, Any], action: str, change: ResourceChange) -> bool:
    target = f"LogicalResourceId/{change.logical_id}"
    actions = Field(tuple(a.lower() for a in texts(rule.get("Action", rule.get("NotAction")))), "NotAction" in rule)
    resources = Field(texts(rule.get("Resource", rule.get("NotResource"))), "NotResource" in rule)
    types = [
        value
        for operator, pairs in (rule.get("Condition") or {}).items()
        if operator in ("StringEquals", "StringLike") and isinstance(pairs, Mapping)
        for value in texts(pairs.get("ResourceType"))
    ]
    return (
        _matches(actions, action.lower())
        and _matches(resources, target)
        and (not types or any(covers(pattern, change.resource_type) for pattern in types))
    )


def _matches(field: Field, text: str) -> bool:
    return any(covers(pattern, text) for pattern in field.items) != field.negated
