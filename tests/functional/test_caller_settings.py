"""With a real account the caller's proxies and certificates count: `deploy.py` as a process, behind a proxy that ends TLS itself."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from guards.processes import child_environment
from tests.functional.harness import ROOT, CommandLine
from tests.functional.small_platform import ENV, Platform

pytestmark = pytest.mark.functional

SOMEBODY = "arn:aws:iam::999988887777:user/behind-the-proxy"
ANSWER = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    f"<Arn>{SOMEBODY}</Arn><UserId>A</UserId><Account>999988887777</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
).encode()

ROLE = json.dumps(
    {
        "roleCredentials": {
            "accessKeyId": "ASIAOFTHEROLE",
            "secretAccessKey": "made-for-the-role",
            "sessionToken": "token-of-the-role",
            "expiration": 32503680000000,
        }
    }
).encode()
CONFIG = """
[profile corp]
sso_session = corp
sso_account_id = 999988887777
sso_role_name = Deployer
[sso-session corp]
sso_start_url = https://corp.example/start
sso_region = eu-west-1
sso_registration_scopes = sso:account:access
[profile through]
role_arn = arn:aws:iam::999988887777:role/x
source_profile = corp
"""


class Proxy:
    """Takes CONNECT, and is then AWS itself, STS or the portal of IAM Identity Center, with a certificate of its own authority."""

    def __init__(self, authority: trustme.CA) -> None:
        self.asked: list[str] = []
        self.heads: list[bytes] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("*.us-east-1.amazonaws.com", "*.sso.eu-west-1.amazonaws.com", "*.eu-west-1.amazonaws.com").configure_cert(
            self._context
        )
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
                    self.heads.append(_request(inside))
                    kind, body = ("application/json", ROLE) if ".sso." in self.asked[-1] else ("text/xml", ANSWER)
                    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
                    inside.sendall(head.encode() + body)
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


def _request(connection: socket.socket) -> bytes:
    """With its body: who answers and hangs up before it has come makes the other side lose the answer."""
    read = _head(connection)
    head, _, body = read.partition(b"\r\n\r\n")
    length = re.search(rb"(?im)^content-length: *(\d+)", head)
    while length and len(body) < int(length[1]):
        body += connection.recv(65536) or b" " * int(length[1])
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
    assert set(proxy.asked) == {"sts.us-east-1.amazonaws.com:443", "sts.eu-west-1.amazonaws.com:443"}, "the home region, as us-east-1 fails"


def test_what_no_proxy_names_goes_past_a_proxy_that_is_not_there(command_line: CommandLine, account: str, tmp_path: Path) -> None:
    settings = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}
    line = CommandLine(home=tmp_path, endpoint_url=command_line.endpoint_url, account_id=account, extra=settings)
    platform = Platform(account=account, dist=tmp_path / "dist", line=line)
    platform.build()
    assert line.deploy("status", "--env", ENV, "--dist", str(platform.dist)).code == 0


def with_profiles(home: Path, profiles: str = CONFIG, **more: str) -> CommandLine:
    """A home whose AWS configuration has these profiles."""
    folder = home / ".aws"
    folder.mkdir()
    (folder / "config").write_text(profiles)
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    return CommandLine(home=home, extra=nowhere | more | {"AWS_CONFIG_FILE": str(folder / "config")})


def token(home: Path, *, expires: float) -> None:
    """What `aws sso login` leaves; without a refresh token."""
    cache = home / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expires))
    kept = {"startUrl": "https://corp.example/start", "region": "eu-west-1", "accessToken": "of-the-portal", "expiresAt": when}
    (cache / f"{hashlib.sha1(b'corp').hexdigest()}.json").write_text(json.dumps(kept))


def asked_with(line: CommandLine, account: str, tmp_path: Path, profile: str) -> str:
    """What `history` says on stderr with the profile; it fails, in words."""
    Platform(account=account, dist=tmp_path / "dist", line=line).build()
    ended = line.deploy("history", "--env", ENV, "--dist", str(tmp_path / "dist"), "--profile", profile)
    assert (ended.code, "Traceback" in ended.stderr) == (1, False), ended
    return ended.stderr


def test_the_role_of_an_sso_profile_is_used(proxy: Proxy, authority: trustme.CA, account: str, tmp_path: Path) -> None:
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(bundle)
    line = with_profiles(tmp_path, HTTPS_PROXY=proxy.url, AWS_CA_BUNDLE=str(bundle))
    token(tmp_path, expires=time.time() + 3600)
    assert "(account 999988887777 us-east-1)" in asked_with(line, account, tmp_path, "corp")
    assert proxy.asked[:2] == ["portal.sso.eu-west-1.amazonaws.com:443", "sts.us-east-1.amazonaws.com:443"]
    assert b"role_name=Deployer&account_id=999988887777" in proxy.heads[0] and b"of-the-portal" in proxy.heads[0]
    assert b"ASIAOFTHEROLE" in proxy.heads[1]


@pytest.mark.parametrize(
    ("profile", "there"), [("corp", True), ("corp", False), ("through", True)], ids=["expired", "no-token", "through-a-role"]
)
def test_an_expired_sso_session_says_how_to_log_in(account: str, tmp_path: Path, profile: str, there: bool) -> None:
    line = with_profiles(tmp_path)
    if there:
        token(tmp_path, expires=time.time() - 60)
    assert "  next: aws sso login --profile corp\n" in asked_with(line, account, tmp_path, profile)


EXPIRED = {"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "kept-secret", "SessionToken": "t", "Expiration": "2020-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("printed", "says"),
    [
        ("sh -c 'echo not today >&2; exit 3'", "not today"),
        ("/nowhere/at/all", "/nowhere/at/all: No such file or directory"),
        ("echo kept-secret", "is not as it should be (JSONDecodeError)"),
        ("echo []", "is not as it should be (AttributeError)"),
        (f"echo '{json.dumps(EXPIRED)}'", "have expired"),
    ],
    ids=["fails", "missing", "no-json", "no-object", "expired"],
)
def test_a_credential_process_that_gives_nothing_usable_is_told(account: str, tmp_path: Path, printed: str, says: str) -> None:
    told = asked_with(with_profiles(tmp_path, f"[profile own]\ncredential_process = {printed}\n"), account, tmp_path, "own")
    assert says in told and "  next: aws sts get-caller-identity --profile own\n" in told
    assert "kept-secret" not in told


def test_a_profile_that_is_not_there_is_told(account: str, tmp_path: Path) -> None:
    told = asked_with(with_profiles(tmp_path), account, tmp_path, "corpp")
    assert "corpp" in told and "  next: aws configure list-profiles\n" in told


@pytest.mark.parametrize("program", ["build.py", "deploy.py"])
def test_a_python_that_leaves_out_the_folder_of_a_program_runs_it_from_anywhere(program: str, tmp_path: Path) -> None:
    """PYTHONSAFEPATH (Python documentation, "Environment variables")."""
    command = [sys.executable, str(ROOT / program), "--help"]
    done = subprocess.run(command, cwd=tmp_path, env=child_environment(PYTHONSAFEPATH="1"), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("usage: ")
