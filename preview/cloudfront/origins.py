"""What CloudFront sends to an origin."""

from __future__ import annotations

from dataclasses import replace

from preview.cloudfront.cache import kept_cookies, kept_query
from preview.messages import Headers, Request, without
from preview.model import CachePolicy, Origin

_CONDITIONS = ("if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range", "range")


def forwarded(policy: CachePolicy, request: Request) -> Request:
    """Without an origin request policy the origin sees what is in the cache key; conditions and ranges are answered at the edge here."""
    kept = tuple((name, value) for name in policy.headers if (value := request.get(name)) is not None)
    cookies = kept_cookies(policy, request)
    if cookies:
        kept = (*kept, ("Cookie", cookies))
    return replace(request, query=kept_query(policy, request), headers=without(kept, _CONDITIONS))


def origin_headers(origin: Origin, request: Request) -> Headers:
    own = {name.lower() for name, _ in origin.custom_headers} | {"host", "user-agent", "via", "x-forwarded-for"}
    return (
        *without(request.headers, own),
        ("Host", origin.domain_name),
        ("User-Agent", "Amazon CloudFront"),
        ("Via", "1.1 preview (CloudFront)"),
        ("X-Forwarded-For", request.client_ip),
        *origin.custom_headers,
    )


def origin_event(origin: Origin) -> dict[str, object]:
    return {
        "s3": {
            "authMethod": "origin-access-control" if origin.signed else "none",
            "customHeaders": {name.lower(): [{"key": name, "value": value}] for name, value in origin.custom_headers},
            "domainName": origin.domain_name,
            "path": origin.path,
            "region": origin.bucket.region if origin.bucket else "",
        }
    }
