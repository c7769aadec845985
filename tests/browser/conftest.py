"""Fixtures: the environments built, a preview of each over HTTPS under its own name, and one Chromium that finds them.

Chromium is Debian's package, the app is built by tests/browser/setup.sh; without them these tests fail and say so.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, ViewportSize, expect, sync_playwright

from tests.browser import previews
from tests.browser.previews import PASSWORD, ROOT, USER, Running

RELEASES = ROOT / "tests" / "app" / "dist"
SCREENSHOTS = ROOT / ".cache" / "browser"
ENVIRONMENTS = ("dev", "sit", "prod")
VIEW: ViewportSize = {"width": 900, "height": 600}
CHROMIUM = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
    # The previews are on loopback, which another site could not frame for that reason alone; and it is CloudFront, not the browser, that
    # is to turn http into https. This list takes the place of Playwright's own.
    "--disable-features=LocalNetworkAccessChecks,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,Translate,MediaRouter",
)

# Milliseconds; its own five seconds are less than a busy machine needs.
expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def release() -> Callable[[int], Path]:
    """The folder of the first or second release of the app."""

    def found(number: int) -> Path:
        folder = RELEASES / str(number)
        assert (folder / "index.html").exists(), f"{folder} is not built; run tests/browser/setup.sh"
        return folder

    return found


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every environment, built."""
    return previews.built(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def sites(dist: Path, release: Callable[[int], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    """A preview of each environment, with HTTPS and a plain port."""
    with contextlib.ExitStack() as stack:
        found = {}
        for environment in ENVIRONMENTS:
            content = tmp_path_factory.mktemp(environment) / "site"
            shutil.copytree(release(1), content)
            found[environment] = stack.enter_context(previews.preview(dist, environment, content, "--https", "--http-port", "0"))
        yield found


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """One for the session: a process takes no second one at a time."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(sites: dict[str, Running], playwright: Playwright) -> Iterator[Browser]:
    """Chromium, for which the aliases of the distributions lead to the previews."""
    path = shutil.which("chromium")
    assert path, "Chromium is not installed; run tests/browser/setup.sh"
    rules = ",".join(f"MAP {s.alias}:443 127.0.0.1:{s.port},MAP {s.alias}:80 127.0.0.1:{s.http_port}" for s in sites.values())
    chromium = playwright.chromium.launch(executable_path=path, headless=True, args=[*CHROMIUM, f"--host-resolver-rules={rules}"])
    yield chromium
    chromium.close()


@pytest.fixture
def anonymous(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor who knows no password."""
    context = browser.new_context(ignore_https_errors=True, viewport=VIEW)
    context.set_default_timeout(120_000)
    yield context
    context.close()


@pytest.fixture
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor who knows the password."""
    context = browser.new_context(
        ignore_https_errors=True, viewport=VIEW, http_credentials={"username": USER, "password": PASSWORD, "send": "unauthorized"}
    )
    context.set_default_timeout(120_000)
    yield context
    context.close()


@pytest.fixture
def screenshot() -> Callable[[Page, str], None]:
    """Keeps what a page looks like under that name."""

    def keep(page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png")

    return keep
