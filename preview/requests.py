"""What of an HTTP request is taken, and what is refused before anything of it is used.

In: an ASGI scope and its body, from anybody who reaches the port. Out: a `Request`, or the status and reason of a refusal.
Never: waits longer than `BODY_SECONDS` for a body or holds more of it than `BODY_LIMIT`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from guards.text import printable
from preview.messages import Request

BODY_LIMIT = 1024 * 1024
"""Bytes of a request body that are read; the site takes none, and Lambda@Edge sees no more."""
BODY_SECONDS = 10.0
"""For the whole body, however it trickles."""
DRAIN_LIMIT, DRAIN_SECONDS = 64 * 1024, 1.0
"""What is taken of a body that nobody wants, after the answer: a client that is cut off while it sends may never read the answer."""
LINE_LIMIT = 1000
"""Characters of a line in the terminal's log."""

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


@dataclass(frozen=True)
class Refused(Exception):
    """A request that is answered with `status` and is not looked at any further; the connection does not outlive it."""

    status: int
    reason: str


def request_of(scope: Message, client: str) -> Request:
    """The request without its body. Raises `Refused` for a target or framing that two readers could take for two different things."""
    headers = tuple((key.decode("latin-1"), value.decode("latin-1")) for key, value in scope["headers"])
    names = {key.lower() for key, _ in headers}
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    if not target.startswith(b"/"):
        # RFC 9112, 3.2: whole URLs are for proxies, an authority for CONNECT, "*" for a server as a whole. They would end up in a redirect.
        raise Refused(400, "the request target does not begin with a slash")
    if any(octet <= 0x20 or octet >= 0x7F for octet in target):
        raise Refused(400, "the request target holds what a URL does not")
    if {"content-length", "transfer-encoding"} <= names:
        # RFC 9112, 6.3: whoever reads the other one of the two sees another request begin in the body.
        raise Refused(400, "Content-Length and Transfer-Encoding contradict each other")
    return Request(
        method=scope["method"],
        uri=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        client_ip=(scope.get("client") or (client,))[0],
    )


async def body_of(receive: Receive, seconds: float = BODY_SECONDS) -> bytes:
    """The body, at most one byte more than `BODY_LIMIT` of it. Raises `Refused` where it takes too long."""
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for part in _parts(receive):
                body += part[: BODY_LIMIT + 1 - len(body)]
    except TimeoutError:
        raise Refused(408, f"the body did not arrive within {seconds:g} s") from None
    return bytes(body)


async def drain(receive: Receive) -> None:
    """Take a little of a body that nobody wants."""
    taken = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for part in _parts(receive):
                taken += len(part)
                if taken > DRAIN_LIMIT:
                    return


async def _parts(receive: Receive) -> AsyncIterator[bytes]:
    while (message := await receive())["type"] == "http.request":
        yield message.get("body", b"")
        if not message.get("more_body"):
            return


def has_body(scope: Message) -> bool:
    """Whether a body follows that has to be taken or cut off; HTTP/2 ends a stream without its connection."""
    if scope["http_version"] not in ("1.0", "1.1"):
        return False
    given = {key.lower(): value for key, value in scope["headers"]}
    return b"transfer-encoding" in given or given.get(b"content-length", b"0").strip() != b"0"


def line(text: str) -> str:
    """Words of others as one line of the log: nothing in it acts on the terminal, and a long one is cut."""
    safe = printable(text)
    return safe if len(safe) <= LINE_LIMIT else f"{safe[:LINE_LIMIT]}..."
