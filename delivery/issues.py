"""One issue an environment for what the night has found: opened, kept current, closed.

In: the findings of a night as files, `gh`. Out: the calls of `gh` that bring the issue to where it should be.
Never: opens a second one, or closes one without saying why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from guards import documents

Gh = Callable[[tuple[str, ...], str], str]
"""Runs `gh` with arguments and a text on its input; its output."""

LIMIT = 60_000
"""Characters of an issue; GitHub takes 65,536."""


def read(folder: Path) -> dict[str, str]:
    """What each check has found, by the file's name; an empty file is a check that found nothing."""
    return {path.stem: path.read_text(errors="replace").strip() for path in sorted(folder.glob("*.txt"))}


def title(environment: str) -> str:
    """By which the issue is found again."""
    return f"Nightly findings of {environment}"


def body(findings: Mapping[str, str], run: str) -> str:
    """The issue's text."""
    parts = [f"Found by [the nightly run]({run}). This text follows the latest night; the issue closes when one finds nothing.", ""]
    most = LIMIT // max(1, len(findings))
    for name, text in findings.items():
        # Indented, a text of others ends no block and mentions nobody.
        parts += [f"### {name}", "", *(f"    {line}" for line in text[:most].splitlines()), ""]
    return "\n".join(parts)


def report(environment: str, findings: Mapping[str, str], gh: Gh, *, run: str) -> str:
    """Bring the issue to where it should be; what was done, for the log."""
    found = {name: text for name, text in findings.items() if text}
    listed = gh(("issue", "list", "--state", "open", "--search", f'in:title "{title(environment)}"', "--json", "number,title"), "")
    numbers = sorted(int(each["number"]) for each in documents.loads(listed.encode()) if each["title"] == title(environment))
    if not found:
        for number in numbers:
            gh(("issue", "close", str(number), "--comment", f"The nightly run found nothing any more: {run}"), "")
        return f"{environment}: nothing found" + (f"; closed {', '.join(map(str, numbers))}" if numbers else "")
    if numbers:
        gh(("issue", "edit", str(numbers[0]), "--body-file", "-"), body(found, run))
        return f"{environment}: {', '.join(found)}; updated {numbers[0]}"
    gh(("issue", "create", "--title", title(environment), "--body-file", "-"), body(found, run))
    return f"{environment}: {', '.join(found)}; opened an issue"
