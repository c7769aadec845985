"""A pytest plugin that takes from tests what a fast, idle machine gives them (`make steady`).

In: STEADY in the environment, some of `slow` (every request of the test's own clients waits up to half a second), `freeze` (the
test, or a process below it such as a local AWS, stands still for up to two seconds, again and again), `midnight` (every test begins ten
milliseconds before the end of STEADY_DAY; needs the library made of `steady.c`), `reverse` (the last test first); STEADY_SEED.
Out: a test that is red here and green without depends on time or order. Never: part of a usual run.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import urllib3

ASKED = frozenset(filter(None, os.environ.get("STEADY", "").split(",")))
SEED = int(os.environ.get("STEADY_SEED", "1"))
DAY = os.environ.get("STEADY_DAY", "2028-02-29")
CLOCK = os.environ.get("STEADY_CLOCK", "")
"""Says how far the clock is from the true one, to this process and all below."""
AT_REST = ("T", "t", "Z", "X")
"""States of /proc/PID/stat of those that a test has stopped itself, or that have ended: proc(5)."""


FROZEN: list[int] = []


def pytest_unconfigure() -> None:
    """Nobody is left standing still."""
    for victim in FROZEN[-1:]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGCONT)


def pytest_report_header() -> str:
    return f"steady: {', '.join(sorted(ASKED)) or 'nothing asked for (STEADY)'}, seed {SEED}"


def pytest_configure() -> None:
    chosen = random.Random(SEED)
    if "slow" in ASKED:
        _slow_requests(chosen)
    if "freeze" in ASKED:
        threading.Thread(target=_freeze, args=(chosen,), daemon=True).start()
    if "midnight" in ASKED and not CLOCK:
        raise pytest.UsageError("STEADY=midnight needs LD_PRELOAD and STEADY_CLOCK: see steady.c")
    if "midnight" in ASKED:
        _hand_on("LD_PRELOAD", "STEADY_CLOCK")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "reverse" in ASKED:
        items.reverse()


def _hand_on(*names: str) -> None:
    """To processes that are given an environment of their own, too."""
    begin: Any = subprocess.Popen.__init__

    def begun(*arguments: Any, env: Any = None, **named: Any) -> None:
        begin(*arguments, env=env and {**env, **{name: os.environ[name] for name in names}}, **named)

    vars(subprocess)["Popen"].__init__ = begun


def _slow_requests(chosen: random.Random) -> None:
    pool: Any = urllib3.connectionpool.HTTPConnectionPool
    request = pool.urlopen

    def slowed(*arguments: Any, **named: Any) -> Any:
        time.sleep(chosen.uniform(0, 0.5))
        return request(*arguments, **named)

    pool.urlopen = slowed


def _freeze(chosen: random.Random) -> None:
    while True:
        time.sleep(chosen.uniform(0.1, 1.0))
        victim, seconds = chosen.choice([os.getpid(), *sorted(_below(os.getpid()))]), chosen.uniform(0.3, 2.0)
        if victim == os.getpid():
            # PyDLL keeps the interpreter's lock: no thread of the test goes on.
            ctypes.PyDLL(None).usleep(int(seconds * 1e6))
            continue
        with contextlib.suppress(ProcessLookupError):
            FROZEN.append(victim)
            os.kill(victim, signal.SIGSTOP)
            time.sleep(seconds)
            os.kill(victim, signal.SIGCONT)


def _below(ancestor: int) -> set[int]:
    """Who descends from that process and runs or waits."""
    parents = {}
    for each in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent, *_ = each.read_text().rpartition(")")[2].split()
            if state not in AT_REST:
                parents[int(each.parent.name)] = int(parent)
    found: set[int] = set()
    while more := {each for each, parent in parents.items() if parent == ancestor or parent in found} - found:
        found |= more
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    _clock(10)
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call() -> Iterator[None]:
    _clock(0.01)
    return (yield)


def _clock(before_midnight: float) -> None:
    """That many seconds before the day ends, where the machine is."""
    if "midnight" not in ASKED:
        return
    apart = int.from_bytes(Path(CLOCK).read_bytes(), sys.byteorder, signed=True)
    wanted = datetime.fromisoformat(f"{DAY}T23:59:59").astimezone().timestamp() + 1 - before_midnight
    apart += int((wanted - time.time()) * 1e9)
    with Path(CLOCK).open("r+b") as file:
        file.write(apart.to_bytes(8, sys.byteorder, signed=True))
