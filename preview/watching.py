"""Reload when the assembly or the content changes.

In: two folders, and what to do after a change. Out: calls of it, one after the other.
Never: watches outside of the two folders: each folder that `website/folder.py` finds is watched by itself, and no link is followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from watchfiles import awatch
from watchfiles._rust_notify import WatchfilesRustInternalError

from guards.text import printable
from website.folder import walk

RETRY_SECONDS = 0.2
"""Until a folder that is missing, or gone meanwhile, is looked for again."""

Identity = tuple[int, int]
"""Device and number of a folder: another one under the same name has another."""


async def watch(
    roots: tuple[Path, ...],
    changed: Callable[[], Awaitable[None]],
    say: Callable[[str], None],
    stopped: asyncio.Event,
) -> None:
    """Until `stopped`. A folder that is taken away and made anew, as some bundlers do, is watched again."""
    again, said = False, ""
    while not stopped.is_set():
        folders = await asyncio.to_thread(_folders, roots)
        if folders is None:
            await asyncio.sleep(RETRY_SECONDS)
            continue
        try:
            again = await _until_replaced(roots, folders, changed, stopped, again=again)
            said = ""
        except (OSError, WatchfilesRustInternalError) as error:
            # A folder went away between the walk and here, or the system has no more watches (inotify) to give.
            again = True
            if said and said != str(error):
                say(f"changes are not seen for now: {printable(str(error))}")
            said = str(error)
            await asyncio.sleep(RETRY_SECONDS)


async def _until_replaced(
    roots: tuple[Path, ...],
    folders: dict[Path, Identity],
    changed: Callable[[], Awaitable[None]],
    stopped: asyncio.Event,
    *,
    again: bool,
) -> bool:
    """Watch these folders until they are others. `again`: something may have changed before. Returns whether something may have after."""
    top = {root: folders[root] for root in roots}
    async for changes in awatch(
        *folders,
        stop_event=stopped,
        recursive=False,
        debounce=400,
        rust_timeout=500,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    ):
        now = await asyncio.to_thread(_folders, roots) if changes else None
        replaced = now != folders if changes else {root: _identity(root) for root in roots} != top
        if (changes or replaced or again) and not stopped.is_set():
            await changed()
        again = False
        if replaced:
            return True
    return False


def _folders(roots: tuple[Path, ...]) -> dict[Path, Identity] | None:
    """Every folder to watch; None while one of the roots cannot be read."""
    found: dict[Path, Identity] = {}
    for root in roots:
        try:
            below = walk(root).folders
        except OSError:
            return None
        for path in (root, *(root / folder for folder in below)):
            identity = _identity(path)
            if identity is not None:
                found[path] = identity
        if root not in found:
            return None
    return found


def _identity(path: Path) -> Identity | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
