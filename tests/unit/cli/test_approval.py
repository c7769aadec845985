"""One scheme of approval, as docs/guides/command-line.md tells it, held against the parsers."""

from __future__ import annotations

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
