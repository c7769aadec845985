"""How `verify` asks: against a server on this machine, over TLS and without."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import trustme

from tests.unit.website.visits import NOW, SITE_CONTRACT
from verification.model import Endpoint, Failed, Skipped, Target
from verification.probe import BODY_LIMIT, LOOKED_AT, Answer, Probe
from verification.registry import registered
from verification.verify import made

OPEN = msgspec.structs.replace(SITE_CONTRACT, basic_auth=False)


@dataclass
class Seen:
    """One request."""

    path: str
    host: str
    headers: dict[str, str]


@dataclass
class Server:
    """Answers everything, and remembers it."""

    port: int
    seen: list[Seen]

    def endpoint(self, *, tls: bool, host: str = "127.0.0.1") -> Endpoint:
        return Endpoint(host=host, port=self.port, tls=tls)


@contextmanager
def serving(context: ssl.SSLContext | None = None, body: bytes = b"hello") -> Iterator[Server]:
    seen: list[Seen] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen.append(Seen(self.path, headers.get("host", ""), headers))
            self.send_response(302 if self.path == "/moved" else 200)
            self.send_header("location", "/elsewhere")
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass

    server = Quiet(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Server(server.server_address[1], seen)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def asking(target: Target) -> Iterator[Probe]:
    with Probe(replace(target, timeout=60.0), lambda: NOW) as probe:
        yield probe


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, str]:
    made_by = trustme.CA()
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    made_by.cert_pem.write_to_path(str(file))
    return made_by, str(file)


def certified(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def test_a_preview_is_asked_under_the_sites_own_name_and_once() -> None:
    with serving() as server, asking(Target(contract=OPEN, endpoint=server.endpoint(tls=False))) as probe:
        first = probe.get("/buy")
        assert (first.status, first.body, first.is_html, first.version) == (200, b"hello", True, "HTTP/1.0")
        assert probe.get("/buy") is first
        assert probe.get("/moved").status == 302, "redirects are looked at, not followed"
        probe.get("/buy", encoding="br", again=1)
    assert [each.path for each in server.seen] == ["/buy", "/moved", "/buy"]
    assert {each.host for each in server.seen} == {"dev.example.com"}
    assert [each.headers["accept-encoding"] for each in server.seen] == ["gzip", "gzip", "br"]
    assert not any("authorization" in each.headers for each in server.seen)


def test_the_password_goes_along_where_it_is_wanted() -> None:
    with serving() as server:
        target = Target(contract=SITE_CONTRACT, username="ann", password="pw", endpoint=server.endpoint(tls=False))
        with asking(target) as probe:
            probe.get("/buy")
            probe.get("/buy", credentials=False)
            probe.get("/buy", credentials=("bob", "other"))
        with asking(target) as probe:
            probe.get_plain("/buy")
    sent = [each.headers.get("authorization", "") for each in server.seen]
    assert sent == ["Basic YW5uOnB3", "", "Basic Ym9iOm90aGVy", ""]


@pytest.mark.attack
def test_the_password_is_never_sent_to_another_machine_without_tls() -> None:
    for host, sent in (("192.0.2.1", False), ("example.com", False), ("127.0.0.1", True), ("localhost", True), ("::1", True)):
        target = Target(contract=SITE_CONTRACT, password="pw", endpoint=Endpoint(host=host, port=1, tls=False))
        with asking(target) as probe:
            if sent:
                assert probe._credentials(True) == ("", "pw")
            else:
                with pytest.raises(Skipped, match=f"the password is not sent to {host} without TLS"):
                    probe.get("/buy")
    with asking(Target(contract=SITE_CONTRACT, password="pw", endpoint=Endpoint(host="192.0.2.1", port=1))) as probe:
        assert probe._credentials(True) == ("", "pw")
    with (
        asking(Target(contract=SITE_CONTRACT, endpoint=Endpoint(host="127.0.0.1", port=1))) as probe,
        pytest.raises(Skipped, match="needs"),
    ):
        probe.get("/buy")


def test_plain_http_is_asked_at_its_own_port_or_told_to_a_preview_by_a_header() -> None:
    with serving() as server:
        with asking(Target(contract=OPEN, endpoint=server.endpoint(tls=False))) as probe:
            probe.get_plain("/buy?x=1")
        with asking(Target(contract=OPEN, endpoint=Endpoint(host="127.0.0.1", port=1), plain_endpoint=server.endpoint(tls=True))) as probe:
            probe.get_plain("/buy")
        with (
            asking(Target(contract=OPEN, endpoint=Endpoint(host="127.0.0.1", port=1))) as probe,
            pytest.raises(Skipped, match="names no plain"),
        ):
            probe.get_plain("/buy")
    assert [(each.path, each.headers.get("x-forwarded-proto")) for each in server.seen] == [("/buy?x=1", "http"), ("/buy", None)]


def test_a_preview_has_no_tls_to_look_at() -> None:
    with (
        asking(Target(contract=OPEN, endpoint=Endpoint(host="127.0.0.1", port=1, tls=False))) as probe,
        pytest.raises(Skipped, match="--https"),
    ):
        probe.address()
    with asking(Target(contract=OPEN, endpoint=Endpoint(host="127.0.0.1", port=8443))) as probe:
        assert probe.address() == ("127.0.0.1", 8443)
    with asking(Target(contract=OPEN)) as probe:
        assert probe.address() == ("dev.example.com", 443)


def test_an_answer_without_an_end_is_cut_off() -> None:
    with serving(body=bytes(BODY_LIMIT)) as server, asking(Target(contract=OPEN, endpoint=server.endpoint(tls=False))) as probe:
        assert len(probe.get("/").body) == BODY_LIMIT
    with serving(body=bytes(BODY_LIMIT + 1)) as server:
        endless = Target(contract=OPEN, endpoint=server.endpoint(tls=False))
        with asking(endless) as probe, pytest.raises(Failed, match="answers with more than 33,554,432 bytes"):
            probe.get("/")


def test_the_head_says_how_long_the_first_byte_took() -> None:
    moments = chain((0.0, 3.0), repeat(9.0))
    with serving() as server, asking(Target(contract=OPEN, endpoint=server.endpoint(tls=False))) as probe:
        probe.now = lambda: NOW + timedelta(seconds=next(moments))
        assert probe.get("/").first_byte == 3.0


def look(check: str, target: Target) -> tuple[str, str]:
    [found] = [each for each in registered() if each.id == check]
    with asking(target) as probe:
        result = made(found, probe)
    assert result is not None
    return result.status, result.detail


def test_tls_is_looked_at_under_the_sites_name(authority: tuple[trustme.CA, str]) -> None:
    context = certified(authority[0], "dev.example.com", "example.com")
    with serving(context) as server:
        target = Target(contract=OPEN, endpoint=server.endpoint(tls=True), ca_file=authority[1])
        assert look("tls.chain", target)[0] == "passed"
        assert look("tls.names", target) == ("passed", "names dev.example.com, example.com")
        assert look("tls.1.2", target) == ("passed", "TLS 1.2 accepted")
        assert look("tls.1.3", target) == ("passed", "TLS 1.3 accepted")
        assert look("tls.old", target)[0] in ("passed", "skipped")
        with asking(target) as probe:
            assert probe.get("/buy").status == 200
    assert [each.host for each in server.seen] == ["dev.example.com"]


def test_a_certificate_of_another_name_or_authority_fails(authority: tuple[trustme.CA, str]) -> None:
    with serving(certified(authority[0], "other.example.com")) as server:
        status, detail = look("tls.chain", Target(contract=OPEN, endpoint=server.endpoint(tls=True), ca_file=authority[1]))
        assert status == "failed" and "Hostname mismatch" in detail
        assert look("app.entry", Target(contract=OPEN, endpoint=server.endpoint(tls=True), ca_file=authority[1]))[0] == "failed"
    with serving(certified(authority[0], "www.example.com")) as server:
        target = Target(contract=SITE_CONTRACT, password="pw", endpoint=server.endpoint(tls=True), ca_file=authority[1])
        with asking(target) as probe:
            assert probe.get_host("www.example.com", "/buy").status == 200
        assert [(each.host, "authorization" in each.headers) for each in server.seen] == [("www.example.com", False)]
    with serving(certified(trustme.CA(), "dev.example.com")) as server:
        status, detail = look("tls.chain", Target(contract=OPEN, endpoint=server.endpoint(tls=True), ca_file=authority[1]))
        assert status == "failed" and "CERTIFICATE_VERIFY_FAILED" in detail


def test_a_version_that_the_site_must_not_speak_is_found(authority: tuple[trustme.CA, str]) -> None:
    only_old = certified(authority[0], "dev.example.com")
    only_old.maximum_version = ssl.TLSVersion.TLSv1_2
    with serving(only_old) as server:
        target = Target(contract=OPEN, endpoint=server.endpoint(tls=True), ca_file=authority[1])
        assert look("tls.1.3", target) == ("failed", "TLS 1.3 refused")
        strict = replace(target, contract=msgspec.structs.replace(OPEN, minimum_protocol_version="TLSv1.3_2025"))
        assert look("tls.1.2", strict)[0] == "failed"


def test_another_host_is_asked_without_the_sites_name_and_without_credentials() -> None:
    with serving() as server, asking(Target(contract=SITE_CONTRACT, password="pw")) as probe:
        found = probe.get_elsewhere(f"http://127.0.0.1:{server.port}/index.html")
    assert found.status == 200
    assert server.seen[0].host == f"127.0.0.1:{server.port}" and "authorization" not in server.seen[0].headers


def test_a_proxy_is_asked_for_the_public_site_and_goes_around_nothing_that_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would answer in the place of the endpoint that was asked for."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving(body=b"proxy") as proxy, serving(body=b"preview") as preview:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        with asking(Target(contract=OPEN)) as probe:
            assert (probe.get_plain("/buy").body, probe.get_elsewhere("http://bucket.example.org/").body) == (b"proxy", b"proxy")
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with asking(Target(contract=OPEN)) as probe, pytest.raises(httpx.ProxyError):
            probe.get_host("www.example.com", "/")
        with asking(Target(contract=OPEN, endpoint=preview.endpoint(tls=False))) as probe:
            named = [probe.get("/buy"), probe.get_plain("/buy"), probe.get_host("www.example.com", "/buy")]
        assert [each.body for each in named] == [b"preview"] * 3
    assert [each.path for each in proxy.seen] == ["http://dev.example.com/buy", "http://bucket.example.org/"]
    assert [each.host for each in preview.seen] == ["dev.example.com", "dev.example.com", "www.example.com"]


def test_addresses_of_the_sixth_version_stand_in_brackets() -> None:
    with pytest.raises(Exception) as raised, asking(Target(contract=OPEN, endpoint=Endpoint(host="::1", port=1, tls=False))) as probe:
        probe.get("/")
    assert not isinstance(raised.value, (Failed, Skipped)) and "Invalid port" not in str(raised.value)


def test_name_servers_that_are_given_are_asked_and_no_others() -> None:
    with asking(Target(contract=OPEN, nameservers=(("192.0.2.53", 5353), ("192.0.2.54", 53)))) as probe:
        assert [str(each) for each in probe.resolver.nameservers] == ["192.0.2.53", "192.0.2.54"]
        assert probe.resolver.nameserver_ports == {"192.0.2.53": 5353, "192.0.2.54": 53}


def test_a_name_server_is_asked_over_the_network() -> None:
    """One that answers 192.0.2.7 to everything, by hand (RFC 1035, section 4)."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def serve() -> None:
        asked, sender = server.recvfrom(512)
        question = asked[12 : asked.index(b"\0", 12) + 5]
        record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x07"
        server.sendto(asked[:2] + b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" + question + record, sender)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with server, asking(Target(contract=OPEN, nameservers=(("127.0.0.1", server.getsockname()[1]),))) as probe:
        assert probe.addresses("dev.example.com", "A") == ("192.0.2.7",)
        thread.join()


def test_no_more_than_forty_assets_are_loaded() -> None:
    page = b"".join(b'<script src="/a%d.js"></script>' % number for number in range(50))
    with serving(body=page) as server, asking(Target(contract=OPEN, endpoint=server.endpoint(tls=False))) as probe:
        assert len(probe.asset_paths) == 40 and probe.asset_paths[0] == "/a0.js"


def test_what_has_been_asked_for_is_looked_at_again_beyond_the_limit() -> None:
    with serving() as server, asking(Target(contract=OPEN, endpoint=server.endpoint(tls=False))) as probe:
        for number in range(LOOKED_AT - 1):
            probe._looked.add(f"/{number}")
        assert probe._find("/missing.js") is None, "it answers what the page answers"
        assert probe._find("/missing.js") is None, "and is no new one"
        taken = probe._find("/another.js")
        assert taken is not None and taken.body() == b"", "taken to be there"
    assert {each.path for each in server.seen} == {"/buy", "/missing.js"}


def test_what_is_html() -> None:
    assert Answer(200, httpx.Headers({"content-type": "text/html; charset=utf-8"}), b"", "").is_html
    assert not Answer(200, httpx.Headers({"content-type": "text/plain"}), b"", "").is_html
    assert not Answer(200, httpx.Headers(), b"", "").is_html


def test_clients_are_closed_at_the_end(tmp_path: Path) -> None:
    with serving() as server, asking(Target(contract=OPEN, endpoint=server.endpoint(tls=False))) as probe:
        probe.get("/")
        client = probe._site
        probe.get("/another")
        assert probe._site is client and not client.is_closed
    assert client.is_closed
