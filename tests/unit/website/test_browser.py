"""What is made of what a browser reports of one page; the browser is in tests/browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.website.visits import SITE_CONTRACT
from verification.browser import QUIET, look, visit
from verification.model import Endpoint, Skipped, Target

ORIGIN = "https://dev.example.com"


@dataclass
class Page:
    """Reports these while it loads."""

    reports: tuple[tuple[str, Any], ...]
    listeners: dict[str, Callable[[Any], None]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    def on(self, name: str, listener: Callable[[Any], None]) -> None:
        self.listeners[name] = listener

    def goto(self, url: str, *, wait_until: str) -> None:
        self.done.append(f"{url} {wait_until}")
        for name, told in self.reports:
            self.listeners[name](told)

    def wait_for_timeout(self, milliseconds: float) -> None:
        self.done.append(f"{milliseconds:.0f} ms")

    def close(self) -> None:
        self.done.append("closed")


def says(kind: str, text: str) -> tuple[str, Any]:
    return "console", SimpleNamespace(type=kind, text=text)


def answers(status: int, url: str = "/a.js") -> tuple[str, Any]:
    return "response", SimpleNamespace(url=url, status=status)


def fails(reason: str, url: str = "/a.js") -> tuple[str, Any]:
    return "requestfailed", SimpleNamespace(url=url, failure=reason)


REFUSED = "Refused to load: violates the Content Security Policy directive"


@pytest.mark.parametrize(
    ("report", "policy", "console", "requests"),
    [
        (says("warning", REFUSED), (), (), ()),
        (says("error", REFUSED), (REFUSED,), (), ()),
        (says("error", "x is\n  not defined"), (), ("x is not defined",), ()),
        (says("error", "x" * 400), (), ("x" * 300,), ()),
        (says("error", "Failed to load resource: 404"), (), (), ()),
        (("pageerror", "TypeError: y"), (), ("TypeError: y",), ()),
        (answers(399), (), (), ()),
        (answers(400), (), (), ("/a.js: 400",)),
        (fails("net::ERR_FAILED"), (), (), ("/a.js: net::ERR_FAILED",)),
        (fails("net::ERR_ABORTED"), (), (), ()),
        (fails("csp"), (), (), ()),
    ],
)
def test_what_is_told_of_a_page(
    report: tuple[str, Any], policy: tuple[str, ...], console: tuple[str, ...], requests: tuple[str, ...]
) -> None:
    page = Page((report, report))
    context: Any = SimpleNamespace(new_page=lambda: page)
    found = visit(context, ORIGIN, "/buy")
    assert (found.path, found.policy, found.console, found.requests) == ("/buy", policy, console, requests), "each once"
    assert found.troubles == (*policy, *console, *requests)
    assert page.done == [f"{ORIGIN}/buy load", f"{QUIET:.0f} ms", "closed"]


def test_a_page_is_closed_whatever_became_of_it() -> None:
    page = Page((("no such event", None),))
    context: Any = SimpleNamespace(new_page=lambda: page)
    with pytest.raises(KeyError):
        visit(context, ORIGIN, "/")
    assert page.done[-1] == "closed"


def test_a_browser_is_not_started_where_it_could_see_nothing() -> None:
    plain = Target(contract=SITE_CONTRACT, password="pw", endpoint=Endpoint(host="127.0.0.1", port=1, tls=False))
    with pytest.raises(Skipped, match="preview --https"):
        look(plain, ("/",))
    with pytest.raises(Skipped, match="needs the Basic Auth password"):
        look(Target(contract=SITE_CONTRACT), ("/",))
