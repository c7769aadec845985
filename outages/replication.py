# mypy: allow-untyped-calls
"""S3's replication in the order and with the statuses of AWS: PENDING, then COMPLETED or FAILED; the copy says REPLICA.

In: objects and delete markers of buckets with a replication configuration, the outages of the moment.
Out: their replicas, with the version ids of the originals, at once unless an outage says otherwise; `waiting` for the metrics.
Never: copies one thing twice, or again what has FAILED (at AWS that takes a new upload or S3 Batch Replication); replicates what was there
before the configuration, what is a replica itself, or the deletion of a version.

MiniStack copies within the request, gives the copy a version id of its own, and ignores the configuration of a bucket that a stack makes.
Its CopyObject keeps the ETag of what was uploaded in several parts; that of S3 makes one piece of it, whose ETag is its MD5 (API Reference,
Object), so that bytes that are the same have two ETags.

Sources: S3 User Guide, "Getting replication status information", "What does Amazon S3 replicate?" (metadata, creation times and version ids
are retained; delete markers if configured), "Troubleshooting replication".
"""

from __future__ import annotations

import copy
import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from ministack.core import responses
from ministack.services import s3
from ministack.services.cloudformation import provisioners

from outages.model import Copying, Outage, copying

PENDING, COMPLETED, FAILED = "PENDING", "COMPLETED", "FAILED"


@dataclass(kw_only=True)
class Waiting:
    """Something whose replica is due."""

    account: str
    bucket: str
    key: str
    rule: dict[str, Any]
    role: str
    since: float
    record: dict[str, Any] | None
    """The object's, as MiniStack keeps it; None: a delete marker."""
    data: bytes = b""
    tags: dict[str, str] | None = None

    @property
    def target(self) -> str:
        """The bucket that it goes to."""
        return str((self.rule.get("Destination") or {}).get("Bucket", "")).rpartition(":::")[2]


_QUEUE: list[Waiting] = []
_COPYING: ContextVar[list[tuple[bytes, bytes]] | None] = ContextVar("copying", default=None)
"""While CopyObject is at it: the ETag that it gave, and the one that S3 gives."""


def waiting() -> tuple[Waiting, ...]:
    """Everything whose replica is not there yet, oldest first."""
    return tuple(_QUEUE)


