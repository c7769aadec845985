"""Runs the steps as processes, one after the other, and writes down what came of each.

In: the steps and a `Runner`'s settings. Out: the `State`, also in its file, after every step.
Never: goes on after a step that failed, prints what a command printed, or gives a command up in the middle: an interruption is handed on
once, and its end awaited.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from acceptance import proofs, variants
from acceptance import state as kept
from acceptance.state import Call, Done, State
from acceptance.steps import LEFT, OK, Command, Step
from assembly import files
from guards import masks
from guards.private import read_private, write_private
from guards.termination import undisturbed

RETRY_SECONDS = 60.0


@dataclass(kw_only=True)
class Runner:
    """What all steps of a run share."""

    root: Path
    """The checkout."""
    folder: Path
    """Of this run; private."""
    environments: Path
    """The project's environment files."""
    environment: str
    options: tuple[str, ...]
    """`--local`, `--profile NAME`."""
    local: bool
    has_password: bool
    standby: tuple[str, str] | None
    say: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    child: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def run(self, steps: Sequence[Step], state: State) -> State:
        """Every step that is not finished, until one does not pass. Raises KeyboardInterrupt after the step's end was written down."""
        for number, step in enumerate(steps, 1):
            if state.finished(step.id):
                continue
            self.say(f"[{number}/{len(steps)}] {step.id}: {step.title} (about {step.minutes:g} min)")
            lacking = self.lacking(step)
            if not lacking:
                # Of a process that is killed here: what it has changed is not there to be planned any more.
                kept.save(self.folder, state.with_step(Done(step=step.id, result="interrupted", note="ended without a word")))
            done = Done(step=step.id, result="left out", note=lacking) if lacking else self.step(number, step, state)
            state = state.with_step(done)
            if step.id == "apply" and done.result == "passed" and not state.first:
                state = msgspec.structs.replace(state, first=self.digest())
            kept.save(self.folder, state)
            self.say(f"[{number}/{len(steps)}] {step.id}: {done.result} after {done.seconds:.0f} s{f': {done.note}' if done.note else ''}")
            if done.result == "interrupted":
                raise KeyboardInterrupt
            if done.result not in ("passed", "left out"):
                break
        return state

    def lacking(self, step: Step) -> str:
        """Why the step cannot be taken; empty if it can."""
        if step.needs == "password" and not self.has_password:
            return "no Basic Auth"
        return "nowhere to fail over to: --standby NAME=ZONE_ID" if step.needs == "standby" and self.standby is None else ""

    def digest(self) -> str:
        """Of the assembly that is built."""
        return files.read(self.folder / "dist" / self.environment)[0].digest

    def step(self, number: int, step: Step, state: State) -> Done:
        variants.write(self.environments, self.folder / "environments", self.environment, variant=step.settings, standby=self.standby)
        # What an earlier attempt at the step has changed already is not there to be planned any more.
        again = any(done.step == step.id for done in state.done)
        began, calls = self.monotonic(), list[Call]()
        result: kept.Result = "passed"
        for command in step.commands:
            try:
                expects = command.expects | (OK if again else frozenset())
                call = self.call(f"{number:02d}-{step.id}-{len(calls) + 1}.log", command, state, expects)
            except KeyboardInterrupt:
                result = "interrupted"
                break
            calls.append(call)
            if call.wrong:
                result = "waiting" if call.code in command.waits else "failed"
                break
        seconds, told = self.monotonic() - began, self.judged(step, result, calls)
        return Done(step=step.id, result=result, seconds=seconds, calls=tuple(calls), assumptions=told)

    def judged(self, step: Step, result: str, calls: Sequence[Call]) -> dict[str, str]:
        """What the step says of its assumptions."""
        if not step.proves:
            return {}
        printed = "\n".join(read_private(self.folder / call.log).decode("utf-8", "replace") for call in calls)
        built = (self.folder / "dist" / self.environment).glob("*.template.json")
        return dict(proofs.judged(step.proves, result, printed, (file.read_text("utf-8") for file in built)))

    def call(self, log: str, command: Command, state: State, expects: frozenset[int]) -> Call:
        argv = self.argv(command, state)
        began = self.monotonic()
        if command.after and not self.local:
            self.sleep(command.after)
        for attempt in range(command.tries):
            if attempt:
                self.sleep(RETRY_SECONDS)
            code, stdout = self.process(argv, log, secret=command.secret)
            wrong = _wrong(expects, command.says, code, stdout)
            if not wrong:
                break
        return Call(command=shlex.join(["python", *argv]), code=code, seconds=self.monotonic() - began, log=log, wrong=wrong)

    def argv(self, command: Command, state: State) -> list[str]:
        values = {"environment": self.environment, "first": state.first, "folder": str(self.folder)}
        arguments = [each.format(**values) for each in command.arguments]
        dist = str(self.folder / "dist")
        if command.verb == "build":
            return ["build.py", "--env", self.environment, "--environments", str(self.folder / "environments"), "--out", dist]
        more = ["--password-file", str(self.password)] if command.verb == "verify" and self.has_password else []
        return ["deploy.py", command.verb, "--env", self.environment, "--dist", dist, *self.options, *arguments, *more]

    @property
    def password(self) -> Path:
        """The file of the environment's password, private."""
        return self.folder / "password"

    def process(self, argv: Sequence[str], log: str, *, secret: bool) -> tuple[int, str]:
        """Exit status and stdout. It has a session of its own, so that an interruption reaches it once, from here."""
        path = self.folder / log
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as told:
            self.child = subprocess.Popen(  # noqa: S603
                [sys.executable, *argv],
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=told,
                start_new_session=True,
            )
            try:
                out, _ = self.child.communicate()
            except KeyboardInterrupt:
                self.say("interrupted: waiting for the command to give back what it holds")
                self.child.send_signal(signal.SIGINT)
                with undisturbed():
                    self.child.communicate()
                raise
            finally:
                code = self.child.wait()
                self.child = None
            if secret:
                write_private(self.password, out)
                masks.hide(out)
            else:
                told.write(b"\n--- stdout\n" + masks.masked(out.decode("utf-8", "replace")).encode())
        return code, out.decode("utf-8", "replace")

    def left(self) -> str:
        """What stands, as `destroy` would take it away; or that it is not known."""
        try:
            code, told = self.process(
                self.argv(LEFT, State(environment=self.environment, local=self.local, began="")), "left.log", secret=False
            )
        except KeyboardInterrupt:
            code, told = 1, ""
        return told if not code else f"not known: {self.folder / 'left.log'}"

    def know_password(self) -> None:
        """The password of an earlier process of this run is a secret to this one too."""
        if self.password.exists():
            masks.hide(read_private(self.password))


def _wrong(expects: frozenset[int], says: str, code: int, stdout: str) -> str:
    if code not in expects:
        return f"exit status {code}, not {' or '.join(map(str, sorted(expects)))}"
    return f"does not say {says!r}" if says and re.search(says, stdout) is None else ""
