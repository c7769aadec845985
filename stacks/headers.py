"""The security headers of every response, once: for the response headers policy, for the edge function's own answers, for the contract."""

from __future__ import annotations

from assembly.error_pages import STYLE_SOURCE
from environments.model import CSP_CHARACTERS, Environment


def strict_transport_security(env: Environment) -> str:
    """Value of Strict-Transport-Security (RFC 6797), in the form CloudFront sends it."""
    hsts = env.security_headers.hsts
    return f"max-age={hsts.max_age_seconds}" + "; includeSubDomains" * hsts.include_subdomains + "; preload" * hsts.preload


def content_security_policy(env: Environment) -> str:
    """The configured policy, in which the style of our own error pages may pass: exactly it, by its hash.

    Left as it is where no style-src says otherwise, where it forbids every style, where a hash would turn 'unsafe-inline' off (CSP Level 3,
    6.7.3.2) and where there is no room; the pages are plain then.
    """
    policy = env.security_headers.csp
    directives = [directive.split() for directive in policy.split(";")]
    for name in ("style-src-elem", "style-src"):
        found = next((words for words in directives if words and words[0].lower() == name), None)
        if found is None:
            continue
        if len(found) == 1 or {"'none'", "'unsafe-inline'"} & {word.lower() for word in found}:
            return policy
        changed = "; ".join(" ".join((*words, STYLE_SOURCE) if words is found else words) for words in directives if words)
        return changed if len(changed) <= CSP_CHARACTERS else policy
    return policy


def custom(env: Environment) -> dict[str, str]:
    """Headers for which CloudFront has no setting of their own."""
    headers = {"Permissions-Policy": env.security_headers.permissions_policy, **env.headers}
    return headers if env.security_headers.allow_indexing else {**headers, "X-Robots-Tag": "noindex, nofollow"}


def expected(env: Environment) -> dict[str, str]:
    """Every header that a visitor must see, by lower-case name."""
    security = env.security_headers
    return {
        "strict-transport-security": strict_transport_security(env),
        "content-security-policy": content_security_policy(env),
        "x-content-type-options": "nosniff",
        "x-frame-options": security.frame_options,
        "referrer-policy": security.referrer_policy,
        **{name.lower(): value for name, value in custom(env).items()},
    }
