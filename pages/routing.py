"""What a request path means to the site: the rule of lambda/routing/route.js, in Python.

In: a path as CloudFront hands it over, the contract. Out: an `Answer`. Never: decides anything at the edge; it says beforehand, for publish
and verify, what the edge will do. tests/unit/pages/test_routing.py holds both to the same answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from assembly.model import Routing, SiteContract

_REFUSED = re.compile(r"[\x00-\x20\x7f\\?#]|%(?:[01][0-9a-f]|7f|5c|(?![0-9a-f]{2}))", re.IGNORECASE | re.ASCII)
_DOTS = re.compile(r"/\.\.?(?:/|\Z)")
_EXTENSION = re.compile(r"\.([A-Za-z0-9_]+)\Z")
_INVISIBLE = re.compile(r"[^\x21-\x7e]")
LIMIT = 8192


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the edge makes of a path."""

    action: Literal["rewrite", "pass", "redirect", "health", "reject"]
    uri: str = ""
    """What is asked of the bucket."""
    location: str = ""
    status: int = 0


REJECTED = Answer(action="reject")


def refused(uri: str) -> bool:
    """The edge answers 400, whatever is configured."""
    path = _decoded(uri)
    return (
        not uri.startswith("/") or len(uri) > LIMIT or _REFUSED.search(uri) is not None or path.startswith("//") or bool(_DOTS.search(path))
    )


def route(uri: str, contract: SiteContract, host: str = "") -> Answer:  # noqa: PLR0911
    """What the edge makes of a path. `host`: the Host header."""
    routing = contract.routing or Routing()
    if refused(uri):
        return REJECTED
    path = _decoded(uri)
    if re.sub(r":[0-9]+\Z", "", host).lower() in routing.redirect_hosts:
        return REJECTED if _INVISIBLE.search(uri) else Answer(action="redirect", location=f"https://{contract.domain}{uri}", status=301)
    if uri == contract.health_path:
        return Answer(action="health")
    entry = contract.entry_path
    if entry != "/" and uri in ("/", contract.index_document):
        return Answer(action="redirect", location=entry, status=302)
    for redirect in routing.redirects:
        location = redirected(uri, redirect.path, redirect.to)
        if location:
            return Answer(action="redirect", location=location, status=redirect.status)
    base = entry.rstrip("/")
    if uri != entry and not uri.startswith(base + "/"):
        return Answer(action="pass", uri=uri)
    if is_file(path[len(base) :], routing) or any(matches(pattern, uri) for pattern in routing.hashed_paths):
        return Answer(action="pass", uri=uri)
    return Answer(action="rewrite", uri=contract.index_document)


def _decoded(uri: str) -> str:
    """As S3 would read it: %2F separates and %2E is a dot."""
    return re.sub("%2e", ".", re.sub("%2f", "/", uri, flags=re.IGNORECASE), flags=re.IGNORECASE)


def is_file(path: str, routing: Routing) -> bool:
    """Whether a path below the entry path is a file by its own look: a hidden segment, or an extension that is known."""
    found = _EXTENSION.search(path.rpartition("/")[2])
    return "/." in path or (found is not None and found[1].lower() in routing.file_extensions)


def redirected(uri: str, path: str, to: str) -> str:
    """Where a redirect leads for a path, or ""."""
    if path.endswith("*"):
        if not uri.startswith(path[:-1]):
            return ""
        location = to[:-1] + uri[len(path) - 1 :] if to.endswith("*") else to
    elif uri == path:
        location = to
    else:
        return ""
    return "" if location[1:2] == "/" or _INVISIBLE.search(location) else location


def matches(pattern: str, uri: str) -> bool:
    """Whether a path pattern of CloudFront, with its leading slash, matches: "*" any characters, "?" any one, case counts."""
    expression = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch(expression, uri, re.DOTALL) is not None


def answered_with_the_page(key: str, contract: SiteContract) -> str:
    """Why visitors would get the page in place of a published file, with the remedy; "" if they get the file."""
    if contract.routing is None or route("/" + quote(key), contract).action != "rewrite":
        return ""
    found = _EXTENSION.search(key)
    if found is None:
        return f"visitors get the page for /{key}, since a path without an extension is a route of the app"
    return (
        f'visitors would get the page in its place, since the edge does not know "{found[1].lower()}" as the extension of a file: '
        "add it to routing.file_extensions (beside the defaults) and apply"
    )
