"""Who may change the content, and what is left by somebody who ends early."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest

from aws.errors import Conflict
from guards.caller import Caller, this_process
from tests.unit.website.stores import NOBODY, NOW, release, store
from website.claims import CLAIM_SECONDS, claim
from website.content import FileEntry
from website.errors import Busy
from website.releases import (
    Manifest,
    State,
    Store,
    added,
    known_objects,
    writers,
)


def caller(name: str, *, host: str = "here", machine: str = "boot", pid: int = NOBODY) -> Caller:
    """Somebody; by default a process that is gone."""
    return Caller(arn=f"arn:aws:iam::1:user/{name}", host=host, machine=machine, pid=pid, process="1")


def begin(where: Store, who: Caller, *, at: datetime = NOW, take_over: bool = False):  # type: ignore[no-untyped-def]
    """A publish, from what is there now."""
    now, etag = where.state()
    return claim(where, now, etag, action="publish", manifest="m" * 64, caller=who, token=who.arn, now=lambda: at, take_over=take_over)


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


def test_a_claim_whose_process_is_alive_is_not_taken_over_until_it_lapses() -> None:
    me = this_process("arn:aws:iam::1:user/ann")
    if not me.machine:
        pytest.skip("the system does not tell which machine it is")
    where, _ = store()
    begin(where, me)
    for other in (me, msgspec.structs.replace(me, arn="arn:aws:iam::1:user/bob")):
        with pytest.raises(Busy, match=r"user/ann on .* began a publish"):
            begin(where, other, at=NOW + timedelta(seconds=CLAIM_SECONDS - 1))
    begin(where, me, at=NOW + timedelta(seconds=CLAIM_SECONDS))


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


def test_whoever_is_interrupted_while_the_claim_is_renewed_lets_go_whether_or_not_that_was_written() -> None:
    for written in (True, False):
        where, _ = store()
        begun = begin(where, caller("ann", host="elsewhere"), at=NOW)
        with pytest.raises(KeyboardInterrupt), begun:
            if written:
                held, etag = where.state()
                assert held.claim is not None
                where.write(
                    msgspec.structs.replace(held, claim=msgspec.structs.replace(held.claim, expires_at=held.claim.started_at)), etag
                )
            raise KeyboardInterrupt
        assert where.state()[0].claim is None
        begin(where, caller("bob"))


def test_whoever_is_interrupted_while_the_claim_is_made_lets_go() -> None:
    class Interrupted(Store):
        def write(self, state: State, etag: str | None) -> str:
            super().write(state, etag)
            raise KeyboardInterrupt

    where, _ = store()
    with pytest.raises(KeyboardInterrupt):
        begin(Interrupted(s3=where.s3, bucket=where.bucket, environment=where.environment), caller("ann", host="elsewhere"))
    assert where.state()[0].claim is None


@pytest.mark.parametrize("first", [True, False])
def test_a_claim_that_reaches_s3_after_its_process_has_ended_is_refused(first: bool) -> None:
    late: list[tuple[State, str | None]] = []

    class OnTheWay(Store):
        def write(self, state: State, etag: str | None) -> str:
            if late:
                return super().write(state, etag)
            late.append((state, etag))
            raise KeyboardInterrupt

    where, _ = store()
    if not first:
        begin(where, caller("bob")).finish(lambda s: added(s, release(1)))
    with pytest.raises(KeyboardInterrupt):
        begin(OnTheWay(s3=where.s3, bucket=where.bucket, environment=where.environment), caller("ann", host="elsewhere"))
    with pytest.raises(Conflict):
        where.write(*late[0])
    assert where.state()[0].claim is None
    begin(where, caller("bob"))


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
        begin(where, caller("ann")).finish(lambda s, n=number, m=name: added(s, msgspec.structs.replace(release(n), manifest=m)))
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
