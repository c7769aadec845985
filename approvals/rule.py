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


def needed(assembly: Assembly, bucket: history.Bucket) -> int:
    """People that have to approve. Raises `AwsError` where the history cannot be read, and `history.NotAsApplied` where it lies."""
    records = history.records(bucket, assembly.artifact_bucket, assembly.environment, limit=100)
    last = next((each for each in records if each.result == "succeeded"), None)
    if last is None or last.assembly_digest == assembly.digest:
        return assembly.approvals
    try:
        kept = history.fetch(bucket, assembly.artifact_bucket, last.assembly_digest)
    except NotFound:
        return assembly.approvals
    except documents.Unreadable as error:
        raise history.NotAsApplied(f"cannot be read: {error}") from error
    return history.verified(kept, last.assembly_digest, assembly.environment).approvals
