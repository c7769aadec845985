"""A request to end ends every run as Ctrl-C does: what it holds (a lock, a claim, a change set) is given back.

In: SIGINT; SIGTERM, which `kill`, a container and a CI runner send; SIGHUP, which comes when a terminal is closed or the connection to it
is lost. Out: KeyboardInterrupt in the main thread, and at no moment at which it would do harm.
Never: hears what the caller had ignored (nohup), or changes anything in another thread.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from guards.early import SIGNALS

PATIENCE = 3
"""So many requests while something is given back, and it is left."""


@contextmanager
def terminable() -> Iterator[None]:
    """Inside, each signal raises KeyboardInterrupt, until `unheard`. Inside of another it is that one."""
    if not _main() or _any(_interrupt) or _any(_unheard):
        yield
        return
    before = _handled_by(_interrupt)
    try:
        yield
    finally:
        _restore(before)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Inside, a signal waits until the block has ended: for giving back what is held, which AWS's time-outs bound. An error that is on its
    way is not replaced by the interrupt.
    """
    if not _main():
        yield
        return
    came: list[int] = []

    def wait(number: int, frame: FrameType | None) -> None:
        hung_up(number)
        came.append(number)
        if len(came) >= PATIENCE:
            _interrupt(number, frame)

    failing, before = sys.exc_info()[0] is not None, _handled_by(wait)
    try:
        yield
    finally:
        _restore(before)
    if came and not failing:
        raise KeyboardInterrupt


def unheard() -> None:
    """What happened is known, and what is left is to say it. Until the end of `terminable`."""
    if _main() and _any(_interrupt):
        _handled_by(_unheard)


def final(run: Callable[[], int]) -> NoReturn:
    """End the process with the status of a run, which no signal changes any more, nor a stream that takes nothing."""
    try:
        status = run()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except OSError:
        status = 1  # what was to be said of it could not be said either

    def leave(_: int, __: FrameType | None) -> None:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        os._exit(status)

    _handled_by(leave)
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except (OSError, ValueError, AttributeError):
            setattr(sys, name, None)
    # Python takes its handlers away before it has come to its end.
    atexit.register(_handled_by, signal.SIG_IGN)
    sys.exit(status)


def heard() -> tuple[signal.Signals, ...]:
    """Those that the caller has not ignored, for an event loop that answers them itself (with `hung_up`)."""
    return tuple(number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN)


def _main() -> bool:
    return threading.current_thread() is threading.main_thread()


def _any(handler: Callable[[int, FrameType | None], None]) -> bool:
    return any(signal.getsignal(number) == handler for number in SIGNALS)


def _interrupt(number: int, _: FrameType | None) -> None:
    hung_up(number)
    raise KeyboardInterrupt


def _unheard(number: int, _: FrameType | None) -> None:
    """A handler, not SIG_IGN: that would be inherited by the processes that are started."""
    hung_up(number)


def hung_up(number: int) -> None:
    """After SIGHUP nothing is said to the terminal, which would be an error (EIO) in the middle of whatever is done."""
    if number != signal.SIGHUP:
        return
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        with contextlib.suppress(OSError):
            if stat.S_ISCHR(os.fstat(standard).st_mode):
                os.dup2(nowhere, standard)
    os.close(nowhere)


def _handled_by(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> dict[int, Any]:
    """The handlers before. What is ignored stays ignored."""
    before: dict[int, Any] = {number: signal.getsignal(number) for number in SIGNALS}
    for number, was in before.items():
        if was != signal.SIG_IGN:
            signal.signal(number, handler)
    return before


def _restore(before: dict[int, Any]) -> None:
    for number, was in before.items():
        if was is not None:
            signal.signal(number, was)
