"""The documents of the repository: their commands and their links.

In: Markdown. Out: what is wrong with what it tells people to type or to follow. Never: runs or opens one.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from cli.parser import options_of_verb, verbs
from review.next_command import BUILD_OPTIONS
from tests import hints
from tests.golden_files import ROOT

_FENCE = re.compile(r"^ *```")
_TYPED = re.compile(r"^(?:\s{4,}|\$ )((?:\S*python )?(?:deploy|build)\.py .*|aws [a-z].*)$")
_MENTION = re.compile(r"`(?:\S*python )?(deploy|build)\.py ([^`]+)`")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_FILLED = re.compile(r"\{[a-z][\w.-]*\}")
_OPEN = re.compile(r"\b(DIR|DIGEST|NAME|RELEASE|FILE|ID|NUMBER|PATH)\b|\.\.\.|…")
OTHERS = frozenset({"git", "make"})
"""Programs whose options are theirs."""
NO_DOCUMENTS = ("node_modules", ".venv", ".hypothesis", ".pytest_cache", "dist", "benchmarks/results")


def documents() -> tuple[Path, ...]:
    """Every Markdown file that people read here. The changelog tells of the past: verbs in it may be gone."""
    found = (path for path in ROOT.rglob("*.md") if not any(part in NO_DOCUMENTS or part.startswith(".") for part in _inside(path).parts))
    return tuple(sorted(path for path in found if path.name != "CHANGELOG.md" and "tests" not in _inside(path).parts))


def _inside(path: Path) -> Path:
    return path.relative_to(ROOT)


def typed(text: str) -> Iterator[str]:
    """The commands of code blocks, one a line, without remarks; steps joined by && apart."""
    fenced = False
    for line in text.split("\n"):
        if _FENCE.match(line):
            fenced = not fenced
            continue
        found = _TYPED.match(f"    {line}" if fenced else line)
        if found:
            yield from re.sub(r"\s+(#|\(see ).*", "", found[1]).split(" && ")


def mentioned(text: str) -> Iterator[str]:
    """The commands in the running text; they may leave out what every command needs."""
    yield from (f"python {script}.py {rest}" for script, rest in _MENTION.findall(text))


def wrong_to_type(command: str) -> list[str]:
    """What is wrong with a command that is meant to be typed as it stands, placeholders filled in."""
    command = _FILLED.sub("dev", command.replace(" ...", ""))
    words = command.split(" ")
    if words[0] != "aws":
        at = next((number for number, word in enumerate(words) if word.endswith(("deploy.py", "build.py"))), None)
        if at is None:
            return [] if words[0] in OTHERS else [f"{command!r} is no command of ours"]
        command = " ".join(["python", words[at].rpartition("/")[2], *words[at + 1 :]])
    if command in ("python deploy.py --help", "python deploy.py --version"):
        return []
    if _OPEN.search(command) or "|" in command:
        return wrong_to_mention(command)
    return hints.problems(command)


def wrong_to_mention(command: str) -> list[str]:
    """What is wrong with a mention: a verb or an option that there is not."""
    try:
        words = shlex.split(_FILLED.sub("dev", command).partition("|")[0])
    except ValueError:
        words = command.split()
    if words[0] == "aws":
        return []
    verb = words[2]
    if verb.startswith("-") or not re.fullmatch(r"[a-z][a-z-]*", verb):
        known = BUILD_OPTIONS if words[1] == "build.py" else {"--help": False, "--version": False, "--env": True}
    elif verb not in verbs():
        return [f"{command!r}: there is no verb {verb}"] if verb != "help" else []
    else:
        known = options_of_verb(verb) or {}
    given = [word.partition("=")[0].strip("[](),") for word in words[2:] if word.strip("[(").startswith("--")]
    return [f"{command!r}: there is no {name}" for each in given for name in each.split("|") if name not in known]


def anchors(text: str) -> set[str]:
    """What a link may name in a page: its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def _without_code(text: str) -> str:
    return re.sub(r"(?ms)^```.*?^```|(?<=\n\n) {4,}[^\n]*(?:\n {4,}[^\n]*)*|`[^`\n]*`", "", text)


def broken_links(page: Path) -> list[str]:
    """Links inside the repository that lead nowhere."""
    text = page.read_text(encoding="utf-8")
    wrong = []
    for link in _LINK.findall(_without_code(text)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            wrong.append(f"{_inside(page)}: {link} is not there")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8")):
            wrong.append(f"{_inside(page)}: {link} has no such heading")
    return wrong
