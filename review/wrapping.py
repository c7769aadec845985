"""Long lines on a terminal, broken between words and indented below their beginning.

In: text, columns. Out: the same text in lines that fit. Never: breaks a command that is meant to be pasted, or a word.
"""

from __future__ import annotations

import re
import textwrap

from guards.text import OURS

_COLOUR = re.compile(rf"{re.escape(OURS)}\[[0-9;]*m")
_COMMAND = re.compile(r"(?:^|\s)next: ")
HANGING = 2
NARROWEST = 20


def wrapped(text: str, width: int) -> str:
    """Every line that is longer than `width` columns, in several."""
    return "\n".join(_line(line, width) for line in text.split("\n"))


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
