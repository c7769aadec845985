"""A run of tests on a machine whose load nobody knows: what failed is tried once more, alone.

In: pytest's arguments. Out: pytest's exit status. A test that fails twice is red; one that passes alone is named as unsteady
(on GitHub as a warning).
Never: tries again when more than `MOST` failed (the change is at fault then, not the machine) or when pytest itself did not end well;
never a unit test (docs/decisions/0048-once-more-alone.md).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest

MOST = 3


class Failures:
    """The tests of a run that failed, by the names to call them by."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and (name := without_group(report.nodeid)) not in self.names:
            self.names.append(name)


def without_group(node: str) -> str:
    """The name of a test without the group that xdist's `loadgroup` appends to it.

    >>> without_group("tests/a.py::test_b[x@y]@recovery")
    'tests/a.py::test_b[x@y]'
    >>> without_group("tests/a.py::test_b[x@y]")
    'tests/a.py::test_b[x@y]'
    """
    head, _, group = node.rpartition("@")
    return head if head and "]" not in group else node


def main(arguments: Sequence[str]) -> int:
    failures = Failures()
    status = int(pytest.main([*arguments], plugins=[failures]))
    if status != pytest.ExitCode.TESTS_FAILED or not 1 <= len(failures.names) <= MOST:
        return status
    print(f"\nonce more, alone: {' '.join(failures.names)}", flush=True)
    again = subprocess.run([sys.executable, "-m", "pytest", "-n", "0", *failures.names], check=False).returncode
    if again == 0:
        for name in failures.names:
            print(f"UNSTEADY {name}: failed among others and passed alone; it depends on time or load, and wants mending")
            if os.environ.get("GITHUB_ACTIONS") == "true":
                print(f"::warning title=unsteady test::{name}")
    return again


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
