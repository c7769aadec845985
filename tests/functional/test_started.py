"""A command line that is a copy of a waiting interpreter is what the interpreter itself would be, to who starts it and to itself."""

from __future__ import annotations

import json
import os
import pty
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.functional.harness import ROOT, TIMEOUT, CommandLine
from tests.functional.started import SEEDS, Process, copies

pytestmark = pytest.mark.functional

SCRIPT = "tests/functional/alike.py"
READ_BY_IMPORTS = {"AWS_CONFIG_FILE", "HOME", "AWS_NEW_RETRIES_2026", "_ARC_DEBUG", "_ARGCOMPLETE_SUPPRESS_SPACE"}
"""The first two by aws/startup.py, to see whether there is a configuration that wants the AWS CRT: `copies` looks at the same."""
RECORDER = """
import os, sys
asked = set()
class Recorder(type(os.environ)):
    def __getitem__(self, name):
        asked.add(name)
        return super().__getitem__(name)
os.environ.__class__ = Recorder
from tests.functional import warm
asked.clear()
warm.warm()
print(*sorted(asked))
"""


@pytest.fixture
def line(tmp_path: Path) -> CommandLine:
    return CommandLine(home=tmp_path, extra={"AWS_MAX_ATTEMPTS": "1"})


def begun(line: CommandLine, *arguments: str, cold: bool, **options: Any) -> Process:
    """Started as a copy, or for real."""
    command, environ = ["python", SCRIPT, *arguments], line.environment()
    assert copies(command, ROOT, environ), "this machine copies no interpreter"
    given: dict[str, Any] = {"cwd": ROOT, "env": environ, "stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return Process(command, cold=cold, **(given | options))


def both(line: CommandLine, *arguments: str, **options: Any) -> tuple[Process, Process]:
    """One of each."""
    return begun(line, *arguments, cold=False, **options), begun(line, *arguments, cold=True, **options)


def ended(process: Process, stdin: str = "") -> tuple[int, str, str]:
    out, err = process.communicate(stdin, timeout=TIMEOUT)
    return process.returncode, out, re.sub(r"0x[0-9a-f]+", "0x", err or "")


@pytest.mark.parametrize("options", [{}, {"start_new_session": True}, {"stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT}])
def test_a_copy_is_given_what_a_process_is_given(line: CommandLine, options: dict[str, Any]) -> None:
    copied, real = (ended(process, "" if "stdin" in options else "typed\n") for process in both(line, "tell", "with words", **options))
    said, expected = json.loads(copied[1]), json.loads(real[1])
    for name in expected:
        assert said[name] == expected[name], name
    assert copied[::2] == real[::2]
    assert expected["argv"][1] == ["python", SCRIPT, "tell", "with words"]
    assert expected["environ"][0] == line.environment()


@pytest.mark.parametrize("arguments", [("end", "0"), ("end", "3"), ("fail",), ("words",)])
def test_a_copy_ends_as_a_process_ends(line: CommandLine, arguments: tuple[str, ...]) -> None:
    copied, real = map(ended, both(line, *arguments))
    assert copied == real


def test_nobody_reads_what_a_copy_says_at_its_end(line: CommandLine) -> None:
    read, write = os.pipe()
    os.close(read)
    copied, real = map(ended, both(line, "end", "0", stdout=write))
    os.close(write)
    assert copied == real
    assert copied[0] == 120


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_finds_a_copy(line: CommandLine, number: signal.Signals) -> None:
    seen = []
    for process, script in zip(both(line, "wait"), ("warm.py", SCRIPT), strict=True):
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        assert script in Path(f"/proc/{process.pid}/cmdline").read_text(), "nothing was copied" if script == "warm.py" else "copied"
        assert process.poll() is None
        process.send_signal(number)
        code, out, err = ended(process)
        assert "warm.py" not in err
        # Where in the script it was is chance.
        seen.append((code, out, err.splitlines()[-1:]))
    assert seen[0] == seen[1]
    assert seen[0][0] == -number


def test_what_a_copy_leaves_behind_is_no_child_of_the_tests(line: CommandLine) -> None:
    """Nobody there would ever reap it, and who looks whether it lives would see it for ever."""
    for process in both(line, "leave"):
        left = int(ended(process)[1])
        assert f"PPid:\t{os.getpid()}\n" not in Path(f"/proc/{left}/status").read_text()
        os.kill(left, signal.SIGKILL)


def test_a_copy_speaks_with_a_terminal(line: CommandLine) -> None:
    seen = []
    for cold in (False, True):
        ours, theirs = pty.openpty()
        process = begun(line, "tell", cold=cold, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        os.write(ours, b"typed\n\x04")
        said = b""
        while not said.endswith(b"}\r\n"):
            said += os.read(ours, 65536)
        assert process.wait(timeout=TIMEOUT) == 0
        os.close(ours)
        seen.append(json.loads(said[said.index(b"{") :]))
    assert seen[0] == seen[1]
    assert [each[6] for each in seen[0]["streams"]] == [True, True, True]


@pytest.mark.parametrize("options", [{"umask": 0o077}, {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (99, 99))}])
def test_a_process_that_is_given_more_is_no_copy(line: CommandLine, options: dict[str, Any]) -> None:
    ended(begun(line, "random", cold=False))
    copied, real = (json.loads(ended(process)[1]) for process in both(line, "tell", **options))
    assert copied["kernel"] == real["kernel"] and copied["limits"] == real["limits"]


def test_a_process_of_a_caller_that_has_changed_since_is_no_copy(line: CommandLine) -> None:
    ended(begun(line, "random", cold=False))
    before = os.umask(0o077)
    try:
        copied, real = (json.loads(ended(process)[1]) for process in both(line, "tell"))
    finally:
        os.umask(before)
    assert copied["kernel"] == real["kernel"] and "Umask:\t0077" in copied["kernel"]


def test_copies_differ_in_what_is_random_as_processes_do(line: CommandLine) -> None:
    seen = []
    for _ in range(2 * SEEDS):
        seen.append(json.loads(ended(begun(line, "random", cold=False))[1]))
    for drawn in zip(*(each["random"] for each in seen), strict=True):
        assert len(set(drawn)) == len(seen)
    assert len({each["hash"] for each in seen}) == SEEDS


def test_what_python_decides_before_the_first_import_is_no_copy(line: CommandLine, tmp_path: Path) -> None:
    command, environ = ["python", "deploy.py", "plan"], line.environment()
    assert copies(command, ROOT, environ)
    config = tmp_path / "config"
    config.touch()
    for name, value in {
        "PYTHONHASHSEED": "0",
        "PYTHONWARNINGS": "error",
        "LANG": "de_DE.UTF-8",
        "LC_ALL": "C",
        "TZ": "Asia/Tokyo",
        "LD_PRELOAD": "x.so",
        "NODE_OPTIONS": "x",
        "AWS_DATA_PATH": "x",
        "AWS_CONFIG_FILE": str(config),
        "PATH": "/usr/bin",
    }.items():
        assert not copies(command, ROOT, environ | {name: value}), name
    assert not copies(command, tmp_path, environ)
    assert not copies(["/usr/bin/python3", *command[1:]], ROOT, environ)
    assert not copies(["python", "-c", "pass"], ROOT, environ)


def test_what_is_imported_reads_no_setting_that_a_copy_may_be_given(line: CommandLine) -> None:
    done = subprocess.run([sys.executable, "-c", RECORDER], cwd=ROOT, env=line.environment(), capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= READ_BY_IMPORTS
