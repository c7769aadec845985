"""Publish, roll back and prune: the only code that changes what visitors get.

In: a `Site`, checked `Content` (or an earlier release), the clock. Out: a `ContentPlan` that says what would happen; an `Outcome`.
Never: deletes a file that an older page may still need (that is `prune`, later), overwrites a page that somebody else has written
since it was looked at, prints.

The order is what keeps the site whole: immutable files and kept copies first, other files, pages, the index document, service workers.
Killed anywhere, the old page and everything it loads are still there; run again, the rest is done and nothing is sent twice.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from assembly.files import canonical_json, sha256
from assembly.model import SiteContract
from aws.errors import AccessDenied, AwsError, Conflict, NotFound, Throttled
from aws.s3 import Headers
from aws.transfer import Upload
from website import kept, releases
from website.content import Content, FileEntry, base64_digest, cache_control, content_type, generated_entry, key_prefix, rank
from website.content_plan import UNKNOWN_HEADERS, ContentPlan, FileChange, sealed
from website.errors import Busy, SourceError, WebsiteError
from website.invalidation import Behaviours, paths
from website.ledger import Ledger, entry_key, unpublished, verified_key
from website.releases import Caller, Claimed, Manifest, Release, State, Store, timestamp

if TYPE_CHECKING:
    from aws.cloudfront import CloudFront
    from aws.s3 import S3

SMALL_WRITES = 16
"""Threads for pages, copies and deletions."""

INVALIDATION_SECONDS = 600.0
"""How long an invalidation is waited for; most end within a minute or two."""


class Uploads(Protocol):
    """`aws.transfer.Transfer`."""

    def upload(self, bucket: str, uploads: Iterable[Upload]) -> Iterator[Upload]: ...


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where an environment's content lives."""

    environment: str
    contract: SiteContract
    behaviours: Behaviours
    bucket: str
    store: Store
    s3: S3
    uploads: Callable[[], Uploads]
    cloudfront: Callable[[], CloudFront]
    distribution_id: Callable[[], str]

    @property
    def index_key(self) -> str:
        """Key of the index document."""
        return self.contract.index_document.lstrip("/")

    @property
    def prefix(self) -> str:
        """Of every key."""
        return key_prefix(self.contract)


class NotDeployed(WebsiteError):
    """The stacks have to be applied first."""


class Moved(WebsiteError):
    """Content or site are not what they were when the plan was approved."""


# --- progress -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A step begins."""

    step: str
    files: int = 0
    size: int = 0


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A file has arrived."""

    key: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Warned:
    """Something that a person must see, but that fails nothing."""

    text: str


Report = Callable[[Begun | Sent | Warned], None]


# --- looking ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The bucket and the releases as they are."""

    state: State
    etag: str | None
    deployed: bool
    """The site bucket is there."""
    objects: Mapping[str, tuple[str, int]] = field(repr=False)
    """ETag and size by key."""
    manifests: Mapping[str, Manifest] = field(repr=False)
    """The last writer of an object first; only those that the ledger has."""
    ledger: Ledger = field(default_factory=Ledger, repr=False)


def nothing(site: Site) -> Seen:
    """Before there is a bucket."""
    return Seen(state=State(environment=site.environment), etag=None, deployed=False, objects={}, manifests={})


def look(site: Site) -> Seen:
    """Read the state, the live manifest and the bucket, at the same time."""
    with ThreadPoolExecutor(2) as pool:
        listing = pool.submit(_objects, site)
        state, etag = site.store.state()
        read = _read_manifests(site.store, _newest_first(state)[:2])
        objects = listing.result()
    ledger = Ledger.of(site.prefix, objects or ())
    # What only the artifact bucket calls a release decides nothing: neither which headers an object has, nor what may be removed.
    manifests = {digest: manifest for digest, manifest in read.items() if digest in ledger.manifests}
    return Seen(state=state, etag=etag, deployed=objects is not None, objects=objects or {}, manifests=manifests, ledger=ledger)


def look_further(site: Site, seen: Seen) -> Seen:
    """The same with the manifests of every release that is still there."""
    wanted = tuple(digest for digest in _newest_first(seen.state) if digest in seen.ledger.manifests)
    missing = tuple(digest for digest in wanted if digest not in seen.manifests)
    read = {**seen.manifests, **_read_manifests(site.store, missing)}
    return replace(seen, manifests={digest: read[digest] for digest in wanted if digest in read})


