"""The command line: what would be done, what it costs, whether it may, and what to type when it did not get to its end.

In: arguments, a person's answer. Out: the run, its report, an exit status.
Never: begins unasked, or leaves the reader without the next command.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import yaml

from acceptance import refusals, report, variants
from acceptance import state as kept
from acceptance.runner import Runner
from acceptance.state import DamagedState, State
from acceptance.steps import CLEAN_UP, COST, STEPS, Step
from assembly import commands, files
from assembly.model import Assembly
from guards import masks
from guards.checkout import commit_of, short
from guards.private import private_directory, read_private, write_private
from guards.slips import OneValue
from guards.termination import terminable, unheard
from guards.text import as_lines

ROOT = Path(__file__).resolve().parent.parent
PASSED, FAILED, REFUSED, WAITING, INTERRUPTED = 0, 1, 2, 3, 130


class Refused(Exception):
    """Nothing was begun; the problems, and what to type."""

    def __init__(self, *problems: str, command: str = "") -> None:
        super().__init__("; ".join(problems))
        self.problems, self.command = problems, command


def main(argv: list[str]) -> int:
    """Run it; returns the exit status."""
    args = _parser().parse_args(argv)
    masks.hide_settings(os.environ)
    with terminable():
        return _caught(args)


def _caught(args: argparse.Namespace) -> int:
    try:
        return _run(args)
    except Refused as refused:
        for problem in refused.problems:
            _say(f"error: {problem}")
        if refused.command:
            _say(f"  next: {refused.command}")
        return REFUSED
    except (OSError, yaml.YAMLError) as error:
        _say(f"error: {error}")
        _say(f"  next: {_make(args)}")
        return FAILED
    except KeyboardInterrupt:
        unheard()
        _say("interrupted")
        _say(f"  next: {_make(args)}")
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = OneValue(
        prog="python -m acceptance", description="Run the whole life of an environment, and report what AWS did.", allow_abbrev=False
    )
    parser.add_argument(
        "--env", required=True, metavar="ENV", help="environment of a sandbox account: everything in it is taken away again"
    )
    parser.add_argument("--environments", type=Path, default=ROOT / "environments", metavar="DIR", help="where its file is")
    parser.add_argument("--profile", metavar="NAME", help="profile of the AWS configuration (default: the ambient credentials)")
    parser.add_argument("--local", action="store_true", help="against the local AWS")
    parser.add_argument("--standby", metavar="NAME=ZONE_ID", help="alias target to fail over to (default: that of the environment's file)")
    parser.add_argument("--other-environments", action="store_true", help="go on although the account holds other stacks of the project")
    parser.add_argument("--yes", action="store_true", help="do not ask before it begins")
    parser.add_argument("--restart", action="store_true", help="forget how far an earlier run got")
    parser.add_argument("--clean-up", action="store_true", help="only take away what an earlier run left")
    return parser


def _run(args: argparse.Namespace) -> int:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", args.env):
        raise Refused(f"{args.env!r} is not the name of an environment")
    folder = ROOT / ".acceptance" / (f"{args.env}-local" if args.local else args.env)
    private_directory(folder.parent)
    private_directory(folder)
    with _alone(folder):
        return _run_in(folder, args)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Raises `Refused` while another run of the environment goes on here: each would take away what the other has made."""
    held = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Refused(f"another run goes on in {folder}") from None
    finally:
        os.close(held)


