"""Keeping S3's replication out of the replica while releases go there, as one statement of its bucket policy.

What had been written at home shortly before the loss still waits to be replicated, and would come over newer pages when the home region is
back. Replication that is denied gives up on an object (its status is FAILED); failback copies what is missing then.

In: a policy document. Out: another one. Never: asks AWS, or touches another statement.
Source: Amazon S3 User Guide, "Setting up permissions for live replication" (the actions of the replication role on the destination).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recovery.closing import statements

SID = "PromotedTakesNoReplication"
_ACTIONS = ["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"]

Document = Mapping[str, Any]


def fenced(policy: Document | None, bucket_arn: str) -> dict[str, Any]:
    """The same policy, and nobody replicates into the bucket."""
    # Everybody: these actions are replication's alone, and a role that was made anew would not be the principal that was named.
    deny = {"Sid": SID, "Effect": "Deny", "Principal": "*", "Action": _ACTIONS, "Resource": f"{bucket_arn}/*"}
    return {"Version": "2012-10-17", **(policy or {}), "Statement": [*_others(policy), deny]}


def lifted(policy: Document | None) -> dict[str, Any] | None:
    """The same policy without the statement; None if nothing is left: S3 refuses a policy without a statement (MalformedPolicy)."""
    others = _others(policy)
    return {**(policy or {}), "Statement": others} if others else None


def is_fenced(policy: Document | None) -> bool:
    """The statement is there."""
    return any(each.get("Sid") == SID for each in statements(policy))


def _others(policy: Document | None) -> list[dict[str, Any]]:
    return [each for each in statements(policy) if each.get("Sid") != SID]
