"""Private files against another user of the machine: links, guessed names, open modes, directories that are theirs."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from assembly import files
from guards.private import private_directory, read_private, write_private

pytestmark = pytest.mark.attack

NOBODY = 65534


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def as_nobody(code: str, *arguments: str) -> str:
    """Run Python as another user of the machine; what it says. The interpreter may lie where only root reaches it, so it changes later."""
    become = f"import os, sys; os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
    done = subprocess.run([sys.executable, "-c", become + code, *arguments], cwd="/", capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.fixture
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory as /tmp is: everybody writes, nobody removes another's."""
    if os.geteuid() != 0:
        pytest.skip("becoming another user takes root")
    with tempfile.TemporaryDirectory(prefix="shared-") as name:
        folder = Path(name)
        folder.chmod(0o1777)
        yield folder


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_the_umask_changes_nothing(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_private(tmp_path / "plan.json", b"plan")
    finally:
        os.umask(before)
    assert (mode(tmp_path / "plan.json"), (tmp_path / "plan.json").read_bytes()) == (0o600, b"plan")
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


def test_a_file_that_others_may_read_is_replaced_and_not_written_into(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("old")
    path.chmod(0o666)
    with path.open("rb") as listening:
        write_private(path, b"new")
        assert listening.read() == b"old"
    assert (path.read_bytes(), mode(path)) == (b"new", 0o600)


def test_a_link_is_replaced_and_what_it_names_stays(tmp_path: Path) -> None:
    keys = tmp_path / "authorized_keys"
    keys.write_text("mine")
    for target in ("authorized_keys", "not-there"):
        (tmp_path / "plan.json").unlink(missing_ok=True)
        (tmp_path / "plan.json").symlink_to(target)
        write_private(tmp_path / "plan.json", b"theirs")
        assert keys.read_text() == "mine"
        assert not (tmp_path / "plan.json").is_symlink()
    assert not (tmp_path / "not-there").exists()


def test_names_that_can_be_guessed_are_not_used(tmp_path: Path) -> None:
    keys = tmp_path / "authorized_keys"
    keys.write_text("mine")
    names = ("plan.json", "assembly.json")
    planted = [tmp_path / f".{name}.{pid}.tmp" for name in names for pid in (os.getpid(), os.getpid() + 1)]
    for link in planted:
        link.symlink_to(keys)
    write_private(tmp_path / "plan.json", b"theirs")
    files.write(tmp_path, {"assembly.json": b"{}"})
    assert keys.read_text() == "mine"
    assert all(link.is_symlink() for link in planted)


@pytest.mark.parametrize("make", [os.mkfifo, lambda p: p.mkdir(), lambda p: p.symlink_to("/dev/null")], ids=["fifo", "directory", "device"])
def test_what_is_no_file_is_left_alone(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "review.html"
    make(path)
    before = path.lstat()
    with pytest.raises(OSError, match="not a regular file"):
        write_private(path, b"x")
    assert path.lstat().st_ino == before.st_ino
    assert [path.name for path in tmp_path.iterdir()] == ["review.html"]


def test_a_failure_names_the_file_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        write_private(tmp_path / "none" / "plan.json", b"x")
    assert str(tmp_path / "none") in str(caught.value.filename)
    assert not list(tmp_path.iterdir())


def test_another_user_cannot_read_prepare_or_redirect(shared: Path) -> None:
    secret = shared.parent / f"{shared.name}-secret"
    plan = shared / "plan.json"
    plant = (
        "import os, sys\n"
        "os.umask(0)\n"
        "os.symlink(sys.argv[2], sys.argv[1])\n"
        "os.mkdir(sys.argv[1] + '.d', 0o777)\n"
        "os.symlink(sys.argv[1] + '.d', sys.argv[1] + '.l')\n"
    )
    assert as_nobody(plant, str(plan), str(secret)) == ""
    write_private(plan, b"the plan")
    assert not secret.exists()
    assert (plan.lstat().st_uid, mode(plan)) == (0, 0o600)
    assert "PermissionError" in as_nobody("import sys; print(open(sys.argv[1]).read())", str(plan))
    with pytest.raises(PermissionError, match="another user's link"):
        write_private(shared / "plan.json.l" / "plan.json", b"the plan")
    assert not list((shared / "plan.json.d").iterdir())


def test_another_users_directory_is_not_ours(shared: Path) -> None:
    as_nobody("import os, sys; os.mkdir(sys.argv[1], 0o700)", str(shared / "lint"))
    with pytest.raises(PermissionError):
        private_directory(shared / "lint")
    as_nobody("import sys; open(sys.argv[1], 'w').write('theirs')", str(shared / "secret"))
    with pytest.raises(PermissionError):
        read_private(shared / "secret")
    private_directory(shared / "ours")
    assert mode(shared / "ours") == 0o700


def test_what_could_not_be_written_or_renamed_leaves_no_draft_and_no_descriptor(tmp_path: Path) -> None:
    open_before = sorted(path.name for path in Path("/dev/fd").iterdir())
    write_private(tmp_path / "fine", b"1")
    too_long = tmp_path / ("a" * 256)
    with pytest.raises(OSError) as told:
        write_private(too_long, b"x")
    assert (told.value.errno, told.value.filename, told.value.filename2) == (errno.ENAMETOOLONG, str(too_long), None)
    with pytest.raises(TypeError):
        write_private(tmp_path / "text", cast("bytes", "x"))
    assert [path.name for path in tmp_path.iterdir()] == ["fine"]
    assert sorted(path.name for path in Path("/dev/fd").iterdir()) == open_before


def test_a_link_of_ones_own_and_another_users_directory_are_written_into(tmp_path: Path) -> None:
    """What they can do to the file there, they could before."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    if os.geteuid() == 0:
        os.chown(tmp_path / "real", NOBODY, NOBODY)
    write_private(tmp_path / "link" / "a", b"1")
    write_private(tmp_path / "real" / "b", b"2")
    assert sorted(path.name for path in (tmp_path / "real").iterdir()) == ["a", "b"]


@pytest.mark.parametrize("before", [None, 0o700, 0o701, 0o770, 0o777])
def test_a_directory_is_closed_to_others_whoever_made_it(tmp_path: Path, before: int | None) -> None:
    folder = tmp_path / "a" / "b" / "c"
    if before is not None:
        folder.mkdir(parents=True)
        folder.chmod(before)
    for _ in range(2):
        private_directory(folder)
        assert mode(folder) == 0o700


@pytest.mark.parametrize("make", [lambda p: p.write_text(""), lambda p: p.symlink_to(p.parent)], ids=["file", "link"])
def test_what_is_no_directory_is_not_taken_for_one(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "there")
    with pytest.raises(PermissionError, match="not a directory of yours"):
        private_directory(tmp_path / "there")


@pytest.mark.parametrize(("bits", "read"), [(0o600, True), (0o645, True), (0o620, False), (0o602, False), (0o666, False)])
def test_only_a_file_that_nobody_else_may_write_is_believed(tmp_path: Path, bits: int, read: bool) -> None:
    path = tmp_path / "verdict"
    path.write_bytes(b"yes")
    path.chmod(bits)
    if read:
        assert read_private(path) == b"yes"
        return
    with pytest.raises(PermissionError, match="not a file of yours alone"):
        read_private(path)


def test_a_pipe_is_not_believed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(PermissionError):
        read_private(tmp_path / "pipe")
