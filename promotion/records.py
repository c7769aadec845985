"""The deployer's own records in two regions: copied to the standby after every change, and joined again on the way home.

In: two artifact buckets. Out: how many objects were copied; one list of releases out of two.
Never: deletes a record, takes over a claim, drops a release that only one of the two lists has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import msgspec

from aws.errors import Conflict
from promotion.places import Place
from website.claims import given_up
from website.releases import Release, State, moment

WORKERS = 16
PREFIXES = ("site/{environment}/", "history/{environment}/", "assemblies/")
"""What a deployer in the standby region needs: releases with what they take to come back, what was applied (and so how many have to
approve). Approvals are not among them: only people write those."""
STATE = "releases.json"


def copy_records(source: Place, target: Place, environment: str) -> int:
    """Copy what the target lacks, without the list of releases, which `mirror` and `carry_list` write. Raises `AwsError`."""
    wanted = [each for prefix in PREFIXES for each in _lacking(source, target, prefix.format(environment=environment))]

    def copy(each: tuple[str, str]) -> bool:
        key, etag = each
        try:
            target.buckets.copy(source.artifacts, key, target.artifacts, if_match=etag)
        except Conflict:
            # Written anew at this moment: the next mirror brings it.
            return False
        return True

    with ThreadPoolExecutor(WORKERS) as pool:
        return sum(pool.map(copy, wanted))


def _lacking(source: Place, target: Place, prefix: str) -> Iterator[tuple[str, str]]:
    there = {head.key: head.etag for head in target.s3.list(target.artifacts, prefix)}
    for head in source.s3.list(source.artifacts, prefix):
        if there.get(head.key) != head.etag and not head.key.endswith(f"/{STATE}"):
            yield head.key, head.etag


def mirror(home: Place, standby: Place, environment: str, *, allowed: Callable[[], bool], now: datetime) -> int:
    """Bring the standby's records up to those of the home region; how many objects were copied. Raises `AwsError`.

    `allowed`: releases still go to the home region. It is asked between reading the standby's list and writing it, and the write is over
    exactly what was read: a list that somebody has published with since a promotion is never written over.
    """
    copied = copy_records(home, standby, environment)
    wanted, _ = home.store(environment).state()
    there, etag = standby.store(environment).state()
    wanted = unclaimed(wanted, now)
    if wanted != there and allowed():
        standby.store(environment).write(wanted, etag)
        copied += 1
    return copied


def unclaimed(state: State, now: datetime) -> State:
    """Without the claim of whoever is at it; what it may have written is remembered."""
    return state if state.claim is None else given_up(state, now)


def joined(home: State, standby: State, bucket: str, now: datetime) -> State:
    """One list out of two that have the same beginning: every release of either, and the standby's last one is live.

    `bucket` is the one that releases go to from now on. What only the home region knows of stands at its time,
    and never last.
    """
    if not standby.releases:
        return msgspec.structs.replace(unclaimed(home, now), bucket=bucket)
    known = {_identity(release) for release in standby.releases}
    releases = list(standby.releases)
    for release in home.releases:
        if _identity(release) not in known:
            later = (index for index, other in enumerate(releases) if moment(other.at) > moment(release.at))
            releases.insert(next(later, len(releases) - 1), release)
    here, there = unclaimed(home, now), unclaimed(standby, now)
    return State(
        environment=home.environment,
        bucket=bucket,
        releases=tuple(releases),
        unfinished={**here.unfinished, **there.unfinished},
        pending=there.pending or here.pending,
    )


def _identity(release: Release) -> tuple[int, str, str]:
    return release.number, release.manifest, release.at


def carry_list(standby: Place, home: Place, environment: str, now: datetime) -> State:
    """Write the joined list at home. Joining once more changes nothing."""
    there, _ = standby.store(environment).state()
    return home.store(environment).change(lambda here: joined(here, there, home.bucket, now))
