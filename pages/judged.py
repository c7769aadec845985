"""One page, parsed once: what the checks share.

In: `Page`, `SiteContext`. Out: the document, its policies, what it loads by absolute URL. Never: says what is wrong.
"""

from __future__ import annotations

from functools import cached_property

from pages import styles
from pages.document import Document, Reference, parse
from pages.findings import Finding
from pages.model import Page, Served, SiteContext
from pages.policy import Policy
from pages.styles import StyleUrl
from pages.urls import resolved

SHEETS = 50
"""Style sheets of a page that are read."""
READ = 8 << 20
"""Bytes of them after which no further one is read: parsing takes about a second for each MB."""


class Judged:
    """One page, parsed once; what the checks share."""

    def __init__(self, page: Page, around: SiteContext) -> None:
        self.page = page
        self.around = around

    @cached_property
    def document(self) -> Document:
        return parse(self.page.text)

    @cached_property
    def policies(self) -> tuple[Policy, ...]:
        """Of the headers and of the page. Each alone may forbid; a comma begins a further one."""
        header = self.around.headers.get("content-security-policy", "")
        given = [(text, 0) for text in header.split(",")] + list(self.document.policies)
        return tuple(Policy.of(text, line) for text, line in given if text.strip())

    @cached_property
    def base(self) -> str:
        """The href of <base>; "" where there is none, or the browser passes it by: no URL, or forbidden by the policy."""
        base = self.document.base
        return "" if base and (self.base_forbidden or not joined(self.around.origin, base)) else base

    @cached_property
    def base_forbidden(self) -> Policy | None:
        """The policy that forbids the <base>."""
        url = joined(self.around.origin + self.page.paths[0], self.document.base)
        return next((p for p in self.policies if url and not p.loads("base-uri", url, self.around.origin)), None)

    def url(self, url: str, path: str = "") -> str:
        """An absolute URL. ValueError for one that no browser takes."""
        return self.page.joined(self.base, url, self.around.origin, path or self.page.paths[0])

    def finding(self, code: str, line: int, text: str, remedy: str = "", *, file: str = "", note: bool = False) -> Finding:
        return Finding(code=code, file=file or self.page.name, line=line, text=text, remedy=remedy, note=note)

    @cached_property
    def loaded(self) -> tuple[tuple[Reference, str], ...]:
        """What the page loads, with the absolute URL."""
        found = []
        for reference in self.document.references:
            try:
                found.append((reference, self.url(reference.url)))
            except ValueError:
                continue
        return tuple(found)

    @cached_property
    def sheets(self) -> tuple[tuple[Served, str, tuple[StyleUrl, ...]], ...]:
        """The site's own style sheets that the page loads, imported ones too: file, URL, and what it loads."""
        waiting = [url for reference, url in self.loaded if reference.rel == "stylesheet"]
        found: dict[str, tuple[Served, str, tuple[StyleUrl, ...]]] = {}
        read = 0
        while waiting and len(found) < SHEETS and read < READ:
            url = waiting.pop(0).partition("#")[0]
            path = self.around.local(url)
            served = self.around.find(path) if path is not None and url not in found else None
            if served is None or not served.content_type.startswith("text/css"):
                continue
            body = served.body()
            read += len(body)
            each = styles.urls(body.decode(errors="replace"))
            found[url] = (served, url, each)
            waiting += (resolved for one in each if one.kind == "import" and (resolved := joined(url, one.url)))
        return tuple(found.values())

    @cached_property
    def styled(self) -> tuple[tuple[StyleUrl, str, str], ...]:
        """What style sheets and styles inside of the page load: URL as written, absolute, and the file it stands in."""
        found = [(each, joined(url, each.url), served.name) for served, url, urls in self.sheets for each in urls]
        base = self.url("")
        for inline in self.document.inline:
            if inline.kind == "style":
                found += ((each, joined(base, each.url), self.page.name) for each in styles.urls(inline.code, first_line=inline.line))
            elif inline.kind == "style-attribute":
                found += ((each, joined(base, each.url), self.page.name) for each in styles.declared(inline.code, line=inline.line))
        return tuple(entry for entry in found if entry[1])


def joined(base: str, url: str) -> str:
    """An absolute URL; "" for one that no browser takes, and for a mere fragment."""
    try:
        return "" if url.startswith("#") or not url else resolved(base, url)
    except ValueError:
        return ""
