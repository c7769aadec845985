"""How the buckets answer: at once, late, or not at all, and what CloudFront makes of it.

In: what the caller wishes for, an origin with its time-outs, a clock. Out: a pause; the failure in words. Never: asks a bucket.

Source of attempts and time-outs: CloudFront Developer Guide, "Origin settings": a time-out is tried again as often as connections are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from preview.model import Origin


@dataclass(frozen=True, kw_only=True)
class Weather:
    """What is the matter with the buckets. Times are seconds."""

    slow: float = 0.0
    """That every answer takes longer."""
    down_after: float | None = None
    """From then on after the start nothing answers; None: it stays up."""


FAIR = Weather()


async def failure(origin: Origin, weather: Weather, elapsed: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> str:
    """Waits as long as CloudFront would; why there is no answer, or "" if there is one."""
    if weather.down_after is not None and elapsed() >= weather.down_after:
        await sleep(origin.connection_attempts * origin.connection_timeout)
        return f"no connection in {origin.connection_attempts} attempts of {origin.connection_timeout} s"
    if weather.slow > origin.read_timeout:
        await sleep(origin.connection_attempts * origin.read_timeout)
        return f"no answer in {origin.connection_attempts} attempts of {origin.read_timeout} s"
    if weather.slow:
        await sleep(weather.slow)
    return ""
