"""The bucket and the releases as they are at one moment.

In: a `Site`. Out: a `Snapshot`. Never: changes anything; believes a release that only the artifact bucket knows of.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from aws.errors import NotFound
from website import releases
from website.ledger import Ledger
from website.releases import Manifest, State, Store, manifest_digest
from website.site import WORKERS, Site


@dataclass(frozen=True, kw_only=True)
class Snapshot:
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


def empty_snapshot(site: Site) -> Snapshot:
    """Before there is a bucket."""
    return Snapshot(state=State(environment=site.environment), etag=None, deployed=False, objects={}, manifests={})


def read_snapshot(site: Site, expected: Manifest | None = None) -> Snapshot:
    """Read the state, the live manifest and the bucket, at the same time.

    `expected`: a manifest that may be the live one. If it is, and nothing was begun since, it alone says what every object of it is: then
    the bucket's listing and the state are all that is read, in one round trip for a thousand objects.
    """
    digest = manifest_digest(expected) if expected is not None else ""
    with ThreadPoolExecutor(2) as pool:
        listing = pool.submit(_objects, site)
        stored = pool.submit(lambda: expected is not None and site.store.has_manifest(digest))
        state, etag = site.store.state()
        if expected is not None and _settled(state, digest) and stored.result():
            read = {digest: expected}
        else:
            read = _read_manifests(site.store, _up_to_live(state))
        objects = listing.result()
    ledger = Ledger.of(site.prefix, objects or ())
    # What only the artifact bucket calls a release decides nothing: neither which headers an object has, nor what may be removed.
    manifests = {digest: manifest for digest, manifest in read.items() if digest in ledger.manifests}
    return Snapshot(state=state, etag=etag, deployed=objects is not None, objects=objects or {}, manifests=manifests, ledger=ledger)


def _settled(state: State, manifest: str) -> bool:
    """That release is live, and nobody has begun another since."""
    return state.live is not None and state.live.manifest == manifest and state.claim is None and not state.unfinished


def with_every_manifest(site: Site, snapshot: Snapshot) -> Snapshot:
    """The same with the manifests of every release that is still there."""
    wanted = tuple(digest for digest in _newest_first(snapshot.state) if digest in snapshot.ledger.manifests)
    missing = tuple(digest for digest in wanted if digest not in snapshot.manifests)
    read = {**snapshot.manifests, **_read_manifests(site.store, missing)}
    return replace(snapshot, manifests={digest: read[digest] for digest in wanted if digest in read})


def _objects(site: Site) -> dict[str, tuple[str, int]] | None:
    try:
        return {head.key: (head.etag, head.size) for head in site.s3.list(site.bucket, site.prefix)}
    except NotFound:
        return None


def _newest_first(state: State) -> tuple[str, ...]:
    return tuple(digest for digest, _ in releases.writers(state))


def _up_to_live(state: State) -> tuple[str, ...]:
    """Digests of the live manifest and of everything that may have written over it, of two at the least."""
    found = _newest_first(state)
    live = state.live.manifest if state.live is not None else ""
    return found[: max(2, found.index(live) + 1 if live in found else 0)]


def _read_manifests(store: Store, digests: tuple[str, ...]) -> dict[str, Manifest]:
    def read(digest: str) -> Manifest | None:
        try:
            return store.manifest(digest)
        except NotFound:
            return None

    if not digests:
        return {}
    with ThreadPoolExecutor(WORKERS) as pool:
        return {digest: manifest for digest, manifest in zip(digests, pool.map(read, digests), strict=True) if manifest is not None}
