"""Whether what we tell people to type can be typed: each `next: ` line, read by the parser of its verb.

In: a text that was printed, or a canonical command. Out: what is wrong with its hints. Never: runs one.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session

from assembly import commands
from assembly.ending import UsageError
from build import NEW
from build import _new_parser as new_parser
from build import _parser as build_parser
from cli.parser import parser_of, verbs
from review.next_command import BUILD_OPTIONS, options_of
from session.context import CommandError

# A label before it: "test: next: ..." of a list, and "Next: `...`" of a document are ours too.
_NEXT = re.compile(r"(?m)^[ \t]*next: (.*)$")
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
NOT_IN_THE_MODELS = {("sso", "login"), ("configure", "list"), ("configure", "list-profiles"), ("configure", "sso")}
"""Commands of the AWS CLI that are no operation of an API."""


def printed(text: str) -> list[str]:
    """The commands of the `next: ` lines."""
    return _NEXT.findall(_ESCAPES.sub("", text))


def problems_of_text(text: str, *, local: bool = False) -> list[str]:
    """What is wrong with the hints of a text that was printed."""
    return [problem for command in printed(text) for problem in problems(command, local=local)]


def problems(command: str, *, local: bool = False) -> list[str]:
    """What is wrong with one command; `local`: it was told by a run with --local."""
    return [f"{command!r}: {what}" for what in _problems(command, local=local)]


def _problems(command: str, *, local: bool) -> Iterator[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        yield str(error)
        return
    script = next((number for number, word in enumerate(words) if word.endswith(("deploy.py", "build.py"))), None)
    if script is None:
        if not commands.is_command(command):
            yield "is no command"
        elif words[0] == "aws":
            yield from _aws(words[1:])
            if local:
                yield "leads from a local run to AWS"
        return
    if not commands.is_command(shlex.join(["python", words[script].rpartition("/")[2], *words[script + 1 :]])):
        yield "is not one command that can be pasted"
    given = [word.partition("=")[0] for word in words[script + 1 :] if word.startswith("--")]
    yield from (f"has {name} twice" for name in sorted({n for n in given if given.count(n) > 1} - {"--only", "--allow", "--exclude"}))
    if words[script].endswith("build.py"):
        further = words[script + 1 : script + 2] == [NEW]
        yield from _parsed(new_parser() if further else build_parser(), words[script + 1 + further :])
        return
    verb, *arguments = words[script + 1 :] or [""]
    if verb == "--help":
        return
    if verb not in verbs():
        yield "has no verb that there is"
        return
    yield from _parsed(parser_of(verb), arguments)
    if local and "--env" in given and "--local" in options_of(parser_of(verb)) and "--local" not in given:
        yield "leads from a local run to AWS"


def _parsed(parser: Any, arguments: list[str]) -> Iterator[str]:
    if "--help" in arguments:
        return
    try:
        parser.read(arguments) if hasattr(parser, "read") else parser.parse_args(arguments)
    except (SystemExit, CommandError, UsageError) as error:
        yield f"is refused by its parser: {error}"


@cache
def _models() -> botocore.session.Session:
    return botocore.session.Session()


def _aws(words: list[str]) -> Iterator[str]:
    """By the service models that botocore has, which the AWS CLI makes its commands from."""
    service, operation, *arguments = [*words, "", ""][: max(2, len(words))]
    if (service, operation) in NOT_IN_THE_MODELS:
        return
    api = {"s3api": "s3"}.get(service, service)
    if api not in _models().get_available_services():
        yield f"there is no service {service}"
        return
    model = _models().get_service_model(api)
    named = {_dashed(name): name for name in model.operation_names}
    if operation not in named:
        yield f"{service} has no operation {operation}"
        return
    shape = model.operation_model(named[operation]).input_shape
    known = {_dashed(name) for name in (shape.members if shape else ())} | {"region", "profile", "output", "query"}
    for word in arguments:
        name = word.partition("=")[0].removeprefix("--")
        if word.startswith("--") and name not in known and name.removeprefix("no-") not in known:
            yield f"{service} {operation} has no --{name}"


def _dashed(name: str) -> str:
    return botocore.xform_name(name, "-")


def matches_build() -> bool:
    """Whether what cli/ believes of build.py's options is so."""
    return {**options_of(build_parser())} == {"--help": False, **BUILD_OPTIONS}
