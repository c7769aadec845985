# mypy: allow-untyped-calls
"""Calls that meet an outage: refused in the service's words, dropped, or never answered.

In: requests as MiniStack's dispatcher hands them to a service, the outages of the moment.
Out: the service's answer, or what the outage makes of it.
Never: carries out a call that it then spoils; keeps a call waiting when the outage is over.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from ministack import app
from ministack.core import responses
from ministack.services import s3

from outages import metrics, replication
from outages.model import Call, How, Outage, met
from outages.store import Current

Reply = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[Any]]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOK_SECONDS = 0.1
"""How often a call that hangs looks whether the outage is over."""


@dataclass
class _Connection:
    dropped: bool = False


_CONNECTION: ContextVar[_Connection | None] = ContextVar("connection", default=None)


def install(current: Current) -> None:
    """Stand before every service of MiniStack's dispatcher."""
    table: dict[str, Handler] = app.SERVICE_HANDLERS
    for service, handler in list(table.items()):
        table[service] = _guarded(current, service, handler)


def breakable(inner: Asgi) -> Asgi:
    """The application, whose connections can be dropped."""

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        connection = _Connection()
        _CONNECTION.set(connection)

        async def sending(message: Any) -> None:
            if connection.dropped:
                _abort(send)
            else:
                await send(message)

        await inner(scope, receive, sending)

    return outer


def _abort(send: Any) -> None:
    """Break the connection of one of hypercorn's streams: ASGI has no word for it, so this goes through hypercorn's own parts."""
    send.__self__.send.__self__.send.__self__.writer.transport.abort()


def _guarded(current: Current, service: str, handler: Handler) -> Handler:
    async def guarded(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        call = called(service, method, path, headers, body)
        outage = met(current(), call)
        while outage is not None and outage.how is How.HANG:
            await asyncio.sleep(LOOK_SECONDS)
            outage = met(current(), call)
        if outage is not None:
            return refusal(outage, call, headers)
        replication.settle(current())
        if service == "monitoring":
            metrics.tell()
        answer = await handler(method, path, headers, body, query)
        if service == "s3":
            replication.settle(current())
        return answer

    return guarded


def called(service: str, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Call:
    """What MiniStack was asked, by AWS's names."""
    account, region, bucket = responses.get_account_id(), responses.get_region(), ""
    action = method
    if service == "s3":
        bucket = unquote(path).strip("/").split("/")[0]
        owner = s3._bucket_owner_account(bucket) if bucket else None
        region = s3._buckets.get_scoped(owner, None, bucket)["region"] if owner else region
    elif headers.get("x-amz-target"):
        action = headers["x-amz-target"].rpartition(".")[2]
    elif b"Action=" in body:
        action = parse_qs(body.decode("utf-8", "replace")).get("Action", [method])[0]
    elif service == "account":
        action = path[1:2].upper() + path[2:]
    return Call(service=service, account=account, region=region, action=action, bucket=bucket)


def refusal(outage: Outage, call: Call, headers: Mapping[str, str]) -> Reply:
    """How the service says it."""
    connection = _CONNECTION.get()
    if outage.how is How.DROP and connection is not None:
        connection.dropped = True
    code, message = "ServiceUnavailable", "Service is unable to handle request."
    if outage.how is How.SLOW_DOWN:
        code, message = "SlowDown", "Please reduce your request rate."
    inner = f"<Code>{code}</Code><Message>{message}</Message>"
    if call.service == "s3":
        body = b"" if call.action == "HEAD" else f"<Error>{inner}</Error>".encode()
        return 503, {"Content-Type": "application/xml"}, body
    if "json" in headers.get("content-type", "") or call.service in ("account", "lambda"):
        return (
            503,
            {"Content-Type": "application/json", "x-amzn-errortype": code},
            json.dumps({"__type": code, "message": message}).encode(),
        )
    return 503, {"Content-Type": "text/xml"}, f"<ErrorResponse><Error>{inner}</Error></ErrorResponse>".encode()
