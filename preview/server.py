"""The preview over HTTP: an ASGI application, Hypercorn on 127.0.0.1, and reloading.

In: what to serve and how (`Settings`). Out: answers to browsers, lines for the terminal through `say`.
Never: listens on another address than 127.0.0.1, prints, ends because of a request or a template that cannot be read any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import signal
import socket
import ssl
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework
from watchfiles import awatch

from assembly.files import AssemblyError
from preview import source, tls
from preview.cloudfront import Cache, CloudFront, Outcome
from preview.content import Content, Folder
from preview.events import Request, Response
from preview.imagine import SecretValues
from preview.interpret import InterpretError, interpret
from preview.model import Site
from preview.node import FunctionFailed, Node
from untrusted.text import printable

ADDRESS = "127.0.0.1"
BODY_LIMIT = 1024 * 1024
"""Bytes of a request body that are read; the site takes none, and Lambda@Edge sees no more."""


class PreviewError(Exception):
    """The preview cannot start; `command` is what to type, or ""."""

    def __init__(self, message: str, command: str = "") -> None:
        super().__init__(message)
        self.command = command


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What to serve and where. A port of 0 is any free one."""

    directory: Path
    """The built assembly, `dist/<env>`."""
    secrets: Callable[[source.Built], SecretValues]
    """The value of each secret parameter, for the assembly as it is now."""
    port: int
    folder: Path | None
    """The site's files; None if `content` has them."""
    content: Content | None = None
    https: bool = False
    http_port: int | None = None
    """Beside HTTPS: a plain port, whose requests are what redirects are for."""
    authority_file: Path | None = None
    """Where to write the certificate that clients of the HTTPS port have to trust."""
    say: Callable[[str], None]
    now: Callable[[], datetime]
    monotonic: Callable[[], float] = time.monotonic
    node: str = "node"


