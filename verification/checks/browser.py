"""With --browser: a real Chromium has nothing to complain about."""

from __future__ import annotations

from collections.abc import Iterable

from verification.browser import PageErrors
from verification.model import NotApplicable
from verification.probe import Probe
from verification.registry import check, expect

SHOWN = 5


@check("browser.requests", "In Chromium everything that the page asks for arrives")
def _requests(probe: Probe) -> str:
    return _nothing(probe, ((seen, seen.requests) for seen in _visits(probe)))


@check("browser.policy", "In Chromium the Content-Security-Policy refuses nothing")
def _policy(probe: Probe) -> str:
    return _nothing(probe, ((seen, seen.policy) for seen in _visits(probe)))


@check("browser.console", "In Chromium the console shows no error")
def _console(probe: Probe) -> str:
    return _nothing(probe, ((seen, seen.console) for seen in _visits(probe)))


def _visits(probe: Probe) -> tuple[PageErrors, ...]:
    if not probe.target.browser:
        raise NotApplicable
    return probe.visits


def _nothing(probe: Probe, found: Iterable[tuple[PageErrors, tuple[str, ...]]]) -> str:
    told = [f"{seen.path}: {text}" for seen, texts in found for text in texts]
    more = f"; and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    return expect(not told, "; ".join(told[:SHOWN]) + more or f"nothing at {', '.join(probe.page.paths)}")
