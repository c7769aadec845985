"""The house as it is described: small files, rooms with a README that holds, a current picture, and paths that exist."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.golden_files import ROOT

LONGEST_FILE, LONGEST_FUNCTION, LARGEST_ROOM = 500, 60, 4_000


def rooms() -> tuple[str, ...]:
    text = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    found = re.search(r"root_packages =\n((?:    \w+\n)+)", text)
    assert found is not None
    return tuple(found[1].split())


ROOMS = rooms()
FILES = sorted([*(file for room in ROOMS for file in (ROOT / room).rglob("*.py")), ROOT / "build.py", ROOT / "deploy.py"])


def lines_of(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def test_no_file_is_long() -> None:
    assert not {str(file.relative_to(ROOT)): lines_of(file) for file in FILES if lines_of(file) > LONGEST_FILE}


def functions(file: Path) -> Iterator[tuple[str, int, str]]:
    """Name, number of lines with the decorators, and the line above the first one."""
    text = file.read_text(encoding="utf-8")
    lines = ["", *text.split("\n")]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield node.name, (node.end_lineno or 0) - first + 1, lines[first - 1]


def test_no_function_is_long_without_its_reason() -> None:
    long = [
        f"{file.relative_to(ROOT)}: {name} has {lines} lines"
        for file in FILES
        for name, lines, above in functions(file)
        if lines > LONGEST_FUNCTION and not above.strip().startswith("# Long:")
    ]
    assert not long


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_is_large(room: str) -> None:
    assert sum(map(lines_of, (ROOT / room).rglob("*.py"))) <= LARGEST_ROOM


@pytest.mark.parametrize("room", ROOMS)
def test_the_example_of_a_rooms_readme_runs(room: str) -> None:
    text = (ROOT / room / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```python\n(.*?)^```", text, re.S | re.M)
    assert examples or re.search(r"^(```console|    [.\w].*\.py )", text, re.M), "a README shows an example"
    for example in examples:
        ended = subprocess.run([sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, check=False, timeout=180)
        assert ended.returncode == 0, ended.stderr


def test_the_picture_is_current() -> None:
    ended = subprocess.run([sys.executable, "docs/house.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=180)
    assert ended.returncode == 0, ended.stderr or "docs/architecture.md: make house"


def test_where_to_change_what_names_paths_that_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("## Where do I change ...")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:3] for line in table.split("\n") if line.startswith("| ") and not line.startswith(("| ---", "| ... "))]
    assert len(rows) >= 12
    for what, where in rows:
        paths = re.findall(r"`([\w./-]+)`", where)
        assert paths, what
        assert [path for path in paths if not (ROOT / path).exists()] == [], what


def test_the_glossary_is_short() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    words = text.partition("### Glossary")[2].partition("\n## ")[0]
    assert 10 <= sum(line.startswith("| ") for line in words.split("\n")) - 2 <= 30
