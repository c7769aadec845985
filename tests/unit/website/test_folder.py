"""The walk that publish, plan and the preview share, against folders made by somebody who means harm."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from preview.content import Folder, Unreachable
from tests.unit.preview.test_content import MODIFIED, body
from tests.unit.website.test_content import CONTRACT, problems
from website import folder
from website.content import _inspected, read
from website.folder import _kind, walk

pytestmark = pytest.mark.attack


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A page and nothing else."""
    root = tmp_path / "site"
    root.mkdir()
    (root / "index.html").write_text("<!doctype html>")
    return root


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


HARM: tuple[tuple[str, Callable[[Path], object], str], ...] = (
    ("x.txt", lambda d: os.mkfifo(d / "x.txt"), "x.txt: not a regular file: a pipe"),
    ("x.txt", lambda d: _socket(d / "x.txt"), "x.txt: not a regular file: a socket"),
    ("x.txt", lambda d: (d / "x.txt").symlink_to("/etc/passwd"), "x.txt: links to /etc/passwd, outside of"),
    ("x.txt", lambda d: (d / "x.txt").symlink_to("../secret"), "x.txt: links to"),
    ("x.txt", lambda d: (d / "x.txt").symlink_to("/dev/zero"), "x.txt: links to /dev/zero, outside of"),
    ("x.txt", lambda d: (d / "x.txt").symlink_to("x.txt"), "x.txt: a link to no file of the folder"),
    ("x.txt", lambda d: (d / "x.txt").symlink_to("gone"), "x.txt: a link to no file of the folder"),
    ("x/passwd", lambda d: (d / "x").symlink_to("/etc"), "x: a link to a directory"),
    ("x/index.html", lambda d: (d / "x").symlink_to("."), "x: a link to a directory"),
    ("a\nb.txt", lambda d: (d / "a\nb.txt").write_text(""), "a\\nb.txt: control characters"),
    ("\x1b]0;x\x07.txt", lambda d: (d / "\x1b]0;x\x07.txt").write_text(""), "\\u001b]0;x\\u0007.txt: control characters"),
    ("a+b.txt", lambda d: (d / "a+b.txt").write_text(""), "a+b.txt: S3 reads a + in a URL as a space"),
    (".env", lambda d: (d / ".env").write_text(""), ".env: a dotfile"),
)


@pytest.mark.parametrize(("key", "harm", "said"), HARM)
def test_publish_refuses_it_and_the_preview_does_not_serve_it(site: Path, key: str, harm: Callable[[Path], object], said: str) -> None:
    (site.parent / "secret").write_text("secret")
    harm(site)
    told = problems(site)
    assert said in told
    assert len(told.splitlines()) == 1
    assert told.isprintable()
    assert body(Folder(site, CONTRACT, MODIFIED), key) is None


def test_a_link_to_a_file_of_the_folder_is_that_file_for_publish_and_preview(site: Path) -> None:
    (site / "assets").mkdir()
    (site / "assets" / "latest.js").symlink_to("../middle.js")
    (site / "middle.js").symlink_to("real.js")
    (site / "real.js").write_text("1")
    content = read(site, CONTRACT)
    assert content.files["assets/latest.js"].path.read_bytes() == b"1"
    assert not content.files["assets/latest.js"].path.is_symlink()
    assert body(Folder(site, CONTRACT, MODIFIED), "assets/latest.js") == b"1"


@pytest.mark.parametrize("become", ["link", "pipe", "gone", "folder", "inside-a-link"])
def test_what_changes_between_the_walk_and_the_reading_is_not_followed(site: Path, become: str) -> None:
    outside = site.parent / "outside"
    outside.mkdir()
    (outside / "f.txt").write_text("secret")
    (site / "a").mkdir()
    (site / "a" / "f.txt").write_text("mine")
    served = Folder(site, CONTRACT, MODIFIED)
    listed = folder.walk(site)
    assert "a/f.txt" in listed.files
    (site / "a" / "f.txt").unlink()
    if become == "link":
        (site / "a" / "f.txt").symlink_to(outside / "f.txt")
    elif become == "pipe":
        os.mkfifo(site / "a" / "f.txt")
    elif become == "folder":
        (site / "a" / "f.txt").mkdir()
    elif become == "inside-a-link":
        (site / "a").rmdir()
        (site / "a").symlink_to(outside)
    with pytest.raises(OSError, match=r"."):
        folder.open_file(site, "a/f.txt")
    assert body(served, "a/f.txt") is None


