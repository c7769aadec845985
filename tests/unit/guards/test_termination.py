"""Requests to end: one way for all of them, never in the middle of giving back, never one that the caller had ignored."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import NoReturn

import pytest

from guards import termination
from guards.termination import PATIENCE, SIGNALS, terminable, undisturbed, unheard
from session.context import ROOT

EACH = pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    assert {number: signal.getsignal(number) for number in SIGNALS} == before, "as they were"


@EACH
def test_each_signal_is_an_interrupt(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), terminable():
        signal.raise_signal(number)


@EACH
def test_what_the_caller_ignored_is_not_heard(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with terminable(), undisturbed():
            assert number not in termination.heard() and len(termination.heard()) == len(SIGNALS) - 1
            signal.raise_signal(number)
    finally:
        signal.signal(number, before)


@EACH
def test_what_is_given_back_is_given_back_first(number: signal.Signals) -> None:
    done = False
    with pytest.raises(KeyboardInterrupt), terminable(), undisturbed():
        for _ in range(PATIENCE - 1):
            signal.raise_signal(number)
        done = True
    assert done


def test_who_insists_leaves_at_once() -> None:
    asked: list[int] = []
    with pytest.raises(KeyboardInterrupt), terminable(), undisturbed():
        while True:
            asked.append(1)
            signal.raise_signal(signal.SIGINT)
    assert len(asked) == PATIENCE


def failing() -> NoReturn:
    try:
        raise ValueError("the cause")
    finally:
        with undisturbed():
            signal.raise_signal(signal.SIGTERM)


def test_an_error_on_its_way_is_not_replaced() -> None:
    with pytest.raises(ValueError, match="the cause"), terminable():
        failing()


def test_once_it_is_known_how_a_run_ended_nothing_is_heard_inside_of_another_too() -> None:
    with terminable():
        with terminable():
            unheard()
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), terminable():
        signal.raise_signal(signal.SIGTERM)


CHILD = textwrap.dedent(
    """
    import fcntl, os, signal, sys, termios
    from guards.termination import final, terminable
    if os.isatty(0):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    try:
        with terminable():
            print("begun", flush=True)
            os.read(int(sys.argv[1]), 1)
    except KeyboardInterrupt:
        print("said to nobody", flush=True)
        os.write(int(sys.argv[2]), b"given back")
    class Late:
        def __del__(self, kill=os.kill, me=os.getpid(), number=signal.SIGINT):
            kill(me, number)
    sys.late = Late()
    if sys.argv[3] == "late":
        import atexit
        atexit.register(os.kill, os.getpid(), signal.SIGTERM)
        sys.stdout.write("told")
    final(lambda: 7)
    """
)


@pytest.mark.parametrize("moment", ["late", "later"])
def test_a_status_that_is_known_is_the_status(moment: str) -> None:
    """Also where Python takes itself apart."""
    ended = subprocess.run(
        [sys.executable, "-c", CHILD, "0", "1", moment], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (7, "begun\ntold" if moment == "late" else "begun\n", "")


def test_a_terminal_that_is_closed_ends_it_in_order() -> None:
    terminal, inside = os.openpty()
    (waits, keeps), (hears, says) = os.pipe(), os.pipe()
    command = [sys.executable, "-c", CHILD, str(waits), str(says), "later"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=inside, stdout=inside, stderr=inside, start_new_session=True, pass_fds=(waits, says)
    ) as child:
        for ours in (inside, waits, says):
            os.close(ours)
        said = b""
        while not said.endswith(b"\n"):
            said += os.read(terminal, 100)
        os.close(terminal)
        found = os.read(hears, 100), child.wait()
    assert (said, found) == (b"begun\r\n", (b"given back", 7))
    os.close(keeps)
    os.close(hears)
