"""The preview as an ASGI application: requests checked, handed on, answered and logged.

In: requests from anybody who reaches the port. Out: answers, one line of the log for each.
Never: ends because of a request, or waits longer than `SEND_SECONDS` for an answer to be taken.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from hypercorn.typing import ASGIFramework

from preview.cloudfront.exchange import Outcome
from preview.messages import Request, Response
from preview.requests import Message, Receive, Refused, body_of, drain, has_body, line, request_of
from preview.session import Preview, Settings
from preview.sockets import ADDRESS

PATH_SHOWN = 200
"""Characters of a path and its query in the log."""
SEND_SECONDS = 300.0
"""For a whole answer, however slowly a client takes it."""


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
    # One that an HTTP/2 client never opens its window for is given up; of HTTP/1.1 the socket drops it earlier.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SEND_SECONDS):
            await _send_parts(scope, receive, send, response, close=close)


async def _send_parts(scope: Message, receive: Receive, send: Callable[[Any], Awaitable[None]], response: Response, *, close: bool) -> None:
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
