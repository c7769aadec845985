"""What publishing some content, or going back to a release, would do now.

In: a `Site`, a manifest or checked content, a `Snapshot`. Out: a `ContentPlan`; `Moved` where an approved plan fits no more.
Never: writes anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from assembly import commands
from website import releases
from website.content import Content, FileEntry
from website.content_plan import UNKNOWN_HEADERS, ContentPlan, FileChange, sealed
from website.errors import Moved
from website.invalidation import paths
from website.releases import Manifest
from website.retention import prunable
from website.site import Site
from website.snapshot import Snapshot, read_snapshot, with_every_manifest


def manifest_of(site: Site, content: Content) -> Manifest:
    """The release that publishing this content makes."""
    return Manifest(environment=site.environment, prefix=content.prefix, index_key=site.index_key, files=content.entries)


def content_plan(site: Site, content: Content, *, origin: str, now: datetime, snapshot: Snapshot | None = None) -> ContentPlan:
    """What publishing `content` would do now; `snapshot` is read if it is not given. Only reads."""
    snapshot = snapshot or with_every_manifest(site, read_snapshot(site))
    return plan_release(site, manifest_of(site, content), snapshot, origin=origin, now=now, notes=content.notes)


def plan_release(
    site: Site, manifest: Manifest, snapshot: Snapshot, *, origin: str, now: datetime, notes: tuple[str, ...] = ()
) -> ContentPlan:
    live = snapshot.state.live
    live_manifest = snapshot.manifests.get(live.manifest) if live else None
    whole = dict(releases.writers(snapshot.state))
    known = releases.known_objects((found, whole[digest]) for digest, found in snapshot.manifests.items())
    changes: list[FileChange] = []
    warnings = list(notes)
    wanted = manifest.by_key
    for entry in manifest.files:
        change = _change(entry, snapshot, known)
        if change is None:
            continue
        changes.append(change)
        if change.change == "modify" and entry.immutable:
            warnings.append(
                f"{entry.key} is served as immutable but has new content under the same name: browsers that have it keep the old one for "
                "as long as its Cache-Control says; give it a hashed name, or a cache rule of its own"
            )
    stays = frozenset(entry.key for entry in live_manifest.files) - wanted.keys() if live_manifest else frozenset()
    # Also what differs from the live release and is there already: a publish that was cut off wrote it and had nothing forgotten.
    before = live_manifest.by_key if live_manifest else {}
    overwritten = {change.key for change in changes if change.change != "add"}
    overwritten |= {e.key for e in manifest.files if e.key in before and not before[e.key].same_object(e)}
    return sealed(
        ContentPlan(
            environment=site.environment,
            bucket=site.bucket,
            origin=origin,
            manifest=releases.manifest_digest(manifest),
            content=manifest.content,
            files=len(manifest.files),
            size=manifest.size,
            live=live.manifest if live else "",
            live_number=live.number if live else 0,
            changes=tuple(changes),
            kept=len(manifest.files) - len(changes),
            superseded=tuple(sorted(stays)),
            prunable=prunable(site, snapshot, now=now),
            invalidations=paths(sorted(overwritten), site.behaviours, index_key=site.index_key, entry_path=site.contract.entry_path),
            notes=tuple(warnings),
        )
    )


def _change(entry: FileEntry, snapshot: Snapshot, known: Mapping[tuple[str, str], tuple[FileEntry, ...]]) -> FileChange | None:
    there = snapshot.objects.get(entry.key)
    made = FileChange(key=entry.key, change="add", size=entry.size, content_type=entry.content_type, cache_control=entry.cache_control)
    if there is None:
        return made
    etag, size = there
    if etag != entry.md5:
        return msgspec.structs.replace(made, change="modify", before_size=size)
    wrote = known.get((entry.key, etag), ())
    if wrote and all(entry.same_object(each) for each in wrote):
        return None
    before = f"{wrote[-1].content_type}; cache-control: {wrote[-1].cache_control}" if wrote else UNKNOWN_HEADERS
    return msgspec.structs.replace(made, change="headers", before=before, before_size=size)


def refuse_moved(approved: ContentPlan, plan: ContentPlan) -> None:
    """Raise `Moved` unless all that is left to do was approved; `plan` is what would be done now.

    An earlier run of the approved plan that was cut off has moved the site as well, but only towards what was approved.
    """
    again = f"{commands.deploy('plan', plan.environment)} {approved.option}"
    if approved.manifest != plan.manifest:
        what = f"{plan.content[:12]}, not {approved.content[:12]}" if approved.content != plan.content else "other headers"
        raise Moved(f"the content in {approved.origin} is not the one that was reviewed ({what})", again)
    if approved.bucket and approved.bucket != plan.bucket:
        raise Moved(f"the site bucket is {plan.bucket}, and was {approved.bucket} when the content was reviewed", again)
    if plan.live not in (approved.live, approved.manifest):
        moved = f"release {plan.live_number} went live" if plan.live else "the releases were removed"
        raise Moved(f"{moved} after the plan was made", again)
    other = sorted(change.key for change in set(plan.changes) - set(approved.changes))
    if other:
        more = f" and {len(other) - 3:,} more" if len(other) > 3 else ""
        raise Moved(f"the bucket has changed since the plan was made: {', '.join(other[:3])}{more}", again)
