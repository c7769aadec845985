"""A bucket that is lost, in a real browser: the replica takes over, and what is left where both are gone."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Playwright, expect

from stacks.synthesis import synthesise
from tests.browser import previews
from tests.browser.previews import Running
from tests.browser.test_at_the_edge import _chromium, _home
from tests.environments_fixture import RECOVERY, changed, environments
from tests.functional import frontend

ERROR = "This page cannot be shown right now"


@pytest.fixture(scope="module")
def recovering(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Production with disaster recovery, built."""
    dist = tmp_path_factory.mktemp("recovering")
    frontend.write(synthesise(changed(environments()["prod"], RECOVERY)), dist)
    return dist


@contextmanager
def two_releases(recovering: Path, release: Callable[[int], Path], content: Path, *options: str) -> Iterator[Running]:
    """A preview of it in which the second release is live and the first one's assets are still there, as publish leaves them."""
    shutil.copytree(release(1), content, dirs_exist_ok=True)
    shutil.copytree(release(2), content, dirs_exist_ok=True)
    with previews.preview(recovering, "prod", content, "--https", *options) as running:
        yield running


def test_the_replica_serves_page_deep_link_and_the_assets_of_two_releases(
    recovering: Path, release: Callable[[int], Path], playwright: Playwright, tmp_path: Path
) -> None:
    how = ("--origin-down", "0s", "--origin-status", "503", "--replica-up")
    with two_releases(recovering, release, tmp_path / "site", *how) as site:
        browser = _chromium(playwright, site)
        page = browser.new_page(ignore_https_errors=True)
        response = page.goto(_home(site) + "/checkout/monthly", wait_until="networkidle")
        assert response is not None and response.status == 200
        expect(page.locator("#root > *").first).to_be_visible()
        page.goto(_home(site), wait_until="networkidle")
        expect(page.get_by_text("Release 2")).to_be_visible()
        page.get_by_role("link", name="Plans").click()
        expect(page.locator("ul[data-release='2']")).to_be_visible()
        older = {f.name for f in (release(1) / "assets").iterdir()} - {f.name for f in (release(2) / "assets").iterdir()}
        assert older
        for name in sorted(older):
            assert page.evaluate("name => fetch('/assets/' + name).then(answer => answer.status)", name) == 200
        browser.close()


def test_a_bucket_that_is_silent_costs_a_visitor_its_time_outs_and_no_more(
    recovering: Path, release: Callable[[int], Path], playwright: Playwright, tmp_path: Path
) -> None:
    """Two attempts of three seconds for the page, which no edge has, and for its assets once more; the page alone is waited for here."""
    with two_releases(recovering, release, tmp_path / "site", "--origin-down", "0s", "--replica-up") as site:
        browser = _chromium(playwright, site)
        page = browser.new_page(ignore_https_errors=True)
        response = page.goto(_home(site) + "/checkout/monthly", wait_until="commit")
        assert response is not None
        assert (response.status, response.headers["x-cache"]) == (200, "Miss from cloudfront")
        browser.close()


def test_with_both_gone_the_page_stays_and_the_rest_gets_the_error_page_if_the_edge_has_it(
    recovering: Path, release: Callable[[int], Path], playwright: Playwright, tmp_path: Path, screenshot: Callable[..., None]
) -> None:
    def tried(seconds: int) -> bool:
        began = time.monotonic()
        how = ("--origin-down", f"{seconds}s", "--origin-status", "503")
        with two_releases(recovering, release, tmp_path / "site", *how) as site:
            ready = time.monotonic()
            browser = _chromium(playwright, site)
            page = browser.new_page(ignore_https_errors=True)
            page.goto(_home(site), wait_until="networkidle")
            # On a busy machine the network is idle before the page has asked for its script.
            expect(page.locator("#root > *").first).to_be_visible()
            # An edge has the error page once somebody has met an error there.
            met = httpx.options(f"https://127.0.0.1:{site.port}/robots.txt", headers={"Host": site.alias}, verify=False, timeout=120)
            if not previews.went_down_later(began, ready, seconds):
                browser.close()
                return False
            assert ERROR in met.text
            kept = page.goto(_home(site) + "/checkout/monthly", wait_until="domcontentloaded")
            assert kept is not None and kept.status == 200
            expect(page.locator("#root > *").first).to_be_visible()
            lost = page.goto(f"https://{site.alias}/robots.txt")
            assert lost is not None and lost.status == 503
            expect(page.get_by_role("heading", name=ERROR)).to_be_visible()
            screenshot(page, "both-origins-gone")
            browser.close()
        return True

    assert any(map(tried, previews.DOWN_SECONDS))
