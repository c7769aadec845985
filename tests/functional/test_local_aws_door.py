"""Who may talk to the local AWS, and what for: another user of the machine, a process without the secret, a stranger's words on the socket.

The browser's side of it is tests/browser/test_local_aws.py.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from aws import errors
from aws.secrets import Secrets
from aws.session import Aws, StaticCredentials
from local_aws.proof import proof, web_identity
from local_aws.served import SERVED
from local_aws.server import LocalAws
from tests.functional.harness import ROOT

pytestmark = [pytest.mark.functional, pytest.mark.attack, pytest.mark.xdist_group("local_aws_door")]

ACCOUNT = "111111111111"
NOBODY = 65534
FORM = "application/x-www-form-urlencoded"
IDENTITY = b"Action=GetCallerIdentity&Version=2011-06-15"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """As `--local` starts it; under a umask that leaves everything open."""
    before = os.umask(0)
    try:
        made = LocalAws.start(tmp_path_factory.mktemp("door") / "state", bound_to=os.getpid(), idle_seconds=600)
    finally:
        os.umask(before)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def client(server: LocalAws) -> Callable[..., Any]:
    """boto3's clients as the account's root."""

    def made(service: str, secret: str = "", **options: Any) -> Any:
        make: Any = boto3.client
        return make(
            service,
            region_name="us-east-1",
            endpoint_url=server.endpoint_url,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key=secret or server.secret,
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, **options),
        )

    return made


def signed(server: LocalAws, method: str, path: str, service: str, body: bytes = b"", **headers: str) -> dict[str, str]:
    """The headers of a request that knows the secret; `headers` are signed with it."""
    signer: type[SigV4Auth] = S3SigV4Auth if service == "s3" else SigV4Auth
    request = AWSRequest(
        method=method, url=f"{server.endpoint_url}{path}", data=body, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )
    signer(Credentials(ACCOUNT, server.secret), service, "us-east-1").add_auth(request)
    return dict(request.headers.items())


def answer(server: LocalAws, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """What comes back."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request(method, path, body=body or None, headers=headers)
    response = connection.getresponse()
    return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()


