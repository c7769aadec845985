"""Lines that fit the terminal."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.text import OURS, painted
from review.wrapping import wrapped

WORDS = st.lists(st.text("abcdefgh:-/.", min_size=1, max_size=12), min_size=1, max_size=30).map(" ".join)


def plain(text: str) -> str:
    return re.sub(rf"{re.escape(OURS)}\[[0-9;]*m", "", text)


@given(WORDS, st.integers(0, 8), st.integers(40, 120))
def test_nothing_is_lost_and_every_line_fits(words: str, indent: int, width: int) -> None:
    line = " " * indent + words
    rows = wrapped(line, width).split("\n")
    assert " ".join(" ".join(rows).split()) == words
    assert all(len(row) <= width for row in rows)
    assert all(row.startswith(" " * (indent + 2)) for row in rows[1:])


@given(WORDS, st.integers(40, 120))
def test_colours_do_not_count(words: str, width: int) -> None:
    coloured = "  " + " ".join(painted(word, "31") for word in words.split())
    rows = wrapped(coloured, width).split("\n")
    assert " ".join(plain(" ".join(rows)).split()) == words
    assert all(len(plain(row)) <= width for row in rows)


def test_a_coloured_table_that_fits_stays_as_it_is() -> None:
    row = painted("  + foundation  ", "32") + "  eu-west-1  " + painted("create", "32") + "             8 to add"
    assert wrapped(row, 60) == row


@pytest.mark.parametrize(
    "command",
    [
        "  next: python deploy.py apply --env dev --local --dist /somewhere/else/than/usual --approve 0123456789ab",
        "       .venv/bin/python deploy.py logs --env dev --local --since 1h --status 5xx --dist /somewhere/else",
        "       aws s3api list-object-versions --bucket prod-kimmyai-web-public --prefix index.html",
    ],
)
def test_a_command_stays_in_one_piece(command: str) -> None:
    assert wrapped(command, 60) == command


def test_a_word_that_is_too_long_stays_whole() -> None:
    arn = "arn:aws:cloudformation:eu-west-1:123456789012:stack/kimmyai-web-dev-foundation/0f0f0f0f"
    assert arn in wrapped(f"{arn} cannot be read by this version", 60).split("\n")


CELLS = st.lists(st.lists(st.text("abc-:", min_size=1, max_size=14), min_size=4, max_size=4), min_size=2, max_size=6)


@given(CELLS, st.integers(24, 60))
def test_the_rows_of_a_table_break_before_the_same_column_and_no_cell_breaks(cells: list[list[str]], width: int) -> None:
    cells = [[cell + " " + cell for cell in row] for row in cells] if width > 40 else cells
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    text = "\n".join("  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip() for row in cells)
    rows = wrapped(text, width).split("\n")
    assert all(len(row) <= width for row in rows)
    assert [cell for row in rows for cell in re.split(" {2,}", row.strip())] == [cell for row in cells for cell in row], "no cell is broken"
    each = len(rows) // len(cells)
    shapes = [tuple(len(re.split(" {2,}", row.strip())) for row in rows[n : n + each]) for n in range(0, len(rows), each)]
    assert len(set(shapes)) == 1
