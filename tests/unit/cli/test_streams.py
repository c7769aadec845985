"""A reader that goes away, a disk that is full: a status that lets no gate pass, and words where somebody still reads them."""

from __future__ import annotations

import errno
import io
import sys
from collections.abc import Callable, Iterator

import pytest

from cli.main import BEGUN, UNCHANGED, guarded
from session.context import Context

GONE = BrokenPipeError(errno.EPIPE, "Broken pipe")
FULL = OSError(errno.ENOSPC, "No space left on device")


class Broken(io.StringIO):
    """Takes nothing."""

    def __init__(self, error: OSError, at: str) -> None:
        super().__init__()
        self._error, self._at = error, at

    def write(self, text: str) -> int:
        if self._at == "write":
            raise self._error
        return len(text)

    def flush(self) -> None:
        if self._at == "flush":
            raise self._error


@pytest.fixture(autouse=True)
def _stdout() -> Iterator[None]:
    before = sys.stdout
    yield
    sys.stdout = before


def tells(status: int) -> Callable[[Context], int]:
    def run(context: Context) -> int:
        context.result("told")
        return status

    return run


@pytest.mark.parametrize(
    ("error", "at", "run", "interrupted", "status", "words"),
    [
        (GONE, "write", tells(0), UNCHANGED, 1, ""),
        (
            GONE,
            "write",
            tells(0),
            BEGUN,
            1,
            "error: stdout has no reader any more; what was begun may be done: the same command goes on from there\n",
        ),
        (GONE, "flush", lambda _: 3, BEGUN, 3, ""),
        (GONE, "flush", lambda _: 0, BEGUN, 0, ""),
        (FULL, "write", tells(0), UNCHANGED, 1, "error: input or output: No space left on device\n"),
        (FULL, "flush", lambda _: 0, BEGUN, 1, "error: stdout: No space left on device\n"),
        (FULL, "flush", lambda _: 2, BEGUN, 2, ""),
    ],
)
def test_what_nobody_takes_is_no_success_unless_the_work_was_done(
    error: OSError, at: str, run: Callable[[Context], int], interrupted: str, status: int, words: str
) -> None:
    context = Context(stdout=Broken(error, at), stderr=io.StringIO())
    inside: list[int] = []

    def verb() -> int:
        inside.append(guarded(lambda: run(context), context, interrupted=interrupted))
        return inside[0]

    assert (guarded(verb, context), inside) == (status, [status]), "as in `main`, one in another"
    assert context.stderr.getvalue() == words  # type: ignore[attr-defined]


def test_nobody_hears_anything_at_all() -> None:
    context = Context(stdout=Broken(FULL, "write"), stderr=Broken(FULL, "write"))
    assert guarded(lambda: tells(0)(context), context) == 1
