"""What S3 replicates by, as it stands in both buckets' settings.

In: gateways to both regions. Out: rules and versioning, or what is wrong with them. Never: takes a bucket that was never made for one that
is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws.errors import NotFound
from recovery.status import replication_problems

if TYPE_CHECKING:
    from gateways.origins import Buckets, Rule
    from recovery.origins import Origins


def read(origins: Origins, primary: Buckets, replica: Buckets) -> tuple[tuple[Rule, ...], str | None] | None:
    """The rules of the site bucket and the versioning of the replica (None: it is gone); None before both were made. Raises `AwsError`."""
    try:
        rules = primary.rules(origins.primary.bucket)
    except NotFound:
        return None
    try:
        return rules, replica.versioning(origins.replica.bucket)
    except NotFound:
        return (rules, None) if rules else None


def problems(origins: Origins, primary: Buckets, replica: Buckets) -> tuple[str, ...]:
    """Why new objects would not reach the replica. Raises `AwsError`."""
    found = read(origins, primary, replica)
    return replication_problems(*found, origins) if found is not None else ()
