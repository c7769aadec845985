"""Cache policies and response headers policies, CloudFront's managed ones and those of the templates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from preview.interpreter.resources import Account, integer, items
from preview.model import (
    CachePolicy,
    PolicyHeader,
    ResponseHeadersPolicy,
)
from templates.view import mapping

YEAR = 31_536_000
MANAGED_CACHE_POLICIES: Mapping[str, CachePolicy] = {
    "658327ea-f89d-4fab-a63d-7e88639e58f6": CachePolicy(
        name="Managed-CachingOptimized", min_ttl=1, default_ttl=86_400, max_ttl=YEAR, gzip=True, brotli=True
    ),
    "b2884449-e4de-46a7-ac36-70bc7f1ddd6d": CachePolicy(
        name="Managed-CachingOptimizedForUncompressedObjects", min_ttl=1, default_ttl=86_400, max_ttl=YEAR
    ),
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": CachePolicy(name="Managed-CachingDisabled", min_ttl=0, default_ttl=0, max_ttl=0),
}
"""Source: CloudFront Developer Guide, "Use managed cache policies"."""


_DISABLED = MANAGED_CACHE_POLICIES["4135ea2d-6df8-44a3-9df3-4b5a84be39ad"]


_SECURITY = {
    "ContentSecurityPolicy",
    "ContentTypeOptions",
    "FrameOptions",
    "ReferrerPolicy",
    "StrictTransportSecurity",
    "XSSProtection",
}
_HEADERS_POLICY = {"Name", "Comment", "SecurityHeadersConfig", "CustomHeadersConfig", "RemoveHeadersConfig"}
_CACHE_POLICY = {"Name", "Comment", "DefaultTTL", "MaxTTL", "MinTTL", "ParametersInCacheKeyAndForwardedToOrigin"}


def cache_policy(account: Account, where: str, identifier: Any) -> CachePolicy:
    if not identifier:
        account.note(f"{where}: has no CachePolicyId; legacy cache settings are not imitated, nothing is cached")
        return _DISABLED
    if identifier in MANAGED_CACHE_POLICIES:
        return MANAGED_CACHE_POLICIES[identifier]
    resource = account.by(str(identifier), "AWS::CloudFront::CachePolicy")
    if resource is None:
        account.note(f"{where}: cache policy {identifier} is neither in a template nor a managed one that is imitated; nothing is cached")
        return _DISABLED
    config = mapping(resource.properties.get("CachePolicyConfig"))
    account.unknown(resource.where, config, _CACHE_POLICY)
    key = mapping(config.get("ParametersInCacheKeyAndForwardedToOrigin"))
    headers, query, cookies = (mapping(key.get(f"{name}Config")) for name in ("Headers", "QueryStrings", "Cookies"))
    return CachePolicy(
        name=str(config.get("Name", "")),
        min_ttl=integer(config.get("MinTTL"), 0),
        default_ttl=integer(config.get("DefaultTTL"), 86_400),
        max_ttl=integer(config.get("MaxTTL"), YEAR),
        gzip=key.get("EnableAcceptEncodingGzip") is True,
        brotli=key.get("EnableAcceptEncodingBrotli") is True,
        headers=tuple(str(h).lower() for h in items(headers.get("Headers"))) if headers.get("HeaderBehavior") == "whitelist" else (),
        query=query.get("QueryStringBehavior", "none"),
        query_names=tuple(str(q) for q in items(query.get("QueryStrings"))),
        cookies=cookies.get("CookieBehavior", "none"),
        cookie_names=tuple(str(c) for c in items(cookies.get("Cookies"))),
    )


def headers_policy(account: Account, where: str, identifier: Any) -> ResponseHeadersPolicy | None:
    if not identifier:
        return None
    resource = account.by(str(identifier), "AWS::CloudFront::ResponseHeadersPolicy")
    if resource is None:
        account.note(f"{where}: response headers policy {identifier} is in no template and is not imitated")
        return None
    config = mapping(resource.properties.get("ResponseHeadersPolicyConfig"))
    security = mapping(config.get("SecurityHeadersConfig"))
    account.unknown(resource.where, config, _HEADERS_POLICY)
    account.unknown(resource.where, security, _SECURITY)
    custom = [mapping(h) for h in items(config.get("CustomHeadersConfig"))]
    return ResponseHeadersPolicy(
        name=str(config.get("Name", "")),
        headers=(
            *_security_headers(security),
            *(PolicyHeader(name=str(h["Header"]), value=str(h["Value"]), override=h.get("Override") is True) for h in custom),
        ),
        remove=tuple(str(mapping(h).get("Header", "")).lower() for h in items(config.get("RemoveHeadersConfig"))),
    )


def _security_headers(given: Mapping[str, Any]) -> Iterator[PolicyHeader]:
    """In CloudFront's spelling. Source: CloudFront API, ResponseHeadersPolicySecurityHeadersConfig."""
    shapes: tuple[tuple[str, str, Callable[[Mapping[str, Any]], str]], ...] = (
        ("StrictTransportSecurity", "Strict-Transport-Security", _strict_transport_security),
        ("ContentSecurityPolicy", "Content-Security-Policy", lambda c: str(c.get("ContentSecurityPolicy", ""))),
        ("ContentTypeOptions", "X-Content-Type-Options", lambda _: "nosniff"),
        ("FrameOptions", "X-Frame-Options", lambda c: str(c.get("FrameOption", ""))),
        ("ReferrerPolicy", "Referrer-Policy", lambda c: str(c.get("ReferrerPolicy", ""))),
        ("XSSProtection", "X-XSS-Protection", _xss_protection),
    )
    for key, name, value in shapes:
        config = given.get(key)
        if isinstance(config, dict):
            yield PolicyHeader(name=name, value=value(config), override=config.get("Override") is True)


def _strict_transport_security(config: Mapping[str, Any]) -> str:
    flags = "; includeSubDomains" * bool(config.get("IncludeSubdomains")) + "; preload" * bool(config.get("Preload"))
    return f"max-age={config.get('AccessControlMaxAgeSec', 0)}{flags}"


def _xss_protection(config: Mapping[str, Any]) -> str:
    report = config.get("ReportUri")
    return (
        f"{int(bool(config.get('Protection')))}" + "; mode=block" * bool(config.get("ModeBlock")) + (f"; report={report}" if report else "")
    )
