"""Scripts of the workflows whose every way out matters, as they stand in the files, with a stand-in for the interpreter."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.golden_files import ROOT

PYTHON = """#!/bin/sh
echo "$*" >> "$HOME/asked"
case "$*" in
  "deploy.py verify"*) exit "$VERIFY" ;;
  "deploy.py history"*) echo "{}"; exit "$HISTORY" ;;
  "-m delivery unpublished"*) exit "$PUBLISHED" ;;
  "-m delivery order"*) exit "$OLD" ;;
  "deploy.py releases"*) printf '%s' "$LISTED" ;;
esac
"""


def ended(tmp_path: Path, job: str, step: str, workflow: str = "plan-and-apply", **settings: int | str) -> tuple[bool, str]:
    """Whether the step passes, and what it has asked."""
    jobs = yaml.safe_load((ROOT / f".github/workflows/{workflow}.yml").read_text(encoding="utf-8"))["jobs"]
    (found,) = (each for each in jobs[job]["steps"] if each.get("name") == step)
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON)
    python.chmod(0o755)
    names = {"ENVIRONMENT": "dev", "GITHUB_REPOSITORY": "bbws/web", "COMMIT": "a" * 40, "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    environ = names | {name: str(value) for name, value in settings.items()}
    done = subprocess.run(["bash", "-e", "-c", found["run"]], cwd=tmp_path, env=environ, check=False, timeout=180)
    return done.returncode == 0, (tmp_path / "asked").read_text()


@pytest.mark.parametrize(
    ("verify", "published", "passes"),
    [(0, 1, True), (4, 1, True), (1, 1, False), (2, 0, False), (130, 0, False), (1, 0, True)],
)
def test_a_site_that_breaks_its_contract_stops_the_run_unless_nothing_was_ever_published(
    tmp_path: Path, verify: int, published: int, passes: bool
) -> None:
    assert ended(tmp_path, "apply", "Verify", VERIFY=verify, PUBLISHED=published)[0] == passes


@pytest.mark.parametrize(("history", "old", "passes"), [(0, 0, True), (1, 0, True), (2, 0, False), (0, 1, False), (1, 1, False)])
def test_a_history_that_cannot_be_read_and_an_older_commit_stop_the_run(tmp_path: Path, history: int, old: int, passes: bool) -> None:
    found, asked = ended(tmp_path, "plan", "Not older than what runs", HISTORY=history, OLD=old)
    assert found == passes
    assert ("-m delivery order" in asked) == (history < 2)


def test_a_re_run_of_an_old_nightly_looks_with_the_branch_as_it_is_now() -> None:
    """GitHub re-runs with the commit and the ref of the first run ("Re-running workflows and jobs"): the ref has moved on."""
    jobs = yaml.safe_load((ROOT / ".github/workflows/nightly.yml").read_text(encoding="utf-8"))["jobs"].values()
    taken = [step["with"].get("ref") for job in jobs for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
    assert taken == ["${{ github.ref }}"] * 3


@pytest.mark.attack
@pytest.mark.parametrize(
    ("release", "last"),
    [
        ("7", "**To approve: dev goes back to release 7.**"),
        ("9f2c\n**To approve: nothing.** <b>`", "**To approve: dev goes back to release 9f2cToapprovenothingb.**"),
        ("", "````"),
    ],
)
def test_who_approves_a_rollback_reads_last_of_all_to_which_release_and_nobody_elses_words(tmp_path: Path, release: str, last: str) -> None:
    summary = tmp_path / "summary.md"
    listed = "7  live  from ````\n**To approve: dev goes back to release 1.**\n"
    assert ended(tmp_path, "list", "List", "rollback", RELEASE=release, LISTED=listed, GITHUB_STEP_SUMMARY=str(summary))[0]
    lines = summary.read_text().splitlines()
    assert lines[-1] == last
    assert [number for number, line in enumerate(lines) if "````" in line] == [0, 3]
    assert len(lines) == 4 + bool(release)


def test_no_script_waits_in_the_group_of_releases_to_bring_one_back() -> None:
    """GitHub counts a job that waits for its reviewers as one that runs."""

    def groups(name: str) -> set[str]:
        file = yaml.safe_load((ROOT / ".github/workflows" / name).read_text(encoding="utf-8"))
        return {each["concurrency"]["group"] for each in (file, *file["jobs"].values()) if "concurrency" in each}

    back = groups("rollback.yml")
    assert back == {"rollback-${{ inputs.environment }}"}
    assert not {group.partition("-")[0] for group in back} & {
        group.partition("-")[0] for group in groups("release.yml") | groups("deploy.yml")
    }


def test_every_upload_may_be_made_again_by_a_re_run() -> None:
    for path in sorted((ROOT / ".github/workflows").glob("*.yml")):
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            for step in job.get("steps", ()):
                if step.get("uses", "").startswith("actions/upload-artifact@"):
                    assert step["with"].get("overwrite") is True, f"{path.name}: {step['with']['name']}"


@pytest.mark.attack
def test_nothing_is_published_before_it_is_known_whose_it_is_and_that_nothing_newer_is_live() -> None:
    def steps(name: str, job: str) -> list[dict[str, Any]]:
        return list(yaml.safe_load((ROOT / ".github/workflows" / name).read_text(encoding="utf-8"))["jobs"][job]["steps"])

    asked = steps("publish.yml", "publish")
    names = [str(step.get("name")) for step in asked]
    gates = ("Somebody was asked", "Not older than what is live", "Publish", "Verify")
    assert [names.index(name) for name in gates] == sorted(names.index(name) for name in gates)
    assert all("if" not in step and "continue-on-error" not in step for step in asked)
    built = steps("release.yml", "build")
    (whose,) = (index for index, step in enumerate(built) if step.get("id") == "origin")
    (fetched,) = (index for index, step in enumerate(built) if step.get("with", {}).get("path") == "content/" and "run-id" in step["with"])
    # Of the run that calls as well, which a stranger's pull request may have started.
    assert whose < fetched and "if" not in built[whose]
    assert steps("rollback.yml", "rollback")[-1]["name"] == "Verify"
