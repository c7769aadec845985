"""The picture of the house in docs/architecture.md, drawn from the imports: `python docs/house.py` rewrites it, `--check` only looks.

In: the rooms of setup.cfg's import contracts and what they import. Out: a Mermaid flowchart between two marks.
Never: draws an arrow that others imply, or anything that is not an import.
"""

from __future__ import annotations

import configparser
import sys
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- house: made by `make house` -->", "<!-- end of house -->"
BUILD = ("lint", "stacks", "policies", "environments", "constraints")


def rooms() -> tuple[str, ...]:
    """Every room, as setup.cfg lists them."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    return tuple(settings["importlinter"]["root_packages"].split())


def arrows() -> dict[str, frozenset[str]]:
    """Room to the rooms that it imports."""
    sys.path.insert(0, str(ROOT))
    names = rooms()
    graph = grimp.build_graph(*names, cache_dir=None)
    found: dict[str, set[str]] = {name: set() for name in names}
    for module in graph.modules:
        room = module.partition(".")[0]
        targets = {imported.partition(".")[0] for imported in graph.find_modules_directly_imported_by(module)}
        found[room] |= targets - {room}
    return {room: frozenset(targets & found.keys()) for room, targets in found.items()}


def reduced(direct: dict[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Without the arrows that others imply."""

    def below(room: str) -> set[str]:
        return {target for each in direct[room] for target in ({each} | below(each))}

    return {
        room: frozenset(t for t in targets if not any(t in below(other) for other in targets - {t})) for room, targets in direct.items()
    }


def picture() -> str:
    """The flowchart with its marks."""
    left = reduced(arrows())
    lines = ["```mermaid", "flowchart TD", '  build["build.py"] --> lint', "  build --> stacks", '  deploy["deploy.py"] --> cli']
    lines += ["  subgraph building", *(f"    {room}" for room in BUILD), "  end"]
    lines += [f"  {room} --> {target}" for room in rooms() for target in sorted(left[room])]
    return "\n".join([BEGIN, "", *lines, "```", "", END])


def renewed(text: str) -> str:
    """The page with the picture as it should be now."""
    head, _, rest = text.partition(BEGIN)
    return head + picture() + rest.partition(END)[2]


def main(arguments: list[str]) -> int:
    """Rewrite, or with --check tell whether it is current."""
    text = PAGE.read_text(encoding="utf-8")
    new = renewed(text)
    if "--check" in arguments:
        return int(new != text)
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
