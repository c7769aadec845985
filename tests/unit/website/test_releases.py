"""How releases are stored, and how one is found."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from assembly.files import sha256
from tests.unit.website.stores import NOW, release, state, store
from website.content import FileEntry
from website.errors import WebsiteError
from website.releases import (
    Claim,
    Manifest,
    Release,
    added,
    before_live,
    find,
    known_objects,
    manifest_bytes,
    manifest_digest,
    timestamp,
    writers,
)


def test_state_and_manifest_come_back_as_they_were_and_are_refused_when_changed() -> None:
    where, bucket = store()
    entry = FileEntry(key="é.js", sha256="0" * 64, md5="1" * 32, size=3, content_type="a", cache_control="b")
    manifest = Manifest(environment="dev", prefix="", index_key="index.html", files=(entry, entry))
    digest = where.put_manifest(manifest)
    assert digest == manifest_digest(manifest) == sha256(manifest_bytes(manifest))
    assert where.manifest(digest) == manifest
    bucket.objects[where.key(f"manifests/{digest}.json")] += b" "
    with pytest.raises(WebsiteError, match="cannot be read"):
        where.manifest(digest)
    other = sha256(b"{}")
    bucket.objects[where.key(f"manifests/{other}.json")] = b"{}"
    with pytest.raises(WebsiteError, match=rf"manifests/{other}.json cannot be read: .*missing required field"):
        where.manifest(other)
    bucket.objects[where.key("releases.json")] = b"{}"
    with pytest.raises(WebsiteError, match="cannot be read"):
        where.state()


@pytest.mark.parametrize("at", ["", "yesterday", "2026-13-01T00:00:00Z"])
def test_a_release_without_a_time_is_refused_with_the_way_back_and_not_shown(at: str) -> None:
    where, _ = store()
    where.write(state(msgspec.structs.replace(release(1), at=at)), None)
    with pytest.raises(WebsiteError, match="is not a time") as refused:
        where.state()
    assert "list-object-versions" in refused.value.command


def test_a_release_is_found_by_number_and_digest_and_never_guessed() -> None:
    there = state(release(1), release(2, manifest="1"), release(3))
    assert find(there, "3").number == 3
    assert find(there, release(1).content[:8]).number == 2
    for wrong in ("9", "abc", "ffffffffff"):
        with pytest.raises(WebsiteError):
            find(there, wrong)
    assert before_live(there).number == 2
    with pytest.raises(WebsiteError, match="no earlier release"):
        before_live(state(release(1)))


def test_a_new_release_supersedes_the_live_one() -> None:
    made = added(state(release(1)), release(2))
    assert made.live == release(2)
    assert made.releases[0].superseded_at == release(2).at


# --- who has written what --------------------------------------------------------------------------------------------


def written(*releases: Release, claimed: str = "", **unfinished: float) -> tuple[tuple[str, bool], ...]:
    """Last writers first: by name, with hours before (or, below zero, after) `NOW` for what was given up."""
    at = {name: timestamp(NOW - timedelta(hours=hours)) for name, hours in unfinished.items()}
    claim = Claim(
        id="c", action="publish", manifest=claimed, by="ann", host="h", pid=1, started_at=timestamp(NOW), expires_at=timestamp(NOW)
    )
    return writers(msgspec.structs.replace(state(*releases), unfinished=at, claim=claim if claimed else None))


def test_what_was_begun_after_the_live_release_may_have_written_over_it_and_what_was_before_not() -> None:
    first, live = release(1, days=2), release(2)
    assert written(first, live) == ((live.manifest, True), (first.manifest, True))
    assert written(first, live, early=3, late=-1) == (("late", False), (live.manifest, True), ("early", False), (first.manifest, True))
    assert written(first, live, claimed="mine") == (("mine", False), (live.manifest, True), (first.manifest, True))
    assert written(first, live, claimed=first.manifest) == ((first.manifest, False), (live.manifest, True)), "half of it, perhaps"
    assert written(first, live, claimed=live.manifest) == ((live.manifest, True), (first.manifest, True)), "it writes what is there"
    assert written(early=3, claimed="mine") == (("mine", False), ("early", False))


def test_each_file_of_a_manifest_counts_although_another_is_known() -> None:
    def entry(key: str, cache: str) -> FileEntry:
        return FileEntry(key=key, sha256="0" * 64, md5="1" * 32, size=1, content_type="t", cache_control=cache)

    def manifest(*files: FileEntry) -> Manifest:
        return Manifest(environment="dev", prefix="", index_key="i", files=files)

    found = known_objects([(manifest(entry("a", "new")), True), (manifest(entry("a", "old"), entry("b", "old")), True)])
    assert {key: [each.cache_control for each in known] for (key, _), known in found.items()} == {"a": ["new"], "b": ["old"]}
