"""Whether a process that wrote itself down is gone."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.caller import Caller, _process, surely_dead, this_process


@given(host=st.booleans(), machine=st.booleans(), told=st.booleans(), alive=st.booleans())
def test_only_who_is_surely_dead_counts_as_dead(host: bool, machine: bool, told: bool, alive: bool) -> None:
    holder = Caller(arn="", host="h" if host else "x", machine="m" if machine else "y", pid=1, process="5")
    me = Caller(arn="", host="h", machine="m" if told else "", pid=2, process="6")
    dead = surely_dead(holder, me, process_of=lambda _: "5" if alive else "")
    assert dead == (host and machine and told and not alive)


def test_this_process_is_alive_and_a_later_one_with_its_pid_is_another() -> None:
    me = this_process("arn:aws:iam::123456789012:user/me")
    if not me.machine:
        pytest.skip("the system does not tell which machine it is")
    assert not surely_dead(me, me)
    assert surely_dead(msgspec.structs.replace(me, process="another start"), me)
    assert not surely_dead(msgspec.structs.replace(me, process="another start", machine="another boot"), me)


def test_where_no_machine_is_told_nobody_is_surely_dead() -> None:
    """Two machines that tell nothing may have one name."""
    me = Caller(arn="", host="h", machine="", pid=2, process="6")
    assert not surely_dead(me, me, process_of=lambda _: "")


def test_a_process_is_told_by_its_start_and_a_zombie_is_none() -> None:
    me = this_process("arn:aws:iam::123456789012:user/me")
    if not me.machine:
        pytest.skip("the system does not tell which machine it is")
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert me.machine == f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    # proc(5): the fields are counted from 1, the second is the name in brackets.
    assert me.process == Path(f"/proc/{me.pid}/stat").read_text().rpartition(")")[2].split()[22 - 3]
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert _process(pid) == ""
    os.waitpid(pid, 0)
    assert _process(pid) == ""
