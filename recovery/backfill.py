"""Copying to the replica what it lacks and what S3's replication will never bring.

In: both buckets, a `Run`. Out: how much that is; what was copied; events for a `Report`.
Never: copies another version than the one that was looked at, or removes anything.

Replication takes what is written while it is switched on (Amazon S3 User Guide, "What does Amazon S3 replicate?"). The rest is copied
within S3, asked of the replica's region, headers and metadata with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from aws.errors import Conflict, NotFound
from gateways.origins import COPY_LIMIT
from recovery.comparing import Difference, Listing, StoredObject, difference, lacking, read_closely
from website.run import Begun, Run, Sent

if TYPE_CHECKING:
    from aws.s3 import S3
    from gateways.origins import Buckets
    from recovery.origins import Origins

WORKERS = 16
BROUGHT = ("PENDING", "COMPLETED")
"""ReplicationStatus of a source that S3 brings, or has brought. COMPLETED of one that the replica has lost is brought by nobody: a wait for
it ends, and `dr backfill` copies it."""

COPIES_A_SECOND = 100
"""Cross-region copies that sixteen threads make: some 160 ms each, of files that a site is made of."""

BATCH_OBJECTS, BATCH_SIZE = 100_000, 500 * 1000**3
"""Objects or bytes from which S3 Batch Replication is the better tool: it runs inside of S3, retries by itself and reports, where this
would hold a terminal for more than a quarter of an hour. Source: Amazon S3 User Guide, "Replicating existing objects with Batch
Replication"."""

FRESH = timedelta(minutes=15)
"""Younger objects are asked about before they are copied: S3 may be about to bring them."""

ROUNDS = 3
AT_ONCE = 200
"""Copies between two looks at whether this run may still write: some seconds."""


@dataclass(frozen=True, kw_only=True)
class Filled:
    """What a back-fill has done."""

    objects: int
    size: int
    """Bytes that were copied."""
    left: tuple[str, ...]
    """Still not the same in the replica."""


def needed(here: Listing, there: Listing) -> Difference:
    """What a back-fill would copy."""
    return difference(lacking(here, there), here)


def is_large(need: Difference) -> bool:
    """More than a back-fill should do while somebody waits."""
    return need.objects > BATCH_OBJECTS or need.size > BATCH_SIZE


def minutes(need: Difference) -> int:
    """That copying it takes, roughly; one at the least."""
    return max(1, round(need.objects / COPIES_A_SECOND / 60))


def copy_all(origins: Origins, copies: Buckets, objects: Listing, run: Run, check: Callable[[], None] = lambda: None) -> tuple[str, ...]:
    """Copy these of the site bucket into the replica; the keys that were not: exchanged meanwhile, or too large for one copy."""
    small = {key: held for key, held in objects.items() if held.size <= COPY_LIMIT}
    run.report(Begun(step="copying to the replica what it lacks", files=len(small), size=sum(held.size for held in small.values())))

    def copy(key: str) -> bool:
        try:
            copies.copy(origins.primary.bucket, key, origins.replica.bucket, if_match=small[key].etag)
        except (Conflict, NotFound):
            return False
        return True

    left = [key for key in objects if key not in small]
    keys = list(small)
    with ThreadPoolExecutor(WORKERS) as pool:
        for begin in range(0, len(keys), AT_ONCE):
            check()
            batch = keys[begin : begin + AT_ONCE]
            for key, done in zip(batch, pool.map(copy, batch), strict=True):
                if done:
                    run.report(Sent(key=key, size=small[key].size))
                else:
                    left.append(key)
    return tuple(sorted(left))


def fill(origins: Origins, primary: S3, replica: S3, copies: Buckets, run: Run, *, check: Callable[[], None] = lambda: None) -> Filled:
    """Copy everything that the replica lacks and that S3 is not about to bring. Run again, it does the rest. Raises `AwsError`.

    `check`, asked before each batch of copies, raises where this run may write no more.

    Looked at again after each round: what was published meanwhile may have been overtaken by a copy of what it replaced.
    """
    done: dict[str, int] = {}
    left: tuple[str, ...] = ()
    for _ in range(ROUNDS):
        here, there = read_closely((primary, origins.primary.bucket), (replica, origins.replica.bucket))
        left = lacking(here, there)
        wanted = _not_under_way(left, here, origins, primary, run)
        if not wanted:
            break
        skipped = set(copy_all(origins, copies, wanted, run, check))
        done |= {key: held.size for key, held in wanted.items() if key not in skipped}
    else:
        left = lacking(*read_closely((primary, origins.primary.bucket), (replica, origins.replica.bucket)))
    return Filled(objects=len(done), size=sum(done.values()), left=left)


def _not_under_way(keys: Iterable[str], here: Listing, origins: Origins, primary: S3, run: Run) -> dict[str, StoredObject]:
    """Those that S3 is not about to bring: an old object is none, which spares a request for each."""
    now = run.now()

    def coming(key: str) -> bool:
        when = here[key].modified
        if when is None or now - when > FRESH:
            return False
        head = primary.head(origins.primary.bucket, key)
        return head is not None and head.replication in BROUGHT

    found = tuple(keys)
    with ThreadPoolExecutor(WORKERS) as pool:
        return {key: here[key] for key, brought in zip(found, pool.map(coming, found), strict=True) if not brought}
