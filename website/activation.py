"""What makes a release the live one: its entry in the ledger, its record, and what CloudFront has to forget.

In: a `Site`, a claim, a manifest whose files are there. Out: an `Outcome`.
Never: fails because CloudFront does; the release is live by then.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from aws.errors import AwsError, Throttled
from website import releases
from website.claims import Claimed
from website.content_plan import ContentPlan
from website.ledger import entry_key
from website.releases import Manifest, Release, timestamp
from website.run import Begun, Outcome, Run, Warned
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
    claimed.finish(lambda state: msgspec.structs.replace(releases.added(state, release), bucket=site.bucket))
    identity, done = forget(site, plan.invalidations, run, reference=reference(release, run.token))
    return Outcome(release=release, plan=plan, changed=True, invalidation=identity, invalidation_done=done)


def reference(release: Release, token: str) -> str:
    return f"release-{release.number}-{release.manifest[:16]}-{token[:16]}"


def forget(site: Site, wanted: tuple[str, ...], run: Run, *, reference: str) -> tuple[str, bool]:
    """Ask CloudFront to forget paths and wait. The release is live whatever becomes of it, so trouble here is a warning."""
    if not wanted:
        return "", True
    try:
        distribution = site.distribution_id()
        identity = site.cloudfront().invalidate(distribution, wanted, reference=reference).id
    except AwsError as error:
        command = f"aws cloudfront create-invalidation --distribution-id ID --paths {' '.join(repr(path) for path in wanted)}"
        run.report(
            Warned(text=f"the release is live, but CloudFront was not told to forget {len(wanted)} paths: {error}; to do: {command}")
        )
        return "", False
    run.report(Begun(step=f"waiting for invalidation {identity} of {len(wanted)} path{'s' if len(wanted) > 1 else ''}"))
    waited, pause = 0.0, 1.0
    look_at = f"aws cloudfront get-invalidation --distribution-id {distribution} --id {identity}"
    while waited < run.invalidation_seconds:
        try:
            if site.cloudfront().invalidation(distribution, identity).done:
                return identity, True
        except Throttled:
            pass
        except AwsError as error:
            run.report(Warned(text=f"the release is live; how far invalidation {identity} is cannot be snapshot: {error}; look: {look_at}"))
            return identity, False
        run.sleep(pause)
        waited += pause
        pause = min(pause * 1.5, 10.0)
    run.report(Warned(text=f"the release is live, but invalidation {identity} is still under way after {waited:.0f} s; look: {look_at}"))
    return identity, False
