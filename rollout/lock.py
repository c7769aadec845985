"""The deployment lock of an environment: one item in a DynamoDB table, written with conditions only.

In: a table of items (`aws.dynamodb.Items`), the environment's lock name, who asks and where; a wall clock (seconds since the epoch).
Out: a `Lock` that renews itself from a thread of its own until it is released or lost; `LockHeld` says who has it, since when, and
what to type.
Never: takes a lock over from a holder that may be alive, believes that it still holds one without having asked, or removes another's.

A lock expires `TTL_SECONDS` after its last heartbeat, so one whose holder was killed frees itself; at once if the next comer can see that
the holder's process on the same machine is gone. Expiry compares the clocks of two machines: they may differ by far less than the TTL.
"""

from __future__ import annotations

import contextlib
import json
import shlex
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from assembly.commands import deploy
from aws.dynamodb import Condition, Item
from aws.errors import AwsError
from guards.caller import Caller, surely_dead
from guards.termination import undisturbed

KEY = "LockID"
"""Key attribute of the lock table; the template in the assembly declares it under this name."""

TTL_SECONDS = 180
HEARTBEAT_SECONDS = 30.0
_LAST_MOMENT = 253_402_300_799
"""The end of the year 9999, which is as far as Python's dates go."""


class Table(Protocol):
    """`aws.dynamodb.Items`, as far as a lock needs it."""

    def get(self, table: str, key: dict[str, str | int | bool], /) -> Item | None: ...

    def put(self, table: str, item: Item, condition: Condition) -> Item | None: ...

    def update(self, table: str, key: dict[str, str | int | bool], changes: Item, condition: Condition, /) -> Item | None: ...

    def delete(self, table: str, key: dict[str, str | int | bool], condition: Condition, /) -> Item | None: ...


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """What a lock item says of whoever holds it."""

    id: str
    """Random; what `unlock` must be given."""
    owner: str
    """ARN of the caller."""
    host: str
    machine: str
    """Names one boot of one machine and one process namespace; empty where the system has none of it."""
    pid: int
    process: str
    """Tells a process from a later one with the same pid."""
    verb: str
    since: int
    """Seconds since the epoch."""
    expires: int

    @property
    def whole(self) -> bool:
        """It is what `acquire` writes: it has an id that `unlock` can be given, and an end."""
        return bool(self.id) and self.expires > 0

    def describe(self) -> str:
        """One sentence for a person."""
        if not self.whole:
            return f"an item that no deployer wrote like that ({self.owner} on {self.host}); it never expires"
        return f"{self.owner} on {self.host} (process {self.pid}, {self.verb}) since {_moment(self.since)}, until {_moment(self.expires)}"


RENEWED = " unless it is renewed; wait: the lock of a process that died ends by itself then"


class LockHeld(Exception):
    """Somebody else holds the lock."""

    def __init__(self, table: str, name: str, holder: Holder, environment: str) -> None:
        self.name = name
        self.holder = holder
        # Only to look: a command that takes the lock from somebody who works is none to paste.
        self.hint = deploy("unlock", environment) if holder.whole else delete_command(table, name)
        super().__init__(f"the lock {name} is held by {holder.describe()}{'' if not holder.whole else RENEWED}")


class LockLost(Exception):
    """It was ours and is not any more: nothing further may be changed."""


def read(table: Table, table_name: str, name: str) -> Holder | None:
    """Who holds the lock; an expired item counts too. Raises `NotFound` if there is no such table."""
    item = table.get(table_name, {KEY: name})
    return _holder(item) if item else None


