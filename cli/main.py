"""The command line of `deploy.py`: finds the verb, runs it, turns our errors into words and an exit status.

In: arguments, and a `Context` that holds everything of the outside world. Out: an exit status.
Never: imports a verb that is not run, or lets a traceback through for anything a user, AWS or the network can cause.

A verb is a module of one of the verb packages. Its name is the verb (underscores become hyphens), its docstring's first line the help; it
has `EXAMPLES: str`, `add_arguments(parser)` and `run(args, context) -> int`. There is no list to keep: a new file is a new verb.

Exit status: 0 done or no changes, 1 failed, 2 usage or bad input, 3 changes pending, 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from cli.termination import terminable
from guards import masks
from guards.stream import filtered
from guards.text import as_lines

OK, FAILED, USAGE, PENDING, INTERRUPTED = 0, 1, 2, 3, 130
ROOT = Path(__file__).resolve().parent.parent


class CommandError(Exception):
    """What stops a verb: the problems, one a line; what to type next; the exit status."""

    def __init__(self, *problems: str, command: str = "", status: int = FAILED) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.command = command
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Context:
    """The outside world, as a verb sees it. Whatever streams are handed in, everything printed goes through `guards.stream`."""

    stdin: TextIO = field(default_factory=lambda: sys.stdin)
    stdout: TextIO = field(default_factory=lambda: sys.stdout)
    stderr: TextIO = field(default_factory=lambda: sys.stderr)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    token_hex: Callable[[int], str] = secrets.token_hex
    root: Path = ROOT
    """The checkout: `.local-aws/` lies here."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "stdout", filtered(self.stdout))
        object.__setattr__(self, "stderr", filtered(self.stderr))

    def colour(self, stream: TextIO) -> bool:
        """Whether to colour what goes there: only a terminal, never against NO_COLOR or on a dumb terminal. https://no-color.org"""
        return bool(stream.isatty()) and not self.environ.get("NO_COLOR") and self.environ.get("TERM") != "dumb"

    def width(self) -> int:
        """Columns of the terminal, else of COLUMNS, else 100."""
        columns = self.environ.get("COLUMNS", "")
        if columns.isdigit() and int(columns) > 0:
            return int(columns)
        try:
            return os.get_terminal_size(self.stdout.fileno()).columns
        except (OSError, ValueError):
            return 100

    def timestamp(self) -> str:
        """Now, ISO 8601 in UTC, whole seconds."""
        return self.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def result(self, text: str) -> None:
        """A result, to stdout. Of several lines it is made with `guards.text.as_lines`."""
        self.stdout.write(text if text.endswith("\n") else text + "\n")
        self.stdout.flush()

    def say(self, text: str) -> None:
        """Progress or a remark, to stderr: one line, whatever is in it."""
        self.stderr.write(as_lines((text,)) + "\n")
        self.stderr.flush()


def verbs(packages: Iterable[str]) -> dict[str, tuple[str, Path]]:
    """Verb to (module name, file), found by the files that are there."""
    found = {}
    for package in packages:
        directory = ROOT.joinpath(*package.split("."))
        for file in sorted(directory.glob("[a-z]*.py")):
            found[file.stem.replace("_", "-")] = (f"{package}.{file.stem}", file)
    return found


