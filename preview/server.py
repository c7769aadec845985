"""The preview on its ports: Hypercorn on 127.0.0.1, TLS, signals, and reloading.

In: what to serve and how (`Settings`). Out: answers to browsers, lines for the terminal through `say`.
Never: listens on another address than 127.0.0.1, or prints.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config, Sockets

from guards.private import write_private
from guards.termination import heard, hung_up
from preview import tls
from preview.asgi import application
from preview.requests import line
from preview.session import Preview, Settings
from preview.sockets import listen
from preview.watching import watch

INVALIDATION_SECONDS = 0.5
"""Between two looks for invalidations."""


class _Hypercorn(Config):
    """Hypercorn with an SSL context and sockets that were made here: no key lies in a file, and the sockets have limits."""

    context: ssl.SSLContext | None = None
    listeners: tuple[list[socket.socket], list[socket.socket]]
    """Those of TLS (or the only ones), and the plain ones beside them."""

    def create_sockets(self) -> Sockets:
        main, plain = self.listeners
        return Sockets(main, plain, []) if self.ssl_enabled else Sockets([], main, [])

    def create_ssl_context(self) -> ssl.SSLContext | None:
        return self.context

    @property
    def ssl_enabled(self) -> bool:
        return self.context is not None


def _config(sockets: list[socket.socket], plain: list[socket.socket], context: ssl.SSLContext | None) -> Config:
    config = _Hypercorn()
    config.context = context
    config.listeners = (sockets, plain)
    config.include_server_header = False
    config.errorlog = logging.getLogger("preview.hypercorn")
    config.h11_pass_raw_headers = True
    config.graceful_timeout = 0.2
    config.shutdown_timeout = 2.0
    # From the connection or the last answer to the end of the next request's headers, however they trickle.
    config.keep_alive_timeout = 5.0
    config.ssl_handshake_timeout = 10.0
    # Above CloudFront's 8,192 for the URL and its 20,480 for all headers, so that the imitation answers.
    config.h11_max_incomplete_size = 64 * 1024
    return config


def _connection_failed(say: Callable[[str], None]) -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """A handler for what the loop finds unhandled: what a client does to its own connection is one line at most, never a traceback."""

    def handle(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if not isinstance(error, (ssl.SSLError, ConnectionError)):
            say(line(f"a connection failed: {context['message'] if error is None else repr(error)}"))

    return handle


async def serve(settings: Settings, ready: Callable[[Preview, int, int | None], None]) -> None:
    """Serve until SIGINT or SIGTERM. `ready` is told the ports once connections are accepted.

    Raises PortError, AssemblyError, InterpretError, NodeError, OSError; only before `ready`.
    """
    main = _listen(settings, settings.port)
    plain = [_listen(settings, settings.http_port)] if settings.https and settings.http_port is not None else []
    port, plain_port = main.getsockname()[1], plain[0].getsockname()[1] if plain else None
    preview = Preview(settings)
    stopped = asyncio.Event()
    started = asyncio.Event()
    made: tls.Tls | None = None
    forgetting: asyncio.Task[None] | None = None
    # First, so that no change made while the site is read goes unseen.
    watching = asyncio.create_task(_follow(preview, settings, started, stopped))
    await asyncio.sleep(0)
    try:
        await preview.start()
        started.set()
        made = _tls(preview, settings, port) if settings.https else None
        config = _config([main], plain, made.context if made else None)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_connection_failed(settings.say))
        for number in heard():
            loop.add_signal_handler(number, _end, number, stopped)
        forgetting = asyncio.create_task(_forget(preview, stopped))
        ready(preview, port, plain_port)
        app = application(preview, settings, lambda: port if settings.https else None)
        await hypercorn_serve(app, config, shutdown_trigger=stopped.wait)
    finally:
        stopped.set()
        started.set()
        await watching
        if forgetting is not None:
            await forgetting
        await preview.stop()
        if made is not None and settings.authority_file is not None:
            _remove(settings.authority_file(port), made.authority)
        for left in (main, *plain):
            left.close()


def _end(number: int, stopped: asyncio.Event) -> None:
    hung_up(number)
    stopped.set()


def _listen(settings: Settings, port: int) -> socket.socket:
    return listen(port, limit=settings.connections, unread_seconds=settings.unread_seconds)


def _tls(preview: Preview, settings: Settings, port: int) -> tls.Tls:
    """The certificate for every name of the site; its authority is written down for the port's clients."""
    distributions = preview.site.distributions
    made = tls.make(
        tuple(name for d in distributions for name in (*d.certificate_names, *d.aliases, d.domain_name)),
        distributions[0].minimum_protocol_version,
        settings.now(),
    )
    if settings.authority_file is not None:
        path = settings.authority_file(port)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, made.authority)
    return made


def _remove(path: Path, authority: bytes) -> None:
    """Unless another preview has the port, and so the file, already."""
    with contextlib.suppress(OSError):
        if path.read_bytes() == authority:
            path.unlink()


async def _forget(preview: Preview, stopped: asyncio.Event) -> None:
    """Look for invalidations until `stopped`."""
    while not stopped.is_set():
        await preview.follow_invalidations()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), INVALIDATION_SECONDS)


async def _follow(preview: Preview, settings: Settings, started: asyncio.Event, stopped: asyncio.Event) -> None:
    async def changed() -> None:
        await started.wait()
        if not stopped.is_set():
            await preview.reload()

    roots = (settings.directory, *([settings.folder] if settings.folder is not None else []))
    await watch(roots, changed, settings.say, stopped)
