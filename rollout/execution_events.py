"""Which events of a stack belong to one execution.

In: events as they come, oldest first; the execution's token; when its change set was made. Out: those that it caused.
Never: compares a time of AWS with a clock of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from aws.cloudformation.stacks import StackEvent
from aws.cloudformation.validations import ValidationEvent

_BEGUN = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "IMPORT_IN_PROGRESS"})


class ExecutionEvents:
    """The events of one execution, gathered look by look.

    They begin with the first that carries the token. Where CloudFormation tells no token, they begin with the first beginning of an
    operation since the change set was made: a change set is void once any other operation has begun. `made_at` tells when that was
    (ISO 8601, AWS's clock; empty where the change set is gone: then the latest operation counts), and is asked only if needed.
    """

    def __init__(self, token: str, made_at: Callable[[], str]) -> None:
        self._token = token
        self._made_at = made_at
        self._since: float | None = None
        self.found: list[StackEvent] = []

    def take(self, new: Iterable[StackEvent]) -> tuple[StackEvent, ...]:
        """Those of the execution among what was told since the last call."""
        told = tuple(e for e in new if e.token in ("", self._token))
        if not self.found:
            told = told[self._beginning(told) :]
        self.found += told
        return told

    def validations(self, events: Iterable[ValidationEvent]) -> tuple[ValidationEvent, ...]:
        """Those of the execution: with its token, or without any and not from before it began."""
        told = tuple(events)
        if any(e.token == self._token for e in told):
            return tuple(e for e in told if e.token == self._token)
        since = self._asked()
        return tuple(e for e in told if not e.token and (seconds(e.at) or since) >= since)

    def _beginning(self, told: tuple[StackEvent, ...]) -> int:
        for number, event in enumerate(told):
            if event.token == self._token:
                return number
        begun = [n for n, e in enumerate(told) if e.status in _BEGUN and e.physical_id == e.stack_arn]
        if not begun:
            return len(told)
        since = self._asked()
        if not since:
            return begun[-1]
        return next((n for n in begun if seconds(told[n].at) >= since), len(told))

    def _asked(self) -> float:
        if self._since is None:
            self._since = seconds(self._made_at())
        return self._since


def seconds(moment: str) -> float:
    """Seconds since the epoch; 0 for what is no time."""
    try:
        return datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return 0.0
