"""From one environment to the next: a verified release, fetched and compared, as content to publish.

In: the `Site` where it was verified. Out: `Content`; the record that a live release was verified.
Never: believes a release that the site bucket's ledger does not have.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from assembly import commands
from assembly.files import sha256
from assembly.model import SiteContract
from aws.errors import AccessDenied
from files.types import content_type
from website import releases
from website.content import Content, FileEntry, cache_control, generated_entry, generated_files, key_prefix
from website.errors import Busy, WebsiteError
from website.folder import FolderFile
from website.ledger import entry_key, unpublished, verified_key
from website.releases import Release, State
from website.run import Begun, Report, Sent
from website.site import WORKERS, Site


def promotable(source: Site, wanted: str) -> Release:
    """The release of another environment that is asked for, or one of the same content, verified there. Raises `WebsiteError`."""
    state, _ = source.store.state()
    release = releases.find(state, wanted)
    others = [r for r in reversed(state.releases) if r.content == release.content]
    verified = next((r for r in (release, *others) if r.verified_at), None)
    again = commands.deploy("verify", source.environment, "--record")
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
            commands.deploy("releases", source.environment),
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
                commands.deploy("publish", source.environment, "--content", "DIR"),
            )
        relative = entry.key.removeprefix(manifest.prefix)
        path = folder / sha256(relative.encode())
        path.write_bytes(body)
        key = prefix + relative
        rules = contract.cache_rules
        return msgspec.structs.replace(entry, key=key, content_type=content_type(key), cache_control=cache_control(key, rules)), path

    entries: list[FileEntry] = []
    files: dict[str, FolderFile] = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        for entry, path in pool.map(get, built):
            entries.append(entry)
            files[entry.key] = FolderFile(root=folder, relative=path.name)
            report(Sent(key=entry.key, size=entry.size))
    generated = generated_files(prefix, contract, (entry.key.removeprefix(manifest.prefix) for entry in built))
    files = {key: file for key, file in files.items() if key not in generated}
    entries = [entry for entry in entries if entry.key not in generated]
    entries += (generated_entry(key, body, contract.cache_rules) for key, body in generated.items())
    return Content(prefix=prefix, entries=tuple(sorted(entries, key=lambda e: e.key)), files=files, generated=generated)


def record_verified(site: Site, release: Release, *, by: str, at: str) -> State:
    """Note that the live site keeps its contract with that release.

    Raises `Busy` if another one is live by now, `WebsiteError` if it was not published here.
    """
    if not _entered(site, entry_key(site.prefix, release.number, release.manifest)):
        raise unpublished(release, site.environment, "published", commands.deploy("publish", site.environment, "--content", "DIR"))

    def edit(state: State) -> State:
        live = state.live
        if live is None or (live.number, live.manifest) != (release.number, release.manifest):
            raise Busy("another release went live while the site was verified", commands.deploy("verify", site.environment, "--record"))
        return msgspec.structs.replace(
            state, releases=(*state.releases[:-1], msgspec.structs.replace(live, verified_at=at, verified_by=by))
        )

    recorded = site.store.change(edit)
    site.s3.put(site.bucket, verified_key(site.prefix, release.number, release.manifest), b"")
    return recorded
