"""What stops work and can be mended: why, and what to type next.

In: words. Out: the bases of every room's own exceptions of that kind. Never: an error of AWS itself (`aws.errors`).
"""

from __future__ import annotations


class Remedied(Exception):
    """`str()` says why, one problem a line; `command` is what to type, or ""."""

    def __init__(self, message: str, command: str = "") -> None:
        super().__init__(message)
        self.command = command


class Problems(Exception):
    """All that is wrong; `str()` says it, one problem a line."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))
