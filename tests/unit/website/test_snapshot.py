"""The bucket and the releases at one moment: what is read, and what is believed of it."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from assembly.files import sha256
from aws.s3 import Stored
from tests.unit.website.live_site import ARTIFACTS, SITE, Live
from website.claims import claim
from website.errors import Busy, SourceError
from website.planner import manifest_of
from website.releases import manifest_digest, timestamp
from website.snapshot import Snapshot, read_snapshot
from website.writing import temporary_files


@pytest.fixture
def live(tmp_path: Path) -> Live:
    return Live(folder=tmp_path)


def reading(live: Live, *expected: int) -> tuple[Snapshot, list[str]]:
    """What is there, where the release of that number is expected; and the digests of the manifests that were read for it."""
    get, read = live.buckets.get, list[str]()

    def counted(bucket: str, key: str) -> Stored:
        if "/manifests/" in key:
            read.append(key.rpartition("/")[2].removesuffix(".json"))
        return get(bucket, key)

    content = [manifest_of(live.site, live.content(live.app(number))) for number in expected]
    live.buckets.get = counted  # type: ignore[method-assign]
    try:
        return read_snapshot(live.site, *content), read
    finally:
        live.buckets.get = get  # type: ignore[method-assign]


def digests(live: Live, *numbers: int) -> set[str]:
    return {manifest_digest(manifest_of(live.site, live.content(live.app(number)))) for number in numbers}


def test_a_manifest_that_is_the_live_one_need_not_be_read(live: Live) -> None:
    for number in (1, 2, 3):
        live.deploy(number)
    snapshot, read = reading(live, 3)
    assert (set(snapshot.manifests), read) == (digests(live, 3), [])
    for expected in ((), (2,), (9,)):
        snapshot, read = reading(live, *expected)
        assert set(snapshot.manifests) == set(read) == digests(live, 2, 3), "the live one, and the one before"


@pytest.mark.parametrize("since", ["a claim", "something unfinished"])
def test_where_somebody_has_begun_since_the_live_manifest_is_not_all_there_is(live: Live, since: str) -> None:
    live.deploy(1)
    now, etag = live.site.store.state()
    run = live.run("bob")
    claimed = claim(live.site.store, now, etag, action="publish", manifest="b" * 64, caller=run.caller, token="b", now=run.now)
    if since == "something unfinished":
        with claimed:
            pass
        assert live.state.unfinished
    snapshot, read = reading(live, 1)
    assert set(read) == {"b" * 64, *digests(live, 1)} and set(snapshot.manifests) == digests(live, 1)


def test_a_manifest_that_is_not_stored_is_not_believed_whatever_is_expected(live: Live) -> None:
    live.deploy(1)
    (gone,) = digests(live, 1)
    del live.buckets.objects[ARTIFACTS, live.site.store.key(f"manifests/{gone}.json")]
    snapshot, read = reading(live, 1)
    assert (dict(snapshot.manifests), read) == ({}, [gone])


def test_a_release_that_the_site_bucket_does_not_have_is_read_and_not_believed(live: Live) -> None:
    live.deploy(1)
    (entry,) = live.ledger()
    del live.buckets.objects[SITE, entry]
    for expected in ((), (1,)):
        assert dict(reading(live, *expected)[0].manifests) == {}


def test_of_whatever_may_have_written_over_the_live_release_everything_is_read_and_no_more(live: Live) -> None:
    for number in (1, 2):
        live.deploy(number)
    live.later(seconds=60)
    begun = {letter * 64: timestamp(live.now + timedelta(seconds=at)) for at, letter in enumerate("abc")}
    live.site.store.change(lambda state: msgspec.structs.replace(state, unfinished=begun))
    _, read = reading(live)
    assert sorted(read) == sorted([*begun, *digests(live, 2)])


def test_going_back_to_what_is_live_waits_for_whoever_is_at_it(live: Live) -> None:
    live.deploy(1)
    now, etag = live.site.store.state()
    run = live.run("bob")
    claim(live.site.store, now, etag, action="publish", manifest="b" * 64, caller=run.caller, token="b", now=run.now)
    with pytest.raises(Busy, match="user/bob on bob began a publish"):
        live.rollback("1")


def test_files_that_were_made_for_a_publish_are_gone_afterwards(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    live.contract = msgspec.structs.replace(live.contract, config_json={"a": "b"})
    content = live.content(live.app(1))
    monkeypatch.setattr(tempfile, "tempdir", str(live.folder))
    before = set(live.folder.iterdir())
    (entry,) = [each for each in content.entries if each.generated]
    with temporary_files(content) as file_of:
        assert file_of(entry).path.read_bytes() == content.generated[entry.key]
        assert len(set(live.folder.iterdir()) - before) == 1
    assert set(live.folder.iterdir()) == before


# --- writing ----------------------------------------------------------------------------------------------------------


def test_only_pages_are_replaced_one_by_one_and_everything_else_is_uploaded(live: Live) -> None:
    live.deploy(1, **{"robots.txt": "x", "about.html": "<p>"})
    methods = {key: method for method, key in live.writes() if not key.startswith(".releases/")}
    assert methods == {"assets/app-1.js": "upload", "robots.txt": "upload", "about.html": "put", "index.html": "put"}


def test_a_file_that_is_overwritten_is_kept_although_a_lasting_one_has_the_same_bytes(live: Live) -> None:
    live.deploy(1)
    text = live.served()["assets/app-1.js"]
    live.publish(live.content(live.app(2, **{"copy.js": text})))
    assert (ARTIFACTS, live.site.store.content_key(sha256(text.encode()))) in live.buckets.objects


def test_a_page_that_grows_after_it_was_checked_does_not_go_live(live: Live) -> None:
    content = live.content(live.app(1))

    def grow(method: str, bucket: str, key: str) -> None:
        if key == "assets/app-1.js":
            with content.files["index.html"].path.open("a") as out:
                out.write(" ")

    live.buckets.before = grow
    with pytest.raises(SourceError, match="the file was changed while it was published"):
        live.publish(content)
    assert "index.html" not in live.served()


def test_while_files_are_sent_the_claim_is_renewed(live: Live) -> None:
    content = live.content({**live.app(1), **{f"assets/{number}-abcdef12.js": f"{number}" for number in range(3)}})
    written: list[int] = []

    def slow(method: str, bucket: str, key: str) -> None:
        if method == "upload" and bucket == SITE:
            live.later(seconds=61)
        if (method, bucket) == ("put", ARTIFACTS) and key.endswith("releases.json"):
            written.append(len([each for each in live.served() if each.startswith("assets/")]))

    live.buckets.before = slow
    live.publish(content)
    assert written == [0, 1, 2, 3, 4, 4, 4], "the claim, after each file, before the page, the end"
