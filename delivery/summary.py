"""The summary of a job, for those who approve: what changed between two plans, the review, and what to approve, last of all.

In: reviews as files, what publish has printed. Out: Markdown that GitHub shows. Never: more than it takes of one step, since it shows
nothing of that; nor without its last line.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from guards.text import sentence

LIMIT = 1024 * 1024
"""Bytes. Source: GitHub, "Workflow commands: step isolation and limits"."""
ROOM = 64 * 1024
"""Kept free for what is never left out."""


def of_plan(environment: str, digest: str, review: Path, *, before: Path | None = None) -> str:
    """`review` and `before` are folders with review.md and review.txt; with `before` it is the second plan of a run. Raises OSError."""
    left = LIMIT - ROOM
    parts: list[str] = []
    if before is not None:
        parts += [
            f"## {environment} has moved since the plan that was approved; nothing was applied",
            "This is what would be applied now, and needs a new approval. The difference between the two plans:",
            "",
        ]
        difference = _difference(before / "review.txt", review / "review.txt")
        # Half of it, so that the review has room whatever the difference is.
        parts += [difference if _size(difference) <= left // 2 else "(too long for a summary; both plans are artifacts of this run)", ""]
    text = (review / "review.md").read_text(encoding="utf-8", errors="replace")
    if _size(text) > left - _size("\n".join(parts)):
        text = f"The review of {environment} is too long for a summary: the artifact plan-{environment} of this run has it as a page.\n"
    parts.append(text)
    if digest:
        parts.append(f"**To approve: plan `{digest}` of {environment}, and no other.**")
    return "\n".join(parts)


def of_release(environment: str, release: Mapping[str, Any]) -> str:
    """`release` as publish prints it. Raises KeyError."""
    commit = sentence(str(release["commit"])) or "unknown"
    return "\n".join(
        (
            f"## Release {int(release['number'])} of {environment}",
            f"Content `{sentence(str(release['content']))}`: {int(release['files'])} files, {int(release['size'])} bytes, "
            f"commit `{commit}`. Every further environment of this run publishes these bytes and no others.",
        )
    )


def _difference(before: Path, after: Path) -> str:
    if not before.is_file() or not after.is_file():
        return "(one of the two plans has no review)"
    old, new = (path.read_text(encoding="utf-8", errors="replace").splitlines() for path in (before, after))
    lines = list(difflib.unified_diff(old, new, lineterm=""))[2:]
    # Longer than any run of backticks in it, so that no line of the plans ends the block.
    fence = "`" * max(4, 1 + max((len(run) for line in lines for run in re.findall("`+", line)), default=0))
    return "\n".join((f"{fence}diff", *lines, fence))


def _size(text: str) -> int:
    return len(text.encode())
