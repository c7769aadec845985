"""The pages that errors come with."""

from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser

import pytest

from assembly.error_pages import LIMIT, STYLE_SOURCE, not_found, unavailable


class _Page(HTMLParser):
    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(body.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.mark.parametrize("page", [not_found, unavailable])
def test_an_error_page_is_small_loads_nothing_and_leads_home(page: object) -> None:
    assert callable(page)
    body: bytes = page("dev.kimmyai.io", "/buy")
    assert len(body) < LIMIT
    seen = _Page(body)
    names = [tag for tag, _ in seen.tags]
    assert not {"script", "link", "img", "iframe", "base"} & set(names)
    assert not [name for _, attributes in seen.tags for name in attributes if name.startswith("on") or name in ("src", "style")]
    assert [attributes["href"] for tag, attributes in seen.tags if tag == "a"] == ["/buy"]
    assert dict(seen.tags)["html"] == {"lang": "en"} and names.count("h1") == names.count("main") == names.count("title") == 1
    metas = [attributes for tag, attributes in seen.tags if tag == "meta"]
    assert {"name": "robots", "content": "noindex"} in metas
    assert {"name": "color-scheme", "content": "light dark"} in metas
    assert b"dev.kimmyai.io" in body


def test_a_name_is_text_in_it() -> None:
    assert b"<script" not in not_found("<script>x</script>", '"><script>')


def test_the_hash_is_of_the_style_as_it_stands_in_the_page() -> None:

    body = not_found("a.example", "/").decode()
    style = body.partition("<style>")[2].partition("</style>")[0]
    assert f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" == STYLE_SOURCE
