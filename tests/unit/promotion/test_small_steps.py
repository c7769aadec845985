"""Parts of promote and failback by themselves: what goes home in which order, one list out of two, words for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from aws.s3 import Head, Stored
from gateways.origins import COPY_LIMIT
from promotion import fence
from promotion.carrying import Load, candidates, sorted_load
from promotion.plan import FailbackPlan, Keys, PromotePlan, Side, action_of, digest_of, lines
from promotion.records import joined
from promotion.target import Entry, Register, Target, Unreadable
from recovery.comparing import BEACONS, StoredObject
from tests.unit.website.stores import NOW, release, state
from website.releases import Pending

BEFORE, SINCE, AFTER = NOW - timedelta(hours=1), NOW, NOW + timedelta(hours=1)


def held(etag: str = "e", size: int = 1, modified: Any = AFTER) -> StoredObject:
    return StoredObject(etag=etag, size=size, modified=modified)


# --- what goes home -------------------------------------------------------------------------------------------------


def test_what_was_written_since_and_has_not_arrived_goes_home() -> None:
    standby = {
        "old": held(modified=BEFORE),
        "at-once": held(modified=SINCE),
        "new": held(),
        "unknown": held(modified=None),
        f"{BEACONS}x": held(),
        f"a/{BEACONS}x": held(),
    }
    assert candidates({}, standby, SINCE) == ("at-once", "new", "unknown")


@pytest.mark.parametrize(
    ("home", "arrived"),
    [
        (None, False),
        (held(), True),
        (held(modified=AFTER + timedelta(seconds=1)), True),
        (held(modified=BEFORE), False),
        (held(modified=None), True),
        (held("other"), False),
        (held(size=2), False),
    ],
)
def test_what_is_at_home_since_it_was_written_there_has_arrived(home: StoredObject | None, arrived: bool) -> None:
    assert (candidates({} if home is None else {"a": home}, {"a": held()}, SINCE) == ()) is arrived
    assert candidates({"a": held(modified=BEFORE)}, {"a": held(modified=None)}, SINCE) == ()


def test_a_page_goes_after_what_it_loads_and_a_worker_last() -> None:
    keys = ["sw.js", "x/service-worker.js", "a.mjs", "sw.mjs", "index.html", "about.html", "zoo.html", "b.js"]
    found = sorted_load({}, {key: held() for key in keys}, keys, SINCE, "index.html")
    assert [key for key, _ in found.objects] == [
        *("a.mjs", "b.js", "about.html", "zoo.html", "index.html", "sw.js", "sw.mjs", "x/service-worker.js")
    ]
    assert found.size == 8


def test_what_was_written_at_home_meanwhile_is_told() -> None:
    home = {"same": held(), "both": held("home"), "late": held("home"), "old": held("home", modified=BEFORE), "elsewhere": held("x")}
    standby = {"same": held(), "both": held("there"), "old": held("there"), "elsewhere": held("y")}
    found = sorted_load(home, standby, ["same", "both", "old"], SINCE, "index.html")
    assert (found.overwritten, found.late) == (("both",), ("elsewhere", "late"))


def test_what_one_copy_does_not_take() -> None:
    found = Load(objects=(("a", held(size=COPY_LIMIT)), ("b", held(size=COPY_LIMIT + 1))), overwritten=(), late=())
    assert found.too_large == ("b",)


# --- the fence ------------------------------------------------------------------------------------------------------


def test_a_fence_is_one_statement_more_and_goes_alone() -> None:
    other = {"Sid": "TlsOnly", "Effect": "Deny"}
    for policy in (None, {"Version": "2008-10-17", "Statement": [other]}, {"Statement": other}):
        made: Any = fence.fenced(policy, "arn:aws:s3:::replica")
        assert fence.is_fenced(made) and not fence.is_fenced(policy)
        deny = made["Statement"][-1]
        assert (deny["Effect"], deny["Principal"], deny["Resource"]) == ("Deny", "*", "arn:aws:s3:::replica/*")
        assert made["Version"] == (policy or {}).get("Version", "2012-10-17")
        assert fence.fenced(made, "arn:aws:s3:::replica") == made, "once, however often"
        back: Any = fence.lifted(made)
        assert back == (None if policy is None else {"Version": "2012-10-17", **policy, "Statement": [other]}) and not fence.is_fenced(back)
    assert fence.lifted(None) is None and not fence.is_fenced(None)


# --- one list out of two --------------------------------------------------------------------------------------------


def test_both_lists_are_one_with_the_standbys_last_release_live() -> None:
    one, two, three, late = release(1, days=9), release(2, days=8), release(3, days=2), release(4, days=5)
    found = joined(state(one, two, late), state(one, two, three), "site", NOW)
    assert [r.number for r in found.releases] == [1, 2, 4, 3] and found.bucket == "site"
    assert joined(found, state(one, two, three), "site", NOW).releases == found.releases, "joining once more changes nothing"
    newest = release(5, days=0)
    assert [r.number for r in joined(state(one, newest), state(one, three), "site", NOW).releases] == [1, 5, 3], "never last"
    same_moment = release(6, days=2)
    assert [r.number for r in joined(state(same_moment), state(one, three), "site", NOW).releases] == [1, 6, 3]


def test_an_empty_list_there_leaves_the_one_at_home() -> None:
    found = joined(state(release(1)), state(), "site", NOW)
    assert [r.number for r in found.releases] == [1] and found.bucket == "site"
    several = joined(state(release(1, days=9), release(2, days=8), release(3, days=7)), state(), "site", NOW)
    assert [r.number for r in several.releases] == [1, 2, 3]


def test_what_either_has_to_do_still_is_not_forgotten() -> None:
    here, there = Pending(paths=("/a",), reference="a"), Pending(paths=("/b",), reference="b")
    base = state(release(1))
    unfinished = {"m" * 64: "2026-11-23T11:00:00.000Z"}
    found = joined(msgspec.structs.replace(base, pending=here, unfinished=unfinished), base, "site", NOW)
    assert found.pending == here and found.unfinished == unfinished
    assert joined(msgspec.structs.replace(base, pending=here), msgspec.structs.replace(base, pending=there), "s", NOW).pending == there


# --- in words -------------------------------------------------------------------------------------------------------

HOME = Side(region="af-south-1", bucket="site", artifacts="artifacts")
THERE = Side(region="eu-west-1", bucket="replica", artifacts="artifacts-2", release=7)


def promote(**more: Any) -> PromotePlan:
    return PromotePlan(environment="prod", phase="home", epoch=1, home=HOME, standby=THERE, distribution="E1", **more)


def failback(**more: Any) -> FailbackPlan:
    usual: dict[str, Any] = {"carried": Keys(objects=1, size=2_000, keys=("a",)), "overwritten": Keys(), "late": Keys()}
    return FailbackPlan(
        environment="prod", phase="standby", epoch=2, home=HOME, standby=THERE, distribution="E1", since="t", **(usual | more)
    )


def test_a_promotion_in_words() -> None:
    text = "\n".join(lines(promote()))
    assert "releases go to replica in eu-west-1 from now on, not to site in af-south-1" in text
    assert "the list of releases ends at 7" in text and "undone by: python deploy.py dr failback --env prod" in text
    assert "cannot be rolled back" not in text and "cannot be rolled back" not in "\n".join(lines(promote(begun=7)))
    assert "the replica has files of release 8" in "\n".join(lines(promote(begun=8)))
    none = "\n".join(lines(msgspec.structs.replace(promote(), standby=msgspec.structs.replace(THERE, release=0))))
    assert "the list of releases ends at none" in none


def test_a_failback_in_words() -> None:
    text = "\n".join(lines(failback()))
    assert "1 object (2,000 bytes) published since t go home from replica" in text and "(none at home, 7 there)" in text
    assert "as well" not in text and "they stay" not in text
    without = msgspec.structs.replace(failback(), standby=msgspec.structs.replace(THERE, release=0))
    assert "(none at home, none there)" in "\n".join(lines(without))
    exactly = failback(late=Keys(objects=2, keys=("l", "m")))
    assert any(line.endswith("they stay: l, m") for line in lines(exactly))
    more = failback(carried=Keys(objects=2), overwritten=Keys(objects=1, keys=("o",)), late=Keys(objects=3, keys=("l", "m")))
    text = "\n".join(lines(more))
    assert "2 objects (0 bytes)" in text and "those versions stay, noncurrent: o" in text and "they stay: l, m and 1 more" in text


def test_what_is_approved_is_told_by_action_and_digest() -> None:
    assert (action_of(promote()), action_of(failback())) == ("promote", "failback")
    assert digest_of(promote()) == digest_of(promote()) != digest_of(promote(begun=1)) and not promote().planned
    assert digest_of(failback()) != digest_of(msgspec.structs.replace(failback(), since="u"))


# --- the register ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "since", "modified", "read"),
    [
        ("standby", "2026-11-27T12:00:00Z", None, True),
        ("standby", "", datetime(2026, 11, 27, tzinfo=UTC), True),
        ("standby", "", None, False),
        ("promoting", "", None, False),
        ("standby", "yesterday", None, False),
        ("home", "", None, True),
    ],
)
def test_a_register_that_does_not_say_since_when_is_not_relied_on(phase: str, since: str, modified: datetime | None, read: bool) -> None:
    target = Target(environment="prod", phase=phase, since=since)  # type: ignore[arg-type]
    stored = Stored(head=Head(key="k", size=1, etag="e", modified=modified), body=msgspec.json.encode(target))
    s3: Any = SimpleNamespace(get=lambda bucket, key: stored)
    register = Register(s3, "artifacts", "prod")
    if read:
        assert register.read() == Entry(target=target, etag="e", modified=modified)
    else:
        with pytest.raises(
            Unreadable, match="cannot be read: Invalid isoformat" if since else "does not say since when the replica takes releases"
        ):
            register.read()
