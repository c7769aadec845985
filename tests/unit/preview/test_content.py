"""What the preview's bucket answers from a folder."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from preview.content import Folder, Object
from tests.unit.website.test_content import CONTRACT

pytestmark = pytest.mark.attack

MODIFIED = datetime(2026, 1, 2, tzinfo=UTC)


def body(content: Folder, key: str) -> bytes | None:
    """Of an object, or None if there is none."""
    found = asyncio.run(content.get("bucket", key))
    return None if found is None else found.body


class _Slow(Folder):
    """A disk that answers when it is told to."""

    def __init__(self, root: Path) -> None:
        self.go = threading.Event()
        super().__init__(root, CONTRACT, MODIFIED)

    def _read(self, key: str, file: str) -> Object | None:
        assert self.go.wait(180)
        return super()._read(key, file)


def test_a_slow_disk_holds_up_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("x")
    content = _Slow(tmp_path)

    async def both() -> None:
        reading = asyncio.create_task(content.get("bucket", "index.html"))
        await asyncio.sleep(0)
        # Reached only because the loop turns while the disk is still waited for.
        content.go.set()
        assert await reading is not None

    asyncio.run(both())
