"""Which Python runs the scripts, and how it was called."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from guards import interpreter


def status_of_fork(run: Callable[[], None]) -> int:
    """A child of this process knows what it knows, and may become another program."""
    pid = os.fork()
    if pid == 0:
        try:
            run()
        finally:
            os._exit(70)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize(
    ("original", "arguments", "called"),
    [
        (("python3", "deploy.py", "plan"), ("deploy.py", "plan"), ("python3", "deploy.py")),
        (("python3", "-X", "dev", "-u", "./deploy.py", "a", "b"), ("./deploy.py", "a", "b"), ("python3", "-X", "dev", "-u", "./deploy.py")),
        (("python3", "bin/deploy"), ("bin/deploy",), ("python3", "bin/deploy")),
        (("", "deploy.py"), ("deploy.py",), ("/usr/bin/py", "deploy.py")),
        # Not how this script is called: a test run, a program that embeds Python.
        (("python3", "-m", "pytest", "x"), ("pytest", "x"), ("/usr/bin/py", "/opt/p/deploy.py")),
        (("deploy.py",), ("deploy.py",), ("/usr/bin/py", "/opt/p/deploy.py")),
        ((), ("deploy.py",), ("/usr/bin/py", "/opt/p/deploy.py")),
        (("{here}/.venv/bin/python", "{here}/deploy.py", "x"), ("{here}/deploy.py", "x"), (".venv/bin/python", "deploy.py")),
        (("/usr/bin/python", "/other/deploy.py"), ("/other/deploy.py",), ("/usr/bin/python", "/other/deploy.py")),
    ],
)
def test_a_call_is_told_as_a_person_would_type_it_again(
    original: tuple[str, ...], arguments: tuple[str, ...], called: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    typed, passed = ([word.format(here=Path.cwd()) for word in words] for words in (original, arguments))
    assert interpreter.as_called(typed, passed, "/usr/bin/py", Path("/opt/p/deploy.py")) == called


def test_a_python_with_the_packages_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(interpreter.TRIED, "1")
    interpreter.use_the_projects()
    assert interpreter.TRIED not in os.environ, "what this process starts may try again"


@pytest.mark.parametrize(("oldest", "packages"), [((9, 9), ("json",)), ((3, 11), ("json", "a_package_that_nobody_has"))])
@pytest.mark.parametrize(("venv", "tried", "goes_on"), [(True, "", True), (True, "1", False), (False, "", False)])
def test_one_without_them_goes_on_as_the_projects_once_or_says_what_to_type(
    *,
    oldest: tuple[int, int],
    packages: tuple[str, ...],
    venv: bool,
    tried: str,
    goes_on: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = tmp_path / "a project"
    python = root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho "$DEPLOY_VENV_TRIED $*" > "{tmp_path}/said"\nexit 5\n')
    python.chmod(0o700 if venv else 0o600)
    monkeypatch.setattr(interpreter, "ROOT", root)
    monkeypatch.setattr(interpreter, "OLDEST", oldest)
    monkeypatch.setattr(interpreter, "PACKAGES", packages)
    monkeypatch.setattr(sys, "orig_argv", ["py", "deploy.py", "plan"])
    monkeypatch.setenv(interpreter.TRIED, tried)
    if goes_on:
        assert (status_of_fork(interpreter.use_the_projects), (tmp_path / "said").read_text()) == (5, "1 deploy.py plan\n")
        return
    for folder, make in ((tmp_path, f"make -C '{root}'\n"), (root, "make\n")):
        monkeypatch.chdir(folder)
        monkeypatch.setenv(interpreter.TRIED, tried)
        with pytest.raises(SystemExit) as ended:
            interpreter.use_the_projects()
        assert (ended.value.code, capsys.readouterr().err.partition("  next: ")[2]) == (1, make)


def test_what_is_called_python_there_and_is_no_program_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_bytes(b"\0")
    python.chmod(0o700)
    monkeypatch.setattr(interpreter, "ROOT", tmp_path)
    monkeypatch.setattr(interpreter, "OLDEST", (9, 9))
    with pytest.raises(OSError, match="Exec format"):
        interpreter.use_the_projects()


def test_the_oldest_python_is_new_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "OLDEST", sys.version_info)
    interpreter.use_the_projects()


def test_the_oldest_python_and_what_it_needs_are_what_the_project_says() -> None:
    found = (interpreter.ROOT / "setup.cfg").read_text()
    assert f"python_requires = >={'.'.join(map(str, interpreter.OLDEST))}" in found
    assert all(f"\n    {package}" in found for package in interpreter.PACKAGES)
