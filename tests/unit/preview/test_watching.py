"""What the preview watches: the folders of the content, one by one, and nothing that a link leads to."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from preview.watching import watch


def _watched_inodes() -> set[int]:
    """The numbers of all files that this process has inotify watches on. Source: proc(5), fdinfo."""
    found = set()
    for info in Path("/proc/self/fdinfo").iterdir():
        try:
            lines = info.read_text().splitlines()
        except OSError:
            continue
        found |= {int(line.split()[2].removeprefix("ino:"), 16) for line in lines if line.startswith("inotify ")}
    return found


async def _until(condition: object) -> None:
    async with asyncio.timeout(180):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.02)


def test_links_are_not_followed_and_new_folders_are(tmp_path: Path) -> None:
    content, outside = tmp_path / "content", tmp_path / "outside"
    (content / "assets").mkdir(parents=True)
    (outside / "deep").mkdir(parents=True)
    (content / "link").symlink_to(outside)
    calls: list[int] = []

    async def run() -> None:
        stopped = asyncio.Event()

        async def changed() -> None:
            calls.append(1)

        async def after(write: Path) -> None:
            seen = len(calls)
            write.parent.mkdir(exist_ok=True)
            write.write_text("x")
            await _until(lambda: len(calls) > seen)

        watching = asyncio.create_task(watch((content,), changed, lambda _: None, stopped))
        try:
            await _until(lambda: content.stat().st_ino in _watched_inodes())
            watched = _watched_inodes()
            assert (content / "assets").stat().st_ino in watched
            assert not {outside.stat().st_ino, (outside / "deep").stat().st_ino} & watched
            await after(content / "assets" / "a.js")
            await after(content / "new" / "b.js")
            await _until(lambda: (content / "new").stat().st_ino in _watched_inodes())
            await after(content / "new" / "c.js")
            # A folder that becomes a link to another one.
            shutil.rmtree(content / "new")
            os.symlink(outside, content / "new")  # noqa: PTH211
            await after(content / "assets" / "d.js")
            assert not {outside.stat().st_ino, (outside / "deep").stat().st_ino} & _watched_inodes()
        finally:
            stopped.set()
            await watching

    asyncio.run(run())
