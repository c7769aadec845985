"""How build.py and `python -m lint` end a run: a slip, an interrupt, a full disk, a reader that is gone; each an exit status.

In: a run, as a function. Out: its exit status, and with --json the envelope on stdout. Never: hides a defect, whose traceback must be seen.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

from assembly.envelope import Answer
from assembly.errors import Remedied
from guards import early
from guards.slips import OneValue, did_you_mean
from guards.termination import terminable
from guards.text import as_lines


class UsageError(Remedied):
    """What argparse does not take; the command that was meant, in its final form, if that is known."""


class Parser(OneValue):
    """Raises instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError`, with the option that was probably meant."""
        words = [word for word in message.split() if word.startswith("--")] if "unrecognized" in message else []
        close = [meant for word in words if (meant := did_you_mean(word, self._option_string_actions))]
        raise UsageError(message + (close[0] if close else ""))


def ended(program: str, parser: Parser, run: Callable[[], int], answer: Answer, *, machine: bool, interrupted: str = "") -> int:
    """The exit status of `run`. `interrupted` says in which state an interrupt leaves things; `machine`: --json was given."""
    status = 1
    try:
        try:
            early.ended()
            with terminable():
                status = run()
        except UsageError as error:
            told = (f"  next: {error.command}",) if error.command else ()
            print(as_lines((" ".join(parser.format_usage().split()), f"{program}: {error}", *told)), file=sys.stderr)
            answer.problem("usage", str(error))
            answer.typed += [error.command] if error.command else []
            status = 2
        except KeyboardInterrupt:
            print(f"{program}: interrupted{f'; {interrupted}' if interrupted else ''}", file=sys.stderr)
            answer.problem("interrupted", interrupted or "it was interrupted")
            status = 130
        if machine:
            print(answer.text(program, status))
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stdout = None  # the reader is gone: nothing left to flush, and what was not found out is no success
    except OSError as error:
        status = 1
        print(f"{program}: {error.filename or 'input or output'}: {error.strerror or error}", file=sys.stderr)
        sys.stdout = None  # nor is a full disk asked again
    return status
