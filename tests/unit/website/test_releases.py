"""How releases are stored, and how one is found."""

from __future__ import annotations

import msgspec
import pytest

from assembly.files import sha256
from tests.unit.website.stores import release, state, store
from website.content import FileEntry
from website.errors import WebsiteError
from website.releases import (
    Manifest,
    added,
    before_live,
    find,
    manifest_bytes,
    manifest_digest,
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
