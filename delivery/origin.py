"""Where the files of a release come from, if another run has built them.

In: what GitHub says of that run and of its repository. Out: the commit that it has built; why its files must not be published.
Never: trusts an artifact by its name: whoever opens a pull request can have its workflow upload one of any name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from delivery.order import COMMIT

TRUSTED = ("push", "workflow_dispatch", "schedule", "workflow_call", "repository_dispatch")
"""Events that run a branch's own code. A pull request's run, and one that a pull request's run has started, does not."""


def problem(run: Mapping[str, Any], repository: Mapping[str, Any], *, owner: str, branch: str) -> str:
    """Why the files of a run must not be published; "" where they may be.

    `run` and `repository` as GitHub's REST API has them ("Get a workflow run", "Get a repository"); `owner` is the platform's own,
    `branch` the one that it has to be of.
    Raises KeyError for an answer without what is asked.
    """
    name = str(repository["full_name"])
    if str(repository["owner"]["login"]).lower() != owner.lower():
        return f"{name} is not a repository of {owner}"
    if str((run["head_repository"] or {}).get("full_name", "")).lower() != name.lower():
        return f"the run is of a fork of {name}"
    if run["event"] not in TRUSTED:
        return f"the run was started by {run['event']}, and not by a change of {branch} or by a person"
    if run["head_branch"] != branch:
        return f"the run is of the branch {run['head_branch']}, and not of {branch}"
    if run["conclusion"] not in (None, "success"):
        return f"the run has ended as {run['conclusion']}"
    return ""


def unmerged(commit: str, tip: str, compare: Callable[[], str], *, branch: str) -> str:
    """Why a commit may not be what the branch has; "" if it is the branch's last one or before it.

    GitHub tells of a run only the name of what was pushed: a tag may have the branch's, and the branch may have been pushed over since.
    `compare` says how the commit stands to the last one (GitHub REST API, "Compare two commits").
    """
    for each in (commit, tip):
        if COMMIT.match(each) is None:
            return f"{each!r} is not a commit"
    if commit == tip or compare() in ("behind", "identical"):
        return ""
    return f"the run has built {commit[:12]}, which is not a commit of {branch}"
