"""Which paths CloudFront must forget after a publish: the page, and what else was overwritten in place.

In: the cache behaviours of the distribution in the assembly's own template; the keys that were overwritten.
Out: paths in batches that CloudFront takes.
Never: invalidates what is not cached at the edge, or what has a new name.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from guards import documents

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
"""Id of the managed cache policy that caches nothing (CloudFront Developer Guide, managed cache policies)."""

SINGLE_PATHS = 100
"""More paths than that become wildcards: 1,000 paths a month are free, and a wildcard counts as one (CloudFront Developer Guide)."""

WILDCARDS = 15
"""Wildcard invalidations that may be under way at once (CloudFront quotas)."""


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """A path pattern of a distribution, and whether what it serves is cached at the edge."""

    pattern: str
    """With a leading slash; "/*" for the default behaviour."""
    cached: bool


@dataclass(frozen=True, kw_only=True)
class Behaviours:
    """Of one distribution, in the order in which CloudFront tries them; the default is the last."""

    ordered: tuple[Behaviour, ...]

    @classmethod
    def of_template(cls, template: bytes) -> Behaviours:
        """From the one distribution of a template. Every cache policy but CachingDisabled is taken to cache."""
        resources: dict[str, Any] = documents.loads(template)["Resources"]
        config = next(r["Properties"]["DistributionConfig"] for r in resources.values() if r["Type"] == "AWS::CloudFront::Distribution")
        listed = [
            Behaviour(pattern="/" + b["PathPattern"].lstrip("/"), cached=b.get("CachePolicyId") != CACHING_DISABLED)
            for b in config.get("CacheBehaviors", [])
        ]
        default = Behaviour(pattern="/*", cached=config["DefaultCacheBehavior"].get("CachePolicyId") != CACHING_DISABLED)
        return cls(ordered=(*listed, default))

    def cached(self, path: str) -> bool:
        """Whether the answer for a path (with its leading slash) may be kept at the edge."""
        return next((b.cached for b in self.ordered if _matches(path, b.pattern)), True)


def _matches(path: str, pattern: str) -> bool:
    """CloudFront's patterns know `*` and `?`, case counts (CloudFront API, CacheBehavior PathPattern); brackets are literal."""
    return fnmatch.fnmatchcase(path, re.sub(r"\[", "[[]", pattern))


_TWO_SPELLINGS = re.compile(r"[~@+*^|\\\[\]]")
"""Characters that a browser sends as they are, or may, while CloudFront wants them encoded, or was seen to."""


def _spelling(path: str) -> str:
    """A path as CreateInvalidation takes it: percent-encoded, up to a character whose spelling is uncertain, from where a wildcard goes on.

    CloudFront refuses `~` and other characters that RFC 1738 calls unsafe, and was seen to take `%7E` without forgetting the object that
    browsers ask for by `~` (aws/aws-sdk#525); a wildcard before the character covers every spelling.
    """
    doubtful = _TWO_SPELLINGS.search(path)
    certain = path[: doubtful.start()] if doubtful else path
    return quote(certain, safe="/!$&'(),;=:-._") + ("*" if doubtful else "")


def paths(overwritten: Iterable[str], behaviours: Behaviours, *, index_key: str, entry_path: str) -> tuple[str, ...]:
    """Paths to invalidate for keys whose object was replaced or removed.

    The index document answers many paths; where a function rewrites them, CloudFront's documentation asks for the path before and the path
    after it (Developer Guide, "What you need to know when invalidating files"), so the entry path and all below it go along.
    """
    found: set[str] = set()
    for key in overwritten:
        path = "/" + key
        if behaviours.cached(path):
            found.add(_spelling(path))
        if key == index_key and behaviours.cached(entry_path):
            entry = _spelling(entry_path.rstrip("/"))
            found |= {entry} if entry.endswith("*") else {entry + "/*", _spelling(entry_path)}
    return _few(found)


def merged(one: Iterable[str], other: Iterable[str]) -> tuple[str, ...]:
    """Paths of two invalidations as one."""
    return _few({*one, *other})


def _few(found: set[str]) -> tuple[str, ...]:
    if len(found) <= SINGLE_PATHS and sum(path.endswith("*") for path in found) <= WILDCARDS:
        return tuple(sorted(found))
    folders = {path.rpartition("/")[0] + "/*" for path in found}
    while len(folders) > WILDCARDS:
        deepest = max(folders, key=lambda folder: folder.count("/"))
        folders.discard(deepest)
        folders.add(deepest.removesuffix("/*").rpartition("/")[0] + "/*")
    top = {f for f in folders if not any(f != g and f.startswith(g.removesuffix("*")) for g in folders)}
    return tuple(sorted(top))
