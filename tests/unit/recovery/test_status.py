"""What dr status calls a problem: whatever would keep visitors from the page if the home region were lost now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from aws.answers import read
from aws.errors import NotFound
from gateways.origins import Failover, Rule
from promotion import fence
from recovery import closing, status
from recovery.comparing import Comparison, StoredObject, compare
from recovery.report import Report
from recovery.settings import problems
from recovery.status import OriginFailover, RecoveryStatus, closure, content_problems, failover_of, replication_problems, status_lines
from tests.hints import problems_of_text
from tests.unit.recovery.world import DISTRIBUTION, ORIGINS, POLICY, START, policy_of_replica


def answer(**changes: Any) -> Failover:
    """A distribution as CloudFront describes it."""
    members = [{"OriginId": "site"}, {"OriginId": "second"}]
    config: dict[str, Any] = {
        "Origins": {
            "Quantity": 2,
            "Items": [
                {"Id": "site", "DomainName": "site.s3.af-south-1.amazonaws.com"},
                {"Id": "second", "DomainName": "replica.s3.eu-west-1.amazonaws.com"},
            ],
        },
        "OriginGroups": {
            "Quantity": 1,
            "Items": [
                {
                    "Id": "both",
                    "FailoverCriteria": {"StatusCodes": {"Quantity": 2, "Items": changes.get("codes", [403, 503])}},
                    "Members": {"Quantity": 2, "Items": changes.get("members", members)},
                }
            ],
        },
        "DefaultCacheBehavior": {"TargetOriginId": "both"},
        "CacheBehaviors": {"Quantity": 1, "Items": [{"TargetOriginId": changes.get("target", "both")}]},
    }
    return read({"Status": changes.get("status", "Deployed"), "DistributionConfig": config}, Failover)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"codes": [500, 503]}, "does not turn to the replica where the bucket answers 403"),
        ({"members": [{"OriginId": "second"}, {"OriginId": "site"}]}, "not site and replica"),
        ({"target": "site"}, "leads to site alone"),
        ({"status": "InProgress"}, "not every edge location"),
    ],
)
def test_every_behaviour_has_to_lead_to_both_buckets_the_sites_first(changes: dict[str, Any], words: str) -> None:
    found = failover_of(answer(**changes), "E1", ORIGINS)
    assert (words in " ".join(found.problems)) and bool(found.problems) is bool(words)
    assert found.codes == tuple(sorted(changes.get("codes", [403, 503])))


def test_a_distribution_without_groups_has_no_replica_at_all() -> None:
    plain = {"Status": "Deployed", "DistributionConfig": {"Origins": {"Items": []}, "DefaultCacheBehavior": {"TargetOriginId": "site"}}}
    assert failover_of(read(plain, Failover), "E1", ORIGINS).problems == ("a behaviour leads to site alone, which has no replica",)


def test_every_group_is_looked_at_and_the_codes_are_those_of_all() -> None:
    def group(identity: str, *codes: int, buckets: tuple[str, ...] = ("site", "second")) -> dict[str, Any]:
        members = {"Items": [{"OriginId": bucket} for bucket in buckets]}
        return {"Id": identity, "FailoverCriteria": {"StatusCodes": {"Items": list(codes)}}, "Members": members}

    def found(*groups: dict[str, Any], phase: str = "home") -> OriginFailover:
        names = [{"Id": "site", "DomainName": "site.s3.af-south-1.amazonaws.com"}, {"Id": "second", "DomainName": "replica.s3.eu-west-1.a"}]
        config = {
            "Origins": {"Items": [*names, {"Id": "third", "DomainName": "other.example.com"}]},
            "OriginGroups": {"Items": list(groups)},
            "DefaultCacheBehavior": {"TargetOriginId": "alone"},
            "CacheBehaviors": {"Items": [{"TargetOriginId": each["Id"]} for each in groups]},
        }
        return failover_of(read({"Status": "Deployed", "DistributionConfig": config}, Failover), "E1", ORIGINS, phase=phase)

    alone = "a behaviour leads to alone alone, which has no replica"
    both = found(group("b", 403, 500, 503), group("c", 403, 503, 504))
    assert (both.codes, both.problems) == ((403, 503), (alone,))
    strange = group("b", 500, buckets=("third", "second"))
    told = (
        "origin group b is other.example.com and replica.s3.eu-west-1.a, not site and replica",
        "origin group b does not turn to the replica where the bucket answers 403",
    )
    assert found(strange).problems == (alone, *told) == found(strange, phase="promoting").problems


def test_a_rule_that_is_off_or_leads_elsewhere_replicates_nothing() -> None:
    good = Rule(status="Enabled", destination=ORIGINS.replica.arn)
    assert replication_problems([good], "Enabled", ORIGINS) == ()
    for rules in (
        [],
        [msgspec.structs.replace(good, status="Disabled")],
        [msgspec.structs.replace(good, destination="arn:aws:s3:::other")],
    ):
        (told,) = replication_problems(rules, "Enabled", ORIGINS)
        assert "no enabled rule of site" in told and told.endswith("plan --env prod --revert-drift")


@pytest.mark.parametrize(
    ("versioning", "words"),
    [
        ("Suspended", "versioning of replica is suspended, so S3 replicates nothing into it"),
        ("", "versioning of replica is off, so S3 replicates nothing into it"),
        (None, "the replica replica is gone"),
    ],
)
def test_a_replica_that_keeps_no_versions_or_is_gone_gets_nothing(versioning: str | None, words: str) -> None:
    (told,) = replication_problems([Rule(status="Enabled", destination=ORIGINS.replica.arn)], versioning, ORIGINS)
    assert told.startswith(words)


def test_a_bucket_that_was_never_made_is_not_one_that_is_gone() -> None:
    def buckets(rules: tuple[Rule, ...] | None, versioning: str | None) -> Any:
        class Of:
            def rules(self, _: str) -> tuple[Rule, ...]:
                if rules is None:
                    raise NotFound("no bucket")
                return rules

            def versioning(self, _: str) -> str:
                if versioning is None:
                    raise NotFound("no bucket")
                return versioning

        return Of()

    rule = Rule(status="Enabled", destination=ORIGINS.replica.arn)
    for here, there, count in (
        (None, None, 0),
        ((), None, 0),
        ((rule,), None, 1),
        ((rule,), "Enabled", 0),
        ((), "Enabled", 1),
        ((), "Suspended", 2),
    ):
        assert len(problems(ORIGINS, buckets(here, there), buckets(here, there))) == count, (here, there)


def test_a_site_that_was_emptied_by_hand_is_not_told_to_be_copied() -> None:
    held = {"a": StoredObject(etag="a", size=1, modified=START), "b": StoredObject(etag="b", size=1, modified=START)}
    for there, left in (({}, 0), (held, 2)):
        (told,) = content_problems(compare({}, there, {"a": "a", "b": "b"}, now=START), "prod")
        assert told.startswith(f"the site bucket has 0 of the live release's 2 files, the replica {left}: ")
        assert "publish --env prod --content DIR" in told and "backfill" not in told


def compared(here: dict[str, StoredObject], there: dict[str, StoredObject]) -> Comparison:
    return compare(here, there, {key: held.etag for key, held in here.items()}, now=START)


def test_what_the_replica_lacks_is_a_problem_with_the_command_that_copies_it_and_an_orphan_is_none() -> None:
    here = {"a": StoredObject(etag="a", size=1, modified=START - timedelta(minutes=9))}
    found = content_problems(compared(here, {}), "prod")
    assert "0 of the live release's 1 file" in found[0]
    assert "the oldest for 9 min; to copy them: python deploy.py dr backfill --env prod" in found[1]
    assert content_problems(compared(here, {**here, "old": here["a"]}), "prod") == ()


def test_while_releases_go_to_the_replica_nothing_says_that_older_content_is_to_be_copied_over_them() -> None:
    here = {"a": StoredObject(etag="old", size=1, modified=START - timedelta(minutes=9))}
    there = {"a": StoredObject(etag="new", size=1)}
    newer = compare(here, there, {"a": "new"}, now=START)
    assert "the replica 1" in content_problems(newer, "prod")[0]
    assert content_problems(newer, "prod", phase="standby") == ()
    (lacks,) = content_problems(compare(here, {}, {"a": "new"}, now=START), "prod", phase="failing-back")
    assert "0 of the live release's 1 file" in lacks and "backfill" not in lacks


@pytest.mark.parametrize(("phase", "home_first", "replica_first"), [("home", 0, 1), ("standby", 1, 0), ("promoting", 0, 0), ("", 0, 0)])
def test_the_origin_that_is_asked_first_is_the_one_that_takes_releases(phase: str, home_first: int, replica_first: int) -> None:
    turned = answer(members=[{"OriginId": "second"}, {"OriginId": "site"}])
    assert len(failover_of(answer(), "E1", ORIGINS, phase=phase).problems) == home_first
    assert len(failover_of(turned, "E1", ORIGINS, phase=phase).problems) == replica_first


def test_a_denied_replication_is_a_problem_only_when_releases_go_home() -> None:
    other = policy_of_replica()
    fenced = fence.fenced(other, ORIGINS.replica.arn)
    assert status.policy_problems(POLICY, fenced, ORIGINS, phase="standby") == ()
    assert status.policy_problems(POLICY, fenced, ORIGINS) == ("the policy of replica denies replication",)
    assert status.policy_problems(POLICY, other, ORIGINS) == ()
    assert status.policy_problems(POLICY, None, ORIGINS) == ("the bucket policies differ in: CloudFrontReads",)


@pytest.mark.parametrize(("phase", "verb"), [("standby", "failback"), ("promoting", "promote"), ("failing-back", "failback")])
def test_who_takes_releases_is_told_with_what_goes_on(phase: str, verb: str) -> None:
    (text,) = status.away_problems(phase, "prod", since="2026-11-27T12:00:00Z", by="ann")
    assert text.endswith(f"dr {verb} --env prod") and problems_of_text(text) == []
    by = "releases go to the replica since 2026-11-27T12:00:00Z (promoted by ann)" if phase == "standby" else f"{phase} (by ann)"
    assert text.startswith(by)
    assert status.away_problems("home", "prod") == ()


def test_a_closing_is_told_with_what_opens_it_while_it_holds_and_afterwards() -> None:
    policy = closing.closed(POLICY, ORIGINS.primary.arn, DISTRIBUTION, identity="0badcafe", until=START)
    until, words = closure(policy, "prod", START - timedelta(minutes=1))
    assert (until, "has closed" in words[0]) == ("2026-11-27T12:00:00Z", True)
    until, words = closure(policy, "prod", START + timedelta(minutes=1))
    assert "was cut off; it ended by itself" in words[0] and "rehearse --env prod --end" in words[0]
    assert closure(POLICY, "prod", START) == ("", ())


def report(**changes: Any) -> Report:
    begun: dict[str, Any] = {
        "id": "0badcafe",
        "environment": "prod",
        "plan_digest": "ab",
        "by": "ann",
        "host": "here",
        "started_at": "2026-11-20T12:00:00Z",
        "release": 7,
        "result": "begun",
    }
    return Report(**{**begun, **changes})


def whole(**changes: Any) -> RecoveryStatus:
    here = {"a": StoredObject(etag="a", size=1)}
    given: dict[str, Any] = {
        "environment": "prod",
        "primary_bucket": "site",
        "primary_region": "af-south-1",
        "replica_bucket": "replica",
        "replica_region": "eu-west-1",
        "release": 7,
        "comparison": compared(here, here),
        "replication": status.rule_words([Rule(status="Enabled", destination=ORIGINS.replica.arn, delete_markers="Enabled")]),
        "failover": OriginFailover(distribution_id="E1", codes=(403, 503)),
        "health": {"prod-SiteDown": "OK"},
        "rehearsals": (report(result="passed", detected_seconds=7.0, recovered_seconds=90.0),),
        "read_at": "2026-11-27T12:00:00Z",
    }
    return RecoveryStatus(**{**given, **changes})


def test_the_table_says_when_it_was_rehearsed_and_how_that_ended() -> None:
    text = "\n".join(status_lines(whole()))
    earlier = whole(rehearsals=(*whole().rehearsals, report(by="bob", started_at="2026-11-19T12:00:00Z")))
    assert status_lines(earlier) == status_lines(whole()), "the newest is told"
    assert "live release 7: 1 of 1 file byte for byte in the replica" in text
    assert "rehearsed    7 d ago by ann: passed, replica after 7 s, RTO 90 s, RPO 0 s (0 objects)" in text
    assert "the replica would serve the same site" in text and whole().ready
    assert "rehearsed    never" in "\n".join(status_lines(whole(rehearsals=())))
    cut = "\n".join(status_lines(whole(rehearsals=(report(),), problems=("the replica lacks 3 objects",))))
    assert "under way, or cut off" in cut and "problem: the replica lacks 3 objects" in cut and "would serve" not in cut
    assert problems_of_text(text) == []


def test_a_comparison_that_could_not_be_made_leaves_the_rest() -> None:
    text = "\n".join(status_lines(whole(comparison=None, failover=None, problems=("the two buckets cannot be read",))))
    assert "rehearsed" in text and "problem: the two buckets cannot be read" in text
