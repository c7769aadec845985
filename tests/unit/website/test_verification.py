"""What S3 says of the live release's objects decides whether disaster recovery has something to recover from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import pytest

from aws.errors import AccessDenied
from aws.s3 import Head
from tests.unit.website.test_content import CONTRACT
from website.verification.checks.replica import PENDING_LIMIT
from website.verification.model import Replica, Target
from website.verification.probe import Probe
from website.verification.registry import THEMES, registered
from website.verification.verify import made

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def verified(keys: Iterable[str], head: Callable[[str], Head | None]) -> tuple[str, str]:
    target = Target(contract=CONTRACT, replica=Replica(keys=frozenset(keys), head=head))
    [check] = [each for each in registered() if each.id == "replica.current"]
    with Probe(target, lambda: NOW) as probe:
        result = made(check, probe)
    assert result is not None
    return result.status, result.detail


def look(**statuses: str | None) -> tuple[str, str]:
    def head(key: str) -> Head | None:
        status = statuses[key]
        if status is None:
            return None
        word, _, hours = status.partition(" ")
        return Head(key=key, size=1, etag="e", replication=word, modified=NOW - timedelta(hours=float(hours or 0)))

    return verified(statuses, head)


@pytest.mark.parametrize(
    ("statuses", "status", "words"),
    [
        ({"a": "COMPLETED", "b": "COMPLETED"}, "passed", "2 of 2 objects replicated"),
        ({"a": "COMPLETED", "b": "PENDING"}, "passed", "1 of 2 objects replicated, 1 pending"),
        ({"a": "PENDING 23"}, "passed", "0 of 1"),
        ({"a": f"PENDING {PENDING_LIMIT.total_seconds() / 3600 + 1}"}, "failed", "pending for more than 24 hours: a"),
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

    assert verified(["a"], denied) == ("failed", "cannot be read: not authorized")


def test_an_environment_without_a_replica_promises_none_and_one_that_was_not_asked_about_is_skipped() -> None:
    [check] = [each for each in registered() if each.id == "replica.current"]
    with Probe(Target(contract=CONTRACT), lambda: NOW) as probe:
        assert made(check, probe) is None
    with Probe(Target(contract=CONTRACT, replica="AWS was not asked"), lambda: NOW) as probe:
        result = made(check, probe)
    assert result is not None
    assert (result.status, result.detail) == ("skipped", "AWS was not asked")


def test_every_check_stands_in_the_file_of_its_theme_and_ids_are_its_own() -> None:
    found = registered()
    assert len({each.id for each in found}) == len(found) > 30
    for each in found:
        assert each.check.__module__ == f"website.verification.checks.{each.id.partition('.')[0]}"
    assert {each.id.partition(".")[0] for each in found} == set(THEMES)
