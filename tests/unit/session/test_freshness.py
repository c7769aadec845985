"""What was edited and not built is never called "no changes"."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest

from assembly import sources
from cli.main import main
from session.context import Context
from tests.environments_fixture import ENVIRONMENTS
from tests.golden_files import ROOT
from tests.unit.test_build import build


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Own environment files, and dev built from them."""
    place = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ENVIRONMENTS, place / "environments", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    done = build("--env", "dev", "--environments", str(place / "environments"), "--out", str(place / "dist"))
    assert done.returncode == 0, done.stderr
    return place


def deploy(place: Path, verb: str, *arguments: str) -> tuple[int, str]:
    """Status and stderr of a command that has no way to AWS."""
    stderr = io.StringIO()
    context = Context(stdin=io.StringIO(), stdout=io.StringIO(), stderr=stderr, environ={}, root=place)
    status = main([verb, "--env", "dev", "--dist", str(place / "dist"), *arguments], ("verbs",), context)
    return status, stderr.getvalue()


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [("plan", ()), ("apply", ()), ("apply", ("--yes",)), ("publish", ("--content", ".")), ("plan", ("--local",))],
)
def test_an_edited_environment_file_must_be_built_first(built: Path, verb: str, arguments: tuple[str, ...]) -> None:
    file = built / "environments" / "dev.yaml"
    before = file.read_text(encoding="utf-8")
    file.write_text(before + "# edited\n", encoding="utf-8")
    try:
        status, said = deploy(built, verb, *arguments)
    finally:
        file.write_text(before, encoding="utf-8")
    assert status == 2
    assert f"changed since it was built: {file}" in said
    assert said.rstrip().endswith(f"next: python build.py --env dev --out {built / 'dist'} --environments {built / 'environments'}")


def test_what_was_reviewed_by_its_digest_is_told_and_not_refused(built: Path) -> None:
    file = built / "environments" / "common.yaml"
    before = file.read_text(encoding="utf-8")
    file.write_text(before + "# edited\n", encoding="utf-8")
    try:
        status, said = deploy(built, "apply", "--approve", "0123456789ab")
    finally:
        file.write_text(before, encoding="utf-8")
    assert status == 2
    assert "hint: " in said and str(file) in said
    assert "placeholder" in said, "it went on to what comes after"


def test_another_environments_file_changes_nothing(built: Path) -> None:
    (built / "environments" / "sit.yaml").write_text("x: [", encoding="utf-8")
    assert not sources.changed(sources.read(built / "dist" / "dev"), ROOT)


def checkout(place: Path) -> Path:
    for name in ("stacks/site.py", "lambda/routing/route.js", "environments/dev.yaml"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("1", encoding="utf-8")
    return place


def test_changed_new_and_lost_sources_are_named(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    of = sources.of(root, [root / "environments/dev.yaml"], commit="")
    assert sources.changed(of, root) == ()
    (root / "stacks/site.py").write_text("2", encoding="utf-8")
    (root / "stacks/new.py").write_text("3", encoding="utf-8")
    (root / "lambda/routing/route.js").unlink()
    (root / "environments/dev.yaml").unlink()
    assert sources.changed(of, root) == ("environments/dev.yaml", "lambda/routing/route.js", "stacks/new.py", "stacks/site.py")


def test_where_the_sources_are_not_there_nothing_is_said(tmp_path: Path) -> None:
    of = sources.of(checkout(tmp_path / "a"), [tmp_path / "a" / "environments/dev.yaml"], commit="")
    (tmp_path / "b").mkdir()
    assert sources.changed(of, tmp_path / "b") == ()
    assert sources.changed(sources.read(tmp_path / "b"), tmp_path / "a") == (), "and neither of an assembly that does not say"


def test_an_environment_whose_file_is_gone_is_not_planned(built: Path) -> None:
    """Its own file is not one of this checkout's here, so it is only named."""
    file = built / "environments" / "dev.yaml"
    before = file.read_bytes()
    file.unlink()
    try:
        status, said = deploy(built, "plan")
    finally:
        file.write_bytes(before)
    assert status == 2 and str(file) in said
