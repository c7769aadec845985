"""Which unit tests run which lines, and how long they take.

In: the unit tests. Out: a `Cover`, kept in `.cache/mutants` until it is measured again.
Never: guesses; a test that fails without a fault covers nothing.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import pytest
from coverage import CoverageData

from tests.golden_files import ROOT
from tests.mutants.operators import Mutant
from tests.mutants.trial import OPTIONS, Durations, forked

EVERY = "tests/unit"

FOLDER = ROOT / ".cache" / "mutants"
SETUP = "|setup"
"""Marks a test whose fixtures, not itself, ran a line."""

LONGEST_RUN = 3_600.0
"""Seconds for the unit tests, traced."""

OWN, OTHERS = 60.0, 20.0
"""Seconds of tests of the fault's own room, and of others, that one fault is worth: a line of the core is run by most tests there are. What
only a slower one would notice counts as not noticed."""


@dataclass(frozen=True)
class Cover:
    """The tests of each line."""

    lines: dict[str, dict[int, tuple[str, ...]]]
    """File to line to tests. A line that runs at the import has none."""
    seconds: dict[str, float]

    def tests(self, mutant: Mutant) -> set[str]:
        """Those that run the mutant's line.

        A line that runs at the import, or of a file that is not measured, has every test that runs a line of its module, and all of its
        own room: nothing says which of them read a number, or a field of a class. One that runs while the fixtures of a test are made,
        which it may share, has every test of that file.
        """
        of_file = self.lines.get(mutant.file, {})
        first, last = mutant.spot.lines
        found = set(of_file.get(mutant.line, ())) or {test for line in range(first, last + 1) for test in of_file.get(line, ())}
        if mutant.spot.at_import or mutant.file not in self.lines:
            found = {test for tests in of_file.values() for test in tests} | {
                test for test in self.seconds if test.startswith(_home(mutant))
            }
        shared = {_file(test) for test in found if test.endswith(SETUP)}
        return {test for test in found if not test.endswith(SETUP)} | {test for test in self.seconds if _file(test) in shared}

    def stages(self, mutant: Mutant) -> Iterator[list[str]]:
        """Its tests: those of its own room, which notice most faults, then others; the quick ones first, up to a limit."""
        found = sorted(self.tests(mutant), key=lambda test: (self.seconds.get(test, 0.0), test))
        for own, limit in ((True, OWN), (False, OTHERS)):
            chosen: list[str] = []
            left = limit
            for test in found:
                if test.startswith(_home(mutant)) is own and (left > 0.0 or not chosen):
                    chosen.append(test)
                    left -= self.seconds.get(test, 0.0)
            if chosen:
                yield chosen

    def time_for(self, tests: list[str]) -> float:
        """Seconds after which a run of these hangs: generous, for the machine may be busy."""
        return 30.0 + 8.0 * sum(self.seconds.get(test, 0.0) for test in tests)


def cover(rooms: tuple[str, ...], *, measure: Sequence[str] = ()) -> Cover:
    """Of these rooms. `measure` names the tests to measure again, and the rest is kept; all unit tests if none was measured ever.

    Raises RuntimeError if they cannot be run.
    """
    known = FOLDER / "coverage"
    measure = measure or (() if known.is_file() else (EVERY,))
    if measure:
        print(f"measuring which lines {', '.join(measure)} run (what pytest says: {FOLDER / 'log'})", file=sys.stderr)
        FOLDER.mkdir(parents=True, exist_ok=True)
        if forked(lambda: _measure(measure), LONGEST_RUN, FOLDER / "log") not in (0, 1):
            raise RuntimeError(f"the unit tests could not be run: {FOLDER / 'log'}")
        _keep(known, measure)
    durations: dict[str, float | None] = json.loads((FOLDER / "durations.json").read_text(encoding="utf-8"))
    durations = {test: seconds for test, seconds in durations.items() if (ROOT / _file(test)).is_file()}
    if failed := sorted(test for test, seconds in durations.items() if seconds is None):
        print(f"{len(failed)} tests fail without a fault and are not used: {', '.join(failed[:3])}", file=sys.stderr)
    usable = {test: seconds for test, seconds in durations.items() if seconds is not None}
    return Cover(dict(_lines(_read(known), rooms, usable.keys())), usable)


def _measure(tests: Sequence[str]) -> int:
    os.environ["COVERAGE_FILE"] = str(FOLDER / "measured")
    durations = Durations()
    status = pytest.main([*tests, *OPTIONS, "--cov", "--cov-context=test", "--cov-report="], plugins=[durations])
    seconds = {test: None if test in durations.failed else taken for test, taken in durations.seconds.items()}
    (FOLDER / "measured.json").write_text(json.dumps(seconds), encoding="utf-8")
    return int(status)


def _keep(known: Path, measure: Sequence[str]) -> None:
    """Make what was measured what is known, or a part of it."""
    measured, report, seconds = FOLDER / "measured", FOLDER / "durations.json", FOLDER / "measured.json"
    if EVERY in measure or not known.is_file():
        measured.replace(known)
        seconds.replace(report)
        return
    both = _read(known)
    both.update(_read(measured))
    both.write()
    before, now = (json.loads(file.read_text(encoding="utf-8")) for file in (report, seconds))
    report.write_text(json.dumps(together(before, now, measure)), encoding="utf-8")


def together(before: Mapping[str, float | None], now: Mapping[str, float | None], measure: Sequence[str]) -> dict[str, float | None]:
    """The durations of all tests: a test that stood in what was measured again, and was not run, is no more."""
    again = tuple(f"{part.rstrip('/')}{end}" for part in measure for end in ("/", "::", "["))
    return {test: seconds for test, seconds in before.items() if test not in measure and not test.startswith(again)} | dict(now)


def _read(file: Path) -> CoverageData:
    data = CoverageData(basename=str(file))
    data.read()
    return data


def _lines(data: CoverageData, rooms: tuple[str, ...], usable: Set[str]) -> Iterator[tuple[str, dict[int, tuple[str, ...]]]]:
    for measured in sorted(data.measured_files()):
        file = Path(measured)
        if file.is_relative_to(ROOT) and (name := file.relative_to(ROOT)).parts[0] in rooms:
            found = data.contexts_by_lineno(measured)
            yield name.as_posix(), {line: tuple(filter(None, (_test(each, usable) for each in tests))) for line, tests in found.items()}


def _test(context: str, usable: Set[str]) -> str:
    """Of `tests/...::name|run`; empty for a line that ran at the import, and for a test that fails or is no more."""
    test, _, phase = context.rpartition("|")
    return "" if test not in usable else f"{test}{SETUP}" if phase == "setup" else test


def _home(mutant: Mutant) -> str:
    """Where the tests of its room stand."""
    return f"tests/unit/{mutant.file.partition('/')[0]}/"


def _file(test: str) -> str:
    return test.partition("::")[0]
