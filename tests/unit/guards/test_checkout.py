"""The commit of a directory is its own, whatever the caller's shell says of another one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from guards.checkout import commit_of, short
from guards.processes import child_environment

AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")


def test_a_hook_of_another_repository_does_not_say_which_commit_this_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """git sets GIT_DIR for its hooks."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True, env=child_environment())
    subprocess.run(["git", "-C", str(tmp_path), *AUTHOR, "commit", "-q", "--allow-empty", "-m", "a"], check=True, env=child_environment())
    own = commit_of(tmp_path)
    assert len(own) == 40
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "of-another"))
    assert commit_of(tmp_path) == own


def test_the_short_form_still_says_that_files_differ() -> None:
    assert (short("a" * 40), short("a" * 40 + "-dirty"), short("")) == ("a" * 12, "a" * 12 + "-dirty", "")


def test_files_that_differ_are_told_and_where_is_no_repository_nothing_is(tmp_path: Path) -> None:
    assert commit_of(tmp_path) == ""
    (tmp_path / "a").write_text("a")
    for words in (["init", "-q"], ["add", "a"], [*AUTHOR, "commit", "-q", "-m", "a"], ["tag", "v1"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True, env=child_environment())
    clean = commit_of(tmp_path)
    (tmp_path / "a").write_text("b")
    assert commit_of(tmp_path) == f"{clean}-dirty"
    assert set(clean) <= set("0123456789abcdef"), "not the tag's name"
