"""Does what is published reach the replica, as far as the settings of both buckets tell?"""

from __future__ import annotations

from collections.abc import Iterator

from doctor.check import CheckContext, check
from doctor.values import CheckResult
from gateways.origins import Buckets
from recovery.origins import origins_of
from recovery.settings import problems


@check("replica", "replication to the replica", order=130)
def replica(context: CheckContext) -> Iterator[CheckResult]:
    """A rule that was switched off, a replica that is gone or keeps no versions: nothing fails until the day on which it is needed."""
    origins = origins_of(context.assembly, context.templates)
    if origins is None:
        return
    here, there = (Buckets.connect(context.aws, account_id=at.account_id, region=at.region) for at in (origins.primary, origins.replica))
    for message in problems(origins, here, there):
        yield CheckResult(code="replica", level="problem", message=message, command=context.command("dr status"))
