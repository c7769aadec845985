"""What a stack policy says to one change of one resource.

In: a policy as its JSON. Out: CloudFormation's words where it refuses. Never: knows MiniStack.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from templates.policies import covers, texts


def refusal(policy: str, action: str, logical_id: str, resource_type: str) -> str:
    """Why the change is refused; empty if it is allowed. `action`: Update:Modify, Update:Replace or Update:Delete."""
    raw = json.loads(policy).get("Statement", [])
    target = f"LogicalResourceId/{logical_id}"
    allowed = False
    for number, rule in enumerate(raw if isinstance(raw, list) else [raw]):
        if not (_named(rule, "Action", action, fold=True) and _named(rule, "Resource", target) and _of_type(rule, resource_type)):
            continue
        if rule.get("Effect") == "Deny":
            return f"Action denied by stack policy: Statement [#{number}] denies [{action}] for resource [{target}]"
        allowed = True
    return "" if allowed else f"Action not allowed by stack policy: no statement allows [{action}] for resource [{target}]"


def _named(rule: Mapping[str, Any], field: str, text: str, *, fold: bool = False) -> bool:
    negated = f"Not{field}" in rule
    patterns = texts(rule.get(f"Not{field}" if negated else field))
    return any(covers(pattern, text, fold=fold) for pattern in patterns) != negated


def _of_type(rule: Mapping[str, Any], resource_type: str) -> bool:
    conditions = [pairs for name, pairs in (rule.get("Condition") or {}).items() if name in ("StringEquals", "StringLike")]
    patterns = [pattern for pairs in conditions for pattern in texts(pairs.get("ResourceType"))]
    return not patterns or any(covers(pattern, resource_type) for pattern in patterns)
