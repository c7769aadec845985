"""What failed beside others is tried once more, alone; what fails twice is red."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.golden_files import ROOT
from tests.once_more import MOST, without_group

FAILS_FIRST = """
from pathlib import Path
import pytest
@pytest.mark.parametrize("x", {names!r})
def test_a(x):
    seen = Path(__file__).parent / x
    first, _ = not seen.exists(), seen.touch()
    assert {passes}
def test_b():
    pass
"""


def run(folder: Path, *arguments: str, names: list[str], passes: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(FAILS_FIRST.format(names=names, passes=passes))
    (folder / "pytest.ini").touch()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}
    environment.pop("PYTEST_XDIST_WORKER", None)
    command = [sys.executable, "-m", "tests.once_more", "-q", *arguments, "test_it.py"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.parametrize(
    "names, passes, status, says",
    [
        (["x"], "not first", 0, "UNSTEADY test_it.py::test_a[x]"),
        (["x"], "False", 1, "once more, alone: test_it.py::test_a[x]"),
        (["x"], "True", 0, "2 passed"),
        ([str(each) for each in range(MOST + 1)], "not first", 1, f"{MOST + 1} failed"),
    ],
    ids=["passes alone", "fails twice", "passes", "many fail"],
)
def test_what_fails_is_tried_once_more(tmp_path: Path, names: list[str], passes: str, status: int, says: str) -> None:
    done = run(tmp_path, names=names, passes=passes)
    assert (done.returncode, says in done.stdout) == (status, True), done.stdout + done.stderr
    assert ("once more" in done.stdout) == (passes != "True" and len(names) <= MOST)


def test_a_run_that_cannot_begin_is_not_tried_again(tmp_path: Path) -> None:
    done = run(tmp_path, "--no-such-option", names=["x"], passes="True")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR and "once more" not in done.stdout


@pytest.mark.parametrize(
    "node, name",
    [
        ("tests/a.py::test_b", "tests/a.py::test_b"),
        ("tests/a.py::test_b@life", "tests/a.py::test_b"),
        ("tests/a.py::test_b[x@y]@life", "tests/a.py::test_b[x@y]"),
        ("tests/a.py::test_b[x@y]", "tests/a.py::test_b[x@y]"),
    ],
)
def test_a_test_is_called_by_its_name_without_the_group(node: str, name: str) -> None:
    assert without_group(node) == name
