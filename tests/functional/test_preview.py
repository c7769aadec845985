"""The preview against the project's other pieces: verify passes on it, the local AWS's own CloudFront agrees with it, and it serves what
was published to the local AWS."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from aws.cloudfront import CloudFront
from aws.session import Aws
from cli.main import main
from deploy import VERB_PACKAGES as PACKAGES
from environments.model import PAGE
from guards.processes import child_environment
from local_aws.server import LocalAws
from preview.bucket import invalidations
from session.context import Context
from tests.browser.previews import PASSWORD, ROOT, preview
from tests.environments_fixture import environments
from tests.functional import frontend
from tests.functional.frontend import BUILT
from tests.functional.harness import answer
from website.content import read

pytestmark = pytest.mark.functional


@pytest.mark.parametrize("environment", ["dev", "sit", "prod"])
@pytest.mark.parametrize("https", [True, False], ids=["https", "http"])
def test_verify_passes_on_the_preview(environment: str, https: bool, tmp_path: Path) -> None:
    from stacks.synthesis import synthesise

    frontend.write(synthesise(environments()[environment]), tmp_path)
    options = ("--https", "--http-port", "0") if https else ()
    with preview(tmp_path, environment, BUILT, *options) as site:
        where = ["--resolve", f"http://127.0.0.1:{site.port}"]
        if https:
            where = ["--resolve", f"127.0.0.1:{site.port}", "--resolve-http", f"127.0.0.1:{site.http_port}"]
            where += ["--ca-file", str(site.authority)]
        command = [sys.executable, "deploy.py", "verify", "--env", environment, "--dist", str(tmp_path), *where]
        environ = child_environment(BASIC_AUTH_PASSWORD=PASSWORD)
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr + site.log


# What both imitate. The local AWS neither caches nor compresses, and answers a Range and conditions by its S3; its functions have
# no rawQueryString, so a redirect of "/" loses its query there.
REQUESTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("GET", "/buy", {}),
    ("HEAD", "/buy", {}),
    ("GET", "/buy/plans?a=1&b=2", {}),
    ("GET", "/", {}),
    ("GET", "/index.html", {}),
    ("GET", "/favicon.svg", {}),
    ("GET", "/assets/SCRIPT", {}),
    ("GET", "/assets/gone.js", {}),
    ("GET", "/gone", {}),
    ("GET", "/buy/.env", {}),
    ("GET", "/buy/%00", {}),
    ("GET", "/buy//x", {}),
    ("GET", "/%66avicon.svg", {}),
    ("POST", "/buy", {}),
    ("DELETE", "/buy", {}),
    ("GET", "/buy?x=1", {"x-forwarded-proto": "http"}),
    ("HEAD", "/buy?x=1", {"x-forwarded-proto": "http"}),
    ("GET", "/notes.txt", {"Range": "bytes=0-3"}),
    ("GET", "/notes.txt", {"If-None-Match": "*"}),
)
COMPARED = (
    *("content-type", "cache-control", "etag", "strict-transport-security", "content-security-policy"),
    *("x-content-type-options", "x-frame-options", "referrer-policy", "permissions-policy", "x-robots-tag", "content-range"),
)


def _without_what_only_one_imitates(template: Path) -> dict[str, Any]:
    """Reduce the bucket policy in the template to its first statement, and return it for the bucket in the local AWS.

    There CloudFront reaches S3 without TLS, which the policy refuses, and a missing key is a 403 whatever the policy says.
    """
    document = json.loads(template.read_text())
    policy: dict[str, Any] = document["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"]
    policy["Statement"] = policy["Statement"][:1]
    template.write_text(json.dumps(document))
    (statement,) = policy["Statement"]
    resource = [r["Fn::Sub"].replace("${AWS::Partition}", "aws") for r in statement["Resource"]]
    condition = {"StringEquals": {"AWS:SourceArn": "DISTRIBUTION"}}
    return {"Version": "2012-10-17", "Statement": [{**statement, "Resource": resource, "Condition": condition}]}


def _path(response: httpx.Response) -> str:
    """Where a redirect leads, without the host: the one is asked by CloudFront's name, the other by the alias."""
    return httpx.URL(response.headers.get("location", "")).raw_path.decode()


