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
from functools import partial
from typing import TYPE_CHECKING

from assembly import commands
from aws.errors import AwsError
from recovery.backfill import BROUGHT, WORKERS, copy_all
from recovery.comparing import StoredObject, orphaned, read, read_both, unlike
from website.run import Begun, Run, Sent, Warned, count

if TYPE_CHECKING:
    from aws.s3 import S3
    from gateways.origins import Buckets
    from recovery.origins import Origins


@dataclass(kw_only=True)
class Following:
    """The replica of a site, as a publish sees it (`website.site.Follower`). One for each run."""

    origins: Origins
    primary: S3
    replica: S3
    copies: Buckets
    """Of the replica's region."""
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

    def _there(self) -> dict[str, StoredObject]:
        return read(self.replica, self.origins.replica.bucket)

    def _copy_forgotten(self, behind: Iterable[str], wanted: Mapping[str, str], run: Run) -> None:
        with ThreadPoolExecutor(WORKERS) as pool:
            heads = pool.map(lambda key: (key, self.primary.head(self.origins.primary.bucket, key)), behind)
            forgotten = {key: head for key, head in heads if head and head.etag == wanted[key] and head.replication not in BROUGHT}
        if forgotten:
            held = {key: StoredObject(etag=head.etag, size=head.size, modified=head.modified) for key, head in forgotten.items()}
            copy_all(self.origins, self.copies, held, run)

    def _wait(self, wanted: Mapping[str, str], run: Run, renew: Callable[[], None]) -> tuple[str, ...]:
        behind, pause, said = unlike(wanted, self._there()), 0.5, False
        while behind and self._waited < run.replica_seconds:
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
            command = commands.deploy("dr status", self.origins.environment)
            run.report(Warned(text=f"{what}; the site goes on, and would be an earlier one if it failed over now; look: {command}"))
