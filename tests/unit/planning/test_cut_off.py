"""No plan changes the way of a standing distribution to its bucket before that way is open, nor closes the old one first."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from changes.context import Context
from environments.model import Environment
from planning.cut_off import CODE, cut_off, findings
from planning.model import Options, Plan
from planning.plan import make_plan
from planning.request import Request
from planning.run import Planned
from stacks.synthesis import synthesise
from templates.intrinsics import Scope, resolved_resources
from templates.schemas import bundled
from tests.environments_fixture import changed, environments
from tests.simulated import SimulatedGateways, Small, small_assembly

DEV = environments()["dev"]
ID = "E1ABCDEF2GHIJ"
IDENTITY: dict[str, Any] = {"origin_access_identity": ID}
WEBSITE: dict[str, Any] = {"website_endpoint": {}}


def resources(adopt: dict[str, Any] | None = None) -> dict[str, Any]:
    env: Environment = changed(DEV, {"adopt": adopt or {}})
    template = json.loads(synthesise(env).templates["site"])
    return resolved_resources(
        Scope(template=template, parameters={}, account_id=DEV.account_id, region=DEV.home_region, stack_name="kimmyai-web-dev-site")
    )


PUBLIC_READ = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{DEV.bucket}/*"}
IDENTITY_READ = {
    **PUBLIC_READ,
    "Principal": {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1ABCDEF2GHIJ"},
}
BY_IDENTITY = {
    "Id": "S3-origin",
    "DomainName": f"{DEV.bucket}.s3.eu-west-1.amazonaws.com",
    "S3OriginConfig": {"OriginAccessIdentity": "origin-access-identity/cloudfront/E1ABCDEF2GHIJ"},
}
BY_WEBSITE = {
    "Id": "website",
    "DomainName": f"{DEV.bucket}.s3-website-eu-west-1.amazonaws.com",
    "CustomOriginConfig": {"OriginProtocolPolicy": "http-only"},
}


def taken_over(origin: dict[str, Any], *statements: dict[str, Any], **bucket: Any) -> dict[str, Any]:
    """The stack right after the import, as Terraform had left its resources."""
    return {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": DEV.bucket, **bucket}},
        **(
            {
                "BucketPolicy": {
                    "Type": "AWS::S3::BucketPolicy",
                    "Properties": {"Bucket": DEV.bucket, "PolicyDocument": {"Statement": list(statements)}},
                }
            }
            if statements
            else {}
        ),
        "Distribution": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": {"Origins": [origin]}}},
    }


BY_CONTROL = {"Id": "s3", "DomainName": BY_IDENTITY["DomainName"], "OriginAccessControlId": "E9", "S3OriginConfig": {}}
CONTROL_READ = {
    **PUBLIC_READ,
    "Principal": {"Service": "cloudfront.amazonaws.com"},
    "Condition": {"StringEquals": {"AWS:SourceArn": f"arn:aws:cloudfront::{DEV.account_id}:distribution/E1DIST"}},
}

STEPS = {
    "identity": [taken_over(BY_IDENTITY, IDENTITY_READ), resources(IDENTITY), resources({**IDENTITY, "origin": "private"}), resources()],
    "website": [taken_over(BY_WEBSITE, PUBLIC_READ), resources(WEBSITE), resources({**WEBSITE, "origin": "private"}), resources()],
    "control": [taken_over(BY_CONTROL, CONTROL_READ), resources()],
}


@pytest.mark.parametrize("way", STEPS)
def test_the_steps_of_the_guide_cut_nobody_off_in_either_direction(way: str) -> None:
    steps = STEPS[way]
    for before, after in itertools.pairwise(steps):
        assert list(cut_off(before, after, {"Distribution": "E1DIST"})) == []
    # Back again, as far as the platform made the step.
    for after, before in itertools.pairwise(steps[1:]):
        assert list(cut_off(before, after, {"Distribution": "E1DIST"})) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (STEPS["identity"][0], STEPS["identity"][3], "does not let that in yet (it lets in Origin Access Identity E1ABCDEF2GHIJ)"),
        (STEPS["identity"][0], STEPS["identity"][2], "does not let that in yet"),
        (STEPS["website"][0], STEPS["website"][3], "closed to the public first"),
        (STEPS["website"][0], STEPS["website"][2], "does not let that in yet"),
        (STEPS["website"][1], STEPS["website"][3], "closed to the public first"),
        (taken_over(BY_WEBSITE), STEPS["website"][3], "closed to the public first"),
        (STEPS["identity"][3], STEPS["identity"][1], "changes to Origin Access Identity E1ABCDEF2GHIJ"),
        (taken_over(BY_CONTROL), STEPS["control"][1], ""),
    ],
)
def test_a_step_that_is_left_out_is_told_with_the_edit_that_avoids_it(before: dict[str, Any], after: dict[str, Any], said: str) -> None:
    told = list(cut_off(before, after, {"Distribution": "E1DIST"}))
    assert any(said in why for why, _ in told) if said else told == []
    by_website = before in (*STEPS["website"][:2], taken_over(BY_WEBSITE))
    assert all(
        remedy.startswith("adopt: {website_endpoint: " if by_website else f"adopt: {{origin_access_identity: {ID}") for _, remedy in told
    )


def test_a_policy_for_another_distribution_lets_this_one_not_in() -> None:
    before = taken_over(BY_IDENTITY, IDENTITY_READ, CONTROL_READ)
    assert list(cut_off(before, resources(), {"Distribution": "E1DIST"})) == []
    assert list(cut_off(before, resources(), {"Distribution": "E2OTHER"}))


def plan_of(before: dict[str, Any], after: dict[str, Any], **options: Any) -> Plan:
    world = SimulatedGateways()
    world.at("eu-west-1").deploy("demo-test-site", {"Resources": before}, {})
    assembly, templates = small_assembly(Small(id="site", template={"Resources": after}))
    request = Request(
        assembly=assembly,
        templates=templates,
        options=Options(**options),
        created_at="2026-11-22T10:00:00Z",
        created_by="arn:aws:iam::123456789012:role/deploy",
        nonce="0a1b2c3d",
    )
    return make_plan(request, world, bundled())


def test_the_plan_is_refused_and_says_how_and_somebody_may_want_it_all_the_same() -> None:
    plan = plan_of(taken_over(BY_IDENTITY, IDENTITY_READ), taken_over(BY_CONTROL, CONTROL_READ))
    (found,) = [each for each in plan.findings if each.code == CODE]
    assert plan.blocked and found.severity == "error"
    assert found.command == "edit environments/test.yaml: adopt: {origin_access_identity: E1ABCDEF2GHIJ}, then build and plan again"
    anyway = plan_of(taken_over(BY_IDENTITY, IDENTITY_READ), taken_over(BY_CONTROL, CONTROL_READ), interrupt_site=True)
    assert not anyway.blocked and [each.severity for each in anyway.findings if each.code == CODE] == ["warning"]


def test_the_distribution_that_stands_is_the_one_that_the_policy_has_to_name() -> None:
    def read(distribution: str) -> dict[str, Any]:
        arn = f"arn:aws:cloudfront::{DEV.account_id}:distribution/{distribution}"
        return {**CONTROL_READ, "Condition": {"StringEquals": {"AWS:SourceArn": arn}}}

    for named, cut in (("Distribution-physical", 0), ("E2OTHER", 1)):
        before = taken_over(BY_IDENTITY, IDENTITY_READ, read(named))
        plan = plan_of(before, taken_over(BY_CONTROL, read(named), IDENTITY_READ))
        assert len([each for each in plan.findings if each.code == CODE]) == cut


def test_a_stack_that_could_not_be_compared_hides_none_that_is_cut_off() -> None:
    before, after = taken_over(BY_IDENTITY, IDENTITY_READ), taken_over(BY_CONTROL, CONTROL_READ)
    whole = Context(before=before, after=after, schemas=bundled(), region="eu-west-1")
    plan = plan_of(before, after).stacks[0]
    made = small_assembly(Small(id="site", template={"Resources": after}))
    request = Request(
        assembly=made[0], templates=made[1], options=Options(interrupt_site=True), created_at="t", created_by="somebody", nonce="0"
    )
    several = {**before, "Second": before["Distribution"]}, {**after, "Second": after["Distribution"]}
    twice = Context(before=several[0], after=several[1], schemas=bundled(), region="eu-west-1")
    for context, told in ((whole, 1), (twice, 2)):
        found = findings(request, [Planned(plan=plan), Planned(plan=plan, context=context)])
        assert [each.severity for each in found] == ["warning"] * told
