"""What a word was probably meant to be: the closest of those that there are.

In: a word as somebody typed it, the words that would do. Out: the closest, or none. Never: takes the dashes of options for likeness.
"""

from __future__ import annotations

from collections.abc import Iterable

SHORTEST = 3
"""Letters of a word that may stand for a longer one that begins with it (`--env` for `--environment`)."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """ "; did you mean X?" for the closest of the known words, whatever its case; empty if none is close."""
    found = closest(word, known)
    return f"; did you mean {found}?" if found else ""


def closest(word: str, known: Iterable[str]) -> str:
    """The closest of the known words, whatever its case; empty if none is close."""
    import difflib

    by_bare = {_bare(each): each for each in known}
    bare = _bare(word)
    found = difflib.get_close_matches(bare, by_bare, n=1) or [each for each in by_bare if _begins(bare, each) or _begins(each, bare)]
    return by_bare[found[0]] if found else ""


def _bare(word: str) -> str:
    return word.casefold().lstrip("-")


def _begins(short: str, long: str) -> bool:
    return len(short) >= SHORTEST and long.startswith(short)
