"""Regions, buckets, replication and us-east-1's control planes out of order under real command lines.

Each row ends within the bounds of its retries, without a traceback, with the documented exit status and with what is typed next; when
it is over the same environment is whole, without anybody having done anything. One environment for all rows: what is to be seen needs every
stack of it, in three regions, and nothing in these rows changes it for good.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from aws.session import Aws
from local_aws import prepare
from local_aws.server import LocalAws
from outages import store
from outages.model import HOWS, Kind, Outage
from tests.functional import frontend
from tests.functional.harness import CommandLine, Ended, Hold, answer

pytestmark = [pytest.mark.functional, pytest.mark.xdist_group("outages")]

NAME, STANDBY, EDGE = "dev", "eu-central-1", "us-east-1"
ACCOUNT = "118811881188"


@dataclass
class Site:
    """An environment with disaster recovery, deployed and published."""

    line: CommandLine
    dist: Path
    app: Path
    home: str
    bucket: str
    replica: str
    state: Path
    aws: Aws = field(repr=False)

    def run(self, verb: str, *more: str) -> Ended:
        """A verb on it."""
        return self.line.deploy(verb, "--env", NAME, "--dist", str(self.dist), *more)

    def objects(self, bucket: str, region: str) -> dict[str, str]:
        """Keys of a bucket with their digests."""
        listed = self.aws.client("s3", account_id=ACCOUNT, region=region).list_objects_v2(Bucket=bucket).get("Contents", ())
        return {each["Key"]: each["ETag"] for each in listed}

    def begin(self, kind: Kind, **more: Any) -> None:
        """Put something out of order."""
        store.begin(self.state, Outage(kind=kind, how=more.pop("how", HOWS[kind][0]), account=ACCOUNT, **more))

    def over(self) -> None:
        """All is well."""
        store.end(self.state, account=ACCOUNT)


@pytest.fixture(scope="module")
def made(local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Planned, applied and published once."""
    base = tmp_path_factory.mktemp("outages")
    aws = Aws(endpoint_url=local_aws.endpoint_url, static_credentials=local_aws.credentials)
    recovery = {"region": STANDBY, "bucket": f"replica-{ACCOUNT}"}
    synthesis = frontend.synthesised(NAME, ACCOUNT, disaster_recovery=recovery)
    frontend.write(synthesis, base / "dist")
    zone = synthesis.assembly.hosted_zone
    assert zone is not None
    prepare.hosted_zone(aws, name=zone.name, account_id=ACCOUNT)
    line = CommandLine(home=base, endpoint_url=local_aws.endpoint_url, account_id=ACCOUNT, extra={"AWS_MAX_ATTEMPTS": "2"})
    app = frontend.built(base / "app")
    site = Site(
        line=line,
        dist=base / "dist",
        app=app,
        home=synthesis.assembly.home_region,
        bucket=f"{NAME}-site-{ACCOUNT}",
        replica=recovery["bucket"],
        state=local_aws.state,
        aws=aws,
    )
    planned = site.run("plan")
    assert planned.code == 3, planned
    applied = site.run("apply", "--yes")
    assert applied.code == 0, applied
    published = site.run("publish", "--content", str(app), "--yes")
    assert published.code == 0, published
    return site


@pytest.fixture
def site(made: Site) -> Iterator[Site]:
    """In order again after each test."""
    yield made
    made.over()


AGAIN = "run the same command again in a minute"
RUNBOOK = rf"{AGAIN}; if .* stays like this: python deploy.py runbook --env {NAME} .*region-lost --no-aws"

