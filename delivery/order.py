"""Whether an environment has a newer commit than the one that a run of a workflow was started for.

In: the history or the releases of the environment, the commit of the run, GitHub's comparison of two commits. Out: why the run is out of
date, or "".
Never: guesses: where GitHub does not know a commit, the review alone says what would change.

GitHub promises no order to jobs that wait for one concurrency group, and anybody may re-run a run of last month. Both would bring dev and
sit back to an older commit, of the platform or of the app, without a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from guards import documents

COMMIT = re.compile(r"[0-9a-f]{40}\Z")

Compare = Callable[[str, str], str]
"""`GitHub.compared` of the run's repository."""


def applied(history: bytes) -> str:
    """Commit of the latest apply in what `history --json` prints; "" before it. Raises `documents.Unreadable`, ValueError, KeyError."""
    records = documents.loads(history)["data"]
    if not isinstance(records, list):
        raise ValueError("the history could not be read")  # noqa: TRY004  (a file's, not a caller's)
    return str(records[0]["git_commit"]) if records else ""


def live(releases: bytes) -> str:
    """Commit of the live release in what `releases --json` prints; "" before it. Raises as `applied` does."""
    there = documents.loads(releases)["data"]["releases"]
    return str(there[-1]["commit"]) if there else ""


def out_of_date(latest: str, commit: str, compare: Compare, *, environment: str) -> str:
    """Why a run of `commit` must not go on where the environment has `latest`."""
    if latest == commit or COMMIT.match(latest) is None or COMMIT.match(commit) is None:
        return ""
    if compare(commit, latest) != "ahead":
        return ""
    return (
        f"{environment} has been given commit {latest[:12]} since, which is newer than {commit[:12]} of this run; nothing is changed. "
        "The run of the newer commit goes on; to go back to the older one, revert what came after it, or roll back."
    )
