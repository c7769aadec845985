"""Response headers policies of CloudFront: headers that it refuses to add or remove.

In: a template. Out: problems of custom headers and removed headers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lint.rules.base import Problem, Rule
from templates.view import Node, View, logical_id, together

SECURITY_HEADERS = {
    "content-security-policy": "ContentSecurityPolicy",
    "referrer-policy": "ReferrerPolicy",
    "strict-transport-security": "StrictTransportSecurity",
    "x-content-type-options": "ContentTypeOptions",
    "x-frame-options": "FrameOptions",
    "x-xss-protection": "XSSProtection",
}
"""Headers with a setting of their own in SecurityHeadersConfig; as custom headers they are refused (InvalidArgument)."""

OF_THE_CONNECTION = frozenset(
    (
        "connection",
        "content-encoding",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "warning",
        "x-cache",
        "x-forwarded-proto",
        "x-real-ip",
    )
)
"""Headers of one connection (RFC 9110, 7.6.1), or CloudFront's own. Source: CloudFront Developer Guide, restrictions on headers."""

_RESERVED = re.compile(r"x-(accel|amz-cf|edge)-.*")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_GUIDE = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide"


def _headers(view: View, *sections: str) -> Iterator[tuple[str, str, Node]]:
    for properties in view.properties("AWS::CloudFront::ResponseHeadersPolicy"):
        for section in sections:
            for item in view.items(properties, "ResponseHeadersPolicyConfig", section, "Items"):
                for node in view.at(item, "Header"):
                    if node.text is not None and "${" not in node.text:
                        yield section, node.text, node


class AllowedHeader(Rule):
    id = "E9213"
    shortdesc = "A response headers policy touches no header of the connection or of CloudFront"
    description = "Neither added nor removed; security headers have settings of their own and are no custom headers."
    source_url = f"{_GUIDE}/edge-functions-restrictions.html"

    def check(self, view: View) -> Iterator[Problem]:
        for section, text, node in _headers(view, "CustomHeadersConfig", "RemoveHeadersConfig"):
            name = text.lower()
            if not _TOKEN.fullmatch(name):
                yield node.path, f"{text!r} is no name of a header (RFC 9110, 5.1)"
            elif name in OF_THE_CONNECTION or _RESERVED.fullmatch(name):
                yield node.path, f"CloudFront does not let a policy {'add' if section == 'CustomHeadersConfig' else 'remove'} {text}"
            elif name in SECURITY_HEADERS and section == "CustomHeadersConfig":
                yield node.path, f"{text} is a security header; set SecurityHeadersConfig.{SECURITY_HEADERS[name]}"


class HeaderOnce(Rule):
    id = "E9214"
    shortdesc = "A response headers policy names each header once"
    description = "Names of headers do not tell capital from small letters."
    source_url = f"{_GUIDE}/understanding-response-headers-policies.html"

    def check(self, view: View) -> Iterator[Problem]:
        seen: list[tuple[tuple[str, ...], Node]] = []
        for section, text, node in _headers(view, "CustomHeadersConfig", "RemoveHeadersConfig"):
            key = (logical_id(node), section, text.lower())
            if any(key == other and first.path != node.path and together(first, node) for other, first in seen):
                yield node.path, f"{text} stands in the policy already"
            seen.append((key, node))
