"""Who acts, from which process of which machine, and whether another process that wrote itself down like that is gone.

In: /proc, where the system has one. Out: a `Caller`; `surely_dead`. Never: takes a process for dead that may be alive.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec


class Recorded(Protocol):
    """What a lock or a claim says of the process that holds it."""

    @property
    def host(self) -> str: ...

    @property
    def machine(self) -> str: ...

    @property
    def pid(self) -> int: ...

    @property
    def process(self) -> str: ...


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts, and from which process."""

    arn: str
    host: str
    machine: str
    """Names one boot of one machine and one process namespace; empty where the system has none of it."""
    pid: int
    process: str
    """Tells a process from a later one with the same pid."""


def this_process(arn: str) -> Caller:
    """This process. Where /proc does not tell, the machine stays empty, and a dead holder is only known by its expiry."""
    pid = os.getpid()
    return Caller(arn=arn, host=socket.gethostname(), machine=_machine(), pid=pid, process=_process(pid))


def surely_dead(holder: Recorded, me: Caller, *, process_of: Callable[[int], str] | None = None) -> bool:
    """The holder ran on this very machine and namespace, and its process is gone."""
    if not me.machine or (holder.host, holder.machine) != (me.host, me.machine):
        return False
    return (process_of or _process)(holder.pid) != holder.process


def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _process(pid: int) -> str:
    """Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat, proc(5)); empty if it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    except (OSError, IndexError):
        return ""
