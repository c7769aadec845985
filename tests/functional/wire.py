"""A proxy between the real command line and the local AWS that spoils chosen requests.

In: the endpoint behind it, and rules: which operation, from which occurrence on, how often, and what then happens.
Out: `url`, to be used as AWS_ENDPOINT_URL, and `calls`, every request it saw.
Never: changes a request, or answers one that no rule names (those go through as they came).
"""

from __future__ import annotations

import functools
import http.client
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

_CREDENTIAL = re.compile(r"Credential=([^/,]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_MODEL_NAMES = {"monitoring": "cloudwatch", "servicequotas": "service-quotas"}
LONGEST = 180.0
"""Seconds that a request is held, and waited for."""
_HOP_BY_HOP = {"connection", "expect", "keep-alive", "transfer-encoding", "content-length"}


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, by AWS's names: ("cloudformation", "CreateChangeSet")."""

    service: str
    operation: str
    region: str
    access_key: str
    path: str
    body: bytes = field(repr=False)
    invocation: str = ""
    """The same for every attempt of one call of botocore's."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Exchange:
    """A request at the moment of its fault: let it through, answer it, or drop the connection."""

    def __init__(self, call: Call, handler: _Handler) -> None:
        self.call = call
        self._handler = handler

    def forward(self) -> Answer:
        """What the local AWS answers."""
        return self._handler.forward(self.call.body)

    def send(self, answer: Answer, *, cut_to: int | None = None) -> None:
        """Answer; with `cut_to` the length is announced in full and the body ends early."""
        self._handler.answer(answer, cut_to)

    def drop(self) -> None:
        """Close the connection without a word."""
        self._handler.drop()

    def error(self, code: str, message: str, status: int) -> None:
        """An error as the service's protocol words it."""
        kind = self._handler.headers.get("content-type", "")
        if "amz-json" in kind or self.call.service in ("account", "lambda", "servicequotas"):
            body = json.dumps({"__type": code, "message": message}).encode()
            headers: tuple[tuple[str, str], ...] = (("content-type", "application/x-amz-json-1.0"), ("x-amzn-errortype", code))
        else:
            inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
            text = f"<Error>{inner}</Error>" if self.call.service == "s3" else f"<ErrorResponse><Error>{inner}</Error></ErrorResponse>"
            body, headers = text.encode(), (("content-type", "text/xml"),)
        self.send(Answer(status, headers, body))


Fault = Callable[[Exchange], None]


def throttled(exchange: Exchange) -> None:
    """Too many requests."""
    exchange.error("SlowDown" if exchange.call.service == "s3" else "ThrottlingException", "Rate exceeded", 400)


def unavailable(exchange: Exchange) -> None:
    """A 503."""
    exchange.error("ServiceUnavailable", "Service is unable to handle request", 503)


def expired(exchange: Exchange) -> None:
    """The credentials ran out."""
    exchange.error("ExpiredTokenException", "The security token included in the request is expired", 403)


def denied(exchange: Exchange) -> None:
    """Not allowed."""
    action = f"{exchange.call.service}:{exchange.call.operation}"
    exchange.error("AccessDenied", f"User is not authorized to perform: {action} because no identity-based policy allows it", 403)


def dropped(exchange: Exchange) -> None:
    """The connection breaks before the request is carried out."""
    exchange.drop()


def lost(exchange: Exchange) -> None:
    """The request is carried out, and its answer is lost."""
    exchange.forward()
    exchange.drop()


def truncated(exchange: Exchange) -> None:
    """The answer breaks off in the middle."""
    answer = exchange.forward()
    exchange.send(answer, cut_to=len(answer.body) // 2)


def silent(seconds: float) -> Fault:
    """No answer for so long, then the connection breaks; the request is not carried out."""

    def fault(exchange: Exchange) -> None:
        time.sleep(seconds)
        exchange.drop()

    return fault


def error(code: str, message: str, status: int = 400) -> Fault:
    """Any other error of AWS's."""
    return lambda exchange: exchange.error(code, message, status)


@dataclass
class Rule:
    """Which requests, and what becomes of them; `seen` counts matches, `spoiled` those that met the fault."""

    service: str
    operation: str
    fault: Fault
    times: int
    after: int
    seen: int = 0
    spoiled: int = 0


class Held:
    """A request that waits at the proxy until the test lets it go: the moment to kill a command."""

    def __init__(self) -> None:
        self._arrived = threading.Event()
        self._released = threading.Event()
        self._invocation = ""

    def wait(self, seconds: float = LONGEST) -> None:
        """Until the request is here."""
        assert self._arrived.wait(seconds), "the request never came"

    def release(self) -> None:
        """Let it through."""
        self._released.set()

    def again(self, call: Call) -> bool:
        """Whether it is another attempt of the request that is held: the client got no answer for too long."""
        return bool(call.invocation) and call.invocation == self._invocation and not self._released.is_set()

    def before(self, exchange: Exchange) -> None:
        """Hold it, then carry it out."""
        self._invocation = exchange.call.invocation
        self._arrived.set()
        self._released.wait(LONGEST)
        exchange.send(exchange.forward())

    def after(self, exchange: Exchange) -> None:
        """Carry it out, then hold the answer."""
        self._invocation = exchange.call.invocation
        answer = exchange.forward()
        self._arrived.set()
        self._released.wait(LONGEST)
        exchange.send(answer)


class Wire:
    """The proxy."""

    def __init__(self, endpoint_url: str) -> None:
        self.behind = urlsplit(endpoint_url)
        self.calls: list[Call] = []
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.wire = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._held: list[Held] = []
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def on(self, service: str, operation: str, fault: Fault, *, times: int = 1, after: int = 0) -> Rule:
        """Spoil `times` requests of that operation once `after` of them went through. "*" is any operation."""
        rule = Rule(service, operation, fault, times, after)
        with self._lock:
            self._rules.append(rule)
        return rule

    def hold(self, service: str, operation: str, *, after: int = 0, done: bool = False) -> Held:
        """Hold one request: before it is carried out or, with `done`, when its answer is on the way."""
        held = Held()
        self._held.append(held)
        self.on(service, operation, held.after if done else held.before, after=after)
        return held

    def operations(self, service: str) -> list[str]:
        """The operations of a service that were called so far, in order."""
        return [call.operation for call in self.calls if call.service == service]

    def clear(self) -> None:
        """No rules, no memory."""
        with self._lock:
            self._rules.clear()
            self.calls.clear()

    def close(self) -> None:
        """Let everything go and stop."""
        for held in self._held:
            held.release()
        self._server.shutdown()
        self._server.server_close()

    def chosen(self, call: Call) -> Fault | None:
        """Note the call, unless it is another attempt of one that is held; the fault that is due, if any."""
        with self._lock:
            for held in self._held:
                if held.again(call):
                    return held.before
            self.calls.append(call)
            for rule in self._rules:
                if rule.service != call.service or rule.operation not in ("*", call.operation):
                    continue
                rule.seen += 1
                if rule.seen > rule.after and rule.spoiled < rule.times:
                    rule.spoiled += 1
                    return rule.fault
        return None


@contextmanager
def wire_to(endpoint_url: str) -> Iterator[Wire]:
    """A proxy for the length of a block."""
    wire = Wire(endpoint_url)
    try:
        yield wire
    finally:
        wire.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    wire: Wire

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer is written in two parts; the second would wait for the reader, 40 ms each time
    server: _Server

    def do_any(self) -> None:
        body = self._body()
        call = _call(self.command, self.path, dict(self.headers.items()), body)
        fault = self.server.wire.chosen(call)
        if fault is None:
            self.answer(self.forward(body), None)
        else:
            fault(Exchange(call, self))

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_PATCH = do_OPTIONS = do_any

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def forward(self, body: bytes) -> Answer:
        """The Host header goes on as it came: it is signed."""
        behind = self.server.wire.behind
        connection = http.client.HTTPConnection(behind.hostname or "", behind.port, timeout=120)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, tuple(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def answer(self, answer: Answer, cut_to: int | None) -> None:
        self.send_response(answer.status)
        length = str(len(answer.body))
        for name, value in answer.headers:
            if name.lower() == "content-length" and self.command == "HEAD":
                length = value
            elif name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body if cut_to is None else answer.body[:cut_to])
        if cut_to is not None:
            self.drop()

    def drop(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def _call(method: str, path: str, headers: dict[str, str], body: bytes) -> Call:
    lower = {name.lower(): value for name, value in headers.items()}
    match = _CREDENTIAL.search(lower.get("authorization", ""))
    access_key, region, service = (match[1], match[2], match[3]) if match else ("", "", "")
    target = lower.get("x-amz-target", "")
    if target:
        operation = target.rsplit(".", 1)[-1]
    elif "x-www-form-urlencoded" in lower.get("content-type", ""):
        operation = parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]
    else:
        operation = _rest_operation(service, method, path)
        if "x-amz-copy-source" not in lower:  # a header, not the URI, tells a copy from a write
            operation = {"CopyObject": "PutObject", "UploadPartCopy": "UploadPart"}.get(operation, operation)
    again = lower.get("amz-sdk-invocation-id", "")
    return Call(service=service, operation=operation, region=region, access_key=access_key, path=path, body=body, invocation=again)


def _rest_operation(service: str, method: str, path: str) -> str:
    """The operation of a REST service by its URI pattern: the one with the most fixed text that fits."""
    split = urlsplit(path)
    given = {**parse_qs(split.query, keep_blank_values=True)}
    best, weight = "", -1
    for name, verb, pattern, needed, literal in _rest_patterns(service):
        fits = (
            verb == method and pattern.fullmatch(split.path) and all(key in given and value in ("", given[key][0]) for key, value in needed)
        )
        if fits and literal + 100 * len(needed) > weight:
            best, weight = name, literal + 100 * len(needed)
    return best


@functools.cache
def _rest_patterns(service: str) -> tuple[tuple[str, str, re.Pattern[str], tuple[tuple[str, str], ...], int], ...]:
    import botocore.exceptions
    import botocore.session

    try:
        model = botocore.session.get_session().get_service_model(_MODEL_NAMES.get(service, service))
    except botocore.exceptions.UnknownServiceError:
        return ()
    rows = []
    for name in model.operation_names:
        operation = model.operation_model(name)
        uri, _, query = operation.http["requestUri"].partition("?")
        if service == "s3" and not uri.startswith("/{Bucket}"):
            uri = "/{Bucket}" + (uri if uri != "/" else "") if "Bucket" in getattr(operation.input_shape, "members", {}) else uri
        text = "".join(
            ".+" if part.endswith("+}") else "[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]+\})", uri)
        )
        needed = tuple((key, values[0]) for key, values in parse_qs(query, keep_blank_values=True).items())
        literal = len(re.sub(r"\{[^}]+\}", "", uri))
        rows.append((name, operation.http["method"], re.compile(text + "/?"), needed, literal))
    return tuple(rows)
