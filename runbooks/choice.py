"""Which runbook to follow now: those whose alarms are on come first.

In: runbooks, the facts of an environment. Out: `Listed` in the order to look at them. Never: leaves one out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runbooks.facts import ON, Facts
from runbooks.text import Runbook


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One line of the list."""

    name: str
    title: str
    on: tuple[str, ...]
    """Names of its alarms that are on."""


def listed(runbooks: Iterable[Runbook], facts: Facts) -> tuple[Listed, ...]:
    """Those whose alarms are on first, each part by name."""
    found = [
        Listed(name=each.name, title=each.title, on=tuple(facts.alarm_names[a] for a in each.alarms if facts.state(a) == ON))
        for each in runbooks
    ]
    return tuple(sorted(found, key=lambda each: (not each.on, each.name)))


def lines(found: Iterable[Listed]) -> tuple[str, ...]:
    """As text."""
    found = tuple(found)
    width = max((len(each.name) for each in found), default=0)
    return tuple(f"{each.name:<{width}}  {each.title}{''.join(f'  << {alarm} is on' for alarm in each.on)}" for each in found)
