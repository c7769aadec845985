"""Which responses CloudFront compresses, and how."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace

import brotli

from preview.messages import Response, without
from preview.model import Behavior, CachePolicy

COMPRESSIBLE = frozenset(
    {
        *("application/dash+xml", "application/eot", "application/font", "application/font-sfnt", "application/javascript"),
        *("application/json", "application/opentype", "application/otf", "application/pdf", "application/pkcs7-mime"),
        *("application/protobuf", "application/rss+xml", "application/truetype", "application/ttf", "application/vnd.apple.mpegurl"),
        *("application/vnd.mapbox-vector-tile", "application/vnd.ms-fontobject", "application/wasm", "application/xhtml+xml"),
        *("application/xml", "application/x-font-opentype", "application/x-font-truetype", "application/x-font-ttf"),
        *("application/x-httpd-cgi", "application/x-javascript", "application/x-mpegurl", "application/x-opentype", "application/x-otf"),
        *("application/x-perl", "application/x-ttf", "font/eot", "font/opentype", "font/otf", "font/ttf", "image/svg+xml", "text/css"),
        *("text/csv", "text/html", "text/javascript", "text/js", "text/plain", "text/richtext", "text/tab-separated-values", "text/xml"),
        *("text/x-component", "text/x-java-source", "text/x-script", "vnd.apple.mpegurl"),
    }
)
"""Source: CloudFront Developer Guide, "Serve compressed files"; size limits and the need for a TTL above zero as well."""
COMPRESS_FROM, COMPRESS_TO = 1_000, 10_000_000


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
