"""The tour of README.md: its commands are those of docs/tour.py, and nothing in it differs from run to run."""

from __future__ import annotations

import re

from docs import tour

TEXT = tour.README.read_text(encoding="utf-8").partition(tour.BEGIN)[2].partition(tour.END)[0]


def test_the_commands_are_current() -> None:
    assert tuple(re.findall(r"^\$ (.*)$", TEXT, re.M)) == tour.COMMANDS, "make tour"


def test_what_differs_from_run_to_run_is_a_placeholder() -> None:
    assert all(pattern.sub(placeholder, TEXT) == TEXT for pattern, placeholder in tour._VARYING)


def test_a_long_output_keeps_its_beginning_and_its_end() -> None:
    text = tour.shown("\n".join(f"line {n}" for n in range(100)))
    assert text.startswith("line 0\n")
    assert text.endswith("line 99\n")
    assert "... 75 lines more ..." in text
    assert text.count("\n") == tour.LINES


def test_it_is_written_between_the_marks() -> None:
    assert tour.written(f"a\n{tour.BEGIN}\nold\n{tour.END}\nb\n", "$ new\n") == (
        f"a\n{tour.BEGIN}\n\n```console\n$ new\n```\n\n{tour.END}\nb\n"
    )
