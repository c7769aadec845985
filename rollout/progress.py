"""What happens during an apply, as values: events in, the state of every stack out.

In: events from worker threads, in any order between stacks. Out: `ApplyProgress`, which any view draws from.
Never: renders, prints, reads a clock (every event carries its moment, in seconds since the epoch).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

_STACK_TYPE = "AWS::CloudFormation::Stack"


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """Base of all; `stack` is the assembly's id, empty for what is about no single stack."""

    at: float
    stack: str = ""


class Started(Event, frozen=True, kw_only=True, tag="started"):
    """Execution on a stack begins, or goes on where an earlier apply was cut off."""

    operation: str
    resources: int
    """Resources that will change; for a StackSet instances that will."""
    expected_seconds: float | None = None
    """From earlier runs."""
    resumed: bool = False


class Resource(Event, frozen=True, kw_only=True, tag="resource"):
    """CloudFormation reports on one resource, or a StackSet on one instance."""

    logical_id: str
    resource_type: str
    status: str
    reason: str = ""


class Instances(Event, frozen=True, kw_only=True, tag="instances"):
    """How many instances of a StackSet are in which state, over all operations of the plan."""

    total: int
    counts: dict[str, int]
    """By result status: PENDING, RUNNING, SUCCEEDED, FAILED, CANCELLED."""


class Note(Event, frozen=True, kw_only=True, tag="note"):
    """Something that a person should know."""

    text: str


class Finished(Event, frozen=True, kw_only=True, tag="finished"):
    """Execution on a stack has ended."""

    result: str
    """succeeded, unchanged, failed, running (it goes on at AWS), not_started."""
    status: str = ""
    seconds: float = 0.0


RATE_OVER = 20
"""Readings that the rate is told from."""

Report = Callable[[Event], None]


@dataclass(kw_only=True)
class Line:
    """The state of one stack."""

    stack: str
    operation: str = ""
    total: int = 0
    done: set[str] = field(default_factory=set)
    current: str = ""
    started: float | None = None
    ended: float | None = None
    expected_seconds: float | None = None
    result: str = ""
    status: str = ""
    seconds: float = 0.0
    rolling_back: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    """StackSet: instances by status."""
    progress: list[tuple[float, int]] = field(default_factory=list)
    """StackSet: (moment, instances done) of the last readings."""

    @property
    def finished(self) -> int:
        """Resources or instances that are done, whether well or not."""
        waiting = self.counts.get("PENDING", 0) + self.counts.get("RUNNING", 0)
        return sum(self.counts.values()) - waiting if self.counts else len(self.done)

    @property
    def rate(self) -> float:
        """Instances a second of late; 0 where it cannot be told yet."""
        if len(self.progress) < 2:
            return 0.0
        (first, before), (last, after) = self.progress[0], self.progress[-1]
        return (after - before) / (last - first) if last > first else 0.0

    @property
    def remaining_seconds(self) -> float | None:
        """At the rate of late; None where it cannot be told."""
        return (self.total - self.finished) / self.rate if self.rate > 0 and self.total > self.finished else None

    def elapsed(self, now: float) -> float:
        """Seconds so far, or in all."""
        return 0.0 if self.started is None else self.seconds or max(0.0, (self.ended or now) - self.started)


class ApplyProgress:
    """The state of every stack; may be told from any thread."""

    def __init__(self, stacks: tuple[str, ...]) -> None:
        self._guard = threading.Lock()
        self.lines = {stack: Line(stack=stack) for stack in stacks}

    def tell(self, event: Event) -> None:
        """Take an event in."""
        with self._guard:
            line = self.lines.get(event.stack)
            if line is None:
                return
            match event:
                case Started():
                    line.operation, line.total, line.started = event.operation, event.resources, event.at
                    line.expected_seconds = event.expected_seconds
                case Resource():
                    _resource(line, event)
                case Instances():
                    line.counts, line.total = dict(event.counts), event.total
                    line.progress = [*line.progress[-(RATE_OVER - 1) :], (event.at, line.finished)]
                case Finished():
                    line.result, line.status, line.ended, line.seconds = event.result, event.status, event.at, event.seconds
                    line.current = ""


def _resource(line: Line, event: Resource) -> None:
    if event.resource_type == _STACK_TYPE:
        line.rolling_back = line.rolling_back or "ROLLBACK" in event.status
        return
    if event.status.endswith("_IN_PROGRESS") or event.status in ("RUNNING", "PENDING"):
        line.current = event.logical_id
    else:
        if event.status.endswith("_COMPLETE") or event.status == "SUCCEEDED":
            line.done.add(event.logical_id)
        if line.current == event.logical_id:
            line.current = ""