def raw(server: LocalAws, text: str) -> bytes:
    """What the socket says to these very bytes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(text.replace("\n", "\r\n").encode("latin-1"))
        found = b""
        try:
            while part := connection.recv(65536):
                found += part
                connection.settimeout(2)
        except TimeoutError:
            pass
        return found


def asked(server: LocalAws, **more: str) -> tuple[dict[str, str], bytes]:
    """A request that is let in: who am I?"""
    return signed(server, "POST", "/", "sts", IDENTITY, Content_Type=FORM, **more), IDENTITY


# --- who ------------------------------------------------------------------------------------------------------------------


def test_with_the_secret_it_answers_and_no_answer_is_for_other_origins(server: LocalAws) -> None:
    status, headers, body = answer(server, "POST", "/", *asked(server))
    assert status == 200
    assert ACCOUNT.encode() in body
    assert not [name for name in headers if name.startswith("access-control-")]


def test_an_invented_signature_reads_nothing(server: LocalAws, client: Callable[..., Any]) -> None:
    local = Aws(endpoint_url=server.endpoint_url, static_credentials=server.credentials)
    secrets = Secrets.connect(local, account_id=ACCOUNT, region="us-east-1")
    secrets.create("basic-auth", {"username": "u", "password_hash": "scrypt-hash"}, description="", tags={})
    assert "scrypt-hash" in client("secretsmanager").get_secret_value(SecretId="basic-auth")["SecretString"]
    for guess in ("test", "x", "0" * 64, server.secret[:-1], server.secret.upper()):
        with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
            client("secretsmanager", guess).get_secret_value(SecretId="basic-auth")
    for key in ("test", "AKIAIOSFODNN7EXAMPLE", "ASIA0000000000000000", "999999999999", ""):
        stranger = f"AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=00"
        asking = {"Authorization": stranger, "X-Amz-Target": "secretsmanager.GetSecretValue", "Content-Type": "application/x-amz-json-1.1"}
        status, _, body = answer(server, "POST", "/", asking, b'{"SecretId": "basic-auth"}')
        assert status == 403, key
        assert b"scrypt" not in body


def test_a_signature_is_for_one_request_and_a_while(server: LocalAws) -> None:
    headers, body = asked(server)
    assert answer(server, "POST", "/", headers, body + b"&x=1")[0] == 403
    assert answer(server, "POST", "/?x=1", headers, body)[0] == 403
    other = headers["Authorization"].replace("/us-east-1/sts/", "/us-east-1/iam/")
    assert answer(server, "POST", "/", {**headers, "Authorization": other}, body)[0] == 403
    assert answer(server, "POST", "/", {**headers, "X-Amz-Date": "20200101T000000Z"}, body)[0] == 403


def test_a_web_identity_is_taken_at_its_word_only_if_it_is_signed(server: LocalAws) -> None:
    def status(token: str, more: str = "", **headers: str) -> int:
        text = f"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn:aws:iam::{ACCOUNT}:role/x&RoleSessionName=s{more}"
        return answer(server, "POST", "/", {"Content-Type": FORM, **headers}, f"{text}&WebIdentityToken={token}".encode())[0]

    good = web_identity(server.secret, {"iss": "https://token.actions.githubusercontent.com", "aud": "sts.amazonaws.com", "sub": "x"})
    assert status(good) != 403  # there is no such role
    assert status(web_identity("0" * 64, {"sub": "x"})) == 403
    assert status(good.rpartition(".")[0] + ".unsigned") == 403
    assert status(good, "&Action=GetCallerIdentity") == 403
    assert status(good, **{"X-Amz-Target": "secretsmanager.GetSecretValue"}) == 403


def test_keys_that_it_gave_away_itself_are_known_and_no_longer_when_they_are_changed(guarded_aws: LocalAws, account: str) -> None:
    local = Aws(endpoint_url=guarded_aws.endpoint_url, static_credentials=guarded_aws.credentials)
    root = local.client("iam", account_id=account, region="us-east-1")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    root.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    sts = local.client("sts", account_id=account, region="us-east-1")
    given = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/r", RoleSessionName="session")["Credentials"]

    def whoami(secret: str, token: str) -> str:
        credentials = StaticCredentials(access_key=given["AccessKeyId"], secret_key=secret, token=token)
        session = Aws(endpoint_url=guarded_aws.endpoint_url, static_credentials=lambda _: credentials)
        arn: str = session.client("sts", account_id=account, region="us-east-1").get_caller_identity()["Arn"]
        return arn

    assert ":assumed-role/r/session" in whoami(given["SecretAccessKey"], given["SessionToken"])
    for wrong in ((given["SecretAccessKey"], "x"), ("x", given["SessionToken"])):
        with pytest.raises(errors.AwsError):
            whoami(*wrong)


def test_presigned_urls_of_s3_work_until_they_expire(server: LocalAws, client: Callable[..., Any]) -> None:
    s3 = client("s3", signature_version="s3v4")
    s3.create_bucket(Bucket="presigned")
    s3.put_object(Bucket="presigned", Key="k", Body=b"value")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "presigned", "Key": "k"}, ExpiresIn=60)
    path = url.removeprefix(server.endpoint_url)
    assert answer(server, "GET", path, {})[2] == b"value"
    assert answer(server, "GET", path.replace("X-Amz-Expires=60", "X-Amz-Expires=600"), {})[0] == 403
    assert answer(server, "DELETE", path, {})[0] == 403
    gone = s3.generate_presigned_url("get_object", Params={"Bucket": "presigned", "Key": "k"}, ExpiresIn=1)
    time.sleep(2.1)
    assert answer(server, "GET", gone.removeprefix(server.endpoint_url), {})[0] == 403


OTHER_USER = """
import encodings.idna, http.client, os, sys  # all of Python that is needed, while it can still be read
port, state, root = int(sys.argv[1]), sys.argv[2], sys.argv[3]
os.setgroups([]); os.setgid(65534); os.setuid(65534)
def ask(method, path, headers={}, body=None):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    c.request(method, path, body, headers)
    return c.getresponse().status
key = "AWS4-HMAC-SHA256 Credential=111111111111/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"
code = '{"FunctionName": "f", "Runtime": "python3.11", "Role": "arn:aws:iam::111111111111:role/x", "Handler": "i","Code": {"ZipFile": ""}}'
print(ask("POST", "/2015-03-31/functions", {}, code), ask("POST", "/2015-03-31/functions", {"Authorization": key}, code))
print(ask("POST", "/2015-03-31/functions/f/invocations", {}, "{}"), ask("GET", "/"), ask("GET", "/_ministack/health"))
for name in ("server.json", "owner", "log", "services", "lock", "."):
    try:
        path = os.path.join(state, name)
        os.listdir(path) if os.path.isdir(path) else open(path).read()
        print("read", name)
    except PermissionError:
        pass