def _objects(site: Site) -> dict[str, tuple[str, int]] | None:
    try:
        return {head.key: (head.etag, head.size) for head in site.s3.list(site.bucket, site.prefix)}
    except NotFound:
        return None


def _newest_first(state: State) -> tuple[str, ...]:
    """Digests of manifests, the last writer of an object first: what is being published, the live release, older and unfinished ones."""
    found = [state.claim.manifest] if state.claim and state.claim.manifest else []
    found += [r.manifest for r in reversed(state.releases) if not r.pruned_at]
    found += reversed(state.unfinished)
    return tuple(dict.fromkeys(found))


def _read_manifests(store: Store, digests: tuple[str, ...]) -> dict[str, Manifest]:
    def read(digest: str) -> Manifest | None:
        try:
            return store.manifest(digest)
        except NotFound:
            return None

    if not digests:
        return {}
    with ThreadPoolExecutor(SMALL_WRITES) as pool:
        return {digest: manifest for digest, manifest in zip(digests, pool.map(read, digests), strict=True) if manifest is not None}


# --- planning -----------------------------------------------------------------------------------------------------


def manifest_of(site: Site, content: Content) -> Manifest:
    """The release that publishing this content makes."""
    return Manifest(environment=site.environment, prefix=content.prefix, index_key=site.index_key, files=content.entries)


def content_plan(site: Site, content: Content, *, origin: str, now: datetime, seen: Seen | None = None) -> ContentPlan:
    """What publishing `content` would do now; `seen` is looked at if it is not given. Only reads."""
    seen = seen or look_further(site, look(site))
    return _plan(site, manifest_of(site, content), seen, origin=origin, now=now, notes=content.notes)


def _plan(site: Site, manifest: Manifest, seen: Seen, *, origin: str, now: datetime, notes: tuple[str, ...] = ()) -> ContentPlan:
    live = seen.state.live
    live_manifest = seen.manifests.get(live.manifest) if live else None
    known = releases.known_objects(seen.manifests.values())
    changes: list[FileChange] = []
    warnings = list(notes)
    wanted = manifest.by_key
    for entry in manifest.files:
        change = _change(entry, seen, known)
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
            prunable=prunable(site, seen, now=now),
            invalidations=paths(sorted(overwritten), site.behaviours, index_key=site.index_key, entry_path=site.contract.entry_path),
            notes=tuple(warnings),
        )
    )


def _change(entry: FileEntry, seen: Seen, known: Mapping[tuple[str, str], tuple[FileEntry, ...]]) -> FileChange | None:
    there = seen.objects.get(entry.key)
    made = FileChange(key=entry.key, change="add", size=entry.size, content_type=entry.content_type, cache_control=entry.cache_control)
    if there is None:
        return made
    etag, size = there
    if etag != entry.md5:
        return msgspec.structs.replace(made, change="modify", before_size=size)
    wrote = known.get((entry.key, etag), ())
    if wrote and wrote[0].same_object(entry):
        return None
    before = f"{wrote[0].content_type}; cache-control: {wrote[0].cache_control}" if wrote else UNKNOWN_HEADERS
    return msgspec.structs.replace(made, change="headers", before=before, before_size=size)


def prunable(site: Site, seen: Seen, *, now: datetime) -> tuple[str, ...]:
    """Keys that no release needs any more. Only what a release of ours has put there; what anybody else put there stays."""
    contract = site.contract
    stay = {r.manifest for r in releases.kept(seen.state, keep=contract.release_keep, grace_days=contract.release_grace_days, now=now)}
    if seen.state.claim and seen.state.claim.manifest:
        stay.add(seen.state.claim.manifest)
    stay |= {d for d, at in seen.state.unfinished.items() if (now - releases.moment(at)).days < contract.release_grace_days}
    # Whatever the list of releases says, the newest one of the ledger is live or about to be.
    stay |= seen.ledger.newest
    missing = stay - seen.manifests.keys()
    if missing:
        return ()
    needed = {entry.key for digest in stay for entry in seen.manifests[digest].files}
    ours = {entry.key for digest, manifest in seen.manifests.items() if digest not in stay for entry in manifest.files}
    return tuple(sorted((ours - needed) & seen.objects.keys()))


