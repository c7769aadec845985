"""Every check registers itself here, with its id and title.

In: functions of verification/checks/. Out: the list of them. Never: makes a check.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from verification.model import Failed
from verification.probe import Probe

Check = Callable[[Probe], str]
"""What was seen. Raises `Failed`, `Skipped`, `NotApplicable`."""

THEMES = ("dns", "tls", "http", "auth", "app", "assets", "pages", "cache", "edge", "headers", "bucket", "replica", "browser")
"""First words of the ids, in the order in which a reader wants them; one that is not listed comes last."""


@dataclass(frozen=True, kw_only=True)
class Registered:
    """One check."""

    id: str
    title: str
    check: Check


_CHECKS: list[Registered] = []


def check(identity: str, title: str) -> Callable[[Check], Check]:
    """Register the function below; `identity` is "THEME.NAME", and THEME the name of its file."""

    def register(function: Check) -> Check:
        _CHECKS.append(Registered(id=identity, title=title, check=function))
        return function

    return register


def registered() -> tuple[Registered, ...]:
    """All of them, theme by theme, within one as they stand in the file."""
    order = {theme: place for place, theme in enumerate(THEMES)}
    return tuple(sorted(_CHECKS, key=lambda each: order.get(each.id.partition(".")[0], len(THEMES))))


def expect(holds: bool, seen: str, wanted: str = "") -> str:
    """What was seen, if the promise is kept. Raises `Failed` with what was wanted as well."""
    if not holds:
        raise Failed(f"{seen} (wanted: {wanted})" if wanted else seen)
    return seen
