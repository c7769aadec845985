"""Bringing an earlier release back, removing old ones, and taking one over from another environment."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from assembly.files import sha256
from aws.errors import AccessDenied
from tests.unit.website.live_site import ARTIFACTS, SITE, Live, Object
from website.claims import claim
from website.content import Content
from website.errors import WebsiteError
from website.ledger import entry_key, verified_key
from website.promotion import fetch, record_verified
from website.releases import find
from website.run import Begun, Sent


@pytest.fixture
def live(tmp_path: Path) -> Live:
    return Live(folder=tmp_path)


def kept(live: Live, text: str) -> tuple[str, str]:
    """Where the kept copy of a file with that content is."""
    return ARTIFACTS, live.site.store.content_key(sha256(text.encode()))


# --- rollback -----------------------------------------------------------------------------------------------------


def test_an_earlier_release_comes_back_as_it_was(live: Live) -> None:
    live.deploy(1, **{"robots.txt": "one"})
    before = live.served()
    live.deploy(2, **{"robots.txt": "two"})
    live.writes()
    live.told.clear()
    outcome = live.rollback("1")
    assert {**live.served(), **before} == live.served()
    assert [write for write in live.writes() if write[0] == "copy"] == [("copy", "robots.txt"), ("copy", "index.html")]
    release = outcome.release
    assert (release.number, release.action, release.origin, release.manifest) == (
        3,
        "rollback",
        "release 1",
        live.state.releases[0].manifest,
    )
    assert live.state.live == release and live.state.claim is None
    assert outcome.invalidation == "I2" and outcome.changed
    assert live.steps()[:2] == ["other files", "index document"]
    assert [(e.files, e.size) for e in live.told if isinstance(e, Begun)][:2] == [(1, 3), (1, len(before["index.html"]))]
    headers = live.buckets.objects[SITE, "index.html"].headers
    assert headers.content_type == "text/html; charset=utf-8" and headers.cache_control


def test_the_live_release_is_there_already(live: Live) -> None:
    live.deploy(1)
    live.writes()
    outcome = live.rollback("1")
    assert (outcome.changed, outcome.release, live.writes()) == (False, live.state.live, [])


def test_one_whose_immutable_files_are_gone_or_others_cannot_come_back(live: Live) -> None:
    live.deploy(1)
    live.deploy(2)
    served = live.served()
    for change in (None, Object(b"other bytes")):
        live.buckets.objects.pop((SITE, "assets/app-1.js"), None)
        if change is not None:
            live.buckets.objects[SITE, "assets/app-1.js"] = change
        with pytest.raises(WebsiteError, match=r"release 1 cannot come back: 1 of its files are gone, assets/app-1.js among them"):
            live.rollback("1")
        assert live.served()["index.html"] == served["index.html"] and live.state.live is not None and live.state.live.number == 2


def test_immutable_files_that_are_there_with_other_headers_get_those_of_the_release(live: Live) -> None:
    live.deploy(1)
    wanted = live.buckets.objects[SITE, "assets/app-1.js"].headers
    live.deploy(2)
    rules = tuple(msgspec.structs.replace(rule, cache_control="no-store") for rule in live.contract.cache_rules)
    original, live.contract = live.contract, msgspec.structs.replace(live.contract, cache_rules=rules)
    live.publish(live.content({**live.app(1)}))
    assert live.buckets.objects[SITE, "assets/app-1.js"].headers.cache_control == "no-store"
    live.contract = original
    live.rollback("1")
    assert live.buckets.objects[SITE, "assets/app-1.js"].headers == wanted


@pytest.mark.attack
@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda o: None, "is gone"),
        (lambda o: Object(b"evil", o.headers, Object(b"evil").etag), "has other bytes than its name says"),
        (lambda o: Object(b"evil", o.headers), "has other bytes than its name says"),
    ],
)
def test_a_kept_copy_that_is_not_what_was_published_stops_it_before_anything_changes(live: Live, harm, words: str) -> None:  # type: ignore[no-untyped-def]
    live.deploy(1)
    page = live.served()["index.html"]
    live.deploy(2)
    where = kept(live, page)
    changed = harm(live.buckets.objects.pop(where))
    if changed is not None:
        live.buckets.objects[where] = changed
    live.writes()
    with pytest.raises(WebsiteError, match=words) as refused:
        live.rollback("1")
    assert "list-object-versions --bucket artifacts" in refused.value.command
    assert live.writes() == [] and live.state.live is not None and live.state.live.number == 2


@pytest.mark.attack
def test_a_kept_copy_that_is_exchanged_while_it_is_copied_does_not_go_live(live: Live) -> None:
    live.deploy(1)
    page = live.served()["index.html"]
    live.deploy(2)

    def exchange(method: str, bucket: str, key: str) -> None:
        if (method, key) == ("copy", "index.html"):
            live.buckets.objects[kept(live, page)] = Object(b"evil")

    live.buckets.before = exchange
    with pytest.raises(WebsiteError, match="was exchanged while it was copied"):
        live.rollback("1")
    assert "app-2" in live.served()["index.html"]


def test_a_kept_copy_without_a_checksum_is_read_and_compared(live: Live) -> None:
    live.deploy(1)
    page = live.served()["index.html"]
    live.deploy(2)
    live.buckets.objects[kept(live, page)].checksum = ""
    live.writes()
    live.rollback("1")
    assert live.served()["index.html"] == page
    assert ("upload", "index.html") in live.writes()
    assert live.buckets.objects[SITE, "index.html"].headers.content_type == "text/html; charset=utf-8"


@pytest.mark.attack
def test_a_release_that_the_site_bucket_does_not_know_comes_back_for_its_whole_digest_only(live: Live) -> None:
    live.deploy(1)
    live.deploy(2)
    release = live.state.releases[0]
    del live.buckets.objects[SITE, entry_key("", 1, release.manifest)]
    with pytest.raises(WebsiteError, match="release 1 of dev is not believed"):
        live.rollback("1")
    with pytest.raises(WebsiteError, match="not believed"):
        live.rollback("1", digest=release.manifest[:63])
    assert live.rollback("1", digest=release.manifest).changed


@pytest.mark.attack
def test_the_one_before_is_not_guessed_where_the_list_hides_something(live: Live) -> None:
    for number in (1, 2, 3):
        live.deploy(number)
    assert live.rollback("2", chosen=False).release.origin == "release 2"
    now, etag = live.site.store.state()
    live.site.store.write(msgspec.structs.replace(now, releases=(now.releases[0], *now.releases[2:])), etag)
    with pytest.raises(WebsiteError, match="release 2 was begun in dev and is not in the list"):
        live.rollback("1", chosen=False)
    live.site.store.write(msgspec.structs.replace(now, releases=now.releases[:2]), live.site.store.state()[1])
    with pytest.raises(WebsiteError, match="release 4 was begun"):
        live.rollback("1", chosen=False)
    assert live.rollback("1").changed, "who names it means it"


def test_a_manifest_that_is_gone_is_said(live: Live) -> None:
    live.deploy(1)
    live.deploy(2)
    del live.buckets.objects[ARTIFACTS, live.site.store.key(f"manifests/{live.state.releases[0].manifest}.json")]
    with pytest.raises(Exception, match="no "):
        live.rollback("1")
    assert live.state.live is not None and live.state.live.number == 2


# --- prune --------------------------------------------------------------------------------------------------------


def aged(live: Live, count: int) -> None:
    """So many releases, a month apart; two are kept."""
    for number in range(1, count + 1):
        live.deploy(number)
        live.later(days=30)


def test_what_no_release_needs_any_more_is_removed_and_nothing_else(live: Live) -> None:
    aged(live, 4)
    live.buckets.objects[SITE, "theirs.txt"] = Object(b"of somebody else")
    wanted = live.prunable()
    assert wanted.keys == ("assets/app-1.js", "assets/app-2.js") and wanted.releases == (1, 2)
    assert wanted.size == len("export default 1;") * 2
    one = live.state.releases[0]
    live.buckets.objects[SITE, verified_key("", 1, one.manifest)] = Object(b"")
    live.told.clear()
    live.writes()
    state = live.prune()
    removed = sorted(key for method, key in live.writes() if method == "delete")
    entries = [make("", each.number, each.manifest) for each in live.state.releases[:2] for make in (entry_key, verified_key)]
    assert removed == sorted([*wanted.keys, *entries[:3]]), "what is not there gets no delete marker"
    assert sorted(live.served()) == ["assets/app-3.js", "assets/app-4.js", "index.html", "theirs.txt"]
    assert [bool(r.pruned_at) for r in state.releases] == [True, True, False, False]
    assert state.claim is None and state == live.state
    assert [key.split("-")[0] for key in live.ledger()] == [".releases/3", ".releases/4"]
    assert [(e.files, e.size) for e in live.told if isinstance(e, Begun)] == [(2, wanted.size)]
    assert {(e.key, e.size) for e in live.told if isinstance(e, Sent)} == {(key, 17) for key in wanted.keys}
    assert live.prunable().keys == () and live.prunable().releases == ()


def test_within_the_grace_period_nothing_is_removed(live: Live) -> None:
    for number in range(1, 5):
        live.deploy(number)
    assert live.prunable().keys == ()
    live.later(days=live.contract.release_grace_days - 1)
    assert live.prunable().keys == ()
    live.later(days=2)
    assert live.prunable().keys == ("assets/app-1.js", "assets/app-2.js")


def test_an_object_that_was_written_again_is_not_removed(live: Live) -> None:
    aged(live, 4)

    def again(method: str, bucket: str, key: str) -> None:
        if (method, key) == ("delete", "assets/app-1.js"):
            live.buckets.objects[SITE, key] = Object(b"theirs")

    live.buckets.before = again
    with pytest.raises(Exception, match="changed"):
        live.prune()
    assert live.served()["assets/app-1.js"] == "theirs"
    assert live.state.releases[0].pruned_at == ""


def test_a_publish_that_is_under_way_keeps_its_files(live: Live) -> None:
    aged(live, 4)
    bob = live.run("bob")
    now, etag = live.site.store.state()
    one = now.releases[0].manifest
    claim(live.site.store, now, etag, action="publish", manifest=one, caller=bob.caller, token="b", now=bob.now)
    assert live.prunable().keys == ("assets/app-2.js",)


def test_a_prune_that_is_under_way_keeps_nothing_of_its_own(live: Live) -> None:
    aged(live, 4)
    bob = live.run("bob")
    now, etag = live.site.store.state()
    claim(live.site.store, now, etag, action="prune", manifest="", caller=bob.caller, token="b", now=bob.now)
    assert live.prunable().keys == ("assets/app-1.js", "assets/app-2.js")


def test_a_publish_that_was_given_up_keeps_its_files_for_as_long_as_visitors_may_have_its_page(live: Live) -> None:
    aged(live, 4)

    def cut(method: str, bucket: str, key: str) -> None:
        if key == "index.html":
            raise KeyboardInterrupt

    live.buckets.before = cut
    with pytest.raises(KeyboardInterrupt):
        live.deploy(5)
    live.buckets.before = lambda *_: None
    [given_up] = live.state.unfinished
    live.deploy(6)
    unneeded = ("assets/app-1.js", "assets/app-2.js", "assets/app-3.js")
    assert live.prunable().keys == unneeded
    live.later(days=live.contract.release_grace_days - 1)
    assert live.prunable().keys == unneeded
    assert list(live.prune().unfinished) == [given_up]
    live.later(days=1)
    assert live.prunable().keys == ("assets/app-5.js",)
    assert live.prune().unfinished == {}
    assert sorted(live.served()) == ["assets/app-4.js", "assets/app-6.js", "index.html"]


@pytest.mark.attack
def test_a_list_of_releases_that_leaves_out_the_newest_does_not_make_its_files_removable(live: Live) -> None:
    aged(live, 4)
    now, etag = live.site.store.state()
    live.site.store.write(msgspec.structs.replace(now, releases=now.releases[:3]), etag)
    assert live.prunable().keys == (), "the manifest of the newest is not read, so what it needs is not known"


# --- from another environment -------------------------------------------------------------------------------------


def fetched(live: Live, tmp_path: Path, entry: str = "/") -> Content:
    folder = tmp_path / "fetched"
    folder.mkdir()
    index = "/index.html" if entry == "/" else f"{entry}/index.html"
    contract = msgspec.structs.replace(live.contract, entry_path=entry, index_document=index)
    release = live.state.live
    assert release is not None
    live.told.clear()
    return fetch(live.site, release, contract, folder, live.told.append)


def test_a_release_is_fetched_with_every_byte_compared(live: Live, tmp_path: Path) -> None:
    live.deploy(1, **{"robots.txt": "none"})
    content = fetched(live, tmp_path)
    assert [entry.key for entry in content.entries] == ["assets/app-1.js", "index.html", "robots.txt"]
    assert {key: file.path.read_text() for key, file in content.files.items()} == live.served()
    assert live.state.live is not None and content.digest == live.state.live.content
    assert [(e.files, e.size) for e in live.told if isinstance(e, Begun)] == [(3, sum(map(len, live.served().values())))]
    assert {e.key for e in live.told if isinstance(e, Sent)} == set(live.served())


def test_what_is_generated_there_is_not_fetched_but_made_for_here(live: Live, tmp_path: Path) -> None:
    live.contract = msgspec.structs.replace(live.contract, config_json={"api": "there"})
    live.deploy(1)
    live.contract = msgspec.structs.replace(live.contract, config_json={"api": "here"})
    content = fetched(live, tmp_path)
    [config] = [entry for entry in content.entries if entry.key == "config.json"]
    assert config.generated and b"here" in content.generated["config.json"]
    assert sorted(content.files) == ["assets/app-1.js", "index.html"]
    assert live.state.live is not None and content.digest == live.state.live.content


def test_what_is_generated_there_does_not_come_along_where_nothing_is_generated(live: Live, tmp_path: Path) -> None:
    live.contract = msgspec.structs.replace(live.contract, config_json={"api": "there"})
    live.deploy(1)
    live.contract = msgspec.structs.replace(live.contract, config_json=None)
    content = fetched(live, tmp_path)
    assert [entry.key for entry in content.entries] == ["assets/app-1.js", "index.html"] == sorted(content.files)


def test_what_is_generated_here_takes_the_place_of_a_file_of_the_release(live: Live, tmp_path: Path) -> None:
    live.deploy(1, **{"config.json": "{}"})
    live.contract = msgspec.structs.replace(live.contract, config_json={"api": "here"})
    content = fetched(live, tmp_path)
    assert [(entry.key, entry.generated) for entry in content.entries if entry.key == "config.json"] == [("config.json", True)]
    assert "config.json" not in content.files


def test_a_release_gets_the_prefix_and_the_cache_rules_of_where_it_goes(live: Live, tmp_path: Path) -> None:
    live.deploy(1)
    content = fetched(live, tmp_path, "/buy")
    assert content.prefix == "buy/" and [e.key for e in content.entries] == ["buy/assets/app-1.js", "buy/index.html"]
    assert live.state.live is not None and content.digest == live.state.live.content


@pytest.mark.attack
@pytest.mark.parametrize("which", ["page", "script", "content"])
def test_a_release_that_is_not_what_was_published_is_not_fetched(live: Live, tmp_path: Path, which: str) -> None:
    live.deploy(1)
    match which:
        case "page":
            live.buckets.objects[kept(live, live.served()["index.html"])] = Object(b"evil")
        case "script":
            live.buckets.objects[SITE, "assets/app-1.js"] = Object(b"evil")
        case "content":
            now, etag = live.site.store.state()
            live.site.store.write(
                msgspec.structs.replace(now, releases=(msgspec.structs.replace(now.releases[0], content="e" * 64),)), etag
            )
    with pytest.raises(
        WebsiteError, match=r"is not (what was published as release 1 of dev|the content that releases.json says \(e{12}\)$)"
    ):
        fetched(live, tmp_path)


def test_verifying_enters_the_live_release_in_the_ledger(live: Live) -> None:
    live.deploy(1)
    release = find(live.state, "1")
    record_verified(live.site, release, by="ann", at="2026-11-23T13:00:00Z")
    assert verified_key("", 1, release.manifest) in live.ledger()


def test_a_listing_that_is_not_ours_to_read_ends_it(live: Live) -> None:
    def denied(bucket: str, prefix: str = "") -> object:
        raise AccessDenied("no")

    live.deploy(1)
    live.buckets.list = denied  # type: ignore[method-assign,assignment]
    with pytest.raises(AccessDenied):
        live.deploy(2)
