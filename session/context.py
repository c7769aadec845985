"""What every verb is given: the outside world, the exit statuses, and the error that ends a verb.

In: streams, environment, clock. Out: results on stdout, progress and remarks on stderr. Never: knows a verb.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from assembly import commands
from assembly.envelope import CODES, Answer
from guards.stream import filtered
from guards.text import as_lines
from review.next_command import NextCommand
from review.wrapping import wrapped

OK, FAILED, USAGE, PENDING, INCOMPLETE, INTERRUPTED = 0, 1, 2, 3, 4, 130
ROOT = Path(__file__).resolve().parent.parent


class CommandError(Exception):
    """What stops a verb: the problems, one a line; what to type next; the exit status."""

    def __init__(self, *problems: str, command: str = "", status: int = FAILED, code: str = "") -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.command = command
        self.status = status
        self.code = code
        """Stable name for machines; by the exit status where it is empty."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """The outside world, as a verb sees it. Whatever streams are handed in, everything printed goes through `guards.stream`."""

    stdin: TextIO = field(default_factory=lambda: sys.stdin)
    stdout: TextIO = field(default_factory=lambda: sys.stdout)
    stderr: TextIO = field(default_factory=lambda: sys.stderr)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    token_hex: Callable[[int], str] = secrets.token_hex
    root: Path = ROOT
    """The checkout: `.local-aws/` lies here."""
    next_command: NextCommand = field(default_factory=NextCommand)
    """What is printed passes through it: there the commands in it get the form in which they can be pasted."""
    quiet: bool = False
    """No progress on stderr: results, questions, warnings, errors and next commands only."""
    verbose: bool = False
    """With every call to AWS on stderr."""
    answer: Answer = field(default_factory=Answer)
    """What `--json` prints when the verb ends."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "stdout", filtered(self.stdout))
        object.__setattr__(self, "stderr", filtered(self.stderr))

    def colour(self, stream: TextIO) -> bool:
        """Whether to colour what goes there: only a terminal, never against NO_COLOR or on a dumb terminal. https://no-color.org"""
        return bool(stream.isatty()) and not self.environ.get("NO_COLOR") and self.environ.get("TERM") != "dumb"

    def width(self) -> int:
        """Columns of the terminal, else of COLUMNS, else 100."""
        columns = self.environ.get("COLUMNS", "")
        if columns.isdecimal() and int(columns) > 0:
            return int(columns)
        try:
            return os.get_terminal_size(self.stdout.fileno()).columns
        except (OSError, ValueError):
            return 100

    def timestamp(self) -> str:
        """Now, ISO 8601 in UTC, whole seconds."""
        return self.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def result(self, text: str) -> None:
        """A result, to stdout. Of several lines it is made with `guards.text.as_lines`."""
        self._write_result(self._fitting(self.next_command.in_text(text), self.stdout))

    def data(self, value: Any) -> None:
        """The result for machines, any value of ours: the `data` of the envelope that is printed when the verb ends."""
        self.answer.data = value

    def answers(self, value: Any, text: str, *, machine: bool) -> None:
        """The result in one of its two forms: a value for machines, with the next commands that the text tells, or the text for people."""
        if machine:
            self.answer.data = value
            self.answer.take(text)
        else:
            self.result(text)

    def problem(self, code: str, message: str, command: str = "") -> None:
        """For machines: one thing that stands in the way. People read it in the verb's own words."""
        self.answer.problem(code, message, command)

    def failed(self, error: CommandError) -> None:
        """The same, for an error that ends the verb; what to do stands with its last problem."""
        code = error.code or CODES.get(error.status) or "failed"
        for number, each in enumerate(error.problems, 1):
            self.problem(code, each, error.command if number == len(error.problems) else "")

    def write_answer(self, verb: str, status: int, *, compact: bool = False) -> None:
        """The envelope, to stdout, once; `compact`: on one line."""
        if self.answer.done:
            return
        import msgspec

        text = self._json(self.next_command.in_envelope(msgspec.to_builtins(self.answer.envelope(verb, status))), compact=compact)
        self.answer.done = True  # not before: an interrupt until here still gets its envelope
        self._write_result(text)

    def _json(self, value: Any, *, compact: bool) -> str:
        return json.dumps(self.next_command.in_value(value), indent=None if compact else 2, ensure_ascii=False)

    def document(self, text: str) -> None:
        """A result that is read elsewhere too (HTML, Markdown, a plan), to stdout, as it is."""
        self._write_result(text)

    def say(self, text: str) -> None:
        """Progress or a remark, to stderr: one line, whatever is in it."""
        self.stderr.write(self._fitting(as_lines((self.next_command.in_text(text),)), self.stderr) + "\n")
        self.stderr.flush()

    def say_next(self, command: str) -> None:
        """What to do next, to stderr: a line for each command, and for each hint in prose."""
        self.answer.steps.append(command)
        for line in commands.told(command):
            self.say(f"  {line}")

    def _fitting(self, text: str, stream: TextIO) -> str:
        """On a terminal, in lines that fit; elsewhere a line stays a line."""
        return wrapped(text, self.width()) if stream.isatty() else text

    def _write_result(self, text: str) -> None:
        self.stdout.write(text if text.endswith("\n") else text + "\n")
        self.stdout.flush()
