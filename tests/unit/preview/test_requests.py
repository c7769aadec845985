"""The preview's port, spoken to by somebody who does not keep to HTTP: over real sockets, one preview with a password, one without."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, ResponseReceived, StreamEnded

from assembly import files
from preview.requests import BODY_LIMIT, LINE_LIMIT, Refused, body_of
from preview.sockets import CONNECTIONS, listen
from stacks.synthesis import synthesise
from tests.browser.previews import PASSWORD, USER, Running, preview
from tests.environments_fixture import environments

pytestmark = pytest.mark.attack

HOST = b"Host: dev.kimmyai.io\r\n"
KNOWN = b"Authorization: Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()) + b"\r\n"


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Running]]:
    """dev over plain HTTP, which asks for a password, and prod over HTTPS beside a plain port."""
    dist, content = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("content")
    for name in ("dev", "prod"):
        found = synthesise(environments()[name])
        templates = {stack.template.file: found.templates[stack.id] for stack in found.assembly.stacks}
        files.write(dist / name, files.files_of(found.assembly, templates))
    (content / "index.html").write_text("<!doctype html><title>app</title>")
    with preview(dist, "dev", content) as dev, preview(dist, "prod", content, "--https", "--http-port", "0") as prod:
        yield dev, prod


@pytest.fixture
def dev(sites: tuple[Running, Running]) -> Running:
    """Asks for a password."""
    return sites[0]


@pytest.fixture
def prod(sites: tuple[Running, Running]) -> Running:
    """Asks for none."""
    return sites[1]


def _said(port: int | None, sent: bytes, *, until_closed: bool = True) -> bytes:
    """Everything that comes back; `until_closed` False: only the head of the answer."""
    with socket.create_connection(("127.0.0.1", port), 120) as connection:
        connection.settimeout(120)
        connection.sendall(sent)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while received := connection.recv(65536):
                answer += received
                if not until_closed and b"\r\n\r\n" in answer:
                    break
    return answer


def _location(answer: bytes) -> bytes:
    return next((line.partition(b": ")[2] for line in answer.split(b"\r\n") if line.lower().startswith(b"location:")), b"")


# --- targets --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [b"http://evil.example/", b"*", b"evil.example:443", b"evil", b"?x", b"@evil.example/", b"\\evil"])
@pytest.mark.parametrize("method", [b"GET", b"OPTIONS", b"CONNECT"])
def test_a_target_that_does_not_begin_with_a_slash_is_400_and_ends_the_connection(
    method: bytes, target: bytes, dev: Running, prod: Running
) -> None:
    for site, host in ((dev.port, b"dev.kimmyai.io"), (prod.http_port, b"kimmyai.io")):
        answer = _said(site, method + b" " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400")
        assert _location(answer) == b""


@pytest.mark.parametrize(
    "target", [b"//evil.example/", b"/\\evil.example/", b"///evil.example", b"/%5cevil.example", b"/%0d%0aSet-Cookie:%20x", b"/.//evil"]
)
def test_no_path_leads_to_another_site(target: bytes, dev: Running, prod: Running) -> None:
    """What begins with a slash is for the edge code to judge, as at AWS; a redirect keeps the host that was asked."""
    answer = _said(dev.port, b"GET " + target + b" HTTP/1.1\r\n" + HOST + KNOWN + b"Connection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    redirect = _said(prod.http_port, b"GET " + target + b" HTTP/1.1\r\nHost: kimmyai.io\r\nConnection: close\r\n\r\n")
    assert _location(redirect) == b"https://kimmyai.io" + target
    assert b"\r\nset-cookie" not in redirect.lower()


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1.evil.example", "localhost.evil.example", "dev.kimmyai.io.evil.example", "evil@localhost", "localhost:80:80"),
        *(
            "dev.kimmyai.io@evil.example",
            "dev.kimmyai.io/evil",
            "127.1",
            "0.0.0.0",
            "dev.kimmyai.io:80\\@evil",
            "localhost#.evil",
            "evil:80",
        ),
    ],
)
def test_another_host_is_403_so_that_a_name_that_leads_here_by_dns_opens_nothing(host: str, dev: Running) -> None:
    answer = _said(dev.port, f"GET /buy HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Proto: http\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 403")
    assert _location(answer) == b""


def test_a_page_of_another_site_is_allowed_nothing(dev: Running, prod: Running) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        for port, host in ((dev.port, "dev.kimmyai.io"), (prod.http_port, "kimmyai.io")):
            head = f"{method} /buy HTTP/1.1\r\nHost: {host}\r\nOrigin: https://evil.example\r\nAccess-Control-Request-Method: PUT\r\n"
            assert b"access-control" not in _said(port, f"{head}Connection: close\r\n\r\n".encode()).lower()
    # Nothing steers the preview by HTTP: what it had to have been told would be found here.
    for path in ("/_preview", "/_preview/reload", "/__reload", "/reload"):
        answer = _said(dev.port, f"POST {path} HTTP/1.1\r\n".encode() + HOST + b"Connection: close\r\n\r\n")
        assert answer.split()[1] in (b"401", b"403")


# --- bodies and framing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST"])
@pytest.mark.parametrize("framing", [b"Content-Length: 1000000000000", b"Transfer-Encoding: chunked"])
def test_who_has_no_password_is_answered_before_the_body_comes_and_cut_off(method: bytes, framing: bytes, dev: Running) -> None:
    """The body never comes. With credentials it would be the same: the site takes none."""
    answer = _said(dev.port, method + b" /buy HTTP/1.1\r\n" + HOST + framing + b"\r\n\r\n")
    assert answer.split()[1] in (b"401", b"403")
    assert b"connection: close" in answer.lower()


def test_content_length_beside_transfer_encoding_is_400_and_what_follows_is_not_a_request(dev: Running) -> None:
    smuggled = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
    head = b"POST /buy HTTP/1.1\r\n" + HOST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = _said(dev.port, head + smuggled)
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert "/smuggled" not in dev.log


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"POST /buy HTTP/1.1\r\n" + HOST + b"Content-Length: 6\r\nContent-Length: 7\r\n\r\n123456", b"400"),
        (b"POST /buy HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n", b"400"),
        (b"POST /buy HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", b"501"),
        (b"GET /buy HTTP/1.1\r\n" + HOST + b"Host: evil.example\r\n\r\n", b"400"),
        (b"GET /buy HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /buy HTTP/1.1\r\n" + HOST + b" folded: x\r\nX : y\r\n\r\n", b"400"),
        (b"GET /\x1b[31m HTTP/1.1\r\n" + HOST + b"\r\n", b"400"),
        (b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n", b"400"),
        (b"GET /buy HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 300_000, b"431"),
        (b"\x16\x03\x01\x00\xff" * 20 + b"\r\n\r\n", b"400"),
    ],
)
def test_what_is_no_clear_http_is_refused_and_cut_off(request_head: bytes, status: bytes, dev: Running) -> None:
    answer = _said(dev.port, request_head)
    # A client that is still sending may lose the answer to the reset.
    assert answer.split()[1:2] in ([status], [] if status == b"431" else [status])


def test_headers_that_trickle_are_not_waited_for(dev: Running) -> None:
    assert _said(dev.port, b"GET /buy HTTP/1.1\r\nX") == b""


def test_log_lines_are_cut_and_nothing_in_them_acts_on_the_terminal(dev: Running) -> None:
    _said(dev.port, b"GET /buy?" + b"long" * 5000 + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    dev.wait_for_log("longlong")
    assert max(map(len, dev.log.split("\n"))) <= LINE_LIMIT + 50
    assert all(character.isprintable() or character == "\n" for character in dev.log)
    assert "401" in next(line for line in dev.log.split("\n") if "longlong" in line)


def test_a_body_that_a_function_wants_has_a_time_and_a_size() -> None:
    left = iter(range(50, -1, -1))

    async def trickle() -> dict[str, object]:
        await asyncio.sleep(0.001)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def flood() -> dict[str, object]:
        return {"type": "http.request", "body": b"x" * 100_000, "more_body": next(left) > 0}

    with pytest.raises(Refused) as refused:
        asyncio.run(body_of(trickle, seconds=0.05))
    assert refused.value.status == 408
    assert len(asyncio.run(body_of(flood))) == BODY_LIMIT + 1


# --- HTTP/2 -------------------------------------------------------------------------------------------------------------------


def _over_http2(site: Running, headers: list[tuple[bytes, bytes]]) -> bytes:
    """The status, or b"" where the connection ends without one."""
    context = ssl.create_default_context(cafile=str(site.authority))
    context.set_alpn_protocols(["h2"])
    config = H2Configuration(header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False)
    status = b""
    with (
        socket.create_connection(("127.0.0.1", site.port), 120) as plain,
        context.wrap_socket(plain, server_hostname="kimmyai.io") as connection,
        contextlib.suppress(OSError),
    ):
        h2 = H2Connection(config)
        h2.initiate_connection()
        h2.send_headers(1, headers, end_stream=True)
        connection.sendall(h2.data_to_send())
        while received := connection.recv(65536):
            events = h2.receive_data(received)
            connection.sendall(h2.data_to_send())
            status = next((dict(e.headers)[b":status"] for e in events if isinstance(e, ResponseReceived)), status)
            if any(isinstance(e, (StreamEnded, ConnectionTerminated)) for e in events):
                break
    return status


def test_http_2_s_ways_to_say_it_are_refused_too_and_leave_no_traceback(prod: Running) -> None:
    given = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"kimmyai.io")]
    for path in (b"http://evil.example/", b"*", b"/a b", b"/\x1b[31m"):
        assert _over_http2(prod, [*given, (b":path", path)]) == b"400"
    for headers in (
        [*given, (b":path", b"/\xff\xfe")],
        [*given, (b":path", b"")],
        given,
        [(b":method", b"CONNECT"), (b":authority", b"evil.example:443")],
        [*given, (b":path", b"/buy"), (b"transfer-encoding", b"chunked")],
        [*given, (b":path", b"/buy"), (b"host", b"evil.example")],
        [*given, (b":path", b"/buy"), (b"x-a", b"a\r\nb: c")],
    ):
        assert _over_http2(prod, headers) == b""
    assert _over_http2(prod, [*given, (b":path", b"/buy")]) == b"200"
    assert "Traceback" not in prod.log


# --- a folder that changes while it is served -----------------------------------------------------------------------------------


def test_a_pipe_or_a_link_that_comes_later_is_refused_as_at_the_start_and_nobody_waits(dev: Running) -> None:
    os.mkfifo(dev.content / "pipe.txt")
    (dev.content / "passwd.txt").symlink_to("/etc/passwd")
    try:
        dev.wait_for_log("note: publish would refuse this: ", count=2)
        assert "pipe.txt: not a regular file: a pipe" in dev.log
        assert "passwd.txt: links to /etc/passwd, outside of" in dev.log
        for path in (b"/pipe.txt", b"/passwd.txt"):
            answer = _said(dev.port, b"GET " + path + b" HTTP/1.1\r\n" + HOST + KNOWN + b"Connection: close\r\n\r\n")
            assert answer.split()[1] in (b"403", b"404")
    finally:
        (dev.content / "pipe.txt").unlink()
        (dev.content / "passwd.txt").unlink()


def test_the_certificate_of_the_authority_replaces_a_link_and_no_key_was_written(prod: Running) -> None:
    authority = prod.authority
    assert not authority.is_symlink()
    assert "PRIVATE" not in authority.read_text()
    assert not [path for path in authority.parent.iterdir() if path.name.startswith(".")]


# --- what a client may hold -----------------------------------------------------------------------------------------------------


def test_a_connection_too_many_is_dropped_and_those_before_it_are_served_on() -> None:
    async def run() -> tuple[bytes, bytes, bytes]:
        async with _echo(listen(0, limit=2)) as port:
            first, second, third = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
            answers = []
            for reader, writer in (third, first):
                with contextlib.suppress(ConnectionError):
                    writer.write(b"x")
                    answers.append(await reader.read(1))
            second[1].close()
            first[1].close()
            after = b""
            while not after:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                with contextlib.suppress(ConnectionError):
                    writer.write(b"y")
                    after = await reader.read(1)
            return answers[0] if len(answers) == 2 else b"", answers[-1], after

    assert asyncio.run(asyncio.wait_for(run(), 180)) == (b"", b"x", b"y")


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux only")
def test_an_answer_that_nobody_reads_ends_the_connection() -> None:
    ended = asyncio.Event()

    async def run() -> None:
        async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"x" * 50_000_000)
            try:
                await writer.drain()
            except OSError:
                ended.set()

        async with await asyncio.start_server(flood, sock=listen(0, unread_seconds=0.5)) as server:
            with socket.create_connection(server.sockets[0].getsockname()):
                await ended.wait()

    asyncio.run(asyncio.wait_for(run(), 180))


@contextlib.asynccontextmanager
async def _echo(listener: socket.socket) -> AsyncIterator[int]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while received := await reader.read(1):
                writer.write(received)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, sock=listener)
    yield listener.getsockname()[1]
    server.close()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux only")
def test_the_preview_s_own_ports_have_the_limits(dev: Running) -> None:
    """More clients than are served at once: the last ones are dropped, and when they are gone the next is answered."""
    with contextlib.ExitStack() as held:
        opened = [held.enter_context(socket.create_connection(("127.0.0.1", dev.port), 120)) for _ in range(CONNECTIONS + 20)]
        opened[-1].settimeout(120)
        with contextlib.suppress(ConnectionError):
            assert opened[-1].recv(1) == b""
    # Hypercorn keeps a connection that its client has ended until it would have been idle for too long.
    deadline = time.monotonic() + 180
    while not (answer := _said(dev.port, b"GET /buy HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert answer.startswith(b"HTTP/1.1 401")
