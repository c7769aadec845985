"""How long the edge may give a response: fresh, stale while it asks again, stale while the origin fails.

In: a cache policy, a response. Out: `Lifetime`. Never: stores anything.

Source: CloudFront Developer Guide, "Manage how long content stays in the cache" (s-maxage before max-age before Expires; no-cache, no-store
and private are not kept at a minimum TTL of 0; stale-while-revalidate and stale-if-error) and "How CloudFront processes HTTP 4xx and 5xx
status codes": on a 5xx an expired object is served all the same, for the maximum TTL at the longest, where stale-if-error does not say.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from preview.messages import Response
from preview.model import CachePolicy, Distribution


@dataclass(frozen=True, kw_only=True)
class Lifetime:
    """Seconds, each of the last two counted from the end of the first."""

    fresh: float
    while_revalidating: float = 0.0
    on_error: float = 0.0


def error_ttl(distribution: Distribution, status: int) -> float:
    """Seconds that an error is kept at the least, or that an expired object stands in for it (10 by default)."""
    custom = distribution.error_responses.get(status)
    return float(custom.caching_min_ttl) if custom else 10.0


def lifetime(policy: CachePolicy, distribution: Distribution, response: Response) -> Lifetime:
    """Of a response that the origin has just given."""
    directives = _directives(response)
    wished = _seconds(directives, "s-maxage", "max-age")
    if wished is None:
        wished = _expires(response)
    if directives.keys() & {"no-store", "no-cache", "private"}:
        wished = 0.0
    if response.status >= 400:
        return Lifetime(fresh=max(error_ttl(distribution, response.status), wished or 0))
    fresh = min(max(policy.default_ttl if wished is None else wished, policy.min_ttl), policy.max_ttl)
    longest = float(policy.max_ttl)
    on_error = _seconds(directives, "stale-if-error")
    return Lifetime(
        fresh=fresh,
        while_revalidating=min(_seconds(directives, "stale-while-revalidate") or 0.0, longest),
        on_error=min(longest if on_error is None else on_error, longest),
    )


def _directives(response: Response) -> dict[str, str]:
    control = (response.get("cache-control") or "").lower()
    return {name: value.strip('"') for name, _, value in (part.strip().partition("=") for part in control.split(","))}


def _seconds(directives: dict[str, str], *names: str) -> float | None:
    return next((float(directives[name]) for name in names if directives.get(name, "").isdecimal()), None)


def _expires(response: Response) -> float | None:
    expires = response.get("expires")
    if not expires:
        return None
    try:
        return (parsedate_to_datetime(expires) - parsedate_to_datetime(response.get("date") or expires)).total_seconds()
    except (TypeError, ValueError):
        return 0.0
