"""Ctrl-C while the program is still being read ends it as a later one does: in words, with exit status 130, with the envelope of --json.

In: the words that were typed. Out: nothing until a signal comes; then a line, and the end of the process. Standard streams that the caller
closed (`<&-`) are open from here on: nothing is read from them, and what is written to them is gone.
Never: stays once a run has begun that answers interrupts by itself (`ended`), or imports what is slow to import: reading the program
is what takes the time.
"""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without reading all of typing
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

INTERRUPTED = 130
MESSAGE = "interrupted; nothing was changed"
ENVELOPE = """\
{
  "verb": "%s",
  "ok": false,
  "exit_status": %d,
  "problems": [
    {
      "code": "interrupted",
      "message": "%s",
      "next": [],
      "hints": []
    }
  ],
  "next": [],
  "hints": [],
  "data": null
}
"""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def begin(program: str, arguments: Sequence[str]) -> None:
    """From here on a signal to end is answered here; what the process would ignore stays ignored."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        sys.stderr.write(f"{program}: {MESSAGE}\n")
        if "--json" in arguments:
            sys.stdout.write(envelope(program, arguments))
            sys.stdout.flush()
        os._exit(INTERRUPTED)  # nothing is held yet, and an exception may be swallowed by an import

    for number in SIGNALS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, end)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # In this order each gets its own number, which no file or connection of ours may have.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115


def ended() -> None:
    """A run has begun: a signal does what it does to any Python program."""
    for number in SIGNALS:
        if getattr(signal.getsignal(number), "__module__", "") != __name__:
            continue
        if number == signal.SIGINT:
            signal.signal(number, signal.default_int_handler)
        else:
            signal.signal(number, signal.SIG_DFL)


def envelope(program: str, arguments: Sequence[str]) -> str:
    """`assembly.envelope.Envelope` of an interrupt, by hand: the json module may be what is half read."""
    typed = next(iter(arguments), "") if program == "deploy" else program
    verb = typed if typed.replace("-", "").isalnum() and typed.isascii() else ""
    return ENVELOPE % (verb, INTERRUPTED, MESSAGE)
