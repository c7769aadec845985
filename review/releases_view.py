"""The list of releases as text. In: values. Out: lines. Never: reads, colours by itself, prints."""

from __future__ import annotations

from datetime import datetime

from guards.checkout import short
from guards.text import columns
from website.releases import State, moment
from website.retention import retained


def release_lines(state: State, *, keep: int, grace_days: int, now: datetime) -> list[str]:
    """The releases, the newest first."""
    stay = {release.number for release in retained(state, keep=keep, grace_days=grace_days, now=now)}
    rows = [("release", "content", "state", "at", "commit", "files", "from", "by")]
    for release in reversed(state.releases):
        if release is state.live:
            word = "live"
        elif release.pruned_at:
            word = "pruned"
        else:
            word = "kept" if release.number in stay else "prunable"
        rows.append(
            (
                str(release.number),
                release.content[:12],
                word + (", verified" if release.verified_at else ""),
                f"{moment(release.at):%Y-%m-%d %H:%M}",
                short(release.commit),
                f"{release.files:,}",
                release.origin,
                release.by.rpartition(":")[2],
            )
        )
    lines = columns(rows) if state.releases else [f"nothing was published to {state.environment} yet"]
    return [*lines, f"unfinished: {state.half_done}"] if state.half_done else lines
