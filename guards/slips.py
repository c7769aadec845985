"""What a word was probably meant to be: the closest of those that there are. Options that take one value are given once.

In: a word as somebody typed it, the words that would do. Out: the closest, or none. Never: takes the dashes of options for likeness.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

SHORTEST = 3
"""Letters of a word that may stand for a longer one that begins with it (`--env` for `--environment`)."""


class _Once(argparse._StoreAction):
    """Keeps the value. The parser's error for another one of the same option, of which argparse would silently take the last."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option_string: str | None = None
    ) -> None:
        before = getattr(namespace, self.dest, self.default)
        if option_string and before is not self.default and before != values:
            parser.error(f"{option_string} is given as {before} and as {values}: it takes one value")
        super().__call__(parser, namespace, values, option_string)


class OneValue(argparse.ArgumentParser):
    """A parser that takes one value for an option, unless that says `append`."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for name in (None, "store"):
            self.register("action", name, _Once)


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
