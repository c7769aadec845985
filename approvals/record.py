"""One approval: an object of the artifact bucket that only its approver could write.

In: an environment, a digest, who calls. Out: the key and the bytes of a record; the records of a digest.
Never: takes a record for anything but what its key says: IAM lets a caller write below their own `aws:userid` only (`policies.approval`),
so the key is what is known of the writer, and S3's clock of the time. The body is the writer's own word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Protocol

import msgspec

from assembly.files import canonical_json
from assembly.model import Frozen
from aws.errors import NotFound
from aws.s3 import Head, Headers, Stored
from guards import documents

FORMAT = 1
DIGEST = re.compile(r"[0-9a-f]{64}\Z")
"""Of a plan or of a release's content. Never a part of one: twelve digits can be met by trying."""


class Approval(Frozen, frozen=True, kw_only=True):
    """The body of a record."""

    format: int = FORMAT
    environment: str
    digest: str
    by: str
    """ARN of whoever wrote it, by their own word; it names the role that IAM is asked about."""
    withdrawn: bool = False


@dataclass(frozen=True, kw_only=True)
class StoredApproval:
    """A record as it lies in the bucket. `approval` is None for one that says nothing, for the `reason`."""

    user_id: str
    """`aws:userid` of the writer."""
    written: datetime
    approval: Approval | None = None
    reason: str = ""


class Bucket(Protocol):
    """`aws.s3.S3`, as far as approvals need it."""

    def put(self, bucket: str, key: str, body: bytes, *, headers: Headers | None = None) -> Head: ...

    def get(self, bucket: str, key: str, *, version_id: str | None = None) -> Stored: ...

    def list(self, bucket: str, prefix: str = "") -> Iterator[Head]: ...


def save(bucket: Bucket, name: str, approval: Approval, user_id: str) -> None:
    """Write it, over an earlier one of the same person. Raises `AwsError`."""
    key = f"{_folder(approval.environment, approval.digest)}{user_id}.json"
    bucket.put(name, key, canonical_json(msgspec.to_builtins(approval)), headers=Headers(content_type="application/json"))


MOST = 50
"""Records of one digest that are looked at."""

LARGEST = 16 * 1024
"""Bytes; ours have some hundred. IAM lets an approver write objects of any size, and one of gigabytes would end whoever counts."""


def read(bucket: Bucket, name: str, environment: str, digest: str) -> tuple[StoredApproval, ...]:
    """The records of a digest, by key. Raises `AwsError`; `NotFound` where there is no bucket."""
    folder, found = _folder(environment, digest), []
    # Deeper keys are left out before they are counted: an approver can write any number of them, and would crowd out everybody else.
    ours = (head for head in bucket.list(name, folder) if head.key.endswith(".json") and "/" not in head.key.removeprefix(folder))
    for head in islice(ours, MOST):
        user_id = head.key.removeprefix(folder).removesuffix(".json")
        if head.size > LARGEST:
            if head.modified is not None:
                found.append(
                    StoredApproval(
                        user_id=user_id, written=head.modified, reason=f"it has {head.size:,} bytes, and no approval is so large"
                    )
                )
            continue
        try:
            stored = bucket.get(name, head.key)
        except NotFound:
            continue
        written = stored.head.modified
        if written is None:
            continue
        try:
            approval = documents.decode(stored.body, Approval)
        except documents.Unreadable as error:
            found.append(StoredApproval(user_id=user_id, written=written, reason=str(error)))
            continue
        if (approval.format, approval.environment, approval.digest) != (FORMAT, environment, digest):
            found.append(StoredApproval(user_id=user_id, written=written, reason="it is about something else than its name says"))
        else:
            found.append(StoredApproval(user_id=user_id, written=written, approval=approval))
    return tuple(found)


def _folder(environment: str, digest: str) -> str:
    if DIGEST.match(digest) is None:
        raise ValueError(f"{digest!r} is not a whole digest")
    return f"approvals/{environment}/{digest}/"
