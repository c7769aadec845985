"""The edge cache: its entries, what tells them apart, and how long they live."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote

from preview.cloudfront.behaviors import matches
from preview.cloudfront.freshness import Lifetime
from preview.messages import Request, Response
from preview.model import CachePolicy

CACHE_ENTRIES, CACHE_BYTES = 5_000, 256 << 20


Key = tuple[str, str, str, object]
"""Distribution, behaviour, path, and what else tells objects apart."""
Condition = Literal["fresh", "revalidate", "expired"]
"""Given as it is; given while a newer one is asked for; asked for first, and given only if that fails."""


@dataclass(frozen=True)
class _Entry:
    response: Response
    stored: float
    lifetime: Lifetime
    retry: float = 0.0
    """The origin failed: not asked again before then."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the cache has for a request."""

    response: Response
    age: int
    condition: Condition
    on_error: bool
    """It may stand in for an error of the origin."""


class Cache:
    """The edge cache. `now` is seconds on a clock that only goes forward."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._entries: dict[Key, _Entry] = {}
        self._bytes = 0

    def get(self, key: Key) -> Found | None:
        """What is kept, if it may still be of use."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        now, life = self._now(), entry.lifetime
        age = now - entry.stored
        late = age - life.fresh
        if late >= 0 and late >= max(life.while_revalidating, life.on_error):
            self._drop(key)
            return None
        on_error = late < life.on_error
        waiting = now < entry.retry and on_error
        condition: Condition = "fresh" if late < 0 or waiting else "revalidate" if late < life.while_revalidating else "expired"
        return Found(response=entry.response, age=int(age), condition=condition, on_error=on_error)

    def put(self, key: Key, response: Response, lifetime: Lifetime) -> None:
        """Oldest out first."""
        self._drop(key)
        self._entries[key] = _Entry(response, self._now(), lifetime)
        self._bytes += len(response.body)
        while len(self._entries) > CACHE_ENTRIES or self._bytes > CACHE_BYTES:
            self._drop(next(iter(self._entries)))

    def keep_for(self, key: Key, seconds: float) -> None:
        """Give what is kept, stale as it is, for so long without asking again."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries[key] = replace(entry, retry=self._now() + seconds)

    def forget(self, paths: Iterable[str], distribution: str = "") -> int:
        """As an invalidation of these paths; how many objects it was. A path is compared as viewers ask for it and as it is encoded."""
        wanted = tuple(paths)
        gone = [
            key
            for key in self._entries
            if distribution in ("", key[0]) and any(matches(path, uri) for path in wanted for uri in (key[2], quote(key[2], safe="/%")))
        ]
        for key in gone:
            self._drop(key)
        return len(gone)

    def clear(self) -> None:
        """As an invalidation of everything."""
        self._entries.clear()
        self._bytes = 0

    def _drop(self, key: Key) -> None:
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
