"""The listening sockets: on 127.0.0.1, with a limit on what clients may hold.

Hypercorn and asyncio limit neither the number of connections nor the time that a client leaves its answer unread, so the sockets do.
"""

from __future__ import annotations

import errno
import socket

from assembly.errors import Remedied

ADDRESS = "127.0.0.1"
CONNECTIONS = 400
"""At a time and port. A browser keeps six for a host (HTTP/1.1) or one (HTTP/2); one that its client has ended counts for 5 seconds more.
Two ports stay below the usual 1,024 descriptors of a process."""
UNREAD_SECONDS = 30.0
"""That a client may leave an answer unread before its connection is dropped."""


class PortError(Remedied):
    """A port cannot be listened on; `command` says what to do."""


class Listener(socket.socket):
    """A listening socket that drops a connection beyond `limit` at once, so that those it has are served on."""

    def __init__(self, limit: int) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        self._limit = limit
        self._accepted: list[socket.socket] = []

    def accept(self) -> tuple[socket.socket, object]:
        """Raises ConnectionAbortedError for a connection too many, as for one that its client has ended: asyncio goes on with the next."""
        connection, address = super().accept()
        self._accepted = [earlier for earlier in self._accepted if earlier.fileno() != -1]
        if len(self._accepted) >= self._limit:
            connection.close()
            raise ConnectionAbortedError
        self._accepted.append(connection)
        return connection, address


def listen(port: int, *, limit: int = CONNECTIONS, unread_seconds: float = UNREAD_SECONDS) -> Listener:
    """A socket on 127.0.0.1. Raises PortError where the port is taken or not allowed."""
    found = Listener(limit)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # Linux: accepted sockets inherit it; it counts while the client's window is full (tcp(7)).
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(unread_seconds * 1000))
    try:
        found.bind((ADDRESS, port))
        found.listen(100)
    except OSError as error:
        found.close()
        if error.errno == errno.EADDRINUSE:
            raise PortError(f"port {port} of {ADDRESS} is in use", "take another one: --port 0 finds a free one") from None
        if error.errno == errno.EACCES:
            raise PortError(f"port {port} is not allowed for this user", "take one from 1024 on: --port 8080") from None
        raise
    return found
