"""The doctor's checks that concern a deployment, as findings of a plan.

In: what checks are given, and which are meant. Out: `Finding` values; nothing for what is well or could not be checked, which doctor tells.
Never: repeats what the planner finds by itself (the zone, the secret, the states of stacks, what stands already).
"""

from __future__ import annotations

from collections.abc import Callable, Set

from doctor.check import Check, CheckContext, StackCheck
from doctor.engine import examine
from doctor.relied_on import FOUNDATION
from planning.model import Finding

_CODES = frozenset({"account_verified", "alarm_recipient", "caa", "delegation", "foreign_certificate", "quotas", "regions"})
_BLOCKING = frozenset({"caa", "foreign_certificate", "regions", *FOUNDATION})
"""Where a deployment is sure to fail. A quota may have been raised a minute ago, and a delegation may come while the certificate waits."""


def findings(context: CheckContext) -> tuple[Finding, ...]:
    """Of a plan that makes something for the first time: problems and warnings. AWS's refusals of single checks are none."""
    found = _examined(context, lambda each: isinstance(each, Check) and each.deployment)
    return tuple(each for each in found if each.code in _CODES)


def problems(context: CheckContext, codes: Set[str]) -> tuple[Finding, ...]:
    """Of any plan: what those checks find that stops it."""
    return tuple(each for each in _examined(context, lambda each: each.code in codes) if each.severity == "error")


def _examined(context: CheckContext, among: Callable[[Check | StackCheck], bool]) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            severity="error" if each.level == "problem" and each.code in _BLOCKING else "warning",
            code=each.code,
            message=each.message,
            command=each.command,
        )
        for each in examine(context, among=among).checks
        if each.level in ("problem", "warning")
    )