for name in ("environ", "mem", "fd"):
    try:
        path = f"/proc/{sys.argv[4]}/{name}"
        os.listdir(path) if name == "fd" else open(path, "rb").read(1)
        print("read", name)
    except PermissionError:
        pass
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_of_the_machine_gets_nothing(server: LocalAws) -> None:
    # The directories above are pytest's, of one user alone; those of a checkout usually are not.
    opened = [path for path in server.state.parents if path.is_relative_to("/tmp") and not path.stat().st_mode & 0o001]
    before = {path: path.stat().st_mode for path in opened}
    for path in opened:
        path.chmod(before[path] | 0o011)
    try:
        command = [sys.executable, "-c", OTHER_USER, str(server.port), str(server.state), str(ROOT), str(server.pid)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        for path in opened:
            path.chmod(before[path])
    assert done.stdout.split() == ["403"] * 5, done.stdout + done.stderr


def test_the_directory_is_its_owners_alone_whatever_the_umask(server: LocalAws, client: Callable[..., Any]) -> None:
    client("s3").create_bucket(Bucket="private-files")
    client("s3").put_object(Bucket="private-files", Key="a/b", Body=b"x")
    open_to_others = [
        f"{path} {stat.filemode(path.lstat().st_mode)}"
        for path in [server.state, *server.state.rglob("*")]
        if stat.S_IMODE(path.lstat().st_mode) & 0o077
    ]
    assert open_to_others == []


def test_what_an_earlier_version_left_open_is_closed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "services").mkdir(parents=True)
    state.chmod(0o755)
    (state / "services" / "iam.json").write_text("{}")
    (state / "services" / "iam.json").chmod(0o644)
    LocalAws.start(state, bound_to=os.getpid()).stop()
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert stat.S_IMODE((state / "services" / "iam.json").stat().st_mode) == 0o600


# --- how ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "localhost.evil.example:{port}"),
        ("Host", "evil.example"),
        ("Host", "127.0.0.1"),
        ("Host", "127.0.0.1:1"),
        ("Host", "[::1]:{port}"),
        ("Host", "127.0.0.1:{port}@evil.example"),
        ("Host", "bucket.localhost:{port}"),
        ("Host", "abc.lambda-url.us-east-1.localhost:{port}"),
        ("Host", "dabcdefghijklm.cloudfront.net"),
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Origin", "http://127.0.0.1:{port}"),
        ("Sec-Fetch-Site", "none"),
        ("Sec-Fetch-Mode", "no-cors"),
        ("Upgrade", "h2c"),
        ("Content-Encoding", "gzip"),
    ],
)
def test_even_with_the_secret_it_is_refused(server: LocalAws, name: str, value: str) -> None:
    headers, body = asked(server, **{name: value.format(port=server.port)})
    status, answered, _ = answer(server, "POST", "/", headers, body)
    assert status in (400, 403)
    assert not [found for found in answered if found.startswith("access-control-")]


def test_localhost_is_a_name_of_it(server: LocalAws) -> None:
    assert answer(server, "POST", "/", *asked(server, Host=f"localhost:{server.port}"))[0] == 200


@pytest.mark.parametrize("path", ["/", "/bucket/key", "/2015-03-31/functions", "/_ministack/health"])
def test_preflights_are_refused(server: LocalAws, path: str) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-amz-target"}
    for given in ({}, headers):
        status, answered, _ = answer(server, "OPTIONS", path, given)
        assert status in (400, 403)
        assert not [name for name in answered if name.startswith("access-control-")]


CLEARTEXT_2 = "PRI * HTTP/2.0\n\nSM\n\n"