def install() -> None:
    """In the place of MiniStack's own replication; a stack's bucket gets its configuration."""
    vars(s3)["_maybe_replicate"] = _object_written
    vars(s3)["_maybe_replicate_delete_marker"] = _marker_written
    copy_object = s3._copy_object

    def copied(bucket_name: str, dest_key: str, headers: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        etags: list[tuple[bytes, bytes]] = []
        mark = _COPYING.set(etags)
        try:
            status, more, body = copy_object(bucket_name, dest_key, headers)
        finally:
            _COPYING.reset(mark)
        return status, more, body.replace(*etags[0]) if etags else body

    vars(s3)["_copy_object"] = copied
    handlers: Any = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    create, update = handlers["create"], handlers["update"]

    def created(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        made = create(logical_id, props, stack_name)
        _configure(str(made[0]), props)
        return made

    def updated(physical_id: str, old: dict[str, Any], new: dict[str, Any], *more: Any, **named: Any) -> Any:
        made = update(physical_id, old, new, *more, **named)
        _configure(str(made[0] if made else physical_id), new)
        return made

    handlers["create"], handlers["update"] = created, updated


def _configure(bucket: str, props: dict[str, Any]) -> None:
    """AWS::S3::Bucket's ReplicationConfiguration, in the shape of the API. Raises `ValueError` for what S3 refuses."""
    given = props.get("ReplicationConfiguration")
    if not given:
        s3._bucket_replication.pop(bucket, None)
        return
    if s3._bucket_versioning.get(bucket) != "Enabled":
        raise ValueError("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
    rules = [{**rule, "ID": rule.get("Id", "")} for rule in given["Rules"]]
    for rule in rules:
        name = rule["Destination"]["Bucket"].rpartition(":::")[2]
        owner = s3._bucket_owner_account(name)
        if owner is None:
            raise ValueError("Destination bucket must exist.")
        if s3._bucket_versioning.get_scoped(owner, None, name) != "Enabled":
            raise ValueError("Destination bucket must have versioning enabled.")
    s3._bucket_replication[bucket] = {"Role": given["Role"], "Rules": rules}


def _object_written(bucket_name: str, key: str, obj: dict[str, Any], data: Any, tags: dict[str, str] | None = None) -> None:
    etags, before = _COPYING.get(), str(obj["etag"]).strip('"')
    if etags is not None and "-" in before:
        digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
        obj["etag"] = f'"{digest}"'
        etags.append((before.encode(), digest.encode()))
    rule, role = s3._replication_rule_for(bucket_name, key, tags)
    if rule is None:
        return
    obj["replication_status"] = PENDING
    _enqueue(bucket_name, key, rule, role, record=obj, data=bytes(data), tags=tags)


def _marker_written(bucket_name: str, key: str) -> None:
    rule, role = s3._replication_rule_for(bucket_name, key, None)
    if rule is None:
        return
    newer = "Filter" in rule
    if newer and (s3._replication_rule_tags(rule) or (rule.get("DeleteMarkerReplication") or {}).get("Status") != "Enabled"):
        return
    _enqueue(bucket_name, key, rule, role, record=None)


def _enqueue(bucket: str, key: str, rule: dict[str, Any], role: str, **what: Any) -> None:
    """From now on, in the account whose request this is."""
    _QUEUE.append(Waiting(account=responses.get_account_id(), bucket=bucket, key=key, rule=rule, role=role, since=time.monotonic(), **what))


def settle(outages: Iterable[Outage]) -> None:
    """Make the replicas whose time has come. What of a key has to wait keeps the later ones of that key waiting, as they are in order."""
    if not _QUEUE:
        return
    outages = tuple(outages)
    held: set[tuple[str, str]] = set()
    for item in list(_QUEUE):
        place = (item.bucket, item.key)
        if place in held:
            continue
        with s3._in_account(item.account):
            what = _due(item, outages)
            if what is Copying.WAIT:
                held.add(place)
                continue
            _QUEUE.remove(item)
            _ended(item, _copied(item) if what is Copying.NOW else False)


def _due(item: Waiting, outages: Iterable[Outage]) -> Copying:
    regions = []
    for name in (item.bucket, item.target):
        owner = s3._bucket_owner_account(name)
        regions.append(str(s3._buckets.get_scoped(owner, None, name)["region"]) if owner else "")
    return copying(
        outages,
        account=item.account,
        source=(item.bucket, regions[0]),
        target=(item.target, regions[1]),
        age=time.monotonic() - item.since,
    )


def _copied(item: Waiting) -> bool:
    found = s3._replication_destination(item.bucket, item.key, item.rule, item.role)
    if found is None:
        return False
    name, account, bucket = found
    if _refused(name, account, "s3:ReplicateDelete" if item.record is None else "s3:ReplicateObject"):
        return False
    if item.record is None:
        with s3._in_account(account):
            s3._record_delete_marker(name, item.key, bucket["objects"].get(item.key))
            bucket["objects"].pop(item.key, None)
        return True
    replica = copy.deepcopy(item.record)
    replica |= {"replication_status": "REPLICA", "body": item.data}
    original = replica.pop("version_id", None)
    storage_class = (item.rule.get("Destination") or {}).get("StorageClass")
    if storage_class:
        replica["storage_class"] = storage_class
    with s3._in_account(account):
        prior = bucket["objects"].get(item.key)
        bucket["objects"][item.key] = replica
        s3._record_object_version(name, item.key, prior, replica, item.data)
        if original:
            replica["version_id"] = s3._object_versions[(name, item.key)][-1]["version_id"] = original
        if item.tags:
            s3._object_tags[(name, item.key, original)] = dict(item.tags)
        if s3.S3_PERSIST:
            s3._persist_object(name, item.key, replica)
    return True


def _refused(bucket: str, account: str, action: str) -> bool:
    """The bucket's policy denies it to everybody: the one statement that the platform writes (`promotion.fence`)."""
    policy = json.loads(s3._bucket_policies.get_scoped(account, None, bucket) or "{}")
    return any(
        each["Effect"] == "Deny" and each["Principal"] == "*" and action in each["Action"] and not each.get("Condition")
        for each in policy.get("Statement", [])
    )


def _ended(item: Waiting, copied: bool) -> None:
    if item.record is None:
        return
    status = COMPLETED if copied else FAILED
    item.record["replication_status"] = status
    for version in s3._object_versions.get((item.bucket, item.key), []):
        if version["version_id"] == item.record.get("version_id"):
            version["replication_status"] = status
    bucket = s3._buckets.get(item.bucket)
    if s3.S3_PERSIST and bucket and bucket["objects"].get(item.key) is item.record:
        s3._persist_object(item.bucket, item.key, item.record)
    _TOLD.append((item, copied))


_TOLD: list[tuple[Waiting, bool]] = []


def told() -> Iterator[tuple[Waiting, bool]]:
    """What has ended since the last call, and whether well."""
    while _TOLD:
        yield _TOLD.pop(0)
