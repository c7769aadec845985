"""Which responses CloudFront compresses, and how."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace

import brotli

from files.types import COMPRESS_FROM, COMPRESS_TO, COMPRESSIBLE
from preview.messages import Response, without
from preview.model import Behavior, CachePolicy


def accepted_encodings(policy: CachePolicy, header: str | None) -> tuple[str, ...]:
    """Of "br" and "gzip" what policy and viewer both have, best first. Refusal by q=0 counts."""
    offered: dict[str, float] = {}
    for part in (header or "").split(","):
        name, _, parameters = part.strip().lower().partition(";")
        match = re.search(r"q=([\d.]+)", parameters)
        offered[name.strip()] = float(match[1]) if match and match[1].count(".") <= 1 and match[1] != "." else 1.0
    return tuple(
        name for name, enabled in (("br", policy.brotli), ("gzip", policy.gzip)) if enabled and offered.get(name, offered.get("*", 0)) > 0
    )


def compress(behavior: Behavior, encodings: tuple[str, ...], response: Response) -> Response:
    """Compressed as CloudFront would, or the response itself."""
    policy = behavior.cache_policy
    kind = (response.get("content-type") or "").partition(";")[0].strip().lower()
    if (
        not behavior.compress
        or not encodings
        or policy.max_ttl <= 0
        or response.status not in (200, 403, 404)
        or response.get("content-encoding")
        or not COMPRESS_FROM <= len(response.body) <= COMPRESS_TO
        or kind not in COMPRESSIBLE
        or "no-transform" in (response.get("cache-control") or "").lower()
    ):
        return response
    if encodings[0] == "br":
        body: bytes = brotli.compress(response.body, quality=5)  # type: ignore[no-untyped-call]  # it has no types
    else:
        body = gzip.compress(response.body, mtime=0)
    etag = response.get("etag")
    weak = () if etag is None else (("ETag", etag if etag.startswith("W/") else f"W/{etag}"),)
    headers = (
        *without(response.headers, ("etag", "content-length", "accept-ranges")),
        *weak,
        ("Content-Encoding", encodings[0]),
        ("Vary", "Accept-Encoding"),
    )
    return replace(response, headers=headers, body=body)
