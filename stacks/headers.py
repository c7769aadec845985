"""The security headers of every response, once: for the response headers policy, for the edge function's own answers, for the contract."""

from __future__ import annotations

from environments.model import Environment


def strict_transport_security(env: Environment) -> str:
    """Value of Strict-Transport-Security (RFC 6797), in the form CloudFront sends it."""
    hsts = env.security_headers.hsts
    return f"max-age={hsts.max_age_seconds}" + "; includeSubDomains" * hsts.include_subdomains + "; preload" * hsts.preload


def custom(env: Environment) -> dict[str, str]:
    """Headers for which CloudFront has no setting of their own."""
    headers = {"Permissions-Policy": env.security_headers.permissions_policy, **env.headers}
    return headers if env.security_headers.allow_indexing else {**headers, "X-Robots-Tag": "noindex, nofollow"}


def expected(env: Environment) -> dict[str, str]:
    """Every header that a visitor must see, by lower-case name."""
    security = env.security_headers
    return {
        "strict-transport-security": strict_transport_security(env),
        "content-security-policy": security.csp,
        "x-content-type-options": "nosniff",
        "x-frame-options": security.frame_options,
        "referrer-policy": security.referrer_policy,
        **{name.lower(): value for name, value in custom(env).items()},
    }
