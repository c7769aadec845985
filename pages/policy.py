"""Content-Security-Policy: would a browser load this?

In: the text of a policy (W3C, Content Security Policy Level 3). Out: which directive decides, and whether it lets something pass.
Never: reports what only a running page can tell ('strict-dynamic' lets scripts load scripts).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

FALLBACKS: Mapping[str, tuple[str, ...]] = {
    "script-src-elem": ("script-src", "default-src"),
    "script-src-attr": ("script-src", "default-src"),
    "script-src": ("default-src",),
    "style-src-elem": ("style-src", "default-src"),
    "style-src-attr": ("style-src", "default-src"),
    "worker-src": ("child-src", "script-src", "default-src"),
    "frame-src": ("child-src", "default-src"),
    **{f"{name}-src": ("default-src",) for name in ("connect", "font", "img", "manifest", "media", "object")},
}
"""Where a directive is not there, the next one decides (section 6.8.3); base-uri and form-action have no other."""

PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_LOCAL = ("data", "blob", "filesystem")


@dataclass(frozen=True)
class Policy:
    """One policy."""

    directives: Mapping[str, tuple[str, ...]]
    line: int = 0
    """Of the page, where it stands there; 0: it came with the headers."""

    @classmethod
    def of(cls, text: str, line: int = 0) -> Policy:
        """Of a header or a meta element; of a directive that stands twice the first counts."""
        found: dict[str, tuple[str, ...]] = {}
        for part in text.split(";"):
            name, *sources = part.split() or [""]
            if name and name.lower() not in found:
                found[name.lower()] = tuple(sources)
        return cls(found, line)

    def deciding(self, directive: str) -> str:
        """Name of the directive that decides; "" if none does, so that everything may pass."""
        names = (directive, *FALLBACKS.get(directive, ()))
        return next((name for name in names if name in self.directives), "")

    def loads(self, directive: str, url: str, origin: str, *, nonce: str = "", parser_inserted: bool = True) -> bool:
        """A browser may load `url` for a page of `origin`."""
        name = self.deciding(directive)
        if not name:
            return True
        sources = self.directives[name]
        if nonce and f"'nonce-{nonce}'" in sources:
            return True
        if directive.startswith("script-src") and parser_inserted and _has(sources, "'strict-dynamic'"):
            return False
        try:
            target = urlsplit(url)
        except ValueError:
            return True
        return any(_matches(source, target, urlsplit(origin)) for source in sources)

    def runs_inline(self, directive: str, code: str, *, nonce: str = "") -> bool:
        """Inline code, or an inline style, is let pass."""
        name = self.deciding(directive)
        if not name:
            return True
        sources = self.directives[name]
        attribute = directive.endswith("-attr")
        if not attribute and nonce and f"'nonce-{nonce}'" in sources:
            return True
        if (not attribute or _has(sources, "'unsafe-hashes'")) and any(_hash(code, source) for source in sources):
            return True
        strict = any(source.lower().startswith(("'nonce-", "'sha256-", "'sha384-", "'sha512-")) for source in sources)
        strict = strict or (directive.startswith("script") and _has(sources, "'strict-dynamic'"))
        return _has(sources, "'unsafe-inline'") and not strict

    def has(self, directive: str, *keywords: str) -> bool:
        """One of the keywords stands in what decides, or nothing decides."""
        name = self.deciding(directive)
        return not name or any(_has(self.directives[name], keyword) for keyword in keywords)


def source_hash(code: str) -> str:
    """The source that allows exactly this inline code."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"


def host_source(url: str) -> str:
    """The source that allows the host of a URL, or its scheme where it has none."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else f"{parts.scheme}:"


def _has(sources: tuple[str, ...], keyword: str) -> bool:
    return any(source.lower() == keyword for source in sources)


def _hash(code: str, source: str) -> bool:
    algorithm, dash, value = source.strip("'").partition("-")
    if not dash or algorithm.lower() not in ("sha256", "sha384", "sha512"):
        return False
    wanted = base64.b64encode(hashlib.new(algorithm.lower(), code.encode()).digest()).decode()
    return value.replace("-", "+").replace("_", "/") == wanted


def _matches(source: str, target: SplitResult, page: SplitResult) -> bool:
    """A source expression and a URL (section 6.7.2.7)."""
    lower = source.lower()
    if lower == "*":
        return target.scheme in ("http", "https", "ws", "wss") or target.scheme == page.scheme
    if lower == "'self'":
        same_host = target.hostname == page.hostname
        return same_host and _port(target) == _port(page) and _scheme_fits(page.scheme, target.scheme)
    if lower.startswith("'"):
        return False
    if lower.endswith(":") and "/" not in lower:
        return _scheme_fits(lower[:-1], target.scheme)
    if target.scheme in _LOCAL:
        return False
    return _host_fits(source, target, page)


def _host_fits(source: str, target: SplitResult, page: SplitResult) -> bool:
    scheme, separator, rest = source.partition("://")
    if not separator:
        scheme, rest = page.scheme, source
    authority, slash, path = rest.partition("/")
    host, _, port = authority.partition(":")
    if not _scheme_fits(scheme.lower(), target.scheme) or target.hostname is None:
        return False
    host = host.lower()
    fits = target.hostname.endswith(host[1:]) if host.startswith("*.") else host in ("*", target.hostname)
    if not fits:
        return False
    if port not in ("", "*") and port != str(_port(target)):
        return False
    if not port and _port(target) != PORTS.get(target.scheme):
        return False
    if not slash or not path:
        return True
    wanted, found = unquote("/" + path), unquote(target.path or "/")
    return found.startswith(wanted) if wanted.endswith("/") else found == wanted


def _scheme_fits(allowed: str, found: str) -> bool:
    """An allowed scheme allows its secure form, too."""
    upgrades = {
        "http": ("http", "https", "ws", "wss"),
        "https": ("https", "wss"),
        "ws": ("ws", "wss", "http", "https"),
        "wss": ("wss", "https"),
    }
    return found in upgrades.get(allowed, (allowed,))


def _port(url: SplitResult) -> int | None:
    try:
        port = url.port
    except ValueError:
        return None
    # http and https count as the same place on their standard ports, as an upgrade leads from one to the other.
    standard = PORTS.get(url.scheme)
    return 443 if port is None or port == standard else port
