"""Releases and where they are stored, in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assembly.files import sha256
from aws.errors import Conflict, NotFound
from aws.s3 import Head, Stored
from website.releases import (
    Release,
    State,
    Store,
    timestamp,
)

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


def store() -> tuple[Store, Bucket]:
    """An empty one."""
    bucket = Bucket()
    return Store(bucket, "artifacts", "dev"), bucket  # type: ignore[arg-type]
