"""How many people an environment asks for.

In: the assembly that is to be applied, and the history. Out: a number.
Never: lets a change that lowers the number be applied with fewer than were asked for before it.

What was applied last is what rules: a change that raises the number is applied as before it, since the policy of those who approve comes
with it; the next one takes as many as it says.
"""

from __future__ import annotations

from assembly.model import Assembly
from aws.errors import NotFound
from guards import documents
from rollout import history

LATEST, MOST = 100, 5000
"""Records that are looked at: usually, and where none of those is of an apply that succeeded."""


def needed(assembly: Assembly, bucket: history.Bucket) -> int:
    """People that have to approve. Raises `AwsError` where the history cannot be read, and `history.NotAsApplied` where it lies."""
    applied = _succeeded(assembly, bucket)
    if not applied or applied[0] == assembly.digest:
        return assembly.approvals
    for digest in applied:
        try:
            kept = history.fetch(bucket, assembly.artifact_bucket, digest)
        except NotFound:
            # Gone, or never kept: then the one before it tells, and not the one that wants to be applied.
            continue
        except documents.Unreadable as error:
            raise history.NotAsApplied(f"cannot be read: {error}") from error
        return history.verified(kept, digest, assembly.environment).approvals
    return assembly.approvals


def _succeeded(assembly: Assembly, bucket: history.Bucket) -> tuple[str, ...]:
    """Digests of the assemblies that were applied, the latest first."""
    for limit in (LATEST, MOST):
        past = history.read(bucket, assembly.artifact_bucket, assembly.environment, limit=limit)
        found = tuple(dict.fromkeys(each.assembly_digest for each in past.records if each.result == "succeeded"))
        if found or (len(past.records) < limit and len(past.damaged) <= limit):
            return found
    # No number of failures or of rubbish hides what was asked for before.
    raise history.NotAsApplied(f"is not among the latest {MOST:,} records of the history")
