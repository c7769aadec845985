"""The command to type next, as whoever started this process would type it: the one place where it gets its final form.

In: text with canonical commands (`assembly.commands`), how the process was started, the options of the run. Out: the same text with
commands that can be pasted: interpreter and script as they were called, and --local, --dist and --profile where the run had them.
Never: adds an option that the command's own parser does not have, or that it has already.
"""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from assembly import commands
from guards.interpreter import as_called, from_here

Options = Mapping[str, bool]
"""The options of a parser: whether each takes a value."""

CARRIED = ("--local", "--dist", "--profile")
NAMING = ("--env", "--compare", "--release")
"""Options whose value is, or begins with, the name of an environment."""
BUILD_OPTIONS: Options = {
    "--env": True,
    "--environments": True,
    "--out": True,
    "--format": True,
    "--check": False,
    "--json": False,
    "--verbose": False,
}
"""Of build.py, which this room must not import."""

# Not where an alarm or the dashboard says it (stacks/): a review shows what AWS gets.
_BEGIN = re.compile(r"(?<![\w./-])(?<!Runbook: )(?<!what to do: `)python (deploy|build)\.py(?![\w./-])")
# With what may stand before its options: `dr status --env dev`, `runbook site-down --env dev`.
_VERB = re.compile(r" ([a-z][a-z-]*)(?: [a-z][a-z0-9-]*(?= --env[ =]))?")
_AT_AWS = re.compile(r"(?m)^( *)next: ((?:\x00[0-9a-f]+\[[0-9;]*m)?aws )")
ELSEWHERE = "on AWS, not here: "
# One word of a shell, quoted or not, without the full stop of the sentence that it may stand at the end of.
_WORD = re.compile(r" ((?:'[^']*'|\"[^\"]*\"|\\.|[^\s'\"\\;|&()<>,`\x00])+(?<![.:]))")


def options_of(parser: argparse.ArgumentParser) -> Options:
    """The long options of a parser."""
    return {text: action.nargs != 0 for text, action in parser._option_string_actions.items() if text.startswith("--")}


@dataclass(frozen=True, kw_only=True)
class Programs:
    """How deploy.py and build.py are called, in words for a shell."""

    deploy: tuple[str, ...] = ("python", "deploy.py")
    build: tuple[str, ...] = ("python", "build.py")

    @classmethod
    def of_process(cls, original: Sequence[str], arguments: Sequence[str], executable: str, root: Path) -> Programs:
        """As this process was called: `sys.orig_argv`, `sys.argv`, `sys.executable`, and where the two scripts lie."""
        *head, script = as_called(original, arguments, executable, root / "deploy.py")
        other = Path(script).with_name(Path(script).name.replace("deploy", "build"))
        if other.suffix and not other.is_file():
            other = root / "build.py"
        return cls(deploy=(*head, script), build=(*head, from_here(str(other))))


