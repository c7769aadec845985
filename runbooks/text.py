"""A runbook as a text: its title, its alarms, its placeholders, and the text with values in their places.

In: Markdown with placeholders such as `{site.DistributionId}`. Out: values. Never: knows where a value comes from.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass

SECTIONS = ("How you notice", "Us or AWS", "What to do", "It is over when", "The way back")
"""Every runbook has these headings, in this order."""

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*)\}")
_ALARM = re.compile(r"\{alarm\.([A-Za-z0-9]+)\}")
_COMMAND = "    "
"""A line that begins with it is typed."""


@dataclass(frozen=True, kw_only=True)
class Runbook:
    """One document of docs/runbooks."""

    name: str
    """Its file's name, without the suffix."""
    text: str

    @property
    def title(self) -> str:
        """What it is for, in a line."""
        return self.text.partition("\n")[0].removeprefix("# ")

    @property
    def alarms(self) -> tuple[str, ...]:
        """Logical ids of the alarms that lead to it: those named under the first heading."""
        return tuple(dict.fromkeys(_ALARM.findall(section(self.text, SECTIONS[0]))))

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Every name that is filled in."""
        return tuple(dict.fromkeys(_PLACEHOLDER.findall(self.text)))

    @property
    def commands(self) -> tuple[str, ...]:
        """The lines to type, without their remarks."""
        lines = (line.strip() for line in self.text.split("\n") if line.startswith(_COMMAND))
        return tuple(found for line in lines if (found := re.sub(r"\s+#\s.*", "", line)))


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one of its kind; "" without it."""
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def filled(text: str, value: Callable[[str], str]) -> str:
    """The text with each placeholder's value. In a line that is typed it is quoted for a shell where it has to be."""
    return "\n".join(
        _PLACEHOLDER.sub(lambda found, line=line: _quoted(value(found[1]), typed=line.startswith(_COMMAND)), line)  # type: ignore[misc]
        for line in text.split("\n")
    )


def without_aws(text: str) -> str:
    """The text for the local AWS: what would be typed to the real one is a remark, so that pasting it changes and asks nothing."""
    return re.sub(r"(?m)^(    \s*)(?=aws )", r"\1# at AWS only: ", text)


def _quoted(value: str, *, typed: bool) -> str:
    # In prose one line stays one: a line break in an output would begin a line that looks like a command to type.
    return shlex.quote(value) if typed else " ".join(value.splitlines())
