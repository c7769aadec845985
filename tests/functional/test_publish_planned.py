"""Content as part of a plan: apply publishes what was reviewed, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from aws.gateways import Gateways
from aws.session import Aws
from rollout.session import Opened
from tests.functional import frontend
from tests.functional.frontend import Deployed
from website.errors import WebsiteError
from website.planned import plan_content, publish_planned
from website.publish import Run
from website.releases import Caller

pytestmark = pytest.mark.functional


def opened(aws: Aws, site: frontend.Deployed) -> Opened:
    """As a verb has it."""
    gateways = Gateways(aws, sleep=lambda _: None, poll_seconds=0.01)
    return Opened(assembly=site.assembly, templates=site.synthesis.templates, gateways=gateways, caller="arn:aws:iam::1:user/ann")


def run() -> Run:
    """A run that reports to nobody."""
    return Run(
        caller=Caller.here("arn:aws:iam::1:user/ann"),
        token="token",
        now=lambda: datetime.now(UTC),
        sleep=lambda _: None,
        report=lambda _: None,
    )


@pytest.fixture
def site(aws: Aws, account: str, tmp_path: Path) -> Deployed:
    """Nothing published."""
    return frontend.deployed(aws, tmp_path / "dist", "dev", account)


def test_before_the_first_deployment_everything_is_new(aws: Aws, account: str, tmp_path: Path) -> None:
    synthesis = frontend.synthesised("dev", account)
    nothing = frontend.Deployed(synthesis=synthesis, dist=tmp_path, outputs={})
    plan, _ = plan_content(opened(aws, nothing), frontend.BUILT, now=datetime.now(UTC))
    assert {change.change for change in plan.changes} == {"add"}
    assert plan.files == len(plan.changes)


def test_exactly_the_plan_is_published(aws: Aws, site: Deployed, tmp_path: Path) -> None:
    plan, _ = plan_content(opened(aws, site), frontend.BUILT, now=datetime.now(UTC))
    outcome = publish_planned(opened(aws, site), frontend.BUILT, plan, run())
    assert outcome.release.manifest == plan.manifest
    assert outcome.plan.changes == plan.changes


@pytest.mark.parametrize("moved", ["directory", "live release", "bucket"])
def test_a_plan_that_does_not_hold_any_more_is_refused(aws: Aws, site: Deployed, tmp_path: Path, moved: str) -> None:
    place, app = opened(aws, site), frontend.built(tmp_path / "app")
    first, _ = plan_content(place, app, now=datetime.now(UTC))
    publish_planned(place, app, first, run())
    frontend.rebuilt(app, "reviewed")
    plan, _ = plan_content(place, app, now=datetime.now(UTC))
    said = {"directory": "not the one that was reviewed", "live release": "went live after", "bucket": "bucket has changed"}[moved]
    if moved == "directory":
        frontend.rebuilt(app, "not reviewed")
    elif moved == "live release":
        other = frontend.built(tmp_path / "other")
        frontend.rebuilt(other, "somebody else's")
        publish_planned(place, other, plan_content(place, other, now=datetime.now(UTC))[0], run())
    else:
        client = aws.client("s3", account_id=site.assembly.account_id, region=site.assembly.home_region)
        client.put_object(Bucket=site.bucket, Key="favicon.svg", Body=b"by hand")
    before = place.aws.client("s3", account_id=site.assembly.account_id, region=site.assembly.home_region)
    page = before.get_object(Bucket=site.bucket, Key="index.html")["Body"].read()
    with pytest.raises(WebsiteError, match=said):
        publish_planned(place, app, plan, run())
    assert before.get_object(Bucket=site.bucket, Key="index.html")["Body"].read() == page
