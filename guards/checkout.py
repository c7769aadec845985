"""Which commit a directory is at. In: a directory. Out: a commit, or "". Never: runs what the repository configures."""

from __future__ import annotations

import subprocess
from pathlib import Path

from guards.processes import child_environment


def commit_of(directory: Path) -> str:
    """HEAD of the repository that the directory lies in, with "-dirty" if tracked files differ; empty where there is neither."""
    try:
        found = subprocess.run(  # noqa: S603
            ["git", "-c", "core.fsmonitor=false", "-C", str(directory), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
            env=child_environment(),
        )
        return found.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def short(commit: str) -> str:
    """Twelve digits, and whether it was dirty."""
    return commit[:12] + ("-dirty" if commit.endswith("-dirty") else "")
