"""A signal while the program is being read ends it in words."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import textwrap

import msgspec
import pytest

from assembly.envelope import Envelope
from guards import early
from session.context import ROOT

CHILD = textwrap.dedent(
    """
    import os, signal, sys
    from guards import early
    early.begin("deploy", sys.argv[2:])
    if sys.argv[1] == "late":
        early.ended()
    os.kill(os.getpid(), signal.SIGINT)
    print("went on")
    """
)


def child(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", CHILD, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=180)


def test_an_interrupt_while_reading_is_told_in_words() -> None:
    done = child("early", "plan", "--env", "dev")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "deploy: interrupted; nothing was changed\n")


def test_and_has_its_envelope() -> None:
    done = child("early", "plan", "--env", "dev", "--json")
    told = msgspec.convert(json.loads(done.stdout), Envelope, strict=True)
    assert (done.returncode, told.verb, told.exit_status, [p.code for p in told.problems]) == (130, "plan", 130, ["interrupted"])
    assert done.stdout == json.dumps(msgspec.to_builtins(told), indent=2) + "\n", "the same keys in the same order"


def test_afterwards_it_is_an_interrupt_like_any_other() -> None:
    done = child("late", "plan")
    assert "KeyboardInterrupt" in done.stderr and "went on" not in done.stdout


@pytest.mark.parametrize("number", early.SIGNALS)
def test_what_is_ignored_stays_ignored(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        early.begin("deploy", [])
        assert signal.getsignal(number) is signal.SIG_IGN
        early.ended()
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_streams_that_the_caller_closed_say_and_take_nothing() -> None:
    code = (
        "import os, sys; from guards import early; early.begin('deploy', [])\n"
        "assert (sys.stdin.readline(), sys.stdin.isatty(), print('x'), print('y', file=sys.stderr)) == ('', False, None, None)\n"
        "os._exit(40 if [s.fileno() for s in (sys.stdin, sys.stdout, sys.stderr)] == [0, 1, 2] else 41)"
    )
    done = subprocess.run(
        ["/bin/sh", "-c", f"{shlex.quote(sys.executable)} -c {shlex.quote(code)} <&- >&- 2>&-"], cwd=ROOT, check=False, timeout=60
    )
    assert done.returncode == 40
