"""Whether a bucket's policy lets a reader do something.

In: the policy's statements, who asks for what in which circumstances. Out: allowed or not, and the statement that decided.
Never: asks AWS; knows identity policies or ACLs (a CloudFront origin has only the bucket policy to rely on).

Source: IAM user guide, "Policy evaluation logic": an explicit Deny wins, then an Allow, otherwise the request is denied. A condition
operator that is not known here makes an Allow not apply and a Deny apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from templates.policies import Statement, covers

CLOUDFRONT = "Service:cloudfront.amazonaws.com"
ANONYMOUS = "*"


@dataclass(frozen=True)
class Verdict:
    """Allowed, and why or why not, for a reader."""

    allowed: bool
    reason: str


def decide(policy: tuple[Statement, ...] | None, principal: str, action: str, resource: str, context: Mapping[str, str]) -> Verdict:
    """`action` like "s3:GetObject"; `context` has condition keys in lower case ("aws:sourcearn")."""
    if policy is None:
        return Verdict(False, "the bucket has no policy")
    allowed = None
    for statement in policy:
        if not _about(statement, principal, action, resource):
            continue
        deny = statement.effect == "Deny"
        if not _conditions(statement, context, unknown=deny):
            continue
        if deny:
            return Verdict(False, f"bucket policy statement {statement.name} denies {action}")
        allowed = allowed or statement
    if allowed is None:
        return Verdict(False, f"no statement of the bucket policy allows {action} on {resource} to {principal.removeprefix('Service:')}")
    return Verdict(True, f"bucket policy statement {allowed.name} allows {action}")


def _about(statement: Statement, principal: str, action: str, resource: str) -> bool:
    who = any(item in ("*", principal) for item in statement.principals.items) != statement.principals.negated
    what = any(covers(item.lower(), action.lower()) for item in statement.actions.items) != statement.actions.negated
    return who and what and any(covers(item, resource) for item in statement.resources.items) != statement.resources.negated


def _conditions(statement: Statement, context: Mapping[str, str], *, unknown: bool) -> bool:
    return all(_condition(operator, values, context.get(key.lower()), unknown=unknown) for operator, key, values in statement.conditions)


def _condition(operator: str, values: frozenset[str], actual: str | None, *, unknown: bool) -> bool:
    base = operator.removesuffix("IfExists")
    if actual is None and base != operator:
        return True
    negated = base.startswith(("StringNot", "ArnNot"))
    match base:
        case "StringEquals" | "StringNotEquals":
            met = actual in values
        case "StringLike" | "StringNotLike" | "ArnEquals" | "ArnLike" | "ArnNotEquals" | "ArnNotLike":
            met = actual is not None and any(covers(value, actual) for value in values)
        case "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" | "Bool":
            met = actual is not None and actual.lower() in {value.lower() for value in values}
        case "Null":
            return ("true" in values) == (actual is None)
        case _:
            return unknown
    return met != negated
