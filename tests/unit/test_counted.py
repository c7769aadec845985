"""The counters say of a file what coverage.py's own tracer says, line by line and branch by branch."""

from __future__ import annotations

import ast
import itertools
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage, CoverageData

from tests import counted

SAMPLES = {
    "choices": '''"""Text."""
from __future__ import annotations
import functools

@functools.cache
@functools.wraps(len)
def deep(n):
    """Text."""
    if n > 1:
        n -= 1
    elif n:
        n = 5
    if n == 5:
        return n
    else:
        n += 1
    return (
        n
        + 1
    )

class Kind:
    value = 1
    if value:
        value = 2

    async def later(self):
        async with self:
            pass

deep(GIVEN)
''',
    "loops": """
def run(n):
    for each in range(n):
        if each == 2:
            continue
        while n > 3:
            n -= 1
            if n == 5:
                break
        else:
            n += 1
    for each in ():
        pass
    else:
        n = 1
    while n:
        n = 0
    return [each for each in range(n) if each]

run(GIVEN)
""",
    "errors": """
def run(n):
    try:
        found = 1 / n
        if n == 3:
            raise KeyError
    except ZeroDivisionError:
        return None
    except KeyError as problem:
        with open("/dev/null") as file:
            if problem:
                return file
    else:
        global THERE
        THERE = found
    finally:
        for _ in range(n):
            n = 0
    if TYPE_CHECKING:
        import nowhere
    return n

TYPE_CHECKING = False
try:
    run(GIVEN)
finally:
    pass
""",
    "matches": """
def run(n):
    match n:
        case 0:
            return "none"
        case 1 | 2 if n:
            n = 5
        case int():
            if n > 3:
                return n
        case _:
            pass
    return n

run(GIVEN)
""",
}
CASES = [*itertools.product(SAMPLES, range(6))]


def told(file: Path, data: Path) -> tuple[set[int], set[int], dict[int, list[int]]]:
    """Statements, those that did not run, and by line the branches that were not taken."""
    coverage = Coverage(data_file=str(data), branch=True, config_file=False)
    coverage.exclude("if TYPE_CHECKING:")
    coverage.load()
    analysis: Any = coverage._analyze(str(file))
    return analysis.statements, analysis.missing, {line: sorted(ends) for line, ends in analysis.missing_branch_arcs().items()}


@pytest.mark.parametrize(("name", "given"), CASES)
def test_the_counters_say_what_the_tracer_says(name: str, given: int, tmp_path: Path) -> None:
    file, source = tmp_path / "sample.py", SAMPLES[name].replace("GIVEN", str(given))
    file.write_text(source, encoding="utf-8")
    tracer = Coverage(data_file=str(tmp_path / "traced"), branch=True, config_file=False, include=[str(file)])
    with tracer.collect():
        exec(compile(source, str(file), "exec"), {})
    tracer.save()
    lines = source.count("\n") + 1
    seen = bytearray(2 * lines + 2)
    exec(compile(counted.instrumented(ast.parse(source), lines), str(file), "exec"), {counted.BYTES: seen})
    data = CoverageData(basename=str(tmp_path / "counted"))
    data.add_arcs({str(file): counted.arcs(source, "if TYPE_CHECKING:", bytes(seen))})
    data.write()
    assert told(file, tmp_path / "counted") == told(file, tmp_path / "traced")


def test_a_line_number_of_an_error_is_that_of_the_source() -> None:
    source = "def run():\n    x = 1\n    if x:\n        raise KeyError\n\nrun()\n"
    code = compile(counted.instrumented(ast.parse(source), 7), "sample", "exec")
    with pytest.raises(KeyError) as told:
        exec(code, {counted.BYTES: bytearray(20)})
    assert [each.lineno + 1 for each in told.traceback[1:]] == [6, 4]


@pytest.mark.parametrize(("total", "short"), [(69.99, True), (70.0, False), (88.0, False)])
def test_a_run_below_the_floor_says_so(total: float, short: bool) -> None:
    assert bool(counted.shortfall(total, 70)) is short


def test_what_the_workers_counted_is_one() -> None:
    together: dict[str, bytearray] = {}
    for more in (b"\0\1\0", b"\1\0\0"):
        counted.join(together, {"a.py": more})
    assert together == {"a.py": bytearray(b"\1\1\0")}
