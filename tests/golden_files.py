"""Golden files: what is rendered now against what was reviewed. GOLDEN_UPDATE=1 rewrites them; the diff is the review."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"


def assert_golden(name: str, actual: bytes | str) -> None:
    """Compare with tests/golden/<name>, or write it where GOLDEN_UPDATE is set."""
    data = actual.encode() if isinstance(actual, str) else actual
    path = GOLDEN / name
    if os.environ.get("GOLDEN_UPDATE"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert path.exists(), f"{path} is missing; to write it: make golden"
    assert data.decode() == path.read_text(encoding="utf-8"), f"{path} is not what is rendered now; if that is meant: make golden"
