"""The visitor's page in a real browser: deep links, wrong addresses, a bucket that is gone, old tabs, a publish under load."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import random
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from tests.browser import previews
from tests.browser.conftest import CHROMIUM
from tests.browser.previews import ROOT, Running

Sites = dict[str, Running]
Own = Callable[..., contextlib.AbstractContextManager[Running]]
"""Starts a preview of production with content of its own, with further options."""
LOAD_SECONDS = float(os.environ.get("LOAD_SECONDS", "4"))
"""Of the load before and after a publish in its middle, at least; 60 before a release."""


def _home(site: Running) -> str:
    return f"https://{site.alias}/buy"


def _chromium(playwright: Playwright, site: Running) -> Browser:
    path = shutil.which("chromium")
    assert path, "Chromium is not installed; run tests/browser/setup.sh"
    rules = f"MAP {site.alias}:443 127.0.0.1:{site.port}"
    return playwright.chromium.launch(executable_path=path, headless=True, args=[*CHROMIUM, f"--host-resolver-rules={rules}"])


@pytest.fixture
def own(dist: Path, release: Callable[[int], Path], tmp_path: Path) -> Own:
    """A preview of production with content of its own."""

    def start(*options: str) -> contextlib.AbstractContextManager[Running]:
        content = tmp_path / "site"
        shutil.copytree(release(1), content, dirs_exist_ok=True)
        return previews.preview(dist, "prod", content, "--https", *options)

    return start


@pytest.mark.parametrize("path", ["/user@example.com", "/first.last", "/v1.2-beta", "/checkout/monthly"])
def test_a_deep_link_is_the_app_whatever_dots_it_has(path: str, sites: Sites, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    response = page.goto(_home(sites["sit"]) + path)
    assert response is not None
    assert response.status == 200
    expect(page.locator("#root > *").first).to_be_visible()
    assert "s-maxage" in response.headers["cache-control"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_wrong_address_has_a_page_that_leads_home(
    scheme: str, sites: Sites, browser: Browser, screenshot: Callable[[Page, str], None]
) -> None:
    context = browser.new_context(ignore_https_errors=True, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    response = page.goto(f"https://{sites['prod'].alias}/sell")
    assert response is not None
    assert response.status == 404
    assert response.headers["x-content-type-options"] == "nosniff" and "content-security-policy" in response.headers
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    assert page.locator("body").evaluate("body => getComputedStyle(body).maxWidth") != "none", "the policy lets the style pass"
    assert [text for text in said if "404" not in text] == []
    screenshot(page, f"not-found-{scheme}")
    page.get_by_role("link", name="Go to the start page").click()
    expect(page.get_by_role("heading", name="Buy")).to_be_visible()
    context.close()


def test_a_missing_script_is_a_small_404_that_nothing_runs(sites: Sites, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.goto(_home(sites["sit"]))
    found = page.evaluate("fetch('/assets/gone.js').then(async a => [a.status, (await a.text()).length])")
    assert found[0] == 404 and found[1] < 4096
    ended = page.evaluate(
        "new Promise(done => { const s = document.createElement('script'); s.onload = () => done('ran');"
        " s.onerror = () => done('refused'); s.src = '/assets/gone.js'; document.head.append(s); })"
    )
    assert ended == "refused"


def test_the_page_is_still_there_when_the_bucket_is_gone(own: Own, playwright: Playwright) -> None:
    def tried(seconds: int) -> bool:
        began = time.monotonic()
        with own("--origin-down", f"{seconds}s") as site:
            ready = time.monotonic()
            browser = _chromium(playwright, site)
            first = browser.new_page(ignore_https_errors=True)
            first.goto(_home(site), wait_until="networkidle")
            # On a busy machine the network is idle before the page has asked for its script.
            expect(first.locator("#root > *").first).to_be_visible()
            if not previews.went_down_later(began, ready, seconds):
                browser.close()
                return False
            page = browser.new_page(ignore_https_errors=True)
            response = page.goto(_home(site) + "/checkout/monthly", wait_until="domcontentloaded")
            assert response is not None
            assert (response.status, response.headers["x-cache"]) == (200, "Hit from cloudfront")
            expect(page.locator("#root > *").first).to_be_visible()
            browser.close()
        return True

    assert any(map(tried, previews.DOWN_SECONDS))


def _publish(site: Running, build: Path, *, mark: str = "") -> None:
    """As publish does: assets first, nothing taken away, the page last and whole."""
    count = site.log.count("reloaded")
    shutil.copytree(build / "assets", site.content / "assets", dirs_exist_ok=True)
    (site.content / f"published{mark or '-x'}.txt").write_text("a file that every publish adds")
    site.wait_for_log("reloaded", count=count + 1)
    new = site.content / "index.new"
    new.write_text((build / "index.html").read_text().replace("</head>", f"<!--{mark}--></head>"))
    new.replace(site.content / "index.html")
    site.wait_for_log("reloaded", count=count + 2)


def test_an_old_tab_finds_its_chunks_after_two_releases_and_later_loads_anew(
    own: Own,
    playwright: Playwright,
    release: Callable[[int], Path],
) -> None:
    document = (ROOT / "docs" / "guides" / "old-tabs.md").read_text()
    snippet = document.partition("```js\n")[2].partition("```")[0]
    with own() as site:
        browser = _chromium(playwright, site)
        old, older = (browser.new_page(ignore_https_errors=True) for _ in range(2))
        older.add_init_script(snippet)
        for page in (old, older):
            page.goto(_home(site), wait_until="networkidle")
            expect(page.get_by_text("Release 1")).to_be_visible()
        _publish(site, release(2), mark="2")
        _publish(site, release(2), mark="3")
        old.get_by_role("link", name="Plans").click()
        expect(old.locator("ul[data-release='1']")).to_be_visible()

        # The grace period is over, and prune has been here.
        count = site.log.count("reloaded")
        for chunk in (release(1) / "assets").iterdir():
            if not (release(2) / "assets" / chunk.name).exists():
                (site.content / "assets" / chunk.name).unlink()
        site.wait_for_log("reloaded", count=count + 1)
        older.get_by_role("link", name="Plans").click()
        expect(older.get_by_text("Release 2").or_(older.locator("ul[data-release='2']")).first).to_be_visible()
        browser.close()


def _visits(site: Running, done: threading.Event, seed: int) -> Iterator[str]:
    """What a visitor may never see; nothing if all is well."""
    chance = random.Random(seed)
    headers = {"host": site.alias}
    with httpx.Client(base_url=f"https://127.0.0.1:{site.port}", verify=False, headers=headers, timeout=60) as client:
        while not done.is_set():
            path = f"/buy/{chance.choice(('', 'plans', 'a.b', 'user@example.com'))}?{chance.random()}"
            page = client.get(path)
            scripts = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text)
            if page.status_code != 200 or not scripts:
                yield f"{path}: {page.status_code}"
            for script in scripts:
                asset = client.get(script)
                if asset.status_code != 200 or "html" in asset.headers["content-type"]:
                    yield f"{path} loads {script}: {asset.status_code} {asset.headers['content-type']}"


def _wrong(site: Running, done: threading.Event, seed: int) -> list[str]:
    return list(_visits(site, done, seed))


def test_a_publish_under_load_is_a_page_whole_before_and_whole_after(
    own: Own,
    release: Callable[[int], Path],
) -> None:
    done = threading.Event()
    with own() as site, concurrent.futures.ThreadPoolExecutor(4) as pool:
        visitors = [pool.submit(_wrong, site, done, seed) for seed in range(4)]
        try:
            time.sleep(LOAD_SECONDS / 2)
            site.wait_for_log(" 200 ", count=50)
            _publish(site, release(2), mark="2")
            site.wait_for_log(" 200 ", count=site.log.count(" 200 ") + 50)
            time.sleep(LOAD_SECONDS / 2)
        finally:
            done.set()
        assert [wrong for visitor in visitors for wrong in visitor.result()] == []
        log = site.log
        assert log.count(" 200 ") > 100
        assert len(re.findall(r"GET /buy/\S* 200 .* Miss", log)) <= 12, "the edge answered, not the bucket"
