"""How the buckets answer: at once, late, or not at all, and what CloudFront makes of it.

In: what the caller wishes for, an origin with its time-outs, a clock. Out: a pause; the failure in words. Never: asks a bucket.

Source of attempts and time-outs: CloudFront Developer Guide, "Origin settings": a time-out is tried again as often as connections are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from preview.model import Origin, OriginGroup


@dataclass(frozen=True, kw_only=True)
class OriginFaults:
    """What is the matter with the buckets. Times are seconds."""

    slow: float = 0.0
    """That every answer takes longer."""
    down_after: float | None = None
    """From then on after the start nothing answers; None: it stays up."""
    status: int | None = None
    """What a bucket that is down answers instead of nothing."""
    first_only: bool = False
    """Whether the second member of an origin group stays well."""


NO_FAULTS = OriginFaults()


def spared(faults: OriginFaults, groups: Iterable[OriginGroup], origin: Origin) -> bool:
    """Whether it is the second of its group, and those are well."""
    return faults.first_only and any(origin.id in group.members[1:] for group in groups)


async def failure(
    origin: Origin, faults: OriginFaults, elapsed: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
) -> tuple[int, str]:
    """Waits as long as CloudFront would; the status that comes of it and why, or "" if the bucket is to be asked."""
    down = faults.down_after is not None and elapsed() >= faults.down_after
    if down and faults.status:
        return faults.status, f"answers {faults.status}"
    trouble = await _silence(origin, faults, down, sleep)
    return 504, trouble


async def _silence(origin: Origin, faults: OriginFaults, down: bool, sleep: Callable[[float], Awaitable[None]]) -> str:
    if down:
        await sleep(origin.connection_attempts * origin.connection_timeout)
        return f"no connection in {origin.connection_attempts} attempts of {origin.connection_timeout} s"
    if faults.slow > origin.read_timeout:
        await sleep(origin.connection_attempts * origin.read_timeout)
        return f"no answer in {origin.connection_attempts} attempts of {origin.read_timeout} s"
    if faults.slow:
        await sleep(faults.slow)
    return ""
