"""The local AWS starts no process, opens no second port and calls nobody, whatever MiniStack would do on a request or for a template.

In: the programs that may be started all the same; none but for one kind of test. Out: a process in which everything else raises
`PermissionError`, for as long as it lives (Python's audit hooks cannot be taken away again).

MiniStack runs the code of Lambda functions, Glue jobs, CloudFront functions and GraphQL resolvers as child processes, containers through a
socket, and opens ports for databases, brokers and file servers. A list of those would be out of date with its next version; these are the
only ways in which any of them can be done.

Source: Python's "Audit events table".
"""

from __future__ import annotations

import sys
from pathlib import PurePath
from typing import Any

_PROCESSES = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "pty.spawn"})
_NETWORK = frozenset(
    {"socket.bind", "socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
)


def confine(programs: frozenset[str] = frozenset()) -> None:
    """From now on. The listening socket must exist already."""

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _PROCESSES and not (event == "subprocess.Popen" and PurePath(str(arguments[0])).name in programs):
            raise PermissionError(f"the local AWS runs no code: {event}")
        if event in _NETWORK:
            raise PermissionError(f"the local AWS calls nobody and listens on one port: {event}")

    sys.addaudithook(refuse)
