"""A long wait says what for, a short one nothing."""

from __future__ import annotations

import io
import threading

from session.context import Context
from session.waiting import telling


class Seen(io.StringIO):
    """A stream that tells when something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def write(self, text: str) -> int:
        done = super().write(text)
        self.written.set()
        return done


def test_what_it_waits_for() -> None:
    stream = Seen()
    with telling(Context(stderr=stream, environ={}), "an answer of AWS", first=0.001, again=60):
        assert stream.written.wait(180)
    assert stream.getvalue() == "waiting for an answer of AWS\n"


def test_a_quick_answer_is_not_waited_for() -> None:
    stream = Seen()
    with telling(Context(stderr=stream, environ={}), "an answer", first=60):
        pass
    assert stream.getvalue() == ""
