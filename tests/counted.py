"""Coverage by counters in the product's own code: `pytest -p tests.counted`, the measure of `make unit`.

In: the product's sources, by the settings of coverage.py in setup.cfg. Out: `.coverage`, the report, and a failed run below `fail_under`.
Never: changes what a line does, or its number; looks at what tests and libraries run.

A tracer makes every line slower, on Python 3.11 those of libraries too. Here each statement of the product sets a byte before it runs,
and nothing else is watched. What the bytes say is written as coverage.py's data, so settings, report and floor are its own. Where a branch
cannot be told from the lines (a `match` that no case takes), it counts as not taken.
"""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest
from coverage import Coverage, CoverageData
from coverage.parser import PythonParser

ROOT = Path(__file__).resolve().parent.parent
BYTES = "__counted__"
"""Name of a module's bytes: that of line n is number n; n beyond the lines is for an `if` or a loop on line n that leaves its body out."""

_counted: dict[str, bytearray] = {}
"""By file."""


def instrumented(tree: ast.Module, lines: int) -> ast.Module:
    """The same module whose statements set their bytes."""

    def counter(numbers: Sequence[int], line: int) -> list[ast.stmt]:
        at: Any = {"lineno": line, "end_lineno": line, "col_offset": 0, "end_col_offset": 0}
        return [
            ast.Assign(
                [ast.Subscript(ast.Name(BYTES, ast.Load(), **at), ast.Constant(number, **at), ast.Store(), **at)],
                ast.Constant(1, **at),
                **at,
            )
            for number in numbers
        ]

    def block(statements: list[ast.stmt]) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for each in statements:
            inside(each)
            found += [*counter(starts(each), each.lineno), each]
        return found

    def inside(node: ast.stmt) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = _first(node.body)
            node.body[first:] = block(node.body[first:])
            return
        for name in ("body", "orelse", "finalbody"):
            if (statements := getattr(node, name, None)) and isinstance(statements, list):
                setattr(node, name, block(statements))
        if isinstance(node, ast.If | ast.For | ast.AsyncFor | ast.While) and not node.orelse:
            node.orelse = counter([lines + node.lineno], node.lineno)
        tried: list[int] = []
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            head = part.pattern if isinstance(part, ast.match_case) else part
            tried.append(head.lineno)
            part.body = [*counter(tried, head.lineno), *block(part.body)]

    first = _first(tree.body)
    futures = [each.lineno for each in tree.body[:first] if isinstance(each, ast.ImportFrom)]
    tree.body[first:] = [*counter(futures, first + 1), *block(tree.body[first:])]
    return tree


def starts(statement: ast.stmt) -> list[int]:
    """Lines that coverage.py knows a statement by: those of decorators are lines of their own."""
    return [*(each.lineno for each in getattr(statement, "decorator_list", ())), statement.lineno]


def _first(body: list[ast.stmt]) -> int:
    """Index of the first statement that something may stand before: docstrings and imports from the future come first."""
    for index, each in enumerate(body):
        text = index == 0 and isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) and isinstance(each.value.value, str)
        if not text and not (isinstance(each, ast.ImportFrom) and each.module == "__future__"):
            return index
    return len(body)


class Counted(SourceFileLoader):
    """Loads a module of the product with counters."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        source = self.get_data(path)
        return compile(instrumented(ast.parse(source, path), _lines(source)), path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        path = self.get_filename(module.__name__)
        module.__dict__[BYTES] = _counted.setdefault(path, bytearray(2 * _lines(self.get_data(path)) + 2))
        super().exec_module(module)


def _lines(source: bytes) -> int:
    return source.count(b"\n") + 1


class Finder(MetaPathFinder):
    """Finds the product's modules as Python does, for `Counted` to load."""

    def __init__(self, rooms: frozenset[str]) -> None:
        self.rooms = rooms

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in self.rooms:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader and spec.origin and Path(spec.origin).is_relative_to(ROOT):
            spec.loader = Counted(fullname, spec.origin)
        return spec


def arcs(source: str, exclude: str, seen: bytes | bytearray) -> set[tuple[int, int]]:
    """What ran of a file, as coverage.py's steps from line to line; a step from -1 says that a line ran, no more."""
    parser = PythonParser(text=source, exclude=exclude)
    parser.parse_source()
    lines = (len(seen) - 2) // 2
    ran = {parser.first_line(line) for line in range(1, lines + 1) if seen[line]}
    into, out = _choices(ast.parse(source), lines)
    found = {(-1, line) for line in ran}
    for start, end in parser.arcs():
        if start not in ran or (end > 0 and end not in ran):
            continue
        if start not in into or (seen[into[start]] if end == into[start] else seen[out[start]]):
            found.add((start, end))
    return found


def _choices(tree: ast.Module, lines: int) -> tuple[dict[int, int], dict[int, int]]:
    """By line of an `if` or a loop: the byte that says that its body was entered, and the one that it was left out."""
    into: dict[int, int] = {}
    out: dict[int, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.For | ast.AsyncFor | ast.While) and node.body[0].lineno != node.lineno:
            into[node.lineno] = starts(node.body[0])[0]
            out[node.lineno] = starts(node.orelse[0])[0] if node.orelse else lines + node.lineno
    return into, out


def join(together: dict[str, bytearray], more: Mapping[str, bytes]) -> None:
    """Add what another process counted."""
    for path, seen in more.items():
        known = together.setdefault(path, bytearray(len(seen)))
        known[:] = bytes(a | b for a, b in zip(known, seen, strict=True))


def shortfall(total: float, floor: float) -> str:
    """Why the run fails; nothing if enough ran. Both in percent."""
    return "" if total >= floor else f"error: coverage is {total:.2f} %, and setup.cfg asks for {floor} %\n"


class Report:
    """Of the process that started the tests: what the workers counted, as coverage.py tells it."""

    def __init__(self) -> None:
        self.coverage = Coverage(config_file=str(ROOT / "setup.cfg"))
        self.said = ""

    def write(self) -> float:
        """`.coverage` and the report; the percentage."""
        settings = self.coverage.config
        exclude = "|".join(f"(?:{each})" for each in (*settings.exclude_list, *settings.exclude_also))
        data = CoverageData(basename=str(ROOT / ".coverage"))
        data.erase()
        for path in sources(settings.source or (), settings.run_omit or ()):
            source = Path(path).read_text(encoding="utf-8")
            seen = _counted.get(path)
            data.add_arcs({path: arcs(source, exclude, seen) if seen and source else set()})
            data.touch_file(path)
        data.write()
        self.coverage.load()
        said = io.StringIO()
        total = self.coverage.report(file=said, skip_covered=True)
        self.said = said.getvalue()
        return total


def sources(rooms: Sequence[str], omit: Sequence[str]) -> Iterator[str]:
    """The product's files."""
    for room in rooms:
        for file in sorted((ROOT / room).rglob("*.py")) if (ROOT / room).is_dir() else [ROOT / f"{room}.py"]:
            if str(file.relative_to(ROOT)) not in omit:
                yield str(file)


_report = Report()
sys.meta_path.insert(0, Finder(frozenset(_report.coverage.config.source or ())))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    join(_counted, getattr(node, "workeroutput", {}).get(BYTES, {}))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[BYTES] = {path: bytes(seen) for path, seen in _counted.items()}
        return
    if exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        return
    short = shortfall(_report.write(), _report.coverage.config.fail_under)
    if short:
        _report.said += short
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _report.said:
        terminalreporter.section("coverage")
        terminalreporter.write(_report.said)
