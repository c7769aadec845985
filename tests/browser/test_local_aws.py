"""A page of another origin, in a real browser, against the local AWS: it can neither make it do something nor read an answer."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright

from aws.s3 import S3
from aws.session import Aws
from local_aws.server import LocalAws
from tests.browser.conftest import CHROMIUM

pytestmark = pytest.mark.attack

ACCOUNT = "111111111111"

ATTEMPTS = """async ([target]) => {
  const signature = 'AWS4-HMAC-SHA256 Credential=111111111111/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=00';
  const found = {};
  const attempt = async (name, path, options) => {
    try {
      const answer = await fetch(target + path, options);
      found[name] = `${answer.type} ${answer.status} ${(await answer.text()).length}`;
    } catch (error) {
      found[name] = error.name;
    }
  };
  await attempt('read', '/', {});
  await attempt('read without cors', '/', {mode: 'no-cors'});
  await attempt('health', '/_ministack/health', {});
  await attempt('reset', '/_ministack/reset', {method: 'POST', mode: 'no-cors'});
  await attempt('stop', '/_local_aws/stop', {mode: 'no-cors'});
  await attempt('make a bucket', '/from-a-page', {method: 'PUT', headers: {Authorization: signature}});
  await attempt('make a function', '/2015-03-31/functions', {method: 'POST', mode: 'no-cors', body: '{"FunctionName": "f"}'});
  await attempt('invoke', '/2015-03-31/functions/f/invocations', {method: 'POST', headers: {Authorization: signature}, body: '{}'});
  await attempt('form', '/', {method: 'POST', mode: 'no-cors', headers: {'Content-Type': 'application/x-www-form-urlencoded'},
                              body: 'Action=GetCallerIdentity&Version=2011-06-15'});
  found.socket = await new Promise((done) => {
    const socket = new WebSocket(target.replace('http', 'ws') + '/_aws/execute-api/a/b');
    socket.onopen = () => done('open');
    socket.onerror = () => done('refused');
  });
  return found;
}"""


class Page(BaseHTTPRequestHandler):
    """Somebody's site."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>a page</title>")

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[int]:
    """The port of somebody's site."""
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """As `--local` starts it."""
    server = LocalAws.start(tmp_path_factory.mktemp("local-aws") / "state", bound_to=os.getpid(), persist=False)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def chromium(local_aws: LocalAws, playwright: Playwright) -> Iterator[Browser]:
    """A browser for which evil.example, rebound to this machine, leads to it."""
    path = shutil.which("chromium")
    assert path, "Chromium is not installed; run tests/browser/setup.sh"
    rules = f"--host-resolver-rules=MAP evil.example 127.0.0.1,MAP rebound.example:80 127.0.0.1:{local_aws.port}"
    made = playwright.chromium.launch(executable_path=path, headless=True, args=[*CHROMIUM, rules])
    yield made
    made.close()


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1"])
def test_a_page_of_another_origin_gets_nothing(chromium: Browser, local_aws: LocalAws, elsewhere: int, host: str) -> None:
    """A site somewhere in the world, and one on another port of this machine."""
    page = chromium.new_page()
    page.goto(f"http://{host}:{elsewhere}/")
    found = page.evaluate(ATTEMPTS, [local_aws.endpoint_url])
    page.close()
    assert set(found.values()) == {"TypeError", "opaque 0 0", "refused"}, found
    assert found["read"] == found["make a bucket"] == found["invoke"] == "TypeError"
    assert LocalAws.find(local_aws.state) == local_aws
    s3 = S3.connect(
        Aws(endpoint_url=local_aws.endpoint_url, static_credentials=local_aws.credentials), account_id=ACCOUNT, region="us-east-1"
    )
    assert not s3.bucket_exists("from-a-page")


def test_a_name_that_is_rebound_to_this_machine_gets_nothing(chromium: Browser, local_aws: LocalAws) -> None:
    """Of its own origin then, as the browser sees it, and allowed to read all."""
    page = chromium.new_page()
    answer = page.goto("http://rebound.example/_ministack/health")
    assert answer is not None
    assert answer.status == 403
    assert page.evaluate("async () => (await fetch('/', {method: 'POST'})).status") == 403
    page.close()


def test_the_address_typed_into_the_browser_shows_a_refusal(chromium: Browser, local_aws: LocalAws, tmp_path: Path) -> None:
    page = chromium.new_page()
    answer = page.goto(f"{local_aws.endpoint_url}/")
    assert answer is not None
    assert answer.status == 403
    page.close()
