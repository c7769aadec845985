"""How long a call to AWS may take, and which services and regions have just shown that they do not answer.

In: what became of calls, by service and region; a clock. Out: whether the next call is worth asking, and how long it may take.
Never: asks anybody; holds a place for lost for longer than `QUIET_LIMIT` without another try; knows what a call is about.

Without it a region that is lost costs every single call its retries: half a minute each where it refuses, eight minutes where it is silent.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

CALL_SECONDS = 75.0
"""No new attempt of a call begins so long after its first; throttled calls, which are tried longest, take some 70 seconds at most."""
SILENCES = 2
"""Attempts of a call that get no answer at all until they time out; there is no further one. One alone may be a connection that died."""
QUIET_SECONDS, QUIET_LIMIT = 20.0, 60.0
"""So long a place that did not answer is not asked again; with each time that it is asked in vain longer, up to the limit."""
HURRY_SECONDS = 5.0
"""As `CALL_SECONDS`, where another service of the region has just not answered, or this one when it was asked last."""
SERVICES = 2
"""So many services of a region that do not answer, and none that does, are taken for the whole region."""


def wished_attempts(environ: Mapping[str, str], otherwise: int) -> int:
    """AWS_MAX_ATTEMPTS, as every SDK of AWS takes it (AWS SDKs and Tools Reference Guide, "Retry behavior"); 20 at most."""
    wished = environ.get("AWS_MAX_ATTEMPTS", "")
    return min(int(wished), 20) or otherwise if wished.isascii() and wished.isdecimal() else otherwise


class CircuitOpen(Exception):
    """A place that is not asked, or not once more: it has not answered a moment ago."""

    def __init__(self, words: str, *, asked: bool) -> None:
        super().__init__(words)
        self.asked = asked


@dataclass(frozen=True)
class _Missed:
    at: float
    words: str
    times: int = 1
    """In a row."""


@dataclass
class _Call:
    region: str
    service: str
    begun: float
    seconds: float
    attempts: int = 0
    silences: int = 0


class CircuitBreaker:
    """One run's, for all its clients; may be used from any thread."""

    def __init__(self, now: Callable[[], float] = time.monotonic, *, quiet: float = QUIET_SECONDS) -> None:
        self._now = now
        self._quiet = quiet
        self._lock = threading.Lock()
        self._missed: dict[tuple[str, str], _Missed] = {}
        self._heard: dict[str, float] = {}
        self._call = threading.local()
        self.tell: Callable[[str], None] = lambda _: None
        """Is told what is waited for, where it takes long."""

    def missed(self, region: str, service: str, words: str) -> None:
        """A call has ended without an answer, or with one of the kind that says that the service is down."""
        with self._lock:
            before = self._missed.get((region, service))
            self._missed[region, service] = _Missed(self._now(), words, before.times + 1 if before else 1)

    def heard(self, region: str, service: str) -> None:
        """A call was answered, with whatever."""
        with self._lock:
            self._missed.pop((region, service), None)
            self._heard[region] = self._now()

    @contextmanager
    def calling(self, region: str, service: str) -> Iterator[None]:
        """Around one call with all its attempts. Raises `CircuitOpen` if it is not worth asking."""
        known, missed, others = self._state(region, service)
        gone = missed or (others[0] if len(others) >= SERVICES else None)
        if gone is not None:
            raise CircuitOpen(f"{region} gave no answer a moment ago, and was not asked again ({gone.words})", asked=False)
        outer = getattr(self._call, "now", None)
        self._call.now = _Call(region, service, self._now(), HURRY_SECONDS if known or others else CALL_SECONDS)
        try:
            yield
        finally:
            self._call.now = outer  # credentials are fetched in the middle of the call that needs them

    def attempt(self) -> None:
        """Before each attempt of the thread's call. Raises `CircuitOpen` if there have been enough."""
        call: _Call | None = getattr(self._call, "now", None)
        if call is None:
            return
        lasted = self._now() - call.begun
        if call.attempts and (lasted >= call.seconds or call.silences >= SILENCES):
            raise CircuitOpen(f"no answer within {lasted:.0f} seconds", asked=True)
        if call.silences:
            self.tell(f"{call.region} ({call.service}) has not answered for {lasted:.0f} s, and is asked once more")
        call.attempts += 1

    def silent(self) -> None:
        """The attempt of the thread's call got no answer until it timed out."""
        call: _Call | None = getattr(self._call, "now", None)
        if call is not None:
            call.silences += 1

    def _state(self, region: str, service: str) -> tuple[bool, _Missed | None, list[_Missed]]:
        """Whether the service did not answer last; what was missed of it, and of the region's others since any of them was heard, lately.

        What other services of the region do not answer meanwhile keeps it quiet: they are as lost.
        """
        with self._lock:
            now = self._now()
            there = {place[1]: missed for place, missed in self._missed.items() if place[0] == region}
            heard = self._heard.get(region, float("-inf"))
            last = max((missed.at for missed in there.values() if missed.at > heard), default=float("-inf"))
            recent = {
                name: missed
                for name, missed in there.items()
                if now - (max(last, missed.at) if missed.at > heard else missed.at) < self._quiet_of(missed)
            }
            others = [missed for name, missed in recent.items() if name != service and missed.at > heard]
            return service in there, recent.get(service), others

    def _quiet_of(self, missed: _Missed) -> float:
        return min(self._quiet * missed.times, max(self._quiet, QUIET_LIMIT))
