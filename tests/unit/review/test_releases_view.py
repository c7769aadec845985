"""The list of releases for people."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from review.releases_view import release_lines
from tests.unit.cli.test_words_of_others import RELEASE
from website.releases import State


def test_what_was_built_from_more_than_its_commit_says_so() -> None:
    release = msgspec.structs.replace(RELEASE, commit="0123456789abcdef0123456789abcdef01234567-dirty")
    lines = release_lines(State(environment="test", releases=(release,)), keep=1, grace_days=1, now=datetime(2026, 11, 27, tzinfo=UTC))
    assert "0123456789ab-dirty" in lines[1]


def test_what_was_given_up_after_the_live_release_is_said_until_one_goes_live() -> None:
    before = State(environment="test", releases=(RELEASE,))
    later = msgspec.structs.replace(before, unfinished={"m": "2999-01-01T00:00:00Z", "n": "2000-01-01T00:00:00Z"})
    lines = release_lines(later, keep=1, grace_days=1, now=datetime(2026, 11, 27, tzinfo=UTC))
    assert lines[-1] == "unfinished: what was given up at 2999-01-01T00:00:00Z may have written some of its files"
    assert not msgspec.structs.replace(before, unfinished={"n": "2000-01-01T00:00:00Z"}).half_done
