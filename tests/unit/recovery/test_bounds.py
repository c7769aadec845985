"""Where recovery/ draws its lines: to the object, to the second, to the request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from aws.errors import AccessDenied
from aws.s3 import Head
from gateways.origins import COPY_LIMIT
from recovery import backfill
from recovery.backfill import copy_all, is_large, minutes
from recovery.closing import refuses_replication, unlike
from recovery.comparing import Difference, StoredObject, difference, read_closely, same
from tests.unit.recovery.test_following import Place
from tests.unit.recovery.world import ORIGINS, START, Memory, digest

# --- back-fill --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("objects", "size", "large"),
    [(100_000, 500_000_000_000, False), (100_001, 0, True), (1, 500_000_000_001, True)],
)
def test_beyond_a_hundred_thousand_objects_or_500_gb_a_site_is_large(objects: int, size: int, large: bool) -> None:
    assert is_large(Difference(objects=objects, size=size)) is large


@pytest.mark.parametrize(("objects", "wanted"), [(0, 1), (8_999, 1), (9_001, 2), (600_000, 100)])
def test_a_hundred_copies_are_made_in_a_second(objects: int, wanted: int) -> None:
    assert minutes(Difference(objects=objects)) == wanted


def test_one_copy_takes_as_much_as_the_limit_and_no_more() -> None:
    place = Place()
    for key in ("most", "more"):
        place.primary.add(key, key)
    anything: Any = place.copies
    held = {key: StoredObject(etag=digest(key.encode()), size=COPY_LIMIT + (key == "more")) for key in ("most", "more")}
    assert copy_all(ORIGINS, anything, held, place.run) == ("more",)
    assert place.copies.copied == ["most"]


def test_whether_this_run_may_still_write_is_looked_at_before_each_two_hundred_copies() -> None:
    place, copied = Place(), []
    held = {f"k{number:03}": StoredObject(etag=digest(b"x"), size=1) for number in range(401)}
    for key in held:
        place.primary.add(key, "x")
    anything: Any = place.copies
    assert copy_all(ORIGINS, anything, held, place.run, lambda: copied.append(len(place.copies.copied))) == ()
    assert copied == [0, 200, 400]


@pytest.mark.parametrize(("age", "copied"), [(timedelta(minutes=15), []), (timedelta(minutes=15, seconds=1), ["a"]), (None, ["a"])])
def test_what_is_older_than_a_quarter_of_an_hour_or_of_an_unknown_age_is_not_left_to_s3(age: timedelta | None, copied: list[str]) -> None:
    place = Place()
    place.primary.add("a", "a", "PENDING", modified=START)
    listing = {"a": StoredObject(etag=digest(b"a"), size=1, modified=None if age is None else START - age)}
    anything: Any = place.primary
    assert list(backfill._not_under_way(["a"], listing, ORIGINS, anything, place.run)) == copied


def test_an_object_that_is_exchanged_every_time_is_given_up_after_three_rounds() -> None:
    place, rounds = Place(), list[str]()
    place.primary.add("a", "0", modified=START - timedelta(days=9))
    anything: Any = place

    def exchanged(_source: str, key: str, _bucket: str, *, if_match: str) -> None:
        rounds.append(if_match)
        place.primary.add(key, str(len(rounds)), modified=START - timedelta(days=9))

    anything.copies.copy = exchanged
    assert backfill.fill(ORIGINS, anything.primary, anything.replica, anything.copies, place.run).left == ("a",)
    assert rounds == [digest(b"0"), digest(b"1"), digest(b"2")]


# --- two buckets, compared --------------------------------------------------------------------------------------------


def test_twenty_of_what_differs_are_named() -> None:
    listing = {f"k{number:02}": StoredObject(etag="x", size=2) for number in range(21)}
    found = difference(listing, listing)
    assert (found.objects, found.size, found.keys) == (21, 42, tuple(listing)[:20])
    assert Difference() == Difference(objects=0, size=0, keys=())


def test_a_copy_of_the_same_second_is_one() -> None:
    parts = StoredObject(etag="a-2", size=9, modified=START)
    assert same(parts, replace(parts, etag="b")) is True
    assert same(parts, None) is False and same(parts, replace(parts, etag="b", modified=START - timedelta(seconds=1))) is False
    assert same(replace(parts, etag="a"), replace(parts, etag="b")) is False, "an object is of no key unless it was asked about"


def asked_about(place: Place, change: dict[str, Any] | AccessDenied | None = None) -> tuple[list[str], list[str]]:
    """Keys that were asked about; and those that a key of KMS encrypts. `change`: what the head says other than the listing did."""
    asked: list[str] = []

    class Asked(Memory):
        def head(self, bucket: str, key: str, *, checksum: bool = False) -> Head | None:
            asked.append(key)
            if isinstance(change, AccessDenied):
                raise change
            found = Memory.head(place.primary, bucket, key)
            return found if change is None else msgspec.structs.replace(found, **change) if found and change else None

    primary: Any = Asked(place.clock, place.primary.objects)
    replica: Any = place.replica
    here, _ = read_closely((primary, "site"), (replica, "replica"))
    return sorted(asked), sorted(key for key, held in here.items() if held.by_key)


def kept() -> Place:
    """One object for each way in which a copy is like what it was made of."""
    place, later = Place(), START + timedelta(seconds=1)
    for key, here, there in (("sealed", "a", "a"), ("plain", "a", "b"), ("longer", "a", "ab"), ("equal", "a", "a"), ("older", "a", "b")):
        place.primary.add(key, here, by_key="k1" if key == "sealed" else "")
        place.replica.add(key, there, modified=START - timedelta(seconds=1) if key == "older" else later)
    place.primary.add("missing", "a")
    return place


def test_only_what_differs_by_nothing_but_the_etag_is_asked_about() -> None:
    assert asked_about(kept()) == (["plain", "sealed"], ["sealed"])


@pytest.mark.parametrize("change", [{}, {"etag": "written meanwhile"}, AccessDenied("kms:Decrypt")])
def test_what_is_gone_or_was_written_since_it_was_listed_or_is_not_told_is_not_taken_for_a_key_s(change: Any) -> None:
    assert asked_about(kept(), change) == (["plain", "sealed"], [])


# --- policies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "refuses"),
    [
        ({"Effect": "Deny", "Action": "s3:ReplicateObject"}, True),
        ({"Effect": "Deny", "Action": ["s3:ReplicateObject", "s3:ReplicateTags"]}, True),
        ({"Effect": "Allow", "Action": "s3:ReplicateObject"}, False),
        ({"Effect": "Deny", "Action": ["s3:ReplicateObject", "s3:GetObject"]}, False),
        ({"Effect": "Deny", "Action": "s3:GetObject"}, False),
        ({"Effect": "Deny", "Action": []}, False),
        ({"Effect": "Deny", "NotAction": "s3:GetObject"}, False),
    ],
)
def test_a_deny_of_replication_alone_says_nothing_of_who_reads(statement: dict[str, Any], refuses: bool) -> None:
    policy = {"Statement": [{"Sid": "It", **statement}]}
    assert refuses_replication(policy) is refuses
    assert unlike(None, policy, ORIGINS.primary.arn, ORIGINS.replica.arn) == (() if refuses else ("It",))


# --- following --------------------------------------------------------------------------------------------------------


def test_a_replica_that_has_everything_is_looked_at_once() -> None:
    place, looks = Place(), []
    for bucket in (place.primary, place.replica):
        bucket.add("a", "a", "COMPLETED")
    listed = place.replica.list

    def counted(bucket: str, prefix: str = "") -> Iterator[Head]:
        looks.append(bucket)
        return listed(bucket, prefix)

    anything: Any = place.replica
    anything.list = counted
    assert place.follow() is True and looks == ["replica"]


def test_a_release_waits_for_no_longer_than_the_run_says() -> None:
    place = Place(seconds=1.25)
    place.primary.add("a", "a", "PENDING")
    assert place.follow() is False
    assert (place.clock.moment - START).total_seconds() == 1.25, "a half and three quarters of a second"
    assert place.warnings[0].startswith("the replica has not a after 1 s; ")


def test_what_could_not_be_removed_from_the_replica_is_a_warning() -> None:
    place = Place()
    place.primary.error = AccessDenied("not you")
    place.replica.add("gone", "gone")
    place.following.forget((), place.run)
    (told,) = place.warnings
    assert told.startswith("what was removed from the site could not be removed from its replica: ") and "not you" in told
    assert set(place.replica.objects) == {"gone"}