class Preview:
    """Everything that lives from start to end: Node, cache, and the site as it was last read."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.node = Node(self._printed, settings.node)
        self._cache = Cache(settings.monotonic)
        self._notes: tuple[str, ...] = ()
        self._content: Content
        self._cloudfront: CloudFront

    @property
    def site(self) -> Site:
        """The site as it was last read."""
        return self._cloudfront.site

    async def start(self) -> None:
        """Read everything and load the functions. Raises AssemblyError, InterpretError, NodeError, OSError."""
        self._read()
        await self._functions()

    async def handle(self, request: Request, *, https: bool, https_port: int | None = None) -> Outcome:
        """One request through the distribution."""
        return await self._cloudfront.handle(request, https=https, https_port=https_port)

    async def reload(self) -> None:
        """Read assembly and content again; what cannot be read leaves the site as it was."""
        settings = self._settings
        try:
            self._read()
        except (AssemblyError, InterpretError) as error:
            for problem in error.problems:
                settings.say(f"cannot reload, the site is still the earlier one: {problem}")
            return
        except OSError as error:
            settings.say(f"cannot reload, the site is still the earlier one: {error.filename}: {error.strerror}")
            return
        self._cache.clear()
        settings.say("reloaded; the cache is empty")
        await self._functions()

    async def stop(self) -> None:
        """End Node."""
        await self.node.stop()

    def _read(self) -> None:
        settings = self._settings
        built = source.read(settings.directory)
        site = interpret(built, settings.secrets(built))
        if settings.content is not None:
            self._content = settings.content
        elif settings.folder is not None:
            self._content = Folder(settings.folder, built.assembly.site, settings.now())
        for note in site.notes:
            if note not in self._notes:
                settings.say(f"note: {note}")
        self._notes = site.notes
        self._cloudfront = CloudFront(site, self._content, self.node, self._cache, lambda: uuid.uuid4().hex)

    async def _functions(self) -> None:
        functions = [function for function in self.site.functions if not function.broken]
        if not functions:
            return
        await self.node.start()
        for runtime in sorted({f.runtime for f in functions if f.kind == "lambda"}):
            if runtime != f"nodejs{self.node.version.partition('.')[0]}.x":
                self._settings.say(f"note: Lambda@Edge functions run on {runtime} at the edge and on Node.js {self.node.version} here")
        for function in functions:
            try:
                await self.node.load(function)
            except FunctionFailed as failed:
                self._settings.say(f"error: function {function.name} does not start: {failed.message}")

    def _printed(self, name: str, line: str) -> None:
        self._settings.say(f"  {name or 'node'}: {line}")


# --- ASGI ---------------------------------------------------------------------------------------------------------

Message = Mapping[str, Any]


def application(preview: Preview, settings: Settings, https_port: Callable[[], int | None]) -> ASGIFramework:
    """The ASGI application. Without HTTPS a plain request counts as HTTPS, unless it says `X-Forwarded-Proto: http`."""

    async def app(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        started = settings.monotonic()
        request = await _request(scope, receive)
        said = (request.get("x-forwarded-proto") or "https").strip().lower() != "http"
        https = scope["scheme"] == "https" or (not settings.https and said)
        try:
            outcome = await preview.handle(request, https=https, https_port=https_port())
        except Exception as error:
            # The server must survive a defect of its own; the terminal has what it was.
            logging.getLogger(__name__).exception("request")
            outcome = Outcome(
                response=Response(status=500, body=b"the preview failed; its terminal says how\n"), steps=(), failure=repr(error)
            )
        response = outcome.response
        settings.say(_log_line(settings, request, outcome, settings.monotonic() - started))
        if outcome.failure:
            for line in f"error: {outcome.failure}".split("\n"):
                settings.say(line)
        headers = [(key.lower().encode("latin-1"), value.encode("latin-1", "replace")) for key, value in response.headers]
        if request.method != "HEAD" and response.status not in (204, 304):
            headers = [*(pair for pair in headers if pair[0] != b"content-length"), (b"content-length", str(len(response.body)).encode())]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    return app


async def _lifespan(receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _request(scope: Message, receive: Callable[[], Awaitable[Message]]) -> Request:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        body = (body + message.get("body", b""))[: BODY_LIMIT + 1]
        if not message.get("more_body"):
            break
    headers = tuple((key.decode("latin-1"), value.decode("latin-1")) for key, value in scope["headers"])
    return Request(
        method=scope["method"],
        uri=scope["raw_path"].decode("latin-1") or "/",
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        client_ip=(scope.get("client") or (ADDRESS,))[0],
        body=body,
    )


def _log_line(settings: Settings, request: Request, outcome: Outcome, seconds: float) -> str:
    response = outcome.response
    told = ("viewer-request", "custom error response", "origin group", "viewer protocol", "method", "default root object")
    steps = "; ".join(step.text for step in outcome.steps if step.stage in told and "let it pass" not in step.text)
    mark = (response.get("x-cache") or "").removesuffix(" from cloudfront")
    path = request.uri + (f"?{request.query}" if request.query else "")
    line = f"{settings.now():%H:%M:%S} {request.method} {path} {response.status} {len(response.body):,} B {seconds * 1000:.0f} ms {mark}"
    return printable(f"{line}{f' - {steps}' if steps else ''}")


# --- the server -----------------------------------------------------------------------------------------------------


def listen(port: int) -> socket.socket:
    """A socket on 127.0.0.1. Raises PreviewError where the port is taken or not allowed."""
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((ADDRESS, port))
        found.listen(100)
    except OSError as error:
        found.close()
        if error.errno == errno.EADDRINUSE:
            raise PreviewError(f"port {port} of {ADDRESS} is in use", "take another one: --port 0 finds a free one") from None
        if error.errno == errno.EACCES:
            raise PreviewError(f"port {port} is not allowed for this user", "take one from 1024 on: --port 8080") from None
        raise
    return found


class _Hypercorn(Config):
    """Hypercorn with an SSL context that was made here, so that no key has to lie in a file."""

    context: ssl.SSLContext | None = None

    def create_ssl_context(self) -> ssl.SSLContext | None:
        return self.context

    @property
    def ssl_enabled(self) -> bool:
        return self.context is not None


def _config(sockets: list[socket.socket], plain: list[socket.socket], context: ssl.SSLContext | None) -> Config:
    config = _Hypercorn()
    config.context = context
    config.bind = [f"fd://{s.detach()}" for s in sockets]
    config.insecure_bind = [f"fd://{s.detach()}" for s in plain]
    config.include_server_header = False
    config.errorlog = logging.getLogger("preview.hypercorn")
    config.h11_pass_raw_headers = True
    config.graceful_timeout = 0.2
    config.shutdown_timeout = 2.0
    # Above CloudFront's 8,192 for the URL and its 20,480 for all headers, so that the imitation answers.
    config.h11_max_incomplete_size = 64 * 1024
    return config


async def serve(settings: Settings, ready: Callable[[Preview, int, int | None], None]) -> None:
    """Serve until SIGINT or SIGTERM. `ready` is told the ports once connections are accepted.

    Raises PreviewError, AssemblyError, InterpretError, NodeError, OSError; only before `ready`.
    """
    main = listen(settings.port)
    plain = [listen(settings.http_port)] if settings.https and settings.http_port is not None else []
    port, plain_port = main.getsockname()[1], plain[0].getsockname()[1] if plain else None
    preview = Preview(settings)
    stopped = asyncio.Event()
    started = asyncio.Event()
    # First, so that no change made while the site is read goes unseen.
    watching = asyncio.create_task(_watch(preview, settings, started, stopped))
    await asyncio.sleep(0)
    try:
        await preview.start()
        started.set()
        context = None
        if settings.https:
            distributions = preview.site.distributions
            made = tls.make(
                tuple(name for d in distributions for name in (*d.certificate_names, *d.aliases, d.domain_name)),
                distributions[0].minimum_protocol_version,
                settings.now(),
            )
            context = made.context
            if settings.authority_file is not None:
                settings.authority_file.parent.mkdir(parents=True, exist_ok=True)
                settings.authority_file.write_bytes(made.authority)
        config = _config([main], plain, context)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(number, stopped.set)
        ready(preview, port, plain_port)
        app = application(preview, settings, lambda: port if settings.https else None)
        await hypercorn_serve(app, config, shutdown_trigger=stopped.wait)
    finally:
        stopped.set()
        started.set()
        await watching
        await preview.stop()
        for left in (main, *plain):
            left.close()


async def _watch(preview: Preview, settings: Settings, started: asyncio.Event, stopped: asyncio.Event) -> None:
    """Reload on changes; a folder that is taken away and made anew, as some bundlers do, is watched again."""
    paths = [settings.directory, *([settings.folder] if settings.folder is not None else [])]
    again = False
    while not stopped.is_set():
        watched = _identities(paths)
        if None in watched:
            await asyncio.sleep(0.2)
            continue
        async for changes in awatch(*paths, stop_event=stopped, debounce=400, rust_timeout=500, yield_on_timeout=True):
            await started.wait()
            replaced = _identities(paths) != watched
            if (changes or replaced or again) and not stopped.is_set():
                await preview.reload()
            again = replaced
            if replaced:
                break


def _identities(paths: list[Path]) -> list[tuple[int, int] | None]:
    found: list[tuple[int, int] | None] = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            found.append(None)
        else:
            found.append((status.st_dev, status.st_ino))
    return found
