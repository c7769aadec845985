"""The one check that branch protection asks for: the shell of ci.yml itself, with what GitHub would hand it."""

from __future__ import annotations

import subprocess

import pytest
import yaml

from tests.golden_files import ROOT

JOB = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]["required"]


@pytest.mark.parametrize(
    ("event", "test", "dependencies", "passes"),
    [
        ("push", "success", "skipped", True),
        ("pull_request", "success", "success", True),
        ("pull_request", "success", "failure", False),
        ("pull_request", "success", "skipped", False),
        ("pull_request", "success", "cancelled", False),
        ("pull_request", "failure", "success", False),
        ("push", "skipped", "skipped", False),
        ("push", "success", "failure", False),
    ],
)
def test_it_waits_for_the_tests_and_the_review_of_the_dependencies(event: str, test: str, dependencies: str, passes: bool) -> None:
    (step,) = JOB["steps"]
    values = {"TEST": test, "DEPENDENCIES": dependencies, "EVENT": event}
    assert set(step["env"]) == set(values)
    assert set(JOB["needs"]) == {"test", "dependencies"}
    assert JOB["if"] == "always()"
    ended = subprocess.run(["bash", "-e", "-c", step["run"]], env=values | {"PATH": "/usr/bin:/bin"}, check=False, timeout=180)
    assert (ended.returncode == 0) == passes
