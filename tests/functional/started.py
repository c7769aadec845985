"""Starts a command line: the interpreter for real, or a copy of one that has imported all of it already (`warm.py`).

In: what subprocess.Popen takes. Out: a Popen. Both ways are the same to who starts, signals and reads it (test_started.py).
Never: copies for a command whose environment, directory or interpreter says something that is decided before the first import.

FUNCTIONAL_COLD=1 starts every command for real.
"""

from __future__ import annotations

import array
import ctypes
import inspect
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.functional import warm

ROOT = Path(__file__).resolve().parents[2]
SET = {"PYTHONWARNINGS": "ignore", "LANG": "C.UTF-8"}
"""What a waiting interpreter was started with, so what the copy has to be given as well."""
LATER = frozenset(
    {
        "PATH",
        "HOME",
        "COLUMNS",
        "NO_PROXY",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_MAX_ATTEMPTS",
        "AWS_REGION",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_STS_REGIONAL_ENDPOINTS",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "BASIC_AUTH_PASSWORD",
        "GITHUB_TOKEN",
    }
)
"""Variables that nothing reads while it is imported."""
PR_SET_CHILD_SUBREAPER = 36
"""prctl(2): whether what is left below this process when its parent ends becomes a child of this one, instead of the first process's."""
SEEDS = 2
"""Interpreters that wait, taken in turn: what follows a command in a test hashes otherwise, as it does between two processes."""


PLAIN = {
    **{"executable": None, "preexec_fn": None, "close_fds": True, "pass_fds": (), "startupinfo": None, "creationflags": 0, "shell": False},
    **{"restore_signals": True, "gid": None, "gids": None, "uid": None, "umask": -1, "process_group": -1},
}
"""Arguments of subprocess.Popen with which a copy is what was asked for, as they reach _execute_child."""


def inherited() -> tuple[str, ...]:
    """What a process started by this thread now would have from it."""
    said = Path("/proc/thread-self/status").read_text().splitlines()
    kept = ("Umask", "SigBlk", "SigIgn", "Cap", "NoNewPrivs", "Seccomp", "Cpus_allowed:", "Uid", "Gid", "Groups")
    limits = Path("/proc/self/limits").read_text()
    return (*(line for line in said if line.startswith(kept)), limits, str(os.getpriority(os.PRIO_PROCESS, 0)))


def _adopt(whether: int) -> None:
    """Only while a copy is made: whose parent ends at another time goes to the first process, as everywhere."""
    refused = ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, whether, 0, 0, 0)
    assert not refused, os.strerror(ctypes.get_errno())


@dataclass(frozen=True)
class Waiting:
    """An interpreter that waits for orders."""

    process: subprocess.Popen[bytes]
    orders: socket.socket
    given: tuple[str, ...]
    """What every copy has from whoever began it."""

    @classmethod
    def begin(cls) -> Waiting:
        """It imports in the meantime."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(
                [sys.executable, warm.__file__, str(theirs.fileno())],
                env={"PATH": os.environ["PATH"], "WAITING": "1", **SET},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        return cls(process, ours, inherited())

    def copy(self, order: Mapping[str, Any], standard: Sequence[int]) -> int:
        """The process id of a new child of ours."""
        passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", standard))]
        _adopt(1)
        try:
            self.orders.sendmsg([json.dumps(order).encode()], passed)
            said = self.orders.recv(warm.LONGEST)
        finally:
            _adopt(0)
        assert said, f"the interpreter that waits for command lines ended with {self.process.wait()}"
        return int(said)


_lock = threading.Lock()
_waiting: list[Waiting] = []
_turns = cycle(range(SEEDS))


def _next() -> Waiting:
    """Called under the lock."""
    if not _waiting:
        _waiting.extend(Waiting.begin() for _ in range(SEEDS))
        for each in _waiting:
            assert each.orders.recv(warm.LONGEST) == warm.READY, "the interpreter that waits for command lines did not begin"
    return _waiting[next(_turns)]


def _as_begun() -> bool:
    """Whether what is inherited is what it was when the interpreters that wait were started."""
    with _lock:
        return not _waiting or inherited() == _waiting[0].given


def copies(command: Sequence[str], cwd: Any, env: Mapping[str, str] | None) -> bool:
    """Whether a copy would be what the interpreter would be."""
    if sys.platform != "linux" or os.environ.get("FUNCTIONAL_COLD"):
        return False
    if env is None or cwd is None or Path(cwd) != ROOT or env.keys() - SET.keys() - LATER or any(env.get(k) != v for k, v in SET.items()):
        return False
    beside = str(Path(sys.executable).parent)
    ours = command[0] == sys.executable or (command[0] == "python" and env.get("PATH", "").split(os.pathsep)[0] == beside)
    return ours and not command[1].startswith("-") and not Path(env.get("AWS_CONFIG_FILE", env.get("HOME", "") + "/.aws/config")).exists()


class Process(subprocess.Popen[str]):
    """subprocess.Popen, for text; `cold` starts the interpreter for real whatever the command is."""

    def __init__(self, command: Sequence[str], *, cold: bool = False, **options: Any) -> None:
        self._cold = cold
        super().__init__(list(command), text=True, **options)

    def _execute_child(self, *given: Any) -> None:
        names = list(inspect.signature(subprocess.Popen._execute_child).parameters)[1:]  # type: ignore[attr-defined]
        told = dict(zip(names, given, strict=True))
        plain = all(told[name] == value for name, value in PLAIN.items() if name in told)
        if self._cold or not plain or not copies(told["args"], told["cwd"], told["env"]) or not _as_begun():
            super()._execute_child(*given)  # type: ignore[misc]
            return
        order = {
            "arguments": told["args"],
            "cwd": str(told["cwd"]),
            "environ": dict(told["env"]),
            "session": bool(told["start_new_session"]),
        }
        standard = [told[name] if told[name] >= 0 else own for own, name in enumerate(("p2cread", "c2pwrite", "errwrite"))]
        try:
            with _lock:
                self.pid = _next().copy(order, standard)
            self._child_created = True
        finally:
            self._close_pipe_fds(  # type: ignore[attr-defined]
                *(told[name] for name in ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite"))
            )