def main(argv: list[str], packages: Iterable[str], context: Context | None = None) -> int:
    """Run one verb; returns the exit status."""
    context = context or Context()
    masks.hide_settings(context.environ)
    found = verbs(packages)
    if not argv or argv[0] in ("-h", "--help"):
        context.result(_overview(found))
        return OK if argv else USAGE
    if argv[0] not in found:
        context.say(f"deploy: there is no verb {argv[0]!r}")
        context.say("  next: python deploy.py --help")
        return USAGE
    module = importlib.import_module(found[argv[0]][0])
    parser = argparse.ArgumentParser(
        prog=f"deploy.py {argv[0]}",
        description=(module.__doc__ or "").partition("\n")[0],
        epilog=f"examples:\n{module.EXAMPLES.rstrip()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    try:
        args = parser.parse_args(argv[1:])
    except SystemExit as ended:
        return int(ended.code or 0)
    machine, local = bool(getattr(args, "json", False)), bool(getattr(args, "local", False))
    return guarded(lambda: int(module.run(args, context)), context, machine=machine, local=local)


_COMMAND = re.compile(r"(python deploy\.py [a-z-]+ --env [\w-]+)(?![\w-]| --local)")


def spoken(text: str, *, local: bool) -> str:
    """The text with --local in every command that it names, where the verb was run with it."""
    return _COMMAND.sub(r"\1 --local", text) if local else text


def guarded(run: Callable[[], int], context: Context, *, machine: bool = False, local: bool = False) -> int:
    """The one place that catches: our errors become words on stderr (and, for `--json`, an object on stdout) and an exit status."""
    try:
        with terminable():
            return run()
    except KeyboardInterrupt:
        context.say("deploy: interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        sys.stdout = None  # the reader is gone: nothing left to flush
        return OK
    except Exception as error:
        known = _known(error)
        if known is None:
            raise
        known.command = spoken(known.command, local=local and " --local" not in known.command)
        if machine:
            context.result(json.dumps({"ok": False, "problems": list(known.problems), "next": known.command}, indent=2, ensure_ascii=False))
        for problem in known.problems:
            context.say(f"error: {problem}")
        if known.command:
            context.say(f"  next: {known.command}")
        return known.status


def _known(error: Exception) -> CommandError | None:
    """Our errors as a `CommandError`; None for a defect, whose traceback must be seen. The modules are only imported if they were used."""
    if isinstance(error, CommandError):
        return error
    if isinstance(error, OSError):
        return CommandError(f"{error.filename or 'input or output'}: {error.strerror or error}")
    by_class: Mapping[tuple[str, str], Callable[[Any], CommandError]] = {
        ("assembly.files", "AssemblyError"): lambda e: CommandError(*e.problems, status=USAGE),
        ("assembly.model", "NoSite"): lambda e: CommandError(str(e), status=USAGE),
        ("aws.errors", "AwsError"): lambda e: CommandError(str(e), command=e.hint),
        ("planning.plan", "PlanError"): lambda e: CommandError(str(e), command=e.command, status=USAGE),
        ("planning.plan", "Stopped"): lambda _: CommandError("interrupted; what had been made for the plan is deleted", status=INTERRUPTED),
        ("planning.saved", "SavedPlanError"): lambda e: CommandError(str(e), command=e.command, status=USAGE),
        ("website.errors", "WebsiteError"): lambda e: CommandError(str(e), command=e.command),
        ("website.errors", "SourceError"): lambda e: CommandError(*e.problems, status=USAGE),
        ("local_aws.server", "LocalAwsError"): lambda e: CommandError(str(e), command=e.hint),
    }
    for kind in type(error).__mro__:
        made = by_class.get((kind.__module__, kind.__name__))
        if made is not None:
            return made(error)
    return None


def _overview(found: Mapping[str, tuple[str, Path]]) -> str:
    said = ["usage: deploy.py VERB --env ENV [options]", "", "Deploy what build.py wrote: plan, review, apply.", "", "verbs:"]
    width = max((len(verb) for verb in found), default=0)
    for verb, (_, file) in found.items():
        with file.open(encoding="utf-8") as source:
            said.append(f"  {verb:<{width}}  {source.readline().strip().strip(chr(34))}")
    said += [
        "",
        "examples:",
        "  python deploy.py plan --env dev            what would change, in every account and region",
        "  python deploy.py plan --env dev --local    the same against a local AWS, without any account",
        "",
        "deploy.py VERB --help tells all about one verb.",
        "exit status: 0 done or no changes, 1 failed, 2 usage or bad input, 3 changes pending, 130 interrupted",
    ]
    return "\n".join(said)
