"""moto as a second AWS beside the local one: an implementation that shares no line with it, and none with ours.

It has a virtual environment of its own, since it wants another botocore than the local AWS: made once, kept in `.cache/`, its packages
locked in `requirements.txt` beside this file. Where that cannot be made the tests fail in CI, and say elsewhere why they are skipped.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.harness import ROOT, CommandLine
from tests.functional.wire import Wire, wire_to

HERE = Path(__file__).resolve().parent
ACCOUNT = "123456789012"


def interpreter() -> Path:
    """The Python of moto's virtual environment, made if it is not there yet. Raises CalledProcessError, with uv's words."""
    locked = HERE / "requirements.txt"
    key = hashlib.sha256(locked.read_bytes() + sys.version.encode()).hexdigest()[:12]
    cache = ROOT / ".cache"
    cache.mkdir(exist_ok=True)
    folder = cache / f"moto-{key}"
    with (cache / "moto.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            uv = str(Path(sys.executable).parent / "uv")
            python = str(folder / "bin" / "python")
            for command in (
                [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
                [uv, "pip", "install", "--quiet", "--python", python, "-r", str(locked)],
            ):
                subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
            (folder / "complete").touch()
    return folder / "bin" / "python"


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of a server of this session."""
    try:
        python = interpreter()
    except (OSError, subprocess.SubprocessError) as error:
        why = f"moto cannot be installed, so nothing was compared with a second AWS: {getattr(error, 'stderr', '') or error}"
        if os.environ.get("CI") or os.environ.get("SECOND_AWS") == "required":
            pytest.fail(why)
        pytest.skip(why)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path_factory.mktemp("moto") / "log").open("wb")
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path_factory.mktemp("home")), "MOTO_ACCOUNT_ID": ACCOUNT}
    command = [str(python), str(HERE / "server.py"), "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, env=environ, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    endpoint = f"http://127.0.0.1:{port}"
    try:
        _await(endpoint, server)
        yield endpoint
    finally:
        server.kill()
        server.wait()
        log.close()


def _await(endpoint: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{endpoint}/moto-api/", timeout=60).close()
        except (urllib.error.URLError, OSError):
            assert server.poll() is None, "moto ended at its start"
            time.sleep(0.1)
        else:
            return
    pytest.fail("moto does not answer")


@pytest.fixture
def second_aws(moto: str) -> Iterator[Wire]:
    """moto, emptied."""
    urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", method="POST"), timeout=120).close()
    with wire_to(moto) as wire:
        yield wire


@pytest.fixture
def command_line(second_aws: Wire, tmp_path: Path) -> CommandLine:
    """The project's scripts, as a caller who has put moto in AWS's place."""
    return CommandLine(home=tmp_path, endpoint_url=second_aws.url, account_id=ACCOUNT)
