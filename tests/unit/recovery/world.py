"""Two buckets in memory, the distribution before them, and a clock: what the tests of recovery/ act on.

In: objects, a policy. Out: the same after what was done. Never: anything outside of memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any

from msgspec.structs import replace

from aws.errors import AwsError, Conflict, NotFound, Unavailable
from aws.s3 import Head, Headers
from guards.caller import this_process
from recovery.origins import Origin, Origins
from website.run import Begun, Run, Sent, Warned

ORIGINS = Origins(
    environment="prod",
    primary=Origin(bucket="site", account_id="1", region="af-south-1"),
    replica=Origin(bucket="replica", account_id="1", region="eu-west-1"),
)
START = datetime(2026, 11, 27, 12, tzinfo=UTC)
DISTRIBUTION = "arn:aws:cloudfront::1:distribution/E1"
POLICY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "CloudFrontReads",
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::site/*",
            "Condition": {"StringEquals": {"AWS:SourceArn": DISTRIBUTION}},
        }
    ],
}


def policy_of_replica() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(POLICY).replace(":::site", ":::replica"))
    return found


def digest(body: bytes) -> str:
    return md5(body, usedforsecurity=False).hexdigest()


@dataclass
class Clock:
    """Time passes when somebody sleeps or asks."""

    moment: datetime = START
    on_sleep: Callable[[], None] = lambda: None
    asked: timedelta = timedelta(0)

    def now(self) -> datetime:
        self.moment += self.asked
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.on_sleep()


@dataclass
class Kept:
    body: bytes
    status: str
    modified: datetime
    key: str = ""
    """Of KMS, with which it is encrypted."""

    @property
    def etag(self) -> str:
        return digest(self.key.encode() + self.body)


@dataclass
class Memory:
    """`aws.s3.S3` of one bucket, as far as recovery/ needs it."""

    clock: Clock
    objects: dict[str, Kept] = field(default_factory=dict)
    error: AwsError | None = None

    def add(self, key: str, body: str, status: str = "", modified: datetime = START, by_key: str = "") -> None:
        self.objects[key] = Kept(body.encode(), status, modified, by_key)

    def list(self, _bucket: str, prefix: str = "") -> Iterator[Head]:
        self._refuse()
        for key, kept in sorted(self.objects.items()):
            if key.startswith(prefix):
                yield self._head(key, kept)

    def head(self, _bucket: str, key: str, *, checksum: bool = False) -> Head | None:
        self._refuse()
        kept = self.objects.get(key)
        return None if kept is None else replace(self._head(key, kept), encryption="aws:kms" if kept.key else "AES256")

    def put(self, _bucket: str, key: str, body: bytes, *, headers: Headers | None = None) -> None:
        self._refuse()
        self.objects[key] = Kept(body, "", self.clock.moment)

    def delete(self, _bucket: str, key: str, *, if_match: str | None = None) -> None:
        self._refuse()
        if if_match is not None and self.objects[key].etag != if_match:
            raise Conflict("the object was written meanwhile")
        self.objects.pop(key, None)

    def _refuse(self) -> None:
        if self.error is not None:
            raise self.error

    def _head(self, key: str, kept: Kept) -> Head:
        return Head(key=key, size=len(kept.body), etag=kept.etag, modified=kept.modified, replication=kept.status)


@dataclass
class Policies:
    """`gateways.origins.Buckets`: the policy of the site bucket; copies into the replica."""

    source: Memory
    target: Memory
    document: dict[str, Any] = field(default_factory=lambda: json.loads(json.dumps(POLICY)))
    copied: list[str] = field(default_factory=list)
    failures: int = 0
    """Calls that fail from now on."""

    def policy(self, _bucket: str) -> dict[str, Any]:
        self._fail()
        return self.document

    def put_policy(self, _bucket: str, policy: dict[str, Any]) -> None:
        self._fail()
        self.document = policy

    def copy(self, _source: str, key: str, _bucket: str, *, if_match: str) -> None:
        kept = self.source.objects.get(key)
        if kept is None:
            raise NotFound("no such key")
        if kept.etag != if_match:
            raise Conflict("the object was written meanwhile")
        self.copied.append(key)
        self.target.objects[key] = Kept(kept.body, "", self.target.clock.moment)

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise Unavailable("503 Slow Down")


def a_run(clock: Clock) -> tuple[Run, list[Begun | Sent | Warned]]:
    told: list[Begun | Sent | Warned] = []
    made = Run(caller=this_process("arn:aws:iam::1:user/ann"), token="token", now=clock.now, sleep=clock.sleep, report=told.append)
    return made, told
