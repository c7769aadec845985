"""What the rules of a web ACL do, and where they do less.

In: properties of AWS::WAFv2::WebACL. Out: rules, their limits, the weakened ones. Never: AWS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Body = Mapping[str, Any]


def rules_of(acl: Body) -> dict[str, Body]:
    """By name."""
    found = acl.get("Rules")
    return {str(rule.get("Name")): rule for rule in (found if isinstance(found, list) else []) if isinstance(rule, Mapping)}


def counts(rule: Body) -> bool:
    """It only counts what it matches (API WebACL, Action and OverrideAction)."""
    return any("Count" in (rule.get(key) or {}) for key in ("Action", "OverrideAction"))


def limit_of(rule: Body) -> float:
    """Requests a second that a rate-based rule lets through; of any other rule infinity.

    The window is 300 seconds where the rule has none (API RateBasedStatement).
    """
    rate = (rule.get("Statement") or {}).get("RateBasedStatement")
    if not isinstance(rate, Mapping):
        return float("inf")
    try:
        return float(rate.get("Limit", "inf")) / float(rate.get("EvaluationWindowSec", 300))
    except (TypeError, ValueError):
        return float("inf")


def weakened_rules(old: Body, new: Body) -> Iterator[tuple[str, str, str]]:
    """Name, before and after of each rule that stops less than it did. One that only counted stopped nothing."""
    after = rules_of(new)
    for name, rule in rules_of(old).items():
        if counts(rule):
            continue
        if name not in after:
            yield name, "blocks", "gone"
        elif counts(after[name]):
            yield name, "blocks", "only counts"
        elif limit_of(after[name]) > limit_of(rule):
            yield name, _spoken(rule), _spoken(after[name])


def _spoken(rule: Body) -> str:
    rate = (rule.get("Statement") or {}).get("RateBasedStatement") or {}
    return f"blocks above {rate.get('Limit')} in {rate.get('EvaluationWindowSec', 300)} s"
