"""Which of the two buckets takes releases: one register in the standby region, changed by conditional writes only.

In: the artifact bucket of the standby region. Out: `Target`; `Conflict` for whoever came second.
Never: depends on the home region; takes an answer that did not come for "home".

Nothing written means `home`. In the states between nobody takes releases, so that no order of events, and no crash, makes two.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from assembly.files import canonical_json
from assembly.model import Frozen
from aws.errors import Conflict, NotFound
from aws.s3 import Head, Headers, Stored
from guards import documents

FORMAT = 1
Phase = Literal["home", "promoting", "standby", "failing-back"]
HOME, STANDBY = "home", "standby"

_NEXT: frozenset[tuple[Phase, Phase]] = frozenset(
    {("home", "promoting"), ("promoting", "standby"), ("standby", "failing-back"), ("promoting", "failing-back"), ("failing-back", "home")}
)


class NotNext(Exception):
    """The register is in another state than the step begins in."""


class Unreadable(Exception):
    """The register holds something that no deployer of this version wrote: nobody is the target until a person has looked."""


class Target(Frozen, frozen=True, kw_only=True):
    """What the register says."""

    format: int = FORMAT
    environment: str
    phase: Phase = "home"
    epoch: int = 0
    """Grows with every change, so that no two states are the same bytes."""
    by: str = ""
    """ARN of who changed it."""
    plan: str = ""
    """Digest of the plan that is being, or was, carried out."""
    since: str = ""
    """When the promotion began, by S3's clock: what is younger in the replica was published there."""
    distribution: str = ""
    """Its id, which the stack of the lost region cannot tell."""


def publisher(phase: Phase) -> str | None:
    """Whose bucket takes releases; None: nobody's."""
    return {"home": HOME, "standby": STANDBY}.get(phase)


def next_phase(before: Phase, after: Phase) -> bool:
    """Whether the one may follow the other."""
    return (before, after) in _NEXT


class Objects(Protocol):
    """`aws.s3.S3`, as far as the register needs it."""

    def get(self, bucket: str, key: str) -> Stored: ...

    def put(
        self, bucket: str, key: str, body: bytes, *, headers: Headers | None = None, if_absent: bool = False, if_match: str | None = None
    ) -> Head: ...


@dataclass(frozen=True, kw_only=True)
class Entry:
    """The register as it was read."""

    target: Target
    etag: str | None
    """None: nothing is written."""
    modified: datetime | None = None
    """By S3's clock."""


@dataclass(frozen=True)
class Register:
    """The register of one environment."""

    s3: Objects
    bucket: str
    environment: str

    @property
    def key(self) -> str:
        """Where it is."""
        return f"recovery/{self.environment}/target.json"

    def read(self) -> Entry:
        """As of now. `NotFound` only where there is no bucket; `Unreadable` if it says nothing that can be relied on."""
        try:
            stored = self.s3.get(self.bucket, self.key)
        except NotFound as error:
            if error.code == "NoSuchBucket":
                raise
            return Entry(target=Target(environment=self.environment), etag=None)
        try:
            target = documents.decode(stored.body, Target)
            if target.since:
                datetime.fromisoformat(target.since)
        except ValueError as error:
            raise Unreadable(f"s3://{self.bucket}/{self.key} cannot be read: {error}") from error
        if target.format != FORMAT or target.environment != self.environment:
            raise Unreadable(f"s3://{self.bucket}/{self.key} is of {target.environment}, format {target.format}")
        entry = Entry(target=target, etag=stored.head.etag, modified=stored.head.modified)
        # Not noted, it is when the entry was written. Without it what was published in the replica cannot be told from the rest.
        if target.phase != "home" and not target.since and entry.modified is None:
            raise Unreadable(f"s3://{self.bucket}/{self.key} does not say since when the replica takes releases")
        return entry

    def change(self, entry: Entry, phase: Phase, **values: str) -> Entry:
        """Go from exactly what was read to the next phase. `Conflict` if somebody else was first, `NotNext` if it is not the next."""
        before = entry.target
        if not next_phase(before.phase, phase):
            raise NotNext(f"{before.phase} is not followed by {phase}")
        after = msgspec.structs.replace(before, phase=phase, epoch=before.epoch + 1, **values)
        body = canonical_json(msgspec.to_builtins(after))
        try:
            head = self.s3.put(
                self.bucket,
                self.key,
                body,
                headers=Headers(content_type="application/json"),
                if_absent=entry.etag is None,
                if_match=entry.etag,
            )
        except Conflict:
            # A write whose answer was lost is repeated and then finds itself.
            there = self.read()
            if there.etag != hashlib.md5(body, usedforsecurity=False).hexdigest():
                raise
            return there
        return Entry(target=after, etag=head.etag)
