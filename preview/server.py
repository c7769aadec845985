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
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework
from watchfiles import awatch

from assembly.files import AssemblyError
from guards.private import write_private
from preview import source, tls
from preview.cloudfront.cache import Cache
from preview.cloudfront.exchange import Outcome
from preview.cloudfront.pipeline import CloudFront
from preview.content import Content, Folder
from preview.interpreter.deployed import SecretValues
from preview.interpreter.site import InterpretError, interpret
from preview.messages import Request, Response
from preview.model import Site
from preview.node import FunctionFailed, Node
from preview.requests import Message, Receive, Refused, body_of, drain, has_body, line, request_of
from website.content import read as check
from website.errors import SourceError

ADDRESS = "127.0.0.1"
PATH_SHOWN = 200
"""Characters of a path and its query in the log."""
PROBLEMS = 20
"""Reasons of publish to refuse the content that are said at once."""


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
        self._refused: frozenset[str] = frozenset()
        self._content: Content
        self._cloudfront: CloudFront

    @property
    def site(self) -> Site:
        """The site as it was last read."""
        return self._cloudfront.site

    async def start(self) -> None:
        """Read everything and load the functions. Raises AssemblyError, InterpretError, NodeError, OSError."""
        self._take(await asyncio.to_thread(self._read))
        await self._check()
        await self._functions()

    def wants_body(self, request: Request) -> bool:
        """Whether a function of the request's behaviour is handed the body."""
        return self._cloudfront.wants_body(request)

    async def handle(self, request: Request, *, https: bool, https_port: int | None = None) -> Outcome:
        """One request through the distribution."""
        return await self._cloudfront.handle(request, https=https, https_port=https_port)

    async def reload(self) -> None:
        """Read assembly and content again; what cannot be read leaves the site as it was."""
        settings = self._settings
        try:
            self._take(await asyncio.to_thread(self._read))
        except (AssemblyError, InterpretError) as error:
            for problem in error.problems:
                settings.say(f"cannot reload, the site is still the earlier one: {line(problem)}")
            return
        except OSError as error:
            settings.say(f"cannot reload, the site is still the earlier one: {error.filename}: {error.strerror}")
            return
        self._cache.clear()
        settings.say("reloaded; the cache is empty")
        await self._check()
        await self._functions()

    async def stop(self) -> None:
        """End Node."""
        await self.node.stop()

    def _read(self) -> tuple[source.Built, Site, Content]:
        """Runs in a thread: a slow disk holds up no request."""
        settings = self._settings
        built = source.read(settings.directory)
        site = interpret(built, settings.secrets(built))
        content = settings.content
        if content is None:
            assert settings.folder is not None
            content = Folder(settings.folder, built.assembly.site, settings.now())
        return built, site, content

    def _take(self, read: tuple[source.Built, Site, Content]) -> None:
        self._built, site, content = read
        for note in site.notes:
            if note not in self._notes:
                self._settings.say(f"note: {line(note)}")
        self._notes = site.notes
        self._cloudfront = CloudFront(site, content, self.node, self._cache, lambda: uuid.uuid4().hex)

    async def _check(self) -> None:
        """Say what publish would refuse, as far as it was not said before."""
        folder = self._settings.folder
        if folder is None:
            return
        refused = await asyncio.to_thread(_refused, folder, self._built)
        new = [problem for problem in refused if problem not in self._refused]
        for problem in new[:PROBLEMS]:
            self._settings.say(f"note: publish would refuse this: {line(problem)}")
        if len(new) > PROBLEMS:
            self._settings.say(f"note: publish would refuse {len(new) - PROBLEMS:,} more")
        self._refused = frozenset(refused)

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
                self._settings.say(f"error: function {function.name} does not start: {line(failed.message)}")

    def _printed(self, name: str, printed: str) -> None:
        self._settings.say(f"  {name or 'node'}: {line(printed)}")


def _refused(folder: Path, built: source.Built) -> tuple[str, ...]:
    try:
        check(folder, built.assembly.site)
    except SourceError as error:
        return error.problems
    except OSError as error:
        return (f"{error.filename}: {error.strerror}",)
    return ()


# --- ASGI ---------------------------------------------------------------------------------------------------------


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
        unread = has_body(scope)
        try:
            request = request_of(scope, ADDRESS)
            if preview.wants_body(request):
                request = replace(request, body=await body_of(receive))
                unread = False
        except Refused as refused:
            settings.say(line(f"{settings.now():%H:%M:%S} {scope['method']} {refused.status} {refused.reason}"))
            await _send(scope, receive, send, _refusal(refused), close=True)
            return
        said = (request.get("x-forwarded-proto") or "https").strip().lower() != "http"
        https = scope["scheme"] == "https" or (not settings.https and said)
        try:
            outcome = await preview.handle(request, https=https, https_port=https_port())
        except Exception as error:
            # The server must survive a defect of its own; the terminal has what it was.
            logging.getLogger(__name__).exception("request")
            outcome = Outcome(
                response=Response(status=500, body=b"the preview failed; its terminal says how\n"), steps=(), failure=line(repr(error))
            )
        settings.say(_log_line(settings, request, outcome, settings.monotonic() - started))
        if outcome.failure:
            settings.say(f"error: {outcome.failure}")
        await _send(scope, receive, send, outcome.response, close=unread)

    return app


async def _lifespan(receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _refusal(refused: Refused) -> Response:
    return Response(status=refused.status, headers=(("Content-Type", "text/plain"),), body=f"{refused.reason}\n".encode())


async def _send(scope: Message, receive: Receive, send: Callable[[Any], Awaitable[None]], response: Response, *, close: bool) -> None:
    """`close`: HTTP/1.1's connection ends with the answer, since what follows in it is a body that nobody reads."""
    headers = [(key.lower().encode("latin-1"), value.encode("latin-1", "replace")) for key, value in response.headers]
    if scope["method"] != "HEAD" and response.status not in (204, 304):
        headers = [*(pair for pair in headers if pair[0] != b"content-length"), (b"content-length", str(len(response.body)).encode())]
    close = close and scope["http_version"] in ("1.0", "1.1")
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body, "more_body": close})
    if close:
        await drain(receive)
        await send({"type": "http.response.body", "body": b""})


def _log_line(settings: Settings, request: Request, outcome: Outcome, seconds: float) -> str:
    response = outcome.response
    told = ("viewer-request", "custom error response", "origin group", "viewer protocol", "method", "default root object")
    steps = "; ".join(step.text for step in outcome.steps if step.stage in told and "let it pass" not in step.text)
    mark = (response.get("x-cache") or "").removesuffix(" from cloudfront")
    path = request.uri + (f"?{request.query}" if request.query else "")
    result = f"{response.status} {len(response.body):,} B {seconds * 1000:.0f} ms {mark}"
    # The path may be 64 KiB long; what became of it should be seen all the same.
    shown_path = path if len(path) <= PATH_SHOWN else f"{path[:PATH_SHOWN]}..."
    return line(f"{settings.now():%H:%M:%S} {request.method[:20]} {shown_path} {result}{f' - {steps}' if steps else ''}")


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
                write_private(settings.authority_file, made.authority)
        config = _config([main], plain, context)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_connection_failed(settings.say))
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
        async for changes in awatch(
            *paths, stop_event=stopped, debounce=400, rust_timeout=500, yield_on_timeout=True, ignore_permission_denied=True
        ):
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
