# mypy: allow-untyped-calls
"""The process that is the local AWS: MiniStack with the plug-ins, on one loopback socket.

In: arguments from `server.LocalAws` and an environment that it made.
Out: an HTTP server on 127.0.0.1 until a signal, `/_local_aws/stop`, the death of its parent (if told to watch it) or a long silence;
`server.json`, which says how to find it; its state on disk.
Never: binds anything but 127.0.0.1, runs without the plug-ins, or keeps running unasked.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import hmac
import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from assembly.private import write_private
from local_aws import plugins

Asgi = Callable[[dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]

READING = frozenset({"GET", "HEAD", "OPTIONS"})
QUIET_SECONDS = 1.0
"""A snapshot is written after that long without a request."""


class Gate:
    """Around MiniStack's application: answers for our own paths, and knows when the last request was."""

    def __init__(self, inner: Asgi, token: str, stop: asyncio.Event) -> None:
        self._inner = inner
        self._token = token
        self._stop = stop
        self.busy = 0
        self.dirty = False
        self.last_request = asyncio.get_running_loop().time()

    async def __call__(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/_local_aws/"):
            await self._own(scope, send)
            return
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        self.busy += 1
        try:
            await self._inner(scope, receive, send)
        finally:
            self.busy -= 1
            self.dirty = self.dirty or scope["method"] not in READING
            self.last_request = asyncio.get_running_loop().time()

    async def _own(self, scope: dict[str, Any], send: Callable[[Any], Awaitable[None]]) -> None:
        given = dict(scope["headers"]).get(b"x-local-aws-token", b"").decode("latin-1")
        known = hmac.compare_digest(given, self._token)
        if known and scope["path"] == "/_local_aws/stop":
            self._stop.set()
        body = json.dumps({"pid": os.getpid()} if known else {"error": "not this server's token"}).encode()
        await send({"type": "http.response.start", "status": 200 if known else 403, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})


async def serve(listener: socket.socket, token: str, idle_seconds: float, parent: int) -> None:
    """Serve until told to stop."""
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config
    from ministack import app as ministack

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    gate = Gate(ministack.app, token, stop)
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.loglevel = "WARNING"
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    watch = asyncio.create_task(_watch(gate, stop, idle_seconds, parent))
    await hypercorn_serve(gate, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]
    plugins.stop()
    watch.cancel()


async def _watch(gate: Gate, stop: asyncio.Event, idle_seconds: float, parent: int) -> None:
    """Snapshots in quiet moments; the end after a long silence or without the parent."""
    from ministack import app as ministack
    from ministack.core import persistence

    loop = asyncio.get_running_loop()
    while not stop.is_set():
        await asyncio.sleep(0.5)
        silence = loop.time() - gate.last_request
        if gate.dirty and not gate.busy and silence >= QUIET_SECONDS and persistence.PERSIST_STATE:
            gate.dirty = False
            persistence.save_all(ministack._build_persistence_save_dict())
        if (parent and os.getppid() != parent) or (idle_seconds and not gate.busy and silence >= idle_seconds):
            stop.set()


def main(arguments: list[str]) -> int:
    """Bind, say where, serve, clean up."""
    parser = argparse.ArgumentParser(prog="python -m local_aws.child")
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--idle-seconds", type=float, required=True)
    parser.add_argument("--parent", type=int, default=0)
    given = parser.parse_args(arguments)
    record: Path = given.record
    owner = record.with_name("owner").open("a+")
    try:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner.seek(0)
        print(f"another local AWS that does not answer holds {record.parent}; end it: kill -9 {owner.read()}", file=sys.stderr)
        return 1
    owner.truncate(0)
    owner.write(str(os.getpid()))
    owner.flush()
    token = os.environ.pop("LOCAL_AWS_TOKEN")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    os.environ["GATEWAY_PORT"] = str(port)

    plugins.install()
    auth = os.environ.get("AUTH") == "true"
    listener.listen(256)
    told = {"pid": os.getpid(), "port": port, "token": token, "auth": auth, "code": os.environ.get("LOCAL_AWS_CODE", "")}
    write_private(record, json.dumps(told).encode(), durable=False)
    try:
        asyncio.run(serve(listener, token, given.idle_seconds, given.parent))
    finally:
        with contextlib.suppress(OSError, ValueError, KeyError):
            if json.loads(record.read_text())["token"] == token:
                record.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
