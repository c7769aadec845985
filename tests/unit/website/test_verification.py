"""What S3 says of the live release's objects decides whether disaster recovery has something to recover from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from aws.errors import AccessDenied
from aws.s3 import Head
from tests.unit.website.test_content import CONTRACT
from verification.checks.replica import PENDING_LIMIT
from verification.model import Replica, Target
from verification.probe import Probe
from verification.registry import THEMES, registered
from verification.verify import made

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def verified(replica: Replica, identity: str = "replica.current") -> tuple[str, str]:
    target = Target(contract=CONTRACT, replica=replica)
    [check] = [each for each in registered() if each.id == identity]
    with Probe(target, lambda: NOW) as probe:
        result = made(check, probe)
    assert result is not None
    return result.status, result.detail


def replica_of(head: Callable[[str], Head | None], *behind: str, same: int = 0, readers: Callable[[], tuple[str, ...]] = tuple) -> Replica:
    keys = frozenset([*behind, *(f"same{number}" for number in range(same))])
    return Replica(keys=keys, head=head, unlike=lambda: behind, readers=readers)


def look(*, same: int = 0, **statuses: str | None) -> tuple[str, str]:
    """`statuses`: what S3 says of the sources of what the replica has not, or with other bytes."""

    def head(key: str) -> Head | None:
        status = statuses[key]
        if status is None:
            return None
        word, _, hours = status.partition(" ")
        return Head(key=key, size=1, etag="e", replication=word, modified=NOW - timedelta(hours=float(hours or 0)))

    return verified(replica_of(head, *statuses, same=same))


@pytest.mark.parametrize(
    ("same", "statuses", "status", "words"),
    [
        (2, {}, "passed", "2 of 2 files, byte for byte"),
        (1, {"b": "PENDING"}, "passed", "1 of 2 files, byte for byte, 1 pending"),
        (0, {"a": "PENDING 23"}, "passed", "0 of 1"),
        (0, {"a": f"PENDING {PENDING_LIMIT.total_seconds() / 3600 + 1}"}, "failed", "pending for more than 24 hours: a"),
        (1, {"b": "FAILED"}, "failed", "could not replicate b; does the replication role"),
        (1, {"b": ""}, "failed", "not there, or with other bytes: b; `dr backfill`"),
        (0, {"b": "COMPLETED"}, "failed", "not there, or with other bytes: b"),
        (0, {"a": "FAILED", "b": "FAILED", "c": "FAILED", "d": "FAILED", "e": "FAILED"}, "failed", "a, b, c and 2 more"),
        (0, {"a": "FAILED", "b": "FAILED", "c": "FAILED"}, "failed", "could not replicate a, b, c;"),
        (1, {"b": None}, "failed", "not there, or with other bytes: b"),
    ],
)
def test_the_replica_is_judged_by_its_bytes_and_what_it_lacks_by_what_s3_says_of_the_source(
    same: int, statuses: dict[str, str | None], status: str, words: str
) -> None:
    found = look(same=same, **statuses)
    assert found[0] == status
    assert words in found[1]


def test_other_readers_of_the_replica_are_a_failure() -> None:
    def nothing(_: str) -> Head | None:
        return None

    assert verified(replica_of(nothing), "replica.readers") == ("passed", "statement by statement")
    other = replica_of(nothing, readers=lambda: ("statement CloudFrontReads",))
    assert verified(other, "replica.readers") == ("failed", "statement CloudFrontReads")

    def denied() -> tuple[str, ...]:
        raise AccessDenied("not authorized")

    assert verified(replica_of(nothing, readers=denied), "replica.readers")[0] == "failed"


def test_what_cannot_be_read_is_a_failure_and_no_crash() -> None:
    def denied(key: str) -> Head | None:
        raise AccessDenied("not authorized")

    assert verified(replica_of(denied, "a")) == ("failed", "cannot be read: not authorized")


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
        assert each.check.__module__ == f"verification.checks.{each.id.partition('.')[0]}"
    assert {each.id.partition(".")[0] for each in found} == set(THEMES)