@dataclass(frozen=True, kw_only=True)
class NextCommand:
    """Turns canonical commands into those that can be pasted. Without anything given it leaves them as they are."""

    programs: Programs = field(default_factory=Programs)
    parser_options: Callable[[str], Options | None] = lambda _: None
    """The options of a verb; None if there is no such verb."""
    carried: tuple[tuple[str, str | None], ...] = ()
    """Options of this run, with their values (None for a flag), in the order in which they are told."""

    def of_run(self, parser: argparse.ArgumentParser, args: argparse.Namespace) -> NextCommand:
        """With the options of a run that its next commands need too: those that were given, and are not the default."""
        found: list[tuple[str, str | None]] = []
        for option in CARRIED:
            name = option.removeprefix("--")
            value = getattr(args, name, None)
            if value in (None, False) or value == parser.get_default(name):
                continue
            found.append((option, None if value is True else str(value)))
        return replace(self, carried=tuple(found))

    @property
    def in_documents(self) -> NextCommand:
        """For a text that is read elsewhere and later: canonical, but what was tried out locally does not lead to AWS."""
        return replace(self, programs=Programs(), carried=tuple(each for each in self.carried if each[0] == "--local"))

    @property
    def _local(self) -> bool:
        return ("--local", None) in self.carried

    def in_text(self, text: str) -> str:
        """The text with every canonical command in its final form; in a local run, what would go to AWS is no command to type."""
        if self._local:
            text = _AT_AWS.sub(rf"\1hint: {ELSEWHERE}\2", text)
        return "".join(self._pieces(text)) if "python " in text else text

    def in_value(self, value: Any) -> Any:
        """The same for every text in a value made of dicts and lists; a plan stays as it is, since its digest covers it."""
        if isinstance(value, str):
            return self.in_text(f"{ELSEWHERE}{value}" if self._local and value.startswith("aws ") else value)
        if isinstance(value, Mapping):
            return {key: each if key == "plan" and isinstance(each, Mapping) else self.in_value(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.in_value(each) for each in value]
        return value

    def in_envelope(self, told: dict[str, Any]) -> dict[str, Any]:
        """The same for an envelope of --json: in a local run, what would go to AWS is no command but a hint, as in the text."""
        for each in (told, *told["problems"]) if self._local else ():
            elsewhere = [command for command in each["next"] if command.startswith("aws ")]
            each["next"] = [command for command in each["next"] if command not in elsewhere]
            each["hints"] = [*each["hints"], *(f"{ELSEWHERE}{command}" for command in elsewhere)]
        return told

    def _pieces(self, text: str) -> Iterator[str]:
        done = 0
        for found in _BEGIN.finditer(text):
            yield text[done : found.start()]
            rendered, done = self._command(text, found)
            yield rendered
        yield text[done:]

    def _command(self, text: str, begin: re.Match[str]) -> tuple[str, int]:
        """The command that begins there in its final form, and where it ends in the text."""
        at = begin.end()
        if begin[1] == "build":
            return self._finished(shlex.join(self.programs.build), text, at, BUILD_OPTIONS, self._for_build())
        program = shlex.join(self.programs.deploy)
        verb = _VERB.match(text, at)
        options = self.parser_options(verb[1]) if verb else None
        if verb is None or options is None:
            return program, at
        return self._finished(f"{program}{verb[0]}", text, verb.end(), options, self.carried)

    def _for_build(self) -> tuple[tuple[str, str | None], ...]:
        """build.py never goes to AWS, and calls --dist --out."""
        return tuple(("--out", value) for option, value in self.carried if option == "--dist")

    @staticmethod
    def _finished(head: str, text: str, at: int, options: Options, carried: tuple[tuple[str, str | None], ...]) -> tuple[str, int]:
        given, end = _given(text, at, options)
        names = [name for name, _ in given]
        environment = [raw for name, raw in given if name == "--env"]
        rest = [raw for name, raw in given if name != "--env"]
        added = (
            [
                option if value is None else f"{option} {shlex.quote(value)}"
                for option, value in carried
                if option in options and option not in names
            ]
            if environment
            else []
        )
        return " ".join([head, *environment, *added, *rest]), end


def _given(text: str, at: int, options: Options) -> tuple[list[tuple[str, str]], int]:
    """The options that are written from there on, as (name, name and value as written); and where they end."""
    found: list[tuple[str, str]] = []
    while (word := _WORD.match(text, at)) is not None:
        name, equals, _ = word[1].partition("=")
        if name not in options:
            break
        at, raw = word.end(), word[1]
        if options[name] and not equals and (value := _WORD.match(text, at)) is not None:
            at, raw = value.end(), f"{raw} {value[1]}"
        found.append((name, raw))
    return found, at


def again(args: argparse.Namespace, *more: str) -> str:
    """The command that was typed, with further options."""
    words = iter(args.typed)
    kept: list[str] = []
    for word in words:
        name = word.partition("=")[0]
        if name not in ("--env", *more[:1]):
            kept.append(word)
        elif "=" not in word and (name == "--env" or len(more) > 1):
            next(words, None)
    # `dr` and what of it stand together.
    of = f" {kept.pop(0)}" if args.verb == "dr" and kept and not kept[0].startswith("-") else ""
    return commands.deploy(args.verb + of, args.env, *kept, *more)


def instead(args: argparse.Namespace, wrong: str, right: str) -> str:
    """The command that was typed, with another environment in place of a wrong name, wherever it stood for one."""
    words: list[str] = []
    for word in args.typed:
        option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
        names = option in NAMING if equals else bool(words) and words[-1] in NAMING
        name, colon, rest = value.partition(":")
        words.append(f"{option}{equals}{right}{colon}{rest}" if names and name == wrong else word)
    return shlex.join(["python", "deploy.py", args.verb, *words])
