"""Two regions with two buckets each, replication between them and a distribution, in memory; any call may be the last one of a process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aws.errors import AwsError, Conflict, NotFound
from aws.s3 import Head, Headers, Stored
from gateways.origin_order import ordered
from guards.caller import Caller
from promotion import fence
from promotion.places import Place
from promotion.steps import PromotionGateways
from promotion.target import Register
from recovery.origins import Origin, Origins
from website.releases import Release, State, timestamp
from website.run import Run

SITE, REPLICA, ARTIFACTS, STANDBY = "site", "site-replica", "artifacts", "artifacts-standby"
HOME_REGION, STANDBY_REGION = "af-south-1", "eu-west-1"
DISTRIBUTION = "EDFDVBD6EXAMPLE"


class Killed(BaseException):
    """The process is gone: nothing after this moment happens, not even a clean-up."""


def killed() -> None:
    """What happens at that moment."""
    raise Killed


@dataclass
class Object:
    body: bytes
    modified: datetime
    replication: str = ""
    parts: int = 0
    """In which it was uploaded; 0: in one piece, as every copy is."""

    @property
    def etag(self) -> str:
        return hashlib.md5(self.body, usedforsecurity=False).hexdigest() + (f"-{self.parts}" if self.parts else "")


@dataclass
class Aws:
    """Both regions. `lost`: calls to the home region fail. `calls_left`: how many more changes the process makes."""

    buckets: dict[str, dict[str, Object]] = field(default_factory=lambda: {SITE: {}, REPLICA: {}, ARTIFACTS: {}, STANDBY: {}})
    policy: dict[str, Any] = field(default_factory=lambda: {"Version": "2012-10-17", "Statement": [{"Sid": "TlsOnly", "Effect": "Deny"}]})
    config: dict[str, Any] = field(
        default_factory=lambda: {
            "OriginGroups": {"Items": [{"Members": {"Quantity": 2, "Items": [{"OriginId": "site"}, {"OriginId": "replica"}]}}]}
        }
    )
    lost: bool = False
    calls_left: int | None = None
    stop: Callable[[], None] = killed
    after: bool = False
    """The last call reaches AWS, and only its answer is lost with the process."""
    clock: datetime = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
    pending: list[tuple[str, Object]] = field(default_factory=list)
    """Written at home and not replicated yet."""
    history: list[bytes] = field(default_factory=list)
    """Everything that was ever written as the register."""
    changes: int = 0

    def now(self) -> datetime:
        return self.clock

    def tick(self, seconds: float = 1) -> None:
        self.clock += timedelta(seconds=seconds)

    def changing(self, do: Any) -> Any:
        """Every change of AWS goes through here."""
        self.tick()
        self.changes += 1
        if self.calls_left is not None:
            if self.calls_left == 0:
                done = do() if self.after else None
                self.stop()
                return done if self.after else do()  # a signal ends the main thread, and what others are at goes on
            self.calls_left -= 1
        return do()

    def write_at_home(self, key: str, body: bytes) -> None:
        """As a publisher at home does; replication is on its way."""
        self.tick()
        made = Object(body, self.clock, "PENDING")
        self.buckets[SITE][key] = made
        self.pending.append((key, made))

    def replicate(self) -> None:
        """What waits arrives, or is given up where the replica refuses it."""
        for key, made in self.pending:
            if fence.is_fenced(self.policy):
                made.replication = "FAILED"
            else:
                made.replication = "COMPLETED"
                self.buckets[REPLICA][key] = Object(made.body, made.modified, "REPLICA", made.parts)
        self.pending = []

    def write_in_standby(self, key: str, body: bytes) -> None:
        self.tick()
        self.buckets[REPLICA][key] = Object(body, self.clock)

    @property
    def first(self) -> str:
        return str(self.config["OriginGroups"]["Items"][0]["Members"]["Items"][0]["OriginId"])


@dataclass(frozen=True)
class S3:
    """`aws.s3.S3` of one region."""

    aws: Aws
    region: str

    def _bucket(self, bucket: str) -> dict[str, Object]:
        if self.region == HOME_REGION and self.aws.lost:
            raise AwsError("Could not connect to the endpoint URL", code="EndpointConnectionError")
        return self.aws.buckets[bucket]

    def get(self, bucket: str, key: str, *, version_id: str | None = None) -> Stored:
        head = self.head(bucket, key)
        if head is None:
            raise NotFound("none", code="NoSuchKey")
        return Stored(head=head, body=self._bucket(bucket)[key].body)

    def head(self, bucket: str, key: str, *, checksum: bool = False) -> Head | None:
        found = self._bucket(bucket).get(key)
        if found is None:
            return None
        return Head(key=key, size=len(found.body), etag=found.etag, modified=found.modified, replication=found.replication)

    def list(self, bucket: str, prefix: str = "") -> Iterator[Head]:
        for key in sorted(self._bucket(bucket)):
            if key.startswith(prefix):
                head = self.head(bucket, key)
                assert head is not None
                yield head

    def put(
        self,
        bucket: str,
        key: str,
        body: bytes,
        *,
        headers: Headers | None = None,
        if_absent: bool = False,
        if_match: str | None = None,
    ) -> Head:
        objects = self._bucket(bucket)

        def write() -> None:
            there = objects.get(key)
            if (if_absent and there is not None) or (if_match and (there is None or there.etag != if_match)):
                raise Conflict("no", code="PreconditionFailed")
            objects[key] = Object(body, self.aws.clock)
            if key.endswith("target.json"):
                self.aws.history.append(body)

        self.aws.changing(write)
        return Head(key=key, size=len(body), etag=hashlib.md5(body, usedforsecurity=False).hexdigest())

    def bucket_exists(self, bucket: str) -> bool:
        return bool(self._bucket(bucket) is not None)


@dataclass(frozen=True)
class Buckets:
    """`gateways.origins.Buckets` of one region."""

    aws: Aws
    region: str

    def policy(self, bucket: str) -> dict[str, Any] | None:
        assert bucket == REPLICA
        return self.aws.policy

    def put_policy(self, bucket: str, policy: dict[str, Any]) -> None:
        assert bucket == REPLICA
        self.aws.changing(lambda: setattr(self.aws, "policy", policy))

    def copy(self, source: str, key: str, bucket: str, *, if_match: str) -> None:
        if self.aws.lost and (self.region == HOME_REGION or source in (SITE, ARTIFACTS)):
            raise AwsError("Could not connect to the endpoint URL", code="EndpointConnectionError")
        found = self.aws.buckets[source].get(key)
        if found is None or found.etag != if_match:
            raise Conflict("no", code="PreconditionFailed")

        def copy() -> None:
            made = Object(found.body, self.aws.clock, "PENDING" if bucket == SITE else "")
            self.aws.buckets[bucket][key] = made
            if bucket == SITE:
                self.aws.pending.append((key, made))

        self.aws.changing(copy)


def gateways(aws: Aws) -> PromotionGateways:
    origins = Origins(
        environment="prod",
        primary=Origin(bucket=SITE, account_id="111122223333", region=HOME_REGION),
        replica=Origin(bucket=REPLICA, account_id="111122223333", region=STANDBY_REGION),
    )

    def put_first(origin: str) -> bool:
        changed = ordered(aws.config, origin)
        if changed is not None:
            aws.changing(lambda: setattr(aws, "config", changed))
        return changed is not None

    return PromotionGateways(
        origins=origins,
        register=register(aws),
        home=place(aws, HOME_REGION),
        standby=place(aws, STANDBY_REGION),
        put_first=put_first,
        index_key="index.html",
        run=run(aws),
    )


def place(aws: Aws, region: str) -> Place:
    at_home = region == HOME_REGION
    return Place(
        region=region,
        bucket=SITE if at_home else REPLICA,
        artifacts=ARTIFACTS if at_home else STANDBY,
        origin="site" if at_home else "replica",
        s3=S3(aws, region),  # type: ignore[arg-type]
        buckets=Buckets(aws, region),  # type: ignore[arg-type]
    )


def register(aws: Aws) -> Register:
    return Register(S3(aws, STANDBY_REGION), STANDBY, "prod")


def run(aws: Aws) -> Run:
    caller = Caller(arn="arn:aws:iam::111122223333:role/deploy", host="h", machine="m", pid=1, process="p")
    return Run(caller=caller, token="t" * 16, now=aws.now, sleep=aws.tick, report=lambda _: None)


def release(aws: Aws, number: int, manifest: str) -> Release:
    return Release(
        number=number,
        manifest=manifest,
        content=manifest,
        action="publish",
        origin="dist",
        commit="",
        by="somebody",
        at=timestamp(aws.clock),
        files=1,
        size=1,
    )


def publish(aws: Aws, region: str, number: int, files: dict[str, bytes]) -> None:
    """A release, as a publisher of that region leaves it: files, a kept manifest, its place in the list."""
    there = place(aws, region)
    for key, body in files.items():
        (aws.write_at_home if region == HOME_REGION else aws.write_in_standby)(key, body)
    manifest = f"{number:064x}"
    aws.buckets[there.artifacts][f"site/prod/manifests/{manifest}.json"] = Object(manifest.encode(), aws.clock)
    state, etag = there.store("prod").state()
    edited = State(environment="prod", bucket=there.bucket, releases=(*state.releases, release(aws, number, manifest)))
    there.store("prod").write(edited, etag)


def bodies(aws: Aws, bucket: str) -> dict[str, bytes]:
    return {key: made.body for key, made in aws.buckets[bucket].items()}
