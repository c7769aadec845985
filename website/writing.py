"""The writes of one publish, in the order that keeps the site whole.

Immutable files and kept copies first, other files, pages, the index document, service workers. Killed anywhere, the old page and
everything it loads are still there; run again, the rest is done and nothing is sent twice.

In: a `Site`, the claim, the files. Out: objects. Never: overwrites a page that somebody else has written since it was read.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assembly.files import sha256
from aws.errors import Conflict
from aws.s3 import Headers
from aws.transfer import Upload
from website.claims import Claimed
from website.content import Content, FileEntry, base64_digest, rank
from website.errors import Busy, SourceError
from website.folder import FolderFile
from website.releases import Manifest
from website.run import Begun, Run, Sent
from website.site import WORKERS, Site
from website.snapshot import Snapshot


@contextmanager
def temporary_files(content: Content) -> Iterator[Callable[[FileEntry], FolderFile]]:
    """The file of every entry; generated ones get a temporary one."""
    folder = Path(tempfile.mkdtemp(prefix="publish-")) if content.generated else None
    try:
        made: dict[str, FolderFile] = {}
        for number, (key, body) in enumerate(content.generated.items()):
            assert folder is not None
            made[key] = FolderFile(root=folder, relative=str(number))
            made[key].path.write_bytes(body)
        yield lambda entry: made.get(entry.key) or content.files[entry.key]
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def headers(entry: FileEntry) -> Headers:
    return Headers(content_type=entry.content_type, cache_control=entry.cache_control)


def _upload(entry: FileEntry, file: FolderFile, *, key: str = "") -> Upload:
    return Upload(path=file.path, open=file.open, key=key or entry.key, checksum=base64_digest(entry.sha256), headers=headers(entry))


STEPS = {0: "immutable files", 1: "other files", 2: "pages", 3: "index document", 4: "service workers"}


@dataclass(frozen=True, kw_only=True)
class Writing:
    """The writes of one publish."""

    site: Site
    snapshot: Snapshot
    claimed: Claimed
    run: Run
    file_of: Callable[[FileEntry], FolderFile]

    def keep_copies(self, manifest: Manifest) -> None:
        """Files that later releases overwrite are kept by their digest, so that this one can come back."""
        live = self.snapshot.state.live
        before = self.snapshot.manifests.get(live.manifest) if live else None
        have = {entry.sha256 for entry in before.files if not entry.immutable} if before else set()
        wanted = {entry.sha256: entry for entry in manifest.files if not entry.immutable and entry.sha256 not in have}
        if not wanted:
            return
        store = self.site.store
        self.run.report(Begun(step="keeping copies for a rollback", files=len(wanted), size=sum(e.size for e in wanted.values())))
        uploads = (_upload(e, self.file_of(e), key=store.content_key(digest)) for digest, e in wanted.items())
        sizes = {store.content_key(digest): e.size for digest, e in wanted.items()}
        self._send(store.bucket, uploads, sizes)

    def write(self, entries: Iterable[FileEntry], manifest: Manifest) -> None:
        """Everything that changes, in order. The replica has what the pages load before it can have the pages."""
        follower = self.site.follower
        for step, group in by_rank(self.site, entries):
            if step >= 2 and follower is not None:
                loaded = {entry.key: entry.md5 for entry in manifest.files if rank(entry, self.site.index_key) < 2}
                follower.catch_up(loaded, self.run, self.claimed.renew)
                follower = None
            if step >= 2:
                self.site.still_target()
            self.run.report(Begun(step=STEPS[step], files=len(group), size=sum(e.size for e in group)))
            if step < 2:
                sizes = {entry.key: entry.size for entry in group}
                self._send(self.site.bucket, (_upload(entry, self.file_of(entry)) for entry in group), sizes)
            else:
                self.claimed.assert_held()
                each_at_once(
                    group, lambda entry: _replace_page(self.site, entry, _body(self.file_of(entry), entry), self.snapshot), self.run
                )

    def _send(self, bucket: str, uploads: Iterable[Upload], sizes: Mapping[str, int]) -> None:
        for done in self.site.uploads().upload(bucket, uploads):
            self.run.report(Sent(key=done.key, size=sizes[done.key]))
            self.claimed.renew()


def by_rank(site: Site, entries: Iterable[FileEntry]) -> Iterator[tuple[int, tuple[FileEntry, ...]]]:
    ordered = sorted(entries, key=lambda e: (rank(e, site.index_key), e.key))
    for step, group in itertools.groupby(ordered, key=lambda e: rank(e, site.index_key)):
        yield step, tuple(group)


def each_at_once(group: Iterable[FileEntry], act: Callable[[FileEntry], None], run: Run) -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        for entry, _ in zip(group, pool.map(act, group), strict=True):
            run.report(Sent(key=entry.key, size=entry.size))


def _body(file: FolderFile, entry: FileEntry) -> bytes:
    """No more of it than what was checked and one byte."""
    with file.open() as opened:
        return opened.read(entry.size + 1)


def _replace_page(site: Site, entry: FileEntry, body: bytes, snapshot: Snapshot) -> None:
    """Write a page over exactly the one that was read."""
    if sha256(body) != entry.sha256:
        raise SourceError((f"{entry.key}: the file was changed while it was published; run the same command again",))
    there = snapshot.objects.get(entry.key)
    try:
        site.s3.put(site.bucket, entry.key, body, headers=headers(entry), if_absent=there is None, if_match=there[0] if there else None)
    except Conflict:
        now = site.s3.head(site.bucket, entry.key)
        if now is None or now.etag != entry.md5:
            raise Busy(
                f"s3://{site.bucket}/{entry.key} was written by somebody else while this release was published; it was left as it is",
                "run the same command again",
            ) from None
