"""What S3 says of the live release's objects decides whether disaster recovery has something to recover from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aws.errors import AccessDenied
from aws.s3 import Head
from website.replication import PATIENCE, replicated

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def look(**statuses: str | None) -> tuple[str, str]:
    def head(key: str) -> Head | None:
        status = statuses[key]
        if status is None:
            return None
        word, _, hours = status.partition(" ")
        return Head(key=key, size=1, etag="e", replication=word, modified=NOW - timedelta(hours=float(hours or 0)))

    result = replicated(statuses, head, now=NOW)
    return result.status, result.detail


@pytest.mark.parametrize(
    ("statuses", "status", "words"),
    [
        ({"a": "COMPLETED", "b": "COMPLETED"}, "passed", "2 of 2 objects replicated"),
        ({"a": "COMPLETED", "b": "PENDING"}, "passed", "1 of 2 objects replicated, 1 pending"),
        ({"a": "PENDING 23"}, "passed", "0 of 1"),
        ({"a": f"PENDING {PATIENCE.total_seconds() / 3600 + 1}"}, "failed", "pending for more than 24 hours: a"),
        ({"a": "COMPLETED", "b": "FAILED"}, "failed", "could not replicate b; does the replication role"),
        ({"a": "COMPLETED", "b": ""}, "failed", "never meant to replicate b"),
        ({"a": "FAILED", "b": "FAILED", "c": "FAILED", "d": "FAILED", "e": "FAILED"}, "failed", "a, b, c and 2 more"),
        ({"a": "COMPLETED", "b": None}, "passed", "1 of 1"),
    ],
)
def test_the_replica_is_judged_by_what_s3_says_of_each_object(statuses: dict[str, str | None], status: str, words: str) -> None:
    found = look(**statuses)
    assert found[0] == status
    assert words in found[1]


def test_what_cannot_be_read_is_a_failure_and_no_crash() -> None:
    def denied(key: str) -> Head | None:
        raise AccessDenied("not authorized")

    result = replicated(["a"], denied, now=NOW)
    assert (result.status, result.detail) == ("failed", "cannot be read: not authorized")
