"""Another bucket for the site: told before everything else, refused while the old one holds the content."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from aws.errors import AccessDenied
from planning.model import Options, Plan
from planning.plan import make_plan
from planning.request import Request
from planning.site_bucket import EMPTIED
from review import terminal
from templates.schemas import bundled
from tests.golden_files import assert_golden
from tests.simulated import SimulatedGateways, Small, small_assembly
from tests.unit.planning.test_plan import stack_of
from website.content_plan import ContentPlan

CONTENT = ContentPlan(
    environment="test", bucket="two", origin="web", directory="/web", manifest="m" * 64, content="c" * 64, files=3, size=30
)


def template(bucket: str, title: str = "Bucket") -> dict[str, Any]:
    return {
        "Resources": {
            title: {
                "Type": "AWS::S3::Bucket",
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": {"BucketName": bucket},
            },
            "Distribution": {
                "Type": "AWS::CloudFront::Distribution",
                "Properties": {
                    "DistributionConfig": {
                        "Enabled": True,
                        "Origins": [{"Id": "site", "DomainName": {"Fn::GetAtt": [title, "RegionalDomainName"]}}],
                    }
                },
            },
        }
    }


@dataclass
class World(SimulatedGateways):
    objects: tuple[str, ...] | None = ("index.html",)
    """None: AWS does not say."""
    asked: list[str] = field(default_factory=list)

    def s3(self, account_id: str, region: str, role_arn: str | None = None) -> Any:
        return self

    def list(self, bucket: str, prefix: str = "") -> Any:
        self.asked.append(bucket)
        if self.objects is None:
            raise AccessDenied("no")
        return iter(self.objects)


def plan_of(
    world: World, after: dict[str, Any], before: dict[str, Any] | None = None, content: ContentPlan | None = None, **options: Any
) -> Plan:
    if before is not None:
        world.at("eu-west-1").deploy("demo-test-site", before, {})
    assembly, templates = small_assembly(Small(id="site", template=after))
    request = Request(
        assembly=assembly,
        templates=templates,
        options=Options(**options),
        created_at="2026-11-22T10:00:00Z",
        created_by="arn:aws:iam::123456789012:role/deploy",
        nonce="0a1b2c3d",
        content=content,
    )
    return make_plan(request, world, bundled())


def told(plan: Plan) -> list[tuple[str, bool]]:
    return [(f.severity, bool(f.command)) for f in plan.findings if f.code == EMPTIED]


@pytest.mark.parametrize(
    ("content", "interrupt", "said", "blocked"),
    [
        (None, False, [("error", True)], True),
        (CONTENT, False, [("error", True)], True),
        (None, True, [("error", True)], True),
        (CONTENT, True, [("warning", False)], False),
    ],
    ids=["unasked", "with content", "without content", "accepted and filled"],
)
def test_a_bucket_with_the_content_is_replaced_only_if_both_were_said(
    content: ContentPlan | None, interrupt: bool, said: Any, blocked: bool
) -> None:
    plan = plan_of(World(), template("two"), template("one"), content, interrupt_site=interrupt)
    assert (told(plan), plan.blocked) == (said, blocked)


@pytest.mark.parametrize(("objects", "severity"), [((), "warning"), (None, "error")], ids=["empty", "not told"])
def test_a_bucket_is_empty_only_if_aws_says_so(objects: Any, severity: str) -> None:
    plan = plan_of(World(objects=objects), template("two"), template("one"))
    assert [f.severity for f in plan.findings if f.code == EMPTIED] == [severity]


def test_a_bucket_that_is_changed_in_place_is_the_one_that_it_was() -> None:
    world = World()
    before = template("one")
    before["Resources"]["Bucket"]["Properties"]["VersioningConfiguration"] = {"Status": "Suspended"}
    plan = plan_of(world, template("one"), before)
    assert [c.logical_id for c in stack_of(plan, "site").resources] == ["Bucket"] and (told(plan), world.asked) == ([], [])


def test_a_bucket_under_another_logical_id_is_another_bucket() -> None:
    world = World()
    plan = plan_of(world, template("two", "SiteBucket"), template("one"))
    assert [s for s, _ in told(plan)] == ["error"]


@pytest.mark.parametrize("before", [None, template("one")], ids=["first creation", "no change"])
def test_where_the_bucket_stays_or_is_the_first_nothing_is_said(before: Any) -> None:
    world = World()
    assert (told(plan_of(world, template("one"), before)), world.asked) == ([], [])


def test_it_is_said_before_everything_else_and_names_the_bucket_that_holds_the_data_golden() -> None:
    assert_golden("review/another-bucket.txt", terminal.render(plan_of(World(), template("two"), template("one"))))
    accepted = plan_of(World(), template("two"), template("one"), CONTENT, interrupt_site=True)
    assert_golden("review/another-bucket-accepted.txt", terminal.render(accepted))


NO_BUCKET: dict[str, Any] = {
    "Resources": {
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "gone"}},
        "Distribution": {
            "Type": "AWS::CloudFront::Distribution",
            "Properties": {"DistributionConfig": {"Enabled": True, "Origins": [{"Id": "site", "DomainName": "gone.example.org"}]}},
        },
    }
}


@pytest.mark.parametrize(
    ("content", "then"),
    [
        (None, "two is empty: visitors get an error for every page until something is published (--content DIR does it)"),
        (CONTENT, "two is empty, and the content is published to it at the end of the apply (files: 3)"),
    ],
    ids=["nothing to fill it", "filled"],
)
def test_where_no_bucket_leaves_nothing_is_asked_for_and_it_is_said_what_visitors_get(content: ContentPlan | None, then: str) -> None:
    world = World()
    plan = plan_of(world, template("two"), NO_BUCKET, content)
    [found] = [f for f in plan.findings if f.code == EMPTIED]
    assert (found.severity, world.asked) == ("warning", [])
    assert "instead of the bucket that is gone, which is not there any more; " + then in found.message


def test_the_old_bucket_is_named_though_other_things_leave_with_it() -> None:
    before = template("one")
    before["Resources"] |= {"ATopic": NO_BUCKET["Resources"]["Topic"], "ZTopic": {"Type": "AWS::SNS::Topic"}}
    world = World()
    plan = plan_of(world, template("two", "SiteBucket"), before)
    [found] = [f for f in plan.findings if f.code == EMPTIED]
    assert (found.severity, world.asked) == ("error", ["Bucket-physical"])
    assert "the distribution Distribution-physical reads from two instead of Bucket-physical, which holds the content" in found.message
