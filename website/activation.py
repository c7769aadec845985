"""What makes a release the live one: its entry in the ledger, its record, and what CloudFront has to forget.

In: a `Site`, a claim, a manifest whose files are there. Out: an `Outcome`.
Never: fails because CloudFront does: what it keeps is an earlier page that is whole. Forgets that it has to be told.
"""

from __future__ import annotations

import shlex
from typing import Literal

import msgspec

from aws.errors import AwsError, Throttled
from website import releases
from website.claims import Claimed
from website.content_plan import ContentPlan
from website.invalidation import merged
from website.ledger import entry_key
from website.releases import Manifest, Pending, Release, State, timestamp
from website.run import Begun, Outcome, Run, Warned, count
from website.site import Site


def enter(site: Site, number: int, manifest: str) -> None:
    """Into the ledger, before the first file."""
    site.s3.put(site.bucket, entry_key(site.prefix, number, manifest), b"")


def finish(
    site: Site,
    manifest: Manifest,
    plan: ContentPlan,
    claimed: Claimed,
    run: Run,
    *,
    number: int,
    action: Literal["publish", "rollback"],
    origin: str,
    commit: str,
) -> Outcome:
    release = Release(
        number=number,
        manifest=plan.manifest,
        content=manifest.content,
        action=action,
        origin=origin,
        commit=commit,
        by=run.caller.arn,
        at=timestamp(run.now()),
        files=len(manifest.files),
        size=manifest.size,
    )
    site.still_target()
    if site.follower is not None:
        site.follower.catch_up({entry.key: entry.md5 for entry in manifest.files}, run, claimed.renew)
    reference = f"release-{release.number}-{release.manifest[:16]}-{run.token[:16]}"

    def live(state: State) -> State:
        # In the same write, so that no end of this process leaves an edge with the old page and nobody who knows.
        wanted = merged(plan.invalidations, state.pending.paths if state.pending else ())
        pending = Pending(paths=wanted, reference=reference) if wanted else None
        return msgspec.structs.replace(releases.added(state, release), bucket=site.bucket, pending=pending)

    identity, done = settle(site, claimed.finish(live), run)
    return Outcome(release=release, plan=plan, changed=True, invalidation=identity, invalidation_done=done)


def settle(site: Site, state: State, run: Run) -> tuple[str, bool]:
    """Have CloudFront forget what it has not been seen to forget; the invalidation's id, and whether it is done (or none was needed)."""
    identity, done = forget(site, state, run)
    if done and state.pending is not None:
        _settled(site, state.pending, run)
    return identity, done


def forget(site: Site, state: State, run: Run) -> tuple[str, bool]:
    """The same, for who holds a claim and notes it there."""
    pending = state.pending
    return ("", True) if pending is None else _forget(site, pending.paths, run, reference=pending.reference)


def _settled(site: Site, pending: Pending, run: Run) -> None:
    """Note that it is done, unless a later release has added to it."""

    def edit(state: State) -> State:
        return msgspec.structs.replace(state, pending=None) if state.pending == pending else state

    try:
        site.store.change(edit)
    except AwsError as error:
        # The next publish asks for the same invalidation again and sees at once that it is done.
        run.report(Warned(text=f"every edge has the release, but that could not be noted: {error}"))


def _forget(site: Site, wanted: tuple[str, ...], run: Run, *, reference: str) -> tuple[str, bool]:
    """Ask CloudFront to forget paths and wait. Every page that is served is whole whatever becomes of it, so trouble here is a warning."""
    again, distribution = "the next publish or rollback-release asks again", ""
    try:
        distribution = site.distribution_id()
        identity = site.cloudfront().invalidate(distribution, wanted, reference=reference).id
    except AwsError as error:
        command = f"; or: aws cloudfront create-invalidation --distribution-id {distribution} --paths {shlex.join(wanted)}"
        run.report(
            Warned(
                text=f"the release is in the bucket, but CloudFront was not told to forget {count(len(wanted), 'path')}, so visitors"
                f" may get the earlier pages: {error}; {again}{command if distribution else ''}"
            )
        )
        return "", False
    run.report(Begun(step=f"waiting until every edge has forgotten {count(len(wanted), 'path')} (invalidation {identity})"))
    waited, pause = 0.0, 1.0
    look_at = f"aws cloudfront get-invalidation --distribution-id {distribution} --id {identity}"
    while waited < run.invalidation_seconds:
        try:
            if site.cloudfront().invalidation(distribution, identity).done:
                return identity, True
        except Throttled:
            pass
        except AwsError as error:
            run.report(Warned(text=f"how far invalidation {identity} is cannot be read: {error}; {again}; look: {look_at}"))
            return identity, False
        run.sleep(pause)
        waited += pause
        pause = min(pause * 1.5, 10.0)
    run.report(Warned(text=f"invalidation {identity} is still under way after {waited:.0f} s; {again}; look: {look_at}"))
    return identity, False
