"""Uploads with the AWS CRT client and with threads: the same objects, the same refusals, over HTTP."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aws.errors import AccessDenied, AwsError, NetworkError, NotFound
from aws.s3 import S3, Headers
from aws.session import Aws
from aws.transfer import Transfer, Upload, crt_installed
from local_aws.server import LocalAws
from tests.functional import wire as w
from tests.functional.harness import ROOT, SECRET
from tests.functional.wire import Wire
from website.folder import FolderFile

pytestmark = pytest.mark.functional
REGION = "eu-west-1"


@pytest.fixture(params=[True, False], ids=["crt", "threads"])
def crt(request: pytest.FixtureRequest) -> bool:
    if request.param and not crt_installed():
        pytest.skip("awscrt is not installed")
    return bool(request.param)


@pytest.fixture
def s3(aws: Aws, local_aws: LocalAws, wire: Wire, account: str) -> S3:
    """Through the wire, to a bucket called like the account."""
    aws.client("s3", account_id=account, region=REGION).create_bucket(
        Bucket=f"b-{account}", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    return S3.connect(Aws(endpoint_url=wire.url, static_credentials=local_aws.credentials), account_id=account, region=REGION)


def uploads(folder: Path, count: int, *, lie: bool = False) -> list[Upload]:
    made = []
    for number in range(count):
        path = folder / f"{number}.js"
        path.write_bytes(b"x" * number)
        digest = hashlib.sha256(b"other" if lie else path.read_bytes()).digest()
        headers = Headers(content_type="text/javascript; charset=utf-8", cache_control="no-cache")
        made.append(
            Upload(
                path=path,
                open=FolderFile(root=path.parent, relative=path.name).open,
                key=f"assets/{number} \u00e9.js",
                checksum=base64.b64encode(digest).decode(),
                headers=headers,
            )
        )
    return made


def test_every_object_has_its_bytes_headers_and_an_etag_that_is_the_md5(
    crt: bool, s3: S3, account: str, tmp_path: Path, aws: Aws, wire: Wire
) -> None:
    wanted = uploads(tmp_path, 30)
    done = list(Transfer(s3, crt=crt).upload(f"b-{account}", wanted))
    assert sorted(u.key for u in done) == sorted(u.key for u in wanted)
    client: Any = aws.client("s3", account_id=account, region=REGION)
    for each in wanted:
        found = client.get_object(Bucket=f"b-{account}", Key=each.key)
        assert found["Body"].read() == each.path.read_bytes()
        assert (found["ContentType"], found["CacheControl"]) == ("text/javascript; charset=utf-8", "no-cache")
        assert found["ETag"].strip('"') == hashlib.md5(each.path.read_bytes(), usedforsecurity=False).hexdigest()
    assert wire.operations("s3").count("PutObject") == 30, "one request a file"


def test_a_fault_that_passes_is_waited_out(crt: bool, s3: S3, account: str, tmp_path: Path, wire: Wire) -> None:
    wire.on("s3", "PutObject", w.unavailable, times=2)
    wire.on("s3", "PutObject", w.dropped, times=1)
    assert len(list(Transfer(s3, crt=crt).upload(f"b-{account}", uploads(tmp_path, 5)))) == 5


def test_content_that_is_not_what_its_digest_says_is_refused(crt: bool, s3: S3, account: str, tmp_path: Path) -> None:
    with pytest.raises(AwsError):
        list(Transfer(s3, crt=crt).upload(f"b-{account}", uploads(tmp_path, 2, lie=True)))


def test_what_is_not_allowed_is_an_error_of_ours(crt: bool, s3: S3, account: str, tmp_path: Path, wire: Wire) -> None:
    wire.on("s3", "PutObject", w.denied, times=1_000)
    with pytest.raises(AccessDenied, match="s3:PutObject"):
        list(Transfer(s3, crt=crt).upload(f"b-{account}", uploads(tmp_path, 2)))


@pytest.mark.skipif(not crt_installed(), reason="awscrt is not installed")
def test_a_connection_that_stays_broken_is_an_error_of_ours(s3: S3, account: str, tmp_path: Path, wire: Wire) -> None:
    wire.on("s3", "PutObject", w.dropped, times=1_000)
    with pytest.raises(NetworkError, match="AWS_IO_SOCKET_CLOSED"):
        list(Transfer(s3, crt=True).upload(f"b-{account}", uploads(tmp_path, 1)))


SEEN = "import sys; sys.modules['awscrt'] = None; from aws.transfer import crt_installed; print(crt_installed())"


def test_without_the_crt_it_is_threads() -> None:
    done = subprocess.run([sys.executable, "-c", SEEN], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "False\n"


@pytest.mark.skipif(not crt_installed(), reason="awscrt is not installed")
def test_the_crt_is_taken_unless_a_proxy_is_in_the_way(s3: S3, account: str, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"AWS_ENDPOINT_URL": wire.url, "AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": SECRET, "NO_PROXY": ""}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("HTTP_PROXY", raising=False)
    callers = S3.connect(Aws(), account_id=account, region=REGION)
    assert Transfer(callers)._crt is not None
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    assert Transfer(callers)._crt is None
    assert Transfer(s3)._crt is not None, "a local AWS is not behind the caller's proxy"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert Transfer(callers)._crt is not None


def test_a_bucket_that_is_not_there_and_a_file_that_went_away(crt: bool, s3: S3, account: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        list(Transfer(s3, crt=crt).upload(f"not-{account}", uploads(tmp_path, 1)))
    gone = uploads(tmp_path, 1)
    gone[0].path.unlink()
    with pytest.raises((AwsError, OSError)):
        list(Transfer(s3, crt=crt).upload(f"b-{account}", gone))
