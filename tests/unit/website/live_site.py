"""A deployed site in memory: the buckets, the uploads, CloudFront, a clock, and somebody who publishes."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from assembly.model import SiteContract
from aws.cloudfront import Invalidation
from aws.errors import AwsError, Conflict, NotFound
from aws.s3 import Head, Headers, Stored
from aws.transfer import Upload
from guards.caller import Caller
from tests.unit.website.stores import NOBODY
from tests.unit.website.test_content import CONTRACT
from website.content import Content, read
from website.content_plan import ContentPlan
from website.invalidation import Behaviour, Behaviours
from website.planner import content_plan
from website.prune import prune
from website.publish import publish
from website.releases import State, Store, find
from website.retention import Pruned, prune_plan
from website.rollback import rollback
from website.run import Begun, Outcome, Run, Sent, Warned
from website.site import Follower, Site
from website.snapshot import read_snapshot, with_every_manifest

SITE, ARTIFACTS = "site", "artifacts"
AT_ROOT: SiteContract = msgspec.structs.replace(CONTRACT, entry_path="/", release_keep=2)
PAGE = '<!doctype html><script type="module" src="/assets/app-{n}.js"></script>'


@dataclass
class Object:
    """Bytes, and what they are served with."""

    body: bytes
    headers: Headers = field(default_factory=Headers)
    checksum: str = ""
    parts: int = 0
    """In which it was uploaded; 0: in one piece."""

    @property
    def etag(self) -> str:
        return hashlib.md5(self.body, usedforsecurity=False).hexdigest() + (f"-{self.parts}" if self.parts else "")


@dataclass
class Buckets:
    """S3 as `aws.s3.S3` shows it, with conditional writes and copies."""

    objects: dict[tuple[str, str], Object] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    """Buckets that are not there."""
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, bucket and key of every write."""
    before: Callable[[str, str, str], None] = lambda *_: None
    """Told of every write before it happens; may raise."""
    lock: Any = field(default_factory=threading.RLock)

    def _writes(self, method: str, bucket: str, key: str) -> None:
        with self.lock:
            self.before(method, bucket, key)
            self.calls.append((method, bucket, key))

    def get(self, bucket: str, key: str) -> Stored:
        found = self.objects.get((bucket, key))
        if found is None:
            raise NotFound(f"no {key}", code="NoSuchKey")
        return Stored(head=self._head(key, found), body=found.body)

    def head(self, bucket: str, key: str, *, checksum: bool = False) -> Head | None:
        found = self.objects.get((bucket, key))
        return None if found is None else self._head(key, found, checksum=checksum)

    @staticmethod
    def _head(key: str, found: Object, *, checksum: bool = False) -> Head:
        return Head(
            key=key,
            size=len(found.body),
            etag=found.etag,
            sha256=found.checksum if checksum else "",
            version_id="1",
            content_type=found.headers.content_type,
            cache_control=found.headers.cache_control,
            content_encoding=found.headers.content_encoding,
        )

    def list(self, bucket: str, prefix: str = "") -> Iterator[Head]:
        if bucket in self.missing:
            raise NotFound("no bucket", code="NoSuchBucket")
        return iter([self._head(key, o) for (b, key), o in sorted(self.objects.items()) if b == bucket and key.startswith(prefix)])

    def put(
        self, bucket: str, key: str, body: bytes, *, headers: Headers | None = None, if_absent: bool = False, if_match: str | None = None
    ) -> Head:
        self._writes("put", bucket, key)
        there = self.objects.get((bucket, key))
        if (if_absent and there is not None) or (if_match and (there is None or there.etag != if_match)):
            raise Conflict("changed", code="PreconditionFailed")
        made = self.objects[bucket, key] = Object(body, headers or Headers())
        return self._head(key, made)

    def delete(self, bucket: str, key: str, *, if_match: str | None = None) -> None:
        self._writes("delete", bucket, key)
        there = self.objects.get((bucket, key))
        if if_match and there is not None and there.etag != if_match:
            raise Conflict("changed", code="PreconditionFailed")
        self.objects.pop((bucket, key), None)

    def copy(
        self,
        source_bucket: str,
        source_key: str,
        bucket: str,
        key: str,
        *,
        headers: Headers,
        if_match: str | None = None,
        version_id: str | None = None,
    ) -> None:
        self._writes("copy", bucket, key)
        source = self.objects.get((source_bucket, source_key))
        if source is None:
            raise NotFound("no source", code="NoSuchKey")
        if if_match and source.etag != if_match:
            raise Conflict("changed", code="PreconditionFailed")
        self.objects[bucket, key] = Object(source.body, headers, source.checksum)

    def upload(self, bucket: str, uploads: Iterable[Upload]) -> Iterator[Upload]:
        """`aws.transfer.Transfer`: S3 refuses what does not have its checksum."""
        for each in uploads:
            with each.open() as opened:
                body = opened.read()
            assert base64.b64encode(hashlib.sha256(body).digest()).decode() == each.checksum
            self._writes("upload", bucket, each.key)
            self.objects[bucket, each.key] = Object(body, each.headers, each.checksum)
            yield each


