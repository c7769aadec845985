"""The doctor's checks that concern a deployment, as findings of a plan that makes something for the first time.

In: what checks are given. Out: `Finding` values; nothing for what is well or could not be checked, which doctor tells.
Never: repeats what the planner finds by itself (the zone, the secret, the states of stacks, what stands already).
"""

from __future__ import annotations

from doctor.check import CheckContext
from doctor.engine import examine
from planning.model import Finding

_CODES = frozenset({"account_verified", "alarm_recipient", "caa", "delegation", "foreign_certificate", "quotas", "regions"})
_BLOCKING = frozenset({"caa", "foreign_certificate", "regions"})
"""Where a creation is sure to fail. A quota may have been raised a minute ago, and a delegation may come while the certificate waits."""


def findings(context: CheckContext) -> tuple[Finding, ...]:
    """Problems and warnings. AWS's refusals of single checks are none."""
    return tuple(
        Finding(
            severity="error" if each.level == "problem" and each.code in _BLOCKING else "warning",
            code=each.code,
            message=each.message,
            command=each.command,
        )
        for each in examine(context, deployment=True).checks
        if each.level in ("problem", "warning") and each.code in _CODES
    )
