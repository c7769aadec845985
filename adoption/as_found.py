"""What a bucket held before the platform had it becomes its first release, so that it can come back.

In: a `Site` without releases, a `Run`. Out: an `Outcome`. Never: changes what a visitor gets, or deletes an object.
Each file is read once, since a manifest has its digest; what later releases overwrite is copied within S3 to where such files are kept.
"""

from __future__ import annotations

import dataclasses
import hashlib
from concurrent.futures import ThreadPoolExecutor

from msgspec.structs import replace

from assembly import commands
from assembly.files import sha256
from website.activation import enter, finish
from website.claims import begin
from website.content import FileEntry
from website.content_plan import sealed
from website.errors import Busy, NotDeployed, WebsiteError
from website.ledger import FOLDER
from website.planner import plan_release
from website.releases import Manifest
from website.run import Begun, Outcome, Run, Sent, Warned
from website.site import Site
from website.snapshot import Snapshot, read_snapshot
from website.writing import each_at_once, headers

READERS = 4
"""Files in memory at once."""


def release_as_found(site: Site, run: Run) -> Outcome:
    """Make what is in the bucket the first release. `WebsiteError` where there is one already or no site, `Busy`, `AwsError`."""
    snapshot, store = read_snapshot(site), site.store
    manifest = Manifest(environment=site.environment, prefix=site.prefix, index_key=site.index_key, files=_found(site, snapshot, run))
    origin = f"as found in s3://{site.bucket}"
    plan = plan_release(site, manifest, snapshot, origin=origin, now=run.now())
    plan = sealed(replace(plan, changes=(), kept=plan.files, invalidations=()))
    # Uploaded in parts (`aws s3 cp` from 8 MB on), or encrypted by a key of KMS: its ETag is no MD5, by which all of a release is compared.
    unlike = tuple(entry for entry in manifest.files if snapshot.objects[entry.key][0] != entry.md5)
    kept = tuple({entry.sha256: entry for entry in manifest.files if not entry.immutable}.values())

    def keep(entry: FileEntry) -> None:
        key = store.content_key(entry.sha256)
        site.s3.copy(site.bucket, entry.key, store.bucket, key, headers=headers(entry), if_match=entry.md5)

    def rewrite(entry: FileEntry) -> None:
        head = site.s3.head(site.bucket, entry.key)
        of = dataclasses.replace(headers(entry), content_encoding=head.content_encoding if head else "")
        site.s3.copy(site.bucket, entry.key, site.bucket, entry.key, headers=of, if_match=snapshot.objects[entry.key][0])

    with begin(site, snapshot, run, action="publish", manifest=plan.manifest) as claimed:
        number = snapshot.ledger.next_number(claimed.state, plan.manifest)
        store.put_manifest(manifest)
        if unlike:
            run.report(Begun(step="writing in one piece what was not", files=len(unlike), size=sum(entry.size for entry in unlike)))
            each_at_once(unlike, rewrite, run)
        run.report(Begun(step="keeping copies for a rollback", files=len(kept), size=sum(entry.size for entry in kept)))
        each_at_once(kept, keep, run)
        enter(site, number, plan.manifest)
        return finish(site, manifest, plan, claimed, run, number=number, action="publish", origin=origin, commit="")


def _found(site: Site, snapshot: Snapshot, run: Run) -> tuple[FileEntry, ...]:
    if not snapshot.deployed:
        raise NotDeployed(f"there is no bucket {site.bucket}: the stacks of {site.environment} are not deployed")
    if snapshot.state.live is not None:
        raise WebsiteError(f"{site.environment} has releases already", commands.deploy("releases", site.environment))
    keys = sorted(key for key in snapshot.objects if not key.startswith(site.prefix + FOLDER) and not key.endswith("/"))
    if site.index_key not in keys:
        publish = commands.deploy("publish", site.environment, "--content", "DIR")
        raise WebsiteError(f"s3://{site.bucket} holds no {site.index_key}: what is in it ({len(keys)} files) is no site", publish)
    run.report(Begun(step="reading what is there", files=len(keys), size=sum(snapshot.objects[key][1] for key in keys)))
    with ThreadPoolExecutor(READERS) as pool:
        return tuple(pool.map(lambda key: _entry(site, key, snapshot.objects[key][0], run), keys))


def _entry(site: Site, key: str, etag: str, run: Run) -> FileEntry:
    found = site.s3.get(site.bucket, key)
    head, size = found.head, len(found.body)
    if head.etag != etag:
        raise Busy(f"s3://{site.bucket}/{key} was written by somebody else just now", "run the same command again when nobody writes there")
    if head.content_encoding:
        run.report(Warned(text=f"{key} is stored as {head.content_encoding}, which a release does not carry: it comes back without"))
    run.report(Sent(key=key, size=size))
    digest = hashlib.md5(found.body, usedforsecurity=False).hexdigest()
    kind, cache = head.content_type or "binary/octet-stream", head.cache_control
    return FileEntry(key=key, sha256=sha256(found.body), md5=digest, size=size, content_type=kind, cache_control=cache)
