"""A release waits for its replica, for a set time; what replication will never bring is copied, and nothing is copied over newer bytes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from aws.errors import AccessDenied
from recovery import backfill
from recovery.backfill import BATCH_OBJECTS, is_large, minutes, needed
from recovery.comparing import Difference, StoredObject
from recovery.following import Following
from tests.unit.recovery.world import ORIGINS, START, Clock, Memory, Policies, a_run, digest
from website.run import Warned


class Place:
    """Both buckets with what follows them."""

    def __init__(self, seconds: float = 60.0) -> None:
        self.clock = Clock()
        self.primary, self.replica = Memory(self.clock), Memory(self.clock)
        self.copies = Policies(self.primary, self.replica)
        anything: Any = self
        self.following = Following(origins=ORIGINS, primary=anything.primary, replica=anything.replica, copies=anything.copies)
        made, self.told = a_run(self.clock)
        self.run = replace(made, replica_seconds=seconds)
        self.renewed = 0

    def renew(self) -> None:
        self.renewed += 1

    def follow(self) -> bool:
        wanted = {key: kept.etag for key, kept in self.primary.objects.items()}
        return self.following.catch_up(wanted, self.run, self.renew)

    @property
    def warnings(self) -> list[str]:
        return [event.text for event in self.told if isinstance(event, Warned)]


def test_what_is_there_is_not_waited_for() -> None:
    place = Place()
    for bucket in (place.primary, place.replica):
        bucket.add("a", "a", "COMPLETED")
    assert place.follow()
    assert (place.clock.moment, place.told, place.copies.copied) == (START, [], [])


def test_what_s3_is_about_to_bring_is_waited_for_and_not_copied() -> None:
    place = Place()
    place.primary.add("a", "a", "PENDING")

    def brought() -> None:
        if place.clock.moment - START > timedelta(seconds=5):
            place.replica.add("a", "a", "REPLICA")

    place.clock.on_sleep = brought
    assert place.follow()
    assert (place.copies.copied, place.warnings) == ([], [])
    assert place.renewed, "the claim is renewed while a release waits"


def test_a_replica_that_lags_is_a_warning_after_the_set_time_and_the_release_goes_on() -> None:
    place = Place(seconds=60)
    place.primary.add("a", "a", "PENDING")
    assert not place.follow()
    waited = (place.clock.moment - START).total_seconds()
    assert 60 <= waited < 75
    assert "the replica has not a after" in place.warnings[0] and "dr status --env prod" in place.warnings[0]
    assert not place.follow()
    assert (place.clock.moment - START).total_seconds() == waited, "the time is for the whole run"
    assert len(place.warnings) == 1


def test_what_was_there_before_replication_and_what_failed_is_copied_at_once() -> None:
    place = Place()
    place.primary.add("old", "old", "")
    place.primary.add("failed", "failed", "FAILED")
    assert place.follow()
    assert sorted(place.copies.copied) == ["failed", "old"]
    assert place.clock.moment == START


def test_other_bytes_than_the_releases_are_not_copied_in_their_place() -> None:
    place = Place(seconds=1)
    place.primary.add("a", "somebody else's", "")
    assert not place.following.catch_up({"a": digest(b"the release's")}, place.run, place.renew)
    assert place.copies.copied == []


def test_a_replica_that_cannot_be_read_fails_no_release() -> None:
    place = Place()
    place.primary.add("a", "a")
    place.replica.error = AccessDenied("not authorized")
    assert not place.follow()
    assert "cannot be looked at: AccessDenied: not authorized" in place.warnings[0] or "not authorized" in place.warnings[0]


def test_a_prune_removes_from_the_replica_what_only_it_has_and_nothing_of_a_kept_release() -> None:
    place = Place()
    place.primary.add("live", "live")
    for key in ("live", "kept", "gone", ".releases/1-aa"):
        place.replica.add(key, key)
    place.following.forget({"live", "kept"}, place.run)
    assert set(place.replica.objects) == {"live", "kept"}
    assert set(place.primary.objects) == {"live"}


def test_a_site_bucket_that_lost_everything_takes_nothing_of_a_kept_release_with_it() -> None:
    place = Place()
    place.replica.add("live", "live")
    place.following.forget({"live"}, place.run)
    assert set(place.replica.objects) == {"live"}


# --- back-fill --------------------------------------------------------------------------------------------------------


def fill(place: Place) -> backfill.Filled:
    anything: Any = place
    return backfill.fill(ORIGINS, anything.primary, anything.replica, anything.copies, place.run)


def test_a_back_fill_copies_what_differs_by_digest_and_the_second_one_nothing() -> None:
    place = Place()
    old = START - timedelta(days=30)
    place.primary.add("same", "same", modified=old)
    place.replica.add("same", "same")
    place.primary.add("missing", "missing", modified=old)
    place.primary.add("other", "new", modified=old)
    place.replica.add("other", "old")
    done = fill(place)
    assert (done.objects, done.size, done.left) == (2, len("missing") + len("new"), ())
    assert sorted(place.copies.copied) == ["missing", "other"]
    assert fill(place) == backfill.Filled(objects=0, size=0, left=())


def test_what_a_key_of_kms_encrypts_is_copied_once_and_then_the_same() -> None:
    """Its ETag is no MD5, so that of a copy is another one, whatever is copied."""
    place, old = Place(), START - timedelta(days=30)
    place.primary.add("sealed", "sealed", modified=old, by_key="arn:aws:kms:eu-west-1:111111111111:key/f00")
    place.primary.add("plain", "new", modified=old)
    place.replica.add("plain", "old", modified=START)
    assert (fill(place), fill(place)) == (backfill.Filled(objects=2, size=9, left=()), backfill.Filled(objects=0, size=0, left=()))
    assert sorted(place.copies.copied) == ["plain", "sealed"]
    place.replica.add("sealed", "longer or shorter", modified=START)
    assert fill(place).objects == 1
    place.primary.add("sealed", "broken", modified=START + timedelta(days=1), by_key="another")
    assert fill(place).objects == 1, "written since the copy was made"

    def refused(*_: Any, **__: Any) -> None:
        raise AccessDenied("kms:Decrypt")

    place.primary.add("sealed", "broken", modified=old, by_key="a third")
    anything: Any = place.primary
    anything.head = refused
    assert fill(place).left == ("sealed",), "nobody knows, so it is not taken for the same"


def test_what_s3_is_about_to_bring_is_left_to_it() -> None:
    place = Place()
    place.primary.add("fresh", "fresh", "PENDING", modified=START)
    place.primary.add("lost", "lost", "COMPLETED", modified=START - timedelta(days=1))
    done = fill(place)
    assert (place.copies.copied, done.left) == (["lost"], ("fresh",))


def test_what_is_published_while_a_back_fill_runs_is_not_written_over_with_what_it_replaced() -> None:
    place = Place()
    place.primary.add("page", "first", modified=START - timedelta(days=1))
    copy = place.copies.copy

    def overtaken(source: str, key: str, bucket: str, *, if_match: str) -> None:
        if place.primary.objects["page"].body == b"first":
            place.primary.add("page", "second", modified=START)
            place.replica.add("page", "second")
        copy(source, key, bucket, if_match=if_match)

    anything: Any = place.copies
    anything.copy = overtaken
    assert fill(place).left == ()
    assert place.replica.objects["page"].body == b"second"


def test_what_was_exchanged_since_it_was_looked_at_is_not_copied_and_named() -> None:
    place = Place()
    place.primary.add("page", "second")
    anything: Any = place.copies
    held = {"page": StoredObject(etag=digest(b"first"), size=5), "gone": StoredObject(etag="x", size=1)}
    assert backfill.copy_all(ORIGINS, anything, held, place.run) == ("gone", "page")
    assert place.copies.copied == []


def test_too_large_for_one_copy_is_named_and_not_begun() -> None:
    place = Place()
    held = {"film": StoredObject(etag="x", size=6 * 1000**3)}
    anything: Any = place.copies
    assert backfill.copy_all(ORIGINS, anything, held, place.run) == ("film",)
    assert place.copies.copied == []


def test_a_very_large_site_is_known_by_objects_or_bytes() -> None:
    assert not is_large(Difference(objects=BATCH_OBJECTS, size=1))
    assert is_large(Difference(objects=BATCH_OBJECTS + 1, size=1))
    assert is_large(Difference(objects=1, size=501 * 1000**3))
    assert (minutes(Difference(objects=1)), minutes(Difference(objects=60_000))) == (1, 10)
    assert needed({"a": StoredObject(etag="a", size=7)}, {}) == Difference(objects=1, size=7, keys=("a",))
