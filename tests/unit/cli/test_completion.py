"""What the shell is offered, in the protocol of argcomplete."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli import completion
from cli.parser import verbs
from session.context import Context
from session.known_releases import KEPT, known, note, remember
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
    ended = subprocess.run([sys.executable, "deploy.py"], cwd=ROOT, env=environ, capture_output=True, timeout=180, check=False)
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
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, timeout=180)


def test_releases_that_were_seen(tmp_path: Path) -> None:
    first, second, third = ("a" * 64, "b" * 64, "c" * 64)
    remember(tmp_path, "dev", local=False, contents=[second, first], replace=True)
    remember(tmp_path, "dev", local=False, contents=[third])
    remember(tmp_path, "dev", local=False, contents=[first])
    remember(tmp_path, "dev", local=True, contents=[second])
    line = argparse.Namespace(env="dev", local=False)
    assert completion.releases(line, root=tmp_path) == ["a" * 12, "c" * 12, "b" * 12]
    assert completion.releases(argparse.Namespace(env="dev", local=True), root=tmp_path) == ["b" * 12]
    assert {"dev:", f"dev:{'c' * 12}", "sit:"} <= {*completion.sources(line, root=tmp_path)}


def test_a_release_that_is_gone_is_offered_no_more(tmp_path: Path) -> None:
    remember(tmp_path, "dev", local=False, contents=["a" * 64, "b" * 64])
    remember(tmp_path, "dev", local=False, contents=["b" * 64], replace=True)
    assert known(tmp_path, "dev", local=False) == ("b" * 12,)


def test_a_file_of_somebody_else_is_not_offered(tmp_path: Path) -> None:
    file = tmp_path / ".cache" / "releases" / "dev"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"$(reboot)\n" + b"a" * 12 + b"\n\x1b[31m\n")
    assert known(tmp_path, "dev", local=False) == ("a" * 12,)
    file.write_bytes(b"\xff")
    assert known(tmp_path, "dev", local=False) == known(tmp_path, "../../etc", local=False) == ()


def test_a_folder_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / ".cache").write_text("no folder", encoding="utf-8")
    remember(tmp_path, "dev", local=False, contents=["a" * 64])
    assert known(tmp_path, "dev", local=False) == ()


@pytest.mark.parametrize(("environ", "noted"), [({}, ("a" * 12,)), ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, ())])
def test_releases_of_another_endpoint_are_not_those_of_aws(environ: dict[str, str], noted: tuple[str, ...], tmp_path: Path) -> None:
    note(Context(root=tmp_path, environ=environ), argparse.Namespace(env="dev", local=False), ["a" * 64])
    assert known(tmp_path, "dev", local=False) == noted


def test_so_many_are_kept(tmp_path: Path) -> None:
    remember(tmp_path, "dev", local=False, contents=[f"{n:064x}"[::-1] for n in range(KEPT + 5)])
    assert len(known(tmp_path, "dev", local=False)) == KEPT
