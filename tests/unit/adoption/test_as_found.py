"""What a bucket held before it was taken over becomes the first release, and comes back as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adoption.as_found import release_as_found
from aws.s3 import Headers
from tests.unit.website.live_site import ARTIFACTS, SITE, Live, Object
from website.errors import Busy, NotDeployed, WebsiteError
from website.run import Begun, Sent

OLD = {"index.html": "<!doctype html>old", "assets/app-0.js": "old", "robots.txt": "old"}


@pytest.fixture
def live(tmp_path: Path) -> Live:
    """A bucket that somebody has filled by `aws s3 sync`."""
    found = Live(folder=tmp_path)
    for key, text in OLD.items():
        kind = "text/html" if key.endswith("html") else "text/javascript" if key.endswith("js") else "text/plain"
        cache = "public, max-age=31536000, immutable" if "assets" in key else ""
        found.buckets.objects[SITE, key] = Object(text.encode(), Headers(content_type=kind, cache_control=cache))
    return found


def test_nothing_that_visitors_get_is_written(live: Live) -> None:
    outcome = release_as_found(live.site, live.run())
    assert live.writes() == [("put", next(iter(live.ledger())))]
    assert live.served() == OLD and live.edge.asked == []
    assert (outcome.release.number, outcome.release.files, outcome.release.origin) == (1, 3, f"as found in s3://{SITE}")
    assert live.state.live == outcome.release and live.state.claim is None
    # Pages and the like, once; what has a name of its own for ever is not copied.
    assert len([key for bucket, key in live.buckets.objects if bucket == ARTIFACTS and "/content/" in key]) == 2


def test_what_a_console_makes_for_a_folder_is_no_file_of_the_release(live: Live) -> None:
    live.buckets.objects[SITE, "images/"] = Object(b"")
    assert release_as_found(live.site, live.run()).release.files == len(OLD)


def test_it_comes_back_after_a_publish_with_the_headers_that_it_had(live: Live) -> None:
    before = dict(live.buckets.objects)
    release_as_found(live.site, live.run())
    live.deploy(1, **{"robots.txt": "new"})
    assert live.served()["robots.txt"] == "new"
    live.rollback("1")
    assert {**live.served(), **OLD} == live.served()
    after = live.buckets.objects
    assert all(after[SITE, key].headers.content_type == before[SITE, key].headers.content_type for key in OLD)
    assert after[SITE, "index.html"].headers.cache_control == ""


def test_its_files_go_with_it_once_nobody_needs_them_and_no_others(live: Live) -> None:
    release_as_found(live.site, live.run())
    live.buckets.objects[SITE, "by-hand.txt"] = Object(b"somebody else's")
    live.deploy(1)
    live.deploy(2)
    assert live.prunable().keys == ()
    live.later(days=30)
    live.deploy(3)
    assert set(live.prunable().keys) >= {"assets/app-0.js"}
    assert "by-hand.txt" not in live.prunable().keys


def test_the_same_content_published_again_only_gets_the_headers_of_the_contract(live: Live) -> None:
    release_as_found(live.site, live.run())
    plan = live.plan(live.content(OLD))
    assert {change.key: change.change for change in plan.changes if change.key in OLD}["index.html"] == "headers"
    assert all(change.before != "" for change in plan.changes if change.change == "headers")


def test_it_is_the_first_release_or_none(live: Live) -> None:
    live.deploy(1)
    live.writes()
    with pytest.raises(WebsiteError, match="has releases already"):
        release_as_found(live.site, live.run())
    assert live.writes() == []


def test_a_bucket_without_a_page_or_no_bucket_is_no_release(live: Live) -> None:
    del live.buckets.objects[SITE, "index.html"]
    with pytest.raises(WebsiteError, match=r"holds no index\.html: what is in it \(2 files\) is no site"):
        release_as_found(live.site, live.run())
    live.buckets.missing.add(SITE)
    with pytest.raises(NotDeployed):
        release_as_found(live.site, live.run())
    assert live.writes() == [] and live.ledger() == []


def test_a_pipeline_that_still_writes_there_is_noticed(live: Live) -> None:
    listed = live.buckets.list

    def list_then_write(bucket: str, prefix: str = "") -> object:
        found = list(listed(bucket, prefix))
        live.buckets.objects[SITE, "robots.txt"] = Object(b"newer")
        return iter(found)

    live.buckets.list = list_then_write  # type: ignore[method-assign, assignment]
    with pytest.raises(Busy, match=r"robots\.txt was written by somebody else"):
        release_as_found(live.site, live.run())
    assert live.ledger() == []


def test_killed_half_way_it_is_done_by_the_next_run(live: Live) -> None:
    def stop(method: str, bucket: str, key: str) -> None:
        if method == "copy":
            raise KeyboardInterrupt

    live.buckets.before = stop
    with pytest.raises(KeyboardInterrupt):
        release_as_found(live.site, live.run())
    assert live.state.live is None and live.ledger() == []
    live.buckets.before = lambda *_: None
    assert release_as_found(live.site, live.run()).release.number == 1


def test_an_encoding_that_a_release_does_not_carry_is_told(live: Live) -> None:
    live.buckets.objects[SITE, "old.js"] = Object(b"zipped", Headers(content_encoding="gzip"))
    release_as_found(live.site, live.run())
    assert live.warnings() == ["old.js is stored as gzip, which a release does not carry: it comes back without"]


def test_what_was_uploaded_in_parts_is_written_in_one_piece_so_that_it_is_known_by_its_digest(live: Live) -> None:
    page = live.buckets.objects[SITE, "robots.txt"]
    encoded = replace(page.headers, content_encoding="br")
    live.buckets.objects[SITE, "robots.txt"] = replace(page, parts=2, headers=encoded)
    release_as_found(live.site, live.run())
    assert ("copy", "robots.txt") in live.writes() and live.served() == OLD
    manifest = live.site.store.manifest(live.state.live.manifest) if live.state.live else None
    (wanted,) = (entry for entry in (manifest.files if manifest else ()) if entry.key == "robots.txt")
    after = live.buckets.objects[SITE, "robots.txt"]
    assert after.etag == wanted.md5 and after.headers == encoded


def test_every_step_and_every_file_that_was_read_is_told(live: Live) -> None:
    release_as_found(live.site, live.run())
    steps = [(e.step, e.files, e.size) for e in live.told if isinstance(e, Begun)]
    size = sum(map(len, OLD.values()))
    assert steps == [("reading what is there", 3, size), ("keeping copies for a rollback", 2, size - len(OLD["assets/app-0.js"]))]
    read = sorted(e.key for e in live.told if isinstance(e, Sent))
    assert read == sorted([*OLD, "index.html", "robots.txt"]), "each is read, and two are kept"


def test_what_is_written_in_one_piece_is_told(live: Live) -> None:
    live.buckets.objects[SITE, "robots.txt"] = replace(live.buckets.objects[SITE, "robots.txt"], parts=2)
    release_as_found(live.site, live.run())
    assert ("writing in one piece what was not", 1, 3) in [(e.step, e.files, e.size) for e in live.told if isinstance(e, Begun)]


def test_what_a_run_that_was_cut_off_has_entered_is_no_file_and_a_file_without_a_type_is_one_of_bytes(live: Live) -> None:
    def cut(method: str, bucket: str, key: str) -> None:
        if (method, bucket) == ("put", ARTIFACTS) and key.endswith("releases.json") and live.ledger():
            raise KeyboardInterrupt

    live.buckets.objects[SITE, "a.bin"] = Object(b"x", Headers(content_type=""))
    live.buckets.before = cut
    with pytest.raises(KeyboardInterrupt):
        release_as_found(live.site, live.run())
    live.buckets.before = lambda *_: None
    release = release_as_found(live.site, live.run(take_over=True)).release
    assert len(live.ledger()) == 1 and release.files == len(OLD) + 1
    types = {entry.key: entry.content_type for entry in live.site.store.manifest(release.manifest).files}
    assert (types["a.bin"], types["index.html"]) == ("binary/octet-stream", "text/html")
