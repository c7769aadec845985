"""A small site in memory, judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from environments.model import SecurityHeaders
from files.types import content_type
from pages.findings import Finding
from pages.judge import judge
from pages.model import Page, Served, SiteContext, addresses

ORIGIN = "https://dev.example.com"
POLICY = SecurityHeaders().csp


def judged(files: Mapping[str, str | bytes], *, policy: str = POLICY, **around: Any) -> tuple[Finding, ...]:
    """Findings of index.html, seen under /buy."""
    entry = around.pop("entry_path", "/buy")

    def find(path: str) -> Served | None:
        body = files.get(path.lstrip("/"))
        if body is None:
            return None
        cache = around.get("cache_control", "")
        data = body.encode() if isinstance(body, str) else body
        return Served(name=path.lstrip("/"), content_type=content_type(path), cache_control=cache, body=lambda: data)

    headers = {"content-security-policy": policy, **around.get("headers", {})}
    site = SiteContext(
        origin=ORIGIN,
        headers=headers,
        basic_auth=around.get("basic_auth", False),
        indexed=around.get("indexed", True),
        find=find,
        configured=around.get("configured", {}),
        entry_path=entry,
    )
    text = files["index.html"]
    assert isinstance(text, str)
    return judge(Page(name="index.html", text=text.replace("ORIGIN", "dev.example.com"), paths=addresses(entry)), site)


def refused(files: Mapping[str, str | bytes], **how: Any) -> set[str]:
    """Codes of what is refused."""
    return {finding.code for finding in judged(files, **how) if not finding.note}


def told(head: str, *, note: bool = False, files: Mapping[str, str | bytes] | None = None, **how: Any) -> list[str]:
    """Code, line and text of the refusals, or of the notes, of a page with that head."""
    found = judged({"index.html": head, **(files or {})}, **how)
    return [f"{each.code} {each.file}:{each.line} {each.text}; {each.remedy}" for each in found if each.note == note]
