"""Bringing back kept bytes: a file of an earlier release, written again from what S3 has, if and only if it has the right digest.

In: a file's entry in a manifest that is believed. Out: the object in the site bucket.
Never: believes an object's name, size or ETag; copies anything but the very version that was compared.

What of S3 can be believed: a SHA-256 checksum that is stored with an object was compared with its bytes by S3 when they were written, and
cannot be set otherwise (Amazon S3 User Guide, "Checking object integrity"); of an object written in parts it is a checksum of the parts'
checksums, which says nothing here. An ETag is the MD5 of the bytes only for some kinds of encryption (Amazon S3 API Reference, "Object").
A version never changes. Where there is no such checksum the bytes are read and compared, and written with the checksum that they must have.
"""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assembly import commands
from aws.errors import Conflict
from aws.s3 import Headers
from aws.transfer import Upload
from website.content import FileEntry, base64_digest
from website.errors import WebsiteError
from website.folder import FolderFile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws.s3 import Head
    from website.site import Site


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Kept bytes that have the digest: this version of this object may be copied; None: it is read and compared when it is written."""

    entry: FileEntry
    head: Head | None


def check(site: Site, entries: Iterable[FileEntry], *, workers: int) -> dict[str, Checked]:
    """The kept copies of these files by key, all compared before anything is changed. Raises `WebsiteError`, `AwsError`."""
    with ThreadPoolExecutor(workers) as pool:
        return {found.entry.key: found for found in pool.map(lambda entry: _check(site, entry), entries)}


def _check(site: Site, entry: FileEntry) -> Checked:
    store = site.store
    head = store.s3.head(store.bucket, store.content_key(entry.sha256), checksum=True)
    if head is None:
        raise _damaged(site, entry, "is gone")
    if not head.sha256:
        # Written by hand or by a tool that stores no checksum.
        _read(site, entry)
        return Checked(entry=entry, head=None)
    if head.sha256 != base64_digest(entry.sha256):
        raise _damaged(site, entry, "has other bytes than its name says")
    return Checked(entry=entry, head=head)


def bring_back(site: Site, checked: Checked, headers: Headers) -> None:
    """Write the file into the site bucket. Raises `WebsiteError` if its kept copy was exchanged since it was checked."""
    entry, head, store = checked.entry, checked.head, site.store
    if head is None:
        body = _read(site, entry)
        with tempfile.TemporaryDirectory(prefix="rollback-") as folder:
            file = FolderFile(root=Path(folder), relative="body")
            file.path.write_bytes(body)
            checksum = base64_digest(entry.sha256)
            upload = Upload(path=file.path, open=file.open, key=entry.key, checksum=checksum, headers=headers)
            for _ in site.uploads().upload(site.bucket, [upload]):
                pass
        return
    source = store.content_key(entry.sha256)
    try:
        site.s3.copy(store.bucket, source, site.bucket, entry.key, headers=headers, if_match=head.etag, version_id=head.version_id)
    except Conflict as error:
        raise _damaged(site, entry, "was exchanged while it was copied") from error


def _read(site: Site, entry: FileEntry) -> bytes:
    from assembly.files import sha256

    store = site.store
    body = store.s3.get(store.bucket, store.content_key(entry.sha256)).body
    if sha256(body) != entry.sha256:
        raise _damaged(site, entry, "has other bytes than its name says")
    return body


def _damaged(site: Site, entry: FileEntry, what: str) -> WebsiteError:
    store = site.store
    key = store.content_key(entry.sha256)
    return WebsiteError(
        f"s3://{store.bucket}/{key}, the kept copy of {entry.key}, {what}; it was not made live",
        f"aws s3api list-object-versions --bucket {store.bucket} --prefix {key} (the bucket is versioned: bring the first one back), "
        f"or publish that content again: {commands.deploy('publish', site.environment, '--content', 'DIR')}",
    )
