"""Which releases stay, who may publish, and how a release is found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assembly.files import sha256
from aws.errors import Conflict, NotFound
from aws.s3 import Head, Stored
from guards.caller import Caller
from website.claims import CLAIM_SECONDS, claim
from website.content import FileEntry
from website.errors import Busy, WebsiteError
from website.releases import (
    Manifest,
    Release,
    State,
    Store,
    added,
    before_live,
    find,
    known_objects,
    manifest_bytes,
    manifest_digest,
    timestamp,
    writers,
)
from website.retention import retained

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOBODY = 2**31 - 1
"""A process id that no process has (Linux gives at most 2**22, proc(5))."""


class Bucket:
    """S3 with conditional writes, in memory; the answer of the next write may be lost."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.lose_next = False

    @staticmethod
    def _etag(body: bytes) -> str:
        import hashlib

        return hashlib.md5(body, usedforsecurity=False).hexdigest()

    def get(self, bucket: str, key: str) -> Stored:
        if key not in self.objects:
            raise NotFound("none", code="NoSuchKey")
        body = self.objects[key]
        return Stored(head=Head(key=key, size=len(body), etag=self._etag(body)), body=body)

    def head(self, bucket: str, key: str) -> Head | None:
        return self.get(bucket, key).head if key in self.objects else None

    def put(
        self, bucket: str, key: str, body: bytes, *, headers: object = None, if_absent: bool = False, if_match: str | None = None
    ) -> Head:
        there = self.objects.get(key)
        if (if_absent and there is not None) or (if_match and (there is None or self._etag(there) != if_match)):
            raise Conflict("no", code="PreconditionFailed")
        self.objects[key] = body
        if self.lose_next:
            self.lose_next = False
            raise Conflict("the retry found the first", code="PreconditionFailed")
        return Head(key=key, size=len(body), etag=self._etag(body))


def release(number: int, *, days: float = 0, superseded: float | None = None, manifest: str = "", pruned: bool = False) -> Release:
    """Published so many days ago."""
    digest = sha256((manifest or str(number)).encode())
    return Release(
        number=number,
        manifest=digest,
        content=sha256(digest.encode()),
        action="publish",
        origin="dist",
        by="arn:aws:iam::1:user/ann",
        at=timestamp(NOW - timedelta(days=days)),
        files=1,
        size=1,
        superseded_at=timestamp(NOW - timedelta(days=superseded)) if superseded is not None else "",
        pruned_at=timestamp(NOW) if pruned else "",
    )


def state(*releases: Release) -> State:
    """Of those releases."""
    return State(environment="dev", releases=releases)


def numbers(found: tuple[Release, ...]) -> list[int]:
    """Of releases."""
    return [r.number for r in found]


def test_the_last_ones_stay_whatever_their_age() -> None:
    old = state(*(release(n, days=100 - n, superseded=99 - n) for n in range(1, 7)))
    assert numbers(retained(old, keep=3, grace_days=14, now=NOW)) == [4, 5, 6]


def test_within_the_grace_period_every_release_stays() -> None:
    young = state(release(1, superseded=30), release(2, superseded=13), release(3, superseded=1), release(4))
    assert numbers(retained(young, keep=1, grace_days=14, now=NOW)) == [2, 3, 4]


def test_a_rollback_keeps_what_it_brought_back() -> None:
    back = state(release(1, superseded=50, manifest="a"), release(2, superseded=40, manifest="b"), release(3, manifest="a"))
    assert numbers(retained(back, keep=1, grace_days=14, now=NOW)) == [1, 3]


@given(st.lists(st.integers(0, 60), min_size=1, max_size=12), st.integers(1, 6), st.integers(1, 30))
def test_the_live_release_always_stays(ages: list[int], keep: int, grace: int) -> None:
    ages = sorted(ages, reverse=True)
    made = [release(n, days=age, superseded=age, manifest=str(n % 4)) for n, age in enumerate(ages, 1)]
    found = state(*made[:-1], msgspec.structs.replace(made[-1], superseded_at=""))
    stay = retained(found, keep=keep, grace_days=grace, now=NOW)
    assert found.live in stay
    assert len({r.manifest for r in stay}) >= min(keep, len({r.manifest for r in found.releases}))


def caller(name: str, *, host: str = "here", machine: str = "boot", pid: int = NOBODY) -> Caller:
    """Somebody; by default a process that is gone."""
    return Caller(arn=f"arn:aws:iam::1:user/{name}", host=host, machine=machine, pid=pid, process="1")


def store() -> tuple[Store, Bucket]:
    """An empty one."""
    bucket = Bucket()
    return Store(bucket, "artifacts", "dev"), bucket  # type: ignore[arg-type]


def begin(where: Store, who: Caller, *, at: datetime = NOW, take_over: bool = False):  # type: ignore[no-untyped-def]
    """A publish, from what is there now."""
    now, etag = where.state()
    return claim(where, now, etag, action="publish", manifest="m" * 64, caller=who, token="t", now=lambda: at, take_over=take_over)


