"""A site with a replica: what is waited for before what is written, and what is removed only when both have the live release."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from aws.s3 import Stored
from tests.unit.website.live_site import ARTIFACTS, SITE, Live
from website.claims import claim
from website.errors import WebsiteError
from website.publish import live_already, publish
from website.releases import Pending
from website.run import Run
from website.snapshot import read_snapshot


@dataclass
class Replica:
    """Notes what it was asked for, and what had been written by then."""

    live: Live
    whole: bool = True
    asked: list[tuple[frozenset[str], frozenset[str]]] = field(default_factory=list)
    """Keys that were wanted; keys of the site bucket at that moment."""
    released: list[bool] = field(default_factory=list)
    """Whether there was a live release at that moment."""
    kept: frozenset[str] = frozenset()
    forgotten: int = 0

    def catch_up(self, wanted: Mapping[str, str], run: Run, renew: Callable[[], None]) -> bool:
        for key, md5 in wanted.items():
            assert self.live.buckets.objects[SITE, key].etag == md5
        self.asked.append((frozenset(wanted), frozenset(self.live.served())))
        self.released.append(self.live.site.store.state()[0].live is not None)
        renew()
        return self.whole

    def forget(self, kept: Iterable[str], run: Run) -> None:
        self.kept, self.forgotten = frozenset(kept), self.forgotten + 1


@pytest.fixture
def live(tmp_path: Path) -> Live:
    made = Live(folder=tmp_path)
    made.follower = Replica(made)
    return made


def replica(live: Live) -> Replica:
    assert isinstance(live.follower, Replica)
    return live.follower


def test_the_replica_has_what_pages_load_before_there_is_a_page_and_everything_before_the_release_is_live(live: Live) -> None:
    live.deploy(1, **{"robots.txt": "none", "about.html": "<p>about"})
    first, last = replica(live).asked
    assert first[0] == first[1] == {"assets/app-1.js", "robots.txt"}
    assert last[0] == {"assets/app-1.js", "robots.txt", "about.html", "index.html"}
    assert replica(live).released == [False, False]
    assert live.state.live is not None


def test_a_replica_that_lags_keeps_no_release_from_going_live(live: Live) -> None:
    replica(live).whole = False
    outcome = live.deploy(1)
    assert outcome.changed and live.state.live == outcome.release


def test_files_of_an_earlier_release_that_the_page_still_loads_are_waited_for_as_well(live: Live) -> None:
    live.deploy(1, **{"robots.txt": "none"})
    live.deploy(2, **{"robots.txt": "none"})
    assert replica(live).asked[2][0] == {"assets/app-2.js", "robots.txt"}


@pytest.mark.parametrize("turn", range(4))
def test_where_releases_go_elsewhere_by_now_nothing_more_is_written(live: Live, turn: int) -> None:
    """Asked once the claim is there, before the pages, before the index document, and before the release is live."""
    live.deploy(1, **{"about.html": "<p>one"})
    content = live.content(live.app(2, **{"about.html": "<p>two"}))
    asked: list[str] = []

    def still_target() -> None:
        asked.append(live.served()["index.html"])
        if len(asked) > turn:
            raise WebsiteError("promoted", "")

    with pytest.raises(WebsiteError, match="promoted"):
        publish(replace(live.site, still_target=still_target), content, live.run(), origin="build")
    assert live.state.live is not None and (live.state.live.number, live.state.claim) == (1, None)
    assert ("assets/app-2.js" in live.served()) == (turn > 0)
    assert ("<p>two" in live.served()["about.html"], "app-2" in live.served()["index.html"]) == (turn > 1, turn > 2)


def test_a_rollback_is_live_when_both_have_it(live: Live) -> None:
    live.deploy(1)
    live.deploy(2)
    before = len(replica(live).asked)
    live.rollback("1")
    assert [wanted for wanted, _ in replica(live).asked[before:]] == [{"assets/app-1.js", "index.html"}]


def grown_old(live: Live) -> None:
    for number in (1, 2, 3, 4):
        live.deploy(number)
        live.now += timedelta(days=400)


def test_nothing_is_pruned_while_the_replica_may_still_serve_an_earlier_release(live: Live) -> None:
    grown_old(live)
    before = live.served()
    replica(live).whole = False
    with pytest.raises(WebsiteError, match="nothing was removed"):
        live.prune()
    assert live.served() == before and replica(live).forgotten == 0
    assert live.state.claim is None


def test_what_is_pruned_goes_from_the_replica_too_and_nothing_of_a_kept_release(live: Live) -> None:
    grown_old(live)
    live.prune()
    assert replica(live).asked[-1][0] == {"assets/app-4.js", "index.html"}, "what the live page loads is waited for"
    assert "assets/app-1.js" not in live.served()
    assert replica(live).forgotten == 1
    assert replica(live).kept >= {"index.html", "assets/app-4.js", "assets/app-3.js"}
    assert "assets/app-1.js" not in replica(live).kept


def test_where_nothing_was_published_nothing_is_waited_for_and_pruned(live: Live) -> None:
    assert live.prune().live is None
    assert replica(live).asked == [(frozenset(), frozenset())]


def test_a_prune_that_takes_long_says_that_it_is_still_at_it(live: Live) -> None:
    grown_old(live)
    until: list[str] = []

    def slow(method: str, bucket: str, key: str) -> None:
        if method == "delete":
            live.later(seconds=61)
        if (method, bucket) == ("put", ARTIFACTS) and key.endswith("releases.json"):
            until.append(key)

    live.buckets.before = slow
    live.prune()
    assert len(until) == 3, "the claim, once more after what was removed, the end"


@pytest.mark.parametrize(
    "change", [{"deployed": False}, {"claim": True}, {"unfinished": {"m" * 64: "2026-11-23T12:00:00Z"}}, {"pending": True}]
)
def test_what_is_live_is_only_looked_at_again_while_nobody_is_at_it(live: Live, change: dict[str, Any]) -> None:
    content = live.content(live.app(1))
    live.publish(content)
    snapshot = read_snapshot(live.site)
    assert live_already(live.site, content, snapshot, live.now, origin="build") is not None
    if "claim" in change:
        now, etag = live.site.store.state()
        run = live.run()
        held = claim(live.site.store, now, etag, action="prune", manifest="", caller=run.caller, token="t", now=run.now)
        change = {"claim": held.state.claim}
    if "pending" in change:
        change = {"pending": Pending(paths=("/",), reference="r")}
    state = msgspec.structs.replace(snapshot.state, **{k: v for k, v in change.items() if k != "deployed"})
    other = replace(snapshot, state=state, deployed=change.get("deployed", True))
    assert live_already(live.site, content, other, live.now, origin="build") is None


def test_no_more_manifests_are_read_than_those_that_may_have_written_what_is_there(live: Live) -> None:
    for number in range(1, 6):
        live.deploy(number)
    get, read = live.buckets.get, list[str]()

    def counted(bucket: str, key: str) -> Stored:
        if "/manifests/" in key:
            read.append(key)
        return get(bucket, key)

    live.buckets.get = counted  # type: ignore[method-assign]
    live.deploy(6)
    assert len(read) == 2
