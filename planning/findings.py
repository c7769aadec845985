"""Collecting what the reader of a plan must know about one stack.

In: what is found while the stack is planned, piece by piece. Out: `Finding` values in that order.
"""

from __future__ import annotations

from typing import Literal

from planning.model import Finding


class Findings(list[Finding]):
    """The findings of one stack."""

    def __init__(self, stack: str) -> None:
        super().__init__()
        self.stack = stack

    def error(self, code: str, message: str, command: str = "") -> None:
        """The plan cannot be applied as it is."""
        self._add("error", code, message, command)

    def warning(self, code: str, message: str, command: str = "") -> None:
        """It can be applied, and may not do what is wanted."""
        self._add("warning", code, message, command)

    def note(self, code: str, message: str, command: str = "") -> None:
        """Good to know."""
        self._add("note", code, message, command)

    @property
    def blocked(self) -> bool:
        """There is an error among them."""
        return any(f.severity == "error" for f in self)

    def _add(self, severity: Literal["error", "warning", "note"], code: str, message: str, command: str) -> None:
        self.append(Finding(severity=severity, code=code, message=message, command=command, stack=self.stack))
