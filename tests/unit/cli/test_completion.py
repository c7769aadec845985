"""What the shell is offered, in the protocol of argcomplete."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.parser import verbs
from tests.golden_files import ROOT


def offered(line: str, tmp_path: Path) -> list[str]:
    """As bash's function asks it; the answer goes to a file."""
    answer = tmp_path / "answer"
    environ = {
        **os.environ,
        "_ARGCOMPLETE": "2",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_SHELL": "bash",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
    }
    ended = subprocess.run([sys.executable, "deploy.py"], cwd=ROOT, env=environ, capture_output=True, timeout=60, check=False)
    assert (ended.stdout, ended.returncode) == (b"", 0), ended
    return sorted(word.strip() for word in answer.read_text(encoding="utf-8").split("\n") if word.strip())


@pytest.mark.parametrize(
    ("line", "among"),
    [
        ("python deploy.py ", set(verbs())),
        ("python deploy.py plan --env ", {"dev", "sit", "prod", "organization"}),
        ("python deploy.py runbook si", {"site-down", "site-slow"}),
        ("python deploy.py local ", {"status", "stop", "reset"}),
        ("python deploy.py plan --env dev --re", {"--release", "--remove", "--read-only", "--revert-drift"}),
        ("python deploy.py publish --env prod --release s", {"sit:"}),
    ],
)
def test_words(line: str, among: set[str], tmp_path: Path) -> None:
    assert among <= {*offered(line, tmp_path)}


def test_stacks_of_the_environment_in_the_line(tmp_path: Path) -> None:
    from assembly import files
    from tests.unit.stacks.test_templates import synthesis

    built = synthesis("dev")
    templates = {stack.template.file: built.templates[stack.id] for stack in built.assembly.stacks}
    files.write(tmp_path / "dist" / "dev", files.files_of(built.assembly, templates))
    line = f"python deploy.py plan --env dev --dist {tmp_path / 'dist'} --only mon"
    assert offered(line, tmp_path) == ["monitoring"]


def test_help_does_not_load_it() -> None:
    code = "import sys; from cli.main import main; main(['--help'], ('verbs',)); assert 'argcomplete' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, timeout=60)
