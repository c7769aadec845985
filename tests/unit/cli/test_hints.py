"""Every hint can be typed: those of the golden files, and every canonical command that the source makes."""

from __future__ import annotations

import ast
import html
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.parser import options_of_verb
from review.next_command import BUILD_OPTIONS
from session.context import ROOT
from tests import hints

GOLDEN = ROOT / "tests" / "golden"
_PACKAGES = {path.parent.name for path in ROOT.glob("*/README.md") if (path.parent / "__init__.py").exists()}
ROOMS = tuple(sorted(_PACKAGES - {"tests", "docs"}))
_CANONICAL = re.compile(r"python (?:deploy|build)\.py [^\n`\"<]*")
_LEFT_OPEN = "X"
"""Stands for what is only known at run time."""


def golden_texts() -> Iterator[Path]:
    """All but templates, which hold no hint."""
    return (path for path in sorted(GOLDEN.rglob("*")) if path.is_file() and "templates" not in path.parts)


@pytest.mark.parametrize("path", golden_texts(), ids=lambda path: str(path.relative_to(GOLDEN)))
def test_the_hints_of_the_golden_files(path: Path) -> None:
    text = html.unescape(path.read_text(encoding="utf-8"))
    local = "local AWS" in text
    found = hints.problems_of_text(text, local=local)
    for command in _CANONICAL.findall(text):
        if "--" in command:
            found += hints.problems(command.strip().rstrip("."), local=local)
    assert not found


# --- the source ---------------------------------------------------------------------------------------------------


def produced(path: Path) -> Iterator[tuple[int, str]]:
    """(line, canonical command) of a source file; what is only known at run time is X."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "commands":
            words = [_text(argument) for argument in node.args]
            if node.func.attr == "deploy":
                yield node.lineno, " ".join(["python deploy.py", words[0], "--env", *words[1:]])
            elif node.func.attr == "build":
                yield node.lineno, " ".join(["python build.py --env", *words])
        elif isinstance(node, ast.JoinedStr | ast.Constant) and not _is_part(node):
            for step in re.split(r"\n| && ", _text(node)):
                if step.startswith(("python deploy.py ", "python build.py ")) and "  " not in step:
                    yield node.lineno, step


def _is_part(node: ast.JoinedStr | ast.Constant) -> bool:
    return isinstance(node, ast.Constant) and not isinstance(node.value, str)


def _text(node: ast.AST) -> str:
    """The text that an expression makes, X for what cannot be known; nothing for what may be absent."""
    match node:
        case ast.Constant(value=str(value)):
            return value
        case ast.JoinedStr(values=values):
            return "".join(_text(value) for value in values)
        case ast.FormattedValue(value=ast.Attribute(value=ast.Name(id="commands"), attr="DEPLOY")):
            return "python deploy.py"
        case ast.FormattedValue(value=value) if not isinstance(value, ast.IfExp):
            return _text(value) if isinstance(value, ast.Call) else _LEFT_OPEN
        case ast.FormattedValue() | ast.Starred():
            return ""
        case ast.Call(func=ast.Attribute(value=ast.Name(id="commands")), args=arguments):
            return " ".join(["python deploy.py", _text(arguments[0]), "--env", *map(_text, arguments[1:])])
    return _LEFT_OPEN


def wrong(command: str) -> list[str]:
    """What is wrong with a command of the source. What a verb needs besides is not looked at where a part is left open."""
    words = shlex.split(command)
    if words[1] == "deploy.py" and words[2:3] in ([], [_LEFT_OPEN]):
        return []
    if words[1] == "deploy.py" and options_of_verb(words[2]) is None and words[2] != "--help":
        return [f"{command!r}: no such verb"]
    known = BUILD_OPTIONS if words[1] == "build.py" else options_of_verb(words[2]) or {}
    given = [word.partition("=")[0] for word in words if word.startswith("--") and word != "--help"]
    return [f"{command!r}: there is no {name}" for name in given if name not in known] + [
        f"{command!r}: {name} twice" for name in set(given) if given.count(name) > 1
    ]


def test_the_commands_of_the_source() -> None:
    found = [(path, line, command) for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")) for line, command in produced(path)]
    assert len(found) > 60
    bad = [f"{path.relative_to(ROOT)}:{line}: {problem}" for path, line, command in found for problem in wrong(command)]
    assert not bad, "\n".join(bad)


def test_nobody_but_the_renderer_looks_whether_the_run_was_local() -> None:
    """A `--local` that is put together by hand is forgotten in the next place, or doubled."""
    by_hand = re.compile(r"""["'] --local["'] if|--local["'}]* not in""")
    bad = [
        str(path.relative_to(ROOT))
        for path in [*(ROOT / "cli").rglob("*.py"), *(ROOT / "verbs").rglob("*.py")]
        if by_hand.search(path.read_text(encoding="utf-8"))
    ]
    assert not bad


# --- the checker itself -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "local", "problem"),
    [
        ("python deploy.py plan --env dev", False, ""),
        (".venv/bin/python /x/deploy.py plan --env dev --local", True, ""),
        ("python deploy.py plan --env dev", True, "leads from a local run to AWS"),
        ("python deploy.py plan --env dev --local --local", True, "twice"),
        ("python deploy.py plan --env dev --distribution-domain x", False, "no option --distribution-domain"),
        ("python deploy.py publish --env dev --content DIR", False, "cannot be pasted|not one command"),
        ("python deploy.py plan --env dev, then apply", False, "not one command"),
        ("python deploy.py plan --env dev  (later)", False, "not one command"),
        ("python deploy.py nothing --env dev", False, "no verb"),
        ("python build.py --env dev --local", False, "refused"),
        ("aws cloudformation describe-stacks --stack-name x --region eu-west-1", False, ""),
        ("aws cloudformation describe-stack --stack-name x", False, "no operation"),
        ("aws cloudformation describe-stacks --name x", False, "has no --name"),
        ("edit the file", False, "is no command"),
    ],
)
def test_what_the_checker_finds(command: str, local: bool, problem: str) -> None:
    found = hints.problems_of_text(f"error: x\n  next: {command}\n", local=local)
    assert bool(found) == bool(problem)
    assert not problem or re.search(problem, found[0])
