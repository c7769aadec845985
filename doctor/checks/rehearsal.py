"""Has a rehearsal of disaster recovery left the site bucket closed to CloudFront?"""

from __future__ import annotations

from collections.abc import Iterator

from aws.errors import NotFound
from doctor.check import CheckContext, check
from doctor.values import CheckResult
from gateways.origins import Buckets
from recovery import closing
from recovery.origins import origins_of


@check("rehearsal", "the policy of the site bucket")
def rehearsal(context: CheckContext) -> Iterator[CheckResult]:
    """By the statement that it writes, which says itself until when it holds."""
    origins = origins_of(context.assembly, context.templates)
    if origins is None:
        return
    place = origins.primary
    try:
        policy = Buckets.connect(context.aws, account_id=place.account_id, region=place.region).policy(place.bucket)
    except NotFound:
        return
    for each in closing.found(policy):
        yield CheckResult(
            code="rehearsal",
            level="problem",
            message=f"rehearsal {each.id} closes {place.bucket} to CloudFront until {each.until:%Y-%m-%dT%H:%M:%SZ}, when that ends by"
            " itself; unless it is under way, its statement can be removed from the bucket policy",
            command=context.command("dr rehearse", "--end"),
        )
