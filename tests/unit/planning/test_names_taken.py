"""What the review of a plan says of names that somebody has already."""

from __future__ import annotations

from typing import Any

from gateways.existing import Found
from review import terminal
from tests.golden_files import assert_golden
from tests.simulated import SimulatedGateways, Small, small_assembly
from tests.unit.planning.test_plan import plan_of


def test_names_that_are_taken_are_told_with_whose_they_are_and_nothing_is_deleted_unasked_golden() -> None:
    """A stack that a team has added meets what others, nobody known and an earlier deployment have left."""
    theirs, ours = {"project": "demo", "environment": "prod"}, {"project": "demo", "environment": "test"}
    named: dict[str, tuple[str, dict[str, Any], str, dict[str, str]]] = {
        "Acl": ("AWS::WAFv2::WebACL", {"Name": "demo-test-site", "Scope": "CLOUDFRONT"}, "demo-test-site|1|CLOUDFRONT", {}),
        "Alarm": ("AWS::CloudWatch::Alarm", {"AlarmName": "demo-test-late"}, "demo-test-late", {}),
        "Bucket": ("AWS::S3::Bucket", {"BucketName": "demo-uploads"}, "demo-uploads", {}),
        "Role": ("AWS::IAM::Role", {"RoleName": "demo-test-orders"}, "demo-test-orders", ours),
        "Topic": ("AWS::SNS::Topic", {"TopicName": "demo-test-orders"}, "arn:aws:sns:eu-west-1:123456789012:demo-test-orders", theirs),
    }
    resources: dict[str, dict[str, Any]] = {name: {"Type": kind, "Properties": given} for name, (kind, given, *_) in named.items()}
    resources["Bucket"]["DeletionPolicy"] = "Retain"
    there = {(kind, next(iter(given.values()))): Found(physical_id=held, tags=tags) for kind, given, held, tags in named.values()}
    plan = plan_of(small_assembly(Small(id="orders", template={"Resources": resources})), SimulatedGateways(there=there))
    assert_golden("review/names-taken.txt", terminal.render(plan))