class Lock:
    """A lock that this process holds."""

    def __init__(self, table: Table, table_name: str, name: str, holder: Holder, now: Callable[[], float]) -> None:
        self._table, self._table_name, self._name = table, table_name, name
        self._now = now
        self._renewed = now()
        self._lost = ""
        self._guard = threading.Lock()
        self._ended = threading.Event()
        self.holder = holder

    @property
    def id(self) -> str:
        """What `unlock` would need."""
        return self.holder.id

    def check(self) -> None:
        """Ask the table, and renew. Raises `LockLost`; `AwsError` if nobody answers while the lock could still be ours."""
        self._renew()
        if self._lost:
            raise LockLost(self._lost)

    def _renew(self) -> None:
        with self._guard:
            if self._lost or self._ended.is_set():
                return
            now = self._now()
            other = self._table.update(
                self._table_name, {KEY: self._name}, {"Expires": int(now) + TTL_SECONDS}, Condition(equal={"Id": self.holder.id})
            )
            if other is None:
                self._renewed = now
            elif other.get("Id"):
                self._lost = f"the lock {self._name} was taken over by {_holder(other).describe()}"
            else:
                self._lost = f"the lock {self._name} was removed with unlock"

    def _beat(self, every: float) -> None:
        while not self._ended.wait(every):
            try:
                self._renew()
            except AwsError as error:
                if self._now() - self._renewed > TTL_SECONDS:
                    self._lost = f"the lock {self._name} could not be renewed for {TTL_SECONDS} seconds: {error}"
            if self._lost:
                return

    def start(self, every: float = HEARTBEAT_SECONDS) -> None:
        """Begin to renew it, every so many seconds."""
        threading.Thread(target=self._beat, args=(every,), name="lock-heartbeat", daemon=True).start()

    def release(self) -> None:
        """Give it back if it is still ours. Raises `AwsError`; then it expires on its own."""
        self._ended.set()
        with self._guard:
            if not self._lost:
                self._table.delete(self._table_name, {KEY: self._name}, Condition(equal={"Id": self.holder.id}))


def acquire(
    table: Table, table_name: str, name: str, *, environment: str, verb: str, lock_id: str, me: Caller, now: Callable[[], float]
) -> Lock:
    """Take the lock. `lock_id` is fresh and random.

    Raises `LockHeld`; `NotFound` if there is no such table; any other `AwsError`.
    """
    moment = int(now())
    mine = Holder(
        id=lock_id,
        owner=me.arn,
        host=me.host,
        machine=me.machine,
        pid=me.pid,
        process=me.process,
        verb=verb,
        since=moment,
        expires=moment + TTL_SECONDS,
    )
    item = _item(name, mine)
    try:
        current = table.put(table_name, item, Condition(absent=KEY, below=("Expires", moment)))
    except KeyboardInterrupt:
        # It may have been written.
        with undisturbed(), contextlib.suppress(AwsError):
            table.delete(table_name, {KEY: name}, Condition(equal={"Id": lock_id}))
        raise
    if current is not None and current.get("Id") != lock_id:
        other = _holder(current)
        if surely_dead(other, me):
            current = table.put(table_name, item, Condition(absent=KEY, equal={"Id": other.id}))
        if current is not None and current.get("Id") != lock_id:
            raise LockHeld(table_name, name, _holder(current), environment)
    return Lock(table, table_name, name, mine, now)


@contextmanager
def held(lock: Lock, *, every: float = HEARTBEAT_SECONDS) -> Iterator[Lock]:
    """Renew the lock while the block runs, and give it back; where that cannot be told to AWS, it expires on its own."""
    lock.start(every)
    try:
        yield lock
    finally:
        with undisturbed(), contextlib.suppress(AwsError):
            lock.release()


def remove(table: Table, table_name: str, name: str, lock_id: str) -> Holder | None:
    """Remove a lock by its id. None if that was done; else whoever holds it under another id. Raises `NotFound` if there is none."""
    other = table.delete(table_name, {KEY: name}, Condition(equal={"Id": lock_id}))
    return None if other is None or not other.get("Id") else _holder(other)


def delete_command(table: str, name: str) -> str:
    """What removes an item that `unlock` cannot name."""
    key = json.dumps({KEY: {"S": name}})
    return f"aws dynamodb delete-item --table-name {table} --key {shlex.quote(key)}"


def lock_name(project: str, environment: str) -> str:
    """The key of an environment's lock."""
    return f"{project}/{environment}"


def _item(name: str, holder: Holder) -> Item:
    return {
        KEY: name,
        "Id": holder.id,
        "Owner": holder.owner,
        "Host": holder.host,
        "Machine": holder.machine,
        "Pid": holder.pid,
        "Process": holder.process,
        "Verb": holder.verb,
        "Since": holder.since,
        "Expires": holder.expires,
    }


def _holder(item: Item) -> Holder:
    def text(name: str) -> str:
        return str(item.get(name, ""))

    def number(name: str) -> int:
        found = item.get(name, 0)
        return found if isinstance(found, int) and 0 < found <= _LAST_MOMENT else 0

    identity = item.get("Id")
    return Holder(
        id=identity if isinstance(identity, str) else "",
        owner=text("Owner") or "somebody",
        host=text("Host") or "an unknown host",
        machine=text("Machine"),
        pid=number("Pid"),
        process=text("Process"),
        verb=text("Verb"),
        since=number("Since"),
        expires=number("Expires"),
    )


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
