"""Whether an environment runs a newer commit than the one that a run of the workflow was started for.

In: the history of the environment, the commit of the run, GitHub's comparison of two commits. Out: why the run is out of date, or "".
Never: guesses: where GitHub does not know a commit, the review alone says what would change.

GitHub promises no order to jobs that wait for one concurrency group, and anybody may re-run a run of last month. Both would bring dev and
sit back to an older commit without a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from guards import documents

COMMIT = re.compile(r"[0-9a-f]{40}\Z")

Compare = Callable[[str, str], str]
"""How the second commit stands to the first: ahead, behind, identical, diverged; "" where GitHub does not know one of them.

Source: GitHub REST API, "Compare two commits"."""


def out_of_date(history: bytes, commit: str, compare: Compare, *, environment: str) -> str:
    """Why a run of `commit` must not go on. `history` is what `history --json` prints. Raises
    `documents.Unreadable`, ValueError, KeyError."""
    records: Any = documents.loads(history)["data"]
    if not isinstance(records, list):
        raise ValueError(  # noqa: TRY004  (a file's, not a caller's)
            f"the history of {environment} could not be read"
        )
    applied = str(records[0]["git_commit"]) if records else ""
    if applied == commit or COMMIT.match(applied) is None or COMMIT.match(commit) is None:
        return ""
    if compare(commit, applied) != "ahead":
        return ""
    return (
        f"{environment} has been given commit {applied[:12]} since, which is newer than {commit[:12]} of this run; nothing is planned. "
        "The run of the newer commit goes on; to go back to the older one, revert what came after it."
    )
