"""A child of the test's own process, which knows what the process knows and ends by itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def child(run: Callable[[], Any], folder: Path) -> tuple[int, str, str]:
    """Run it in a fork: exit status (70 if it returns, 71 if it fails), and what it wrote to its standard streams. `folder`: for those."""
    out, err = folder / "out", folder / "err"
    pid = os.fork()
    if pid == 0:
        status = 71
        try:
            sys.stdout, sys.stderr = out.open("w"), err.open("w", buffering=1)
            run()
            status = 70
        except SystemExit as ended:
            status = int(ended.code or 0)
        finally:
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
            os._exit(status)
    _, waited = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(waited), out.read_text(), err.read_text()
