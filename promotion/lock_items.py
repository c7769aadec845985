"""The standby region's lock: an object beside the register that is read and written like the item of the lock table.

In: S3 with conditional writes. Out: what `rollout.lock` needs of a table; "table" is the bucket's name.
Never: deletes (a free lock is an empty document), or writes over what it has not read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from aws.dynamodb import Condition, Item, Scalar
from aws.errors import Conflict, NotFound
from aws.s3 import Headers
from guards import documents
from promotion.target import Objects

ATTEMPTS = 5
"""Races that are lost before the item that stands in the way is taken for the answer."""


@dataclass(frozen=True)
class ObjectItems:
    """One item in one object (`rollout.lock.Table`)."""

    s3: Objects
    key: str

    def get(self, table: str, _: dict[str, Scalar]) -> Item | None:
        """The item as of now; S3 is strongly consistent."""
        return self._read(table)[0]

    def put(self, table: str, item: Item, condition: Condition) -> Item | None:
        """Write the whole item if the condition holds."""
        return self._write(table, item, condition)

    def update(self, table: str, _: dict[str, Scalar], changes: Item, condition: Condition) -> Item | None:
        """Set attributes of an item if the condition holds."""
        return self._write(table, changes, condition, merge=True)

    def delete(self, table: str, _: dict[str, Scalar], condition: Condition) -> Item | None:
        """Leave an empty document if the condition holds."""
        return self._write(table, {}, condition)

    def _write(self, table: str, item: Item, condition: Condition, *, merge: bool = False) -> Item | None:
        there: Item | None = None
        for _ in range(ATTEMPTS):
            there, etag = self._read(table)
            if not holds(condition, there):
                return there or {}
            body = json.dumps({**(there or {}), **item} if merge else item, sort_keys=True).encode()
            try:
                self.s3.put(table, self.key, body, headers=Headers(content_type="application/json"), if_absent=etag is None, if_match=etag)
            except Conflict:
                continue
            return None
        return there or {}

    def _read(self, table: str) -> tuple[Item | None, str | None]:
        try:
            stored = self.s3.get(table, self.key)
        except NotFound as error:
            if error.code == "NoSuchBucket":
                raise
            return None, None
        try:
            found = documents.decode(stored.body, dict[str, Scalar])
        except documents.Unreadable:
            # Not what a deployer writes: an item without an id is held by nobody that is known, and never expires.
            return {"LockID": self.key}, stored.head.etag
        return found or None, stored.head.etag


def holds(condition: Condition, item: Item | None) -> bool:
    """Whether a write may be made over that item: any part of the condition is enough."""
    if condition.absent is not None and (item is None or condition.absent not in item):
        return True
    if item is None:
        return False
    if condition.equal and all(item.get(name) == value for name, value in condition.equal.items()):
        return True
    if condition.below is not None:
        value = item.get(condition.below[0])
        return isinstance(value, int) and value < condition.below[1]
    return False
