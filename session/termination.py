"""A request to terminate ends every verb as Ctrl-C does: what it holds (a lock, a claim, a change set) is given back.

In: SIGTERM, which `kill`, a container and a CI runner send. Out: KeyboardInterrupt in the main thread. Never: stays after the verb.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def terminable() -> Iterator[None]:
    """Inside, SIGTERM raises KeyboardInterrupt; in any other thread than the main one nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
