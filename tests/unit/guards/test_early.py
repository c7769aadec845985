"""A signal while the program is being read ends it in words."""

from __future__ import annotations

import io
import json
import os
import shlex
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import NoReturn

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


# --- in this process -------------------------------------------------------------------------------------------------

USUAL = {each: signal.default_int_handler if each == signal.SIGINT else signal.SIG_DFL for each in early.SIGNALS}


@pytest.fixture
def usual() -> Iterator[None]:
    """Python's own handlers, and afterwards those that there were."""
    before = {each: signal.signal(each, handler) for each, handler in USUAL.items()}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.usefixtures("usual")
@pytest.mark.parametrize("number", early.SIGNALS)
@pytest.mark.parametrize("words", [("plan", "--env", "dev"), ("plan", "--json"), ("--json",)])
def test_each_signal_ends_it_with_130_and_an_envelope_only_where_one_is_asked_for(
    number: signal.Signals, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err = BufferedText(), io.StringIO()

    def leave(status: int) -> NoReturn:
        raise LookupError(status)

    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    early.begin("deploy", words)
    with pytest.raises(LookupError, match=r"^130$"):
        signal.raise_signal(number)
    assert err.getvalue() == "deploy: interrupted; nothing was changed\n"
    assert out.arrived == (early.envelope("deploy", words) if "--json" in words else "")


class BufferedText(io.StringIO):
    """What was not flushed has not arrived."""

    arrived = ""

    def flush(self) -> None:
        self.arrived = self.getvalue()


@pytest.mark.usefixtures("usual")
@pytest.mark.parametrize("foreign", early.SIGNALS)
def test_once_a_run_has_begun_a_signal_is_pythons_again_and_what_others_answer_stays_theirs(foreign: signal.Signals) -> None:
    def theirs(*_: object) -> None:
        pass

    signal.signal(foreign, theirs)
    early.begin("deploy", ())
    assert [getattr(signal.getsignal(each), "__module__", "") for each in early.SIGNALS if each != foreign] == [early.__name__] * 2
    early.ended()
    assert {each: signal.getsignal(each) for each in early.SIGNALS} == {**USUAL, foreign: theirs}


@pytest.mark.usefixtures("usual")
@pytest.mark.parametrize("closed", ["stdin", "stdout", "stderr"])
def test_a_stream_that_is_closed_is_opened_and_the_others_are_left_alone(closed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("stdin", "stdout", "stderr")
    for name in names:
        monkeypatch.setattr(sys, name, None if name == closed else io.StringIO())
    streams = {name: getattr(sys, name) for name in names}
    early.begin("deploy", ())
    assert [name for name in names if getattr(sys, name) is not streams[name]] == [closed]
    opened = getattr(sys, closed)
    assert (opened.name, opened.readable()) == (os.devnull, closed == "stdin")
    opened.close()


@pytest.mark.parametrize(
    ("program", "words", "verb"),
    [
        ("deploy", ("plan", "--json"), "plan"),
        ("deploy", ("dns-records",), "dns-records"),
        ("deploy", (), ""),
        ("deploy", ('a"b',), ""),
        ("deploy", ("plän",), ""),
        ("build", ("plan",), "build"),
    ],
)
def test_the_envelope_names_the_verb_where_it_is_a_word(program: str, words: tuple[str, ...], verb: str) -> None:
    assert json.loads(early.envelope(program, words))["verb"] == verb
