"""What a script says that it will load, as far as its string literals tell.

In: its text. Out: imports, hosts that it talks to, service workers, its source map. Never: runs it; what is computed stays unknown.

Everything here is a guess about code that may never run, so whoever uses it tells it as a note.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

_IMPORT = re.compile(r"""(?:\bimport\s*\(\s*|\bimport\s*|\bfrom\s*)(["'])(\.{0,2}/[^"'\s\\?#]+\.m?js)\1""")
_LITERAL = re.compile(r"""["'`]((?:https?|wss?)://[A-Za-z0-9.-]+(?::\d+)?(?:/[^"'`\s\\]*)?)["'`]""")
_CALL = re.compile(r"(?:\b(?:fetch|WebSocket|EventSource|sendBeacon|get|post|put|patch|delete|request)\s*\(\s*|\b(?:base_?url|api_?url|endpoint|uri|url)\s*[:=]\s*)$", re.IGNORECASE)  # fmt: skip  # noqa: E501
_API_HOST = re.compile(r"(?:^|\.)(?:api|graphql|gateway|backend|auth|login|ws)\d*[.-]", re.IGNORECASE)
_API_PATH = re.compile(r"^/(?:api|graphql|rest|v\d+)(?:/|$)", re.IGNORECASE)
_WORKER = re.compile(r"""\bserviceWorker\s*\.\s*register\s*\(\s*(["'`])([^"'`\s$]+)\1\s*(?:,\s*\{([^}]{0,500})\})?""")
_WORKBOX = re.compile(r"""\bnew\s+Workbox\s*\(\s*(["'`])([^"'`\s$]+)\1\s*(?:,\s*\{([^}]{0,500})\})?""")
_SCOPE = re.compile(r"""\bscope\s*:\s*(["'`])([^"'`]*)\1""")
_SOURCE_MAP = re.compile(r"(?://|/\*)[#@]\s*sourceMappingURL=([^\s*]+)\s*(?:\*/)?\s*\Z")


@dataclass(frozen=True, kw_only=True)
class StringLiteral:
    """A literal and its line."""

    text: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A service worker that is registered."""

    url: str
    scope: str | None
    """None: that of its folder."""
    line: int


def imports(text: str) -> tuple[StringLiteral, ...]:
    """Scripts that are imported by a relative or absolute path."""
    line = _lines(text)
    return tuple(StringLiteral(text=match[2], line=line(match)) for match in _IMPORT.finditer(text))


def hosts(text: str) -> tuple[StringLiteral, ...]:
    """URLs that look as if the script talked to them: named where something is fetched, or like an API. Not links, not namespaces."""
    return tuple(_hosts(text))


def _hosts(text: str) -> Iterator[StringLiteral]:
    seen = set()
    line = _lines(text)
    for match in _LITERAL.finditer(text):
        url = match[1]
        parts = urlsplit(url)
        asked = _CALL.search(text, max(0, match.start() - 40), match.start())
        likely = parts.scheme in ("ws", "wss") or _API_HOST.search(parts.netloc) or _API_PATH.search(parts.path)
        local = parts.hostname in ("localhost", "127.0.0.1") or "." not in (parts.hostname or "")
        if (asked or likely) and not local and parts.netloc not in seen:
            seen.add(parts.netloc)
            yield StringLiteral(text=url, line=line(match))


def workers(text: str) -> tuple[Worker, ...]:
    """Service workers that are registered by a literal."""
    found = []
    line = _lines(text)
    for pattern in (_WORKER, _WORKBOX):
        for match in pattern.finditer(text):
            scope = _SCOPE.search(match[3] or "")
            found.append(Worker(url=match[2], scope=scope[2] if scope else None, line=line(match)))
    return tuple(found)


def source_map(text: str) -> str:
    """What the last line of a script or style sheet names as its source map; "" for none, or one that it holds itself."""
    match = _SOURCE_MAP.search(text[-2000:])
    return match[1] if match and not match[1].startswith("data:") else ""


def _lines(text: str) -> Callable[[re.Match[str]], int]:
    """The line of a match. Line breaks are looked for once: a script may have a match in every one of a million lines."""
    breaks: list[int] = []

    def line(match: re.Match[str]) -> int:
        if not breaks:
            breaks.extend(at.start() for at in re.finditer("\n", text))
        return bisect_left(breaks, match.start()) + 1

    return line
