"""Whatever of an answer drips, verify gives it up: heads, a proxy's answer, frames without content, compressed bytes that give nothing."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from typing import Any

import h2.config
import h2.connection
import httpcore
import httpx
import pytest

from guards.slow_answers import MOST, Pace
from tests.unit.website.visits import NOW, SITE_CONTRACT
from verification.model import Failed, Target
from verification.probe import SILENCES, Answer, Probe
from verification.steady import Steady

HEAD = b"HTTP/1.1 200 OK\r\n"
TIMEOUT = 15.0


class Line(httpcore.NetworkStream):
    """Each read takes so many seconds and gives these bytes; afterwards it has ended."""

    def __init__(self, reads: Iterable[tuple[float, bytes]]) -> None:
        self.time = 0.0
        self._reads = iter(reads)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        seconds, found = next(self._reads, (0.0, b""))
        self.time += seconds
        return found

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        pass

    def close(self) -> None:
        pass

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> httpcore.NetworkStream:
        return self

    def get_extra_info(self, info: str) -> Any:
        return None


class Net(httpcore.NetworkBackend):
    """Every connection is this line."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def connect_tcp(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        return self._line


def drops(data: bytes) -> Iterator[tuple[float, bytes]]:
    """A byte a second."""
    return ((1.0, bytes((each,))) for each in data)


def asked(
    reads: Iterable[tuple[float, bytes]], *, url: str = "http://site.invalid/", proxy: str = "", http2: bool = False, most: int = MOST
) -> int:
    """The length of the body of what comes in like that."""
    line = Line(reads)
    pace = Pace(TIMEOUT, more=TIMEOUT, most=most)
    net = Steady(Net(line), lambda: pace, lambda: line.time)
    with httpcore.ConnectionPool(network_backend=net, proxy=httpcore.Proxy(proxy) if proxy else None, http1=not http2, http2=http2) as pool:
        return len(pool.request("GET", url).content)


def pings() -> Iterator[tuple[float, bytes]]:
    """HTTP/2 that keeps a connection busy and answers nothing."""
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    server.initiate_connection()
    yield 0.0, server.data_to_send()
    while True:
        server.ping(b"still so")
        yield 1.0, server.data_to_send()


SLOW: dict[str, tuple[Iterable[tuple[float, bytes]], dict[str, Any]]] = {
    "a status line": (drops(HEAD * 4), {}),
    "a field": (chain([(0.0, HEAD)], drops(b"X-Long: " + b"x" * 100)), {}),
    "a size of a chunk": (chain([(0.0, HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;")], drops(b"x" * 100)), {}),
    "a proxy's answer": (drops(HEAD * 4), {"url": "https://site.invalid/", "proxy": "http://proxy.invalid:3128"}),
    "pings": (pings(), {"http2": True}),
}


@pytest.mark.parametrize("what", SLOW)
def test_what_drips_is_given_up(what: str) -> None:
    reads, how = SLOW[what]
    with pytest.raises(httpcore.ReadTimeout, match=r"^too slow: \d+ bytes in \d\d seconds$"):
        asked(reads, **how)


def test_compressed_bytes_that_give_nothing_are_given_up_too() -> None:
    packed = zlib.compressobj(wbits=31)
    empty = b"".join(packed.compress(b"") + packed.flush(zlib.Z_SYNC_FLUSH) for _ in range(20))
    with pytest.raises(httpcore.ReadTimeout):
        asked(chain([(0.0, HEAD + b"Content-Encoding: gzip\r\nContent-Length: 9999\r\n\r\n")], drops(empty)))


def test_informational_answers_without_an_end_are_given_up() -> None:
    with pytest.raises(httpcore.ReadError, match="more than 20,000 bytes"):
        asked(repeat((0.0, b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20)), most=20_000)


def test_what_is_only_slow_is_read() -> None:
    reads = ((TIMEOUT - 1, HEAD), (TIMEOUT - 1, b"Content-Length: 2\r\n\r\nh"), (1.0, b"i"))
    assert asked(reads) == 2


def test_every_client_of_a_probe_is_held_with_its_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    monkeypatch.setenv("NO_PROXY", "internal.example")
    with Probe(Target(contract=SITE_CONTRACT), lambda: NOW) as probe, probe._client(trust_env=True) as client:
        found = [each for each in (client._transport, *client._mounts.values()) if isinstance(each, httpx.HTTPTransport)]
        backends: list[Any] = [each._pool._network_backend for each in found]
        assert all(vars(each._pool)["_http2"] for each in found), "they offer HTTP/2"
        assert len(backends) == 2 and all(isinstance(each, Steady) for each in backends)
        first = probe._pace
        probe._pace = Pace(1.0)
        assert {each._pace() for each in backends} == {probe._pace} != {first}


def test_a_socks_proxy_is_a_result_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy.invalid:1080")
    with (
        Probe(Target(contract=SITE_CONTRACT), lambda: NOW) as probe,
        pytest.raises(Failed, match="a SOCKS proxy is not supported: unset ALL_PROXY"),
    ):
        probe.get_plain("/")


def test_a_host_that_is_silent_is_not_waited_for_by_every_check(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Any] = [
        httpx.ReadTimeout("slow"),
        *[httpx.ReadTimeout("slow")] * (SILENCES - 2),
        answered(),
        *[httpx.ConnectTimeout("slow")] * SILENCES,
    ]
    asked: list[str] = []

    def one(_: Any, url: str, *__: Any) -> Answer:
        asked.append(url)
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        assert isinstance(found, Answer)
        return found

    with Probe(Target(contract=SITE_CONTRACT), lambda: NOW) as probe:
        monkeypatch.setattr(probe, "_asked", one)
        while answers:
            with contextlib.suppress(httpx.TimeoutException):
                probe.get_elsewhere("https://site.example/")
        with pytest.raises(Failed, match=r"site\.example has not answered in time, 3 times in a row, and is asked no more"):
            probe.get_elsewhere("https://site.example/other")
        answers.append(answered())
        assert probe.get_elsewhere("https://another.example/").status == 200
    assert len(asked) == 2 * SILENCES + 1


def answered() -> Answer:
    return Answer(200, httpx.Headers(), b"", "HTTP/2")


def test_waiting_between_two_attempts_to_connect_is_the_inner_backends() -> None:
    waited: list[float] = []

    class Waiting(Net):
        def sleep(self, seconds: float) -> None:
            waited.append(seconds)

    Steady(Waiting(Line(())), lambda: Pace(TIMEOUT)).sleep(0.5)
    assert waited == [0.5]
