"""Does the live site do what the environment's contract says? Asked from outside, the way a visitor's browser asks.

In: a `Target` (the contract, where to connect, a password if there is one).
Out: one `Result` a promise: kept, broken, or not looked at, and what was seen.
Never: changes anything at the site, raises for what a site or a network does wrong: that is a result.

A check that cannot be made (no password, a preview without DNS) is skipped and says why; it never passes.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import dns.exception
import httpx

from verification.model import Failed, NotApplicable, Result, Skipped, Status, Target
from verification.probe import Probe
from verification.registry import Registered, registered

_PACKAGE = "verification.checks"

for _module in pkgutil.iter_modules([str(Path(__file__).parent / "checks")]):
    importlib.import_module(f"{_PACKAGE}.{_module.name}")


def verify(target: Target, *, now: Callable[[], datetime], report: Callable[[Result], None] = lambda _: None) -> tuple[Result, ...]:
    """Make every check, in the order of the table."""
    results = []
    with Probe(target, now) as probe:
        for each in registered():
            result = made(each, probe)
            if result is not None:
                results.append(result)
                report(result)
    return tuple(results)


def checks() -> tuple[tuple[str, str], ...]:
    """Id and title of every check."""
    return tuple((each.id, each.title) for each in registered())


def made(each: Registered, probe: Probe) -> Result | None:
    """Make one check; None for a promise that the environment does not make."""
    give = ""
    try:
        status: Status = "passed"
        detail = each.check(probe)
    except NotApplicable:
        return None
    except Skipped as reason:
        status, detail, give = "skipped", str(reason), reason.give
    except Failed as reason:
        status, detail = "failed", str(reason)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, dns.exception.DNSException, ValueError) as error:
        status, detail = "failed", _words(error)
    return Result(id=each.id, title=each.title, status=status, detail=detail, give=give)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