@pytest.mark.parametrize(
    "text",
    [
        "GET / HTTP/1.1\n\n",
        "GET / HTTP/1.0\n\n",
        "GET http://127.0.0.1:{port}/ HTTP/1.1\nHost: 127.0.0.1:{port}\n\n",
        "GET http://evil.example/ HTTP/1.1\nHost: 127.0.0.1:{port}\n\n",
        "CONNECT evil.example:80 HTTP/1.1\nHost: 127.0.0.1:{port}\n\n",
        "OPTIONS * HTTP/1.1\nHost: 127.0.0.1:{port}\n\n",
        "GET / HTTP/1.1\nHost: 127.0.0.1:{port}\nHost: evil.example\n\n",
        "GET / HTTP/1.1\nHost: 127.0.0.1:{port}\nX-Forwarded-Host: 127.0.0.1\nX-Forwarded-For: 127.0.0.1\n\n",
        "GET / HTTP/1.1\nHost: 127.0.0.1:{port}\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n",
        "GET / HTTP/1.1\nHost: 127.0.0.1:{port}\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAAP__\n\n",
        "POST / HTTP/1.1\nHost: 127.0.0.1:{port}\nContent-Length: 4\nTransfer-Encoding: chunked\n\n0\n\n"
        "GET /_ministack/health HTTP/1.1\n\n",
        "POST / HTTP/1.1\nHost: 127.0.0.1:{port}\nContent-Length: 4\nContent-Length: 5\n\nabcde",
        "GET /%2e%2e/_ministack/health HTTP/1.1\nHost: 127.0.0.1:{port}\n\n",
        "GET /_local_aws/stop HTTP/1.1\nHost: 127.0.0.1:{port}\nX-Local-Aws-Token: \xe9\xff\nX-Local-Aws-Proof: \xe9\n\n",
        "GET /_local_aws/stop HTTP/1.1\nHost: 127.0.0.1:{port}\nAuthorization: AWS4-HMAC-SHA256 \xe9\n\n",
        "GET / HTTP/1.1\nHost: 127.0.0.1:{port}\nAuthorization: AWS4-HMAC-SHA256 Credential=a/b/c/s3/e, SignedHeaders=host,"
        " Signature=\xe9\n\n",
        "GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=1/2/3/s3/5&X-Amz-Signature=%ff&X-Amz-SignedHeaders=host&X-Amz-Date=x"
        "&X-Amz-Expires=y HTTP/1.1\nHost: 127.0.0.1:{port}\n\n",
        CLEARTEXT_2,
    ],
)
def test_a_strangers_words_on_the_socket(server: LocalAws, text: str) -> None:
    said = raw(server, text.format(port=server.port))
    statuses = [line.split()[1] for line in said.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    assert b"HTTP/1.1 200" not in said
    if text == CLEARTEXT_2:  # a frame of HTTP/2, and nothing else
        assert b"ministack" not in said.lower()
    else:
        assert statuses, said
        assert set(statuses) <= {b"101", b"400", b"403"}
        assert b"Traceback" not in said
    assert LocalAws.find(server.state) == server


def test_the_servers_own_paths_ask_for_its_secret_and_give_it_to_nobody(server: LocalAws) -> None:
    for headers in (
        {},
        {"x-local-aws-token": server.secret},
        {"x-local-aws-proof": proof(server.secret, "whoami", "n"), "x-local-aws-nonce": "m"},
    ):
        for path in ("/_local_aws/whoami", "/_local_aws/stop", "/_local_aws/", "/_local_aws/%73top"):
            status, _, body = answer(server, "GET", path, headers)
            assert status == 403
            assert server.secret.encode() not in body
    assert server.secret not in repr(server)


# --- what for --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "service"),
    [
        ("POST", "/2015-03-31/functions/f/invocations", "lambda"),
        ("POST", "/2015-03-31/functions/f/invocations/", "lambda"),
        ("POST", "/2015-03-31/functions/f/%69nvocations", "lambda"),
        ("POST", "/2014-11-13/functions/f/invoke-async/", "lambda"),
        ("POST", "/2021-11-15/functions/f/response-streaming-invocations", "lambda"),
        ("POST", "/2015-03-31/functions/f", "lambda"),
        ("POST", "/2015-03-31/functions/f/versions/1", "lambda"),
        ("POST", "/2021-10-31/functions/f/url", "lambda"),
        ("POST", "/2015-03-31/event-source-mappings", "lambda"),
        ("POST", "/2020-05-31/function/f/test", "cloudfront"),
        ("POST", "/_ministack/reset", "s3"),
        ("POST", "/_ministack/config", "s3"),
        ("GET", "/_ministack/health", "s3"),
        ("GET", "/_localstack/health", "s3"),
        ("GET", "/_localstack/init", "s3"),
        ("GET", "/_aws/ses", "s3"),
        ("GET", "/_aws/execute-api/a/b", "s3"),
        ("GET", "/_aws/sqs/messages", "s3"),
        ("GET", "/_alb/a", "s3"),
        ("PUT", "/_ministack/cfn-response/x", "s3"),
    ],
)
def test_what_runs_code_and_what_is_ministacks_own_is_refused_even_with_the_secret(
    server: LocalAws, method: str, path: str, service: str
) -> None:
    body = b"{}" if method in ("POST", "PUT") else b""
    assert answer(server, method, path, signed(server, method, path, service, body), body)[0] == 403


