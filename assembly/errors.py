"""What stops work and can be mended: why, and what to type next.

In: words. Out: the base of every room's own exception of that kind. Never: an error of AWS itself (`aws.errors`).
"""

from __future__ import annotations


class Remedied(Exception):
    """`str()` says why, one problem a line; `command` is what to type, or ""."""

    def __init__(self, message: str, command: str = "") -> None:
        super().__init__(message)
        self.command = command
