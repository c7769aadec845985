"""Is it AWS itself that answers?"""

from __future__ import annotations

from collections.abc import Iterator

from doctor.check import CheckContext, check
from doctor.values import CheckResult


@check("endpoints", "endpoints of the settings", order=5, asks_aws=False)
def endpoints(context: CheckContext) -> Iterator[CheckResult]:
    """What the report says is true of whoever stands there. The setting that ends it: AWS SDKs and Tools Reference Guide,
    "Service-specific endpoints"."""
    for override in context.aws.overrides():
        yield CheckResult(
            code="endpoints",
            level="warning",
            message=f"this is not AWS itself: {override}",
            command="export AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true",
        )