def _run_in(folder: Path, args: argparse.Namespace) -> int:
    runner = Runner(
        root=ROOT,
        folder=folder,
        environments=args.environments,
        environment=args.env,
        options=(*(("--local",) if args.local else ()), *(("--profile", args.profile) if args.profile else ())),
        local=args.local,
        has_password=False,
        standby=_standby(args),
        say=_say,
    )
    try:
        state = None if args.restart else kept.load(folder)
    except DamagedState as damaged:
        raise Refused(str(damaged), command=_make(args, "RESTART=1")) from damaged
    assembly = _built(runner)
    runner.has_password = assembly.basic_auth_secret is not None
    steps: tuple[Step, ...] = (CLEAN_UP,) if args.clean_up else STEPS
    _refuse_run(args, assembly, state)
    fresh = State(environment=args.env, local=args.local, began=_now(), account=assembly.account_id)
    if args.clean_up:
        state = state or fresh
        state = msgspec.structs.replace(state, done=tuple(done for done in state.done if done.step != CLEAN_UP.id))
    begins = state is None or not state.done
    _refuse(args, assembly, begins=begins and not args.clean_up)
    _confirm(args, assembly, steps, state)
    if begins:
        for old in folder.glob("*.log"):
            old.unlink()
        variants.write_content(folder)
    runner.know_password()
    state = state or fresh
    kept.save(folder, state)
    interrupted = False
    try:
        state = runner.run(steps, state)
    except KeyboardInterrupt:
        interrupted, state = True, kept.load(folder) or state
    return _ended(args, assembly, runner, steps, state, interrupted=interrupted)


def _standby(args: argparse.Namespace) -> tuple[str, str] | None:
    if args.standby:
        name, _, zone = args.standby.partition("=")
        if not (name and zone):
            raise Refused("--standby is NAME=ZONE_ID, for example dualstack.lb.example.com=Z32O12XQLNTSW2")
        return name, zone
    return variants.standby_of(args.environments, args.env)


