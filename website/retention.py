"""What stays: which releases can come back, and which files no release needs any more.

In: a `Snapshot` and the environment's grace period and number of releases. Out: releases, keys, and a `Pruned`.
Never: counts a file that no release of ours has put there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from website.releases import Release, State, moment
from website.site import Site
from website.snapshot import Snapshot


def retained(state: State, *, keep: int, grace_days: int, now: datetime) -> tuple[Release, ...]:
    """Releases whose files stay: the live one, the last `keep` different ones, and those that visitors may still hold the page of."""
    there = [release for release in state.releases if not release.pruned_at]
    recent: list[str] = []
    for release in reversed(there):
        if release.manifest not in recent:
            recent.append(release.manifest)
    wanted = set(recent[: max(keep, 1)])
    horizon = now - timedelta(days=grace_days)
    wanted |= {r.manifest for r in there if r.superseded_at and moment(r.superseded_at) > horizon}
    return tuple(release for release in there if release.manifest in wanted)


def prunable(site: Site, snapshot: Snapshot, *, now: datetime) -> tuple[str, ...]:
    """Keys that no release needs any more. Only what a release of ours has put there; what anybody else put there stays."""
    contract = site.contract
    stay = {r.manifest for r in retained(snapshot.state, keep=contract.release_keep, grace_days=contract.release_grace_days, now=now)}
    if snapshot.state.claim and snapshot.state.claim.manifest:
        stay.add(snapshot.state.claim.manifest)
    stay |= {d for d, at in snapshot.state.unfinished.items() if (now - moment(at)).days < contract.release_grace_days}
    # Whatever the list of releases says, the newest one of the ledger is live or about to be.
    stay |= snapshot.ledger.newest
    missing = stay - snapshot.manifests.keys()
    if missing:
        return ()
    needed = {entry.key for digest in stay for entry in snapshot.manifests[digest].files}
    ours = {entry.key for digest, manifest in snapshot.manifests.items() if digest not in stay for entry in manifest.files}
    return tuple(sorted((ours - needed) & snapshot.objects.keys()))


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """What was removed, or would be."""

    keys: tuple[str, ...]
    size: int
    releases: tuple[int, ...]
    """Numbers of the releases that cannot come back any more."""


def prune_plan(site: Site, snapshot: Snapshot, *, now: datetime) -> Pruned:
    """What `prune` would remove. `snapshot` comes from `with_every_manifest`."""
    keys = prunable(site, snapshot, now=now)
    contract = site.contract
    stay = {r.number for r in retained(snapshot.state, keep=contract.release_keep, grace_days=contract.release_grace_days, now=now)}
    gone = tuple(r.number for r in snapshot.state.releases if not r.pruned_at and r.number not in stay)
    return Pruned(keys=keys, size=sum(snapshot.objects[key][1] for key in keys), releases=gone)
