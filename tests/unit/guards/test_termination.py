"""Requests to end: one way for all of them, never in the middle of giving back, never one that the caller had ignored."""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from guards import termination
from guards.early import SIGNALS
from guards.termination import PATIENCE, terminable, undisturbed, unheard
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


# --- other threads ----------------------------------------------------------------------------------------------------


def in_a_thread(run: Callable[[], None]) -> list[BaseException]:
    """What it raises there."""
    raised: list[BaseException] = []

    def caught() -> None:
        try:
            run()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=caught)
    thread.start()
    thread.join()
    return raised


def test_another_thread_changes_nothing() -> None:
    """Python lets the main thread alone set a handler, and raises in any other."""

    def all_of_it() -> None:
        with terminable(), undisturbed():
            unheard()

    assert in_a_thread(all_of_it) == []
    with pytest.raises(KeyboardInterrupt), terminable():
        assert in_a_thread(all_of_it) == []
        signal.raise_signal(signal.SIGTERM)


def test_unheard_is_about_a_run_that_is_terminable_and_lasts_inside_of_it() -> None:
    before = signal.getsignal(signal.SIGTERM)
    unheard()
    assert signal.getsignal(signal.SIGTERM) == before
    with terminable():
        unheard()
        with terminable():
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)


def test_the_handlers_come_back_when_what_was_held_is_given_back() -> None:
    with pytest.raises(KeyboardInterrupt), terminable():
        inside = signal.getsignal(signal.SIGTERM)
        with undisturbed():
            assert signal.getsignal(signal.SIGTERM) != inside
        assert signal.getsignal(signal.SIGTERM) == inside
        signal.raise_signal(signal.SIGTERM)


def test_the_third_request_is_not_waited_for() -> None:
    came = 0
    with pytest.raises(KeyboardInterrupt), terminable(), undisturbed():
        for _ in range(5):
            came += 1
            signal.raise_signal(signal.SIGTERM)
    assert came == 3


# --- the end of a process -------------------------------------------------------------------------------------------


def raises(error: BaseException) -> Callable[[], int]:
    def run() -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("run", "status"),
    [
        (lambda: 0, 0),
        (lambda: 3, 3),
        (raises(SystemExit(4)), 4),
        (raises(SystemExit(None)), 0),
        (raises(SystemExit("words")), 1),
        (raises(BrokenPipeError()), 1),
    ],
)
def test_the_status_of_a_run_is_that_of_the_process_and_no_signal_changes_it(
    run: Callable[[], int], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(status: int) -> NoReturn:
        raise LookupError(status)

    monkeypatch.setattr(os, "_exit", leave)
    out = Flushed()
    monkeypatch.setattr(sys, "stdout", out)
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        with pytest.raises(SystemExit) as ended:
            termination.final(run)
        assert (ended.value.code, out.times) == (status, 1)
        for number in SIGNALS:
            with pytest.raises(LookupError, match=f"^{status}$"):
                signal.raise_signal(number)
        assert out.times == 1 + len(SIGNALS)
    finally:
        atexit.unregister(termination._handled_by)
        for number, handler in before.items():
            signal.signal(number, handler)


class Flushed(io.StringIO):
    """Counts how often."""

    times = 0

    def flush(self) -> None:
        self.times += 1


class Full(io.StringIO):
    """As a full disk."""

    def flush(self) -> None:
        raise OSError("no space")


def test_a_stream_that_takes_nothing_is_gone_and_the_other_is_flushed(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Flushed()
    monkeypatch.setattr(sys, "stdout", Full())
    monkeypatch.setattr(sys, "stderr", out)
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        with pytest.raises(SystemExit):
            termination.final(lambda: 0)
        assert (sys.stdout, sys.stderr, out.times) == (None, out, 1)
    finally:
        atexit.unregister(termination._handled_by)
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("when", ["heard", "waited for", "unheard", "called"])
def test_only_a_hang_up_takes_the_terminal_away_and_nothing_that_is_none(when: str, number: signal.Signals, tmp_path: Path) -> None:
    leader, terminal = os.openpty()
    saved = [os.dup(each) for each in range(3)]
    try:
        with (tmp_path / "file").open("w") as file:
            os.dup2(file.fileno(), 0)
        for descriptor in (1, 2):
            os.dup2(terminal, descriptor)
        before = [os.fstat(each).st_rdev for each in range(3)]
        free = os.dup(0)
        os.close(free)
        with contextlib.suppress(KeyboardInterrupt), terminable():
            if when == "unheard":
                unheard()
            with undisturbed() if when == "waited for" else contextlib.nullcontext():
                signal.raise_signal(number) if when != "called" else termination.hung_up(number)
        now = [os.fstat(each).st_rdev for each in range(3)]
        again = os.dup(0)
        os.close(again)
    finally:
        for descriptor, each in enumerate(saved):
            os.dup2(each, descriptor)
            os.close(each)
        os.close(leader)
        os.close(terminal)
    nowhere = Path(os.devnull).stat().st_rdev
    assert now == ([before[0], nowhere, nowhere] if number == signal.SIGHUP else before)
    assert again == free, "no descriptor is left open"
