"""The Python that runs the scripts: the one that has the project's packages.

In: this process. Out: the same script, run by the checkout's .venv if this Python lacks the packages; how it was called.
Never: goes on without them.

Written for any Python 3, since it is the first thing that whatever `python3` there is gets to read.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

OLDEST = (3, 11)
PACKAGES = ("msgspec", "boto3")
TRIED = "DEPLOY_VENV_TRIED"
"""Set for the second try, so that a broken .venv ends in words instead of a third."""
ROOT = Path(__file__).resolve().parent.parent


def use_the_projects() -> None:
    """Return if the packages are there; else go on as the .venv's Python, or end with exit status 1 and what to type."""
    tried = os.environ.pop(TRIED, "")
    if sys.version_info >= OLDEST and all(importlib.util.find_spec(each) for each in PACKAGES):
        return
    python = str(ROOT / ".venv" / "bin" / "python")
    if not tried and os.access(python, os.X_OK):
        arguments = list(getattr(sys, "orig_argv", ["", *sys.argv]))[1:]
        os.execve(python, [python, *arguments], {**os.environ, TRIED: "1"})  # noqa: S606
    make = "make" if Path.cwd() == ROOT else f"make -C {shlex.quote(str(ROOT))}"
    sys.stderr.write(f"error: {sys.executable} lacks the project's packages, and there is no .venv that has them\n  next: {make}\n")
    sys.exit(1)


def as_called(original: Sequence[str], arguments: Sequence[str], executable: str, script: Path) -> tuple[str, ...]:
    """Interpreter and script as a process was called: `sys.orig_argv`, `sys.argv`, `sys.executable`, and where the script lies.

    Paths below the current directory are told from there, since a person would type them so.
    """
    begin = list(original[: len(original) - len(arguments) + 1])
    if len(begin) < 2 or Path(begin[-1]).stem != script.stem:
        begin = [executable, str(script)]
    return (from_here(begin[0] or executable), *begin[1:-1], from_here(begin[-1]))


def from_here(path: str) -> str:
    """A path as it is typed from the current directory; a relative one, and a name that the shell looks up, as they are."""
    if not Path(path).is_absolute():
        return path
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return path
