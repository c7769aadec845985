"""HTTP answers that come in too slowly: a time-out of a socket begins anew with every byte, so a few bytes a second hold a caller for days.

In: the socket of an answer, with its time-out. Out: the answer, or TimeoutError, which clients take for any other time-out.
Never: bounds a large answer that keeps coming in.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LOWEST_SPEED = 1024
"""Bytes a second."""
COPYING = 900.0
"""Seconds more for the answer to a PUT. S3 begins that to CopyObject at once and ends it with the copy, which is lost to whoever leaves
before (API reference, CopyObject); in between it sends blanks. 5 GB, the most that it copies, at a few MB a second."""


def is_too_slow(received: int, waited: float, timeout: float) -> bool:
    """Whether so many bytes in so many seconds are slower than the lowest speed by more than the time-out."""
    return waited > timeout + received / LOWEST_SPEED


class Incoming(RawIOBase):
    """What is read of a socket. Waiting for the first byte is bounded by the socket's own time-out and not counted."""

    def __init__(self, raw: RawIOBase, timeout: float, now: Callable[[], float] = time.monotonic, *, more: float = 0.0) -> None:
        self._raw, self._timeout, self._now, self._more = raw, timeout, now, more
        self._received, self._waited = 0, 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        begun = self._now()
        count = self._raw.readinto(buffer) or 0
        if self._received:
            # Longer than the time-out is not the network's doing: the process stood still (Ctrl+Z, a machine asleep).
            self._waited += min(self._now() - begun, self._timeout)
        self._received += count
        if is_too_slow(self._received, self._waited, self._timeout + self._more):
            raise TimeoutError(f"{self._received} bytes in {self._waited:.0f} seconds")
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class SteadyResponse(HTTPResponse):
    """The `response_class` of a connection with a time-out."""

    def __init__(self, sock: Any, debuglevel: int = 0, method: str | None = None, url: str | None = None) -> None:
        super().__init__(sock, debuglevel, method, url)
        self.fp = BufferedReader(Incoming(self.fp.detach(), sock.gettimeout(), more=COPYING if method == "PUT" else 0.0))
