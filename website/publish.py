"""Publish: make checked content the live release.

In: a `Site`, checked `Content`, a `Run`. Out: an `Outcome`.
Never: deletes a file that an older page may still need (that is `prune`, later), prints.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import msgspec

from website.activation import enter, finish, settle
from website.claims import begin
from website.content import Content
from website.content_plan import UNKNOWN_HEADERS, ContentPlan
from website.errors import NotDeployed
from website.planner import content_plan, manifest_of, refuse_moved
from website.run import Outcome, Run, Warned
from website.site import Site
from website.snapshot import Snapshot, read_snapshot, with_every_manifest
from website.writing import Writing, temporary_files


def live_already(site: Site, content: Content, snapshot: Snapshot, now: datetime, *, origin: str) -> Outcome | None:
    """The outcome if all of `content` is live and nobody is at it; None if there is something to do. Only reads.

    An invalidation that nobody has seen done is something to do: some edge may still give the page before.
    """
    state = snapshot.state
    live = state.live
    if live is None or not snapshot.deployed or state.claim is not None or state.unfinished or state.pending is not None:
        return None
    plan = content_plan(site, content, origin=origin, now=now, snapshot=snapshot)
    return None if plan.has_changes else Outcome(release=live, plan=plan, changed=False)


def publish(
    site: Site,
    content: Content,
    run: Run,
    *,
    origin: str,
    commit: str = "",
    approved: ContentPlan | None = None,
    snapshot: Snapshot | None = None,
) -> Outcome:
    """Make `content` the live release.

    `approved`: do exactly that, and raise `WebsiteError` if the content or the site has moved since. `snapshot`: read a moment ago.
    Raises `Busy` if somebody else is publishing or was first, `AwsError`.
    """
    snapshot = snapshot or read_snapshot(site)
    plan = content_plan(site, content, origin=origin, now=run.now(), snapshot=snapshot)
    if snapshot.state.unfinished or any(change.before == UNKNOWN_HEADERS for change in plan.changes):
        snapshot = with_every_manifest(site, snapshot)
        plan = content_plan(site, content, origin=origin, now=run.now(), snapshot=snapshot)
    if not snapshot.deployed:
        raise NotDeployed(f"there is no bucket {site.bucket}: the stacks of {site.environment} are not deployed")
    live = snapshot.state.live
    if approved is not None:
        refuse_moved(approved, plan)
        plan = msgspec.structs.replace(plan, invalidations=approved.invalidations)
    if live is not None and not plan.has_changes and snapshot.state.claim is None:
        # An earlier run may have been cut off between entering the release and seeing it forgotten.
        identity, done = settle(site, snapshot.state, run)
        return Outcome(release=live, plan=plan, changed=False, invalidation=identity, invalidation_done=done)
    if approved is None:
        for note in plan.notes:
            run.report(Warned(text=note))
    manifest = manifest_of(site, content)
    with begin(site, snapshot, run, action="publish", manifest=plan.manifest) as claimed:
        if live is not None and not plan.has_changes:
            identity, done = settle(site, claimed.finish(lambda state: state), run)
            return Outcome(release=live, plan=plan, changed=False, invalidation=identity, invalidation_done=done)
        number = snapshot.ledger.next_number(claimed.state, plan.manifest)
        with ThreadPoolExecutor(1) as pool:
            entering = pool.submit(enter, site, number, plan.manifest)
            site.store.put_manifest(manifest)
            entering.result()
        with temporary_files(content) as file_of:
            writing = Writing(site=site, snapshot=snapshot, claimed=claimed, run=run, file_of=file_of)
            writing.keep_copies(manifest)
            by_key = manifest.by_key
            writing.write((by_key[change.key] for change in plan.changes), manifest)
        return finish(site, manifest, plan, claimed, run, number=number, action="publish", origin=origin, commit=commit)
