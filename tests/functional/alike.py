"""A script that shows how its process was started: for test_started.py, which compares a copied interpreter with a real one."""

from __future__ import annotations

import atexit
import ctypes
import faulthandler
import gc
import json
import locale
import logging
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

GIVEN = ("Umask", "SigBlk", "SigIgn", "SigCgt", "Cap", "NoNewPrivs", "Seccomp", "Cpus_allowed:", "Uid", "Gid", "Groups", "CoreDumping")
"""Lines of /proc/PID/status that a process has from its parent, or from Python."""


EVERY = (None, Warning, None)
PR_GET_TID_ADDRESS = 40


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
        "thread of the C library": thread_of_the_c_library() == threading.get_native_id(),
        "kernel": [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(GIVEN)],
        "limits": Path("/proc/self/limits").read_text().splitlines(),
        "places": [Path("/proc/self", name).read_text() for name in ("cgroup", "oom_score_adj", "personality")],
        "words": [locale.setlocale(locale.LC_ALL), locale.getpreferredencoding(), sys.getfilesystemencoding(), time.tzname, time.timezone],
        "logging": [logging.root.level, repr(logging.root.handlers), logging.root.manager.disable, logging.raiseExceptions],
        # Libraries put filters of their own before the one of PYTHONWARNINGS, which decides where none of them does otherwise.
        "warnings": sorted({each[0] for each in warnings.filters[: 1 + [each[1:4] for each in warnings.filters].index(EVERY)]}),
        "sockets": [socket.getdefaulttimeout(), faulthandler.is_enabled(), sys.getswitchinterval(), tempfile.tempdir],
        "collector": [gc.isenabled(), gc.get_threshold()],
        "hook": [sys.unraisablehook is sys.__unraisablehook__, sys.displayhook is sys.__displayhook__],
    }
    print(json.dumps(said))


def thread_of_the_c_library() -> int | None:
    """The thread's id as its own descriptor in the C library has it, where the kernel tells the place: prctl(2)."""
    place = ctypes.c_void_p()
    refused = ctypes.CDLL(None).prctl(PR_GET_TID_ADDRESS, ctypes.byref(place), 0, 0, 0)
    return None if refused or not place.value else ctypes.c_int.from_address(place.value).value


def leave() -> None:
    """A process lives longer than this one."""
    null = subprocess.DEVNULL
    print(subprocess.Popen(["sleep", "600"], stdin=null, stdout=null, stderr=null, start_new_session=True).pid)


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
    name = tempfile.mktemp()
    drawn = [random.random(), uuid.uuid1().hex, uuid.uuid4().hex, ssl.RAND_bytes(8).hex(), os.urandom(8).hex(), name]
    print(json.dumps({"random": drawn, "hash": hash("text")}))


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
        "leave": leave,
        "words": lambda: sys.exit("ended in words"),
    }
    actions[sys.argv[1]]()
