"""Files that are nobody else's business: plans, reviews, reports, keys, verdicts that are believed later.

In: a path and bytes. Out: the file, whole, of mode 0600, belonging to the caller.
Never: writes through a link that stands where the file or its draft is to stand, uses a name that another user of the machine can
prepare, depends on the umask, or leaves half a file.

The draft has a random name and is made with O_EXCL and O_NOFOLLOW; renaming it replaces what stands there, a link itself included
(rename(2): "If newpath refers to a symbolic link, it will be overwritten").
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

_DRAFT = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_private(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file of mode 0600 in one piece: it is there whole, or the old one is.

    `durable`: on the disk when this returns; not needed for what can be made again.
    Raises OSError; EPERM where the directory is reached by another user's link, EINVAL where a device, pipe or directory stands.
    """
    folder = _opened(path.parent)
    draft = f".{path.name[:200]}.{os.urandom(8).hex()}.tmp"
    try:
        _refuse_special(path, folder)
        _write_draft(draft, folder, data, durable=durable)
        try:
            os.rename(draft, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            _forget(draft, folder)
            raise
    except OSError as error:
        # Names below a descriptor mean nothing to a reader.
        error.filename, error.filename2 = str(path), None
        raise
    finally:
        os.close(folder)


def private_directory(path: Path) -> None:
    """Make a directory that only the caller may enter, and those above it as they come.

    Raises OSError; EPERM where it is a link, another user's, or open to others and cannot be closed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise OSError(errno.EPERM, "not a directory of yours", str(path))
    if stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(0o700)


def read_private(path: Path) -> bytes:
    """A file's content, if it is a regular one of the caller's that nobody else may write. Raises OSError, EPERM where it is not."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as source:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o022:
            raise OSError(errno.EPERM, "not a file of yours alone", str(path))
        return source.read()


def _opened(folder: Path) -> int:
    """A descriptor of the directory, so that nobody exchanges it between two steps."""
    status = folder.lstat()
    if stat.S_ISLNK(status.st_mode) and status.st_uid not in (0, os.geteuid()):
        raise OSError(errno.EPERM, "the directory is another user's link", str(folder))
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _refuse_special(path: Path, folder: int) -> None:
    """A rename would put a file in the place of /dev/stdout."""
    try:
        kind = os.stat(path.name, dir_fd=folder).st_mode
    except OSError:
        return
    if not stat.S_ISREG(kind):
        raise OSError(errno.EINVAL, "not a regular file", str(path))


def _write_draft(draft: str, folder: int, data: bytes, *, durable: bool) -> None:
    descriptor = os.open(draft, _DRAFT, 0o600, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as out:
            # Whatever the umask took away is given back to the owner.
            os.fchmod(descriptor, 0o600)
            out.write(data)
            out.flush()
            if durable:
                os.fsync(descriptor)
    except BaseException:
        _forget(draft, folder)
        raise


def _forget(draft: str, folder: int) -> None:
    with contextlib.suppress(OSError):
        os.unlink(draft, dir_fd=folder)
