"""Who may change the content, and what is left by somebody who ends early."""

from __future__ import annotations

import signal
from datetime import datetime, timedelta

import msgspec
import pytest

from aws.errors import Conflict
from guards.caller import Caller, this_process
from guards.termination import terminable
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
    timestamp,
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


def test_whoever_is_interrupted_while_the_claim_is_given_back_has_given_it_back() -> None:
    class Interrupted(Store):
        def write(self, state: State, etag: str | None) -> str:
            if state.claim is None:
                signal.raise_signal(signal.SIGHUP)
            return super().write(state, etag)

    where, _ = store()
    begun = begin(Interrupted(s3=where.s3, bucket=where.bucket, environment=where.environment), caller("ann", host="elsewhere"))
    with pytest.raises(KeyboardInterrupt), terminable(), begun:
        raise KeyboardInterrupt
    assert where.state()[0].claim is None


def test_whoever_is_interrupted_while_the_claim_is_made_lets_go() -> None:
    class Interrupted(Store):
        def write(self, state: State, etag: str | None) -> str:
            written = super().write(state, etag)
            if state.claim is not None:
                raise KeyboardInterrupt
            return written

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


# --- how long, and what is told -------------------------------------------------------------------------------------


def test_a_claim_is_written_again_once_a_minute_and_holds_for_ten() -> None:
    where, _ = store()
    moments = [NOW]
    mine = claim(where, *where.state(), action="publish", manifest="m", caller=caller("ann"), token="a", now=lambda: moments[-1])

    def until() -> str:
        held = where.state()[0].claim
        return held.expires_at if held else ""

    first = until()
    assert first == timestamp(NOW + timedelta(minutes=10))
    moments.append(NOW + timedelta(seconds=59))
    mine.renew()
    assert until() == first
    for moment_ in (NOW + timedelta(seconds=60), NOW + timedelta(seconds=120)):
        moments.append(moment_)
        mine.renew()
        assert until() == timestamp(moment_ + timedelta(minutes=10))
    moments.append(NOW + timedelta(seconds=179))
    mine.renew()
    assert until() == timestamp(NOW + timedelta(seconds=120, minutes=10)), "a minute after the last one"


def test_nothing_is_taken_over_unless_somebody_says_so() -> None:
    where, _ = store()
    begin(where, caller("ann", host="elsewhere"))
    with pytest.raises(Busy) as busy:
        claim(where, *where.state(), action="publish", manifest="n", caller=caller("bob"), token="b", now=lambda: NOW)
    assert str(busy.value) == (
        f"arn:aws:iam::1:user/ann on elsewhere began a publish (mmmmmmmmmmmm) of dev at {timestamp(NOW)} and has not ended it"
    )
    assert busy.value.command == (
        "wait for it; if you know that it is dead: the same command with --take-over"
        f" (it lapses by itself at {timestamp(NOW + timedelta(minutes=10))})"
    )
    pruning, _ = store()
    claim(pruning, *pruning.state(), action="prune", manifest="", caller=caller("ann", host="there"), token="a", now=lambda: NOW)
    with pytest.raises(Busy, match=r"user/ann on there began a prune of dev at"):
        begin(pruning, caller("bob"))


def test_who_lost_to_a_release_is_told_of_it() -> None:
    where, _ = store()
    seen = where.state()
    begin(where, caller("ann")).finish(lambda s: added(s, release(1)))
    with pytest.raises(Busy) as busy:
        claim(where, *seen, action="publish", manifest="n", caller=caller("bob"), token="b", now=lambda: NOW)
    live = release(1)
    assert str(busy.value) == f"{live.by} was first: release 1 ({live.content[:12]}) of dev went live at {live.at}"
    assert busy.value.command == "python deploy.py releases --env dev, then run the same command again"


def test_who_was_taken_over_by_somebody_that_has_ended_lets_go_of_nothing() -> None:
    where, _ = store()
    with pytest.raises(OSError, match="the disk is full"), begin(where, caller("ann")):
        begin(where, caller("bob"), take_over=True).finish(lambda s: s)
        raise OSError("the disk is full")
    assert where.state()[0].claim is None


def test_what_was_given_up_is_later_than_the_live_release_by_a_second_at_the_least() -> None:
    where, _ = store()
    begin(where, caller("ann")).finish(lambda s: added(s, release(1)))
    interrupted(where, "early", at=NOW - timedelta(days=1))
    interrupted(where, "late", at=NOW + timedelta(days=1))
    assert where.state()[0].unfinished == {
        "early": timestamp(NOW + timedelta(seconds=1)),
        "late": timestamp(NOW + timedelta(days=1)),
    }


def test_the_live_release_written_again_is_nothing_unfinished_and_nor_is_what_is_taken_up_again() -> None:
    where, _ = store()
    begin(where, caller("ann")).finish(lambda s: added(s, release(1)))
    interrupted(where, release(1).manifest)
    assert where.state()[0].unfinished == {}
    begin(where, caller("ann"))
    begin(where, caller("ann"), take_over=True)
    assert where.state()[0].unfinished == {}
