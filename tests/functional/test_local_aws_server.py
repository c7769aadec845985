"""The life of a local AWS: found again, kept apart, restored, ended; and what the user is told when it cannot start."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from aws.s3 import S3
from aws.session import Aws
from cli.main import main
from cli.parser import PACKAGES
from local_aws.server import LocalAws, LocalAwsError
from session.context import Context
from tests.functional.harness import ROOT, eventually

pytestmark = pytest.mark.functional


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A directory whose server ends with the test."""
    yield tmp_path / "state"
    server = LocalAws.find(tmp_path / "state")
    if server is not None:
        server.stop()


def start(state: Path, **options: bool | float) -> LocalAws:
    return LocalAws.start(state, bound_to=os.getpid(), **options)  # type: ignore[arg-type]


def buckets(server: LocalAws, account: str = "111111111111") -> S3:
    return S3.connect(Aws(endpoint_url=server.endpoint_url, static_credentials=server.credentials), account_id=account, region="us-east-1")


def alive(pid: int) -> bool:
    """Not even as a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def starting(state: Path, options: str) -> str:
    """Source of a command that starts a server and prints its process id."""
    imports = "import os; from pathlib import Path; from local_aws.server import LocalAws"
    return f"{imports}; print(LocalAws.start(Path({str(state)!r}), {options}).pid, flush=True)"


def test_a_second_start_finds_the_first(state: Path) -> None:
    first = start(state)
    assert start(state) == first


def test_it_listens_on_loopback_only_and_on_one_port(state: Path) -> None:
    server = start(state)
    listening = set()
    inodes = {str(each.readlink()) for each in Path(f"/proc/{server.pid}/fd").iterdir() if each.is_symlink()}
    for line in [*Path("/proc/net/tcp").read_text().splitlines(), *Path("/proc/net/tcp6").read_text().splitlines()]:
        columns = line.split()
        if columns[3] == "0A" and f"socket:[{columns[9]}]" in inodes:
            listening.add(columns[1])
    assert listening == {f"0100007F:{server.port:04X}"}


def test_its_record_is_private_and_goes_with_it(state: Path) -> None:
    server = start(state)
    record = state / "server.json"
    assert record.stat().st_mode & 0o777 == 0o600
    server.stop()
    assert not record.exists()
    assert not alive(server.pid)
    server.stop()


def test_state_survives_a_stop_and_a_kill(state: Path) -> None:
    server = start(state)
    gateway = buckets(server)
    gateway.client.create_bucket(Bucket="kept")
    gateway.put("kept", "key", b"value")
    server.stop()
    server = start(state)
    gateway = buckets(server)
    assert gateway.get("kept", "key").body == b"value"
    gateway.client.create_bucket(Bucket="kept-too")
    saved = state / "services" / "s3.json"
    eventually(lambda: "kept-too" in saved.read_text())
    os.kill(server.pid, signal.SIGKILL)
    gateway = buckets(start(state))
    assert gateway.bucket_exists("kept")
    assert gateway.bucket_exists("kept-too")


def test_a_server_of_an_older_checkout_is_replaced_and_its_state_kept(state: Path) -> None:
    server = start(state)
    buckets(server).client.create_bucket(Bucket="kept")
    record = state / "server.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "code": "older"}))
    again = start(state)
    assert not alive(server.pid)
    assert buckets(again).bucket_exists("kept")


def test_fresh_forgets(state: Path) -> None:
    server = start(state)
    buckets(server).client.create_bucket(Bucket="gone")
    again = start(state, fresh=True)
    assert again.pid != server.pid
    assert not alive(server.pid)
    assert not buckets(again).bucket_exists("gone")


def test_a_server_of_the_other_kind_is_replaced_and_its_state_kept(state: Path) -> None:
    server = start(state)
    buckets(server).client.create_bucket(Bucket="kept")
    guarded = start(state, auth=True)
    assert guarded.auth
    assert not alive(server.pid)
    assert buckets(guarded).bucket_exists("kept")


def test_a_stale_record_is_not_believed(state: Path) -> None:
    server = start(state)
    os.kill(server.pid, signal.SIGKILL)
    eventually(lambda: not alive(server.pid))
    assert LocalAws.find(state) is None
    assert start(state).pid != server.pid


class Friendly(BaseHTTPRequestHandler):
    """Says yes to everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"pid": 1}')

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def test_a_strangers_port_is_not_taken_for_ours(state: Path) -> None:
    start(state)
    stranger = HTTPServer(("127.0.0.1", 0), Friendly)
    threading.Thread(target=stranger.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    with stranger:
        record = state / "server.json"
        seen = json.loads(record.read_text())
        for lie in ({"port": stranger.server_address[1]}, {"secret": "0" * 64}):
            record.write_text(json.dumps({**seen, **lie}))
            assert LocalAws.find(state) is None
        stranger.shutdown()
    record.write_text(json.dumps(seen))


@pytest.mark.parametrize("record", ["", "{", "[]", '{"pid": "x"}', '{"pid": 1, "port": 99999999, "secret": "", "auth": false}'])
def test_a_broken_record_is_as_good_as_none(state: Path, record: str) -> None:
    state.mkdir()
    (state / "server.json").write_text(record)
    assert LocalAws.find(state) is None


@pytest.mark.parametrize("removed", [False, True], ids=["", "its directory is removed before"])
def test_it_ends_with_its_parent_even_if_that_is_killed(state: Path, removed: bool) -> None:
    code = starting(state, "bound_to=os.getpid()") + "; input()"
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert alive(pid)
    if removed:
        shutil.rmtree(state)
        # It looks twice a second.
        time.sleep(1.2)
    parent.kill()
    parent.communicate()
    eventually(lambda: not alive(pid))


def test_it_outlives_a_command_that_does_not_bind_it_and_ends_in_silence(state: Path) -> None:
    # A machine that needs longer to look for it is given longer.
    for seconds in (2, 20, 200):
        code = starting(state, f"idle_seconds={seconds}")
        pid = int(subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout)
        server = LocalAws.find(state)
        if server is not None:
            break
    assert server is not None
    assert server.pid == pid
    eventually(lambda: not alive(pid))
    assert LocalAws.find(state) is None


def test_commands_that_start_at_once_share_one_server(state: Path) -> None:
    code = starting(state, "idle_seconds=120")
    started = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert len({each.communicate()[0] for each in started}) == 1


def test_a_server_that_cannot_start_says_why(state: Path) -> None:
    with pytest.raises(LocalAwsError, match="could not convert") as caught:
        LocalAws.start(state, settings={"LOCAL_AWS_LATE": "1", "LOCAL_AWS_LATE_SECONDS": "soon"})
    assert caught.value.command == f"cat {state / 'log'}"


def test_a_server_whose_address_was_thrown_away_is_found_again(state: Path) -> None:
    server = start(state)
    for wrong in (None, "{", json.dumps({**json.loads((state / "server.json").read_text()), "port": 9})):
        (state / "server.json").unlink()
        if wrong is not None:
            (state / "server.json").write_text(wrong)
        assert start(state) == server


def test_a_server_that_does_not_answer_now_keeps_its_address(state: Path) -> None:
    server = start(state)
    os.kill(server.pid, signal.SIGSTOP)
    try:
        assert LocalAws.find(state, seconds=0.2) is None
        assert (state / "server.json").exists()
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert LocalAws.find(state) == server


def test_a_server_that_works_and_cannot_be_reached_is_left_alone(state: Path) -> None:
    """As from a sandbox without a network: here a process that holds the directory and shows signs of life, but no port."""
    holder = (
        "import fcntl, os, sys, time\n"
        "owner = open(sys.argv[1], 'a+'); fcntl.flock(owner, fcntl.LOCK_EX)\n"
        "owner.write(str(os.getpid())); owner.flush(); print(flush=True)\n"
        "while True: os.utime(owner.fileno()); time.sleep(0.1)\n"
    )
    state.mkdir(mode=0o700)
    held = subprocess.Popen([sys.executable, "-c", holder, str(state / "owner")], stdout=subprocess.PIPE, text=True)
    try:
        assert held.stdout is not None
        held.stdout.readline()
        with pytest.raises(LocalAwsError, match=f"process {held.pid}. works, but cannot be reached from here"):
            start(state, settle_seconds=3.0)
        assert held.poll() is None
    finally:
        held.kill()
        held.communicate()
    assert start(state).pid != held.pid


def test_a_server_that_hangs_is_replaced_without_the_user(state: Path) -> None:
    server = start(state)
    os.kill(server.pid, signal.SIGSTOP)
    again = start(state, settle_seconds=1.0)
    assert again.pid != server.pid
    assert not alive(server.pid)


def test_a_stop_that_races_with_starts_leaves_nobody_who_holds_the_directory(state: Path) -> None:
    """Whoever starts while another command stops gets a server that works, or finds it gone and starts again."""
    code = starting(state, "idle_seconds=120")
    for _ in range(3):
        server = start(state)
        starters = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        server.stop()
        assert all(each.wait(180) == 0 for each in starters)
        for each in starters:
            each.communicate()
    assert buckets(start(state)).client.list_buckets()["Buckets"] == []


def test_it_is_seen_stopped_and_forgotten_by_command(state: Path) -> None:
    def local(*arguments: str) -> dict[str, object]:
        out = io.StringIO()
        context = Context(root=state.parent, stdin=io.StringIO(""), stdout=out, stderr=io.StringIO())
        assert main(["local", *arguments, "--json"], PACKAGES, context) == 0
        return dict(json.loads(out.getvalue())["data"])

    where = state.parent / ".local-aws"
    assert local("status")["runs"] is False
    assert local("stop")["ended"] is False
    server = start(where)
    buckets(server).client.create_bucket(Bucket="kept-by-a-stop")
    seen = local("status")
    assert (seen["runs"], seen["endpoint"], seen["process"]) == (True, server.endpoint_url, server.pid)
    assert server.secret not in json.dumps(seen)
    assert local("stop")["ended"] is True
    assert not alive(server.pid)
    assert isinstance(kept := local("status")["bytes"], int) and kept > 0
    (where / "password").write_text("x")
    (where / "elsewhere").symlink_to(ROOT / "docs")
    refused = Context(root=state.parent, stdin=io.StringIO(""), stdout=io.StringIO(), stderr=io.StringIO())
    assert main(["local", "reset"], PACKAGES, refused) == 2
    assert (where / "services").exists()
    assert local("reset", "--yes")["ended"] is False
    assert (ROOT / "docs" / "house.py").exists()
    assert [path.name for path in where.iterdir()] == ["lock"]


def test_without_the_extra_the_command_to_type_is_named(state: Path) -> None:
    code = (
        f"import importlib.util as u, sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "found = u.find_spec; u.find_spec = lambda name, package=None: None if name == 'ministack' else found(name, package)\n"
        "from pathlib import Path\n"
        "from local_aws.server import LocalAws, LocalAwsError\n"
        f"try: LocalAws.start(Path({str(state)!r}))\n"
        "except LocalAwsError as error: print(error, '|', error.command)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=state.parent, capture_output=True, text=True, check=True)
    assert "the local AWS is not installed" in done.stdout
    assert "pip install -e '.[local]'" in done.stdout
