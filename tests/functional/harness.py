"""What the functional tests stand on: the project's command lines as processes against a given endpoint.

In: an endpoint, an account, arguments. Out: exit code, stdout and stderr; a started process where the test wants to interrupt it.
Never: patches anything in a process, or lets the user's own AWS configuration through.
"""

from __future__ import annotations

import inspect
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tests import hints
from tests.envelopes import envelope
from tests.environments_fixture import ENVIRONMENTS
from tests.functional.started import Process

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 180.0
"""Seconds that a test waits for what has to happen: more than the slowest machine needs, and nothing that a green test ever waits for."""
SECRET = secrets.token_hex(32)
"""What the session's local AWS takes for the secret of every account's root."""


T = TypeVar("T")


def eventually(wanted: Callable[[], T | None], *, every: float = 0.05) -> T:
    """What it gives once that is true. Raises AssertionError if it never is."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        if found := wanted():
            return found
        time.sleep(every)
    raise AssertionError(f"never: {inspect.getsource(wanted).strip()}")


def heard(process: subprocess.Popen[str], words: str) -> str:
    """What it says on stderr, up to the line with those words. Raises AssertionError if it ends without them."""
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if words in line:
            return said
    raise AssertionError(f"never said {words!r}:\n{said}")


@dataclass(frozen=True)
class Hold:
    """A local AWS that begins no resource, no import and no StackSet instance as long as the test wants: `with hold: ...`."""

    file: Path

    def __enter__(self) -> Hold:
        self.file.touch()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """What waited goes on."""
        self.file.unlink(missing_ok=True)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A command that ran to its end."""

    code: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        return f"exit {self.code}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"


class Started(Process):
    """A command whose hints are looked at when it has ended."""

    def communicate(self, input: str | None = None, timeout: float | None = TIMEOUT) -> tuple[str, str]:
        """Raises AssertionError for a hint that cannot be typed."""
        out, err = super().communicate(input, timeout)
        assert isinstance(self.args, list)
        refuse_bad_hints([str(word) for word in self.args], out or "", err or "")
        return out, err


def answer(stdout: str) -> Any:
    """The `data` of what a `--json` printed. Raises AssertionError if that is no envelope of docs/json-schema.json."""
    return envelope(stdout)["data"]


def refuse_bad_hints(command: list[str], *printed: str) -> None:
    """Raise AssertionError if something was told to be typed that the command line would refuse, or that leads from a local run to AWS."""
    bad = [problem for text in printed for problem in hints.problems_of_text(text, local="--local" in command)]
    if "--json" in command and "logs" not in command and printed[0]:
        told = envelope(printed[0])
        local = "--local" in command
        steps = [*told["next"], *(step for problem in told["problems"] for step in problem["next"])]
        bad += [problem for step in steps for problem in hints.problems(step, local=local)]
    assert not bad, f"{command} tells what cannot be typed: {bad}"


@dataclass(frozen=True, kw_only=True)
class CommandLine:
    """`python build.py ...` and `python deploy.py ...` with the credentials of one account, in a home of their own.

    Called as `python`, so that the commands they tell are the canonical ones.
    """

    home: Path
    endpoint_url: str | None = None
    account_id: str = ""
    secret: str = SECRET
    extra: dict[str, str] = field(default_factory=dict)
    cold: bool = False
    """Each command is a Python of its own from its first instruction on, instead of a copy of one that has imported everything."""

    def environment(self) -> dict[str, str]:
        """Nothing of the caller's but the search path."""
        made = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "AWS_CONFIG_FILE": str(self.home / "no-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.home / "no-credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONWARNINGS": "ignore",
            "LANG": "C.UTF-8",
            "COLUMNS": "120",
        }
        if self.endpoint_url:
            made["AWS_ENDPOINT_URL"] = self.endpoint_url
        if self.account_id:
            made |= {"AWS_ACCESS_KEY_ID": self.account_id, "AWS_SECRET_ACCESS_KEY": self.secret}
        return made | self.extra

    def run(self, script: str, *arguments: str, stdin: str = "", timeout: float = TIMEOUT) -> Ended:
        """To the end; stdin is not a terminal."""
        command = ["python", script, *arguments]
        environ, pipe = self.environment(), subprocess.PIPE
        with Started(command, cold=self.cold, cwd=ROOT, env=environ, stdin=pipe, stdout=pipe, stderr=pipe) as process:
            try:
                out, err = process.communicate(stdin, timeout=timeout)
            except BaseException:
                process.kill()
                raise
        return Ended(code=process.returncode, stdout=out, stderr=err)

    def deploy(self, *arguments: str, stdin: str = "", timeout: float = TIMEOUT) -> Ended:
        """`python deploy.py ARGUMENTS`."""
        return self.run("deploy.py", *arguments, stdin=stdin, timeout=timeout)

    def build(self, *arguments: str) -> Ended:
        """`python build.py ARGUMENTS`, of the tests' own environments unless others are named."""
        where = () if "--environments" in arguments else ("--environments", str(ENVIRONMENTS))
        return self.run("build.py", *arguments, *where)

    def start(self, script: str, *arguments: str) -> subprocess.Popen[str]:
        """Started, for the test to interrupt; the `processes` fixture ends what is left."""
        return Started(
            ["python", script, *arguments],
            cold=self.cold,
            cwd=ROOT,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
