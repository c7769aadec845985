"""Cached verdicts of the lint gate: believed only if this machine made them.

In: a folder outside of the checkout; a key that names all that a verdict depends on. Out: the verdict's bytes, or None.
Never: believes what others can write. The folder is the caller's and of mode 0700, each entry carries an HMAC whose secret was made at
random in that folder and is bound to the machine; a checkout, a restored archive or another user's folder has none that fits.

A folder that cannot be used costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import time
from collections.abc import Mapping
from pathlib import Path

from guards.private import private_directory, read_private, write_private

FOLDER = Path("web-platform") / "lint"
SECRET = "secret"  # noqa: S105  (the name of its file)
SECRET_BYTES = 32

ENTRIES = 4096
"""Verdicts that are kept; the oldest go first. A verdict is a few hundred bytes."""


def place(environ: Mapping[str, str], checkout: Path) -> Path | None:
    """Where verdicts of this user are kept; None in CI, without a home, and where it would lie within the checkout.

    An XDG_CACHE_HOME that is not absolute is ignored, as the XDG Base Directory Specification asks.
    """
    if environ.get("CI", "").lower() not in ("", "0", "false"):
        return None
    base, home = environ.get("XDG_CACHE_HOME", ""), environ.get("HOME", "")
    if not os.path.isabs(base):  # noqa: PTH117  ("" is no path)
        if not os.path.isabs(home):  # noqa: PTH117
            return None
        base = f"{home}/.cache"
    folder = Path(os.path.realpath(base)) / FOLDER
    return None if folder.is_relative_to(os.path.realpath(checkout)) else folder


def today() -> str:
    """The local day, which is the one that cfn-lint asks for."""
    return time.strftime("%Y-%m-%d")


class Verdicts:
    """The verdicts of one folder; without a folder it holds nothing."""

    def __init__(self, folder: Path | None) -> None:
        # A home that is not there (HOME=/nonexistent of a service account) is not made.
        folder = folder if folder is not None and folder.parents[2].is_dir() else None
        self._folder, self._secret = folder, b""
        if folder is None:
            return
        try:
            private_directory(folder)
            self._secret = hashlib.sha256(_secret(folder / SECRET) + _machine()).digest()
        except OSError:
            self._folder = None

    def load(self, key: str) -> bytes | None:
        """The verdict; one that is missing, cut off, changed, or of another key or machine is none."""
        if self._folder is None:
            return None
        try:
            seal, _, body = (self._folder / f"{key}.json").read_bytes().partition(b"\n")
        except OSError:
            return None
        return body if hmac.compare_digest(seal, self._seal(key, body)) else None

    def store(self, key: str, body: bytes) -> None:
        """Keep a verdict, if that can be done."""
        if self._folder is not None:
            with contextlib.suppress(OSError):
                write_private(self._folder / f"{key}.json", self._seal(key, body) + b"\n" + body, durable=False)

    def prune(self, limit: int = ENTRIES) -> None:
        """Remove the oldest files beyond `limit`, drafts of killed processes included."""
        if self._folder is None:
            return
        try:
            with os.scandir(self._folder) as entries:
                files = [entry for entry in entries if entry.name != SECRET and entry.is_file(follow_symlinks=False)]
            if len(files) < limit:
                return
            for entry in sorted(files, key=lambda e: (e.stat().st_mtime_ns, e.name))[: len(files) - limit * 3 // 4]:
                Path(entry.path).unlink()
        except OSError:
            return

    def _seal(self, key: str, body: bytes) -> bytes:
        return hmac.new(self._secret, key.encode() + b"\n" + body, hashlib.sha256).hexdigest().encode()


def _secret(path: Path) -> bytes:
    """The folder's secret, made at the first use. Of two processes that make it at once one loses its verdicts. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        found = read_private(path)
        if len(found) == SECRET_BYTES:
            return found
    made = os.urandom(SECRET_BYTES)
    write_private(path, made)
    return made


def _machine() -> bytes:
    """Names this installation (machine-id(5)); empty where the system has none."""
    found = b""
    with contextlib.suppress(OSError):
        found = Path("/etc/machine-id").read_bytes()
    return found
