"""A content plan in words, alike in every form of the review. In: a `ContentPlan`. Out: plain texts. Never: markup, colour, printing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from website.content_plan import Change, ContentPlan, FileChange

SHOWN = 40
"""Keys of a list that are shown on a terminal; JSON and HTML have them all."""

MARKS: Mapping[Change, str] = {"add": "+", "modify": "~", "headers": "h"}
MEANINGS: Mapping[Change, str] = {"add": "new", "modify": "changed", "headers": "other headers"}


def headline(plan: ContentPlan) -> str:
    """What is compared with what."""
    against = f"release {plan.live_number}" if plan.live else "an empty site"
    return f"content of {plan.environment}: {plan.content[:12]} from {plan.origin}, compared with {against}"


def place(plan: ContentPlan) -> str:
    """Where it goes: the bucket, or what will tell it."""
    bucket = f"s3://{plan.bucket}" if plan.bucket else "the site bucket"
    return f"{bucket}; bucket and distribution are known after {', '.join(plan.known_after)}" if plan.known_after else bucket


def ordered(plan: ContentPlan) -> list[FileChange]:
    """The changes as they are listed."""
    return sorted(plan.changes, key=lambda c: (c.change, c.key))


def legend(plan: ContentPlan) -> str:
    """Only the marks in use; empty if there are none."""
    used = {c.change for c in plan.changes}
    return ", ".join(f"{mark} {MEANINGS[change]}" for change, mark in MARKS.items() if change in used)


def size(change: FileChange) -> str:
    """Bytes, before and after where they change."""
    if change.change == "modify" and change.before_size is not None:
        return f"{change.before_size:,} -> {change.size:,} B"
    return f"{change.size:,} B"


def headers(change: FileChange) -> str:
    """What it is served with; what it was served with where only that changes."""
    if change.change == "headers":
        return f"{change.before} -> {change.content_type}; cache-control: {change.cache_control}"
    return change.cache_control


def lists(plan: ContentPlan) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(title, keys or paths) of what is there beside the changes."""
    found = (
        ("no longer part of it, stays for visitors who have the old page", plan.superseded),
        ("can be pruned (deploy.py prune)", plan.prunable),
        ("CloudFront must forget", plan.invalidations),
    )
    return tuple((title, keys) for title, keys in found if keys)


def some(keys: Iterable[str], limit: int = 5) -> str:
    """The first few, and how many there are more."""
    listed = list(keys)
    more = f" and {len(listed) - limit:,} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + more


def counts(plan: ContentPlan) -> str:
    """The numbers that are not zero, for a line that counts."""
    if not plan.has_changes:
        return "live already"
    found = Counter(c.change for c in plan.changes)
    number = (
        (found["add"], "to add"),
        (found["modify"], "to change"),
        (found["headers"], "with other headers"),
        (plan.kept, "kept"),
        (len(plan.superseded), "superseded"),
        (len(plan.prunable), "prunable"),
        (len(plan.invalidations), "paths to invalidate" if len(plan.invalidations) > 1 else "path to invalidate"),
    )
    return ", ".join(f"{count:,} {words}" for count, words in number if count) + f"; {plan.upload_size:,} bytes to send"


def lines(plan: ContentPlan) -> list[str]:
    """All of it as plain lines, for the terminal."""
    found = [headline(plan), f"  to {place(plan)}"]
    if not plan.has_changes:
        found.append("  no changes: it is live already")
    shown = ordered(plan)
    found += [f"  {MARKS[c.change]} {c.key}  {size(c)}  {headers(c)}" for c in shown[:SHOWN]]
    if len(shown) > SHOWN:
        found.append(f"    and {len(shown) - SHOWN:,} more (--json has all)")
    if plan.changes:
        found.append(f"  {legend(plan)}")
    found += [f"  {title}: {some(keys)}" for title, keys in lists(plan)]
    return found + [f"  warning: {note}" for note in plan.notes]
