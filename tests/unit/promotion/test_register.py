"""The register and the standby's lock: one winner, whatever the order of reads and writes, and nobody is believed who cannot be read."""

from __future__ import annotations

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
    class Silent:
        def get(self, *_: Any, **__: Any) -> Any:
            raise AwsError("timed out", code="ReadTimeout")

        put = get

    from promotion.target import Register

    with pytest.raises(AwsError):
        Register(Silent(), two.STANDBY, "prod").read()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(("read", "write", "publish")), st.integers(0, 2), st.sampled_from(PHASES)), min_size=1, max_size=40)
)
def test_at_no_time_two_buckets_take_releases(events: list[tuple[str, int, Phase]]) -> None:
    """Three operators and publishers that read, wait for as long as they like, and write, in any order."""
    aws = two.Aws()
    register = two.register(aws)
    seen: dict[int, Entry] = {}
    said = [register.read().target]
    at_work: dict[int, str] = {}
    for what, who, phase in events:
        if what == "read":
            seen[who] = register.read()
        elif what == "write" and who in seen:
            before = register.read()
            try:
                register.change(seen[who], phase, plan=str(who))
            except (Conflict, NotNext):
                assert register.read() == before
            else:
                said.append(register.read().target)
        elif what == "publish" and who in seen:
            # Claims, and then looks once more (`website.claims.begin`): only who still sees what it had seen goes on.
            now = register.read()
            target = publisher(now.target.phase)
            if target is not None and now.target.epoch == seen[who].target.epoch:
                at_work[who] = target
                assert {at_work[who]} == {target}
        targets = {publisher(register.read().target.phase)} - {None}
        assert len(targets) <= 1
    for before_, after in zip(said, said[1:], strict=False):
        assert next_phase(before_.phase, after.phase)
        assert after.epoch == before_.epoch + 1
        assert {publisher(before_.phase), publisher(after.phase)} != {"home", "standby"}


LOCK = "kimmyai-web/prod"


def _lock(aws: two.Aws, lock_id: str, *, at: float = 1000.0, pid: int = 7) -> Any:
    me = Caller(arn="arn", host=f"h{pid}", machine=f"m{pid}", pid=pid, process="p")
    return acquire(items(aws), two.STANDBY, LOCK, environment="prod", verb="dr promote", lock_id=lock_id, me=me, now=lambda: at)


def items(aws: two.Aws) -> ObjectItems:
    return ObjectItems(two.S3(aws, two.STANDBY_REGION), "recovery/prod/lock.json")


def test_the_lock_is_held_by_one_and_free_again_by_release_expiry_or_unlock() -> None:
    aws = two.Aws()
    first = _lock(aws, "one")
    with pytest.raises(LockHeld, match="--lock-id one|held by") as refused:
        _lock(aws, "two", pid=8)
    assert "--lock-id one" in refused.value.hint
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
