"""What a visitor sees, in a real browser: prompt, app, deep links, lazy chunks, headers that work, a publish under way."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from tests.browser.conftest import ENVIRONMENTS, VIEW
from tests.browser.previews import PASSWORD, USER, Running, preview

PROTECTED = ("dev", "sit")
Sites = dict[str, Running]
Screenshot = Callable[[Page, str], None]


@dataclass
class Observed:
    """What goes on in a page: every answer, and everything that went wrong."""

    answers: list[tuple[int, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, page: Page) -> Observed:
        """Observe from now on."""
        found = cls()
        page.on("console", lambda m: found.problems.append(f"console: {m.text}") if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: found.problems.append(f"page: {e}"))
        page.on("requestfailed", lambda r: found.problems.append(f"network: {r.url} {r.failure}"))
        page.on("response", lambda r: found.answers.append((r.status, r.url)))
        return found

    @property
    def failures(self) -> list[str]:
        """The answers that a visitor should not get; the challenge before the password is known is none."""
        return [f"{status} {url}" for status, url in self.answers if status >= 400 and status != 401]


def _home(site: Running) -> str:
    return f"https://{site.alias}/buy"


def _prompts(page: Page, answers: list[dict[str, str]]) -> list[dict[str, Any]]:
    """What the browser would ask in its password dialogue, each answered with the next of `answers`, then cancelled."""
    seen: list[dict[str, Any]] = []
    session = page.context.new_cdp_session(page)
    session.send("Fetch.enable", {"handleAuthRequests": True})

    def asked(event: dict[str, Any]) -> None:
        seen.append(event["authChallenge"])
        answer = answers.pop(0) if answers else None
        response = {"response": "ProvideCredentials", **answer} if answer else {"response": "CancelAuth"}
        session.send("Fetch.continueWithAuth", {"requestId": event["requestId"], "authChallengeResponse": response})

    def going(event: dict[str, Any]) -> None:
        session.send("Fetch.continueRequest", {"requestId": event["requestId"]})

    session.on("Fetch.authRequired", asked)
    session.on("Fetch.requestPaused", going)
    return seen


@pytest.mark.parametrize("environment", PROTECTED)
def test_the_password_prompt_appears_and_a_wrong_password_is_refused(
    environment: str, sites: Sites, anonymous: BrowserContext, screenshot: Screenshot
) -> None:
    site = sites[environment]
    page = anonymous.new_page()
    prompts = _prompts(page, [{"username": USER, "password": "wrong"}, {"username": "somebody", "password": PASSWORD}])
    response = page.goto(_home(site))
    assert [(p["source"], p["scheme"].lower(), p["realm"]) for p in prompts] == [("Server", "basic", site.alias)] * 3
    assert response is not None
    assert response.status == 401
    expect(page.get_by_role("heading", name="401 Unauthorized")).to_be_visible()
    screenshot(page, f"{environment}-refused")


@pytest.mark.parametrize("environment", PROTECTED)
def test_the_right_password_at_the_prompt_opens_the_app(environment: str, sites: Sites, anonymous: BrowserContext) -> None:
    page = anonymous.new_page()
    prompts = _prompts(page, [{"username": USER, "password": PASSWORD}])
    response = page.goto(_home(sites[environment]))
    assert response is not None
    assert response.status == 200
    assert len(prompts) == 1, "the browser asks once and then sends the password for scripts and styles by itself"
    expect(page.get_by_role("heading", name="Buy")).to_be_visible()


def test_production_asks_nobody(sites: Sites, anonymous: BrowserContext) -> None:
    page = anonymous.new_page()
    prompts = _prompts(page, [])
    response = page.goto(_home(sites["prod"]))
    assert response is not None
    assert response.status == 200
    assert prompts == []
    expect(page.get_by_role("heading", name="Buy")).to_be_visible()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_tour_of_the_app_leaves_no_error_and_stays_on_its_host(
    environment: str, sites: Sites, visitor: BrowserContext, screenshot: Screenshot
) -> None:
    site = sites[environment]
    page = visitor.new_page()
    observed = Observed.of(page)
    page.goto(_home(site), wait_until="networkidle")
    page.get_by_role("button", name="Add to basket").click(click_count=2)
    expect(page.get_by_role("status")).to_have_text("2 in the basket")
    assert page.get_by_role("img", name="Basket").evaluate("image => image.naturalWidth") > 0
    assert page.get_by_role("button").evaluate("b => getComputedStyle(b).backgroundColor") == "rgb(0, 102, 51)", "the style sheet counts"
    screenshot(page, f"{environment}-home")

    assert not any("/Plans-" in url for _, url in observed.answers), "a lazy chunk is not loaded before its route is opened"
    page.get_by_role("link", name="Plans").click()
    expect(page.get_by_role("listitem")).to_have_count(2)
    assert any("/assets/Plans-" in url and status == 200 for status, url in observed.answers)
    screenshot(page, f"{environment}-plans")

    page.goto(f"{_home(site)}/checkout/monthly", wait_until="networkidle")
    expect(page.get_by_role("status")).to_contain_text("Plan monthly")
    page.reload(wait_until="networkidle")
    expect(page.get_by_role("status")).to_contain_text("Plan monthly")
    assert page.url == f"https://{site.alias}/buy/checkout/monthly"
    screenshot(page, f"{environment}-deep-link")

    assert observed.failures == []
    # Chromium writes a line for the challenge before Playwright knows the password; it is the only one that may be there.
    assert [p for p in observed.problems if "401" not in p] == []
    assert {urlsplit(url).netloc for _, url in observed.answers} == {site.alias}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_missing_asset_is_a_small_404_and_not_the_app(
    environment: str, sites: Sites, visitor: BrowserContext, screenshot: Screenshot
) -> None:
    page = visitor.new_page()
    response = page.goto(f"https://{sites[environment].alias}/assets/index-gone.js")
    assert response is not None
    assert response.status == 404
    assert len(response.body()) < 4096 and b'id="root"' not in response.body()
    screenshot(page, f"{environment}-missing")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_assets_are_compressed_immutable_and_come_from_the_cache(environment: str, sites: Sites, visitor: BrowserContext) -> None:
    responses: list[Response] = []
    for _ in range(2):
        page = visitor.new_page()
        # The browser's own cache aside, so that the second visit asks CloudFront.
        page.context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
        page.on("response", lambda response: responses.append(response) if response.status == 200 else None)
        page.goto(_home(sites[environment]), wait_until="networkidle")
    found = {urlsplit(response.url).path: response.all_headers() for response in responses}
    script = next(headers for path, headers in found.items() if path.startswith("/assets/index-") and path.endswith(".js"))
    assert script["content-encoding"] == "br"
    assert script["cache-control"] == "public, max-age=31536000, immutable"
    assert found["/buy"]["cache-control"].startswith("public, max-age=0, must-revalidate, s-maxage=")
    assert script["x-cache"] == "Hit from cloudfront"
    assert found["/buy"]["x-cache"] == "Hit from cloudfront", "the page is kept at the edge, and asked for every time"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_content_security_policy_blocks_an_injected_script(environment: str, sites: Sites, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.goto(_home(sites[environment]))
    blocked = page.evaluate(
        """() => new Promise((resolve) => {
            document.addEventListener("securitypolicyviolation", (event) => resolve([event.effectiveDirective, window.injected ?? null]));
            const script = document.createElement("script");
            script.textContent = "window.injected = true";
            document.head.append(script);
            setTimeout(() => resolve(["nothing", window.injected ?? null]), 5000);
        })"""
    )
    assert blocked == ["script-src-elem", None]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_another_site_cannot_frame_it(environment: str, sites: Sites, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    failed: dict[str, str | None] = {}
    page.on("requestfailed", lambda request: failed.update({request.url: request.failure}))
    html = f'<!doctype html><title>other</title><iframe src="{_home(sites[environment])}"></iframe>'
    page.route("https://other.test/", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto("https://other.test/", wait_until="networkidle")
    assert failed == {_home(sites[environment]): "net::ERR_BLOCKED_BY_RESPONSE"}
    assert page.frames[1].get_by_role("heading", name="Buy").count() == 0


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_plain_http_leads_to_https(environment: str, sites: Sites, browser: Browser) -> None:
    context = browser.new_context(ignore_https_errors=True, viewport=VIEW, http_credentials={"username": USER, "password": PASSWORD})
    page = context.new_page()
    statuses: list[int] = []
    page.on("response", lambda response: statuses.append(response.status) if response.url.startswith("http://") else None)
    page.goto(f"http://{sites[environment].alias}/buy")
    assert statuses == [301]
    assert page.url == _home(sites[environment])
    context.close()


def test_the_answers_come_over_http_2(sites: Sites, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.goto(_home(sites["dev"]))
    assert page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol") == "h2"


def test_a_visitor_with_the_old_page_gets_its_chunks_while_a_new_release_is_published(
    sites: Sites, visitor: BrowserContext, release: Callable[[int], Path], screenshot: Screenshot
) -> None:
    site = sites["sit"]
    page = visitor.new_page()
    observed = Observed.of(page)
    page.goto(_home(site), wait_until="networkidle")
    expect(page.get_by_text("Release 1")).to_be_visible()

    # As publish does: assets first and nothing taken away, the page last.
    new = release(2)
    shutil.copytree(new / "assets", site.content / "assets", dirs_exist_ok=True)
    shutil.copy(new / "index.html", site.content / "index.html")
    site.wait_for_log("reloaded")

    page.get_by_role("link", name="Plans").click()
    expect(page.locator("ul[data-release='1']")).to_be_visible()
    page.get_by_role("link", name="Checkout").click()
    expect(page.get_by_role("status")).to_have_text("Plan yearly, release 1")
    assert observed.failures == []

    page.goto(_home(site), wait_until="networkidle")
    expect(page.get_by_text("Release 2")).to_be_visible()
    page.get_by_role("link", name="Plans").click()
    expect(page.locator("ul[data-release='2']")).to_be_visible()
    screenshot(page, "sit-second-release")


def test_without_the_headers_policy_both_attacks_work(browser: Browser, dist: Path, release: Callable[[int], Path], tmp_path: Path) -> None:
    """The two tests above can fail: a template changed by hand changes the preview, and the browser then lets both happen."""
    shutil.copytree(dist, tmp_path / "dist")
    template = tmp_path / "dist" / "prod" / "site.template.json"
    document = json.loads(template.read_text())
    policy = document["Resources"]["ResponseHeadersPolicy"]["Properties"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    del policy["ContentSecurityPolicy"], policy["FrameOptions"]
    template.write_text(json.dumps(document))
    with preview(tmp_path / "dist", "prod", release(1)) as site:
        assert "was changed after the build" in site.log
        page = browser.new_page(viewport=VIEW)
        page.goto(site.url)
        page.evaluate("() => document.head.append(Object.assign(document.createElement('script'), {textContent: 'window.injected = 1'}))")
        assert page.evaluate("window.injected") == 1
        html = f'<!doctype html><title>other</title><iframe src="{site.url}"></iframe>'
        page.route("http://other.test/", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.goto("http://other.test/", wait_until="networkidle")
        expect(page.frames[1].get_by_role("heading", name="Buy")).to_be_visible()
        page.close()
