"""The stream through which everything is printed: what slipped past every other filter stops here.

In: what we print. Out: on the stream below, printable characters, our line breaks and our colours.
Never: lets an escape sequence pass that is not marked as ours, a secret of the settings, or a line that speaks to GitHub Actions.

JSON stays the same document: whatever is replaced is spelled as JSON spells it, and a secret is masked by characters that need no escape.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Any, TextIO, cast

from guards import masks
from guards.text import OURS, printable

# An ordinary text: printable ASCII and line breaks, without what GitHub's runner takes for a command.
_SPECIAL = re.compile(r"[^\n -~]|##\[")
_UNUSUAL = re.compile(f"{re.escape(OURS)}(\\[[0-9;]*[mK]|\r)|[^\x00\n -~]+|\x00")
# GitHub's runner takes a line for a command if it begins with two colons, blanks before them aside, and "##[" wherever that stands
# (actions/runner, src/Runner.Common/ActionCommand.cs).
_COMMAND = re.compile(r"(?m)^( *):(?=:)")


class Filtered:
    """A text stream over another one. `below` is for who draws by itself (rich) with texts that are filtered already."""

    def __init__(self, below: TextIO) -> None:
        self.below = below
        self._at_start = True
        reconfigure = getattr(below, "reconfigure", None)
        if reconfigure is not None:
            # A stream in ASCII or Latin-1 must not end a verb.
            reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        """Write what may be shown of it; how many characters were given."""
        if text:
            self.below.write(self._shown(text))
            self._at_start = text.endswith("\n")
        return len(text)

    def _shown(self, text: str) -> str:
        shown = masks.masked(text)
        if _SPECIAL.search(shown):
            shown = _UNUSUAL.sub(_pass_ours, shown).replace("##[", "#\\u0023[")
        if "::" in shown:
            # What only continues a line that was begun before begins none.
            begun = 0 if self._at_start else len(shown.partition("\n")[0])
            shown = shown[:begun] + _COMMAND.sub(r"\1\\u003a", shown[begun:])
        return shown

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.below, name)

    def __enter__(self) -> Filtered:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.below.flush()


def _pass_ours(found: re.Match[str]) -> str:
    if found[1] is None:
        return printable(found[0])
    return found[1] if found[1] == "\r" else f"\x1b{found[1]}"


def filtered(stream: TextIO) -> TextIO:
    """The stream behind the filter; itself if it is."""
    return stream if isinstance(stream, Filtered) else cast("TextIO", Filtered(stream))


def below(stream: TextIO) -> TextIO:
    """The stream below the filter, for who draws by itself."""
    return stream.below if isinstance(stream, Filtered) else stream


def install() -> None:
    """From here on all output of the process is filtered: ours, argparse's usage errors, warnings and tracebacks."""
    sys.stdout, sys.stderr = filtered(sys.stdout), filtered(sys.stderr)
