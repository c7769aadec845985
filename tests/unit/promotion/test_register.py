"""The register and the standby's lock: one winner, whatever the order of reads and writes, and nobody is believed who cannot be read."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws.dynamodb import Condition
from aws.errors import AwsError, Conflict
from guards.caller import Caller
from promotion.lock_items import ObjectItems, holds
from promotion.target import Entry, NotNext, Phase, Target, Unreadable, next_phase, publisher
from rollout.lock import LockHeld, acquire, read, remove
from tests.unit.promotion import two_regions as two

PHASES: tuple[Phase, ...] = ("home", "promoting", "standby", "failing-back")


def test_nothing_written_means_home() -> None:
    assert two.register(two.Aws()).read() == Entry(target=Target(environment="prod"), etag=None)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"environment": "dev"}', b'{"environment": "prod", "format": 2}', b'{"environment": "prod", "x": 1}']
)
def test_a_register_that_nobody_of_us_wrote_makes_nobody_the_target(body: bytes) -> None:
    aws = two.Aws()
    found = two.register(aws)
    aws.buckets[two.STANDBY][found.key] = two.Object(body, aws.clock)
    with pytest.raises(Unreadable):
        found.read()


def test_silence_is_not_home() -> None:
    class CircuitOpen:
        def get(self, *_: Any, **__: Any) -> Any:
            raise AwsError("timed out", code="ReadTimeout")

        put = get

    from promotion.target import Register

    with pytest.raises(AwsError):
        Register(CircuitOpen(), two.STANDBY, "prod").read()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.sampled_from(PHASES)), min_size=1, max_size=40))
def test_at_no_time_two_buckets_are_the_publishing_target(events: list[tuple[bool, int, Phase]]) -> None:
    """Three operators that read, wait for as long as they like, and write, in any order."""
    aws = two.Aws()
    register = two.register(aws)
    seen: dict[int, Entry] = {}
    said = [register.read().target]
    for reads, who, phase in events:
        before = register.read()
        if reads:
            seen[who] = before
        elif who in seen:
            with contextlib.suppress(Conflict, NotNext):
                register.change(seen[who], phase, plan=str(who))
        now = register.read().target
        if now != before.target:
            said.append(now)
    for earlier, later in itertools.pairwise(said):
        assert next_phase(earlier.phase, later.phase) and later.epoch == earlier.epoch + 1
        assert {publisher(earlier.phase), publisher(later.phase)} != {"home", "standby"}


ACTS = ("look", "claim", "look again", "page", "end", "move", "leave")


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(ACTS)), max_size=60))
def test_no_page_is_written_to_a_bucket_while_the_other_one_takes_releases(events: list[tuple[int, str]]) -> None:
    """Publishers that stop anywhere, and one who promotes and fails back: whoever moves the target looks for claims after having said so,
    and a publisher looks at the register after having claimed (`website.claims.begin`, `promotion.steps`)."""
    aws = two.Aws()
    register = two.register(aws)
    looked: dict[int, Entry] = {}
    claims: dict[str, int] = {}
    working: dict[int, str] = {}
    for who, what in events:
        now = register.read()
        side = publisher(now.target.phase)
        seen = looked.get(who)
        mine = publisher(seen.target.phase) if seen else None
        if what == "look":
            looked[who] = now
        elif what == "claim" and mine is not None and mine not in claims and who not in claims.values():
            claims[mine] = who
        elif what == "look again" and mine is not None and claims.get(mine) == who:
            assert seen is not None
            if now.target.epoch == seen.target.epoch:
                working[who] = mine
            else:
                del claims[mine]
                working.pop(who, None)
        elif what == "page" and who in working:
            assert publisher(register.read().target.phase) in (working[who], None)
        elif what == "end" and who in working:
            del claims[working.pop(who)]
        elif what == "move" and side is not None:
            register.change(now, "promoting" if side == "home" else "failing-back", since="2026-11-27T12:00:00Z")
        elif what == "leave" and side is None:
            promoting = now.target.phase == "promoting"
            if ("home" if promoting else "standby") not in claims:
                register.change(now, "standby" if promoting else "home")
        assert len(set(working.values())) <= 1


LOCK = "kimmyai-web/prod"


def _lock(aws: two.Aws, lock_id: str, *, at: float = 1000.0, pid: int = 7) -> Any:
    me = Caller(arn="arn", host=f"h{pid}", machine=f"m{pid}", pid=pid, process="p")
    return acquire(items(aws), two.STANDBY, LOCK, environment="prod", verb="dr promote", lock_id=lock_id, me=me, now=lambda: at)


def items(aws: two.Aws) -> ObjectItems:
    return ObjectItems(two.S3(aws, two.STANDBY_REGION), "recovery/prod/lock.json")


def test_the_lock_is_held_by_one_and_free_again_by_release_expiry_or_unlock() -> None:
    aws = two.Aws()
    first = _lock(aws, "one")
    with pytest.raises(LockHeld, match="is held by") as refused:
        _lock(aws, "two", pid=8)
    assert refused.value.hint == "python deploy.py unlock --env prod"
    first.check()
    first.release()
    assert read(items(aws), two.STANDBY, LOCK) is None
    _lock(aws, "three")
    _lock(aws, "four", at=2000.0, pid=9)
    assert remove(items(aws), two.STANDBY, LOCK, "three") is not None
    assert remove(items(aws), two.STANDBY, LOCK, "four") is None
    assert read(items(aws), two.STANDBY, LOCK) is None


def test_an_item_that_no_deployer_wrote_is_not_taken_for_free() -> None:
    aws = two.Aws()
    aws.buckets[two.STANDBY]["recovery/prod/lock.json"] = two.Object(b"not json", aws.clock)
    with pytest.raises(LockHeld):
        _lock(aws, "one")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(("take", "release", "wait"))), max_size=30))
def test_the_lock_never_has_two_holders(events: list[tuple[int, str]]) -> None:
    aws, clock, held = two.Aws(), [1000.0], dict[int, Any]()
    for who, what in events:
        if what == "wait":
            clock[0] += 200.0
            held = {}
        elif what == "take" and who not in held:
            try:
                held[who] = _lock(aws, f"id-{who}-{len(aws.buckets)}-{clock[0]}", at=clock[0], pid=10 + who)
            except LockHeld:
                assert held
        elif what == "release" and who in held:
            held.pop(who).release()
        assert len(held) <= 1


def test_a_condition_is_read_as_dynamodb_does() -> None:
    assert holds(Condition(absent="LockID"), None) and not holds(Condition(absent="LockID"), {"LockID": "x"})
    assert holds(Condition(absent="LockID", below=("Expires", 5)), {"LockID": "x", "Expires": 4})
    assert not holds(Condition(equal={"Id": "a"}), None) and holds(Condition(equal={"Id": "a"}), {"Id": "a"})
    assert not holds(Condition(below=("Expires", 5)), {"Expires": "x"})
