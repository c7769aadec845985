"""What dr status says, to the number; and what a release that lags behind in its replica is told."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from aws.errors import NotFound
from gateways.origins import Rule
from recovery import backfill, closing, report
from recovery.comparing import Difference, read
from recovery.status import OriginFailover, _duration, alarm_names, closure, content_problems, failover_of, rule_words, status_lines
from tests.simulated import Small, small_assembly, stackset
from tests.unit.recovery.test_following import Place
from tests.unit.recovery.test_status import answer, compared, whole
from tests.unit.recovery.test_status import report as a_report
from tests.unit.recovery.world import DISTRIBUTION, ORIGINS, POLICY, START
from website.run import Begun, Sent


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (119.4, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h"), (8_999, "2 h"), (9_001, "3 h"), (86_400, "24 h")],
)
def test_durations(seconds: float, words: str) -> None:
    assert _duration(seconds) == words


def test_rules_in_words() -> None:
    rules = [
        Rule(id="all", status="Enabled", destination="arn:aws:s3:::replica", delete_markers="Enabled"),
        Rule(status="Disabled", destination="arn:aws:s3:::other"),
    ]
    assert rule_words(rules) == (
        "all: enabled, to replica, delete markers enabled",
        "rule: disabled, to other, delete markers disabled",
    )


def test_the_codes_are_those_that_every_group_has() -> None:
    assert failover_of(answer(codes=[503, 403, 500]), "E1", ORIGINS).codes == (403, 500, 503)


def test_what_differs_is_named_by_three_of_it() -> None:
    found = msgspec.structs.replace(
        compared({}, {}),
        missing=Difference(objects=4, size=4_000, keys=("a", "b", "c", "d")),
        other=Difference(objects=3, size=3, keys=("e", "f", "g")),
        orphans=Difference(objects=1, size=1, keys=("h",)),
        lag_seconds=60.0,
    )
    text = "\n".join(status_lines(whole(comparison=found, release=0)))
    assert "  missing: 4 objects (4.0 kB): a, b, c and 1 more" in text
    assert "  other bytes: 3 objects (3 B): e, f, g\n" in text and "  only in the replica: 1 object (1 B): h" in text
    assert "lag          60 s" in text and "live release none: " in text
    problems = content_problems(msgspec.structs.replace(found, live=2, live_same=2, live_at_home=2), "prod")
    assert problems == ("the replica lacks 7 objects, the oldest for 60 s; to copy them: python deploy.py dr backfill --env prod",)


def test_a_whole_site_in_words() -> None:
    lines = status_lines(whole())
    assert "lag          none" in lines and "failover     distribution E1: to the replica on 403, 503, or no answer" in lines
    assert "alarm        prod-SiteDown: OK" in lines and not any(line.startswith("  missing") for line in lines)
    silent = status_lines(whole(failover=OriginFailover(distribution_id="E1")))
    assert "failover     distribution E1: to the replica on nothing, or no answer" in silent


def test_the_latest_closing_counts() -> None:
    first = closing.closed(POLICY, ORIGINS.primary.arn, DISTRIBUTION, identity="0badcafe", until=START)
    both: Any = {**first, "Statement": [*first["Statement"]]}
    until, (words,) = closure(both, "prod", START - timedelta(seconds=1))
    assert until == "2026-11-27T12:00:00Z" and "rehearsal 0badcafe has closed" in words and "rehearse --env prod --end" in words
    assert closure(None, "prod", START) == ("", ())


def test_alarms_of_health_checks_and_replication_by_region() -> None:
    def alarms(*properties: dict[str, Any], kind: str = "AWS::CloudWatch::Alarm") -> dict[str, Any]:
        return {"Resources": {f"A{n}": {"Type": kind, "Properties": p} for n, p in enumerate(properties)}}

    health, replication = {"Namespace": "AWS/Route53", "AlarmName": "h"}, {"Namespace": "AWS/S3", "AlarmName": "r"}
    other, nameless = {"Namespace": "AWS/Lambda", "AlarmName": "o"}, {"Namespace": "AWS/S3"}
    made, templates = small_assembly(
        Small(id="a", template=alarms(health, other, nameless), region="us-east-1"),
        Small(id="b", template=alarms(replication), region="us-east-1"),
        Small(id="c", template=alarms(replication, kind="AWS::SNS::Topic")),
        Small(id="d", template={"Resources": {"Bare": {"Type": "AWS::CloudWatch::Alarm"}}}, more={"stackset": stackset("eu-west-1")}),
    )
    assert alarm_names(made, templates) == {"us-east-1": ("h", "r")}


# --- following a release ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "named"), [(1, "k0"), (3, "k0, k1, k2"), (4, "k0, k1, k2 and 1 more")])
def test_three_of_what_is_behind_are_named_and_the_waiting_is_told_once(count: int, named: str) -> None:
    place = Place(seconds=5)
    slept: list[float] = []
    sleep = place.run.sleep

    def slow(seconds: float) -> None:
        slept.append(seconds)
        sleep(seconds)

    place.run = type(place.run)(**{**vars(place.run), "sleep": slow})
    for number in range(count):
        place.primary.add(f"k{number}", "a", "PENDING")
    assert place.follow() is False
    assert place.warnings[0].startswith(f"the replica has not {named} after ")
    assert [e.step for e in place.told if isinstance(e, Begun)] == [
        f"waiting until the replica in eu-west-1 has {count} file{'' if count == 1 else 's'}"
    ]
    assert slept[:3] == [0.5, 0.75, 1.125] and place.renewed == len(slept)


def test_a_long_wait_looks_every_ten_seconds_and_a_replica_that_cannot_be_read_is_behind() -> None:
    place = Place(seconds=100)
    place.primary.add("a", "a", "PENDING")
    moments = []
    place.clock.on_sleep = lambda: moments.append(place.clock.moment)
    assert place.follow() is False
    assert max(later - earlier for earlier, later in itertools.pairwise(moments)) == timedelta(seconds=10)
    from aws.errors import AccessDenied

    closed = Place()
    closed.primary.add("a", "a")
    closed.replica.error = AccessDenied("not you")
    assert closed.follow() is False


def test_what_is_gone_from_the_site_is_only_waited_for() -> None:
    place = Place(seconds=1)
    assert place.following.catch_up({"gone": "etag"}, place.run, place.renew) is False
    assert place.copies.copied == []


def test_what_is_removed_from_the_replica_is_told_by_file() -> None:
    place = Place()
    place.primary.add("live", "live")
    for key in ("live", "one", "three"):
        place.replica.add(key, key)
    place.following.forget({"live"}, place.run)
    (begun,) = [e for e in place.told if isinstance(e, Begun)]
    assert (begun.step, begun.files, begun.size) == ("removing from the replica", 2, 8)
    assert [(e.key, e.size) for e in place.told if isinstance(e, Sent)] == [("one", 3), ("three", 5)]
    place.told.clear()
    place.following.forget({"live"}, place.run)
    assert place.told == []


def test_a_young_object_that_s3_brings_is_left_to_it_and_an_old_one_is_not_asked_about() -> None:
    def copied(age: timedelta, status: str) -> list[str]:
        place = Place()
        place.primary.add("a", "a", status, modified=START - age)
        anything: Any = place
        backfill.fill(ORIGINS, anything.primary, anything.replica, anything.copies, place.run)
        return place.copies.copied

    assert copied(backfill.FRESH, "PENDING") == [] == copied(timedelta(), "COMPLETED")
    assert copied(backfill.FRESH + timedelta(seconds=1), "PENDING") == ["a"] == copied(timedelta(), "FAILED")


def test_a_young_object_that_is_gone_is_not_brought() -> None:
    place = Place()
    place.primary.add("a", "a", modified=START)
    anything: Any = place
    listing = read(anything.primary, "site")
    place.primary.objects.clear()
    found = backfill._not_under_way(["a"], listing, ORIGINS, anything.primary, place.run)
    assert list(found) == ["a"], "and its copy says that it is not there"


# --- reports --------------------------------------------------------------------------------------------------------


def test_a_rehearsal_in_a_line() -> None:
    assert a_report().summary == "under way, or cut off"
    checks = tuple(report.Check(id=str(n), status=status) for n, status in enumerate(("passed",) * 3 + ("failed", "skipped")))
    whole_ = a_report(result="failed", detected_seconds=0.0, checks=checks, visits=9, failed_visits=1, message="broken")
    assert whole_.summary == "failed, replica after 0 s, 3 checks passed, 1 failed, 1 not made, 1 of 9 visits failed: broken"
    assert (
        a_report(result="passed", recovered_seconds=5.0, rpo_seconds=2.0, rpo_objects=3).summary == "passed, RTO 5 s, RPO 2 s (3 objects)"
    )
    assert a_report(result="aborted", failed_visits=2).summary == "aborted"


def test_reports_come_back_the_newest_first() -> None:
    place = Place()
    s3: Any = place.primary
    for day, identity in (("20", "a"), ("22", "b"), ("21", "c")):
        report.save(s3, "artifacts", a_report(id=identity, started_at=f"2026-11-{day}T12:00:00Z"))
    assert sorted(place.primary.objects)[0] == "rehearsals/prod/20261120T120000Z-a.json"
    place.primary.add("rehearsals/prod/2026-broken.json", "{")
    s3.get = lambda bucket, key: type("Stored", (), {"body": place.primary.objects[key].body})
    assert [r.id for r in report.read(s3, "artifacts", "prod", limit=9)] == ["b", "c", "a"]
    assert [r.id for r in report.read(s3, "artifacts", "prod", limit=2)] in (["b"], ["b", "c"])
    assert report.read(s3, "artifacts", "dev", limit=9) == ()
    place.primary.error = NotFound("no bucket")
    assert report.read(s3, "artifacts", "prod", limit=9) == ()


# --- whether the replica answers ------------------------------------------------------------------------------------


def test_a_beacon_is_the_replicas_answer_only_with_its_own_words_and_status() -> None:
    from types import SimpleNamespace

    from recovery.rehearsal import Rehearsal

    place = Place()
    answers: list[tuple[int, bytes]] = []
    asked: list[str] = []

    def visit(path: str) -> tuple[int, bytes]:
        asked.append(path)
        words = f"replica 0badcafe {len(asked)}".encode()
        return answers[-1] if answers[-1][1] else (answers[-1][0], words)

    gateways: Any = SimpleNamespace(origins=ORIGINS, prefix="buy/", replica=place.replica, visit=visit)
    plan: Any = SimpleNamespace(minutes=5)
    rehearsal = Rehearsal(plan=plan, gateways=gateways, report=a_report())
    served = []
    for answer_ in ((200, b""), (404, b""), (200, b"another"), (0, b"x")):
        answers.append(answer_)
        served.append(rehearsal._served_by_replica())
    assert served == [True, False, False, False]
    assert [path.rpartition("/")[2].endswith(f"0badcafe-{n}.txt") for n, path in enumerate(asked, 1)] == [True] * 4
    assert all(path.startswith("/buy/") for path in asked) and len(place.replica.objects) == 4


# --- copying --------------------------------------------------------------------------------------------------------


def test_what_was_copied_is_told_and_what_was_exchanged_is_left_and_not_counted() -> None:
    place = Place()
    old = START - timedelta(days=9)
    for key in ("one", "exchanged"):
        place.primary.add(key, key, modified=old)
    anything: Any = place
    listing = read(anything.primary, "site")
    place.primary.add("exchanged", "other", modified=old)
    assert backfill.copy_all(ORIGINS, anything.copies, listing, place.run) == ("exchanged",)
    assert [(e.key, e.size) for e in place.told if isinstance(e, Sent)] == [("one", 3)]
    (begun,) = [e for e in place.told if isinstance(e, Begun)]
    assert (begun.files, begun.size) == (2, 12)


def test_where_nothing_is_to_be_copied_nothing_is_begun() -> None:
    place = Place()
    place.primary.add("coming", "a", "PENDING", modified=START)
    anything: Any = place
    done = backfill.fill(ORIGINS, anything.primary, anything.replica, anything.copies, place.run)
    assert (done.objects, done.size, done.left, place.told) == (0, 0, ("coming",), [])


def test_what_is_exchanged_in_every_round_is_never_counted() -> None:
    place = Place()
    old = START - timedelta(days=9)
    place.primary.add("a", "0", modified=old)
    anything: Any = place
    copy, rounds = place.copies.copy, []

    def exchanged(source: str, key: str, bucket: str, *, if_match: str) -> None:
        rounds.append(key)
        place.primary.add("a", str(len(rounds)), modified=old)
        copy(source, key, bucket, if_match=if_match)

    anything.copies.copy = exchanged
    done = backfill.fill(ORIGINS, anything.primary, anything.replica, anything.copies, place.run)
    assert (len(rounds), done.objects, done.left) == (backfill.ROUNDS, 0, ("a",))
