"""The messages that a person meets, each with its remedy, grouped by what one was doing.

In: the golden files of what is printed, the table of known causes. Out: Markdown. Never: invents a message or a remedy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from docs.tables import table
from rollout.known_causes import CAUSES


def page(note: str, root: Path) -> str:
    """The whole page."""
    golden = root / "tests" / "golden"
    parts = [
        "# Messages, and what to do",
        "",
        note,
        "Every error says what and where, and on the next line what to type. This page is for who has only the message: look for a"
        " part of it that is no name. What a person sees rather than reads stands in the [runbooks](../runbooks/README.md); what the"
        " lint gate says, in the [rules](../lint-rules.md).",
        "",
        "## While building: environment files",
        "",
        "`build.py` names file, line and key, and what would be right. Nothing is written until all are mended. For example:",
        "",
    ]
    lines = [line for name in ("environments", "environment-names") for line in _lines(golden / "errors" / f"{name}.txt")]
    parts += table(("where", "message: what is wrong; what would be right"), [_split(line) for line in lines])
    parts += ["", "## Before deploying: doctor", ""]
    parts += table(("", "message", "what to do"), _told(golden / "doctor" / "ill.txt"))
    parts += ["", "## While deploying: AWS's words", "", "The first line of a failure is AWS's. These are known:", ""]
    parts += table(("AWS says (a part of it)", "it means", "what to do"), [_cause(number) for number in range(len(CAUSES))])
    for title, name in (
        ("While deploying: a failure as it is shown", "apply/failed"),
        ("While taking an environment away", "destroy/failed"),
    ):
        parts += ["", f"## {title}", "", "```text", *_lines(golden / f"{name}.txt"), "```"]
    for title, name in (("A plan that cannot be applied", "review/blocked"), ("A stack that needs a person", "status/mixed")):
        parts += ["", f"## {title}", "", "```text", *_lines(golden / f"{name}.txt"), "```"]
    return "\n".join(parts) + "\n"


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").rstrip("\n").split("\n")


def _split(line: str) -> tuple[str, str]:
    file, number, message = line.split(":", 2)
    return f"{file}:{number}", _literal(message.strip())


def _told(path: Path) -> Iterator[tuple[str, str, str]]:
    """Each check that is not well, with its remedy."""
    lines = _lines(path)
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        found = re.match(r"(PROBLEM|warning|not checked) +(.*)", line)
        if found:
            remedy = re.match(r" +(next|hint): (.*)", following)
            yield (
                found[1].lower(),
                _literal(found[2]),
                f"`{remedy[2]}`" if remedy and remedy[1] == "next" else _literal(remedy[2] if remedy else ""),
            )


def _cause(number: int) -> tuple[str, str, str]:
    cause = CAUSES[number]
    words = " or ".join(f"`{each}`" for each in _readable(cause.words.pattern))
    command = f"`python deploy.py {' '.join((cause.command[0], '--env ENV', *cause.command[1:]))}`" if cause.command else ""
    return words, _literal(cause.explanation), "; ".join(filter(None, (command, _literal(cause.advice))))


def _readable(pattern: str) -> list[str]:
    """The alternatives of a pattern at its top level, without what only a machine reads."""
    depth, parts = 0, [""]
    for character in pattern:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if character == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [
        re.sub(r"\\b|\\|\(\?:|\?", "", part)
        .replace("[^']+", "...")
        .replace(".*", "...")
        .replace("S+", "...")
        .replace("[", "")
        .replace("]", "")
        for part in parts
    ]


def _literal(text: str) -> str:
    """Without what Markdown would take for itself."""
    return re.sub(r"([*_<>`])", r"\\\1", text)
