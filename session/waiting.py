"""What a command waits for, said when it takes long.

In: a Context, a name. Out: lines on stderr. Never: says anything of a quick answer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from session.context import Context

FIRST_SECONDS, AGAIN_SECONDS = 4.0, 15.0


@contextmanager
def telling(context: Context, what: str, *, first: float = FIRST_SECONDS, again: float = AGAIN_SECONDS) -> Iterator[None]:
    """For as long as the block runs: after `first` seconds, and every `again` seconds from then on, that it waits for `what`."""
    done = threading.Event()

    def tell() -> None:
        seconds = first
        while not done.wait(seconds) and not context.quiet:
            context.say(f"waiting for {what}")
            seconds = again

    teller = threading.Thread(target=tell, name="waiting", daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()
