"""The switches: `outages.json` in the directory of a local AWS.

In: that directory, which only its owner may enter. Out: the outages of the moment.
Never: reached by a request; a file that cannot be read is an error to whoever writes, and no outage to the server.

Commands that switch at once are kept apart by a lock; the server looks at the file's time before each call.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from guards.private import write_private
from outages.model import Outage

NAME = "outages.json"


class Unreadable(Exception):
    """The file is not as `change` writes it."""


def read(directory: Path) -> tuple[Outage, ...]:
    """The outages of that directory's server, whether it runs or not. Raises `Unreadable`."""
    path = directory / NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=tuple[Outage, ...])
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unreadable(f"{path}: {error}") from error


def change(directory: Path, changed: Callable[[tuple[Outage, ...]], tuple[Outage, ...]]) -> tuple[Outage, ...]:
    """Put what `changed` makes of the present outages in their place; the new ones. Raises `Unreadable`, OSError."""
    with os.fdopen(os.open(directory / f"{NAME}.lock", os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600), "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        new = changed(read(directory))
        write_private(directory / NAME, msgspec.json.encode(new), durable=False)
    return new


def begin(directory: Path, *outages: Outage) -> None:
    """These, beside those that there are. Raises `Unreadable`, OSError."""
    change(directory, lambda present: (*(outage for outage in present if outage not in outages), *outages))


def end(directory: Path, *, account: str = "") -> None:
    """All is well again; with `account` only for that account. Raises OSError."""
    if not account:
        (directory / NAME).unlink(missing_ok=True)
        return
    change(directory, lambda present: tuple(outage for outage in present if outage.account != account))


class Current:
    """The outages of the moment, read again when the file is another."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._mark: tuple[int, int] | None = None
        self._outages: tuple[Outage, ...] = ()

    def __call__(self) -> tuple[Outage, ...]:
        """Now."""
        try:
            found = (self._directory / NAME).stat()
            mark = (found.st_mtime_ns, found.st_ino)
        except OSError:
            mark = None
        if mark != self._mark:
            self._mark = mark
            try:
                self._outages = read(self._directory)
            except Unreadable:
                logging.getLogger(__name__).warning("outages that cannot be read", exc_info=True)
                self._outages = ()
        return self._outages
