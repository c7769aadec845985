"""A script that shows how its process was started: for test_started.py, which compares a copied interpreter with a real one."""

from __future__ import annotations

import atexit
import gc
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def tell() -> None:
    """Everything that a process is given, or that Python decides at its start."""
    streams: list[Any] = [sys.stdin, sys.stdout, sys.stderr]
    with os.popen("env | sort | grep -v '^_='") as shell:
        handed_on = shell.read()
    said = {
        "argv": [sys.argv, sys.orig_argv, sys.executable, sys.prefix, sys.path, list(sys.flags), sys.warnoptions, sys.getrecursionlimit()],
        "main": [
            {name: str(value).split(" at 0x")[0] for name, value in globals().items() if name.startswith("__")},
            sys.modules["__main__"].__dict__ is globals(),
        ],
        "environ": [dict(os.environ), os.fsdecode(os.getenvb(b"PATH") or b""), handed_on],
        "cwd": [str(Path.cwd()), str(Path("x").absolute())],
        "streams": [[s.name, s.mode, s.encoding, s.errors, s.line_buffering, s.write_through, s.isatty(), s.fileno()] for s in streams],
        "below": [[s.buffer.name, s.buffer.mode, type(s.buffer).__name__, s.buffer.raw.closefd] for s in streams],
        "same": [sys.__stdin__ is sys.stdin, sys.__stdout__ is sys.stdout, sys.__stderr__ is sys.stderr],
        "stdin": sys.stdin.read(),
        "descriptors": sorted([each.name, str(each.readlink()).split(":")[0]] for each in Path("/proc/self/fd").iterdir() if each.exists()),
        "inherited": [os.get_inheritable(descriptor) for descriptor in range(3)],
        "handlers": {str(number): str(signal.getsignal(number)).split(" at ")[0] for number in sorted(signal.valid_signals())},
        "blocked": sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ()))),
        "process": [os.getppid(), os.getpgrp() == os.getpid(), os.getsid(0) == os.getpid(), os.nice(0)],
        "threads": [threading.active_count(), threading.current_thread().name, threading.get_native_id() == os.getpid()],
        "collector": [gc.isenabled(), gc.get_threshold()],
        "hook": [sys.unraisablehook is sys.__unraisablehook__, sys.displayhook is sys.__displayhook__],
    }
    print(json.dumps(said))


def end() -> None:
    """What happens after the last line: threads, what was registered, buffers, temporary files."""
    kept = tempfile.TemporaryDirectory()

    def later() -> None:
        time.sleep(0.2)
        print("thread", Path(kept.name).exists())

    threading.Thread(target=later).start()
    atexit.register(print, "registered")
    print("not flushed", end="")
    sys.exit(int(sys.argv[2]))


def chance() -> None:
    """What differs between two processes."""
    print(json.dumps({"random": random.random(), "hash": hash("text")}))


def fail() -> None:
    """Nobody catches it."""
    raise ValueError("of the script")


def wait() -> None:
    """For a signal."""
    signal.pthread_kill(threading.get_ident(), signal.SIGCHLD)
    print("waits", flush=True)
    # A signal that comes just before a sleep begins is noticed at its end.
    for _ in range(600):
        time.sleep(0.1)


if __name__ == "__main__":
    actions: dict[str, Callable[[], None]] = {
        "tell": tell,
        "end": end,
        "fail": fail,
        "random": chance,
        "wait": wait,
        "words": lambda: sys.exit("ended in words"),
    }
    actions[sys.argv[1]]()
