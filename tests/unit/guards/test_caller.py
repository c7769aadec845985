"""Whether a process that wrote itself down is gone."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.caller import Caller, surely_dead, this_process


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
