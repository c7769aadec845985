"""Ctrl-C while the program is still being read ends it as a later one does: in words, with exit status 130, with the envelope of --json.

In: the words that were typed. Out: nothing until a signal comes; then a line, and the end of the process.
Never: stays after the program is read (`ended`), or imports what is slow to import: reading the program is what takes the time.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

INTERRUPTED = 130
MESSAGE = "interrupted; nothing was changed"
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def begin(program: str, arguments: Sequence[str]) -> None:
    """From here on a signal to end is answered here; what the process would ignore stays ignored."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        sys.stderr.write(f"{program}: {MESSAGE}\n")
        if "--json" in arguments:
            sys.stdout.write(json.dumps(envelope(program, arguments), indent=2) + "\n")
            sys.stdout.flush()
        os._exit(INTERRUPTED)  # nothing is held yet, and an exception may be swallowed by an import

    for number in SIGNALS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, end)


def ended() -> None:
    """The program is read: a signal does what it does to any Python program."""
    for number, usual in zip(SIGNALS, (signal.default_int_handler, signal.SIG_DFL), strict=True):
        if getattr(signal.getsignal(number), "__module__", "") == __name__:
            signal.signal(number, usual)


def envelope(program: str, arguments: Sequence[str]) -> dict[str, object]:
    """`assembly.envelope.Envelope` of an interrupt, without what is slow to import."""
    verb = next(iter(arguments), "") if program == "deploy" else program
    problem = {"code": "interrupted", "message": MESSAGE, "next": [], "hints": []}
    return {"verb": verb, "ok": False, "exit_status": INTERRUPTED, "problems": [problem], "next": [], "hints": [], "data": None}
