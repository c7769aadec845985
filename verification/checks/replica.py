"""Would the replica serve the same site? Both buckets are asked: what they hold, and whom they let read.

In: the live release's keys, ways to ask S3, the clock. Out: whether it is all there, and readable by the same.
Never: changes anything.

Replication fails object by object and without an error anywhere else, for example where S3 cannot assume its role; what became of one
stands with its source. Source: Amazon S3 User Guide, "Getting replication status information".
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from aws.errors import AwsError
from verification.model import NOT_ASKED, Failed, NotApplicable, Replica, Skipped
from verification.probe import Probe
from verification.registry import check, expect

PENDING_LIMIT = timedelta(hours=24)
"""How long an object may be pending. S3 replicates most within 15 minutes and says that some take a couple of hours or more."""

WORKERS = 16
SHOWN = 3


@check("replica.current", "The replica has the live release")
def _replicated(probe: Probe) -> str:
    """Every file with the release's bytes, or about to be."""
    replica, now = _replica(probe), probe.now()
    try:
        behind = replica.unlike()
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            found = dict(zip(behind, pool.map(replica.head, behind), strict=True))
    except AwsError as error:
        raise Failed(f"cannot be read: {error}") from error
    pending = [key for key, each in found.items() if each is not None and each.replication == "PENDING"]
    late = [key for key in pending if (head := found[key]) and head.modified and now - head.modified > PENDING_LIMIT]
    if late:
        raise Failed(f"pending for more than {PENDING_LIMIT.total_seconds() / 3600:.0f} hours: {_some(late)}")
    failed = [key for key, each in found.items() if each is not None and each.replication == "FAILED"]
    if failed:
        raise Failed(f"S3 could not replicate {_some(failed)}; does the replication role let s3.amazonaws.com in, does the replica exist?")
    other = [key for key in behind if key not in pending]
    if other:
        raise Failed(f"not there, or with other bytes: {_some(other)}; `dr backfill` copies what the replica lacks")
    same = len(replica.keys) - len(pending)
    return f"{same} of {len(replica.keys)} files, byte for byte" + (f", {len(pending)} pending" if pending else "")


@check("replica.readers", "The replica lets the same read as the site bucket")
def _readers(probe: Probe) -> str:
    """The two bucket policies say the same of the two buckets."""
    try:
        found = _replica(probe).readers()
    except AwsError as error:
        raise Failed(f"the policies cannot be read: {error}") from error
    return expect(not found, "; ".join(found) or "statement by statement")


def _replica(probe: Probe) -> Replica:
    replica = probe.target.replica
    if replica is None:
        raise NotApplicable
    if isinstance(replica, str):
        raise Skipped(replica, give="" if probe.target.preview else NOT_ASKED)
    return replica


def _some(keys: Iterable[str]) -> str:
    every = sorted(keys)
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return ", ".join(every[:SHOWN]) + more
