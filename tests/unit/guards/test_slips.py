"""What a word was probably meant to be."""

from __future__ import annotations

import pytest

from guards.slips import closest, did_you_mean


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("plna", ["apply", "plan"], "plan"),
        ("PLAN", ["plan"], "plan"),
        ("verfy", ["Verify"], "Verify"),
        ("--env", ["--environment"], "--environment"),
        ("-----", ["--yes"], ""),
        # A beginning of three letters, in either direction; of several the first.
        ("env", ["of-an-env-thing-or-two", "environment-of-all", "environment-of-some"], "environment-of-all"),
        ("en", ["environment"], ""),
        ("environment-of-all", ["env"], "env"),
        ("environment", ["en"], ""),
        ("xyz", ["plan", "apply"], ""),
        ("xyz", [], ""),
    ],
)
def test_the_closest_word_as_it_is_spelled(word: str, known: list[str], meant: str) -> None:
    assert closest(word, known) == meant
    assert did_you_mean(word, known) == (f"; did you mean {meant}?" if meant else "")
