"""What a build may remove from dist/: its own assemblies whose file is gone, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from assembly import sources
from assembly.leftovers import leftovers


def made(root: Path, name: str, *files: str, restored: bool = False) -> Path:
    directory = root / "dist" / name
    directory.mkdir(parents=True)
    (directory / "assembly.json").write_text("{}")
    (directory / sources.FILE).write_bytes(sources.content(sources.Sources(files=dict.fromkeys(files, "0" * 64), restored=restored)))
    return directory


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "environments").mkdir()
    return tmp_path


def found(root: Path, *names: str) -> tuple[Path, ...]:
    return leftovers(root / "dist", root / "environments", names, root)


def test_its_file_is_gone(root: Path) -> None:
    gone = made(root, "qa", "environments/qa.yaml")
    made(root, "dev", "environments/dev.yaml")
    (root / "environments" / "dev.yaml").write_text("")
    assert found(root, "dev") == (gone,)


def test_what_was_built_from_elsewhere_or_restored_or_never_built_stays(root: Path) -> None:
    made(root, "other", "/elsewhere/other.yaml")
    made(root, "qa", restored=True)
    made(root, "old", "environments/common.yaml")
    (root / "dist" / "notes").mkdir()
    assert found(root) == ()


def test_a_link_is_not_followed(root: Path) -> None:
    target = made(root, "qa", "environments/qa.yaml")
    target.rename(root / "elsewhere")
    (root / "dist" / "qa").symlink_to(root / "elsewhere")
    assert found(root) == ()
