"""Invalidation paths, the content plan's text, and verify's outputs."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assembly.model import CacheRule
from aws.errors import AccessDenied
from review.content_view import counts, lines
from review.verify_view import as_junit, data, line, summary
from tests.environments_fixture import environments
from tests.unit.website.live_site import SITE, Live
from verification.model import Result
from website.content import generated_entry
from website.content_plan import ContentPlan, FileChange, content_plan_digest
from website.errors import Busy
from website.invalidation import SINGLE_PATHS, WILDCARDS, Behaviour, Behaviours, paths
from website.planner import _change
from website.publish import live_already, publish
from website.snapshot import read_snapshot


def behaviours(*cached: str, default: bool = False) -> Behaviours:
    """These patterns are cached."""
    return Behaviours(ordered=(*(Behaviour(pattern=p, cached=True) for p in cached), Behaviour(pattern="/*", cached=default)))


def invalidated(keys: list[str], known: Behaviours) -> tuple[str, ...]:
    """Paths for keys of an app under /buy."""
    return paths(keys, known, index_key="index.html", entry_path="/buy")


def test_the_projects_own_distribution_caches_its_pages_too() -> None:
    from stacks.synthesis import synthesise

    known = Behaviours.of_template(synthesise(environments()["dev"]).templates["site"])
    assert known.cached("/assets/x.js")
    assert known.cached("/index.html")
    assert invalidated(["robots.txt", "config.json"], known) == ("/config.json", "/robots.txt")
    assert invalidated(["index.html", "assets/logo.svg"], known) == ("/assets/logo.svg", "/buy", "/buy/*", "/index.html")


def test_a_cached_page_is_forgotten_under_every_path_it_answers() -> None:
    assert invalidated(["index.html"], behaviours(default=True)) == ("/buy", "/buy/*", "/index.html")


def test_an_entry_path_of_two_spellings_is_covered_by_one_wildcard() -> None:
    known = behaviours(default=True)
    assert paths(["index.html"], known, index_key="index.html", entry_path="/shop~1/") == ("/index.html", "/shop*")
    assert paths(["index.html"], known, index_key="index.html", entry_path="/") == ("/", "/*", "/index.html")


def test_folders_too_many_become_those_above_them_the_deepest_first() -> None:
    known = behaviours(default=True)
    deep = [f"a/b/c{number}/x~y.txt" for number in range(14)]
    assert invalidated([*deep, "p/x~y", "q/x~y"], known) == ("/a/b/*", "/p/*", "/q/*")
    assert invalidated([f"{letter}/x~y" for letter in "abcdefghijklmnop"], known) == ("/*",)


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({}, "--content DIR"),
        ({"directory": "/a b/dist"}, "--content '/a b/dist'"),
        ({"directory": "/dist", "release": "sit:abc"}, "--release sit:abc"),
    ],
)
def test_what_asks_for_the_same_content_again(given: dict[str, str], option: str) -> None:
    plan = ContentPlan(environment="dev", bucket="b", origin="o", manifest="m", content="c", files=1, size=1, **given)  # type: ignore[arg-type]
    assert plan.option == option


def test_paths_are_percent_encoded() -> None:
    assert invalidated(["assets/a b\u00e9.png"], behaviours("/assets/*")) == ("/assets/a%20b%C3%A9.png",)


@pytest.mark.parametrize(
    ("pattern", "path", "cached"), [("/a?.js", "/ab.js", True), ("/A*", "/a", False), ("/[ab]", "/a", False), ("/*.png", "/x/y.png", True)]
)
def test_patterns_are_cloudfronts(pattern: str, path: str, cached: bool) -> None:
    assert behaviours(pattern).cached(path) is cached


@pytest.mark.parametrize("key", ["assets/runtime~main.js", "assets/runtime@2x.png", "assets/runtime+1.js", "assets/runtime[1].js"])
def test_characters_with_two_spellings_are_covered_by_a_wildcard(key: str) -> None:
    assert invalidated([key], behaviours("/assets/*")) == ("/assets/runtime*",)


TAKEN = re.compile(r"/(?:[!$&'()*+,\-./0-9:;=?@A-Z_a-z]|%[0-9A-F]{2})*")
"""What CreateInvalidation takes: see `emulator/distributions.py`, tested against the command line in the functional tests."""


@given(st.lists(st.text("abc/~@ é%[", min_size=1, max_size=12).filter(lambda k: not k.startswith("/")), max_size=400, unique=True))
def test_every_overwritten_path_is_covered_within_cloudfronts_limits(keys: list[str]) -> None:
    found = invalidated(keys, behaviours(default=True))
    wild = [path for path in found if path.endswith("*")]
    assert len(found) <= SINGLE_PATHS
    assert len(wild) <= WILDCARDS
    assert all(TAKEN.fullmatch(path) for path in found)
    for key in keys:
        spellings = {"/" + quote(key, safe="/~@["), "/" + quote(key, safe="/")}
        assert all(path in found or any(path.startswith(w[:-1]) for w in wild) for path in spellings)


def plan(**changes: object) -> ContentPlan:
    """Of one new file."""
    change = FileChange(key="assets/x.js", change="add", size=10, content_type="text/javascript", cache_control="no-cache")
    given: dict[str, object] = {
        "environment": "dev",
        "bucket": "b",
        "origin": "dist",
        "manifest": "m" * 64,
        "content": "c" * 64,
        "files": 1,
        "size": 10,
        "changes": (change,),
    }
    return ContentPlan(**{**given, **changes})  # type: ignore[arg-type]


def test_the_plan_says_what_is_written_kept_and_forgotten() -> None:
    made = plan(superseded=("old.js",), prunable=("older.js",), invalidations=("/x",), notes=("mind this",), kept=3)
    text = "\n".join([*lines(made), counts(made)])
    for wanted in ("+ assets/x.js", "+ new", "old.js", "older.js", "CloudFront must forget: /x", "warning: mind this", "3 kept"):
        assert wanted in text
    assert "~ changed" not in text, "only the marks in use are explained"


def test_the_plans_digest_changes_with_anything_in_it() -> None:
    base = content_plan_digest(plan())
    assert content_plan_digest(plan(digest="x")) == base
    assert (
        len({base, content_plan_digest(plan(kept=1)), content_plan_digest(plan(invalidations=("/",))), content_plan_digest(plan(live="a"))})
        == 4
    )


RESULTS = (
    Result(id="a.b", title="One", status="passed", detail="fine"),
    Result(id="a.c", title="Two", status="failed", detail="<bad> & \x00\x1b[31m"),
    Result(id="a.d", title="Three", status="skipped", detail="no password"),
)


def test_junit_is_xml_whatever_a_site_answers() -> None:
    suite = ET.fromstring(as_junit(RESULTS, environment="dev")).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")


def test_json_and_table_tell_the_same() -> None:
    assert data(RESULTS, environment="dev", domain="d")["results"] == RESULTS
    assert summary(RESULTS, "dev") == "dev: 1 passed, 1 failed, 1 skipped"
    shown = line(RESULTS[1], width=100, colour=False)
    assert "FAIL" in shown
    assert "\x1b" not in shown


def test_a_release_that_is_live_is_written_again_where_a_file_of_it_has_gone(tmp_path: Path) -> None:
    live = Live(folder=tmp_path)
    content = live.content(live.app(1))
    live.publish(content)
    assert not live.plan(content).has_changes
    del live.buckets.objects[SITE, "assets/app-1.js"]
    plan = live.plan(content)
    assert plan.manifest == plan.live and [change.key for change in plan.changes] == ["assets/app-1.js"] and plan.has_changes


def test_as_many_folders_as_cloudfront_takes_stay_as_they_are() -> None:
    names = [f"f{folder}/{number}.txt" for folder in range(WILDCARDS) for number in range(SINGLE_PATHS // WILDCARDS + 1)]
    assert invalidated(names, behaviours(default=True)) == tuple(sorted(f"/f{folder}/*" for folder in range(WILDCARDS)))


def test_what_no_behaviour_is_known_of_may_be_kept() -> None:
    assert Behaviours(ordered=()).cached("/x")


def test_of_all_that_may_have_been_written_the_headers_of_the_live_release_are_told(tmp_path: Path) -> None:
    made = {name: generated_entry("a.txt", b"a", (CacheRule(pattern="*", cache_control=name),)) for name in ("given up", "live", "new")}
    there: Any = SimpleNamespace(objects={"a.txt": (made["live"].md5, 1)})
    change = _change(made["new"], there, {("a.txt", made["live"].md5): (made["given up"], made["live"])})
    assert change is not None and (change.change, change.before) == ("headers", "text/plain; charset=utf-8; cache-control: live")
    assert _change(made["live"], there, {("a.txt", made["live"].md5): (made["live"],)}) is None
    live = Live(folder=tmp_path)
    assert live.plan(live.content(live.app(1))).live_number == 0, "nothing is live yet"


def test_content_that_is_live_is_known_by_reading_alone_and_no_other_is(tmp_path: Path) -> None:
    live = Live(folder=tmp_path)
    one, two = (live.content(live.app(number)) for number in (1, 2))
    assert live_already(live.site, one, read_snapshot(live.site), live.now, origin="build") is None, "nothing is"
    live.publish(one)
    live.writes()
    snapshot = read_snapshot(live.site)
    found = live_already(live.site, one, snapshot, live.now, origin="build")
    assert found is not None and found.release == live.state.live and not found.changed
    assert live_already(live.site, two, snapshot, live.now, origin="build") is None
    assert live.writes() == []


def test_a_publish_goes_on_from_what_was_read_a_moment_ago(tmp_path: Path) -> None:
    live = Live(folder=tmp_path)
    live.deploy(1)
    snapshot = read_snapshot(live.site)
    live.deploy(2)
    with pytest.raises(Busy, match="user/ann was first: release 2"):
        publish(live.site, live.content(live.app(3)), live.run(), origin="build", snapshot=snapshot)


def test_what_a_release_long_ago_has_written_is_there_and_not_written_again(tmp_path: Path) -> None:
    live = Live(folder=tmp_path)
    for number in (1, 2, 3):
        live.deploy(number)
    live.writes()
    live.deploy(1)
    assert [key for _, key in live.writes() if not key.startswith(".releases/")] == ["index.html"]


def test_what_is_live_already_costs_no_write_at_all(tmp_path: Path) -> None:
    live = Live(folder=tmp_path)
    content = live.content(live.app(1))
    live.publish(content)
    live.buckets.calls.clear()
    assert not live.publish(content).changed and live.buckets.calls == []


def test_notes_are_told_unless_they_were_approved_with_the_plan(tmp_path: Path) -> None:
    live = Live(folder=tmp_path)
    content = replace(live.content(live.app(1)), notes=("mind this",))
    live.publish(content, approved=live.plan(content))
    assert live.warnings() == []
    live.publish(replace(live.content(live.app(2)), notes=("mind this",)))
    assert live.warnings() == ["mind this"]


def test_a_release_that_the_ledger_does_not_take_writes_no_file(tmp_path: Path) -> None:
    live = Live(folder=tmp_path)
    live.deploy(1)
    served = live.served()

    def refuse(method: str, bucket: str, key: str) -> None:
        if ".releases/" in key:
            raise AccessDenied("not you")

    live.buckets.before = refuse
    with pytest.raises(AccessDenied):
        live.deploy(2)
    assert live.served() == served and live.state.claim is None


def test_no_manifest_is_looked_for_where_none_is_expected(tmp_path: Path) -> None:
    live = Live(folder=tmp_path)
    live.deploy(1)
    asked: list[str] = []
    anything: Any = live.buckets
    anything.head = lambda bucket, key, **_: asked.append(key)
    read_snapshot(live.site)
    assert asked == []
