"""A Python that has imported what the command lines import, and becomes one of them for each order: `python warm.py DESCRIPTOR`.

In: orders on a socket: arguments, environment, directory, and the three standard descriptors. Out: the process id of a new child of whoever
started this process (not of this one), which runs the script as Python itself would have, to the end of its life.
Never: has a thread, a setting, a session or a file that a fresh Python would not have; runs a script of another checkout.

Two thirds of the processor time of a short command are imports and the taking apart of what was imported. What a copy cannot have is what
Python decides before the first import; a command whose environment says something about that is started for real (`started.py`).
"""

from __future__ import annotations

import array
import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import socket
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
READY = b"ready"
LONGEST = 1 << 20
"""Bytes of an order."""
ROOMS = (
    "agreement", "adoption", "approvals", "assembly", "aws", "changes", "circuit_breaker", "cli", "consequences", "direct", "doctor",
    "files", "gateways", "graph", "guards", "inventory", "operations", "pages", "planning", "prices", "promotion", "recovery", "removal",
    "review", "rollout", "runbooks", "session", "takeover", "templates", "verbs", "verification", "website",
)  # fmt: skip
"""What deploy.py imports, its libraries with it; not the preview, of which few commands know."""
SERVICES = (
    "account", "acm", "cloudcontrol", "cloudformation", "cloudfront", "cloudwatch", "dynamodb", "iam", "lambda", "logs", "organizations",
    "route53", "s3", "secretsmanager", "service-quotas", "ssm", "sts",
)  # fmt: skip
"""Whose models are read: files of botocore, the same for every command."""
LIBRARIES = ("argcomplete", "concurrent.futures.thread", "encodings.idna", "multiprocessing.spawn", "_strptime", "rich.console")
"""What is imported in passing, by Python or by a library."""


def main(descriptor: int) -> None:
    """Import, then wait; returns in the children only."""
    sys.path[0] = str(ROOT)
    warm()
    threads = [each.name for each in Path("/proc/self/task").iterdir()]
    if len(threads) > 1:
        sys.exit(f"an import started a thread: {threads}")
    with socket.socket(fileno=descriptor) as orders:
        orders.send(READY)
        order, standard = wait(orders)
    become(order, standard)


def warm() -> None:
    """Import what verbs import: botocore first, as they do it, without the AWS CRT."""
    importlib.import_module("aws.startup").session_class()
    for name in (*LIBRARIES, *(module for room in ROOMS for module in _modules(ROOT / room))):
        importlib.import_module(name)
    _read_models()
    _look_at_types(importlib.import_module("msgspec"))
    gc.collect()
    gc.freeze()


def _read_models() -> None:
    loader = importlib.import_module("aws.startup").quick(importlib.import_module("botocore.loaders").Loader())
    for name in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
        loader.load_data(name)
    for service in SERVICES:
        for kind in ("service-2", "endpoint-rule-set-1", "paginators-1"):
            loader.load_service_model(service, kind)


def _look_at_types(msgspec: Any) -> None:
    """msgspec learns what a class says of its fields when it reads the first."""
    seen = [msgspec.Struct]
    for kind in seen:
        seen += kind.__subclasses__()
        with contextlib.suppress(msgspec.ValidationError):
            msgspec.convert({}, kind)


def _modules(room: Path) -> list[str]:
    found = (file.relative_to(ROOT).with_suffix("").parts for file in sorted(room.rglob("*.py")) if file.stem != "__main__")
    return [".".join(parts).removesuffix(".__init__") for parts in found]


