"""Which distribution and which behaviour a request belongs to, and what the behaviour refuses or redirects."""

from __future__ import annotations

import re
from functools import lru_cache

from preview.cloudfront.responses import error_response
from preview.messages import Request, Response
from preview.model import Behavior, Distribution, Site

_LOCAL = {"localhost", "127.0.0.1", "[::1]", ""}


def host_of(request: Request) -> str:
    return re.sub(r":\d+\Z", "", request.get("host") or "").lower()


def distribution_of(site: Site, host: str) -> Distribution | None:
    if host in _LOCAL:
        return site.distributions[0]
    for distribution in site.distributions:
        if host == distribution.domain_name or host in distribution.aliases:
            return distribution
    wildcard = f"*.{host.partition('.')[2]}"
    return next((d for d in site.distributions if wildcard in d.aliases), None)


def behavior_of(distribution: Distribution, request: Request) -> Behavior:
    return next(b for b in distribution.behaviors if b.default or matches(b.pattern, request.uri))


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern.removeprefix("/")), re.DOTALL)


def matches(pattern: str, uri: str) -> bool:
    """Whether a path pattern ("*" any characters, "?" any one, case counts, leading slash optional) matches a path."""
    return _compiled(pattern).fullmatch(uri.removeprefix("/")) is not None


def protocol_answer(behavior: Behavior, request: Request, *, https: bool, https_port: int | None) -> Response | None:
    if https or behavior.viewer_protocol_policy == "allow-all":
        return None
    if behavior.viewer_protocol_policy == "https-only":
        return error_response(403, "Viewers must use HTTPS to request this object.", "", "Error")
    given = request.get("host") or ""
    host = re.sub(r":\d+\Z", "", given)
    port = f":{https_port}" if https_port not in (None, 443) and host != given else ""
    location = f"https://{host}{port}{request.uri}" + (f"?{request.query}" if request.query else "")
    status = 301 if request.method in ("GET", "HEAD") else 307
    return error_response(status, "The document has moved.", location, "Redirect")


def method_answer(behavior: Behavior, request: Request) -> Response | None:
    if request.method in behavior.allowed_methods:
        return None
    return error_response(
        403, f"The behavior {behavior.pattern} allows {', '.join(behavior.allowed_methods)}, not {request.method[:20]}.", "", "Error"
    )
