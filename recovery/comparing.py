"""Two buckets of one site, compared key by key.

In: what each holds. Out: a `Comparison`. Never: asks AWS.

Both are encrypted with SSE-S3 and the publisher sends every file in one piece, so an ETag is the MD5 of the bytes (Amazon S3 API Reference,
Object): equal ETags are equal bytes, in either region. What others uploaded in several parts (`aws s3 cp` from 8 MB on) has another kind of
ETag, with a hyphen, and its copy is one piece: there size and time decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from assembly.model import Frozen

if TYPE_CHECKING:
    from aws.s3 import S3, Head

BEACONS = ".dr/"
"""Below the prefix of the site's keys: what a rehearsal puts into the replica alone."""

NAMED = 20
"""Keys that are told; of the others the number."""


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """One object as a listing has it."""

    etag: str
    size: int
    modified: datetime | None = None


Listing = Mapping[str, StoredObject]


class Difference(Frozen, frozen=True, kw_only=True):
    """Objects of one kind that are not the same in both."""

    objects: int = 0
    size: int = 0
    """Bytes, of the site bucket's; of orphans the replica's."""
    keys: tuple[str, ...] = ()
    """The first of them."""


class Comparison(Frozen, frozen=True, kw_only=True):
    """How the replica differs from the site bucket."""

    objects: int
    size: int
    """Bytes."""
    replica_objects: int
    replica_size: int
    missing: Difference
    """Only the site bucket has them."""
    other: Difference
    """Both have the key, with other bytes."""
    orphans: Difference
    """Only the replica has them: removed from the site while nothing was replicated."""
    live: int
    """Files of the live release."""
    live_same: int
    """Those that the replica has with exactly the release's bytes."""
    live_at_home: int
    """Those that the site bucket itself has so: fewer, and both were emptied by hand."""
    lag_seconds: float
    """Age of the oldest object that the replica lacks."""

    @property
    def serves_live(self) -> bool:
        """The replica has every file of the live release."""
        return self.live == self.live_same

    @property
    def equal(self) -> bool:
        """The same objects, byte for byte."""
        return not (self.missing.objects or self.other.objects or self.orphans.objects)


def lacking(primary: Listing, replica: Listing) -> tuple[str, ...]:
    """Keys that the replica has not, or with other bytes; in key order."""
    return tuple(sorted(key for key, held in primary.items() if not same(held, replica.get(key))))


def orphaned(primary: Listing, replica: Listing, prefix: str = "") -> tuple[str, ...]:
    """Keys that the replica alone has, without beacons."""
    beacons = prefix + BEACONS
    return tuple(sorted(key for key in replica.keys() - primary.keys() if not key.startswith(beacons)))


def unlike(wanted: Mapping[str, str], replica: Listing) -> tuple[str, ...]:
    """Keys of `wanted` (MD5 by key) that the replica has not with those bytes; in key order."""
    return tuple(sorted(key for key, md5 in wanted.items() if key not in replica or replica[key].etag != md5))


def compare(primary: Listing, replica: Listing, wanted: Mapping[str, str], *, prefix: str = "", now: datetime) -> Comparison:
    """`wanted`: MD5 by key of the live release's files; none where nothing was published."""
    short = lacking(primary, replica)
    missing = [key for key in short if key not in replica]
    other = [key for key in short if key in replica]
    ages = [(now - when).total_seconds() for key in short if (when := primary[key].modified) is not None]
    return Comparison(
        objects=len(primary),
        size=_size(primary.values()),
        replica_objects=len(replica),
        replica_size=_size(replica.values()),
        missing=difference(missing, primary),
        other=difference(other, primary),
        orphans=difference(orphaned(primary, replica, prefix), replica),
        live=len(wanted),
        live_same=len(wanted) - len(unlike(wanted, replica)),
        live_at_home=len(wanted) - len(unlike(wanted, primary)),
        lag_seconds=max([0.0, *ages]),
    )


def difference(keys: Iterable[str], listing: Listing) -> Difference:
    """Of those keys, as that listing has them."""
    found = tuple(keys)
    return Difference(objects=len(found), size=sum(listing[key].size for key in found), keys=found[:NAMED])


def read(s3: S3, bucket: str, prefix: str = "") -> dict[str, StoredObject]:
    """A bucket's objects. `NotFound` where there is no bucket."""
    return {head.key: _held(head) for head in s3.list(bucket, prefix)}


def read_both(primary: tuple[S3, str], replica: tuple[S3, str]) -> tuple[dict[str, StoredObject], dict[str, StoredObject]]:
    """Both at the same time. Raises `AwsError`."""
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(read, *replica)
        first = read(*primary)
        return first, second.result()


def _held(head: Head) -> StoredObject:
    return StoredObject(etag=head.etag, size=head.size, modified=head.modified)


def same(held: StoredObject, copy: StoredObject | None) -> bool:
    """Whether the copy has what is held; of what was uploaded in parts only that it is as long and was not written before it."""
    if copy is None or copy.size != held.size:
        return False
    if copy.etag == held.etag:
        return True
    in_parts = "-" in held.etag + copy.etag
    return in_parts and held.modified is not None and copy.modified is not None and held.modified <= copy.modified


def _size(held: Iterable[StoredObject]) -> int:
    return sum(each.size for each in held)
