"""Does the replica have the live release? Asked of the source objects, which is where S3 writes what became of each.

In: the live release's keys, a way to ask S3 for one object, the clock. Out: whether it is all there.
Never: reads the replica (another region's bucket, which the deploy role has no access to), changes anything.

Replication fails object by object and without an error anywhere else, for example where S3 cannot assume its role.
Source: Amazon S3 User Guide, "Getting replication status information".
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from aws.errors import AwsError
from aws.s3 import Head
from website.verification.model import NOT_ASKED, Failed, NotApplicable, Skipped
from website.verification.probe import Probe
from website.verification.registry import check

PENDING_LIMIT = timedelta(hours=24)
"""How long an object may be pending. S3 replicates most within 15 minutes and says that some take a couple of hours or more."""

WORKERS = 16
SHOWN = 3


@check("replica.current", "The replica has the live release")
def _replicated(probe: Probe) -> str:
    """Every object was replicated, or is about to be."""
    replica, now = probe.target.replica, probe.now()
    if replica is None:
        raise NotApplicable
    if isinstance(replica, str):
        raise Skipped(replica, give="" if probe.target.preview else NOT_ASKED)
    wanted = sorted(replica.keys)
    try:
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            found = dict(zip(wanted, pool.map(replica.head, wanted), strict=True))
    except AwsError as error:
        raise Failed(f"cannot be read: {error}") from error
    failed = [key for key, each in found.items() if each is not None and each.replication == "FAILED"]
    if failed:
        raise Failed(f"S3 could not replicate {_some(failed)}; does the replication role let s3.amazonaws.com in, does the replica exist?")
    never = [key for key, each in found.items() if each is not None and not each.replication]
    if never:
        raise Failed(
            f"S3 never meant to replicate {_some(never)}: written before replication was switched on, since it takes new objects only; "
            "S3 Batch Replication copies what was there before",
        )
    pending = [key for key, each in found.items() if each is not None and each.replication == "PENDING"]
    late = [key for key in pending if _age(found[key], now) > PENDING_LIMIT]
    if late:
        raise Failed(f"pending for more than {PENDING_LIMIT.total_seconds() / 3600:.0f} hours: {_some(late)}")
    here = sum(each is not None for each in found.values())
    return f"{here - len(pending)} of {here} objects replicated" + (f", {len(pending)} pending" if pending else "")


def _age(head: Head | None, now: datetime) -> timedelta:
    return now - head.modified if head is not None and head.modified is not None else timedelta()


def _some(keys: list[str]) -> str:
    more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return ", ".join(keys[:SHOWN]) + more
