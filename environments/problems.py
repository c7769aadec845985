"""A problem of the environment files: where it stands, what is wrong, and what would be right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Key = tuple[str | int, ...]
"""Where a value stands: the names of mappings and the indexes (from 0) of lists, from the top."""
Note = Callable[[Key, str], object]
"""Takes the key and the text of a problem."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong: where (file, 1-based line, dotted key), what, and what would be right."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key + ': ' if self.key else ''}{self.message}"


class EnvironmentProblems(Exception):
    """Everything that is wrong with the environment files."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


def dotted(key: Key) -> str:
    """The key as a person writes it: `basic_auth.log_regions[1]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")
