"""S3 asked without botocore: signed as botocore signs, only where the settings are plain, and silent about everything but a yes."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import get_cert_path
from hypothesis import given
from hypothesis import strategies as st

from aws.s3 import S3
from aws.session import isolated_session
from direct.client import Client, Undecided
from direct.settings import Access, access
from direct.signing import Keys, Request, path_of, query_of, signed

NOW = datetime(2026, 11, 27, 18, 0, 5, tzinfo=UTC)
KEYS = Keys(access_key="AKIDEXAMPLE0", secret_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
PLAIN = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE0", "AWS_SECRET_ACCESS_KEY": "secret-of-nobody", "AWS_REGION": "eu-west-1", "PATH": "/bin"}
NAMES = st.text(st.characters(codec="utf-8"), max_size=30)


def signature_of_botocore(request: Request, keys: Keys) -> str:
    url = f"https://{request.host}{request.path}" + (f"?{request.query}" if request.query else "")
    theirs = AWSRequest(method=request.method, url=url, headers=dict(request.headers))
    theirs.context["timestamp"] = NOW.strftime("%Y%m%dT%H%M%SZ")
    # S3 takes either what stands for an empty body or its digest; a body over TLS is left unsigned only where there is one.
    theirs.context["payload_signing_enabled"] = True
    auth = S3SigV4Auth(Credentials(keys.access_key, keys.secret_key, keys.token or None), "s3", "eu-west-1")
    auth._modify_request_before_signing(theirs)  # type: ignore[attr-defined]
    return str(auth.signature(auth.string_to_sign(theirs, auth.canonical_request(theirs)), theirs))


@given(key=NAMES, prefix=NAMES, token=st.sampled_from(("", "a/token+of=somebody")))
def test_the_signature_is_that_of_botocore(key: str, prefix: str, token: str) -> None:
    keys = Keys(access_key=KEYS.access_key, secret_key=KEYS.secret_key, token=token)
    request = Request(
        method="GET",
        host="site.s3.eu-west-1.amazonaws.com",
        path=path_of("site", key),
        query=query_of({"list-type": "2", "prefix": prefix}),
        headers={"x-amz-expected-bucket-owner": "111122223333"},
    )
    assert signed(request, keys, "eu-west-1", NOW)["authorization"].endswith(f"Signature={signature_of_botocore(request, keys)}")


def test_nothing_of_a_credential_is_shown_by_its_value() -> None:
    assert "secret" not in repr(Keys(access_key="access", secret_key="secret-1", token="secret-2"))


def test_plain_settings_are_those_of_the_environment(tmp_path: Path) -> None:
    found = access({**PLAIN, "AWS_SESSION_TOKEN": "t", "AWS_CA_BUNDLE": "/ca.pem"}, tmp_path, region="eu-west-1")
    assert found == Access(keys=Keys(access_key="AKIDEXAMPLE0", secret_key="secret-of-nobody", token="t"), endpoint="", trust="/ca.pem")
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text("# by hand\n[default]\nregion = eu-west-1\noutput = json\n")
    assert access({**PLAIN, "AWS_ENDPOINT_URL": "http://127.0.0.1:4566/"}, tmp_path, region="eu-west-1") is not None


@pytest.mark.parametrize(
    "more",
    [
        {"AWS_PROFILE": "corp"},
        {"AWS_DEFAULT_PROFILE": "corp"},
        {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"},
        {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
        {"AWS_USE_FIPS_ENDPOINT": "true"},
        {"AWS_SOME_SETTING_OF_TOMORROW": "x"},
        {"AWS_ENDPOINT_URL": "http://user:password@127.0.0.1"},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1/below"},
        {"AWS_ENDPOINT_URL": "http://[::1"},
        {"HTTPS_PROXY": "http://proxy:3128"},
        {"https_proxy": "http://proxy:3128"},
        {"REQUESTS_CA_BUNDLE": "/ca.pem"},
        {"AWS_SECRET_ACCESS_KEY": "with a blank"},
        {"AWS_SECRET_ACCESS_KEY": ""},
        {"AWS_ACCESS_KEY_ID": "line\nbreak"},
        {"AWS_SESSION_TOKEN": "line\n"},
        {"AWS_CONFIG_FILE": "$HOME/elsewhere"},
        {"AWS_SHARED_CREDENTIALS_FILE": "/of/${USER}/credentials"},
    ],
)
def test_every_other_setting_is_left_to_botocore(tmp_path: Path, more: dict[str, str]) -> None:
    assert access(PLAIN, tmp_path, region="eu-west-1") is not None
    assert access({**PLAIN, **more}, tmp_path, region="eu-west-1") is None


def test_proxies_of_the_system_and_descriptions_of_services_are_botocores(tmp_path: Path) -> None:
    assert access(PLAIN, tmp_path, region="eu-west-1", proxies=lambda: {"https": "http://proxy:3128"}) is None
    (tmp_path / ".aws" / "models").mkdir(parents=True)
    assert access(PLAIN, tmp_path, region="eu-west-1") is None


@pytest.mark.parametrize("region", ["cn-north-1", "us-iso-east-1", "us-isob-east-1", "eusc-de-east-1", "us-gov-west-1", "", "nowhere"])
def test_other_partitions_are_left_to_botocore(tmp_path: Path, region: str) -> None:
    assert access(PLAIN, tmp_path, region=region) is None


@pytest.mark.parametrize("text", ["[default]\nca_bundle = /x\n", "[profile corp]\n", "region = x\n  s3 = y\n", "[services s]\n", "\xff"])
@pytest.mark.parametrize("name", ["config", "credentials"])
def test_a_file_that_says_anything_is_left_to_botocore(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / name).write_bytes(text.encode("latin-1"))
    assert access(PLAIN, tmp_path, region="eu-west-1") is None
    elsewhere = {"AWS_CONFIG_FILE": str(tmp_path / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
    assert access({**PLAIN, **elsewhere}, tmp_path, region="eu-west-1") is not None


# --- where to ----------------------------------------------------------------------------------------------------


class Sent(Exception):
    """Nothing is sent."""


def botocores(region: str, endpoint: str) -> Any:
    """A client that sends nothing."""
    client = isolated_session().create_client(
        "s3", region_name=region, endpoint_url=endpoint or None, aws_access_key_id="a", aws_secret_access_key="b"
    )

    def stop(request: Any, **_: Any) -> None:
        raise Sent(request.url)

    client.meta.events.register("before-send.s3", stop)
    return client


class Listening(Client):
    """Says where it would have asked."""

    def _connection(self, host: str) -> Any:
        scheme = "http" if self._tls is None else "https"

        class Connection:
            def request(self, method: str, path: str, headers: Any) -> None:
                raise Sent(f"{scheme}://{host}{path}")

            def close(self) -> None: ...

        return Connection()


@pytest.mark.parametrize(
    ("region", "endpoint"),
    [
        ("eu-west-1", ""),
        ("us-east-1", ""),
        ("us-east-1", "http://[::1]:4566"),
        ("eu-west-1", "https://s3.corp.example:443/"),
    ],
)
def test_the_address_is_that_of_botocore(region: str, endpoint: str) -> None:
    key = "a/b c+ü/../x//y~%2e?&=#"
    found = access({**PLAIN, "AWS_ENDPOINT_URL": endpoint}, Path("/nowhere"), region=region)
    assert found is not None
    for bucket in ("site", "dotted.site.example.org", "x" * 63):
        asked = []
        for client in (Listening(found, region, lambda: NOW), botocores(region, endpoint)):
            with pytest.raises(Sent) as sent:
                client.get_object(Bucket=bucket, Key=key, ExpectedBucketOwner="111122223333")
            asked.append(str(sent.value))
        assert asked[0] == asked[1]


def test_nobody_is_trusted_whom_botocore_does_not_trust() -> None:
    ours = Client(Access(keys=KEYS), "eu-west-1", lambda: NOW)._tls
    assert ours is not None and ours.check_hostname and ours.verify_mode == ssl.CERT_REQUIRED
    theirs = ssl.create_default_context(cafile=get_cert_path(True))
    assert {str(each) for each in ours.get_ca_certs()} == {str(each) for each in theirs.get_ca_certs()}


def test_a_key_that_is_no_text_is_no_answer() -> None:
    with answering(lambda *_: (200, b"body")) as (s3, asked), pytest.raises(Undecided):
        s3.get("bucket", "half a character: \udce4")
    assert asked == []


# --- over HTTP ----------------------------------------------------------------------------------------------------

PAGE = (
    '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>{truncated}</IsTruncated>'
    "<EncodingType>url</EncodingType><Contents><Key>{key}</Key><LastModified>2026-11-23T00:00:00.000Z</LastModified>"
    "<ETag>&quot;e&quot;</ETag><Size>3</Size></Contents>{more}</ListBucketResult>"
)


@contextmanager
def answering(answer: Callable[[str, str], tuple[int, bytes]]) -> Iterator[tuple[S3, list[tuple[str, str]]]]:
    """A gateway to a server that answers so, and what it was asked."""
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.command, self.path))
            status, body = answer(self.command, self.path)
            owner = self.headers["x-amz-expected-bucket-owner"]
            self.send_response(status if owner == "111122223333" else 403)
            self.send_header("ETag", '"e"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        there = Access(keys=KEYS, endpoint=f"http://127.0.0.1:{server.server_port}")
        try:
            client = Client(there, "eu-west-1", lambda: NOW)
            yield S3(client, "111122223333", "eu-west-1"), asked
        finally:
            server.shutdown()


def test_an_object_its_head_and_a_listing_of_two_pages() -> None:
    def answer(method: str, path: str) -> tuple[int, bytes]:
        if "list-type" not in path:
            return 200, b"body"
        last = "continuation-token=t%2B1" in path
        more = "" if last else "<NextContinuationToken>t+1</NextContinuationToken>"
        return 200, PAGE.format(key="z" if last else "a+b%2Bc%C3%BC", truncated=str(not last).lower(), more=more).encode()

    with answering(answer) as (s3, asked):
        assert (s3.get("bucket", "a/b c").body, s3.get("bucket", "a/b c").head.etag) == (b"body", "e")
        head = s3.head("bucket", "x")
        assert head is not None and (head.size, head.etag) == (4, "e")
        assert [(each.key, each.etag, each.size) for each in s3.list("bucket", "p/")] == [("a b+cü", "e", 3), ("z", "e", 3)]
    assert asked[0] == ("GET", "/bucket/a/b%20c") and asked[2] == ("HEAD", "/bucket/x")


@pytest.mark.parametrize("status", [204, 206, 301, 307, 400, 403, 404, 500, 503])
def test_anything_but_200_is_somebody_elses_to_tell(status: int) -> None:
    with answering(lambda *_: (status, b"")) as (s3, _):
        for ask in (lambda: s3.get("bucket", "x"), lambda: s3.head("bucket", "x"), lambda: list(s3.list("bucket"))):
            with pytest.raises(Undecided):
                ask()


def test_another_accounts_bucket_is_no_answer() -> None:
    with answering(lambda *_: (200, b"body")) as (s3, _), pytest.raises(Undecided):
        S3(s3.client, "999988887777", "eu-west-1").get("bucket", "x")


@pytest.mark.parametrize(
    "body",
    [
        b"no XML",
        b"<ListBucketResult/>",
        b"<Error/>",
        PAGE.format(key="a", truncated="maybe", more="").encode(),
        PAGE.format(key="a", truncated="true", more="").encode().replace(b"<Size>3", b"<Size>many"),
        PAGE.format(key="a", truncated="false", more="").encode().replace(b".000Z", b""),
        b'<?xml version="1.0" encoding="klingon"?><ListBucketResult/>',
        b"\x1f\x8b\x08",
        PAGE.format(key="a", truncated="false", more="").encode()[:-9],
    ],
)
def test_a_listing_that_is_none_is_no_answer(body: bytes) -> None:
    with answering(lambda *_: (200, body)) as (s3, _), pytest.raises(Undecided):
        list(s3.list("bucket"))


def test_nobody_there_is_no_answer() -> None:
    client = Client(Access(keys=KEYS, endpoint="http://127.0.0.1:1"), "eu-west-1", lambda: NOW)
    with pytest.raises(Undecided):
        client.head_object(Bucket="bucket", Key="x", ExpectedBucketOwner="111122223333")


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("Content-Length: 9", b"short"),
        ("Content-Length: 99999999999", b"long"),
        ("Content-Length: 3\r\nTransfer-Encoding: chunked", b"5\r\nshort\r\n"),
        ("Transfer-Encoding: chunked", b"zz\r\nx"),
        ("Connection: close", b"ends somewhere"),
    ],
    ids=["half", "more than anybody has", "no last chunk", "no chunk", "no end"],
)
def test_half_of_a_body_is_no_answer(head: str, body: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            taken, _ = server.accept()
            with taken:
                taken.recv(65536)
                taken.sendall(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode() + body)

        threading.Thread(target=answer, daemon=True).start()
        client = Client(Access(keys=KEYS, endpoint=f"http://127.0.0.1:{server.getsockname()[1]}"), "eu-west-1", lambda: NOW)
        with pytest.raises(Undecided):
            client.get_object(Bucket="bucket", Key="x", ExpectedBucketOwner="111122223333")
