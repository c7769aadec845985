"""Start, find again and stop the local AWS.

In: the directory that holds its state.
Out: a `LocalAws` with the endpoint and credentials for any account; `LocalAwsError` says what to type.
Never: talks to AWS, listens on anything but 127.0.0.1, takes a stranger's process or port for its own (each server has a secret, which
neither side sends), leaves a file that others may read, prints.

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
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

from assembly import commands
from assembly.errors import Remedied
from aws.session import StaticCredentials
from guards.processes import child_environment
from local_aws.proof import proof, same

OWNER = "owner"
"""The file in the directory that the server holds locked as long as it lives, with its process id; touched as it works."""
LOCK = "lock"
"""The file that keeps apart commands which start or end a server; the only one that is never removed."""
INSTALL_COMMAND = ".venv/bin/pip install -e '.[local]' -c constraints.txt"
IDLE_SECONDS = 1800.0
START_SECONDS = 60.0
SETTLE_SECONDS = 15.0
"""How long a server may take to begin or to end, and to answer. One that shows no sign of life for that long has hung, and is ended."""

ROOMS = ("local_aws", "outages", "late", "resource_import", "stack_policies", "api_rules", "emulator", "cloud_control")
"""What the server is made of, beside MiniStack."""
_ROOT = Path(__file__).resolve().parent.parent


class LocalAwsError(Remedied):
    """The local AWS cannot be had; `command` is what to type."""


@dataclass(frozen=True, kw_only=True)
class LocalAws:
    """A running local AWS."""

    state: Path
    port: int
    pid: int
    secret: str = field(repr=False)
    """Every request is signed with it; `server.json`, which only its owner may read, holds it."""
    auth: bool
    code: str
    """Digest of the sources that it runs."""

    @property
    def endpoint_url(self) -> str:
        """For every service."""
        return f"http://127.0.0.1:{self.port}"

    def credentials(self, account_id: str) -> StaticCredentials:
        """The root credentials of an account: its id is the access key."""
        return StaticCredentials(access_key=account_id, secret_key=self.secret)

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
        settle_seconds: float = SETTLE_SECONDS,
        settings: dict[str, str] | None = None,
    ) -> LocalAws:
        """The server of that directory: the running one, or a new one with the state that is there.

        `auth`: IAM policies are enforced. A running server that differs in this, or runs other code, is stopped first; its state stays.
        `fresh`: forget the state. `bound_to`: end when that process, which must be the caller, ends. `persist`: keep the state on disk.
        `idle_seconds`: end after that long without a request. `settle_seconds`: see there. `settings`: further environment variables of
        the child, as README.md lists them. Raises `LocalAwsError`.
        """
        state = state.absolute()
        if importlib.util.find_spec("ministack") is None:
            raise LocalAwsError("the local AWS is not installed (an optional extra)", INSTALL_COMMAND)
        _make_private(state)
        with _locked(state / LOCK):
            running = cls.find(state, seconds=min(10.0, settle_seconds)) or cls._settled(state, settle_seconds)
            if running is not None:
                if running.auth == auth and running.code == _code() and not fresh:
                    return running
                running.stop(forget=fresh)
            if fresh:
                for name in ("services", "s3"):
                    shutil.rmtree(state / name, ignore_errors=True)
            _launch(state, auth=auth, persist=persist, idle_seconds=idle_seconds, parent=bound_to, settings=settings or {})
            found = cls.find(state)
        if found is None:
            raise LocalAwsError("the local AWS started and ended at once", f"cat {state / 'log'}")
        return found

    @classmethod
    def find(cls, state: Path, *, seconds: float = 10.0) -> LocalAws | None:
        """The server that runs with that directory, if it answers. The record of one that has ended is removed; that of one which lives
        and cannot be reached from here, or not now, stays.
        """
        record = state.absolute() / "server.json"
        try:
            seen = json.loads(record.read_text())
            server = cls(
                state=state.absolute(),
                port=int(seen["port"]),
                pid=int(seen["pid"]),
                secret=str(seen["secret"]),
                auth=bool(seen["auth"]),
                code=str(seen.get("code", "")),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if server._asked("whoami", seconds):
            return server
        if _owner(state) is None:
            with contextlib.suppress(OSError):
                record.unlink()
        return None

    @classmethod
    def end(cls, state: Path, *, forget: bool = False, settle_seconds: float = SETTLE_SECONDS) -> bool:
        """End the server of that directory, whoever started it; whether there was one. Its state stays unless `forget`.

        No command can start another meanwhile. Raises `LocalAwsError` where it lives on.
        """
        state = state.absolute()
        if not state.exists():
            return False
        _make_private(state)
        with _locked(state / LOCK):
            running = cls.find(state, seconds=min(10.0, settle_seconds)) or cls._settled(state, settle_seconds)
            if running is not None:
                running.stop(forget=forget)
            if _owner(state) is not None:
                raise LocalAwsError(f"the local AWS of {state} does not end", f"kill {_owner(state)}")
            if forget:
                for path in state.iterdir():
                    if path.is_dir() and not path.is_symlink():
                        shutil.rmtree(path)
                    elif path.name != LOCK:
                        path.unlink()
        return running is not None

    @classmethod
    def _settled(cls, state: Path, seconds: float) -> LocalAws | None:
        """What becomes of a process that holds the directory and does not answer: it begins (or begins to answer), ends, or has hung."""
        if _owner(state) is not None:
            # It may be a wrong one. Whoever lives writes its own again.
            (state / "server.json").unlink(missing_ok=True)
        deadline = time.monotonic() + seconds
        while (pid := _owner(state)) is not None:
            found = cls.find(state, seconds=seconds)
            if found is not None:
                return found
            if time.monotonic() > deadline:
                silent = time.time() - (state / OWNER).stat().st_mtime
                if pid == 0 or silent < seconds:
                    raise LocalAwsError(f"the local AWS of {state} (process {pid}) works, but cannot be reached from here", f"kill {pid}")
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        return None

    def stop(self, *, forget: bool = False) -> None:
        """End it; its state is saved first, unless it is to `forget` it. Nothing happens if it is gone already.

        Raises `LocalAwsError` where it cannot be saved: it lives on, as what it holds stands nowhere else.
        """
        answer = self._asked("forget" if forget else "stop")
        if answer is None:
            return
        if answer.get("unsaved"):
            why = f"its state cannot be written ({answer['unsaved']}); what was written before is still there"
            raise LocalAwsError(f"the local AWS has not ended: {why}", f"free some space, then:\n{commands.DEPLOY} local stop")
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and _alive(self.pid):
            time.sleep(0.02)
        if _alive(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def _asked(self, what: str, seconds: float = 10.0) -> dict[str, Any] | None:
        """What the process behind the port says; None if it is not this server. Both show that they know the secret."""
        nonce = secrets.token_hex(16)
        headers = {"x-local-aws-nonce": nonce, "x-local-aws-proof": proof(self.secret, what, nonce)}
        request = urllib.request.Request(f"{self.endpoint_url}/_local_aws/{what}", headers=headers)  # noqa: S310
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=seconds) as answer:
                said = json.loads(answer.read(4096))
                proven = said["pid"] == self.pid and same(str(said["proof"]), proof(self.secret, "answer", nonce))
                return dict(said) if proven else None
        except (OSError, ValueError, KeyError, TypeError, HTTPException):
            return None


def _code() -> str:
    """A server that an older checkout started is replaced rather than found."""
    digest = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((_ROOT / room).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _launch(state: Path, *, auth: bool, persist: bool, idle_seconds: float, parent: int | None, settings: dict[str, str]) -> None:
    record = state / "server.json"
    scratch = state / "tmp"
    scratch.mkdir(mode=0o700, exist_ok=True)
    environment = child_environment() | {
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
        "LOCAL_AWS_SECRET": secrets.token_hex(32),
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
            raise LocalAwsError(f"the local AWS did not start: {_last_words(state / 'log')}", f"cat {state / 'log'}")
        if LocalAws.find(state) is not None:
            # It is meant to outlive this: letting go of it is no mistake that Python has to warn of.
            with warnings.catch_warnings(action="ignore", category=ResourceWarning):
                del child
            return
        time.sleep(0.02)
    child.kill()
    child.wait()
    raise LocalAwsError(
        f"the local AWS did not answer within {START_SECONDS:.0f} seconds: {_last_words(state / 'log')}", f"cat {state / 'log'}"
    )


@contextlib.contextmanager
def _log(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600), "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _owner(state: Path) -> int | None:
    """The process whose directory it is: None if there is none, 0 if it has not said so yet."""
    try:
        with (state / OWNER).open() as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                said = handle.read()
                return int(said) if said.isdecimal() else 0
    except FileNotFoundError:
        pass
    return None


def _make_private(state: Path) -> None:
    """The directory, for its owner alone; what an earlier version left open to others is closed."""
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
    except FileExistsError:
        raise LocalAwsError(f"{state} is no directory", f"rm {state}") from None
    found = state.stat()
    if found.st_uid != os.geteuid():
        raise LocalAwsError(f"{state} belongs to another user", f"rm -r {state}")
    if found.st_mode & 0o077:
        state.chmod(0o700)
        for path in state.rglob("*"):
            if not path.is_symlink():
                path.chmod(0o700 if path.is_dir() else 0o600)


def _last_words(log: Path) -> str:
    """The last line of its log, where a traceback says what it is about; a full disk leaves none."""
    said = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next(
        (line for line in reversed(said) if line.strip()), f"its log is empty; {shutil.disk_usage(log).free:,} bytes are free there"
    )


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
