"""Response headers before and after: which of them defend less.

In: the ResponseHeadersPolicyConfig of two resolved resources. Out: (kind, header, before, after).
Never: judges a header that it does not know.

What a header means: CSP level 3 (W3C) for directives and their fall-back to default-src, RFC 6797 for HSTS, RFC 7034 for X-Frame-Options,
Referrer Policy (W3C), Permissions Policy (W3C).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from consequences.model import PostureKind

Change = tuple[PostureKind, str, str, str]

_SECTIONS = {
    "ContentTypeOptions": "X-Content-Type-Options",
    "FrameOptions": "X-Frame-Options",
    "ReferrerPolicy": "Referrer-Policy",
    "StrictTransportSecurity": "Strict-Transport-Security",
    "ContentSecurityPolicy": "Content-Security-Policy",
}
_CUSTOM = frozenset(
    {
        "permissions-policy",
        "cross-origin-opener-policy",
        "cross-origin-embedder-policy",
        "cross-origin-resource-policy",
        "x-permitted-cross-domain-policies",
        "clear-site-data",
        "origin-agent-cluster",
    }
)
"""Headers that defend, beside those that CloudFront has a section for."""
_STRONGER = {
    "Cross-Origin-Opener-Policy": ("unsafe-none", "same-origin-allow-popups", "same-origin"),
    "Cross-Origin-Embedder-Policy": ("unsafe-none", "credentialless", "require-corp"),
    "Cross-Origin-Resource-Policy": ("cross-origin", "same-site", "same-origin"),
    "X-Frame-Options": ("SAMEORIGIN", "DENY"),
    "Referrer-Policy": (
        "unsafe-url",
        "no-referrer-when-downgrade",
        "origin-when-cross-origin",
        "origin",
        "strict-origin-when-cross-origin",
        "strict-origin",
        "same-origin",
        "no-referrer",
    ),
}
"""Values from the weakest to the strongest."""
_FETCH = frozenset(
    f"{name}-src"
    for name in ("child", "connect", "font", "frame", "img", "manifest", "media", "object", "script", "script-src-elem", "style", "worker")
)
"""Directives that fall back to default-src."""


def weakened(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Every way in which the headers defend less."""
    yield from _sections(before.get("SecurityHeadersConfig") or {}, after.get("SecurityHeadersConfig") or {})
    old, new = _custom(before), _custom(after)
    for name in sorted(old):
        was, now = old[name], new.get(name)
        label = "-".join(part.capitalize() for part in name.split("-"))
        if name == "x-robots-tag" and "noindex" in was and "noindex" not in (now or ""):
            yield "indexing_on", label, was, now or ""
        elif name in _CUSTOM and now is None:
            yield "header_removed", label, was, ""
        elif name in _CUSTOM and now is not None and _weaker(label, was, now):
            yield "header_weakened", label, was, now
    origins = [_items((config.get("CorsConfig") or {}).get("AccessControlAllowOrigins")) for config in (before, after)]
    if set(origins[1]) - set(origins[0]):
        yield "header_weakened", "Access-Control-Allow-Origin", ", ".join(origins[0]), ", ".join(origins[1])


