"""One change of the site's content: who makes it, what is told meanwhile, what came of it.

In: values. Out: `Run`, events for a `Report`, `Outcome`. Never: does any of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from guards.caller import Caller
from website.content_plan import ContentPlan
from website.releases import Release

INVALIDATION_SECONDS = 600.0
"""How long an invalidation is waited for; most end within a minute or two."""

REPLICA_SECONDS = 300.0
"""How long a release waits for its replica. S3 replicates most objects within seconds and promises nothing below 15 minutes, with
replication time control (Amazon S3 User Guide): longer than somebody who mends the site should have to wait."""


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A step begins."""

    step: str
    files: int = 0
    size: int = 0


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A file has arrived."""

    key: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Warned:
    """Something that a person must see, but that fails nothing."""

    text: str


Report = Callable[[Begun | Sent | Warned], None]


@dataclass(frozen=True, kw_only=True)
class Run:
    """Who publishes, and the world they do it in."""

    caller: Caller
    token: str
    """Of this run; nobody else has it."""
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    report: Report
    take_over: bool = False
    invalidation_seconds: float = INVALIDATION_SECONDS
    replica_seconds: float = REPLICA_SECONDS
    """In all."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of it."""

    release: Release
    plan: ContentPlan
    changed: bool
    """False: it was live already, and nothing was written."""
    invalidation: str = ""
    """Id, if there was one."""
    invalidation_done: bool = True


# --- in words ------------------------------------------------------------------------------------------------------


def step_line(event: Begun) -> str:
    """A step, in words."""
    of = f": {count(event.files, 'file')}" if event.files else ""
    return f"{event.step}{of}{f', {size(event.size)}' if event.size else ''}"


def count(number: int, noun: str) -> str:
    """ "1 file", "2 files"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(octets: int) -> str:
    """Bytes for people, in powers of 1,000."""
    value = float(octets)
    for unit in ("B", "kB", "MB"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 10 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
