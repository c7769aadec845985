"""One scheme of approval, as docs/guides/command-line.md tells it, held against the parsers."""

from __future__ import annotations

import ast
import re

import pytest

from cli.parser import parser_of, verbs
from review.next_command import options_of
from session.context import ROOT

TABLE = {
    verb: (yes == "yes", approve)
    for verb, yes, approve in re.findall(
        r"^\| ([a-z-]+) \| .* \| (yes|no) \| (.+) \|$", (ROOT / "docs/guides/command-line.md").read_text(encoding="utf-8"), re.M
    )
}
ENDS_OR_UNDOES = {"stop", "doctor"}
"""Ask, and not for the approval of people: they lead only to what was approved before."""
ELSEWHERE = {"dr": ("verbs/of_dr/rehearse.py", "session/moving.py")}
"""Where a verb's parts ask."""
OTHERWISE = {"rollback", "unlock", "set-password"}
"""Change something too, and are told below the table."""


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_the_table_is_what_the_parsers_take(verb: str) -> None:
    options = options_of(parser_of(verb))
    assert ("--yes" in options, "--approve" in options) == (TABLE[verb][0], True) if verb in TABLE else ("--approve" not in options)


@pytest.mark.parametrize("verb", sorted(TABLE))
def test_the_help_says_what_approves(verb: str) -> None:
    action = parser_of(verb)._option_string_actions["--approve"]
    words = f"{action.metavar} {action.help}".lower()
    assert ("digest" in TABLE[verb][1]) == ("digest" in words)
    assert ("name" in TABLE[verb][1]) == ("name" in words)


def test_what_asks_otherwise_is_told() -> None:
    text = (ROOT / "docs/guides/command-line.md").read_text(encoding="utf-8")
    assert all(f"`{verb}`" in text for verb in OTHERWISE)


@pytest.mark.parametrize("verb", sorted(TABLE))
def test_what_changes_an_environment_asks_people_after_it_has_asked_its_caller(verb: str) -> None:
    """Each function that has a change approved counts the people next, before it does anything else that can change something."""
    _, file = verbs()[verb]
    files = [file, *(ROOT / where for where in ELSEWHERE.get(verb, ()))]
    trees = [ast.parse(each.read_text(encoding="utf-8")) for each in files]
    asking = 0
    for function in (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        called = [name for statement in function.body for name in _calls(statement)]
        for position, name in enumerate(called):
            if (
                name in ("confirm", "_confirm", "approve")
                and function.name not in ("_confirm", "approve")
                and "show_outcome" not in called[position + 1 :][:1]
            ):
                asking += 1
                assert verb in ENDS_OR_UNDOES or called[position + 1] == "refuse_unapproved", (verb, function.name)
    assert asking or verb in ENDS_OR_UNDOES


def _calls(node: ast.AST) -> list[str]:
    """Names of the functions that are called, in the order of the text; those in arguments are left out."""
    calls = sorted(
        (n for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)), key=lambda n: (n.lineno, n.col_offset)
    )
    return [call.func.id for call in calls if isinstance(call.func, ast.Name)]
