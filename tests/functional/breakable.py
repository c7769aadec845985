"""A site that keeps the contract, and can be told to break one promise of it at a time.

In: a contract, the files of a built app, what to break. Out: an HTTPS server (HTTP/2 and 1.1), a plain one, a name server, the bucket's
own address, all on loopback.
Never: imitates more of CloudFront than the checks look at.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset
import trustme
from hypercorn.asyncio import serve
from hypercorn.config import Config

from assembly.model import SiteContract
from files.types import content_type
from website.content import cache_control, generated_files, key_prefix

USER, PASSWORD = "admin", "a long enough password"
DISTRIBUTION = "d111111abcdef8.cloudfront.net"

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Site:
    """The application; `broken` names the promise that it breaks."""

    def __init__(self, contract: SiteContract, folder: Path) -> None:
        self.contract = contract
        self.folder = folder
        self.generated = generated_files(key_prefix(contract), contract, [path.name for path in folder.iterdir()])
        self.broken = ""
        self.plain_is_secure = False
        """Like a preview without TLS: plain HTTP stands for HTTPS."""

    async def __call__(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        path = scope["path"]
        status, body, extra = self._route(scope["scheme"], path, scope.get("query_string", b"").decode(), headers)
        extra = {"via": "1.1 x.cloudfront.net (CloudFront)", "x-amz-cf-id": "id", "alt-svc": 'h3=":443"; ma=86400', **extra}
        self._spoil(path, status, extra)
        compressible = path.startswith("/assets/") and status == 200 and len(body) >= 1000
        if compressible and b"gzip" in headers.get(b"accept-encoding", b"") and self.broken != "assets.compressed":
            body, extra["content-encoding"] = gzip.compress(body), "gzip"
        extra["content-length"] = str(len(body))
        sent = [(name.encode(), value.encode()) for name, value in extra.items()]
        await send({"type": "http.response.start", "status": status, "headers": sent})
        await send({"type": "http.response.body", "body": body})

    def _route(self, scheme: str, path: str, query: str, headers: dict[bytes, bytes]) -> tuple[int, bytes, dict[str, str]]:
        contract = self.contract
        if scheme == "http" and not (self.plain_is_secure and headers.get(b"x-forwarded-proto") != b"http"):
            if self.broken == "http.redirect":
                return 200, b"plain", {}
            return 301, b"", {"location": f"https://{contract.domain}{path}{'?' + query if query else ''}"}
        secured = dict(contract.response_headers)
        if contract.basic_auth:
            if path == contract.health_path:
                return (401 if self.broken == "auth.health" else 200), b"ok", secured
            refused = self._refused(path, headers.get(b"authorization", b""))
            if refused is not None:
                return 401, b"", {**secured, **refused}
        elif self.broken == "auth.challenge":
            return 401, b"", {**secured, "www-authenticate": 'Basic realm="x"'}
        if path == "/" and contract.entry_path != "/":
            return 302, b"", {**secured, "location": "/elsewhere" if self.broken == "app.root" else contract.entry_path}
        if path == "/config.json":
            values = {} if self.broken == "app.config" else contract.config_json
            return 200, json.dumps(values).encode(), {**secured, "content-type": "application/json"}
        return self._file(path, secured)

    def _refused(self, path: str, given: bytes) -> dict[str, str] | None:
        right = b"Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode())
        if self.broken == "auth.wrong" and given:
            return None
        if self.broken == "auth.everything" and path.startswith("/assets/"):
            return None
        if given == right and self.broken != "auth.accepted":
            return None
        realm = "another realm" if self.broken == "auth.challenge" else self.contract.basic_auth_realm
        return {"www-authenticate": f'Basic realm="{realm}", charset="UTF-8"'}

    def _file(self, path: str, secured: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        key = path.lstrip("/")
        entry = self.contract.entry_path
        if path == entry or path.startswith(entry.rstrip("/") + "/"):
            deep = path != entry
            if self.broken == "app.entry" and not deep:
                return 200, b"maintenance", {**secured, "content-type": "text/plain"}
            if self.broken == "app.deep_link" and deep:
                return 404, b"<Error/>", {**secured, "content-type": "application/xml"}
            key = self.contract.index_document.lstrip("/")
        file = self.folder / key
        if key in self.generated and self.broken != "app.missing":
            return 200, self.generated[key], {**secured, "content-type": content_type(key)}
        if not file.is_file() or (self.broken == "assets.load" and "index-" in key):
            if self.broken == "app.missing":
                return 200, b"<!doctype html><script></script>", {**secured, "content-type": "text/html"}
            return 404, self.generated["404.html"], {**secured, "content-type": "text/html; charset=utf-8"}
        body = file.read_bytes()
        if self.broken == "app.release" and key == "index.html":
            body += b"<!-- of yesterday -->"
        return 200, body, {**secured, "content-type": content_type(key), "cache-control": cache_control(key, self.contract.cache_rules)}

    def _spoil(self, path: str, status: int, headers: dict[str, str]) -> None:
        page = path == self.contract.entry_path
        if page and status == 200:
            headers |= {"x-cache": "Hit from cloudfront", "age": "5"}
        asset = path.startswith("/assets/")
        if self.broken == "cache.page" and page:
            headers["cache-control"] = "public, max-age=31536000"
        if self.broken == "cache.assets" and asset:
            headers["cache-control"] = "no-store"
        if self.broken == "headers.page" and page:
            headers.pop("content-security-policy", None)
        if self.broken == "headers.assets" and not page:
            headers["x-frame-options"] = "ALLOWALL"
        if self.broken == "headers.hsts" and status == (401 if self.contract.basic_auth else 404):
            headers.pop("strict-transport-security", None)
        if self.broken == "assets.cloudfront" and asset:
            headers.pop("x-amz-cf-id")
        if self.broken == "http.3":
            headers.pop("alt-svc")


@contextmanager
def served(app: Any, context: ssl.SSLContext | None) -> Iterator[int]:
    """The application on a port of loopback, in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    port: int = listener.getsockname()[1]
    stop: list[Callable[[], None]] = []
    loops: list[asyncio.AbstractEventLoop] = []
    ready = threading.Event()

    async def main() -> None:
        ended = asyncio.Event()
        stop.append(ended.set)
        loops.append(asyncio.get_running_loop())
        config = Config()
        config.bind = [f"fd://{listener.detach()}"]  # hypercorn closes it
        config.loglevel = "CRITICAL"
        config.graceful_timeout = 0.2
        if context is not None:
            config.certfile = config.keyfile = "in the context"
            config.create_ssl_context = lambda: context  # type: ignore[method-assign]
        ready.set()
        await serve(app, config, shutdown_trigger=ended.wait)

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert ready.wait(180)
    try:
        yield port
    finally:
        loops[0].call_soon_threadsafe(stop[0])
        thread.join(180)


def authority() -> trustme.CA:
    """Of the test's certificates."""
    return trustme.CA()


def tls(ca: trustme.CA, *names: str, alpn: tuple[str, ...] = ("h2", "http/1.1"), expires: Any = None) -> ssl.SSLContext:
    """A server's context, TLS 1.2 and 1.3."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(list(alpn))
    ca.issue_cert(*names, not_after=expires).configure_cert(context)
    return context


@contextmanager
def name_server(records: dict[tuple[str, str], tuple[str, ...]]) -> Iterator[int]:
    """Answers from a table of (name, type); the table may be changed while it runs."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, sender = self.request
            query = dns.message.from_wire(data)
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.AA | dns.flags.RA
            asked = query.question[0]
            found = records.get((asked.name.to_text().rstrip("."), dns.rdatatype.to_text(asked.rdtype)), ())
            if found:
                answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", dns.rdatatype.to_text(asked.rdtype), *found))
            sender.sendto(answer.to_wire(), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