ROWS: list[tuple[Kind, dict[str, Any], str, tuple[str, ...], int, str]] = [
    (
        Kind.REGION,
        {"region": "home"},
        "status",
        (),
        1,
        r"certificate +us-east-1 +CREATE_COMPLETE[\s\S]*site: cannot be read: .*503|not asked",
    ),
    (Kind.REGION, {"region": "home"}, "plan", (), 1, "Plan cannot be applied"),
    (
        Kind.REGION,
        {"region": "home"},
        "doctor",
        (),
        1,
        "PROBLEM +{home} does not answer[\\s\\S]*next: python deploy.py runbook .*region-lost",
    ),
    (Kind.REGION, {"region": "home"}, "publish", ("--content", "{app}", "--yes"), 1, RUNBOOK),
    (Kind.REGION, {"region": "home"}, "rollback-release", ("--yes",), 1, RUNBOOK),
    (Kind.REGION, {"region": "home"}, "unlock", (), 1, RUNBOOK),
    (Kind.REGION, {"region": "home"}, "drift", (), 1, "in sync[\\s\\S]*failed"),
    (Kind.REGION, {"region": "home"}, "runbook", ("region-lost", "--no-aws"), 0, "What to do"),
    # Who takes releases is written there, and nobody may take a guess at it.
    (Kind.REGION, {"region": STANDBY}, "publish", ("--content", "{app}", "--yes"), 1, "--without-standby"),
    (Kind.REGION, {"region": STANDBY}, "publish", ("--content", "{app}", "--yes", "--without-standby"), 0, "live already|is live"),
    (Kind.REGION, {"region": EDGE}, "status", (), 1, "foundation +{home} +CREATE_COMPLETE"),
    (Kind.REGION, {"region": EDGE}, "releases", (), 0, "live"),
    (Kind.REGION, {"region": EDGE}, "doctor", (), 1, "PROBLEM +us-east-1 does not answer[\\s\\S]*runbook .*us-east-1"),
    (Kind.CONTROL_PLANES, {}, "plan", (), 0, "No changes|nothing to change|0 to"),
    (Kind.CONTROL_PLANES, {}, "status", (), 0, "CREATE_COMPLETE"),
    (Kind.BUCKET, {"bucket": "site"}, "publish", ("--content", "{app}", "--yes"), 1, "SlowDown: Please reduce your request rate"),
    (Kind.BUCKET, {"bucket": "site"}, "status", (), 0, "CREATE_COMPLETE"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{'-'.join(row[1].values())}-{row[2]}")
def test_a_verb_ends_with_words_and_what_is_typed_next(
    site: Site, row: tuple[Kind, dict[str, Any], str, tuple[str, ...], int, str]
) -> None:
    kind, where, verb, more, code, words = row
    names = {"home": site.home, "site": site.bucket}
    site.begin(kind, **{key: names.get(value, value) for key, value in where.items()})
    ended = site.run(verb, *(word.format(app=site.app) for word in more))
    assert ended.code == code, ended
    said = ended.stdout + ended.stderr
    assert "Traceback" not in said, ended
    assert re.search(words.replace("{home}", site.home), said), ended


def test_a_release_in_frozen_control_planes_is_there_and_says_what_visitors_may_get(site: Site) -> None:
    frontend.rebuilt(site.app, "frozen")
    site.begin(Kind.CONTROL_PLANES)
    published = site.run("publish", "--content", str(site.app), "--yes")
    assert published.code == 0, published
    assert "CloudFront was not told to forget" in published.stderr and "not yet at every edge" in published.stdout, published
    site.over()
    again = site.run("publish", "--content", str(site.app), "--yes")
    assert again.code == 0, again
    assert "CloudFront was not told" not in again.stderr


def test_a_release_without_us_east_1_is_in_the_bucket(site: Site) -> None:
    key = frontend.rebuilt(site.app, "without us-east-1")
    site.begin(Kind.REGION, region=EDGE)
    published = site.run("publish", "--content", str(site.app), "--yes")
    assert published.code == 0, published
    assert "CloudFront was not told to forget" in published.stderr, published
    assert key in site.objects(site.bucket, site.home)


def test_an_apply_that_meets_frozen_control_planes_fails_with_awss_words_and_goes_on_when_they_thaw(site: Site) -> None:
    recovery = {"region": STANDBY, "bucket": site.replica}
    frontend.write(frontend.synthesised(NAME, ACCOUNT, disaster_recovery=recovery, price_class="PriceClass_200"), site.dist)
    assert site.run("plan").code == 3
    site.begin(Kind.CONTROL_PLANES)
    refused = site.run("apply", "--yes")
    assert refused.code == 1, refused
    assert "Service: CloudFront, Status Code: 503" in refused.stdout + refused.stderr, refused
    assert "Traceback" not in refused.stderr
    site.over()
    assert site.run("plan").code == 3
    assert site.run("apply", "--yes").code == 0


def test_an_apply_that_loses_the_home_region_in_the_middle_ends_and_the_same_command_goes_on(site: Site, hold: Hold) -> None:
    recovery = {"region": STANDBY, "bucket": site.replica}
    frontend.write(frontend.synthesised(NAME, ACCOUNT, disaster_recovery=recovery, price_class="PriceClass_All"), site.dist)
    assert site.run("plan").code == 3
    with hold:
        started = site.line.start("deploy.py", "apply", "--env", NAME, "--dist", str(site.dist), "--yes")
        assert started.stderr is not None
        said = []
        for line in started.stderr:
            said.append(line)
            if line.startswith("site: update"):
                site.begin(Kind.REGION, region=site.home)
                hold.release()
    assert started.stdout is not None
    text = "".join((*said, started.stdout.read()))
    assert started.wait() == 1 and "Traceback" not in text, text
    assert re.search(r"next: python deploy\.py|hint: run the same command", text), text
    site.over()
    again = site.run("apply", "--yes")
    assert again.code == 0, again
    assert site.run("plan").code == 0


def test_what_was_written_while_the_replicas_region_was_lost_is_there_when_it_is_back(site: Site) -> None:
    site.begin(Kind.REGION, region=STANDBY)
    key = frontend.rebuilt(site.app, "written meanwhile")
    assert site.run("publish", "--content", str(site.app), "--yes", "--without-standby").code == 0
    site.over()
    written, replicated = site.objects(site.bucket, site.home), site.objects(site.replica, STANDBY)
    assert key in written
    assert replicated == written


def test_a_lost_region_ends_after_one_calls_patience_whoever_asks_next(site: Site) -> None:
    """Not once for each of some twenty calls; without it the botched attempts alone would be more than the calls of a healthy run."""
    site.begin(Kind.REGION, region=site.home)
    ended = site.run("status", "--json")
    assert ended.code == 1, ended
    unknown = [stack for stack in answer(ended.stdout)["stacks"] if stack["status"] is None]
    assert {stack["region"] for stack in unknown} == {site.home}
    assert "was not asked again" in ended.stdout


def test_the_switches_are_a_persons_own(site: Site, tmp_path: Path) -> None:
    del site
    line = CommandLine(home=tmp_path)
    refused = line.deploy("local", "fail")
    assert refused.code == 2, refused
    assert "fail takes one of --region" in refused.stderr
    both = line.deploy("local", "fail", "--region", "eu-west-1", "--how", "lag")
    assert both.code == 2, both
    assert os.environ.get("AWS_MAX_ATTEMPTS") is None
