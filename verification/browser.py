"""The live site in a real Chromium: what its console says, what its policy refuses, what does not arrive.

In: a `Target` with a Chromium, paths. Out: `PageErrors`. Never: follows links, sends the password to another host, keeps a profile.

Playwright drives it; it comes with the project's test extra and is imported when it is used.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verification.model import Failed, Target

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Playwright

QUIET = 1_000.0
"""Milliseconds after the page has loaded: what scripts ask for by then is seen."""

ARGUMENTS = (
    *("--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # A preview on loopback stands for the public site.
    "--disable-features=LocalNetworkAccessChecks,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,Translate,MediaRouter",
)


@dataclass(frozen=True, kw_only=True)
class PageErrors:
    """What went wrong at one address."""

    path: str
    policy: tuple[str, ...] = ()
    """What the Content-Security-Policy refused."""
    console: tuple[str, ...] = ()
    """Other errors of the console, and exceptions that nobody caught."""
    requests: tuple[str, ...] = ()
    """What did not arrive: URL and status or reason."""


def look(target: Target, paths: tuple[str, ...]) -> tuple[PageErrors, ...]:
    """Visit each path over TLS. Raises `Failed` where the browser does not start or a page does not load."""
    from playwright.sync_api import Error, sync_playwright

    try:
        with sync_playwright() as running, opened(running, target) as context:
            return tuple(visit(context, f"https://{target.contract.domain}", path) for path in paths)
    except Error as error:
        raise Failed(f"Chromium: {error.message.strip().splitlines()[0]}") from None


@contextlib.contextmanager
def opened(running: Playwright, target: Target) -> Iterator[BrowserContext]:
    """A Chromium for which the site's name leads to the target's endpoint."""
    domain, endpoint = target.contract.domain, target.endpoint
    arguments = list(ARGUMENTS)
    if endpoint is not None:
        arguments.append(f"--host-resolver-rules=MAP {domain}:443 {endpoint.host}:{endpoint.port}")
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium refuses to start as root with it.
    # Of a preview the certificate is its own; the site's is judged by the checks of TLS.
    more: dict[str, Any] = {"ignore_https_errors": endpoint is not None}
    if target.contract.basic_auth:
        origin = f"https://{domain}"
        more["http_credentials"] = {"username": target.username, "password": target.password, "origin": origin, "send": "unauthorized"}
    browser = running.chromium.launch(executable_path=target.browser, headless=True, args=arguments)
    try:
        yield browser.new_context(**more)
    finally:
        browser.close()


def visit(context: BrowserContext, origin: str, path: str, *, quiet: float = QUIET) -> PageErrors:
    """One address in a page of its own."""
    page = context.new_page()
    policy: list[str] = []
    console: list[str] = []
    requests: list[str] = []

    def said(message: Any) -> None:
        if message.type != "error" or message.text.startswith("Failed to load resource"):
            return  # the request itself is told
        (policy if "Content Security Policy" in message.text else console).append(message.text)

    page.on("console", said)
    page.on("pageerror", lambda error: console.append(str(error)))
    page.on("requestfailed", lambda request: requests.append(f"{request.url}: {request.failure}"))
    page.on("response", lambda answer: requests.append(f"{answer.url}: {answer.status}") if answer.status >= 400 else None)
    try:
        page.goto(origin + path, wait_until="load")
        page.wait_for_timeout(quiet)
    finally:
        page.close()
    # What the policy refuses has failed, too: told once.
    failed = [each for each in dict.fromkeys(requests) if not each.endswith(("csp", "net::ERR_ABORTED"))]
    return PageErrors(path=path, policy=_unique(policy), console=_unique(console), requests=tuple(failed))


def _unique(texts: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(" ".join(text.split())[:300] for text in texts))
