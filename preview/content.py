"""What the bucket holds: a folder as it would be published, or a bucket of the local AWS.

In: a folder and the contract of the assembly; or a function that fetches an object. Out: `Object` values by key.
Never: leaves the folder (keys are looked up in a listing, and what is opened is what website/folder.py opens), serves what publish would
leave out, reads on the event loop, writes, or caches what may have changed.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from assembly.model import SiteContract
from files.names import left_out, select
from files.types import content_type
from guards.text import printable
from templates.policies import Statement
from website.content import cache_control, generated_files, key_prefix
from website.folder import open_file, walk
from website.judging import allowances

FILE_LIMIT = 256 << 20
"""Bytes of a file that is served: it is held in memory while it is."""


@dataclass(frozen=True, kw_only=True)
class Object:
    """One object of a bucket. `etag` without quotes."""

    body: bytes = field(repr=False)
    content_type: str
    cache_control: str
    etag: str
    modified: datetime
    content_encoding: str = ""


class Unreachable(Exception):
    """The bucket did not answer; the text says why."""


class Content(Protocol):
    """The objects of every bucket of the site. Both raise `Unreachable`."""

    async def get(self, bucket: str, key: str) -> Object | None:
        """The object, or None if there is none."""

    async def keys(self, bucket: str) -> tuple[str, ...]:
        """Every key in order."""

    async def denials(self, bucket: str) -> tuple[Statement, ...]:
        """What the bucket's policy denies CloudFront by now, beside what its template says."""


class Folder:
    """A folder as every bucket's content: keys, headers and runtime configuration as publish would write them."""

    def __init__(self, root: Path, contract: SiteContract, now: datetime) -> None:
        """Lists the folder. `now` is when generated objects were made. Raises OSError where `root` is no folder that can be read."""
        if not root.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "not a folder", str(root))
        self._root = root
        self._rules = contract.cache_rules
        self._prefix = key_prefix(contract)
        self._started = now
        listing = walk(root, left_out(contract.publishing_exclude))
        selection = select(listing.files, listing.left, self._prefix)
        refused = {each.file for each in allowances(contract, ()).sorted(selection.findings)[0]}
        found = {path: file for path, file in selection.files.items() if path not in refused}
        self._generated = generated_files(self._prefix, contract, found)
        self._files = {self._prefix + path: file for path, file in found.items()}

    async def get(self, bucket: str, key: str) -> Object | None:  # noqa: ARG002
        """Read at every request, so that an edited file is what is served. Raises `Unreachable` for a file above `FILE_LIMIT`."""
        if key in self._generated:
            return self._object(key, self._generated[key], self._started)
        file = self._files.get(key)
        return None if file is None else await asyncio.to_thread(self._read, key, file)

    def _read(self, key: str, file: str) -> Object | None:
        try:
            with open_file(self._root, file) as handle:
                status = os.fstat(handle.fileno())
                if status.st_size > FILE_LIMIT:
                    raise Unreachable(
                        f"{printable(str(file))} has {status.st_size:,} bytes; the preview serves files of at most {FILE_LIMIT:,}"
                    )
                body = handle.read(status.st_size)
        except OSError:
            return None
        return self._object(key, body, datetime.fromtimestamp(int(status.st_mtime), UTC))

    async def keys(self, bucket: str) -> tuple[str, ...]:  # noqa: ARG002
        return tuple(sorted({*self._files, *self._generated}))

    async def denials(self, bucket: str) -> tuple[Statement, ...]:  # noqa: ARG002
        return ()

    def _object(self, key: str, body: bytes, modified: datetime) -> Object:
        # S3's ETag of an object put in one piece is its MD5.
        etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        return Object(
            body=body, content_type=content_type(key), cache_control=cache_control(key, self._rules), etag=etag, modified=modified
        )


class Fetched:
    """Objects and policies fetched by blocking functions, each call in a thread; they raise `Unreachable`."""

    def __init__(
        self,
        get: Callable[[str, str], Object | None],
        keys: Callable[[str], tuple[str, ...]],
        denials: Callable[[str], tuple[Statement, ...]] = lambda _: (),
    ) -> None:
        self._get, self._keys, self._denials = get, keys, denials

    async def get(self, bucket: str, key: str) -> Object | None:
        return await asyncio.to_thread(self._get, bucket, key)

    async def keys(self, bucket: str) -> tuple[str, ...]:
        return await asyncio.to_thread(self._keys, bucket)

    async def denials(self, bucket: str) -> tuple[Statement, ...]:
        return await asyncio.to_thread(self._denials, bucket)
