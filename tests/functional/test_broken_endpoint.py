"""Verbs as processes against an endpoint that gives every call the same useless answer: an exit status, one line, no traceback.

Each answer meets one verb here and every operation in tests/unit/aws, also what is tried again for a minute (5xx, resets).
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional import frontend
from tests.functional.harness import CommandLine
from tests.functional.small_platform import ENV, Platform

pytestmark = pytest.mark.functional

PAGE = b"<!doctype html><html><head><title>Gate</title></head><body>\n<p>Please\nlog in.</p></body></html>"
DENIED = b"<Error><Code>SomeoneElses</Code><Message>not\nyours</Message><RequestId>1</RequestId></Error>"


def http(status: str, kind: str, body: bytes, *headers: str) -> bytes:
    more = "".join(f"{header}\r\n" for header in headers)
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


ANSWERS = {
    "a page": http("200 OK", "text/html", PAGE),
    "nothing": http("200 OK", "text/xml", b""),
    "half of XML": http("200 OK", "text/xml", b"<GetCallerIdentityResponse><GetCallerIdentityResult><Acc"),
    "half of JSON": http("200 OK", "application/x-amz-json-1.1", b'{"Account": "1'),
    "another service's refusal": http("403 Forbidden", "application/xml", DENIED),
    "a megabyte": http("400 Bad Request", "text/xml", b"<Error><Code>X</Code><Message>" + b"long\n" * 200_000 + b"</Message></Error>"),
    "a redirect": http("302 Found", "text/html", b"", "Location: http://127.0.0.1:9/login"),
}
LONGEST = 700
"""Characters of a line: AWS's words, which are cut, and where it was."""


class Endpoint:
    """The one answer to whatever is asked."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._one, args=(self._listening.accept()[0],), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection:
            read = b""
            while b"\r\n\r\n" not in read:
                read += connection.recv(65536) or b"\r\n\r\n"
            head, _, body = read.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            while length and len(body) < int(length[1]):
                body += connection.recv(65536) or b" " * int(length[1])
            connection.sendall(self._answer)


@pytest.fixture
def endpoint(answer: str) -> Iterator[Endpoint]:
    made = Endpoint(ANSWERS[answer])
    yield made
    made.close()


@pytest.mark.parametrize(
    ("answer", "verb", "more"),
    [
        ("a page", "plan", ()),
        ("a redirect", "apply", ("--yes",)),
        ("nothing", "status", ()),
        ("half of XML", "doctor", ()),
        ("half of JSON", "publish", ("--yes", "--content", "{app}")),
        ("another service's refusal", "verify", ()),
        ("a megabyte", "status", ()),
    ],
)
def test_no_answer_ends_in_a_traceback(endpoint: Endpoint, account: str, tmp_path: Path, verb: str, more: tuple[str, ...]) -> None:
    line = CommandLine(home=tmp_path, endpoint_url=endpoint.url, account_id=account, extra={"NO_PROXY": "127.0.0.1"})
    Platform(account=account, dist=tmp_path / "dist", line=line).build()
    app = str(frontend.built(tmp_path / "app"))
    words = [word.format(app=app) for word in more]
    ended = line.deploy(verb, "--env", ENV, "--dist", str(tmp_path / "dist"), *words)
    said = (ended.stdout + ended.stderr).splitlines()
    assert ended.code == 1, ended
    assert "Traceback" not in ended.stderr, ended
    assert max(map(len, said)) <= LONGEST and len(said) < 30, ended