# --- publishing ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Run:
    """Who publishes, and the world they do it in."""

    caller: Caller
    token: str
    """Of this run; nobody else has it."""
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    report: Report
    take_over: bool = False
    invalidation_seconds: float = INVALIDATION_SECONDS


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of it."""

    release: Release
    plan: ContentPlan
    changed: bool
    """False: it was live already, and nothing was written."""
    invalidation: str = ""
    """Id, if there was one."""
    invalidation_done: bool = True


def publish(site: Site, content: Content, run: Run, *, origin: str, commit: str = "", approved: ContentPlan | None = None) -> Outcome:
    """Make `content` the live release.

    `approved`: do exactly that, and raise `WebsiteError` if the content or the site has moved since.
    Raises `Busy` if somebody else is publishing or was first, `AwsError`.
    """
    seen = look(site)
    plan = content_plan(site, content, origin=origin, now=run.now(), seen=seen)
    if any(change.before == UNKNOWN_HEADERS for change in plan.changes):
        seen = look_further(site, seen)
        plan = content_plan(site, content, origin=origin, now=run.now(), seen=seen)
    if not seen.deployed:
        raise NotDeployed(f"there is no bucket {site.bucket}: the stacks of {site.environment} are not deployed")
    live = seen.state.live
    if approved is not None:
        refuse_moved(approved, plan)
        plan = msgspec.structs.replace(plan, invalidations=approved.invalidations)
    if live is not None and not plan.has_changes and seen.state.claim is None:
        if approved is not None and approved.live != live.manifest:
            # An earlier run of the same plan was cut off between entering the release and seeing it forgotten.
            identity, done = _invalidate(site, plan.invalidations, run, reference=_reference(live, approved.digest))
            return Outcome(release=live, plan=plan, changed=False, invalidation=identity, invalidation_done=done)
        return Outcome(release=live, plan=plan, changed=False)
    if approved is None:
        for note in plan.notes:
            run.report(Warned(text=note))
    manifest = manifest_of(site, content)
    claimed = _claim(site, seen, run, action="publish", manifest=plan.manifest)
    if live is not None and not plan.has_changes:
        claimed.finish(lambda state: state)
        return Outcome(release=live, plan=plan, changed=False)
    number = seen.ledger.next_number(claimed.state, plan.manifest)
    with ThreadPoolExecutor(1) as pool:
        entering = pool.submit(_enter, site, number, plan.manifest)
        site.store.put_manifest(manifest)
        entering.result()
    with _files(content) as path_of:
        writing = _Writing(site=site, seen=seen, claimed=claimed, run=run, path_of=path_of)
        writing.keep_copies(manifest)
        by_key = manifest.by_key
        writing.write(by_key[change.key] for change in plan.changes)
    return _finish(site, manifest, plan, claimed, run, number=number, action="publish", origin=origin, commit=commit)


def _enter(site: Site, number: int, manifest: str) -> None:
    """Into the ledger, before the first file."""
    site.s3.put(site.bucket, entry_key(site.prefix, number, manifest), b"")


def refuse_moved(approved: ContentPlan, plan: ContentPlan) -> None:
    """Raise `Moved` unless all that is left to do was approved; `plan` is what would be done now.

    An earlier run of the approved plan that was cut off has moved the site as well, but only towards what was approved.
    """
    again = f"python deploy.py plan --env {plan.environment} {approved.option}"
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


def _claim(site: Site, seen: Seen, run: Run, *, action: str, manifest: str) -> Claimed:
    return releases.claim(
        site.store,
        seen.state,
        seen.etag,
        action=action,
        manifest=manifest,
        caller=run.caller,
        token=run.token,
        now=run.now,
        take_over=run.take_over,
    )


@contextmanager
def _files(content: Content) -> Iterator[Callable[[FileEntry], Path]]:
    """A path for every entry; generated ones get a temporary file."""
    folder = Path(tempfile.mkdtemp(prefix="publish-")) if content.generated else None
    try:
        made: dict[str, Path] = {}
        for number, (key, body) in enumerate(content.generated.items()):
            assert folder is not None
            made[key] = folder / str(number)
            made[key].write_bytes(body)
        yield lambda entry: made.get(entry.key) or content.paths[entry.key]
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _headers(entry: FileEntry) -> Headers:
    return Headers(content_type=entry.content_type, cache_control=entry.cache_control)


def _upload(entry: FileEntry, path: Path, *, key: str = "") -> Upload:
    return Upload(path=path, key=key or entry.key, checksum=base64_digest(entry.sha256), headers=_headers(entry))


_STEPS = {0: "immutable files", 1: "other files", 2: "pages", 3: "index document", 4: "service workers"}


@dataclass(frozen=True, kw_only=True)
class _Writing:
    """The writes of one publish."""

    site: Site
    seen: Seen
    claimed: Claimed
    run: Run
    path_of: Callable[[FileEntry], Path]

    def keep_copies(self, manifest: Manifest) -> None:
        """Files that later releases overwrite are kept by their digest, so that this one can come back."""
        live = self.seen.state.live
        before = self.seen.manifests.get(live.manifest) if live else None
        have = {entry.sha256 for entry in before.files if not entry.immutable} if before else set()
        wanted = {entry.sha256: entry for entry in manifest.files if not entry.immutable and entry.sha256 not in have}
        if not wanted:
            return
        store = self.site.store
        self.run.report(Begun(step="keeping copies for a rollback", files=len(wanted), size=sum(e.size for e in wanted.values())))
        uploads = (_upload(e, self.path_of(e), key=store.content_key(digest)) for digest, e in wanted.items())
        sizes = {store.content_key(digest): e.size for digest, e in wanted.items()}
        self._send(store.bucket, uploads, sizes)

    def write(self, entries: Iterable[FileEntry]) -> None:
        """Everything that changes, in order."""
        for step, group in _by_rank(self.site, entries):
            self.run.report(Begun(step=_STEPS[step], files=len(group), size=sum(e.size for e in group)))
            if step < 2:
                sizes = {entry.key: entry.size for entry in group}
                self._send(self.site.bucket, (_upload(entry, self.path_of(entry)) for entry in group), sizes)
            else:
                self.claimed.assert_held()
                _each(group, lambda entry: _replace_page(self.site, entry, self.path_of(entry).read_bytes(), self.seen), self.run)

    def _send(self, bucket: str, uploads: Iterable[Upload], sizes: Mapping[str, int]) -> None:
        for done in self.site.uploads().upload(bucket, uploads):
            self.run.report(Sent(key=done.key, size=sizes[done.key]))
            self.claimed.renew()


def _by_rank(site: Site, entries: Iterable[FileEntry]) -> Iterator[tuple[int, tuple[FileEntry, ...]]]:
    ordered = sorted(entries, key=lambda e: (rank(e, site.index_key), e.key))
    for step, group in itertools.groupby(ordered, key=lambda e: rank(e, site.index_key)):
        yield step, tuple(group)


def _each(group: Iterable[FileEntry], act: Callable[[FileEntry], None], run: Run) -> None:
    with ThreadPoolExecutor(SMALL_WRITES) as pool:
        for entry, _ in zip(group, pool.map(act, group), strict=True):
            run.report(Sent(key=entry.key, size=entry.size))


def _replace_page(site: Site, entry: FileEntry, body: bytes, seen: Seen) -> None:
    """Write a page over exactly the one that was seen."""
    if sha256(body) != entry.sha256:
        raise SourceError((f"{entry.key}: the file was changed while it was published; run the same command again",))
    there = seen.objects.get(entry.key)
    try:
        site.s3.put(site.bucket, entry.key, body, headers=_headers(entry), if_absent=there is None, if_match=there[0] if there else None)
    except Conflict:
        now = site.s3.head(site.bucket, entry.key)
        if now is None or now.etag != entry.md5:
            raise Busy(
                f"s3://{site.bucket}/{entry.key} was written by somebody else while this release was published; it was left as it is",
                "run the same command again",
            ) from None


def _finish(
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
    identity, done = _invalidate(site, plan.invalidations, run, reference=_reference(release, run.token))
    return Outcome(release=release, plan=plan, changed=True, invalidation=identity, invalidation_done=done)


def _reference(release: Release, token: str) -> str:
    return f"release-{release.number}-{release.manifest[:16]}-{token[:16]}"


def _invalidate(site: Site, wanted: tuple[str, ...], run: Run, *, reference: str) -> tuple[str, bool]:
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
            run.report(Warned(text=f"the release is live; how far invalidation {identity} is cannot be seen: {error}; look: {look_at}"))
            return identity, False
        run.sleep(pause)
        waited += pause
        pause = min(pause * 1.5, 10.0)
    run.report(Warned(text=f"the release is live, but invalidation {identity} is still under way after {waited:.0f} s; look: {look_at}"))
    return identity, False


# --- going back ---------------------------------------------------------------------------------------------------


def rollback(site: Site, target: Release, run: Run, *, given: str = "", chosen: bool = True) -> Outcome:
    """Make an earlier release live again: immutable files are still there, the others are copied from their kept bytes inside S3.

    `given`: digest of its manifest, where the person has it from elsewhere. `chosen`: the person named the release.
    Raises `WebsiteError` if its files were pruned, or if it or one of its kept copies is not what was published; `Busy`, `AwsError`.
    """
    seen = look_further(site, look(site))
    seen.ledger.refuse_unless_published(target, site.environment, given=given)
    if not chosen:
        seen.ledger.refuse_unless_agreed(seen.state, target)
    manifest = seen.manifests.get(target.manifest) or site.store.manifest(target.manifest)
    plan = _plan(site, manifest, seen, origin=f"release {target.number}", now=run.now())
    live = seen.state.live
    if live is not None and not plan.has_changes and seen.state.claim is None:
        return Outcome(release=live, plan=plan, changed=False)
    by_key = manifest.by_key
    entries = [by_key[change.key] for change in plan.changes]
    missing = [entry.key for entry in entries if entry.immutable and seen.objects.get(entry.key, ("",))[0] != entry.md5]
    if missing:
        raise WebsiteError(
            f"release {target.number} cannot come back: {len(missing)} of its files are gone, {missing[0]} among them; publish it again",
            f"python deploy.py releases --env {site.environment}",
        )
    copies = kept.check(site, (entry for entry in entries if not entry.immutable), workers=SMALL_WRITES)
    claimed = _claim(site, seen, run, action="rollback", manifest=target.manifest)
    number = seen.ledger.next_number(claimed.state, target.manifest)
    with ThreadPoolExecutor(1) as pool:
        entering = pool.submit(_enter, site, number, target.manifest)
        for step, group in _by_rank(site, entries):
            run.report(Begun(step=_STEPS[step], files=len(group), size=sum(e.size for e in group)))
            claimed.assert_held()
            _each(group, lambda entry: _copy_back(site, entry, copies.get(entry.key)), run)
        entering.result()
    back = f"release {target.number}"
    return _finish(site, manifest, plan, claimed, run, number=number, action="rollback", origin=back, commit=target.commit)


def _copy_back(site: Site, entry: FileEntry, copy: kept.Checked | None) -> None:
    if copy is not None:
        kept.bring_back(site, copy, _headers(entry))
    else:
        site.s3.copy(site.bucket, entry.key, site.bucket, entry.key, headers=_headers(entry), if_match=entry.md5)


# --- pruning ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """What was removed, or would be."""

    keys: tuple[str, ...]
    size: int
    releases: tuple[int, ...]
    """Numbers of the releases that cannot come back any more."""


def prune_plan(site: Site, seen: Seen, *, now: datetime) -> Pruned:
    """What `prune` would remove. `seen` comes from `look_further`."""
    keys = prunable(site, seen, now=now)
    contract = site.contract
    stay = {r.number for r in releases.kept(seen.state, keep=contract.release_keep, grace_days=contract.release_grace_days, now=now)}
    gone = tuple(r.number for r in seen.state.releases if not r.pruned_at and r.number not in stay)
    return Pruned(keys=keys, size=sum(seen.objects[key][1] for key in keys), releases=gone)


def prune(site: Site, seen: Seen, wanted: Pruned, run: Run) -> State:
    """Remove exactly what the plan says. The bucket is versioned: superseded versions stay for as long as its lifecycle says."""
    claimed = _claim(site, seen, run, action="prune", manifest="")
    stamp = timestamp(run.now())
    gone = frozenset(wanted.releases)
    run.report(Begun(step="removing files", files=len(wanted.keys), size=wanted.size))
    with ThreadPoolExecutor(SMALL_WRITES) as pool:
        for batch in _batched(wanted.keys, 500):
            for key, _ in zip(
                batch, pool.map(lambda key: site.s3.delete(site.bucket, key, if_match=seen.objects[key][0]), batch), strict=True
            ):
                run.report(Sent(key=key, size=seen.objects[key][1]))
            claimed.renew()
        old = [r for r in seen.state.releases if r.number in gone]
        keys = [make(site.prefix, r.number, r.manifest) for r in old for make in (entry_key, verified_key)]
        list(pool.map(lambda key: site.s3.delete(site.bucket, key), (key for key in keys if key in seen.objects)))

    def edit(state: State) -> State:
        marked = tuple(msgspec.structs.replace(r, pruned_at=stamp) if r.number in gone else r for r in state.releases)
        limit = site.contract.release_grace_days
        fresh = {d: at for d, at in state.unfinished.items() if (run.now() - releases.moment(at)).days < limit}
        return msgspec.structs.replace(state, releases=marked, unfinished=fresh)

    return claimed.finish(edit)


def _batched(items: tuple[str, ...], size: int) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


# --- promotion ----------------------------------------------------------------------------------------------------


def promotable(source: Site, wanted: str) -> Release:
    """The release of another environment that is asked for, or one of the same content, verified there. Raises `WebsiteError`."""
    state, _ = source.store.state()
    release = releases.find(state, wanted)
    others = [r for r in reversed(state.releases) if r.content == release.content]
    verified = next((r for r in (release, *others) if r.verified_at), None)
    again = f"python deploy.py verify --env {source.environment} --record"
    if verified is None:
        raise WebsiteError(f"release {release.number} ({release.content[:12]}) of {source.environment} has not been verified there", again)
    if not _entered(source, verified_key(source.prefix, verified.number, verified.manifest)):
        raise unpublished(verified, source.environment, "verified", again)
    return verified


def _entered(site: Site, key: str) -> bool:
    """Whether the ledger has it."""
    try:
        return site.s3.head(site.bucket, key) is not None
    except AccessDenied:
        # So S3 answers for a missing key, where the listing is not ours to see.
        return False


def fetch(source: Site, release: Release, contract: SiteContract, folder: Path, report: Report) -> Content:
    """Download the built files of a release, each compared with its digest, as content for the environment of `contract`."""
    manifest = source.store.manifest(release.manifest)
    if manifest.content != release.content:
        raise WebsiteError(
            f"release {release.number} of {source.environment} is not the content that releases.json says ({release.content[:12]})",
            f"python deploy.py releases --env {source.environment}",
        )
    built = [entry for entry in manifest.files if not entry.generated]
    report(Begun(step=f"fetching release {release.number} of {source.environment}", files=len(built), size=sum(e.size for e in built)))
    prefix = key_prefix(contract)

    def get(entry: FileEntry) -> tuple[FileEntry, Path]:
        if entry.immutable:
            bucket, key = source.bucket, entry.key
        else:
            bucket, key = source.store.bucket, source.store.content_key(entry.sha256)
        body = source.s3.get(bucket, key).body
        if sha256(body) != entry.sha256:
            raise WebsiteError(
                f"s3://{bucket}/{key} is not what was published as release {release.number} of {source.environment}",
                f"python deploy.py publish --env {source.environment} --content DIR",
            )
        relative = entry.key.removeprefix(manifest.prefix)
        path = folder / sha256(relative.encode())
        path.write_bytes(body)
        key = prefix + relative
        rules = contract.cache_rules
        return msgspec.structs.replace(entry, key=key, content_type=content_type(key), cache_control=cache_control(key, rules)), path

    entries: list[FileEntry] = []
    files: dict[str, Path] = {}
    with ThreadPoolExecutor(SMALL_WRITES) as pool:
        for entry, path in pool.map(get, built):
            entries.append(entry)
            files[entry.key] = path
            report(Sent(key=entry.key, size=entry.size))
    generated: dict[str, bytes] = {}
    if contract.config_json is not None:
        key, body = prefix + "config.json", canonical_json(contract.config_json)
        generated[key] = body
        files.pop(key, None)
        entries = [*(e for e in entries if e.key != key), generated_entry(key, body, contract.cache_rules)]
    return Content(prefix=prefix, entries=tuple(sorted(entries, key=lambda e: e.key)), paths=files, generated=generated)


def record_verified(site: Site, release: Release, *, by: str, at: str) -> State:
    """Note that the live site keeps its contract with that release.

    Raises `Busy` if another one is live by now, `WebsiteError` if it was not published here.
    """
    if not _entered(site, entry_key(site.prefix, release.number, release.manifest)):
        raise unpublished(release, site.environment, "published", f"python deploy.py publish --env {site.environment} --content DIR")

    def edit(state: State) -> State:
        live = state.live
        if live is None or (live.number, live.manifest) != (release.number, release.manifest):
            raise Busy(
                "another release went live while the site was verified", f"python deploy.py verify --env {site.environment} --record"
            )
        return msgspec.structs.replace(
            state, releases=(*state.releases[:-1], msgspec.structs.replace(live, verified_at=at, verified_by=by))
        )

    recorded = site.store.change(edit)
    site.s3.put(site.bucket, verified_key(site.prefix, release.number, release.manifest), b"")
    return recorded
