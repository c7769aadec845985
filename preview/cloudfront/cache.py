"""The edge cache: its entries, what tells them apart, and how long they live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from preview.messages import Request, Response
from preview.model import CachePolicy, Distribution

CACHE_ENTRIES, CACHE_BYTES = 5_000, 256 << 20


@dataclass(frozen=True)
class _Entry:
    response: Response
    stored: float
    ttl: float


class Cache:
    """The edge cache. `now` is seconds on a clock that only goes forward."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._entries: dict[tuple[object, ...], _Entry] = {}
        self._bytes = 0

    def get(self, key: tuple[object, ...]) -> tuple[Response, int] | None:
        """The fresh response and its age in seconds."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        age = self._now() - entry.stored
        if age >= entry.ttl:
            self._drop(key)
            return None
        return entry.response, int(age)

    def put(self, key: tuple[object, ...], response: Response, ttl: float) -> None:
        """Oldest out first."""
        self._drop(key)
        self._entries[key] = _Entry(response, self._now(), ttl)
        self._bytes += len(response.body)
        while len(self._entries) > CACHE_ENTRIES or self._bytes > CACHE_BYTES:
            self._drop(next(iter(self._entries)))

    def clear(self) -> None:
        """As an invalidation of everything."""
        self._entries.clear()
        self._bytes = 0

    def _drop(self, key: tuple[object, ...]) -> None:
        entry = self._entries.pop(key, None)
        self._bytes -= len(entry.response.body) if entry is not None else 0


def _chosen(behavior: str, names: tuple[str, ...], name: str) -> bool:
    return behavior == "all" or (behavior == "whitelist" and name in names) or (behavior == "allExcept" and name not in names)


def cache_key(policy: CachePolicy, request: Request) -> tuple[object, ...]:
    """What of a request, beside its path, tells cached objects apart."""
    headers = tuple((name, request.get(name)) for name in policy.headers)
    return kept_query(policy, request), headers, kept_cookies(policy, request)


def kept_query(policy: CachePolicy, request: Request) -> str:
    parts = request.query.split("&") if request.query else []
    return "&".join(part for part in parts if _chosen(policy.query, policy.query_names, part.partition("=")[0]))


def kept_cookies(policy: CachePolicy, request: Request) -> str:
    pairs = [part.strip() for part in (request.get("cookie") or "").split(";") if part.strip()]
    return "; ".join(pair for pair in pairs if _chosen(policy.cookies, policy.cookie_names, pair.partition("=")[0]))


def time_to_live(policy: CachePolicy, distribution: Distribution, response: Response) -> float:
    """Seconds that the edge keeps a response. Source: CloudFront Developer Guide, "Manage how long content stays in the cache"."""
    control = (response.get("cache-control") or "").lower()
    directives = dict(part.strip().partition("=")[::2] for part in control.split(","))
    wished: float | None = None
    for name in ("s-maxage", "max-age"):
        if directives.get(name, "").strip('"').isdigit():
            wished = float(directives[name].strip('"'))
            break
    if wished is None and (expires := response.get("expires")):
        try:
            date = response.get("date")
            wished = (parsedate_to_datetime(expires) - parsedate_to_datetime(date or expires)).total_seconds()
        except (TypeError, ValueError):
            wished = 0
    if directives.keys() & {"no-store", "no-cache", "private"}:
        wished = 0.0
    if response.status >= 400:
        custom = distribution.error_responses.get(response.status)
        return max(custom.caching_min_ttl if custom else 10, wished or 0)
    return min(max(policy.default_ttl if wished is None else wished, policy.min_ttl), policy.max_ttl)