def test_every_folder_that_could_be_read_is_told_and_a_path_has_1024_bytes(site: Path) -> None:
    deep = site / "/".join(["d" * 100] * 10)
    (deep / "e").mkdir(parents=True)
    below = 10 * 101
    for length in (1024, 1025):
        (deep / ("f" * (length - below))).write_text("x")
    listing = folder.walk(site)
    assert sorted(map(len, listing.files)) == [len("index.html"), 1024]
    assert len(listing.problems) == 1 and "a path of more than 1,024 bytes" in listing.problems[0]
    assert listing.folders == (*("/".join(["d" * 100] * n) for n in range(1, 11)), f"{'/'.join(['d' * 100] * 10)}/e")


def test_nothing_that_was_opened_on_the_way_stays_open(site: Path) -> None:
    (site / "a" / "b").mkdir(parents=True)
    (site / "a" / "b" / "f.txt").write_text("1")
    before = sorted(Path("/dev/fd").iterdir())
    folder.walk(site)
    folder.open_file(site, "a/b/f.txt").close()
    with pytest.raises(folder.NotRegular):
        folder.open_file(site, "a/b")
    assert sorted(Path("/dev/fd").iterdir()) == before


def test_a_tree_deeper_than_any_key_ends(site: Path) -> None:
    descriptor = os.open(site, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d" * 20, dir_fd=descriptor)
        inner = os.open("d" * 20, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
    (problem,) = folder.walk(site).problems
    assert problem.endswith("a path of more than 1,024 bytes; an object key has no more")
    assert len(problem) < 400
    path = problem.removeprefix(f"{site}/").partition("...: ")[0]
    assert len(path) == 100, "as much of it as tells which one it is"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_cannot_be_read_is_a_reason_and_not_left_out(site: Path) -> None:
    (site / "private").mkdir(mode=0)
    (site / "x.txt").write_text("")
    (site / "x.txt").chmod(0)
    told = problems(site)
    assert "private: cannot be read: Permission denied" in told
    assert "x.txt: cannot be read: Permission denied" in told


def test_a_file_that_has_gone_since_it_was_listed_is_a_reason(site: Path) -> None:
    assert _inspected(site, "gone.txt").problem == "cannot be read: No such file or directory"
    assert _inspected(site, "index.html").problem == ""


def test_a_file_that_grows_while_it_is_read_ends_and_is_refused(site: Path) -> None:
    path = site / "log.txt"
    with path.open("wb") as out:
        out.truncate(64 << 20)
    stop = threading.Event()

    def grow() -> None:
        with path.open("ab") as out:
            while not stop.is_set():
                out.write(b"x")
                out.flush()

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        assert "log.txt: changed while it was read; is a build still running?" in problems(site)
    finally:
        stop.set()
        writer.join()


def test_a_file_too_large_to_hold_is_not_held(site: Path) -> None:
    with (site / "film.mp4").open("wb") as out:
        out.truncate(300 << 20)
    with pytest.raises(Unreachable, match=r"film\.mp4 has 314,572,800 bytes; the preview serves files of at most 268,435,456"):
        body(Folder(site, CONTRACT, MODIFIED), "film.mp4")


def test_a_folder_that_goes_while_the_others_are_read_is_a_problem_and_the_others_are_read(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.txt").write_text("x")

    def leave(path: str) -> bool:
        if path == "b/":
            shutil.rmtree(tmp_path / "b")
        return False

    found = walk(tmp_path, leave)
    assert list(found.files) == ["a/x.txt", "c/x.txt"] and found.folders == ("a", "c")
    assert found.problems == (f"{tmp_path}/b: cannot be read: No such file or directory",)
    with pytest.raises(FileNotFoundError):
        walk(tmp_path / "none")


def test_what_has_gone_since_the_folder_was_listed_is_said_to_have_gone() -> None:
    def no(**_: bool) -> bool:
        return False

    def stat_of(**_: bool) -> os.stat_result:
        raise FileNotFoundError

    entry: Any = SimpleNamespace(is_symlink=no, is_dir=no, is_file=no, stat=stat_of)
    assert _kind(entry) == "gone meanwhile"
