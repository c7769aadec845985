"""The regular files of a folder: the one walk that publish, plan and the preview share.

In: a folder that anybody may have written and may be writing to. Out: `Listing`, every file and every reason why something is none;
open files.
Never: leaves the folder, waits for a pipe or a device, follows a link when it opens something, lets a name act on a terminal.

Between the walk and the opening a file may have become a link or a pipe. So what is opened is looked at again through its descriptor,
and every folder on the way is opened without following links.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from guards.text import printable

PATH_LIMIT = 1024
"""Bytes of a path below the folder: no object key is longer (Amazon S3 User Guide, object keys), so nothing deeper is looked at."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a folder holds. Paths are below it, with slashes."""

    files: Mapping[str, str]
    """In path order; the value is the file itself, which differs from the path for a link to another file of the folder."""
    problems: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    """Every folder below the root that could be read."""
    left: tuple[str, ...] = ()
    """What was passed by, as the caller wished; folders end with a slash."""


@dataclass(frozen=True, kw_only=True)
class FolderFile:
    """A file of a folder, to be opened when it is needed."""

    root: Path
    relative: str

    @property
    def path(self) -> Path:
        """For programs that open files by themselves, and for people."""
        return self.root / self.relative

    def open(self) -> BinaryIO:
        """As `open_file`."""
        return open_file(self.root, self.relative)


class NotRegular(OSError):
    """What was a file is none any more."""


def walk(root: Path, leave: Callable[[str], bool] = lambda _: False) -> Listing:
    """Every regular file. Raises OSError where `root` itself cannot be read; what is below becomes a problem.

    `leave` says of a path whether to pass it by, whatever it is; a folder is asked about with a slash behind its name.
    """
    files: dict[str, str] = {}
    links: list[str] = []
    left: list[str] = []
    problems: list[tuple[str, str]] = []
    folders, read = [""], []
    while folders:
        folder = folders.pop()
        try:
            for entry, below in _entries(root, folder):
                kind = _kind(entry)
                path = f"{below}/" if kind == "folder" else below
                if leave(path):
                    left.append(path)
                elif len(os.fsencode(below)) > PATH_LIMIT:
                    problems.append((below[:100] + "...", f"a path of more than {PATH_LIMIT:,} bytes; an object key has no more"))
                elif kind == "folder":
                    folders.append(below)
                elif kind == "file":
                    files[below] = below
                elif kind == "link":
                    links.append(below)
                else:
                    problems.append((below, f"not a regular file: {kind}"))
        except OSError as error:
            if not folder:
                raise
            problems.append((folder, f"cannot be read: {error.strerror}"))
            continue
        read.append(folder)
    problems += _follow(root, links, files)
    said = tuple(f"{printable(str(root / path))}: {problem}" for path, problem in sorted(problems))
    return Listing(files=dict(sorted(files.items())), problems=said, folders=tuple(sorted(read[1:])), left=tuple(sorted(left)))


def _follow(root: Path, links: list[str], files: dict[str, str]) -> list[tuple[str, str]]:
    """Put each link to a file of the folder into `files`; the others are problems."""
    problems = []
    for link in links:
        target, problem = _target(root, link, files)
        if problem:
            problems.append((link, problem))
        else:
            files[link] = target
    return problems


def open_file(root: Path, relative: str) -> BinaryIO:
    """A regular file below `root`, opened without waiting and without following a link. Raises OSError, `NotRegular` for anything else."""
    folder, _, name = relative.rpartition("/")
    with _opened(root, folder) as above:
        descriptor = os.open(name, _FILE, dir_fd=above)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotRegular(errno.EINVAL, "not a regular file", str(root / relative))
    return os.fdopen(descriptor, "rb")


@contextlib.contextmanager
def _opened(root: Path, relative: str) -> Iterator[int]:
    """The descriptor of a folder below `root`; `root` itself may be reached by links."""
    descriptor = os.open(root, _FOLDER & ~os.O_NOFOLLOW)
    try:
        for name in relative.split("/") if relative else ():
            inner = os.open(name, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def _entries(root: Path, folder: str) -> Iterator[tuple[os.DirEntry[str], str]]:
    with _opened(root, folder) as descriptor, os.scandir(descriptor) as found:
        for entry in found:
            yield entry, f"{folder}/{entry.name}" if folder else entry.name


def _kind(entry: os.DirEntry[str]) -> str:
    """ "file", "folder", "link", or what it is in words."""
    if entry.is_symlink():
        return "link"
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    if entry.is_file(follow_symlinks=False):
        return "file"
    try:
        mode = entry.stat(follow_symlinks=False).st_mode
    except FileNotFoundError:
        return "gone meanwhile"
    kinds = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"))
    return next((words for test, words in kinds if test(mode)), "of an unknown kind")


def _target(root: Path, link: str, files: Mapping[str, str]) -> tuple[str, str]:
    """The file that a link stands for, or why it stands for none."""
    inside = os.path.realpath(root).rstrip("/") + "/"
    target = os.path.realpath(inside + link)
    if os.path.isdir(target):  # noqa: PTH112
        return "", "a link to a directory; publish files, not links"
    if not target.startswith(inside):
        return "", f"links to {printable(str(target))}, outside of {printable(str(root))}"
    relative = target.removeprefix(inside)
    return (relative, "") if files.get(relative) == relative else ("", "a link to no file of the folder")
