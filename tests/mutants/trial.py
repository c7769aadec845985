"""Runs of pytest in forked children of one warm process, with and without a fault.

In: a mutant, and the tests that may notice. Out: whether one did.
Never: lets a child outlive its time, or write where the next one reads: each has a home of its own.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import select
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Literal

import pytest

from tests.golden_files import ROOT
from tests.mutants.operators import Mutant, mutated

Verdict = Literal["killed", "survived", "timeout", "no test"]

HEAVY = (
    "awacs",
    "boto3",
    "cfnlint.api",
    "cfnlint.core",
    "httpx",
    "hypothesis.extra",
    "hypothesis.strategies",
    "jsonschema",
    "msgspec",
    "rich.console",
)
"""What most tests import and no fault changes: loaded once, before the forks. The product itself is loaded in the child."""

OPTIONS = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=0", "--no-header", "--assert=plain")


def warm_up() -> None:
    """Load what is the same in every child."""
    for name in HEAVY:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


@dataclass
class Chosen:
    """A plugin: of the collected tests only these, in this order."""

    tests: Mapping[str, int]

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((item for item in items if item.nodeid in self.tests), key=lambda item: self.tests[item.nodeid])


@dataclass
class Durations:
    """A plugin: the seconds of each test, and those that failed."""

    seconds: dict[str, float] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed.add(report.nodeid)


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        return self._code


@dataclass
class _Finder(MetaPathFinder):
    module: str
    code: CodeType

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        found = PathFinder.find_spec(fullname, path, target) if fullname == self.module else None
        if found is not None and found.origin is not None:
            found.loader = _Loader(fullname, found.origin, self.code)
        return found


def module_of(file: str) -> str:
    """The dotted name of a file of the checkout."""
    return ".".join(Path(file).with_suffix("").parts).removesuffix(".__init__")


def tried(mutant: Mutant, tests: Sequence[str], seconds: float, log: Path | None = None) -> Verdict:
    """Whether one of the tests, which all pass without the fault, fails or hangs with it.

    Raises RuntimeError where pytest itself did not work.
    """
    if not tests:
        return "no test"
    code = mutated(mutant, (ROOT / mutant.file).read_text(encoding="utf-8"), str(ROOT / mutant.file))
    files = sorted({test.partition("::")[0] for test in tests})

    def child() -> int:
        sys.meta_path.insert(0, _Finder(module_of(mutant.file), code))
        return pytest.main([*OPTIONS, "-x", *files], plugins=[Chosen({test: rank for rank, test in enumerate(tests)})])

    match forked(child, seconds, log):
        case None:
            return "timeout"
        case pytest.ExitCode.OK:
            return "survived"
        # They were renamed since they were measured.
        case pytest.ExitCode.NO_TESTS_COLLECTED:
            return "no test"
        # Interrupted: a module with the fault cannot be imported; an internal error: its import ends the process. Below zero: a signal.
        case status if status < 0 or status in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR):
            return "killed"
        case status:
            raise RuntimeError(f"{mutant.key}: pytest ended with {status}")


def forked(work: Callable[[], int], seconds: float, log: Path | None = None) -> int | None:
    """The exit status of `work` in a child (below zero: a signal); None if it took too long and was ended."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as home:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            _child(work, Path(home), log)
        descriptor = os.pidfd_open(pid)
        try:
            late = not select.select([descriptor], [], [], seconds)[0]
        finally:
            os.close(descriptor)
            # The child leads a group of its own: what its tests started ends with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
    return None if late else os.waitstatus_to_exitcode(status)


def _child(work: Callable[[], int], home: Path, log: Path | None) -> None:
    status = 99
    try:
        os.setsid()
        with (log or Path(os.devnull)).open("wb") as out:
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
        os.chdir(ROOT)
        # Cached verdicts of the lint gate and examples of hypothesis would hide a fault, or outlive it.
        os.environ.update(XDG_CACHE_HOME=str(home), HYPOTHESIS_STORAGE_DIRECTORY=str(home / "hypothesis"), PYTHONDONTWRITEBYTECODE="1")
        sys.dont_write_bytecode = True
        status = int(work())
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
