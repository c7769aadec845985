"""Start, find again and stop the local AWS.

In: the directory that holds its state.
Out: a `LocalAws` with the endpoint and credentials for any account; `LocalAwsError` says what to type.
Never: talks to AWS, listens on anything but 127.0.0.1, takes a stranger's process or port for its own (each server has a token), prints.

A server outlives the command that started it, so that `apply --local` and `publish --local` see the same AWS; it ends itself after half
an hour without a request. Its state is also on disk: saved after every quiet second and at its end, read when it starts again.
Two commands that start at once are kept apart by a file lock and end up with the same server.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aws.session import StaticCredentials

INSTALL_COMMAND = ".venv/bin/pip install -e '.[local]' -c constraints.txt"
IDLE_SECONDS = 1800.0
START_SECONDS = 30.0
ROOT_SECRET = "test"  # noqa: S105  (MiniStack's documented default for the root of an account; it guards nothing)

_ROOT = Path(__file__).resolve().parent.parent
_KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "SYSTEMROOT", "VIRTUAL_ENV")


class LocalAwsError(Exception):
    """The local AWS cannot be had; `hint` is what to type."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, kw_only=True)
class LocalAws:
    """A running local AWS."""

    state: Path
    port: int
    pid: int
    token: str
    auth: bool
    code: str
    """Digest of the sources that it runs."""

    @property
    def endpoint_url(self) -> str:
        """For every service."""
        return f"http://127.0.0.1:{self.port}"

    def credentials(self, account_id: str) -> StaticCredentials:
        """The root credentials of an account: its id is the access key."""
        return StaticCredentials(access_key=account_id, secret_key=ROOT_SECRET)

    @classmethod
    def start(
        cls,
        state: Path,
        *,
        auth: bool = False,
        fresh: bool = False,
        bound_to: int | None = None,
        persist: bool = True,
        idle_seconds: float = IDLE_SECONDS,
        settings: dict[str, str] | None = None,
    ) -> LocalAws:
        """The server of that directory: the running one, or a new one with the state that is there.

        `auth`: IAM policies are enforced. A running server that differs in this, or runs other code, is stopped first; its state stays.
        `fresh`: forget the state. `bound_to`: end when that process, which must be the caller, ends. `persist`: keep the state on disk.
        `idle_seconds`: end after that long without a request. `settings`: further environment variables of the child, as
        README.md lists them. Raises `LocalAwsError`.
        """
        state = state.absolute()
        if importlib.util.find_spec("ministack") is None:
            raise LocalAwsError("the local AWS is not installed (an optional extra)", INSTALL_COMMAND)
        state.mkdir(parents=True, exist_ok=True)
        with _locked(state / "lock"):
            running = cls.find(state)
            if running is not None:
                if running.auth == auth and running.code == _code() and not fresh:
                    return running
                running.stop()
            if fresh:
                for name in ("services", "s3"):
                    shutil.rmtree(state / name, ignore_errors=True)
            _launch(state, auth=auth, persist=persist, idle_seconds=idle_seconds, parent=bound_to, settings=settings or {})
            found = cls.find(state)
        if found is None:
            raise LocalAwsError("the local AWS started and ended at once", f"cat {state / 'log'}")
        return found

    @classmethod
    def find(cls, state: Path) -> LocalAws | None:
        """The server that runs with that directory, if there is one; a stale record is removed."""
        record = state.absolute() / "server.json"
        try:
            seen = json.loads(record.read_text())
            server = cls(
                state=state.absolute(),
                port=int(seen["port"]),
                pid=int(seen["pid"]),
                token=str(seen["token"]),
                auth=bool(seen["auth"]),
                code=str(seen.get("code", "")),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if server._asked("whoami"):
            return server
        with contextlib.suppress(OSError):
            record.unlink()
        return None

    def stop(self) -> None:
        """End it; its state is saved first. Nothing happens if it is gone already."""
        if not self._asked("stop"):
            return
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and _alive(self.pid):
            time.sleep(0.02)
        if _alive(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def _asked(self, what: str) -> bool:
        """Whether the process behind the port is this server; it is asked with its token."""
        request = urllib.request.Request(f"{self.endpoint_url}/_local_aws/{what}", headers={"x-local-aws-token": self.token})  # noqa: S310
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=10) as answer:
                return bool(json.loads(answer.read())["pid"] == self.pid)
        except (OSError, ValueError, KeyError, TypeError):
            return False


def _code() -> str:
    """A server that an older checkout started is replaced rather than found."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _launch(state: Path, *, auth: bool, persist: bool, idle_seconds: float, parent: int | None, settings: dict[str, str]) -> None:
    record = state / "server.json"
    environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    scratch = state / "tmp"
    scratch.mkdir(exist_ok=True)
    environment |= {
        "PYTHONPATH": str(_ROOT),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "DOCKER_HOST": f"unix://{state}/no-docker",
        "TMPDIR": str(scratch),
        "S3_DATA_DIR": str(state / "s3"),
        "STATE_DIR": str(state / "services"),
        "PERSIST_STATE": "1" if persist else "0",
        "S3_PERSIST": "1" if persist else "0",
        "AUTH": "true" if auth else "false",
        "LOCAL_AWS_TOKEN": secrets.token_hex(16),
        "LOCAL_AWS_CODE": _code(),
        **settings,
    }
    command = [sys.executable, "-m", "local_aws.child", "--record", str(record), "--idle-seconds", str(idle_seconds)]
    if parent is not None:
        command += ["--parent", str(parent)]
    with _log(state / "log") as log:
        child = subprocess.Popen(  # noqa: S603
            command, env=environment, cwd=_ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise LocalAwsError(f"the local AWS did not start:\n{_tail(state / 'log')}", f"cat {state / 'log'}")
        if LocalAws.find(state) is not None:
            return
        time.sleep(0.02)
    child.kill()
    raise LocalAwsError(f"the local AWS did not answer within {START_SECONDS:.0f} seconds:\n{_tail(state / 'log')}", f"cat {state / 'log'}")


@contextlib.contextmanager
def _log(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-12:])


def _alive(pid: int) -> bool:
    try:
        reaped, _ = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        reaped = 0
    if reaped == pid:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
