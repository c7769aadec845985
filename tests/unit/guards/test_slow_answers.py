"""An answer that drips ends like one that does not come; one that is only slow does not."""

from __future__ import annotations

import contextlib
import copy
import functools
import io
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO, RawIOBase
from typing import Any, cast

import pytest
from botocore.awsrequest import AWSHTTPConnectionPool
from botocore.utils import ContainerMetadataFetcher, InstanceMetadataFetcher

from aws.bodies import hold_to_a_speed
from aws.errors import NetworkError
from aws.s3 import S3
from aws.session import Aws, Settings, StaticCredentials
from circuit_breaker import CircuitBreaker
from direct.client import Client
from direct.settings import Access
from direct.signing import Keys
from guards.slow_answers import COPYING, LOWEST_SPEED, MOST, MOST_OF_HEAD, Incoming, Pace, PatientResponse, SteadyResponse, SteadySocket
from tests.unit.website.visits import NOW

ACCOUNT, REGION = "111122223333", "eu-west-1"


@dataclass
class Dripping(RawIOBase):
    """A socket of which each read takes so many seconds and gives so many bytes."""

    reads: Iterator[tuple[float, int]]
    time: float = 0.0
    ended: list[str] = field(default_factory=list)

    def readinto(self, buffer: Any) -> int:
        seconds, count = next(self.reads, (0.0, 0))
        self.time += seconds
        buffer[:count] = b"x" * count
        return count

    def close(self) -> None:
        self.ended.append("closed")


def read_all(*reads: tuple[float, int], timeout: float = 30.0, more: float = 0.0) -> int:
    """The bytes that came in."""
    socket_ = Dripping(iter(reads))
    incoming = Incoming(socket_, Pace(timeout, more=more), lambda: socket_.time)
    buffer, received = bytearray(100_000), 0
    while count := incoming.readinto(buffer):
        received += count
    return received


def test_one_byte_a_second_is_given_up_after_the_time_out() -> None:
    assert read_all(*[(1.0, 1)] * 31) == 31
    with pytest.raises(TimeoutError, match=r"^32 bytes in 31 seconds$"):
        read_all(*[(1.0, 1)] * 32)


