"""Content as part of a plan: apply publishes what was reviewed, or nothing."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aws.session import Aws
from gateways.by_place import Gateways
from guards.caller import this_process
from local_aws.server import LocalAws
from rollout.content_step import publish_step
from rollout.progress import Event, Note
from session.content import from_directory, plan_source, publish_planned
from session.opened import Opened
from session.site import site_of
from tests.functional import frontend
from tests.functional.frontend import Deployed
from tests.functional.wire import Answer, Exchange, Wire, denied
from website.content import read
from website.content_plan import ContentPlan
from website.errors import WebsiteError
from website.publish import publish
from website.run import INVALIDATION_SECONDS, Run, Warned

pytestmark = pytest.mark.functional


def opened(aws: Aws, site: frontend.Deployed) -> Opened:
    """As a verb has it."""
    gateways = Gateways(aws, sleep=lambda _: None, poll_seconds=0.01)
    return Opened(assembly=site.assembly, templates=site.synthesis.templates, gateways=gateways, caller="arn:aws:iam::1:user/ann")


def planned(place: Opened, directory: Path) -> ContentPlan:
    """What `plan --content` puts into the plan."""
    return plan_source(place, from_directory(place, directory), now=datetime.now(UTC))


def run() -> Run:
    """A run that reports to nobody."""
    return Run(
        caller=this_process("arn:aws:iam::1:user/ann"),
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
    plan = planned(opened(aws, nothing), frontend.BUILT)
    assert {change.change for change in plan.changes} == {"add"}
    assert plan.files == len(plan.changes)


def test_exactly_the_plan_is_published(aws: Aws, site: Deployed, tmp_path: Path) -> None:
    plan = planned(opened(aws, site), frontend.BUILT)
    outcome = publish_planned(opened(aws, site), frontend.BUILT, plan, run())
    assert outcome.release.manifest == plan.manifest
    assert outcome.plan.changes == plan.changes


@pytest.mark.parametrize("moved", ["directory", "live release", "bucket"])
def test_a_plan_that_does_not_hold_any_more_is_refused(aws: Aws, site: Deployed, tmp_path: Path, moved: str) -> None:
    place, app = opened(aws, site), frontend.built(tmp_path / "app")
    first = planned(place, app)
    publish_planned(place, app, first, run())
    frontend.rebuilt(app, "reviewed")
    plan = planned(place, app)
    said = {"directory": "not the one that was reviewed", "live release": "went live after", "bucket": "bucket has changed"}[moved]
    if moved == "directory":
        frontend.rebuilt(app, "not reviewed")
    elif moved == "live release":
        other = frontend.built(tmp_path / "other")
        frontend.rebuilt(other, "somebody else's")
        publish_planned(place, other, planned(place, other), run())
    else:
        client = aws.client("s3", account_id=site.assembly.account_id, region=site.assembly.home_region)
        client.put_object(Bucket=site.bucket, Key="favicon.svg", Body=b"by hand")
    before = place.aws.client("s3", account_id=site.assembly.account_id, region=site.assembly.home_region)
    page = before.get_object(Bucket=site.bucket, Key="index.html")["Body"].read()
    with pytest.raises(WebsiteError, match=said):
        publish_planned(place, app, plan, run())
    assert before.get_object(Bucket=site.bucket, Key="index.html")["Body"].read() == page


def still_in_progress(exchange: Exchange) -> None:
    """CloudFront is still at it, whatever the local AWS says."""
    answer = exchange.forward()
    body = answer.body.replace(b"<Status>Completed</Status>", b"<Status>InProgress</Status>")
    exchange.send(Answer(answer.status, answer.headers, body))


def test_an_invalidation_that_outlasts_its_wait_is_a_warning_with_its_id_and_no_failure(
    aws: Aws, local_aws: LocalAws, wire: Wire, site: Deployed, tmp_path: Path
) -> None:
    app = frontend.built(tmp_path / "app")
    (app / "assets" / "logo.svg").write_text("<svg/>")
    place = opened(Aws(endpoint_url=wire.url, static_credentials=local_aws.credentials), site)
    publish_planned(place, app, planned(place, app), run())
    (app / "assets" / "logo.svg").write_text("<svg></svg>")
    plan = planned(place, app)
    assert plan.invalidations == ("/assets/logo.svg",)
    wire.on("cloudfront", "GetInvalidation", still_in_progress, times=1_000)
    slept: list[float] = []
    events: list[Event] = []
    patient = replace(run(), sleep=slept.append)

    done = publish_step(
        plan, lambda report: publish_planned(place, app, plan, replace(patient, report=report)), report=events.append, now=lambda: 1.0
    )

    assert (done.result, done.release, done.invalidation_done) == ("succeeded", 2, False)
    assert done.invalidation
    assert INVALIDATION_SECONDS <= sum(slept) < INVALIDATION_SECONDS + 11
    (warning,) = [e.text for e in events if isinstance(e, Note) and e.text.startswith("warning")]
    assert f"invalidation {done.invalidation} is still under way after" in warning
    assert f"aws cloudfront get-invalidation --distribution-id {site.outputs['DistributionId']} --id {done.invalidation}" in warning
    state, _ = site_of(place).store.state()
    assert state.live is not None and state.live.number == 2


def test_an_invalidation_that_cloudfront_does_not_take_leaves_the_release_live_and_says_what_to_do(
    local_aws: LocalAws, wire: Wire, site: Deployed, tmp_path: Path
) -> None:
    app = frontend.built(tmp_path / "app")
    (app / "assets" / "logo.svg").write_text("<svg/>")
    place = opened(Aws(endpoint_url=wire.url, static_credentials=local_aws.credentials), site)
    publish_planned(place, app, planned(place, app), run())
    (app / "assets" / "logo.svg").write_text("<svg></svg>")
    wire.on("cloudfront", "CreateInvalidation", denied, times=100)
    said: list[str] = []

    def report(event: object) -> None:
        if isinstance(event, Warned):
            said.append(event.text)

    plan = planned(place, app)
    outcome = publish_planned(place, app, plan, replace(run(), report=report))
    assert (outcome.changed, outcome.release.number, outcome.invalidation_done) == (True, 2, False)
    assert len(said) == 1
    assert "create-invalidation" in said[0]
    assert said[0].endswith(" --paths /assets/logo.svg")


@pytest.mark.parametrize("become", ["pipe", "link"])
@pytest.mark.parametrize("name", ["index.html", "assets/logo.svg"])
def test_what_becomes_a_pipe_or_a_link_after_the_walk_is_not_opened(
    aws: Aws, site: Deployed, tmp_path: Path, become: str, name: str
) -> None:
    place, app = opened(aws, site), frontend.built(tmp_path / "app")
    (app / "assets" / "logo.svg").write_text("<svg/>")
    content = read(app, site.assembly.site)
    (app / name).unlink()
    if become == "pipe":
        os.mkfifo(app / name)
    else:
        (tmp_path / "secret").write_text("secret")
        (app / name).symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match=r"not a regular file|Too many levels"):
        publish(site_of(place), content, run(), origin="app")
    state, _ = site_of(place).store.state()
    assert (state.claim, state.live) == (None, None)
