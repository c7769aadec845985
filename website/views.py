"""A content plan and the list of releases as text. In: values. Out: lines. Never: reads, colours by itself, prints."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from website.publish import ContentPlan, FileChange
from website.releases import State, kept, moment

SHOWN = 40
"""Keys of a list that are shown; --json has them all."""

_MARKS = {"add": "+", "modify": "~", "headers": "h"}


def plan_lines(plan: ContentPlan) -> list[str]:
    """The content part of a review: what is written, what stays, what is forgotten; only the marks in use are explained."""
    against = f"release {plan.live_number}" if plan.live else "an empty site"
    lines = [f"content of {plan.environment}: {plan.content[:12]} from {plan.origin}, compared with {against}"]
    if not plan.has_changes:
        lines.append("  no changes: it is live already")
    shown = sorted(plan.changes, key=lambda c: (c.change, c.key))
    lines += [f"  {_MARKS[c.change]} {c.key}  {_size(c)}{_headers(c)}" for c in shown[:SHOWN]]
    if len(shown) > SHOWN:
        lines.append(f"    and {len(shown) - SHOWN:,} more (--json has all)")
    legend = {"add": "+ new", "modify": "~ changed", "headers": "h other headers"}
    used = [text for change, text in legend.items() if any(c.change == change for c in plan.changes)]
    if used:
        lines.append(f"  {', '.join(used)}")
    for title, keys in (
        ("no longer part of it, stays for visitors who have the old page", plan.superseded),
        ("can be pruned (python deploy.py prune)", plan.prunable),
        ("CloudFront must forget", plan.invalidations),
    ):
        if keys:
            lines.append(f"  {title}: {_some(keys)}")
    lines += [f"  warning: {note}" for note in plan.notes]
    counts = {change: sum(c.change == change for c in plan.changes) for change in _MARKS}
    lines.append(
        f"content: {counts['add']:,} to add, {counts['modify']:,} to change, {counts['headers']:,} with other headers, {plan.kept:,} kept, "
        f"{len(plan.superseded):,} superseded, {len(plan.invalidations):,} paths to invalidate; {plan.upload_size:,} bytes to send"
    )
    return lines


def _size(change: FileChange) -> str:
    if change.change == "modify" and change.before_size is not None:
        return f"{change.before_size:,} -> {change.size:,} B"
    return f"{change.size:,} B"


def _headers(change: FileChange) -> str:
    if change.change == "headers":
        return f"  {change.before} -> {change.content_type}; cache-control: {change.cache_control}"
    return f"  {change.cache_control}"


def _some(keys: Iterable[str], limit: int = 5) -> str:
    listed = list(keys)
    more = f" and {len(listed) - limit:,} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + more


def release_lines(state: State, *, keep: int, grace_days: int, now: datetime) -> list[str]:
    """The releases, the newest first."""
    stay = {release.number for release in kept(state, keep=keep, grace_days=grace_days, now=now)}
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
                release.commit[:10],
                f"{release.files:,}",
                release.origin,
                release.by.rpartition(":")[2],
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    if not state.releases:
        lines = [f"nothing was published to {state.environment} yet"]
    if state.claim is not None:
        claim = state.claim
        lines.append(f"unfinished: {claim.by} on {claim.host} began a {claim.action} at {claim.started_at}")
    return lines
