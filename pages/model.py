"""What a page is judged with.

In: values. Out: `Served`, `SiteContext`, `Page`. Never: reads a file or the network: whoever judges hands in what finds a path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from pages.urls import resolved


@dataclass(frozen=True, kw_only=True)
class Served:
    """What the site answers for a path."""

    name: str
    """As a person knows it: the path below the folder, or of the URL."""
    content_type: str
    cache_control: str
    body: Callable[[], bytes] = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class SiteContext:
    """The site around a page."""

    origin: str
    """ "https://dev.example.com"."""
    headers: Mapping[str, str]
    """Of every answer, by lower-case name."""
    basic_auth: bool
    indexed: bool
    """Search engines may take it."""
    find: Callable[[str], Served | None]
    """What stands under a decoded path; None if nothing does, or the page itself does, as for a route of the app."""
    known: Callable[[str], str] = lambda _: ""
    """A file that was probably meant by a path that is not there, in words; "" if none."""
    policy_file: str = "the environment's file"
    """Where the Content-Security-Policy is written."""
    configured: Mapping[str, str] = field(default_factory=dict)
    """Values of config.json."""
    entry_path: str = "/"

    def local(self, url: str) -> str | None:
        """The decoded path of a URL of this site; None for others."""
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}".lower() != self.origin.lower():
            return None
        return unquote(parts.path) or "/"


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page and the addresses under which visitors see it."""

    name: str
    text: str
    paths: tuple[str, ...]
    """The first is where it is mostly seen."""

    def joined(self, base: str, url: str, origin: str, path: str) -> str:
        """An absolute URL out of one in this page. ValueError for one that no browser takes."""
        return resolved(resolved(origin + path, base), url)


def addresses(entry_path: str) -> tuple[str, ...]:
    """Where the index document is seen: the entry path and app routes of one and two segments below it."""
    below = entry_path.rstrip("/")
    return (entry_path, f"{below}/orders", f"{below}/orders/42")
