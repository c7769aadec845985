"""Disaster recovery switched off: what is left of it can still be deleted by the service role that no longer knows its names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

from environments.model import Environment
from stacks.foundation import makers, service_role_name
from stacks.synthesis import synthesise
from tests.environments_fixture import RECOVERY, changed, environments

ENV = environments()["prod"]
BEFORE = changed(ENV, {**RECOVERY, "monitoring": {"alarm_email": "oncall@example.com"}})
ELSEWHERE = changed(ENV, {"disaster_recovery": {"region": "eu-west-1", "bucket": f"{ENV.bucket}-second"}})
DELETES = {
    "AWS::S3::BucketPolicy": ("s3:GetBucketPolicy", "s3:DeleteBucketPolicy"),
    "AWS::SNS::Topic": ("sns:DeleteTopic", "sns:GetTopicAttributes"),
    "AWS::SNS::TopicPolicy": ("sns:SetTopicAttributes",),
    "AWS::SNS::Subscription": ("sns:Unsubscribe",),
    "AWS::CloudWatch::Alarm": ("cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms"),
}
"""What the handlers call (provider schemas of cfn-lint, handlers.delete)."""


def statements(env: Environment) -> Iterator[dict[str, Any]]:
    for policy in makers(env)[service_role_name(env)].policies:
        yield from policy["Statement"]


def allowed(env: Environment, action: str, arn: str) -> bool:
    def text(resource: Any) -> str:
        return str(resource["Fn::Sub"] if isinstance(resource, dict) else resource)

    return any(
        action in each["Action"] and any(fnmatchcase(arn, text(resource)) for resource in each["Resource"])
        for each in statements(env)
        if each["Effect"] == "Allow"
    )


def left_behind() -> Iterator[tuple[str, str, str]]:
    """Type, ARN and what is called on it, of what the two stacks do not retain."""
    built = synthesise(BEFORE)
    prefix, region = "arn:${AWS::Partition}", "eu-west-2"
    for stack_id in ("replica", "replica-access"):
        for resource in json.loads(built.templates[stack_id])["Resources"].values():
            kind, properties = resource["Type"], resource["Properties"]
            if kind == "AWS::S3::Bucket":
                assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
                continue
            name = properties.get("AlarmName") or properties.get("TopicName") or "kimmyai-web-prod-replication-alarms"
            bucket = properties.get("Bucket")
            bucket = BEFORE.standby_artifact_bucket if isinstance(bucket, dict) else bucket
            arn = {
                "AWS::S3::BucketPolicy": f"{prefix}:s3:::{bucket}",
                "AWS::CloudWatch::Alarm": f"{prefix}:cloudwatch:{region}:${{AWS::AccountId}}:alarm:{name}",
            }.get(kind, f"{prefix}:sns:{region}:${{AWS::AccountId}}:{name}")
            yield from ((kind, arn, action) for action in DELETES[kind])


@pytest.mark.parametrize("after", [ENV, ELSEWHERE], ids=["off", "another region"])
def test_what_is_left_can_be_deleted(after: Environment) -> None:
    found = list(left_behind())
    assert {kind for kind, _, _ in found} == set(DELETES)
    assert not [(arn, action) for _, arn, action in found if not allowed(after, action, arn)]


def test_another_standby_region_takes_no_name_that_the_old_one_keeps() -> None:
    def names(env: Environment) -> set[str]:
        found = json.loads(synthesise(env).templates["replica"])["Resources"].values()
        return {each["Properties"]["BucketName"] for each in found if each["Type"] == "AWS::S3::Bucket"}

    assert len(names(BEFORE)) == 2 and not names(BEFORE) & names(ELSEWHERE)


def test_nobody_elses_bucket_loses_its_policy() -> None:
    assert not allowed(ENV, "s3:DeleteBucketPolicy", "arn:${AWS::Partition}:s3:::somebody-elses")
    assert not allowed(ENV, "s3:PutBucketPolicy", f"arn:${{AWS::Partition}}:s3:::{ENV.bucket}-other")


@pytest.mark.parametrize(("changes", "given"), [({"firewall": None}, False), ({}, True), ({"disaster_recovery": None}, False)])
def test_who_turns_the_origins_round_may_see_the_web_acl_before_them(changes: dict[str, Any], given: bool) -> None:
    template = json.loads(synthesise(changed(BEFORE, changes)).templates["foundation"])
    policies = [each["Properties"].get("PolicyDocument", {}) for each in template["Resources"].values()]
    found = [s for p in policies for s in p.get("Statement", []) if s.get("Sid") == "OriginOrderFirewall"]
    assert [each["Action"] for each in found] == [["wafv2:GetWebACL"]] * given


def test_the_plan_role_reads_who_takes_releases_and_not_the_lock_beside_it() -> None:
    template = synthesise(BEFORE).templates["foundation"].decode()
    assert f"{BEFORE.standby_artifact_bucket}/recovery/prod/target.json" in template
    assert "lock.json" not in template
