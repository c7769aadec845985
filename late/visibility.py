"""What is new, for whom, and for how long; which answers are still the old ones.

In: a seed, the longest delay in seconds, a clock; what was made, and what is asked. Out: whether it is to be seen yet.
Never: hides anything for longer than the longest delay.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

Reply = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""

UNSEEN_ODDS = 0.7
"""How often something new is not to be seen as long as it may be hidden: AWS has many replicas, and the next one asked may know it."""
STALE_ODDS = 0.5


@dataclass(frozen=True)
class Identity:
    """Something with an identity: its kind (mostly a resource type), its account, its name or ARN."""

    kind: str
    account: str
    name: str


@dataclass(frozen=True)
class _Creation:
    at: float
    number: int
    """The how manieth of its kind: what the delay follows from, since names are random."""
    maker: str


@dataclass
class _Answered:
    mark: bytes
    answer: Reply
    until: float = 0.0


class Visibility:
    """One late AWS. May be used from any thread."""

    def __init__(
        self, seed: str, seconds: float, now: Callable[[], float] = time.monotonic, *, only: str = "", hidden: Callable[[], bool] = bool
    ) -> None:
        """With `only` things of that kind are late, no look sees them while they are `hidden`, and nothing else is late."""
        self._seed, self._seconds, self._now, self._only, self._hidden = seed, seconds, now, only, hidden
        self._random = random.Random(seed)  # noqa: S311
        self._lock = threading.Lock()
        self._creations: dict[Identity, _Creation] = {}
        self._numbers: Counter[str] = Counter()
        self._told: dict[tuple[str, ...], _Answered] = {}
        self._changed: dict[str, float] = {}

    def made(self, thing: Identity, maker: str = "") -> None:
        """It is there from now on; `maker` is the stack that made it."""
        with self._lock:
            self._creations[thing] = _Creation(self._now(), self._numbers[thing.kind], maker)
            self._numbers[thing.kind] += 1

    def gone(self, thing: Identity) -> None:
        """It was deleted."""
        with self._lock:
            self._creations.pop(thing, None)

    def maker(self, thing: Identity) -> str:
        """The stack that made it; "" if it was none, or is not new."""
        creation = self._creations.get(thing)
        return creation.maker if creation else ""

    def hides(self, thing: Identity, reader: str = "", odds: float = UNSEEN_ODDS) -> bool:
        """Whether `reader` (a region or service) does not see it yet. Each reader has a delay of its own."""
        with self._lock:
            creation = self._creations.get(thing)
            if creation is None or self._only:
                return creation is not None and self._only == thing.kind and self._hidden()
            delay = random.Random(f"{self._seed}:{thing.kind}:{creation.number}:{reader}").uniform(0, self._seconds)  # noqa: S311
            return self._now() < creation.at + delay and self._random.random() < odds

    def changed(self, about: str) -> None:
        """Something of that service, or of that stack, is different from now on."""
        with self._lock:
            self._changed[about] = self._now()

    def told(self, question: tuple[str, ...], mark: bytes, fresh: Reply, about: str) -> Reply:
        """What is answered: the present answer, or for a while after it has changed the one before it. `mark` tells answers apart."""
        with self._lock:
            before = self._told.get(question)
            if before is None or before.mark == mark or self._only:
                self._told[question] = _Answered(mark, fresh)
                return fresh
            if not before.until:
                before.until = self._changed.get(about, 0.0) + self._random.uniform(0, self._seconds)
            if self._now() >= before.until:
                self._told[question] = _Answered(mark, fresh)
                return fresh
            return before.answer if self._random.random() < STALE_ODDS else fresh
