"""Releases of the site: what each consisted of, who published it and when, which one is live, who is publishing right now.

In: S3 and the artifact bucket. Out: `State` and `Manifest`; `Busy` tells the loser of a race who won.
Never: writes the state but by a conditional write, changes a manifest, or stores anything where a visitor could read it.

Everything lies below `site/<environment>/` in the artifact bucket, which is private and versioned. Not in the site bucket: CloudFront may
read all of that, so a manifest there would tell every visitor who published what, and when.

    releases.json               the State; every change is a PutObject with If-Match (or If-None-Match) on what was read
    manifests/<sha256>.json     a Manifest, named by its own digest
    content/<sha256>            bytes of the files that are overwritten in place (pages, config.json), so that a release can come back
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from assembly import commands
from assembly.files import canonical_json, sha256
from assembly.model import Frozen
from aws.errors import Conflict, NotFound
from aws.s3 import Headers
from guards import documents
from website.content import FileEntry, content_digest
from website.errors import WebsiteError

if TYPE_CHECKING:
    from aws.s3 import S3

FORMAT = 1
HISTORY = 200
"""Records that are kept of releases whose files are gone."""

_JSON = Headers(content_type="application/json")


class Manifest(Frozen, frozen=True, kw_only=True):
    """What a release consists of. Same files and headers, same digest, whoever publishes them."""

    format: int = FORMAT
    environment: str
    prefix: str
    index_key: str
    files: tuple[FileEntry, ...]
    """In key order."""

    @property
    def content(self) -> str:
        """Digest of the built files alone: equal in every environment that they are promoted to."""
        return content_digest(self.prefix, self.files)

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(entry.size for entry in self.files)

    @property
    def by_key(self) -> dict[str, FileEntry]:
        """The files by key."""
        return {entry.key: entry for entry in self.files}


def manifest_bytes(manifest: Manifest) -> bytes:
    """The manifest as stored: one file a line, so that two of them can be compared by eye."""
    head = msgspec.json.encode({"format": manifest.format, "environment": manifest.environment, "prefix": manifest.prefix})
    lines = b",\n".join(msgspec.json.encode(entry) for entry in manifest.files)
    return head[:-1] + b',"index_key":' + msgspec.json.encode(manifest.index_key) + b',"files":[\n' + lines + b"\n]}\n"


def manifest_digest(manifest: Manifest) -> str:
    """sha256 of the stored form."""
    return sha256(manifest_bytes(manifest))


class Release(Frozen, frozen=True, kw_only=True):
    """One publish or rollback."""

    number: int
    """Counts up, never used twice."""
    manifest: str
    """Digest of its manifest."""
    content: str
    """Digest of its built files, by which it is promoted."""
    action: Literal["publish", "rollback"]
    origin: str
    """Where the files came from: a directory, "sit:<digest>", "release 12"."""
    commit: str = ""
    """git commit of the front end, if known."""
    by: str
    """ARN."""
    at: str
    """ISO 8601, UTC."""
    files: int
    size: int
    """Bytes."""
    superseded_at: str = ""
    verified_at: str = ""
    """When `verify` found that the live site keeps its contract with this release."""
    verified_by: str = ""
    pruned_at: str = ""
    """Its files are gone."""


class Claim(Frozen, frozen=True, kw_only=True):
    """Somebody is changing the site's content."""

    id: str
    action: str
    """What they do: "publish", "rollback", "prune"."""
    manifest: str
    """The release that is being made; empty when pruning."""
    by: str
    host: str
    machine: str = ""
    pid: int
    process: str = ""
    """As in `guards.caller.Caller`; empty in a claim of an earlier version, which is then only known to be dead by its end."""
    started_at: str
    expires_at: str


class Pending(Frozen, frozen=True, kw_only=True):
    """What CloudFront has not been seen to forget."""

    paths: tuple[str, ...]
    reference: str
    """CallerReference of the invalidation: asked for again with the same paths, it is the same one (CloudFront API, CreateInvalidation)."""