def _built(runner: Runner) -> Assembly:
    """The assembly of the environment as it is."""
    variants.write(runner.environments, runner.folder / "environments", runner.environment, variant="", standby=None)
    command = ["build.py", "--env", runner.environment, "--environments", str(runner.folder / "environments")]
    done = subprocess.run(  # noqa: S603
        [sys.executable, *command, "--out", str(runner.folder / "dist")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refused(*(done.stderr.strip().splitlines() or ["build.py failed"]), command=shlex.join(["python", *command[:3]]))
    return files.read(runner.folder / "dist" / runner.environment)[0]


def _refuse(args: argparse.Namespace, assembly: Assembly, *, begins: bool) -> None:
    """Raise `Refused` where a run would take away what somebody needs. The local AWS is nobody's."""
    if problems := refusals.in_the_assembly(assembly):
        raise Refused(*problems)
    if args.local:
        return
    if assembly.placeholders:
        raise Refused(
            *(f"{p.file}: {p.key} is still the placeholder {p.value!r}" for p in assembly.placeholders), command=_make(args, "LOCAL=1")
        )
    if begins and (problems := refusals.in_the_account(assembly, _there(args, assembly), others_allowed=args.other_environments)):
        # Told to forget a run, it has not forgotten what that run has made.
        raise Refused(*problems, command=_make(args, "CLEANUP=1") if args.restart else "")


def _refuse_run(args: argparse.Namespace, assembly: Assembly, state: State | None) -> None:
    problems = () if args.local else refusals.in_the_run(assembly, state, clean_up=args.clean_up)
    if problems and args.clean_up and state is None:
        raise Refused(*problems, command=commands.deploy("destroy", assembly.environment))
    if problems:
        raise Refused(*problems, command=_make(args, "RESTART=1"))


def _there(args: argparse.Namespace, assembly: Assembly) -> dict[tuple[str, str], tuple[str, ...]]:
    from aws.errors import AwsError
    from aws.session import Aws
    from gateways.by_place import Gateways

    aws = Aws(profile=args.profile, role_name=assembly.deploy_role_name or None)
    try:
        for override in aws.overrides():
            _say(f"warning: this is not AWS itself: {override}")
        gateways = Gateways(aws, sleep=time.sleep)
        places = sorted({(assembly.account_id, assembly.home_region), *((s.account_id, s.region) for s in assembly.stacks)})
        return {place: gateways.cloudformation(*place).stack_names() for place in places}
    except AwsError as error:
        raise Refused(str(error), command=error.hint) from error


def _confirm(args: argparse.Namespace, assembly: Assembly, steps: tuple[Step, ...], state: State | None) -> None:
    """Say what comes, and raise `Refused` unless a person or --yes agrees."""
    left = [step for step in steps if state is None or not state.finished(step.id)]
    _say(f"{assembly.environment}: account {assembly.account_id}, {assembly.home_region}{', local AWS' if args.local else ''}")
    _say(f"{len(left)} steps: {', '.join(step.id for step in left)}")
    if args.local:
        _say("costs nothing, takes some minutes")
    else:
        minutes = sum(step.minutes for step in left)
        _say(f"takes about {minutes:.0f} minutes, besides some hours before CloudFront lets go of an edge function")
        _say(f"costs {COST}")
    _say(f"everything of {assembly.environment} is deleted in the end, its data as well")
    if args.yes or args.local:
        return
    sys.stderr.write(f"Type {assembly.environment} to begin: ")
    sys.stderr.flush()
    if sys.stdin is None or sys.stdin.readline().strip() != assembly.environment:
        raise Refused("not begun", command=_make(args))


def _ended(
    args: argparse.Namespace, assembly: Assembly, runner: Runner, steps: tuple[Step, ...], state: State, *, interrupted: bool
) -> int:
    """Write the report; say what came of it and what to type."""
    folder, told = runner.folder, {step.id for step in steps}
    facts = {"commit": short(commit_of(ROOT)), "python": platform.python_version()}
    passed = all(state.finished(step) for step in told)
    data = report.as_data(steps, state, facts, left="" if passed else runner.left())
    wrong = [call for done in state.done if done.step in told and not state.finished(done.step) for call in done.calls if call.wrong]
    tails = {call.log: read_private(folder / call.log).decode("utf-8", "replace") for call in wrong if (folder / call.log).exists()}
    zone = assembly.hosted_zone
    accounts = {assembly.account_id, *(stack.account_id for stack in assembly.stacks), *([zone.account_id] if zone else [])}
    _write(folder / "report.md", report.as_markdown(data, tails), accounts)
    _write(folder / "report.json", json.dumps(data, indent=2, ensure_ascii=False) + "\n", accounts)
    for call in wrong:
        _say(f"{call.command}: {call.wrong}; all of it: {folder / call.log}")
    _say(f"report, to be sent back: {folder / 'report.md'}, {folder / 'report.json'}")
    if passed:
        kept.forget(folder)
        (folder / "password").unlink(missing_ok=True)
        without = ", ".join(done.step for done in state.done if done.result == "left out" and done.step in told)
        _say(f"passed: {args.env} is gone" if args.clean_up else f"passed{f', without {without}' if without else ''}")
        return PASSED
    waiting = any(done.result == "waiting" and done.step in told for done in state.done)
    _say("to go on where it stopped, later" if waiting else "to go on where it stopped")
    _say(f"  next: {_make(args)}")
    if not args.clean_up:
        _say("to take away what stands, which costs until then")
        _say(f"  next: {_make(args, 'CLEANUP=1')}")
    return INTERRUPTED if interrupted else WAITING if waiting else FAILED


def _write(path: Path, text: str, accounts: set[str]) -> None:
    write_private(path, report.without_secrets(text, accounts).encode())


def _make(args: argparse.Namespace, *more: str) -> str:
    """The same command again."""
    words = ["make", "acceptance", f"ENV={args.env}"]
    words += ["LOCAL=1"] if args.local and "LOCAL=1" not in more else []
    words += [f"PROFILE={args.profile}"] if args.profile else []
    words += [f"STANDBY={args.standby}"] if args.standby else []
    words += [f"ENVIRONMENTS={args.environments}"] if args.environments != ROOT / "environments" else []
    words += ["OTHERS=1"] if args.other_environments else []
    words += ["CLEANUP=1"] if args.clean_up else []
    return shlex.join([*words, *more])


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _say(text: str) -> None:
    """A line on stderr."""
    sys.stderr.write(as_lines((text,)) + "\n")
    sys.stderr.flush()
