"""URLs of a page as a browser resolves them."""

from __future__ import annotations

import pytest

from pages.urls import resolved

BASE = "https://a.example/buy/orders"


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("x.png", "https://a.example/buy/x.png"),
        ("\\x.png", "https://a.example/x.png"),
        ("\\\\evil.example\\x.png", "https://evil.example/x.png"),
        ("/\\evil.example/x.png", "https://evil.example/x.png"),
        ("x.png?a=\\b#\\", "https://a.example/buy/x.png?a=\\b#\\"),
        ("/../x.png", "https://a.example/x.png"),
        ("/a/%2e%2E/x.png", "https://a.example/x.png"),
        ("/a/.%2e/..", "https://a.example/"),
        ("/a/%2e", "https://a.example/a/"),
        ("/a/...", "https://a.example/a/..."),
        ("/a%2e%2e/x", "https://a.example/a%2e%2e/x"),
        ("data:image/svg+xml,%3csvg\\/../%2e", "data:image/svg+xml,%3csvg\\/../%2e"),
        ("//b.example/../x", "https://b.example/x"),
        ("", BASE),
    ],
)
def test_as_a_browser_does(url: str, wanted: str) -> None:
    assert resolved(BASE, url) == wanted