def test_what_is_slow_but_keeps_coming_in_is_read_to_its_end_however_long_that_takes() -> None:
    assert read_all(*[(1.0, LOWEST_SPEED)] * 10_000) == 10_000 * LOWEST_SPEED
    with pytest.raises(TimeoutError):
        read_all(*[(1.0, LOWEST_SPEED // 2)] * 10_000)


def test_the_wait_for_the_first_byte_is_the_sockets_own_to_bound() -> None:
    assert read_all((29.0, 1), (29.0, 1)) == 2


def test_a_process_that_stood_still_for_an_hour_takes_what_has_come_in_meanwhile() -> None:
    assert read_all((1.0, 100), (3600.0, 100), (0.0, 100)) == 300


@pytest.mark.parametrize(
    ("method", "url", "headers", "kind"),
    [
        ("PUT", "/key", {"X-Amz-Copy-Source": "other/key"}, PatientResponse),
        ("POST", "/key?uploadId=1", {}, PatientResponse),
        ("PUT", "/key?uploadId=1&partNumber=2", {}, SteadyResponse),
        ("PUT", "/latest/api/token", {}, SteadyResponse),
        ("POST", "/", {}, SteadyResponse),
    ],
)
def test_s3_may_send_blanks_until_its_work_is_done_and_nobody_else(
    method: str, url: str, headers: dict[str, str], kind: type[SteadyResponse]
) -> None:
    hold_to_a_speed()
    ours, theirs = socket.socketpair()
    connection: Any = AWSHTTPConnectionPool.ConnectionCls("s3.invalid")
    with ours, theirs:
        connection.sock = ours
        connection.request(method, url, headers=headers)
        assert connection.response_class is kind
        theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        connection.getresponse()
        connection.request("GET", "/key")
        assert connection.response_class is SteadyResponse, "the next one on the same connection"
    assert (SteadyResponse.more, PatientResponse.more) == (0.0, COPYING)
    with contextlib.nullcontext() if kind is PatientResponse else pytest.raises(TimeoutError):
        assert read_all(*[(20.0, 1)] * 45, more=kind.more) == 45


def test_a_copy_that_is_never_done_is_given_up() -> None:
    with pytest.raises(TimeoutError):
        read_all(*[(20.0, 1)] * 100, more=COPYING)


def test_the_socket_is_closed_with_the_answer() -> None:
    there = Dripping(iter(()))
    Incoming(there, Pace(1.0)).close()
    assert there.ended == ["closed"]


@contextlib.contextmanager
def answering(*parts: bytes) -> Iterator[str]:
    """An endpoint that sends these, one every 20 ms, and hangs up."""

    def one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65_536)
            for part in parts:
                connection.sendall(part)
                time.sleep(0.02)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


DRIPS = (b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\nContent-Type: text/xml\r\nETag: e\r\n\r\n", *[b" "] * 40)
"""Reading all of it takes ten times the patience of `client`."""


@functools.cache
def session() -> Aws:
    """One for all: reading what botocore knows of S3 takes the time."""
    keys = StaticCredentials(access_key="test", secret_key="test")
    aws = Aws(
        endpoint_url="",
        static_credentials=lambda _: keys,
        settings=Settings(read_timeout=0.05, total_attempts=1),
        breaker=CircuitBreaker(quiet=0.0),
    )
    opened = aws._new_session(lambda: ACCOUNT)
    opened.set_credentials("test", "test")
    aws._sessions[(ACCOUNT, None)] = opened
    return aws


def client(endpoint: str) -> S3:
    aws = copy.copy(session())
    aws._endpoint_url, aws._clients = endpoint, {}
    return S3.connect(aws, account_id=ACCOUNT, region=REGION)


@pytest.mark.parametrize("operation", ["list", "get"])
def test_a_client_of_aws_gives_up_a_body_that_drips(operation: str) -> None:
    with answering(*DRIPS) as endpoint, pytest.raises(NetworkError, match=r"(?i)timed? ?out"):
        list(client(endpoint).list("bucket")) if operation == "list" else client(endpoint).get("bucket", "key")


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((b"HTTP/1.1 100 Continue\r\n",), "Connection was closed"),
        ((b"HTTP/1.1 100 Continue\r\n" + b"X-A: b\r\n" * 200,), "Connection was closed"),
        ((b"HTTP/1.1 100 Continue\r\nX-A: ", *[b"b"] * 40), "Connection was closed"),
        ((b"HTTP/1.1 403 Forbidden\r\nX-A: ", *[b"b"] * 40), "(?i)timed? ?out"),
    ],
    ids=["ends in its head", "goes on for ever", "drips", "refuses, and drips"],
)
def test_the_answer_before_an_upload_is_held_to_the_same(parts: tuple[bytes, ...], words: str) -> None:
    """botocore uploads what is a file with "Expect: 100-continue", and reads the answer to that by itself."""
    with answering(*parts) as endpoint, pytest.raises(NetworkError, match=words):
        client(endpoint).client.put_object(Bucket="bucket", Key="key", Body=BytesIO(b"x"))


def test_answers_that_only_say_to_go_on_have_an_end() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        threading.Thread(target=_send, args=(theirs, b"HTTP/1.1 100 Continue\r\n\r\n" * (MOST_OF_HEAD // 20)), daemon=True).start()
        ours.settimeout(30.0)
        answer = SteadyResponse(ours, method="GET")
        with pytest.raises(OSError, match="more than 1,048,576 bytes"):
            answer.begin()


def _send(connection: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(data)


def test_after_the_head_the_body_may_be_larger() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
        ours.settimeout(30.0)
        answer: Any = SteadyResponse(ours, method="GET")
        answer.begin()
        assert (answer.fp.raw.pace.most, answer.read()) == (MOST, b"x")


def test_a_connection_by_a_proxy_or_for_credentials_has_the_same_patience() -> None:
    client("http://aws.invalid")
    container, machine = (vars(each)["_session"] for each in (ContainerMetadataFetcher(), InstanceMetadataFetcher()))
    for url in ("https://aws.invalid", "http://aws.invalid"):
        for sessions in (container, machine):
            manager = sessions._get_connection_manager(url)
            assert manager.connection_from_url(url).ConnectionCls.response_class is SteadyResponse
        manager = container._get_connection_manager(url, "http://proxy.invalid:3128")
        assert manager.connection_from_url(url).ConnectionCls.response_class is SteadyResponse


@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:1"])
def test_what_asks_without_botocore_has_the_same_patience(endpoint: str) -> None:
    client = Client(Access(keys=Keys(access_key="a", secret_key="s"), endpoint=endpoint), REGION, lambda: NOW)
    assert client._connection("s3.invalid").response_class is SteadyResponse


# --- the bounds themselves -------------------------------------------------------------------------------------------


def test_a_kilobyte_buys_a_second_and_no_more() -> None:
    pace = Pace(1.0)
    pace.took(1024, 100.0)
    for _ in range(2):
        pace.took(0, 50.0)
    with pytest.raises(TimeoutError, match="1024 bytes in 2 seconds"):
        pace.took(0, 0.0005)
    longer = Pace(1.0, more=1.0)
    longer.took(1024, 0.0)
    for _ in range(3):
        longer.took(0, 1.0)


def test_the_largest_answer_is_taken_and_a_byte_more_is_not() -> None:
    pace = Pace(1.0, most=10)
    pace.took(10, 0.0)
    with pytest.raises(OSError, match="more than 10 bytes"):
        pace.took(1, 0.0)
    assert Pace(1.0).most == 2**30


class Plain:
    """A socket that has nothing to read."""

    def makefile(self, mode: str, buffering: int) -> io.RawIOBase:
        return cast("io.RawIOBase", io.BytesIO())

    def gettimeout(self) -> float | None:
        return 2.0

    def fileno(self) -> int:
        return 77


def test_a_steady_socket_is_buffered_unless_asked_not_to_and_otherwise_the_socket_itself() -> None:
    steady = SteadySocket(Plain())
    assert isinstance(steady.makefile("rb"), io.BufferedReader)
    assert isinstance(steady.makefile("rb", 1), io.BufferedReader)
    raw = steady.makefile("rb", 0)
    assert isinstance(raw, Incoming)
    assert raw.readinto(bytearray(1)) == 0
    assert steady.fileno() == 77
    raw.pace.took(1024, 0.0)
    raw.pace.took(0, 2.0)
    raw.pace.took(0, 1.0)
    with pytest.raises(TimeoutError):
        raw.pace.took(0, 0.1)
    raw.close()
    assert raw.closed