@dataclass
class Edge:
    """CloudFront's invalidations."""

    asked: list[tuple[str, tuple[str, ...], str]] = field(default_factory=list)
    refuses: AwsError | None = None
    looks: list[BaseException | bool] = field(default_factory=lambda: [True])
    """What the next looks tell: whether it is done, or an error. The last one stays."""

    def invalidate(self, distribution_id: str, paths: tuple[str, ...], *, reference: str) -> Invalidation:
        if self.refuses is not None:
            raise self.refuses
        self.asked.append((distribution_id, paths, reference))
        return Invalidation(id=f"I{len(self.asked)}", status="InProgress", created=datetime(2026, 1, 1, tzinfo=UTC))

    def invalidation(self, distribution_id: str, invalidation_id: str) -> Invalidation:
        told = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(told, BaseException):
            raise told
        return Invalidation(id=invalidation_id, status="Completed" if told else "InProgress", created=datetime(2026, 1, 1, tzinfo=UTC))


@dataclass
class Live:
    """One environment's site, and the folder that is published there."""

    folder: Path
    contract: SiteContract = AT_ROOT
    buckets: Buckets = field(default_factory=Buckets)
    edge: Edge = field(default_factory=Edge)
    now: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)
    told: list[Begun | Sent | Warned] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    cached: bool = True
    """Whether CloudFront keeps what it was asked for."""
    environment: str = "dev"
    runs: int = 0
    follower: Follower | None = None
    """With disaster recovery."""
    distribution: str | AwsError = "E1"

    def distribution_id(self) -> str:
        """What the deployed stack says, if it can be read."""
        if isinstance(self.distribution, AwsError):
            raise self.distribution
        return self.distribution

    @property
    def site(self) -> Site:
        s3: Any = self.buckets
        edge: Any = self.edge
        return Site(
            environment=self.environment,
            contract=self.contract,
            behaviours=Behaviours(ordered=(Behaviour(pattern="/*", cached=self.cached),)),
            bucket=SITE,
            store=Store(s3, ARTIFACTS, self.environment),
            s3=s3,
            uploads=lambda: s3,
            cloudfront=lambda: edge,
            distribution_id=self.distribution_id,
            follower=self.follower,
        )

    def run(self, name: str = "ann", *, take_over: bool = False) -> Run:
        self.runs += 1
        caller = Caller(arn=f"arn:aws:iam::1:user/{name}", host=name, machine="", pid=NOBODY, process="1")
        return Run(
            caller=caller,
            token=f"{self.runs:032x}",
            now=lambda: self.now,
            sleep=self.slept.append,
            report=self.told.append,
            take_over=take_over,
        )

    def content(self, files: Mapping[str, str]) -> Content:
        """Out of a fresh build with these files."""
        build = self.folder / f"build-{len(list(self.folder.iterdir()))}"
        for name, text in files.items():
            (build / name).parent.mkdir(parents=True, exist_ok=True)
            (build / name).write_text(text)
        return read(build, self.contract)

    def app(self, number: int, **more: str) -> dict[str, str]:
        """A page that loads one script of its own, and other files."""
        return {"index.html": PAGE.format(n=number), f"assets/app-{number}.js": f"export default {number};", **more}

    def plan(self, content: Content) -> ContentPlan:
        return content_plan(self.site, content, origin="build", now=self.now)

    def publish(self, content: Content, *, approved: ContentPlan | None = None, run: Run | None = None, commit: str = "") -> Outcome:
        self.later()
        return publish(self.site, content, run or self.run(), origin="build", commit=commit, approved=approved)

    def deploy(self, number: int, **more: str) -> Outcome:
        return self.publish(self.content(self.app(number, **more)))

    def rollback(self, wanted: str, **how: Any) -> Outcome:
        self.later()
        return rollback(self.site, find(self.state, wanted), self.run(), **how)

    def prunable(self) -> Pruned:
        return prune_plan(self.site, with_every_manifest(self.site, read_snapshot(self.site)), now=self.now)

    def prune(self) -> State:
        snapshot = with_every_manifest(self.site, read_snapshot(self.site))
        return prune(self.site, snapshot, prune_plan(self.site, snapshot, now=self.now), self.run())

    def later(self, **how: float) -> None:
        self.now += timedelta(**(how or {"seconds": 10}))

    @property
    def state(self) -> State:
        return self.site.store.state()[0]

    def served(self) -> dict[str, str]:
        """What visitors get, by key."""
        return {k: o.body.decode() for (b, k), o in sorted(self.buckets.objects.items()) if b == SITE and ".releases/" not in k}

    def ledger(self) -> list[str]:
        return sorted(k for b, k in self.buckets.objects if b == SITE and ".releases/" in k)

    def warnings(self) -> list[str]:
        return [e.text for e in self.told if isinstance(e, Warned)]

    def steps(self) -> list[str]:
        return [e.step for e in self.told if isinstance(e, Begun)]

    def writes(self, bucket: str = SITE) -> list[tuple[str, str]]:
        """Method and key of what was written since the last look."""
        found = [(method, key) for method, b, key in self.buckets.calls if b == bucket]
        self.buckets.calls.clear()
        return found
