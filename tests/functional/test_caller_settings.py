"""With a real account the caller's proxies and certificates count: `deploy.py` as a process, behind a proxy that ends TLS itself."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.functional.harness import CommandLine
from tests.functional.small_platform import ENV, Platform

pytestmark = pytest.mark.functional

SOMEBODY = "arn:aws:iam::999988887777:user/behind-the-proxy"
ANSWER = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    f"<Arn>{SOMEBODY}</Arn><UserId>A</UserId><Account>999988887777</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
).encode()


class Proxy:
    """Takes CONNECT, and is then AWS itself, with a certificate of its own authority."""

    def __init__(self, authority: trustme.CA) -> None:
        self.asked: list[str] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("*.us-east-1.amazonaws.com").configure_cert(self._context)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        try:
            with connection:
                self.asked.append(_head(connection).split(b" ")[1].decode())
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                with self._context.wrap_socket(connection, server_side=True) as inside:
                    _head(inside)
                    inside.sendall(
                        b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\n"
                        + f"Content-Length: {len(ANSWER)}\r\n\r\n".encode()
                        + ANSWER
                    )
        except OSError:
            return


def _head(connection: socket.socket) -> bytes:
    read = b""
    while b"\r\n\r\n" not in read:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError("gone")
        read += part
    return read


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def proxy(authority: trustme.CA) -> Iterator[Proxy]:
    made = Proxy(authority)
    yield made
    made.close()


def test_a_proxy_and_its_authority_are_honoured(proxy: Proxy, authority: trustme.CA, account: str, tmp_path: Path) -> None:
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(bundle)
    settings = {
        "HTTPS_PROXY": proxy.url,
        "AWS_CA_BUNDLE": str(bundle),
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
    }
    line = CommandLine(home=tmp_path, extra=settings)
    Platform(account=account, dist=tmp_path / "dist", line=line).build()
    ended = line.deploy("history", "--env", ENV, "--dist", str(tmp_path / "dist"))
    assert ended.code == 1, ended
    assert "(account 999988887777 us-east-1)" in ended.stderr, ended  # whom the proxy said that we are
    assert "Traceback" not in ended.stderr
    assert set(proxy.asked) == {"sts.us-east-1.amazonaws.com:443"}


def test_what_no_proxy_names_goes_past_a_proxy_that_is_not_there(command_line: CommandLine, account: str, tmp_path: Path) -> None:
    settings = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}
    line = CommandLine(home=tmp_path, endpoint_url=command_line.endpoint_url, account_id=account, extra=settings)
    platform = Platform(account=account, dist=tmp_path / "dist", line=line)
    platform.build()
    assert line.deploy("status", "--env", ENV, "--dist", str(platform.dist)).code == 0