S3_OPERATIONS = """
AbortMultipartUpload CompleteMultipartUpload CopyObject CreateBucket CreateMultipartUpload DeleteBucket DeleteObject DeleteObjects
GetBucketLocation GetBucketPolicy GetBucketReplication GetBucketTagging GetBucketVersioning
GetObject GetObjectAttributes HeadBucket HeadObject
ListBuckets ListDirectoryBuckets
GetBucketAcl PutBucketAcl GetBucketEncryption PutBucketEncryption GetBucketLifecycleConfiguration PutBucketLifecycleConfiguration
GetBucketOwnershipControls PutBucketOwnershipControls GetPublicAccessBlock PutPublicAccessBlock GetBucketWebsite PutBucketWebsite
DeleteBucketEncryption DeleteBucketLifecycle DeleteBucketOwnershipControls DeleteBucketPolicy DeleteBucketTagging DeleteBucketWebsite
DeletePublicAccessBlock GetBucketLifecycle PutBucketLifecycle PutBucketTagging
ListMultipartUploads ListObjectVersions ListObjects ListObjectsV2 ListParts PutBucketPolicy PutBucketVersioning PutObject UploadPart
UploadPartCopy
"""

EVERYTHING = """
import asyncio, json, re
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.session import get_session
from ministack import app
from ministack.core import router
from local_aws.door import Door, narrow

services = {*app.SERVICE_REGISTRY, *app.SERVICE_HANDLERS, *app.SERVICE_NAME_ALIASES, *router.SERVICE_PATTERNS}
FORM = "application/x-www-form-urlencoded"

def requests(model):
    meta = model.metadata
    for name in model.operation_names:
        operation = model.operation_model(name)
        if meta["protocol"] in ("query", "ec2"):
            yield name, "POST", "/", {"content-type": FORM}, f"Action={name}&Version={meta['apiVersion']}".encode()
        elif meta["protocol"] == "json":
            kind = {"content-type": "application/x-amz-json-1.1", "x-amz-target": f"{meta['targetPrefix']}.{name}"}
            yield name, "POST", "/", kind, b"{}"
        elif meta["protocol"] in ("rest-json", "rest-xml"):
            path = re.sub("[{][^}]+[}]", "xxxx", operation.http["requestUri"])
            method = operation.http["method"]
            yield name, method, path, {}, b"" if method in ("GET", "HEAD", "DELETE") else b"{}"
        else:
            kind = {"content-type": "application/json", "smithy-protocol": "rpc-v2-cbor"}
            yield name, "POST", f"/service/{meta.get('targetPrefix', model.service_name)}/operation/{name}", kind, b"{}"

async def main():
    passed = []
    async def inner(scope, receive, send):
        passed.append(scope)
    secret, seen = "s" * 64, set()
    door = Door(inner, secret=secret, port=1, stop=lambda _: "")

    async def let_in(method, path, headers, body):
        target, _, query = path.partition("?")
        scope = {"type": "http", "http_version": "1.1", "method": method, "path": target, "raw_path": target.encode(),
                 "query_string": query.encode(), "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()]}
        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}
        async def send(message):
            pass
        before = len(passed)
        await door(scope, receive, send)
        return len(passed) > before

    session, unsigned, invented, known, count = get_session(), [], [], {}, 0
    for name in session.get_available_services():
        model = session.get_service_model(name)
        scopes = {name, model.signing_name, model.endpoint_prefix, router_name(name)} & services
        seen |= scopes
        for scope in scopes:
            for operation, method, path, headers, body in requests(model):
                count += 1
                headers = {**headers, "host": "127.0.0.1:1"}
                if await let_in(method, path, headers, body):
                    unsigned.append(f"{scope}:{operation}")
                signer = (S3SigV4Auth if scope == "s3" else SigV4Auth)
                for key, found in (("x" * 64, invented), (secret, known.setdefault(scope, []))):
                    request = AWSRequest(method=method, url=f"http://127.0.0.1:1{path}", data=body, headers=headers)
                    signer(Credentials("111111111111", key), scope, "us-east-1").add_auth(request)
                    if await let_in(method, path, dict(request.headers.items()), body):
                        found.append(operation if found is known.get(scope) else f"{scope}:{operation}")
    for scope in services - seen:
        for method in ("GET", "POST"):
            request = AWSRequest(method=method, url="http://127.0.0.1:1/", data=b"", headers={"host": "127.0.0.1:1"})
            SigV4Auth(Credentials("111111111111", secret), scope, "us-east-1").add_auth(request)
            if await let_in(method, "/", dict(request.headers.items()), b""):
                known.setdefault(scope, []).append(method)
    print(json.dumps({"count": count, "services": sorted(services), "unsigned": unsigned, "invented": invented,
                      "known": {k: v for k, v in known.items() if v}}))

def router_name(name):
    return {"cognito-idp": "cognito-idp", "stepfunctions": "states", "efs": "elasticfilesystem", "emr": "elasticmapreduce"}.get(name, name)

asyncio.run(main())
"""


