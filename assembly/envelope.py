"""The one form of everything that `--json` prints, whichever program and verb: an envelope.

In: what a run has to tell, its exit status. Out: the envelope as a value; docs/json-schema.json describes it.
Never: prints, knows a verb's data.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from assembly import commands

CODES = {0: "", 1: "failed", 2: "usage", 3: "", 4: "incomplete", 130: "interrupted"}
"""Exit status to the code of a problem that has no code of its own; none where nothing went wrong."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that stands in the way."""

    code: str
    """Stable name for machines: "usage", "stale", "AccessDenied" ..."""
    message: str
    next: tuple[str, ...] = ()
    """Commands that can be pasted as they stand, in their order."""
    hints: tuple[str, ...] = ()
    """What else helps, in prose."""


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """What `--json` prints, on stdout, once."""

    verb: str
    """The verb of deploy.py, "build" or "lint"; what was typed, where there is no such verb."""
    ok: bool
    """The exit status is 0 or 3."""
    exit_status: int
    problems: tuple[Problem, ...] = ()
    """At least one where `ok` is false."""
    next: tuple[str, ...] = ()
    """Commands to go on with, as they can be pasted."""
    hints: tuple[str, ...] = ()
    data: Any = None
    """By verb; null where the run did not come that far."""


@dataclass
class Answer:
    """What a run has to tell machines, collected until it ends."""

    data: Any = None
    problems: list[Problem] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    """What to do next: commands and prose, as `assembly.commands.told` takes them."""
    typed: list[str] = field(default_factory=list)
    """Commands in their final form, as somebody here would type them."""
    done: bool = False
    """The envelope is written, or the verb writes lines of its own."""

    def problem(self, code: str, message: str, steps: str = "") -> None:
        """One more thing that stands in the way; told once."""
        commands_, hints = told_apart((steps,))
        found = Problem(code=code, message=message, next=commands_, hints=hints)
        if found not in self.problems:
            self.problems.append(found)

    def take(self, text: str) -> None:
        """The next commands, and the hints, of a text that people would have read."""
        for line in text.splitlines():
            label, _, rest = line.strip().partition(": ")
            if label in ("next", "hint"):
                self.steps.append(rest)

    def envelope(self, verb: str, status: int) -> Envelope:
        """All of it, with what the exit status says. A run that went wrong has at least one problem."""
        ok = not CODES.get(status, "failed")
        if not ok and not self.problems:
            self.problem(CODES.get(status, "failed"), f"{verb} ended with exit status {status}")
        next_, hints = told_apart(self.steps)
        next_ = (*self.typed, *next_)
        return Envelope(verb=verb, ok=ok, exit_status=status, problems=tuple(self.problems), next=next_, hints=hints, data=self.data)

    def text(self, verb: str, status: int) -> str:
        """The envelope as it is printed."""
        import msgspec  # not before: --help is instant

        return json.dumps(msgspec.to_builtins(self.envelope(verb, status)), indent=2, ensure_ascii=False)


def told_apart(steps: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Commands that can be pasted, and prose; nothing twice."""
    lines = dict.fromkeys(line for step in steps for line in commands.told(step))
    split = [line.partition(": ") for line in lines]
    return tuple(rest for label, _, rest in split if label == "next"), tuple(rest for label, _, rest in split if label != "next")
