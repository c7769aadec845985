"""One issue an environment for what the night has found: opened, kept current, closed; closed, too, when the environment is no more.

In: the findings of a night as files, GitHub. Out: the calls that bring the issues to where they should be.
Never: opens a second one, closes one without saying why, or takes somebody else's for ours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delivery.github import BOT, GitHub
from guards.text import sentence

LIMIT = 60_000
"""Characters of an issue; GitHub takes 65,536."""
TITLE = "Nightly findings of "
"""What stands before the name of what was looked at; by the whole the issue is found again."""
PREFIX = "findings-"
"""Of a folder with what was found of one environment."""


def read(folder: Path) -> dict[str, dict[str, str]]:
    """What each check has found, by environment and the check's name; an empty text is a check that found nothing."""
    return {
        place.name.removeprefix(PREFIX): {path.stem: path.read_text(errors="replace").strip() for path in sorted(place.glob("*.txt"))}
        for place in sorted(folder.glob(f"{PREFIX}*"))
    }


def body(findings: Mapping[str, str], run: str) -> str:
    """The issue's text."""
    parts = [f"Found by [the nightly run]({run}). This text follows the latest night; the issue closes when one finds nothing.", ""]
    most = LIMIT // max(1, len(findings))
    for name, text in findings.items():
        # Indented, a text of others ends no block and mentions nobody.
        block = "\n".join(f"    {line}" for line in text[:most].splitlines())
        rest = f"The rest is in the artifact {PREFIX}* of that run.\n" if max(len(text), len(block)) > most else ""
        parts += [f"### {name}", "", block[:most], "", rest]
    return "\n".join(parts)


@dataclass(frozen=True, kw_only=True)
class Tracker:
    """The issues of a repository; `run` is the address of this night's run."""

    github: GitHub
    repository: str
    run: str

    def report(self, findings: Mapping[str, Mapping[str, str]], *, known: Collection[str]) -> tuple[str, ...]:
        """Bring every issue to where it should be; what was done, a line each. What is `known` and has no findings was not looked at: its
        issue stays as it is."""
        there: dict[str, list[int]] = {}
        for issue in self._ours():
            there.setdefault(str(issue["title"]).removeprefix(TITLE), []).append(int(issue["number"]))
        lines = [self._one(name, found, sorted(there.get(name, ()))) for name, found in findings.items()]
        for name, numbers in sorted(there.items()):
            if name in findings:
                continue
            if name in known:
                lines.append(f"{name}: not looked at; its issue stays")
            else:
                lines.append(self._closed(name, sorted(numbers), f"{sentence(name)} is no more among the environments."))
        return tuple(lines)

    def _ours(self) -> list[dict[str, Any]]:
        """The open ones that a workflow has written; anybody may give an issue any title."""
        listed = self.github.every(f"repos/{self.repository}/issues?state=open")
        return [each for each in listed if (each["user"] or {}).get("login") == BOT and str(each["title"]).startswith(TITLE)]

    def _one(self, name: str, findings: Mapping[str, str], numbers: list[int]) -> str:
        found = {check: text for check, text in findings.items() if text}
        if not found:
            return (
                self._closed(name, numbers, f"The nightly run found nothing any more: {self.run}") if numbers else f"{name}: nothing found"
            )
        told = f"{name}: {', '.join(found)}"
        if numbers:
            self.github.change(f"repos/{self.repository}/issues/{numbers[0]}", {"body": body(found, self.run)})
            return f"{told}; updated {numbers[0]}"
        self.github.make(f"repos/{self.repository}/issues", {"title": TITLE + name, "body": body(found, self.run)})
        return f"{told}; opened an issue"

    def _closed(self, name: str, numbers: list[int], why: str) -> str:
        for number in numbers:
            self.github.make(f"repos/{self.repository}/issues/{number}/comments", {"body": why})
            self.github.change(f"repos/{self.repository}/issues/{number}", {"state": "closed"})
        return f"{sentence(name)}: closed {', '.join(map(str, numbers))}"
