"""Words of others as part of ours: names, reasons, messages and log lines that cannot act on what shows them.

In: text from AWS, from files, from git, from visitors. Out: text of printable characters. Never: prints; hides that something was there.

What does not print, and what turns, hides or widens the text around it, is spelled as JSON spells it (`\\u001b`), so that a JSON text
stays the same document. Line breaks are ours alone: a line that begins with `next: ` was written here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from guards import masks

MOST = 1_000
"""Characters of a sentence: the longest refusals of IAM and CloudFormation have some 600; a page of HTML has many thousands."""

_UNPRINTABLE = re.compile(r"[^ -~]+")
# Printable by Unicode's classes, yet nothing is seen: fillers, the blank Braille pattern, variation selectors.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
_BREAKS = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_HTML = re.compile(r"\s*(?:<!doctype html|<html)\b", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>([^<]{1,200})", re.IGNORECASE)

OURS = f"\x00{os.urandom(12).hex()}"
"""Stands for ESC in what we colour ourselves; `guards.stream` alone turns it into one. Made anew in each process, so that nobody can
have put it into a text beforehand."""
_OURS = re.compile(f"({re.escape(OURS)}[^a-zA-Z]*[a-zA-Z])")


def spelled(character: str) -> str:
    """A character as JSON spells it: two surrogates beyond U+FFFF."""
    code = ord(character)
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return _BREAKS.get(character) or f"\\u{code:04x}"


def _visible(found: re.Match[str]) -> str:
    run = found[0]
    if run.isprintable() and not _UNSEEN.search(run):
        return run
    return "".join(c if c.isprintable() and not _UNSEEN.match(c) else spelled(c) for c in run)


def printable(text: str) -> str:
    """A name or a value on one line, as it is. Printable ASCII stays; line breaks and all that cannot be seen are spelled out."""
    if text.isascii() and text.isprintable():
        return text
    return _UNPRINTABLE.sub(_visible, text)


def sentence(text: str, most: int = MOST) -> str:
    """Words of AWS, a proxy or a library on one line: a run of blanks is one, a page of HTML is its title, what a setting holds is masked,
    and what is longer than `most` is cut."""
    if _HTML.match(text):
        title = _TITLE.search(text)
        text = f"an HTML page instead of an answer{f': {title[1]}' if title else ''}"
    # Cut before the work is done: an error body may be as long as it likes. Masked first, since half a secret is one too.
    masked = masks.masked(text[: 20 * most])
    line = printable(" ".join(masked.split()))
    return line if len(line) <= most else f"{line[:most]}... ({len(text):,} characters)"


def split_lines(text: str) -> list[str]:
    """Its lines, split where `\\n` is and nowhere else: `str.splitlines` takes ten further characters for the end of a line."""
    return text.removesuffix("\n").split("\n") if text else []


def plural(number: int, noun: str, several: str = "") -> str:
    """ "1 stack", "2 stacks"; `several`: how more than one are called, where it is not the noun with an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {several or noun + 's'}"


def columns(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Rows, of which there is one at least, as left-aligned columns, two spaces apart."""
    table = list(rows)
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def painted(text: str, codes: str) -> str:
    """The text in a colour of ours (SGR codes such as "1;31")."""
    return f"{OURS}[{codes}m{text}{OURS}[0m"


def line_again() -> str:
    """Back to the beginning of the terminal's line, which is empty then."""
    return f"{OURS}\r{OURS}[2K"


def ours(text: str) -> str:
    """The text with its escape sequences declared ours: for what rich has drawn from texts that were made `printable` before."""
    return text.replace("\x1b", OURS)


def as_lines(parts: Iterable[str]) -> str:
    """Our lines as one text: a line break that came with somebody's words begins no line. Our own colours stay."""
    return "\n".join(_line(part) for part in parts)


def _line(text: str) -> str:
    if OURS not in text:
        return printable(text)
    return "".join(part if number % 2 else printable(part) for number, part in enumerate(_OURS.split(text)))
