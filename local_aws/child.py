# mypy: allow-untyped-calls
"""The process that is the local AWS: MiniStack with the plug-ins, on one loopback socket.

In: arguments from `server.LocalAws` and an environment that it made.
Out: an HTTP server on 127.0.0.1 until a signal, `/_local_aws/stop`, the death of its parent (if told to watch it) or a long silence;
`server.json`, which says how to find it; its state on disk, for its owner alone.
Never: binds anything but 127.0.0.1, runs without the plug-ins or without its door, starts a process, or keeps running unasked.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import api_rules
import emulator
import late
import outages
import resource_import
import stack_policies
from guards.private import write_private
from local_aws import claims, snapshot
from local_aws.confined import confine
from local_aws.server import OWNER

Asgi = Callable[[dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]

LOCK_SECONDS = 5.0
"""For the directory's lock: a command that looks whether it is held holds it for a moment itself."""
STOP_SECONDS = 8.0
"""From being told to stop to the end, at the latest."""
READING = frozenset({"GET", "HEAD", "OPTIONS"})
QUIET_SECONDS = 1.0
"""A snapshot is written after that long without a request."""


class Activity:
    """Around MiniStack's application, behind the door: knows when the last request was, and whether it changed anything."""

    def __init__(self, inner: Asgi) -> None:
        self._inner = inner
        self.busy = 0
        self.dirty = False
        self.last_request = asyncio.get_running_loop().time()

    async def __call__(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
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


@dataclass(frozen=True, kw_only=True)
class Life:
    """What the server tells of itself in its directory, and when it ends."""

    record: Path
    """`server.json`: how commands find it."""
    content: str
    owner: TextIO
    """The locked file; touched as the server works."""
    idle_seconds: float
    parent: int

    def show(self) -> None:
        """A sign of life; and the record again, if a command took it for a dead server's."""
        os.utime(self.owner.fileno())
        # A directory that was removed is no reason to outlive the parent.
        with contextlib.suppress(OSError):
            if not self.record.exists():
                write_private(self.record, self.content.encode(), durable=False)

    def over(self, silence: float) -> bool:
        """Whether the parent is gone, or nobody asked for anything for long enough."""
        return bool((self.parent and os.getppid() != self.parent) or (self.idle_seconds and silence >= self.idle_seconds))

    def end(self) -> None:
        """Take the record away, if it is still this server's."""
        with contextlib.suppress(OSError):
            if self.record.read_text() == self.content:
                self.record.unlink()


async def serve(listener: socket.socket, secret: str, life: Life) -> None:
    """Serve until told to stop."""
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config
    from ministack import app as ministack

    from local_aws import door
    from outages.answers import breakable

    viewers = "LOCAL_AWS_VIEWERS" in os.environ
    door.narrow(viewers=viewers)
    confine(frozenset({"node"}) if viewers else frozenset())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    activity = Activity(ministack.app)
    port = listener.getsockname()[1]
    any_port = "LOCAL_AWS_ANY_PORT" in os.environ

    def ended(how: str) -> str:
        unsaved = snapshot.save() if how == "stop" else ""
        if not unsaved:
            stop.set()
        return unsaved

    front = breakable(door.Door(activity, secret=secret, port=port, stop=ended, any_port=any_port, viewers=viewers))
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.loglevel = "WARNING"
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    watch = asyncio.create_task(_watch(activity, stop, life))
    await hypercorn_serve(front, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]
    emulator.stop()
    watch.cancel()


async def _watch(activity: Activity, stop: asyncio.Event, life: Life) -> None:
    """Snapshots in quiet moments; signs of life; the end after a long silence or without the parent."""
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        await asyncio.sleep(0.5)
        life.show()
        silence = loop.time() - activity.last_request
        if activity.dirty and not activity.busy and silence >= QUIET_SECONDS:
            activity.dirty = False
            snapshot.save()
        if life.over(0.0 if activity.busy else silence):
            stop.set()
    life.end()
    # State is saved as the server shuts down; after that a thread that waits for something must not keep the folder from the next server.
    last = threading.Timer(STOP_SECONDS, os._exit, (1,))
    last.daemon = True
    last.start()


def main(arguments: list[str]) -> int:
    """Bind, say where, serve, clean up."""
    parser = argparse.ArgumentParser(prog="python -m local_aws.child")
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--idle-seconds", type=float, required=True)
    parser.add_argument("--parent", type=int, default=0)
    given = parser.parse_args(arguments)
    os.umask(0o077)
    owner = (given.record.parent / OWNER).open("a+")
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                owner.seek(0)
                print(f"another local AWS (process {owner.read()}) holds {given.record.parent}", file=sys.stderr)
                return 1
            time.sleep(0.01)
    owner.truncate(0)
    owner.write(str(os.getpid()))
    owner.flush()
    secret = os.environ.pop("LOCAL_AWS_SECRET")
    # What MiniStack itself takes for the secret of an account's root user.
    os.environ["AWS_SECRET_ACCESS_KEY"] = secret
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    os.environ["GATEWAY_PORT"] = str(port)

    emulator.install()
    resource_import.install()
    stack_policies.install()
    api_rules.install()
    late.install()
    claims.install()
    snapshot.install()
    outages.install(given.record.parent)
    auth = os.environ.get("AUTH") == "true"
    content = {"pid": os.getpid(), "port": port, "secret": secret, "auth": auth, "code": os.environ.get("LOCAL_AWS_CODE", "")}
    life = Life(record=given.record, content=json.dumps(content), owner=owner, idle_seconds=given.idle_seconds, parent=given.parent)
    life.record.unlink(missing_ok=True)
    listener.listen(256)
    life.show()
    try:
        asyncio.run(serve(listener, secret, life))
    finally:
        life.end()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
