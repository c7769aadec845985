"""Remove the files that no release needs any more.

In: a `Snapshot` and what was approved. Out: the state afterwards. Never: removes anything else, or what was written meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec

from assembly import commands
from website.activation import forget
from website.claims import begin
from website.errors import WebsiteError
from website.ledger import entry_key, verified_key
from website.releases import State, moment, timestamp
from website.retention import Pruned
from website.run import Begun, Run, Sent
from website.site import WORKERS, Site
from website.snapshot import Snapshot


def prune(site: Site, snapshot: Snapshot, wanted: Pruned, run: Run) -> State:
    """Remove exactly what the plan says. The bucket is versioned: superseded versions stay for as long as its lifecycle says.

    Raises `WebsiteError` while an edge may still give an earlier page, which would miss what it loads.
    """
    stamp = timestamp(run.now())
    gone = frozenset(wanted.releases)

    def edit(state: State) -> State:
        marked = tuple(msgspec.structs.replace(r, pruned_at=stamp) if r.number in gone else r for r in state.releases)
        limit = site.contract.release_grace_days
        fresh = {d: at for d, at in state.unfinished.items() if (run.now() - moment(at)).days < limit}
        return msgspec.structs.replace(state, pending=None, releases=marked, unfinished=fresh)

    with begin(site, snapshot, run, action="prune", manifest="") as claimed:
        _, forgotten = forget(site, snapshot.state, run)
        if not forgotten:
            again = commands.deploy("prune", site.environment)
            raise WebsiteError("some edge may still have the page of an earlier release; nothing was removed", again)
        if site.follower is not None and not site.follower.catch_up(_live_files(snapshot), run, claimed.renew):
            again = commands.deploy("prune", site.environment)
            raise WebsiteError("the replica has not the live release yet, and may still serve an earlier one; nothing was removed", again)
        run.report(Begun(step="removing files", files=len(wanted.keys), size=wanted.size))
        with ThreadPoolExecutor(WORKERS) as pool:
            for batch in _batched(wanted.keys, 500):
                for key, _ in zip(
                    batch, pool.map(lambda key: site.s3.delete(site.bucket, key, if_match=snapshot.objects[key][0]), batch), strict=True
                ):
                    run.report(Sent(key=key, size=snapshot.objects[key][1]))
                claimed.renew()
            old = [r for r in snapshot.state.releases if r.number in gone]
            keys = [make(site.prefix, r.number, r.manifest) for r in old for make in (entry_key, verified_key)]
            list(pool.map(lambda key: site.s3.delete(site.bucket, key), (key for key in keys if key in snapshot.objects)))
        if site.follower is not None:
            needed = {entry.key for manifest in snapshot.manifests.values() for entry in manifest.files} - set(wanted.keys)
            site.follower.forget(needed, run)
        return claimed.finish(edit)


def _live_files(snapshot: Snapshot) -> dict[str, str]:
    live = snapshot.state.live
    manifest = snapshot.manifests.get(live.manifest) if live is not None else None
    return {entry.key: entry.md5 for entry in manifest.files} if manifest is not None else {}


def _batched(items: tuple[str, ...], size: int) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
