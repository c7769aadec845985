"""The preview as a command: start, requests over HTTP and HTTPS, reloading, and every way in which it cannot start."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from assembly import files
from environments.model import PAGE as CACHED
from guards.processes import child_environment
from preview import tls
from stacks.synthesis import synthesise
from tests.browser.previews import PASSWORD, ROOT, USER, Running, preview
from tests.environments_fixture import environments

PAGE = "<!doctype html><title>app</title><script src=/assets/app-1a2b3c4d.js></script>\n"


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every environment, as build.py writes it."""
    directory = tmp_path_factory.mktemp("dist")
    for name, environment in environments().items():
        found = synthesise(environment)
        templates = {stack.template.file: found.templates[stack.id] for stack in found.assembly.stacks}
        files.write(directory / name, files.files_of(found.assembly, templates))
    return directory


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A small built front end."""
    folder = tmp_path / "content"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "assets" / "app-1a2b3c4d.js").write_text("export default 1;\n" * 200)
    return folder


@pytest.fixture
def running(dist: Path, content: Path, tmp_path: Path) -> Iterator[Running]:
    """dev over plain HTTP, from a copy of its assembly."""
    shutil.copytree(dist / "dev", tmp_path / "dist" / "dev")
    with preview(tmp_path / "dist", "dev", content) as found:
        yield found


def _get(site: Running, path: str, *, password: str | None = PASSWORD, **headers: str) -> httpx.Response:
    auth = (USER, password) if password is not None else None
    return httpx.get(f"http://127.0.0.1:{site.port}{path}", auth=auth, headers=headers, timeout=120)


def _command(*arguments: str, stdin: str = "", environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "deploy.py", "preview", *arguments]
    return subprocess.run(
        command, cwd=ROOT, input=stdin, capture_output=True, text=True, timeout=180, env=child_environment(**(environ or {})), check=False
    )


# --- serving ------------------------------------------------------------------------------------------------------------


def test_it_asks_for_the_password_serves_the_app_and_follows_content_and_templates(running: Running, tmp_path: Path) -> None:
    assert running.url == f"http://127.0.0.1:{running.port}/buy"
    assert _get(running, "/buy", password=None).status_code == 401
    assert _get(running, "/buy", password="wrong").status_code == 401
    page = _get(running, "/buy/deep/link")
    assert (page.status_code, page.text, page.headers["cache-control"]) == (200, PAGE, CACHED)
    assert page.headers["x-frame-options"] == "DENY"
    for _ in range(2):
        script = _get(running, "/assets/app-1a2b3c4d.js")
        assert script.headers["content-encoding"] == "br"
    assert script.headers["x-cache"] == "Hit from cloudfront"
    assert _get(running, "/assets/gone.js").status_code == 404
    redirect = _get(running, "/buy", Host="dev.kimmyai.io", **{"X-Forwarded-Proto": "http"})
    assert (redirect.status_code, redirect.headers["location"]) == (301, "https://dev.kimmyai.io/buy")
    assert _get(running, "/buy", Host="other.example.com").status_code == 403

    (running.content / "assets" / "app-1a2b3c4d.js").write_text("export default 2;\n" * 200)
    (running.content / "new.txt").write_text("new")
    running.wait_for_log("reloaded")
    assert _get(running, "/new.txt").text == "new"
    assert _get(running, "/assets/app-1a2b3c4d.js").text.startswith("export default 2;"), "a reload empties the cache"

    template = tmp_path / "dist" / "dev" / "site.template.json"
    document = json.loads(template.read_text())
    policy = document["Resources"]["ResponseHeadersPolicy"]["Properties"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    policy["FrameOptions"]["FrameOption"] = "SAMEORIGIN"
    template.write_text(json.dumps(document))
    running.wait_for_log("was changed after the build")
    running.wait_for_log("reloaded; the cache is empty", count=2)
    assert _get(running, "/buy").headers["x-frame-options"] == "SAMEORIGIN"

    template.write_text("{")
    running.wait_for_log("cannot reload, the site is still the earlier one")
    assert _get(running, "/buy").status_code == 200
    assert PASSWORD not in running.log
    assert "$scrypt$" not in running.log
    assert "GET /buy 401" in running.log


def test_a_folder_that_is_removed_and_built_anew_is_followed(running: Running) -> None:
    shutil.rmtree(running.content)
    running.wait_for_log("cannot reload, the site is still the earlier one")
    for number in (1, 2):
        seen = running.log.count("reloaded")
        running.content.mkdir(exist_ok=True)
        (running.content / "index.html").write_text(f"{number}")
        running.wait_for_log("reloaded", count=seen + 1)
        assert _get(running, "/buy").text == f"{number}"


def test_a_crash_of_the_function_is_a_502_and_a_readable_line(running: Running, tmp_path: Path) -> None:
    template = tmp_path / "dist" / "dev" / "edge.template.json"
    document = json.loads(template.read_text())
    document["Resources"]["Function"]["Properties"]["Code"]["ZipFile"] = "exports.handler = async () => { throw new Error('broken'); };"
    template.write_text(json.dumps(document))
    running.wait_for_log("reloaded")
    assert _get(running, "/buy").status_code == 502
    running.wait_for_log("error: viewer-request function kimmyai-web-dev-basic-auth crashed: Error: broken")


def test_https_speaks_http_2_and_tls_1_2_with_a_certificate_for_the_names(dist: Path, content: Path) -> None:
    with preview(dist, "prod", content, "--https", "--http-port", "0") as site:
        authority = site.authority
        context = ssl.create_default_context(cafile=str(authority))
        url = f"https://127.0.0.1:{site.port}/buy"
        with httpx.Client(http2=True, verify=context, timeout=120) as client:
            for extensions in ({}, {"sni_hostname": "kimmyai.io"}, {"sni_hostname": "www.kimmyai.io"}):
                response = client.get(url, headers={"Host": "kimmyai.io"}, extensions=extensions)
                assert (response.status_code, response.http_version) == (200, "HTTP/2")
        with httpx.Client(verify=context, timeout=120) as client, pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            client.get(url, extensions={"sni_hostname": "other.example.com"})
        assert "PRIVATE" not in authority.read_text()
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("DEFAULT:@SECLEVEL=0")
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", site.port)) as plain, pytest.raises(ssl.SSLError):
            old.wrap_socket(plain)
        redirect = httpx.get(f"http://127.0.0.1:{site.http_port}/buy?a=1", headers={"Host": f"kimmyai.io:{site.http_port}"}, timeout=120)
        assert (redirect.status_code, redirect.headers["location"]) == (301, f"https://kimmyai.io:{site.port}/buy?a=1")
        bare = httpx.get(f"http://127.0.0.1:{site.http_port}/buy", headers={"Host": "kimmyai.io"}, timeout=120)
        assert bare.headers["location"] == "https://kimmyai.io/buy"
    assert not authority.exists(), "it is of no use after the end"


def test_two_previews_of_an_environment_have_an_authority_each(dist: Path, content: Path) -> None:
    with preview(dist, "prod", content, "--https") as first, preview(dist, "prod", content, "--https") as second:
        for site in (first, second):
            context = ssl.create_default_context(cafile=str(site.authority))
            assert (
                httpx.get(f"https://127.0.0.1:{site.port}/buy", headers={"Host": "kimmyai.io"}, verify=context, timeout=120).status_code
                == 200
            )


@pytest.mark.parametrize(
    ("policy", "version"),
    [("TLSv1.2_2021", ssl.TLSVersion.TLSv1_2), ("TLSv1.2_2025", ssl.TLSVersion.TLSv1_2), ("TLSv1.3_2025", ssl.TLSVersion.TLSv1_3)],
)
def test_the_security_policy_of_the_template_sets_the_oldest_tls(policy: str, version: ssl.TLSVersion) -> None:
    assert tls.make(("kimmyai.io",), policy, datetime.now(UTC)).context.minimum_version == version


def test_it_listens_on_loopback_only(running: Running) -> None:
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    addresses = {line[1].partition(":")[0] for line in lines if line[3] == "0A" and int(line[1].partition(":")[2], 16) == running.port}
    assert addresses == {"0100007F"}
    assert f":{running.port:04X}" not in Path("/proc/net/tcp6").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_and_node_with_it(dist: Path, content: Path, number: signal.Signals) -> None:
    with preview(dist, "dev", content) as site:
        children = Path(f"/proc/{site.process.pid}/task/{site.process.pid}/children").read_text().split()
        assert len(children) == 1
        site.process.send_signal(number)
        assert site.process.wait(180) == 0
        assert "preview ended" in site.log
        assert "Traceback" not in site.log
        assert not Path(f"/proc/{children[0]}").exists()


# --- what stops it --------------------------------------------------------------------------------------------------------


def test_a_port_in_use_is_one_clear_line(dist: Path, content: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = _command("--env", "prod", "--dist", str(dist), "--content", str(content), "--port", port)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"error: port {port} of 127.0.0.1 is in use\n  hint: take another one: --port 0 finds a free one\n" in done.stderr


def test_without_node_it_says_what_to_install(dist: Path, content: Path, tmp_path: Path) -> None:
    done = _command("--env", "dev", "--dist", str(dist), "--content", str(content), "--port", "0", environ={"PATH": str(tmp_path)})
    assert done.returncode == 1
    assert "error: the edge functions run in Node.js, which is not on PATH" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--env", "none"), "python build.py --env none"),
        (("--env", "dev", "--user", "somebody"), "knows the user 'admin' only"),
        (("--env", "dev", "--http-port", "1"), "--http-port goes with --https"),
        (("--env", "dev", "--explain", "buy"), "--explain takes a path"),
        (("--env", "dev", "--port", "70000"), "is no port"),
        (("--env", "dev", "--password-stdin"), "the password cannot be used"),
        (("--env", "dev", "--content", "/dev/null/none"), "no such folder"),
    ],
)
def test_wrong_usage_ends_with_2_and_no_traceback(arguments: tuple[str, ...], message: str, dist: Path, content: Path) -> None:
    given = () if "--content" in arguments else ("--content", str(content))
    done = _command("--dist", str(dist), *given, *arguments, stdin="\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


# --- explaining ------------------------------------------------------------------------------------------------------------


def test_explain_tells_the_way_without_and_with_credentials(dist: Path, content: Path) -> None:
    done = _command("--env", "dev", "--dist", str(dist), "--content", str(content), "--explain", "/buy?a=1", "--json")
    assert done.returncode == 0
    without, known = json.loads(done.stdout)["data"]
    assert (without["status"], without["credentials"], known["status"], known["credentials"]) == (401, False, 200, True)
    stages = [step["stage"] for step in known["steps"]]
    assert stages == [
        "host",
        "behavior",
        "viewer-request",
        "cache",
        "origin",
        "cache",
        "response headers policy",
    ]
    text = _command("--env", "prod", "--dist", str(dist), "--content", str(content), "--explain", "/assets/gone.js").stdout
    assert "site: 404, no object 'assets/gone.js'; bucket policy statement CloudFrontTellsMissing allows s3:ListBucket" in text


def test_what_publish_would_refuse_is_said_at_start(dist: Path, content: Path) -> None:
    (content / ".env").write_text("SECRET=1")
    done = _command("--env", "prod", "--dist", str(dist), "--content", str(content), "--explain", "/buy")
    assert "note: publish would refuse this: " in done.stderr
    assert ".env: a dotfile" in done.stderr


def test_a_generated_password_is_shown_once_and_kept_nowhere(dist: Path, content: Path, tmp_path: Path) -> None:
    command = [sys.executable, "deploy.py", "preview", "--env", "dev", "--dist", str(dist), "--content", str(content), "--port", "0"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=child_environment(TMPDIR=str(tmp_path))
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=180)
    finally:
        process.kill()
    assert url.startswith("http://127.0.0.1:")
    (line,) = [line for line in log.splitlines() if line.startswith("user admin, password ")]
    password = line.rpartition(" ")[2]
    assert log.count(password) == 1
    assert len(password) >= 20
    assert list(tmp_path.iterdir()) == [content], "nothing is left in the temporary directory"
