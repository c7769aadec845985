"""The lock: one holder, never two; lost locks are noticed; nobody's lock is taken from the living."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assembly import commands
from aws.dynamodb import Condition, Item
from aws.errors import NetworkError, NotFound
from guards.caller import Caller, this_process
from guards.termination import terminable
from rollout.lock import TTL_SECONDS, Lock, LockHeld, LockLost, acquire, held, read, remove
from verbs.unlock import told_of

NAME = "demo/test"


class Table:
    """A table of one item with the conditions of `aws.dynamodb`."""

    def __init__(self) -> None:
        self.item: Item | None = None
        self.there = True
        self.lose_answers = 0
        self.broken = False
        self.interrupted: dict[str, bool] = {}
        """By operation: whether what Ctrl-C meets has been carried out."""
        self.updated = threading.Event()

    def _asked(self) -> None:
        if not self.there:
            raise NotFound("no such table")
        if self.broken:
            raise NetworkError("no network")

    def _holds(self, condition: Condition) -> bool:
        if self.item is None:
            return condition.absent is not None
        if condition.equal and all(self.item.get(k) == v for k, v in condition.equal.items()):
            return True
        # A comparison with an attribute that is not there is false.
        return condition.below is not None and int(self.item.get(condition.below[0], condition.below[1])) < condition.below[1]

    def get(self, table: str, key: dict[str, Any]) -> Item | None:
        self._asked()
        return self.item

    def put(self, table: str, item: Item, condition: Condition) -> Item | None:
        self._asked()
        if (done := self.interrupted.pop("put", None)) is not None:
            self.item = dict(item) if done else self.item
            raise KeyboardInterrupt
        for _ in range(self.lose_answers + 1):
            if not self._holds(condition):
                return dict(self.item or {})
            self.item = dict(item)
        return None

    def update(self, table: str, key: dict[str, Any], changes: Item, condition: Condition) -> Item | None:
        self._asked()
        if self.item is None or not self._holds(condition):
            return dict(self.item or key)
        self.item |= changes
        self.updated.set()
        return None

    def delete(self, table: str, key: dict[str, Any], condition: Condition) -> Item | None:
        self._asked()
        if "delete" in self.interrupted:
            signal.raise_signal(signal.SIGTERM)
        if self.item is None or not self._holds(condition):
            return dict(self.item or key)
        self.item = None
        return None


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


ME = Caller(arn="arn:aws:iam::123456789012:user/me", host="here", machine="boot-1 pid:[1]", pid=10, process="5")


def take(table: Table, clock: Callable[[], float], lock_id: str = "a", me: Caller = ME) -> Lock:
    return acquire(table, "locks", NAME, environment="test", verb="apply", lock_id=lock_id, me=me, now=clock)


def elsewhere(host: str = "there") -> Caller:
    return msgspec.structs.replace(ME, host=host, machine="boot-2 pid:[1]")


def test_only_a_lock_that_nobody_renews_is_removed_by_a_command_to_paste() -> None:
    table, clock = Table(), Clock()
    lock = take(table, clock)
    renewed, ended = (commands.told(told_of(lock.holder, "python deploy.py unlock", clock() + more)) for more in (0, TTL_SECONDS + 1))
    assert renewed[0].startswith("hint: it ends by itself") and "python deploy.py unlock" in renewed[0]
    assert ended == ("next: python deploy.py unlock",)


def test_the_second_is_told_who_holds_it_since_when_and_what_to_type() -> None:
    table, clock = Table(), Clock()
    take(table, clock)
    with pytest.raises(LockHeld) as refused:
        take(table, clock, "b", elsewhere())
    assert "demo/test is held by arn:aws:iam::123456789012:user/me on here (process 10, apply) since 1970-01-12 13:46:40 UTC" in str(
        refused.value
    )
    assert "wait" in str(refused.value)
    assert refused.value.hint == "python deploy.py unlock --env test", "which only shows: nobody pastes away the lock of who works"


def test_an_answer_that_was_lost_is_not_taken_for_somebody_elses_lock() -> None:
    table = Table()
    table.lose_answers = 1
    assert take(table, Clock()).id == "a"


@pytest.mark.parametrize("done", [True, False])
def test_a_lock_whose_taking_is_interrupted_is_not_left(done: bool) -> None:
    table = Table()
    table.interrupted["put"] = done
    with pytest.raises(KeyboardInterrupt):
        take(table, Clock())
    assert table.item is None


def test_anothers_lock_stays_where_the_taking_is_interrupted() -> None:
    table, clock = Table(), Clock()
    take(table, clock)
    table.interrupted["put"] = False
    with pytest.raises(KeyboardInterrupt):
        take(table, clock, "b", elsewhere())
    assert table.item is not None and table.item["Id"] == "a"


@pytest.mark.parametrize("ends", [None, ValueError, KeyboardInterrupt])
def test_a_lock_is_given_back_whatever_comes_meanwhile(ends: type[BaseException] | None) -> None:
    table = Table()
    lock = take(table, Clock())
    table.interrupted["delete"] = True
    with pytest.raises(ends or KeyboardInterrupt), terminable(), held(lock):
        if ends is not None:
            raise ends
    assert table.item is None


def test_a_lock_is_free_after_its_time_and_not_before() -> None:
    table, clock = Table(), Clock()
    take(table, clock)
    clock.seconds += TTL_SECONDS
    with pytest.raises(LockHeld):
        take(table, clock, "b", elsewhere())
    clock.seconds += 1
    assert take(table, clock, "b", elsewhere()).id == "b"


def test_a_lost_lock_says_so_and_is_not_removed() -> None:
    table, clock = Table(), Clock()
    mine = take(table, clock)
    mine.check()
    clock.seconds += TTL_SECONDS + 1
    take(table, clock, "b", elsewhere("elsewhere"))
    with pytest.raises(LockLost, match=r"taken over by .* on elsewhere"):
        mine.check()
    mine.release()
    assert table.item is not None
    assert table.item["Id"] == "b"


def test_unlock_removes_by_id_only() -> None:
    table, clock = Table(), Clock()
    mine = take(table, clock)
    other = remove(table, "locks", NAME, "b")
    assert other is not None
    assert other.id == "a"
    assert remove(table, "locks", NAME, "a") is None
    with pytest.raises(LockLost, match="removed with unlock"):
        mine.check()
    assert read(table, "locks", NAME) is None


def test_check_renews() -> None:
    table, clock = Table(), Clock()
    mine = take(table, clock)
    clock.seconds += 100
    mine.check()
    assert table.item is not None
    assert table.item["Expires"] == 1_000_100 + TTL_SECONDS


def test_no_answer_is_not_a_lock() -> None:
    table = Table()
    mine = take(table, Clock())
    table.broken = True
    with pytest.raises(NetworkError):
        mine.check()


def test_it_is_given_back_and_an_unreachable_table_does_not_hide_what_happened() -> None:
    table, clock = Table(), Clock()
    with held(take(table, clock)):
        assert table.item is not None
    assert table.item is None
    with pytest.raises(ValueError, match="the work"), held(take(table, clock)):
        table.broken = True
        raise ValueError("the work")


def test_without_a_table_that_is_said() -> None:
    table = Table()
    table.there = False
    with pytest.raises(NotFound):
        take(table, Clock())


def test_a_dead_process_of_this_machine_holds_nothing() -> None:
    table, clock = Table(), Clock()
    gone = this_process("arn:aws:iam::123456789012:user/me")
    if not gone.machine:
        pytest.skip("the system does not tell which machine it is")
    take(table, clock, "a", msgspec.structs.replace(gone, process="another start"))
    assert take(table, clock, "b", gone).id == "b"
    with pytest.raises(LockHeld):
        take(table, clock, "c", gone)


def test_a_lost_answer_after_a_dead_holder_is_not_taken_for_somebody_elses_lock() -> None:
    table, clock = Table(), Clock()
    gone = this_process("arn:aws:iam::123456789012:user/me")
    if not gone.machine:
        pytest.skip("the system does not tell which machine it is")
    take(table, clock, "a", msgspec.structs.replace(gone, process="another start"))
    table.lose_answers = 1
    assert take(table, clock, "b", gone).id == "b" and table.item is not None and table.item["Id"] == "b"


def test_an_item_without_an_id_or_an_end_is_removed_by_hand_and_says_so() -> None:
    for item in ({"Owner": "x", "Expires": 2_000_000}, {"Id": "a"}, {"Id": 7, "Expires": 2_000_000}):
        table = Table()
        table.item = {"LockID": NAME, **item}  # type: ignore[dict-item]
        with pytest.raises(LockHeld) as refused:
            take(table, Clock(), "b", elsewhere())
        assert "no deployer wrote" in str(refused.value)
        key = '{"LockID": {"S": "demo/test"}}'
        assert refused.value.hint == f"aws dynamodb delete-item --table-name locks --key '{key}'"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["take", "check", "release", "wait"])), max_size=30))
def test_never_two_holders_that_both_may_change_something(steps: list[tuple[str, str]]) -> None:
    table, clock = Table(), Clock()
    locks: dict[str, Lock] = {}
    for number, (who, what) in enumerate(steps):
        if what == "wait":
            clock.seconds += TTL_SECONDS // 2
        elif what == "take":
            try:
                locks[who] = take(table, clock, f"{who}{number}", elsewhere(who))
            except LockHeld:
                continue
        elif who in locks:
            if what == "release":
                locks.pop(who).release()
            else:
                try:
                    locks[who].check()
                except LockLost:
                    del locks[who]
        allowed = 0
        for one in list(locks.values()):
            try:
                one.check()
                allowed += 1
            except LockLost:
                continue
        assert allowed <= 1


def test_the_heartbeat_renews_by_itself_and_ends_with_the_lock() -> None:
    table, clock = Table(), Clock()
    with held(take(table, clock), every=0.01):
        clock.seconds += 50
        table.updated.clear()
        assert table.updated.wait(180)
        assert table.item is not None
    assert table.item is None


def test_whoever_renews_a_lock_holds_no_process() -> None:
    lock = take(Table(), Clock())
    before = {*threading.enumerate()}
    lock.start(60.0)
    (beat,) = {*threading.enumerate()} - before
    assert beat.daemon and beat.name == "lock-heartbeat"
    lock.release()
    beat.join(180)


def test_an_answer_that_was_lost_and_asked_for_again_is_our_own_lock() -> None:
    class Twice(Table):
        def put(self, table: str, item: Item, condition: Condition) -> Item | None:
            super().put(table, item, condition)
            return super().put(table, item, condition)

    assert take(Twice(), Clock(), "mine").id == "mine"