def test_the_second_is_told_who_was_first() -> None:
    where, _ = store()
    begin(where, caller("ann", host="laptop"))
    with pytest.raises(Busy, match="user/ann on laptop began a publish"):
        begin(where, caller("bob"))


def test_of_two_that_saw_the_same_state_one_wins() -> None:
    where, _ = store()
    seen, etag = where.state()
    claim(where, seen, etag, action="publish", manifest="m", caller=caller("ann"), token="a", now=lambda: NOW)
    with pytest.raises(Busy, match="user/ann"):
        claim(where, seen, etag, action="publish", manifest="n", caller=caller("bob"), token="b", now=lambda: NOW)


@pytest.mark.parametrize(
    ("who", "at", "take_over", "allowed"),
    [
        (caller("bob"), NOW, False, True),
        (caller("bob", machine=""), NOW, False, False),
        (caller("bob", machine="another boot, or another container"), NOW, False, False),
        (caller("bob", host="elsewhere"), NOW, False, False),
        (caller("bob", host="elsewhere"), NOW + timedelta(seconds=CLAIM_SECONDS), False, True),
        (caller("bob", host="elsewhere"), NOW + timedelta(seconds=CLAIM_SECONDS - 1), False, False),
        (caller("bob", host="elsewhere"), NOW, True, True),
    ],
)
def test_only_a_dead_claim_is_taken_over(who: Caller, at: datetime, take_over: bool, allowed: bool) -> None:
    where, _ = store()
    begin(where, caller("ann"))
    if allowed:
        begin(where, who, at=at, take_over=take_over)
        return
    with pytest.raises(Busy):
        begin(where, who, at=at, take_over=take_over)


def test_whoever_was_taken_over_finds_out_before_the_pages() -> None:
    where, _ = store()
    mine = begin(where, caller("ann"))
    begin(where, caller("bob"), take_over=True)
    with pytest.raises(Busy, match="user/bob"):
        mine.assert_held()
    with pytest.raises(Busy):
        mine.finish(lambda s: s)


def interrupted(where: Store, manifest: str, *, at: datetime = NOW) -> None:
    """A publish that a person or an error ends on its way."""
    now, etag = where.state()
    begun = claim(where, now, etag, action="publish", manifest=manifest, caller=caller("ann"), token="t", now=lambda: at)
    with pytest.raises(KeyboardInterrupt), begun:
        raise KeyboardInterrupt


def test_whoever_is_interrupted_lets_go_and_leaves_a_note() -> None:
    where, _ = store()
    begin(where, caller("ann")).finish(lambda s: added(s, release(1)))
    interrupted(where, "new", at=NOW - timedelta(days=1))
    left, _ = where.state()
    assert left.claim is None
    assert writers(left) == (("new", False), (release(1).manifest, True))
    begin(where, caller("bob", host="elsewhere"))


def test_whoever_was_taken_over_lets_go_of_nothing_of_the_others() -> None:
    where, _ = store()
    with pytest.raises(Busy, match="user/bob"), begin(where, caller("ann")) as mine:
        begin(where, caller("bob"), take_over=True)
        mine.assert_held()
    held = where.state()[0].claim
    assert held is not None and held.by.endswith("user/bob")


def entry(cache: str) -> FileEntry:
    """The same bytes, served otherwise."""
    return FileEntry(key="a.json", sha256="0" * 64, md5="1" * 32, size=3, content_type="a", cache_control=cache)


def test_headers_that_an_interrupted_publish_may_have_written_are_not_taken_for_the_live_ones() -> None:
    where, _ = store()
    made = {name: Manifest(environment="dev", prefix="", index_key="i", files=(entry(name),)) for name in ("old", "live", "new")}

    def known() -> list[str]:
        found = known_objects((made[digest], whole) for digest, whole in writers(where.state()[0]))
        return [each.cache_control for each in found[("a.json", "1" * 32)]]

    for number, name in enumerate(("old", "live"), 1):
        begin(where, caller("ann")).finish(lambda s, n=number, m=name: added(s, msgspec.structs.replace(release(n), manifest=m)))  # type: ignore[misc]
    assert known() == ["live"]
    interrupted(where, "new")
    assert known() == ["new", "live"]
    interrupted(where, "live")
    assert known() == ["new", "live"]
    begin(where, caller("ann")).finish(lambda s: added(s, msgspec.structs.replace(release(3), manifest="live")))
    assert known() == ["live"]


def test_a_write_whose_answer_was_lost_counts() -> None:
    where, bucket = store()
    bucket.lose_next = True
    begin(where, caller("ann")).finish(lambda s: added(s, release(1)))
    assert where.state()[0].live == release(1)


def test_a_publish_that_was_given_up_is_remembered_for_prune() -> None:
    where, _ = store()
    begin(where, caller("ann"))
    now, etag = where.state()
    other = claim(where, now, etag, action="publish", manifest="other", caller=caller("bob"), token="b", now=lambda: NOW, take_over=True)
    assert list(other.state.unfinished) == ["m" * 64]


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
    bucket.objects[where.key("releases.json")] = b"{}"
    with pytest.raises(WebsiteError, match="cannot be read"):
        where.state()


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
