"""Long lines on a terminal, broken between words and indented below their beginning.

In: text, columns. Out: the same text in lines that fit; the rows of a table all break before the same column.
Never: breaks a command that is meant to be pasted, a word, or a cell of a table that fits by itself.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from itertools import groupby, pairwise

from guards.text import OURS

_COLOUR = re.compile(rf"{re.escape(OURS)}\[[0-9;]*m")
_ROW = re.compile(r"\S {2,}\S")
"""Cells are two spaces or more apart."""
_COMMAND = re.compile(r"(?:^|\s)next: |^ *\S*python3? (?:-m \w|\w+\.py )|^ {4,}(?:# at AWS only: )?(?:aws|git|make) ")
"""Lines to paste."""
HANGING = 2
NARROWEST = 20


def wrapped(text: str, width: int) -> str:
    """Every line that is longer than `width` columns, in several."""
    rows: list[str] = []
    for is_row, lines in groupby(text.split("\n"), key=_is_row):
        block = list(lines)
        rows += _table(block, width) if is_row else [_line(line, width) for line in block]
    return "\n".join(rows)


def _is_row(line: str) -> bool:
    return bool(_ROW.search(line)) and OURS not in line and not _COMMAND.search(line)


def _table(lines: list[str], width: int) -> list[str]:
    """Rows of three columns or more, broken before the same column each; line by line where one column alone is too wide."""
    indent = min(len(line) - len(line.lstrip(" ")) for line in lines)
    starts = [indent, *_column_starts(lines, indent), max(map(len, lines))]
    widths = [end - start for start, end in pairwise(starts)]
    if len(starts) < 4 or starts[-1] <= width or max(widths) > width - indent - HANGING:
        return [_line(line, width) for line in lines]
    breaks, used = [indent], indent
    for start, taken in zip(starts, widths, strict=False):
        if used + taken > width and start > breaks[-1]:
            breaks.append(start)
            used = indent + HANGING
        used += taken
    folded: list[str] = []
    for line in lines:
        parts = [line[start:end].rstrip() for start, end in zip(breaks, [*breaks[1:], len(line)], strict=True)]
        folded += [" " * (indent + HANGING * bool(number)) + part for number, part in enumerate(parts) if part or not number]
    return folded


def _column_starts(lines: list[str], indent: int) -> Iterator[int]:
    """Where every row has a gap or has ended, and at least one has a cell."""
    for start in range(indent + 2, max(map(len, lines))):
        if all(line[start - 2 : start] == "  " or len(line) < start for line in lines) and any(
            line[start : start + 1].strip() for line in lines
        ):
            yield start


def _line(line: str, width: int) -> str:
    plain = _COLOUR.sub("", line)
    indent = " " * (len(plain) - len(plain.lstrip()) + HANGING)
    if len(plain) <= width or _COMMAND.search(plain) or width - len(indent) < NARROWEST or " " not in plain.strip():
        return line
    if plain == line:
        return textwrap.fill(
            line,
            width,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
            drop_whitespace=True,
            replace_whitespace=False,
        )
    return _coloured(line, width, indent)


def _coloured(line: str, width: int, indent: str) -> str:
    """Colours do not count; one that is on at a break goes on after it by itself."""
    parts = re.split(r"( +)", line.lstrip(" "))
    rows, used = [" " * (len(line) - len(line.lstrip(" ")))], 0
    used = len(rows[0])
    for gap, word in zip(["", *parts[1::2]], parts[0::2], strict=True):
        visible = len(_COLOUR.sub("", word))
        if not visible and used + len(gap) > width:
            rows[-1] += word
        elif used + len(gap) + visible > width and used > len(indent):
            rows.append(indent + word)
            used = len(indent) + visible
        else:
            rows[-1] += gap + word
            used += len(gap) + visible
    return "\n".join(rows)