def test_every_action_of_every_service_that_ministack_routes_to() -> None:
    """Listed from MiniStack's and botocore's own tables, so that a new version adds nothing unseen; asked of the door itself."""
    done = subprocess.run([sys.executable, "-c", EVERYTHING], cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["count"] > 5000
    assert len(found["services"]) > 80
    assert found["unsigned"] == []
    assert found["invented"] == []
    assert found["known"].keys() <= SERVED.keys()
    beyond = {service: set(names) - SERVED[service] for service, names in found["known"].items() if service != "s3"}
    assert {service: names for service, names in beyond.items() if names} == {}
    assert set(found["known"]["s3"]) == set(S3_OPERATIONS.split())


CONFINED = """
import os, socket, subprocess, sys
from local_aws.confined import confine
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
confine(frozenset(sys.argv[1:]))
def refused(what):
    try:
        what()
    except PermissionError:
        return True
    return False
print(
    refused(lambda: subprocess.run(["true"])), refused(lambda: subprocess.run("true", shell=True)), refused(lambda: os.system("true")),
    refused(os.fork), refused(lambda: os.posix_spawn("/bin/true", ["true"], {})), refused(lambda: os.execv("/bin/true", ["true"])),
    refused(lambda: socket.socket().bind(("127.0.0.1", 0))), refused(lambda: socket.socket().connect(("127.0.0.1", 9))),
    refused(lambda: socket.getaddrinfo("example.org", 80)),
)
taken, _ = listener.accept()
taken.sendall(b"still"); print(client.recv(9).decode())
"""


@pytest.mark.parametrize("allowed", [(), ("node",)])
def test_the_server_can_start_nothing_and_call_nobody(allowed: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-c", CONFINED, *allowed], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"] * 9 + ["still"]


def test_a_stack_cannot_make_it_run_code(server: LocalAws, tmp_path: Path) -> None:
    """A custom resource is a function that CloudFormation invokes: here it would leave a file behind."""
    left = tmp_path / "left-behind"
    code = f"import pathlib\ndef handler(event, context): pathlib.Path({str(left)!r}).touch()"
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    function = {"Runtime": "python3.12", "Handler": "index.handler", "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Code": {"ZipFile": code}}
    template = {
        "Resources": {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}},
            "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
            "Custom": {"Type": "Custom::Run", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}, "ServiceTimeout": 2}},
        }
    }
    local = Aws(endpoint_url=server.endpoint_url, static_credentials=server.credentials)
    formation = local.client("cloudformation", account_id=ACCOUNT, region="us-east-1")
    formation.create_stack(StackName="custom", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
    deadline = time.monotonic() + 180
    while (status := formation.describe_stacks(StackName="custom")["Stacks"][0]["StackStatus"]).endswith("PROGRESS"):
        assert time.monotonic() < deadline, status
        time.sleep(0.1)
    assert not left.exists()
    reasons = [event.get("ResourceStatusReason", "") for event in formation.describe_stack_events(StackName="custom")["StackEvents"]]
    assert "ROLLBACK" in status, (status, reasons)
