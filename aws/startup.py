"""Starts botocore without what these clients never use: half of the time of a command that finds nothing to do went there.

In: nothing. Out: botocore's Session class; a loader of service models. Never: changes how a request is made, signed or retried.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.session import Session

_LOGIN = "login_session"
"""Key of a profile whose credentials come from `aws login`, for which botocore needs the CRT."""
_files: dict[str, Any] = {}
"""What was read, by path."""


def session_class() -> type[Session]:
    """botocore's Session, imported without the AWS CRT where nothing needs it.

    botocore loads the CRT where it is installed, for SigV4A and for the credentials of `aws login`; uploads load it by themselves later
    (aws/transfer.py). It takes a fifth of botocore's start.
    """
    if "botocore" not in sys.modules and "awscrt" not in sys.modules and not _logs_in():
        sys.modules["awscrt"] = None  # type: ignore[assignment]
        try:
            import botocore.compat
            import botocore.httpchecksum  # noqa: F401
        finally:
            del sys.modules["awscrt"]
    from botocore.session import Session

    return Session


def _logs_in() -> bool:
    file = Path(os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config")
    try:
        return _LOGIN in file.expanduser().read_text(encoding="utf-8", errors="replace")
    except (OSError, RuntimeError):
        return False


def quick(loader: Any) -> Any:
    """The same loader, which takes it that a service exists: botocore lists four hundred folders to find out, before it looks into one.

    A file is read once in the life of the process, whoever asks for it: botocore changes nothing of what it has read.
    """

    class Everything(list[str]):
        def __contains__(self, _: object) -> bool:
            return True

    of_disk = loader.file_loader.load_file

    def load_file(path: str) -> Any:
        found = _files.get(path)
        if found is None and (found := of_disk(path)) is not None:
            _files[path] = found
        return found

    loader.list_available_services = lambda type_name: Everything()  # noqa: ARG005
    loader.file_loader.load_file = load_file
    return loader
