"""The comment of a pull request: a summary of every environment first, the reviews folded below.

In: folders with a review each, GitHub. Out: Markdown that GitHub takes, in the one comment of a pull request. Never: more than a comment
may hold; a comment of others, or of an older commit over that of a newer one.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delivery.github import BOT, GitHub
from guards import documents
from guards.text import sentence

LIMIT = 65_536
"""Characters of a comment. Source: GitHub's own answer, "body is too long (maximum is 65536 characters)"."""
MARK = "<!-- plan of every environment -->"
"""The first line of our comment: other workflows write as the same author, and a review may hold any text."""
ROOM = 1_024
"""Kept free: GitHub may count what it adds."""


@dataclass(frozen=True, kw_only=True)
class Review:
    """Of one environment; `line` is its last line, `markdown` the whole."""

    environment: str
    line: str
    markdown: str


def read(folder: Path) -> tuple[Review, ...]:
    """The reviews in `folder`/review-ENVIRONMENT/, in order of their names; one that says nothing is said to be missing."""
    return tuple(_review(path) for path in sorted(folder.glob("review-*")) if path.is_dir() and not path.is_symlink())


def _review(folder: Path) -> Review:
    name = folder.name.removeprefix("review-")
    try:
        # The pull request's code made these: a link in the place of a file would show the environment of this process, token and all.
        summary: Any = documents.loads(_plain(folder / "review.json"))
        line, markdown = str(summary["summary"]["line"]), _plain(folder / "review.md").decode()
    except (OSError, documents.Unreadable, KeyError, TypeError, UnicodeDecodeError):
        return Review(environment=name, line="no plan was made; the job's log says why", markdown="")
    return Review(environment=name, line=line, markdown=markdown)


def _plain(path: Path) -> bytes:
    """Of a regular file, and not of what a link leads to. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as source:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return source.read()


def render(reviews: tuple[Review, ...], *, commit: str, run: str) -> str:
    """The comment. Of reviews that do not fit, the largest are left to the artifacts of the run first."""
    kept = {review.environment for review in reviews if review.markdown}
    text = _render(reviews, kept, commit, run)
    for review in sorted(reviews, key=lambda each: -len(each.markdown)):
        if len(text) <= LIMIT - ROOM:
            break
        kept.discard(review.environment)
        text = _render(reviews, kept, commit, run)
    return text[: LIMIT - ROOM]


def _render(reviews: tuple[Review, ...], kept: set[str], commit: str, run: str) -> str:
    rows = [f"| {_cell(review.environment)} | {_cell(review.line)} |" for review in reviews]
    where = f"[this run]({run}), which has every review as a page" if run else "the run of this workflow"
    # Before the reviews: what an unclosed comment or element of theirs would hide stands behind it.
    note = (
        f"<sub>Planned read-only for {sentence(commit)} by {where}, with the pull request's own code: what is applied is planned anew. "
        "Merging deploys it from dev to prod; prod waits for approval.</sub>"
    )
    parts = [MARK, "## What this pull request would change", "", "| environment | plan |", "|---|---|", *rows, "", note, ""]
    for review in reviews:
        if review.environment in kept:
            parts += [
                f"<details><summary>Review of {_cell(review.environment)}</summary>",
                "",
                review.markdown.strip(),
                "",
                "</details>",
                "",
            ]
        elif review.markdown:
            parts += [f"The review of {_cell(review.environment)} is too long for a comment.", ""]
    return "\n".join(parts) + "\n"


def write(text: str, github: GitHub, *, repository: str, pull_request: int, commit: str) -> str:
    """Bring the comment up to date; what was done, for the log. `commit` is the one that was planned."""
    latest = str(github.get(f"repos/{repository}/pulls/{pull_request}")["head"]["sha"])
    if latest != commit:
        return f"the pull request is at {sentence(latest[:12])} by now: the run of that commit writes the comment"
    comments = f"repos/{repository}/issues/{pull_request}/comments"
    for each in github.every(comments):
        if (each["user"] or {}).get("login") == BOT and str(each["body"]).startswith(MARK):
            github.change(f"repos/{repository}/issues/comments/{int(each['id'])}", {"body": text})
            return "the comment is up to date"
    github.make(comments, {"body": text})
    return "commented"


def _cell(text: str) -> str:
    return sentence(text).replace("|", "\\|").replace("<", "&lt;").replace("@", "@\u200b")
