"""The verbs that there are, and their parsers: what is misspelt is answered with what was probably meant.

A verb is a module of `verbs/`. Its name is the verb (underscores become hyphens), its docstring's first line the help; it has
`EXAMPLES: str`, `DATA` (types of its --json, as MODULE:NAME), `add_arguments(parser)` and `run(args, context) -> int`. There is no list to
keep: a new file is a new verb.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from assembly import commands
from guards.slips import OneValue, closest, did_you_mean
from review.next_command import Options, options_of
from session.context import ROOT, USAGE, CommandError

PACKAGES = ("verbs",)
OTHERS_SAY = {"--yes": "--approve", "--auto-approve": "--yes", "--no-input": "--yes", "--target": "--only", "--stack": "--only"}
"""Options of other tools, or of other verbs, and what they are called where there is no such option."""


class Parser(OneValue):
    """Its errors are ours, and name the closest match."""

    def error(self, message: str) -> NoReturn:
        """Raise `CommandError`."""
        if message.endswith(": --env"):
            from session.opened import environments_known

            built, there = environments_known(ROOT / "dist")
            message += f" ({', '.join(sorted({*built, *there}))})"
        raise CommandError(message, command=f"{commands.DEPLOY} {self.prog.partition(' ')[2]} --help", status=USAGE)

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Raise `ArgumentError` for a value that is none of the choices, with the closest of them."""
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            raise argparse.ArgumentError(action, f"{value!r} is none of {', '.join(known)}{did_you_mean(str(value), known)}")

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The parsed arguments. Raises `CommandError`; what is unknown is told before what is missing, since it may be the same."""
        before = arguments[: arguments.index("--")] if "--" in arguments else arguments
        for word in before:
            name = word.partition("=")[0]
            if name.startswith("--") and name not in self._option_string_actions:
                self._refuse_option(name, arguments)
        required = [action for action in self._actions if action.required]
        for action in required:
            action.required = False
        try:
            _, strays = self.parse_known_args(arguments)
        finally:
            for action in required:
                action.required = True
        if strays:
            self._refuse(strays, arguments)
        args = self.parse_args(arguments)
        args.typed = tuple(arguments)
        return args

    def _refuse_option(self, name: str, arguments: Sequence[str]) -> NoReturn:
        other = OTHERS_SAY.get(name, "")
        known = [other] if other in self._option_string_actions else list(self._option_string_actions)
        what = f"there is no option {name}{did_you_mean(other or name, known)}"
        meant = closest(other or name, known)
        corrected = [f"{meant}{a.removeprefix(name)}" if a.partition("=")[0] == name else a for a in arguments]
        try:
            if not meant:
                self.error(what)
            self.read(corrected)
        except CommandError:
            self.error(what)
        raise CommandError(what, command=shlex.join(["python", *self.prog.split(), *corrected]), status=USAGE)

    def _refuse(self, strays: Sequence[str], arguments: Sequence[str]) -> NoReturn:
        verb = self.prog.partition(" ")[2]
        named = "--env" not in self._option_string_actions or any(a.partition("=")[0] == "--env" for a in arguments)
        if len(strays) == 1 and not strays[0].startswith("-") and not named:
            rest = [a for a in arguments if a != strays[0]]
            raise CommandError(
                f"{strays[0]!r} is no option; an environment is given with --env",
                command=commands.deploy(verb, strays[0], *rest),
                status=USAGE,
            )
        self.error(f"what is {' '.join(map(repr, strays))}? Every value follows its option")


def verbs(packages: Iterable[str] = PACKAGES) -> dict[str, tuple[str, Path]]:
    """Verb to (module name, file), found by the files that are there."""
    found = {}
    for package in packages:
        directory = ROOT.joinpath(*package.split("."))
        for file in sorted(directory.glob("[a-z]*.py")):
            found[file.stem.replace("_", "-")] = (f"{package}.{file.stem}", file)
    return found


def module_of(verb: str, packages: Iterable[str] = PACKAGES) -> ModuleType:
    """The module of a verb that there is."""
    return importlib.import_module(verbs(packages)[verb][0])


def add_arguments(parser: argparse.ArgumentParser, module: ModuleType) -> None:
    """The verb's own arguments, and those that every verb has."""
    module.add_arguments(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress on stderr; warnings, errors and what comes next stay")
    if "--verbose" not in parser._option_string_actions:
        parser.add_argument(
            "-v", "--verbose", action="store_true", help="every call to AWS on stderr: operation, account, region, status, seconds"
        )


def parser_of(verb: str, packages: Iterable[str] = PACKAGES) -> Parser:
    """The parser of a verb that there is."""
    module = module_of(verb, packages)
    parser = Parser(
        prog=f"deploy.py {verb}",
        description=(module.__doc__ or "").partition("\n")[0],
        epilog=f"examples:\n{module.EXAMPLES.rstrip()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_arguments(parser, module)
    parser.set_defaults(verb=verb)
    return parser


@functools.cache
def options_of_verb(verb: str) -> Options | None:
    """The options of a verb; None if there is no such verb."""
    return options_of(parser_of(verb)) if verb in verbs() else None
