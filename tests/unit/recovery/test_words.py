"""What dr status says, to the number; and what a release that lags behind in its replica is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from gateways.origins import Rule
from recovery import closing
from recovery.comparing import Difference
from recovery.status import OriginFailover, _duration, alarm_names, closure, content_problems, failover_of, rule_words, status_lines
from tests.simulated import Small, small_assembly, stackset
from tests.unit.recovery.test_status import answer, compared, whole
from tests.unit.recovery.world import DISTRIBUTION, ORIGINS, POLICY, START


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (119.4, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h"), (86_400, "24 h")]
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
    problems = content_problems(msgspec.structs.replace(found, live=2, live_same=2), "prod")
    assert problems == ("the replica lacks 7 objects, the oldest for 60 s; to copy them: python deploy.py dr --env prod backfill",)


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
    assert until == "2026-11-27T12:00:00Z" and "rehearsal 0badcafe has closed" in words and "rehearse --end" in words
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
