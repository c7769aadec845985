"""Pages that went white and pages that only look suspicious, in Chromium over the preview: the truth that the static checks are held to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Playwright

from assembly.files import read as read_assembly
from tests.browser import previews
from tests.browser.previews import Running
from tests.pages_corpus import FINE, WHITE, Case
from verification.browser import opened, visit
from verification.model import Endpoint, Target
from website.content import read
from website.errors import SourceError


@pytest.fixture(scope="module")
def site(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A preview of production, whose content changes from test to test."""
    content = tmp_path_factory.mktemp("pages") / "site"
    content.mkdir()
    (content / "index.html").write_text("<p>")
    with previews.preview(dist, "prod", content, "--https") as running:
        yield running


@pytest.fixture(scope="module")
def target(dist: Path, site: Running) -> Target:
    """The same as `verify --browser` has it."""
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is not installed; run tests/browser/setup.sh"
    endpoint = Endpoint(host="127.0.0.1", port=site.port)
    return Target(contract=read_assembly(dist / "prod")[0].site, endpoint=endpoint, preview=True, browser=chromium)


@pytest.fixture(scope="module")
def chromium(playwright: Playwright, target: Target) -> Iterator[BrowserContext]:
    """For the whole file."""
    with opened(playwright, target) as context:
        yield context


def _serve(site: Running, case: Case) -> None:
    """Put the site into the preview's folder, and wait until that is what it serves."""
    before = site.log.count("reloaded")
    for path in sorted(site.content.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    for name, body in case.all_files.items():
        file = site.content / name
        file.parent.mkdir(parents=True, exist_ok=True)
        text = body.replace("ORIGIN", site.alias) if isinstance(body, str) else body
        file.write_bytes(text.encode() if isinstance(text, str) else text)
    site.wait_for_log("reloaded", count=before + 1)


def _refused(site: Running, target: Target) -> list[str]:
    try:
        read(site.content, target.contract)
    except SourceError as error:
        return list(error.problems)
    return []


def _seen(chromium: BrowserContext, target: Target) -> tuple[str, ...]:
    """What goes wrong at a deep link, where all goes wrong that may."""
    found = visit(chromium, f"https://{target.contract.domain}", "/buy/orders/42", quiet=200)
    return (*found.policy, *found.console, *found.requests)


@pytest.mark.parametrize("case", [case for case in WHITE if not case.unseen], ids=lambda case: case.name)
def test_what_is_refused_breaks_in_chromium(case: Case, site: Running, target: Target, chromium: BrowserContext) -> None:
    _serve(site, case)
    assert _refused(site, target), "the static checks have nothing against it"
    assert _seen(chromium, target), "Chromium has nothing against it"


@pytest.mark.parametrize("case", FINE, ids=lambda case: case.name)
def test_what_is_not_refused_works_in_chromium(case: Case, site: Running, target: Target, chromium: BrowserContext) -> None:
    _serve(site, case)
    assert _refused(site, target) == []
    assert _seen(chromium, target) == ()