class State(Frozen, frozen=True, kw_only=True):
    """All that is known of an environment's releases."""

    format: int = FORMAT
    environment: str
    bucket: str = ""
    releases: tuple[Release, ...] = ()
    """Oldest first; the last is live."""
    unfinished: dict[str, str] = {}  # noqa: RUF012  (msgspec copies it)
    """Manifests of publishes that were given up, and when: some of their files may be there. Later than `live.at`: begun after it."""
    claim: Claim | None = None
    pending: Pending | None = None
    """Of the live release: until this is done some edge may give an older page, and nothing that such a page loads may be removed."""

    @property
    def live(self) -> Release | None:
        """What visitors get."""
        return self.releases[-1] if self.releases else None

    @property
    def half_done(self) -> str:
        """What has begun to change the content since the live release and has not ended, in a line; empty where nothing has."""
        if self.claim is not None:
            return f"{self.claim.by} on {self.claim.host} began a {self.claim.action} at {self.claim.started_at}"
        given_up = [at for at in self.unfinished.values() if self.live is None or moment(at) > moment(self.live.at)]
        return f"what was given up at {max(given_up, key=moment)} may have written some of its files" if given_up else ""


@dataclass(frozen=True)
class Store:
    """The releases of one environment."""

    s3: S3
    bucket: str
    """The artifact bucket."""
    environment: str

    def key(self, name: str) -> str:
        """Key of one of our objects."""
        return f"site/{self.environment}/{name}"

    def content_key(self, digest: str) -> str:
        """Key of the kept bytes of a file that is overwritten in place."""
        return self.key(f"content/{digest}")

    def state(self) -> tuple[State, str | None]:
        """The state and its ETag; None if nothing was ever published, or the bucket is not there yet."""
        try:
            stored = self.s3.get(self.bucket, self.key("releases.json"))
        except NotFound:
            return State(environment=self.environment), None
        try:
            return _plausible(documents.decode(stored.body, State), self.environment), stored.head.etag
        except documents.Unreadable as error:
            raise self._unreadable("releases.json", error) from error

    def write(self, state: State, etag: str | None) -> str:
        """Replace exactly the state that was read; returns the new ETag. `Conflict` if it has changed since."""
        body = canonical_json(msgspec.to_builtins(state))
        try:
            head = self.s3.put(self.bucket, self.key("releases.json"), body, headers=_JSON, if_absent=etag is None, if_match=etag)
        except Conflict:
            # A write whose answer was lost is repeated and then finds itself.
            there = self.s3.head(self.bucket, self.key("releases.json"))
            if there is None or there.etag != hashlib.md5(body, usedforsecurity=False).hexdigest():
                raise
            return there.etag
        return head.etag

    def change(self, edit: Callable[[State], State], *, attempts: int = 5) -> State:
        """Read, edit and write until no other write came between. `edit` may be called more than once."""
        for attempt in range(attempts):
            state, etag = self.state()
            edited = edit(state)
            if edited == state:
                return state
            try:
                self.write(edited, etag)
            except Conflict:
                if attempt + 1 == attempts:
                    raise
            else:
                return edited
        raise AssertionError("unreachable")

    def manifest(self, digest: str) -> Manifest:
        """A stored manifest. `NotFound` if there is none; `WebsiteError` if it is not the one of that digest."""
        body = self.s3.get(self.bucket, self.key(f"manifests/{digest}.json")).body
        if sha256(body) != digest:
            raise self._unreadable(f"manifests/{digest}.json", "its content does not have the digest that its name says")
        try:
            return documents.decode(body, Manifest)
        except documents.Unreadable as error:
            raise self._unreadable(f"manifests/{digest}.json", error) from error

    def has_manifest(self, digest: str) -> bool:
        """A manifest of that digest is stored."""
        return self.s3.head(self.bucket, self.key(f"manifests/{digest}.json")) is not None

    def _unreadable(self, name: str, why: object) -> WebsiteError:
        key = self.key(name)
        return WebsiteError(
            f"s3://{self.bucket}/{key} cannot be read: {why}",
            f"aws s3api list-object-versions --bucket {self.bucket} --prefix {key}\nthe bucket is versioned: bring the last good one back",
        )

    def put_manifest(self, manifest: Manifest) -> str:
        """Store a manifest; returns its digest."""
        body = manifest_bytes(manifest)
        digest = sha256(body)
        self.s3.put(self.bucket, self.key(f"manifests/{digest}.json"), body, headers=_JSON)
        return digest


