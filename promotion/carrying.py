"""What was published in the standby region, on its way home.

In: what both buckets hold, and since when the replica took releases. Out: what has to be copied, in the order of a publish; what was
written at home meanwhile.
Never: deletes, copies back what S3's replication brought, or leaves a page at home before what it loads.

While promoted nothing is deleted (docs/decisions/0039), so what only one bucket has was never taken away on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice

from aws.errors import Conflict, NotFound
from gateways.origins import COPY_LIMIT
from promotion.places import Place
from recovery.backfill import AT_ONCE
from recovery.comparing import BEACONS, Listing, StoredObject, read_both, same
from website.run import Begun, Report, Sent

WORKERS = 16
_REPLICATED = "REPLICA"
"""ReplicationStatus of an object that S3's replication wrote (S3 User Guide, "Getting replication status information")."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What goes home."""

    objects: tuple[tuple[str, StoredObject], ...]
    """In the order in which they are copied."""
    overwritten: tuple[str, ...]
    """Of these, keys that were written at home as well since the promotion; that version stays as a noncurrent one."""
    late: tuple[str, ...]
    """Other keys that were written at home since the promotion; they stay."""

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(held.size for _, held in self.objects)

    @property
    def too_large(self) -> tuple[str, ...]:
        """Keys of objects that one copy does not take."""
        return tuple(key for key, held in self.objects if held.size > COPY_LIMIT)


def load(home: Place, standby: Place, since: datetime, index_key: str) -> Load:
    """Look at both buckets. Raises `AwsError`."""
    here, there = read_both((home.s3, home.bucket), (standby.s3, standby.bucket))
    young = tuple(key for key in candidates(here, there, since))
    with ThreadPoolExecutor(WORKERS) as pool:
        heads = dict(zip(young, pool.map(lambda key: standby.s3.head(standby.bucket, key), young), strict=True))
    published = [key for key in young if (head := heads[key]) is not None and head.replication != _REPLICATED]
    return sorted_load(here, there, published, since, index_key)


def candidates(home: Listing, standby: Listing, since: datetime) -> tuple[str, ...]:
    """Keys that were written into the replica since, and have not arrived at home yet."""
    return tuple(
        sorted(key for key, held in standby.items() if _young(held, since) and not _arrived(home.get(key), held) and not _beacon(key))
    )


def sorted_load(home: Listing, standby: Listing, published: Iterable[str], since: datetime, index_key: str) -> Load:
    """The same of listings alone."""
    keys = sorted(published, key=lambda key: (_rank(key, index_key), key))
    meanwhile = {key for key, held in home.items() if _young(held, since)}
    taken = set(keys)
    alike = {key for key in meanwhile if key in standby and standby[key].etag == home[key].etag}
    return Load(
        objects=tuple((key, standby[key]) for key in keys),
        overwritten=tuple(sorted(key for key in (meanwhile & taken) - alike)),
        late=tuple(sorted(meanwhile - taken - alike)),
    )


def carry(found: Load, home: Place, standby: Place, index_key: str, report: Report, *, check: Callable[[], None] = lambda: None) -> None:
    """Copy them home. Raises `AwsError`; done again, it does the rest. `check`, asked before each batch, raises where the lock is lost."""
    report(Begun(step="carrying home what was published", files=len(found.objects), size=found.size))
    # One rank after the other: a page is at home only when everything of the ranks before it is.
    with ThreadPoolExecutor(WORKERS) as pool:
        for _, group in groupby(found.objects, lambda each: _rank(each[0], index_key)):
            while objects := tuple(islice(group, AT_ONCE)):
                check()
                for (key, held), _ in zip(objects, pool.map(lambda each: _copy(each[0], each[1], home, standby), objects), strict=True):
                    report(Sent(key=key, size=held.size))


def _copy(key: str, held: StoredObject, home: Place, standby: Place) -> None:
    try:
        home.buckets.copy(standby.bucket, key, home.bucket, if_match=held.etag)
    except (Conflict, NotFound) as error:
        raise Conflict(f"{key} of the replica changed while it was carried home: {error}", code=error.code) from error


def unequal(home: Place, standby: Place, since: datetime, is_published: Callable[[str], bool] | None = None) -> tuple[str, ...]:
    """Keys that were published in the replica and are not the same at home; none when everything has arrived."""
    here, there = read_both((home.s3, home.bucket), (standby.s3, standby.bucket))
    found = (key for key, held in there.items() if _young(held, since) and not _beacon(key) and not same(held, here.get(key)))
    asked = is_published or (lambda key: (head := standby.s3.head(standby.bucket, key)) is not None and head.replication != _REPLICATED)
    return tuple(sorted(key for key in found if asked(key)))


def _young(held: StoredObject, since: datetime) -> bool:
    return held.modified is None or held.modified >= since


def _arrived(home: StoredObject | None, held: StoredObject) -> bool:
    """The same bytes, written at home after they were written into the replica: with its headers, too."""
    if home is None or not same(held, home):
        return False
    return home.modified is None or held.modified is None or home.modified >= held.modified


def _rank(key: str, index_key: str) -> int:
    """As a publish has it (`website.content.rank`), by the name alone: an unhashed file goes with the hashed ones here."""
    if key.endswith(("sw.js", "sw.mjs", "service-worker.js")):
        return 3
    return 2 if key == index_key else 1 if key.endswith(".html") else 0


def _beacon(key: str) -> bool:
    return key.startswith(BEACONS) or f"/{BEACONS}" in key
