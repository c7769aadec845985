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
