"""HTTP answers that come in too slowly: a time-out of a socket begins anew with every byte, so a few bytes a second hold a caller for days.

In: the socket of an answer, with its time-out. Out: the answer, or TimeoutError, which clients take for any other time-out; OSError for
one that goes on for ever.
"""

from __future__ import annotations

import math
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
"""Seconds more for an answer that S3 begins at once and ends with its work, which is lost to whoever leaves before; in between it sends
blanks (API reference, CopyObject and CompleteMultipartUpload). 5 GB, the most that it copies, at a few MB a second."""
MOST = 1 << 30
"""Bytes of an answer: what we ask for is held in memory, and has a few megabytes."""
MOST_OF_HEAD = 1 << 20
"""Bytes before the body; "100 Continue" may come any number of times (RFC 9110, 15.2)."""


class Pace:
    """How an answer comes in: no slower than the lowest speed by more than the time-out, and with an end.

    Waiting for the first byte is bounded by the socket's own time-out and not counted.
    """

    def __init__(self, timeout: float, *, more: float = 0.0, most: int = MOST) -> None:
        self._timeout, self._more, self.most = timeout, more, most
        self._received, self._waited = 0, 0.0

    def took(self, count: int, seconds: float) -> None:
        """So many bytes came after so many seconds. Raises TimeoutError, OSError."""
        if self._received:
            # Longer than the time-out is not the network's doing: the process stood still (Ctrl+Z, a machine asleep).
            self._waited += min(seconds, self._timeout)
        self._received += count
        if self._waited > self._timeout + self._more + self._received / LOWEST_SPEED:
            raise TimeoutError(f"{self._received} bytes in {self._waited:.0f} seconds")
        if self._received > self.most:
            raise OSError(f"more than {self.most:,} bytes")


class Incoming(RawIOBase):
    """What is read of a socket, at a pace."""

    def __init__(self, raw: RawIOBase, pace: Pace, now: Callable[[], float] = time.monotonic) -> None:
        self._raw, self.pace, self._now = raw, pace, now

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        begun = self._now()
        count = self._raw.readinto(buffer) or 0
        self.pace.took(count, self._now() - begun)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class SteadySocket:
    """A socket whose files are read at a pace."""

    def __init__(self, sock: Any, *, more: float = 0.0) -> None:
        self._sock, self._more = sock, more

    def makefile(self, mode: str, buffering: int = -1) -> BufferedReader | Incoming:
        incoming = Incoming(self._sock.makefile(mode, 0), Pace(self._sock.gettimeout() or math.inf, more=self._more))
        return incoming if buffering == 0 else BufferedReader(incoming)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class SteadyResponse(HTTPResponse):
    """The `response_class` of a connection with a time-out."""

    more = 0.0

    def __init__(self, sock: Any, debuglevel: int = 0, method: str | None = None, url: str | None = None) -> None:
        steady: Any = SteadySocket(sock, more=self.more)
        super().__init__(steady, debuglevel, method, url)

    def begin(self) -> None:
        incoming: Any = self.fp.raw
        pace = incoming.pace
        pace.most = MOST_OF_HEAD
        super().begin()
        pace.most = MOST


class PatientResponse(SteadyResponse):
    """The same for an answer that takes as long as its work."""

    more = COPYING
