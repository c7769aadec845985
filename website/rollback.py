"""Make an earlier release live again, from what is in S3.

In: a `Site` and a release. Out: an `Outcome`. Never: brings back half a release, or bytes that were not published.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from assembly import commands
from website import copies
from website.activation import enter, finish, settle
from website.claims import begin
from website.content import FileEntry
from website.errors import WebsiteError
from website.planner import plan_release
from website.releases import Release
from website.run import Begun, Outcome, Run
from website.site import WORKERS, Site
from website.snapshot import read_snapshot, with_every_manifest
from website.writing import STEPS, by_rank, each_at_once, headers


def rollback(site: Site, target: Release, run: Run, *, digest: str = "", chosen: bool = True) -> Outcome:
    """Make an earlier release live again: immutable files are still there, the others are copied from their kept bytes inside S3.

    `digest`: of its manifest, where the person has it from elsewhere. `chosen`: the person named the release.
    Raises `WebsiteError` if its files were pruned, or if it or one of its kept copies is not what was published; `Busy`, `AwsError`.
    """
    snapshot = with_every_manifest(site, read_snapshot(site))
    snapshot.ledger.refuse_unless_published(target, site.environment, digest=digest)
    if not chosen:
        snapshot.ledger.refuse_unless_agreed(snapshot.state, target)
    manifest = snapshot.manifests.get(target.manifest) or site.store.manifest(target.manifest)
    plan = plan_release(site, manifest, snapshot, origin=f"release {target.number}", now=run.now())
    live = snapshot.state.live
    if live is not None and not plan.has_changes and snapshot.state.claim is None:
        identity, done = settle(site, snapshot.state, run)
        return Outcome(release=live, plan=plan, changed=False, invalidation=identity, invalidation_done=done)
    by_key = manifest.by_key
    entries = [by_key[change.key] for change in plan.changes]
    missing = [entry.key for entry in entries if entry.immutable and snapshot.objects.get(entry.key, ("",))[0] != entry.md5]
    if missing:
        raise WebsiteError(
            f"release {target.number} cannot come back: {len(missing)} of its files are gone, {missing[0]} among them; publish it again",
            commands.deploy("releases", site.environment),
        )
    kept = copies.check(site, (entry for entry in entries if not entry.immutable), workers=WORKERS)
    with begin(site, snapshot, run, action="rollback", manifest=target.manifest) as claimed:
        number = snapshot.ledger.next_number(claimed.state, target.manifest)
        with ThreadPoolExecutor(1) as pool:
            entering = pool.submit(enter, site, number, target.manifest)
            for step, group in by_rank(site, entries):
                run.report(Begun(step=STEPS[step], files=len(group), size=sum(e.size for e in group)))
                claimed.assert_held()
                each_at_once(group, lambda entry: _copy_back(site, entry, kept.get(entry.key)), run)
            entering.result()
        back = f"release {target.number}"
        return finish(site, manifest, plan, claimed, run, number=number, action="rollback", origin=back, commit=target.commit)


def _copy_back(site: Site, entry: FileEntry, copy: copies.Checked | None) -> None:
    if copy is not None:
        copies.bring_back(site, copy, headers(entry))
    else:
        site.s3.copy(site.bucket, entry.key, site.bucket, entry.key, headers=headers(entry), if_match=entry.md5)