class Signed(httpx.Auth):
    """As the local AWS asks it of every request, those to a distribution too. It looks for that in the account of the credentials."""

    def __init__(self, account: str, secret: str) -> None:
        self._signer = S3SigV4Auth(Credentials(account, secret), "s3", "us-east-1")

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        url = f"http://{request.headers['host']}{request.url.raw_path.decode()}"
        made = AWSRequest(method=request.method, url=url, headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
        self._signer.add_auth(made)
        request.headers.update(dict(made.headers.items()))
        yield request


@pytest.fixture
def viewed_aws(tmp_path: Path) -> Iterator[LocalAws]:
    """A local AWS whose distributions answer, and run their functions: all others run no code."""
    server = LocalAws.start(tmp_path / "viewed", bound_to=os.getpid(), persist=False, settings={"LOCAL_AWS_VIEWERS": "1"})
    yield server
    server.stop()


def test_the_local_cloudfront_and_the_preview_agree(viewed_aws: LocalAws, account: str, tmp_path: Path) -> None:
    """Same template, same content, same requests: same status, headers and body."""
    aws = Aws(endpoint_url=viewed_aws.endpoint_url, static_credentials=viewed_aws.credentials)
    deployed = frontend.deployed(aws, tmp_path / "dist", "prod", account)
    content = read(BUILT, deployed.assembly.site)
    s3 = aws.client("s3", account_id=account, region=deployed.assembly.home_region)
    for entry in content.entries:
        body = content.generated.get(entry.key) or content.files[entry.key].path.read_bytes()
        s3.put_object(Bucket=deployed.bucket, Key=entry.key, Body=body, ContentType=entry.content_type, CacheControl=entry.cache_control)
    policy = _without_what_only_one_imitates(tmp_path / "dist" / "prod" / "site.template.json")
    document = json.loads(json.dumps(policy).replace("DISTRIBUTION", deployed.outputs["DistributionArn"]))
    s3.put_bucket_policy(Bucket=deployed.bucket, Policy=json.dumps(document))
    script = next(entry.key for entry in content.entries if entry.key.endswith(".js")).removeprefix("assets/")
    signed = Signed(account, viewed_aws.secret)
    differing = {}
    with preview(tmp_path / "dist", "prod", BUILT) as site, httpx.Client(headers={"Accept-Encoding": "identity"}, timeout=120) as client:
        for method, path, headers in REQUESTS:
            target = path.replace("SCRIPT", script)
            theirs = client.request(
                method,
                f"{viewed_aws.endpoint_url}{target}",
                headers={"Host": deployed.outputs["DistributionDomainName"], "x-forwarded-proto": "https", **headers},
                auth=signed,
            )
            ours = client.request(method, f"http://127.0.0.1:{site.port}{target}", headers={"Host": site.alias, **headers})
            differences = {
                name: (a, b)
                for name, a, b in (
                    ("status", theirs.status_code, ours.status_code),
                    *((name, theirs.headers.get(name), ours.headers.get(name)) for name in COMPARED),
                    ("location", _path(theirs), _path(ours)),
                    # CloudFront marks errors and redirects as such; the local AWS does not. Nor does it follow the policies of templates.
                    *(
                        [("x-cache", *(r.headers.get("x-cache") for r in (theirs, ours)))]
                        if target.startswith("/assets") and theirs.is_success
                        else []
                    ),
                    ("body", theirs.content if theirs.status_code < 300 else b"", ours.content if ours.status_code < 300 else b""),
                )
                if a != b
            }
            if differences:
                differing[f"{method} {path} {headers or ''}"] = differences
    assert differing == {}, json.dumps(differing, indent=1, default=str)[:6000]


def test_it_serves_what_was_published_to_the_local_aws(tmp_path: Path) -> None:
    server = LocalAws.start(tmp_path / ".local-aws", bound_to=os.getpid(), persist=False)
    try:
        aws = Aws(endpoint_url=server.endpoint_url, static_credentials=server.credentials)
        frontend.deployed(aws, tmp_path / "dist", "dev", "123456789012")

        def command(verb: str, *arguments: str) -> str:
            out, err = io.StringIO(), io.StringIO()
            context = Context(stdin=io.StringIO(), stdout=out, stderr=err, root=tmp_path)
            given = [verb, "--env", "dev", "--dist", str(tmp_path / "dist"), "--local", *arguments]
            assert main(given, PACKAGES, context) == 0, err.getvalue()
            return out.getvalue()

        command("publish", "--content", str(BUILT), "--yes")
        (found,), (gone,) = (answer(command("preview", "--explain", path, "--json")) for path in ("/buy", "/gone.txt"))
        assert found["status"] == 200
        assert found["bytes"] == (BUILT / "index.html").stat().st_size
        assert ["Cache-Control", PAGE] in found["headers"]
        assert gone["status"] == 404

        # The next release: a visitor who still holds the old page gets its chunk, others the new page and chunk.
        old = next(BUILT.glob("assets/Plans-*.js")).relative_to(BUILT).as_posix()
        new = frontend.rebuilt(frontend.built(tmp_path / "next"), "second")
        command("publish", "--content", str(tmp_path / "next"), "--yes")
        for path in (f"/{old}", f"/{new}", "/buy"):
            (found,) = answer(command("preview", "--explain", path, "--json"))
            assert (path, found["status"]) == (path, 200)
        assert not (tmp_path / "next" / old).exists()
        # What a preview that runs all the while forgets by.
        [asked] = invalidations(CloudFront.connect(aws, account_id="123456789012"))()
        assert set(asked.paths) == {"/buy", "/buy/*", "/index.html"}
    finally:
        server.stop()
