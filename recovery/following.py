"""Seeing to it that the replica has what the site bucket has: waiting for S3's replication, copying what it will never bring.

In: both buckets, what is wanted, a clock, a sleep. Out: what is still behind; events for a `Report`.
Never: copies what replication is about to bring, or a version other than the one that was looked at; fails a release because the replica
lags: that is a warning, which `status` keeps.

Replication takes what is written while it is switched on (Amazon S3 User Guide, "What does Amazon S3 replicate?"). What was there before,
and what failed, has no ReplicationStatus or FAILED, and is copied here: within S3, asked of the replica's region.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from assembly import commands
from aws.errors import AwsError, Conflict, NotFound
from gateways.origins import COPY_LIMIT
from recovery.comparing import Held, Listing, lacking, orphaned, read, read_both, unlike
from website.run import Begun, Run, Sent, Warned, count

if TYPE_CHECKING:
    from aws.s3 import S3
    from gateways.origins import Buckets
    from recovery.origins import Origins

WAIT_SECONDS = 300.0
"""How long a release waits for its replica. S3 replicates most objects within seconds and gives no promise below 15 minutes, which is that
of replication time control (Amazon S3 User Guide); a release that is urgent should not wait that long."""

WORKERS = 16
_BROUGHT = ("PENDING", "COMPLETED")
"""Of the source: S3 brings it, or has. COMPLETED of one that the replica has lost is brought by
nobody: the wait ends, and `dr backfill` copies it."""


@dataclass(kw_only=True)
class Following:
    """The replica of a site, as a publish sees it (`website.site.Follower`). One for each run: it waits for `seconds` in all."""

    origins: Origins
    primary: S3
    replica: S3
    copies: Buckets
    """Of the replica's region."""
    seconds: float = WAIT_SECONDS
    _waited: float = field(default=0.0, init=False)
    _told: bool = field(default=False, init=False)

    def catch_up(self, wanted: Mapping[str, str], run: Run, renew: Callable[[], None]) -> bool:
        """See to it that the replica has these (MD5 by key), and say whether it does. Never raises `AwsError`."""
        try:
            behind = unlike(wanted, self._there())
            if behind:
                self._copy_forgotten(behind, wanted, run)
                behind = self._wait(wanted, run, renew)
        except AwsError as error:
            self._warn(run, f"the replica cannot be looked at: {error}")
            return False
        if behind:
            more = f" and {len(behind) - 3} more" if len(behind) > 3 else ""
            self._warn(run, f"the replica has not {', '.join(behind[:3])}{more} after {self._waited:.0f} s")
        return not behind

    def forget(self, kept: Iterable[str], run: Run) -> None:
        """Remove from the replica what the site bucket has no more, but nothing of `kept`. The bucket is versioned."""
        try:
            here, there = read_both((self.primary, self.origins.primary.bucket), (self.replica, self.origins.replica.bucket))
            gone = [key for key in orphaned(here, there) if key not in set(kept)]
            if not gone:
                return
            run.report(Begun(step="removing from the replica", files=len(gone), size=sum(there[key].size for key in gone)))
            with ThreadPoolExecutor(WORKERS) as pool:
                remove = partial(self.replica.delete, self.origins.replica.bucket)
                for key, _ in zip(gone, pool.map(lambda key: remove(key, if_match=there[key].etag), gone), strict=True):
                    run.report(Sent(key=key, size=there[key].size))
        except AwsError as error:
            self._warn(run, f"what was removed from the site could not be removed from its replica: {error}")

    def _there(self) -> dict[str, Held]:
        return read(self.replica, self.origins.replica.bucket)

    def _copy_forgotten(self, behind: Iterable[str], wanted: Mapping[str, str], run: Run) -> None:
        with ThreadPoolExecutor(WORKERS) as pool:
            heads = pool.map(lambda key: (key, self.primary.head(self.origins.primary.bucket, key)), behind)
            forgotten = {key: head for key, head in heads if head and head.etag == wanted[key] and head.replication not in _BROUGHT}
        if forgotten:
            held = {key: Held(etag=head.etag, size=head.size, modified=head.modified) for key, head in forgotten.items()}
            copy_all(self.origins, self.copies, held, run)

    def _wait(self, wanted: Mapping[str, str], run: Run, renew: Callable[[], None]) -> tuple[str, ...]:
        behind, pause, said = unlike(wanted, self._there()), 0.5, False
        while behind and self._waited < self.seconds:
            if not said:
                run.report(Begun(step=f"waiting until the replica in {self.origins.replica.region} has {count(len(behind), 'file')}"))
                said = True
            run.sleep(pause)
            self._waited += pause
            renew()
            pause = min(pause * 1.5, 10.0)
            behind = unlike(wanted, self._there())
        return behind

    def _warn(self, run: Run, what: str) -> None:
        if not self._told:
            self._told = True
            command = commands.deploy("dr", self.origins.environment, "status")
            run.report(Warned(text=f"{what}; the site goes on, and would be an earlier one if it failed over now; look: {command}"))


def copy_all(origins: Origins, copies: Buckets, objects: Listing, run: Run) -> tuple[str, ...]:
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
    with ThreadPoolExecutor(WORKERS) as pool:
        for key, done in zip(small, pool.map(copy, small), strict=True):
            if done:
                run.report(Sent(key=key, size=small[key].size))
            else:
                left.append(key)
    return tuple(sorted(left))


@dataclass(frozen=True, kw_only=True)
class Filled:
    """What a back-fill has done."""

    objects: int
    size: int
    """Bytes that were copied."""
    left: tuple[str, ...]
    """Still not the same in the replica."""


ROUNDS = 3


def fill(origins: Origins, primary: S3, replica: S3, copies: Buckets, run: Run) -> Filled:
    """Copy everything that the replica lacks and that S3 is not about to bring. Run again, it does the rest. Raises `AwsError`.

    Looked at again after each round: what was published meanwhile may have been overtaken by a copy of what it replaced.
    """
    done: dict[str, int] = {}
    left: tuple[str, ...] = ()
    for _ in range(ROUNDS):
        here = read(primary, origins.primary.bucket)
        left = lacking(here, read(replica, origins.replica.bucket))
        wanted = _not_under_way(left, here, origins, primary, run)
        if not wanted:
            break
        skipped = set(copy_all(origins, copies, wanted, run))
        done |= {key: held.size for key, held in wanted.items() if key not in skipped}
    else:
        left = lacking(read(primary, origins.primary.bucket), read(replica, origins.replica.bucket))
    return Filled(objects=len(done), size=sum(done.values()), left=left)


FRESH = timedelta(minutes=15)
"""Younger objects are asked about before they are copied."""


def _not_under_way(keys: Iterable[str], here: Listing, origins: Origins, primary: S3, run: Run) -> dict[str, Held]:
    """Those that S3 is not about to bring: an old object is none, which spares a request for each."""
    now = run.now()

    def coming(key: str) -> bool:
        when = here[key].modified
        if when is None or now - when > FRESH:
            return False
        head = primary.head(origins.primary.bucket, key)
        return head is not None and head.replication in _BROUGHT

    found = tuple(keys)
    with ThreadPoolExecutor(WORKERS) as pool:
        return {key: here[key] for key, brought in zip(found, pool.map(coming, found), strict=True) if not brought}