def _sections(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for section, label in _SECTIONS.items():
        old, new = before.get(section), after.get(section)
        if old is None:
            continue
        if new is None:
            yield "header_removed", label, _text(section, old), ""
            continue
        if _on(old.get("Override")) and not _on(new.get("Override")):
            yield "header_weakened", label, "overrides the origin's", "the origin's counts"
        was, now = _text(section, old), _text(section, new)
        if section == "StrictTransportSecurity":
            if _hsts(new) < _hsts(old) or any(_on(old.get(key)) and not _on(new.get(key)) for key in ("IncludeSubdomains", "Preload")):
                yield "hsts_shortened", label, was, now
        elif section == "ContentSecurityPolicy":
            for directive, one, other in csp_loosened(was, now):
                yield "csp_loosened", directive, one, other
        elif _weaker(label, was, now):
            yield "header_weakened", label, was, now


def _text(section: str, value: Mapping[str, Any]) -> str:
    match section:
        case "ContentSecurityPolicy":
            return str(value.get("ContentSecurityPolicy", ""))
        case "FrameOptions":
            return str(value.get("FrameOption", ""))
        case "ReferrerPolicy":
            return str(value.get("ReferrerPolicy", ""))
        case "StrictTransportSecurity":
            more = "".join(f"; {name}" for name in ("IncludeSubdomains", "Preload") if _on(value.get(name)))
            return f"max-age={_hsts(value)}{more}"
    return "nosniff"


def _hsts(value: Mapping[str, Any]) -> int:
    text = str(value.get("AccessControlMaxAgeSec", 0))
    return int(text) if text.isdecimal() else 0


def _on(value: Any) -> bool:
    """CloudFormation takes booleans as text, too."""
    return str(value).lower() == "true"


def _weaker(label: str, was: str, now: str) -> bool:
    if label == "Permissions-Policy":
        return any(_wider(one, _features(now).get(name)) for name, one in _features(was).items())
    order = [value.lower() for value in _STRONGER.get(label, ())]
    one, other = was.strip().lower(), now.strip().lower()
    if one not in order:
        return False
    return other not in order or order.index(other) < order.index(one)


def _features(policy: str) -> dict[str, frozenset[str]]:
    """Permissions-Policy by feature: who may use it."""
    found = {}
    for part in policy.split(","):
        name, _, allowed = part.strip().partition("=")
        if name:
            found[name] = frozenset(allowed.strip("() ").split())
    return found


def _wider(was: frozenset[str], now: frozenset[str] | None) -> bool:
    """A feature that the policy does not name is allowed as browsers see fit."""
    return now is None or bool(now - was)


def _custom(config: Mapping[str, Any]) -> dict[str, str]:
    items = (config.get("CustomHeadersConfig") or {}).get("Items") or []
    return {str(item.get("Header", "")).lower(): str(item.get("Value", "")) for item in items if isinstance(item, Mapping)}


def _items(value: Any) -> tuple[str, ...]:
    found = value.get("Items", []) if isinstance(value, Mapping) else []
    return tuple(str(each) for each in found) if isinstance(found, list) else ()


# --- content security policy --------------------------------------------------------------------------------------


def csp_loosened(before: str, after: str) -> Iterator[tuple[str, str, str]]:
    """(directive, sources before, sources after) where the new policy allows what the old one refused."""
    old, new = _directives(before), _directives(after)
    for directive in sorted({*old, *new}):
        was, now = _effective(old, directive), _effective(new, directive)
        if was is None:
            continue
        if now is None:
            yield directive, " ".join(was), "(everything)"
        elif any(not _covered(source, was) for source in now):
            yield directive, " ".join(was), " ".join(now)


def _covered(source: str, by: tuple[str, ...]) -> bool:
    """Whether these sources allow it already (CSP, "Does url match source list")."""
    if source in by or source == "'none'":
        return True
    if source.startswith("'") and source != "'self'":
        return False
    if "*" in by:
        return not source.startswith(("data:", "blob:", "filesystem:", "mediastream:"))
    return "https:" in by and source.startswith("https://")


def _directives(policy: str) -> dict[str, tuple[str, ...]]:
    """The first of a name counts (CSP, "Parse a serialized CSP")."""
    found: dict[str, tuple[str, ...]] = {}
    for part in policy.split(";"):
        words = part.split()
        if words:
            found.setdefault(words[0].lower(), tuple(words[1:]))
    return found


def _effective(policy: Mapping[str, tuple[str, ...]], directive: str) -> tuple[str, ...] | None:
    """None: nothing holds it back."""
    if directive in policy:
        return policy[directive]
    return policy.get("default-src") if directive in _FETCH else None