def _plausible(state: State, environment: str) -> State:
    """The state, if its numbers and times can be reckoned with. Raises `documents.Unreadable`."""
    if state.format != FORMAT:
        raise documents.Unreadable(f"format {state.format}, this version reads format {FORMAT}")
    if state.environment != environment:
        raise documents.Unreadable(f"it is of the environment {state.environment}")
    if any(release.number < 1 for release in state.releases):
        raise documents.Unreadable("a release has no number")
    times = [time for r in state.releases for time in (r.at, *filter(None, (r.superseded_at, r.verified_at, r.pruned_at)))]
    times += [*state.unfinished.values(), *((state.claim.started_at, state.claim.expires_at) if state.claim else ())]
    for time in times:
        try:
            moment(time)
        except ValueError as error:
            raise documents.Unreadable(f"{time[:40]!r} is not a time") from error
    return state


def find(state: State, wanted: str) -> Release:
    """The newest release with that number, or whose content or manifest digest begins so. Raises `WebsiteError`."""
    listing = commands.deploy("releases", state.environment)
    if wanted.isdecimal() and len(wanted) < 8:
        for release in reversed(state.releases):
            if release.number == int(wanted):
                return release
        raise WebsiteError(f"{state.environment} has no release {wanted}", listing)
    if len(wanted) < 6:
        raise WebsiteError(f"{wanted!r} is too short: give a release's number, or at least 6 characters of its digest", listing)
    found = [r for r in state.releases if r.content.startswith(wanted) or r.manifest.startswith(wanted)]
    if not found:
        raise WebsiteError(f"{state.environment} has no release {wanted}", listing)
    if len({r.content for r in found}) > 1:
        raise WebsiteError(f"{wanted} fits more than one release of {state.environment}: give more of the digest", listing)
    return found[-1]


def before_live(state: State) -> Release:
    """The newest release that is another one than the live one and still has its files. Raises `WebsiteError`."""
    live = state.live
    for release in reversed(state.releases):
        if live is not None and release.manifest != live.manifest and not release.pruned_at:
            return release
    raise WebsiteError(f"{state.environment} has no earlier release to go back to", commands.deploy("releases", state.environment))


def added(state: State, release: Release) -> State:
    """The state with one more release, live from now on; records of long-gone ones are dropped."""
    before = state.releases
    if before:
        before = (*before[:-1], msgspec.structs.replace(before[-1], superseded_at=release.at))
    gone = [r.number for r in before if r.pruned_at][: max(0, len(before) - HISTORY)]
    # None of them is later than this release, whatever the clocks of their machines said.
    unfinished = {digest: min(at, release.at, key=moment) for digest, at in state.unfinished.items() if digest != release.manifest}
    return msgspec.structs.replace(state, releases=(*(r for r in before if r.number not in gone), release), unfinished=unfinished)


def writers(state: State) -> tuple[tuple[str, bool], ...]:
    """Manifests by digest, the last writer of an object first, and whether all that it says was written.

    The live release wrote or confirmed everything of its own. What is being published or was given up after it may have written over that;
    of what was given up before it nobody knows the order.
    """
    live = state.live
    last = moment(live.at) if live is not None else None
    later = [digest for digest, at in reversed(state.unfinished.items()) if last is None or moment(at) > last]
    claimed = [state.claim.manifest] if state.claim is not None and state.claim.manifest else []
    order = [(digest, False) for digest in (*claimed, *later) if live is None or digest != live.manifest]
    there = [(release.manifest, True) for release in reversed(state.releases) if not release.pruned_at]
    order += [*there[:1], *((digest, False) for digest in reversed(state.unfinished)), *there[1:]]
    found = dict(reversed(order))
    return tuple((digest, found[digest]) for digest in dict.fromkeys(digest for digest, _ in order))


def known_objects(written: Iterable[tuple[Manifest, bool]]) -> Mapping[tuple[str, str], tuple[FileEntry, ...]]:
    """What each object may have been written as, by key and ETag: its headers cannot be seen in a listing.

    `written` is as `writers` says it. The last one is what a release is sure to have written, if there is such a release.
    """
    found: dict[tuple[str, str], tuple[FileEntry, ...]] = {}
    known: set[tuple[str, str]] = set()
    for manifest, whole in written:
        for entry in manifest.files:
            there = found.get((entry.key, entry.md5), ())
            if (entry.key, entry.md5) in known:
                continue
            if not any(entry.same_object(other) for other in there):
                found[(entry.key, entry.md5)] = (*there, entry)
            if whole:
                known.add((entry.key, entry.md5))
    return found


def timestamp(when: datetime) -> str:
    """ISO 8601 in UTC, whole seconds."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """The other way round; without an offset it is UTC. ValueError for any other text."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
