"""A closing is one statement that says whose it is and ends by itself; taken out again, the policy is what it was."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preview.access import CLOUDFRONT, decide
from recovery import closing
from templates.policies import statements
from tests.unit.recovery.world import DISTRIBUTION, ORIGINS, POLICY, START, policy_of_replica

UNTIL = START + timedelta(minutes=15)


def shut(policy: dict[str, Any], identity: str = "0badcafe", until: datetime = UNTIL) -> dict[str, Any]:
    return closing.closed(policy, ORIGINS.primary.arn, DISTRIBUTION, identity=identity, until=until)


def allowed(policy: dict[str, Any], distribution: str = DISTRIBUTION) -> bool:
    return decide(
        tuple(statements(policy)), CLOUDFRONT, "s3:GetObject", "arn:aws:s3:::site/index.html", {"aws:sourcearn": distribution}
    ).allowed


def test_closed_the_distribution_reads_no_object_and_opened_the_policy_is_what_it_was() -> None:
    assert allowed(POLICY) and not allowed(shut(POLICY))
    assert closing.opened(shut(POLICY)) == POLICY


def test_the_statement_ends_by_itself_at_the_moment_that_its_sid_names() -> None:
    deny = shut(POLICY)["Statement"][-1]
    assert deny["Condition"]["DateLessThan"] == {"aws:CurrentTime": "2026-11-27T12:15:00Z"}
    assert deny["Condition"]["StringEquals"] == {"AWS:SourceArn": DISTRIBUTION}
    (found,) = closing.found(shut(POLICY))
    assert (found.id, found.until) == ("0badcafe", UNTIL)
    assert found.holds(UNTIL - timedelta(seconds=1)) and not found.holds(UNTIL)
    assert deny["Sid"].isalnum(), "IAM takes letters and digits in a Sid"


def test_a_second_closing_takes_the_place_of_what_an_earlier_one_left() -> None:
    twice = shut(shut(POLICY, "11111111"), "22222222")
    assert [each.id for each in closing.found(twice)] == ["22222222"]


@given(st.lists(st.fixed_dictionaries({"Sid": st.text(max_size=30), "Effect": st.sampled_from(["Allow", "Deny"])}), max_size=5))
def test_no_statement_but_a_rehearsals_is_ever_touched(others: list[dict[str, Any]]) -> None:
    kept = [each for each in others if not closing.found({"Statement": [each]})]
    policy = {"Version": "2012-10-17", "Statement": others}
    assert closing.opened(shut(policy)) == {"Version": "2012-10-17", "Statement": kept}


@pytest.mark.parametrize("policy", [None, {}, {"Statement": None}, {"Statement": {"Sid": "x"}}, {"Statement": ["text"]}])
def test_a_policy_of_any_form_is_read(policy: Any) -> None:
    assert closing.found(policy) == ()


def test_the_same_readers_differ_in_the_name_of_the_bucket_alone() -> None:
    primary, replica = ORIGINS.primary.arn, ORIGINS.replica.arn
    assert closing.unlike(POLICY, policy_of_replica(), primary, replica) == ()
    assert closing.unlike(shut(POLICY), policy_of_replica(), primary, replica) == (), "a rehearsal's statement is none of the site's"
    listed = json.loads(json.dumps(policy_of_replica()).replace('"s3:GetObject"', '["s3:GetObject"]'))
    assert closing.unlike(POLICY, listed, primary, replica) == (), "a list of one is that one"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("distribution/E1", "distribution/E2"),
        ("cloudfront.amazonaws.com", "ec2.amazonaws.com"),
        ("s3:GetObject", "s3:*"),
        (":::replica/*", ":::replica/assets/*"),
        ("Allow", "Deny"),
    ],
)
def test_another_reader_of_the_replica_is_named(before: str, after: str) -> None:
    other = json.loads(json.dumps(policy_of_replica()).replace(before, after))
    assert closing.unlike(POLICY, other, ORIGINS.primary.arn, ORIGINS.replica.arn) == ("CloudFrontReads",)
    assert closing.unlike(POLICY, None, ORIGINS.primary.arn, ORIGINS.replica.arn) == ("CloudFrontReads",)


def test_a_moment_in_another_zone_is_written_in_utc() -> None:
    there = UNTIL.astimezone(UTC)
    assert shut(POLICY, until=there) == shut(POLICY)