def wait(orders: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The order of this child, once it is born. The process that waits ends when nobody is left who could give one."""
    while True:
        try:
            said, passed, _, _ = orders.recvmsg(LONGEST, socket.CMSG_SPACE(3 * array.array("i").itemsize))
        except KeyboardInterrupt:
            # Ctrl-C is for the commands and for pytest, which closes the other end.
            continue
        if not said:
            os._exit(0)
        standard = array.array("i")
        for _, _, data in passed:
            standard.frombytes(data)
        born = fork()
        if not born:
            return json.loads(said), list(standard)
        for each in standard:
            os.close(each)
        orders.send(str(born).encode())


def fork() -> int:
    """As os.fork, but that the child is no child of this process: it was forked by one that has ended, and begins when that is so.

    Its parent is whoever started this process, as long as they are the reaper of what is left below them (PR_SET_CHILD_SUBREAPER). clone(2)
    with CLONE_PARENT would do with one fork, behind the C library's back: it knew nothing of the new process, and one ended by SIGSEGV.
    """
    ours, theirs = socket.socketpair()
    between = os.fork()
    if between:
        theirs.close()
        said = ours.recv(LONGEST)
        os.waitpid(between, 0)
        # The child is its new parent's now.
        ours.close()
        return int(said)
    ours.close()
    if born := os.fork():
        theirs.send(str(born).encode())
        os._exit(0)
    theirs.recv(1)
    theirs.close()
    return 0


def become(order: dict[str, Any], standard: list[int]) -> None:
    """Be the process that Python would have started."""
    if order["session"]:
        os.setsid()
    for wanted, given in enumerate(standard):
        os.dup2(given, wanted)
    os.closerange(3, max(standard) + 1)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["environ"])
    encoding, errors = sys.stdout.encoding, sys.stdout.errors
    sys.stdin = sys.__stdin__ = _stream(0, "r", encoding, errors, newline=None)  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _stream(1, "w", encoding, errors, newline="\n")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _stream(2, "w", encoding, "backslashreplace", newline="\n", lines=True)  # type: ignore[misc]
    sys.argv = list(order["arguments"][1:])
    sys.orig_argv = list(order["arguments"])


def _stream(descriptor: int, mode: str, encoding: str, errors: str | None, *, newline: str | None, lines: bool = False) -> Any:
    """As Python makes its own: create_stdio of its pylifecycle.c."""
    below = open(descriptor, f"{mode}b", closefd=False)  # noqa: SIM115
    below.raw.name = f"<{('stdin', 'stdout', 'stderr')[descriptor]}>"  # type: ignore[attr-defined]
    made: Any = io.TextIOWrapper(below, encoding, errors, newline, line_buffering=lines or os.isatty(descriptor))
    made.mode = mode
    return made


def run() -> None:
    """The script, as `__main__`."""
    path = os.path.abspath(sys.argv[0])  # noqa: PTH100  (as Python does: links stay)
    sys.path[0] = os.path.dirname(path)  # noqa: PTH120
    module = ModuleType("__main__")
    module.__dict__.update(__file__=path, __builtins__=__builtins__, __loader__=SourceFileLoader("__main__", path), __cached__=None)
    sys.modules["__main__"] = module
    sys.excepthook = lambda kind, error, trace: sys.__excepthook__(kind, error.with_traceback(_of_the_script(trace, path)), None)
    try:
        exec(compile(Path(path).read_bytes(), path, "exec", dont_inherit=True), module.__dict__)
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            Ending.status = (ended.code or 0) & 0xFF
        raise
    Ending.status = 0


def _of_the_script(trace: Any, path: str) -> Any:
    while trace and trace.tb_frame.f_code.co_filename != path:
        trace = trace.tb_next
    return trace


class Ending:
    """The end of a copy, where Python would begin to take its memory apart: that costs as much as a short command, and nobody sees it."""

    status: int | None = None
    """None: whatever it is, Python itself ends the process."""

    @classmethod
    def here(cls) -> None:
        """Called after everything else that is called at the exit."""
        if cls.status is None:
            return
        for stream in (sys.stdout, sys.stderr):
            try:
                if stream is not None:
                    stream.flush()
            except (OSError, ValueError):
                return
        os._exit(cls.status)


if __name__ == "__main__":
    atexit.register(Ending.here)
    main(int(sys.argv[1]))
    run()
