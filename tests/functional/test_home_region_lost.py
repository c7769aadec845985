"""The home region is lost: promoted, published there, and home again with every object; real processes against the local AWS."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aws.dynamodb import Items
from aws.errors import NotFound
from aws.s3 import S3
from aws.session import Aws
from aws.session import Settings as AwsSettings
from guards.caller import this_process
from local_aws.server import LocalAws
from outages import store
from outages.model import How, Kind, Outage
from preview import source
from preview.bucket import bucket_content
from preview.bucket import regions as regions_of
from preview.explain import explain
from preview.session import Settings
from rollout import history
from rollout.lock import acquire, lock_name
from tests.functional import frontend
from tests.functional.harness import CommandLine, Ended, answer, eventually

pytestmark = [pytest.mark.functional, pytest.mark.xdist_group("home region lost")]

HOME, STANDBY = "eu-west-1", "eu-west-2"


@dataclass
class Regions:
    """An environment with a replica, its command lines, and a home region that can be lost."""

    aws: Aws
    local_aws: LocalAws
    command_line: CommandLine
    site: frontend.Deployed
    app: Path

    @property
    def account(self) -> str:
        return self.site.assembly.account_id

    @property
    def replica(self) -> str:
        return f"{self.site.bucket}-replica"

    def lose(self, how: How = How.UNAVAILABLE) -> None:
        store.begin(self.local_aws.state, Outage(kind=Kind.REGION, how=how, region=HOME, account=self.account))

    def back(self) -> None:
        store.end(self.local_aws.state, account=self.account)

    def verb(self, *words: str, code: int = 0) -> Ended:
        ended = self.command_line.deploy(words[0], *self.words(words))
        assert ended.code == code, ended
        return ended

    def words(self, words: tuple[str, ...]) -> tuple[str, ...]:
        return (*words[1:], "--env", "dev", "--dist", str(self.site.dist))

    def publish(self, *more: str, code: int = 0) -> Ended:
        return self.verb("publish", "--content", str(self.app), "--yes", *more, code=code)

    def s3(self, region: str) -> Any:
        return self.aws.client("s3", account_id=self.account, region=region)

    def objects(self, bucket: str, region: str) -> dict[str, tuple[str, str, str]]:
        """ETag, content type and Cache-Control of every object."""
        found = {}
        for each in self.s3(region).list_objects_v2(Bucket=bucket).get("Contents", []):
            head = self.s3(region).head_object(Bucket=bucket, Key=each["Key"])
            found[each["Key"]] = (head["ETag"], head["ContentType"], head.get("CacheControl", ""))
        return found

    def phase(self) -> str:
        bucket = f"{self.site.assembly.artifact_bucket}-{STANDBY}"
        try:
            body = self.s3(STANDBY).get_object(Bucket=bucket, Key="recovery/dev/target.json")["Body"].read()
        except NotFound:
            return "home"
        return str(json.loads(body)["phase"])

    def page(self) -> tuple[int, bytes]:
        """What a visitor gets, by the built templates and the two buckets as they are; no edge has it yet."""
        directory = self.site.dist / "dev"
        built = source.read(directory)
        where = regions_of(built.templates, {stack.id: stack.region for stack in built.assembly.stacks})
        hasty = Aws(
            endpoint_url=self.local_aws.endpoint_url,
            static_credentials=self.local_aws.credentials,
            settings=AwsSettings(total_attempts=1),
        )
        settings = Settings(
            directory=directory,
            secrets=lambda _: {},
            port=0,
            folder=None,
            content=bucket_content(lambda bucket: S3.connect(hasty, account_id=self.account, region=where[bucket])),
            say=lambda _: None,
            now=lambda: datetime.now(UTC),
        )
        (explained,) = asyncio.run(explain(settings, built.assembly.site.entry_path, None))
        return explained.outcome.response.status, explained.outcome.response.body

    def first_origin(self) -> str:
        client = self.aws.client("cloudfront", account_id=self.account, region="us-east-1")
        config = client.get_distribution_config(Id=self.site.outputs["DistributionId"])["DistributionConfig"]
        return str(config["OriginGroups"]["Items"][0]["Members"]["Items"][0]["OriginId"])


@pytest.fixture
def regions(aws: Aws, local_aws: LocalAws, account: str, command_line: CommandLine, tmp_path: Path) -> Iterator[Regions]:
    """Published once, and the replica has it."""
    recovery = {"region": STANDBY, "bucket": f"dev-site-{account}-replica"}
    site = frontend.deployed(aws, tmp_path / "dist", "dev", account, disaster_recovery=recovery)
    fast = CommandLine(
        home=command_line.home,
        endpoint_url=command_line.endpoint_url,
        account_id=command_line.account_id,
        extra={**command_line.extra, "AWS_MAX_ATTEMPTS": "1"},
    )
    found = Regions(aws, local_aws, fast, site, frontend.built(tmp_path / "app"))
    found.publish()
    yield found
    found.back()


def test_lost_promoted_published_and_home_again_with_every_object(regions: Regions) -> None:
    first = regions.page()
    assert first == (200, (regions.app / "index.html").read_bytes())
    before = regions.objects(regions.site.bucket, HOME)
    assert regions.objects(regions.replica, STANDBY) == before

    # Written a moment before the loss, and not replicated.
    store.begin(regions.local_aws.state, Outage(kind=Kind.REPLICATION, how=How.LAG, bucket=regions.site.bucket, account=regions.account))
    regions.s3(HOME).put_object(Bucket=regions.site.bucket, Key="index.html", Body=b"<!doctype html>late", ContentType="text/html")
    refused = regions.verb("dr", "promote", "--yes", code=2)
    assert "the home region eu-west-1 answers" in refused.stderr and "--planned" in refused.stderr
    regions.lose()
    assert regions.page() == first, "the replica takes over"

    shown = answer(regions.verb("dr", "promote", "--dry-run", "--json", code=3).stdout)
    assert regions.phase() == "home" and shown["plan"]["standby"]["release"] == 1
    store.begin(regions.local_aws.state, Outage(kind=Kind.CONTROL_PLANES, how=How.HANG, account=regions.account))
    cut = ended_while(regions, "promote", "the distribution asks the replica first", signal.SIGTERM)
    assert "promote interrupted: promoting, so nobody takes releases" in cut and "next: python deploy.py dr promote --env dev" in cut, cut
    assert all(told.count("--dist") == 1 for told in cut.splitlines() if "next: " in told), cut
    regions.back()
    regions.lose()
    assert "nobody takes releases" in regions.publish(code=1).stderr and regions.page() == first
    line = ("deploy.py", "dr", *regions.words(("dr", "promote", "--approve", shown["digest"][:12])))
    both = [regions.command_line.start(*line) for _ in range(2)]
    said = [process.communicate(timeout=120)[1] for process in both]
    assert sorted(process.returncode for process in both) == [0, 1], said
    assert regions.phase() == "standby" and regions.first_origin() == "replica"
    foreign = uploaded_in_parts(regions.s3(STANDBY), regions.replica)

    told = regions.verb("dr", "status", code=1)
    assert "releases go to the replica since" in told.stderr
    chunk = frontend.rebuilt(regions.app, "published while promoted")
    outcome = answer(regions.publish("--json").stdout)["outcome"]
    assert outcome["release"]["number"] == 2 and outcome["invalidation"]
    assert regions.page() == (200, (regions.app / "index.html").read_bytes())
    regions.verb("rollback-release", "--yes")
    for words in (("prune", "--yes"), ("apply", "--yes"), ("destroy", "--approve", "dev"), ("retry", "--yes")):
        ended = regions.verb(*words, code=1)
        assert "is promoted since" in ended.stderr and "next: python deploy.py dr failback --env dev" in ended.stderr
    assert "does not answer" in regions.verb("dr", "failback", "--yes", code=1).stderr

    regions.back()
    late = regions.publish(code=0)
    assert "releases go to the replica" in late.stderr
    eventually(lambda: chunk in regions.objects(regions.replica, STANDBY))
    filled = regions.verb("dr", "backfill", code=1)
    assert "is promoted since" in filled.stderr and "next: python deploy.py dr failback --env dev" in filled.stderr
    told = answer(regions.verb("dr", "status", "--json", code=1).stdout)
    assert (told["phase"], told["release"], len(told["problems"])) == ("standby", 4, 1) and "failback" in told["problems"][0]
    forgotten = applied_without_recovery(regions)
    assert "a standby region that its file names no more" in forgotten.stderr and forgotten.code == 1
    other = str(regions.site.dist.parent / "other")
    ended = regions.command_line.deploy("publish", "--content", str(regions.app), "--env", "dev", "--dist", other, "--yes")
    assert ended.code == 1 and "nothing is published until the failback" in ended.stderr, ended
    ended = regions.command_line.deploy("destroy", "--env", "dev", "--dist", other, "--approve", "dev")
    assert ended.code == 1 and "nothing is deleted until the failback" in ended.stderr, ended
    moved = str(regions.site.dist.parent / "moved")
    recovery = {"region": STANDBY, "bucket": regions.replica}
    frontend.write(frontend.synthesised("dev", regions.account, home_region="eu-central-1", disaster_recovery=recovery), Path(moved))
    ended = regions.command_line.deploy("dr", "failback", "--env", "dev", "--dist", moved, "--yes")
    assert ended.code == 1 and "take back the edit of home_region" in ended.stderr and regions.phase() == "standby", ended
    # It gets no further than to the distribution, however late the signal comes.
    store.begin(regions.local_aws.state, Outage(kind=Kind.CONTROL_PLANES, how=How.HANG, account=regions.account))
    ended_while(regions, "failback", "carrying home", signal.SIGKILL)
    regions.back()
    assert regions.phase() == "failing-back"
    refused = regions.publish(code=1)
    assert "nobody takes releases" in refused.stderr and "next: python deploy.py dr failback --env dev" in refused.stderr
    back = answer(regions.verb("dr", "failback", "--yes", "--json").stdout)
    assert back["target"]["phase"] == "home"
    assert regions.phase() == "home" and regions.first_origin() == "site"
    here, there = regions.objects(regions.site.bucket, HOME), regions.objects(regions.replica, STANDBY)
    assert here == there and here.keys() >= {*before, chunk, foreign}
    page = regions.s3(HOME).get_object(Bucket=regions.site.bucket, Key="index.html")["Body"].read()
    assert page == (regions.app / "index.html").read_bytes() and regions.page() == (200, page)
    listed = answer(regions.verb("releases", "--json").stdout)["releases"]
    assert [each["number"] for each in listed] == [1, 2, 3, 4]
    frontend.rebuilt(regions.app, "published at home")
    assert answer(regions.publish("--json").stdout)["outcome"]["release"]["number"] == 5


def uploaded_in_parts(s3: Any, bucket: str) -> str:
    """What somebody puts there as `aws s3 cp` does with a large file; its key."""
    named = {"Bucket": bucket, "Key": "foreign.pdf"}
    named["UploadId"] = s3.create_multipart_upload(**named, ContentType="application/pdf")["UploadId"]
    part = s3.upload_part(**named, PartNumber=1, Body=b"somebody else's")["ETag"]
    s3.complete_multipart_upload(**named, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]})
    return named["Key"]


def applied_without_recovery(regions: Regions) -> Ended:
    """An apply of a file that does not name the standby region any more, in an environment whose history does."""
    assembly = regions.site.assembly
    kept = S3.connect(regions.aws, account_id=regions.account, region=HOME)
    history.keep(kept, assembly.artifact_bucket, assembly, regions.site.synthesis.templates)
    record = history.Record(
        environment="dev",
        project=assembly.project,
        assembly_digest=assembly.digest,
        plan_digest="d" * 64,
        git_commit="",
        by="somebody",
        host="h",
        started_at="2026-11-27T12:00:00Z",
        seconds=1.0,
        result="succeeded",
    )
    history.save(kept, assembly.artifact_bucket, record)
    other = regions.site.dist.parent / "other"
    frontend.write(frontend.synthesised("dev", regions.account), other)
    return regions.command_line.deploy("apply", "--env", "dev", "--dist", str(other), "--yes")


def ended_while(regions: Regions, action: str, step: str, how: signal.Signals) -> str:
    """What a promote or failback says that is told to end, or killed, as soon as it says that step."""
    started = regions.command_line.start("deploy.py", "dr", *regions.words(("dr", action, "--yes")))
    assert started.stderr is not None
    said = []
    for line in started.stderr:
        said.append(line)
        if step in line:
            started.send_signal(how)
    assert started.wait() == (130 if how is signal.SIGTERM else -how), said
    return "".join(said)


def test_a_silent_standby_region_is_not_taken_for_home(regions: Regions) -> None:
    store.begin(regions.local_aws.state, Outage(kind=Kind.REGION, how=How.UNAVAILABLE, region=STANDBY, account=regions.account))
    frontend.rebuilt(regions.app, "the standby is down")
    refused = regions.publish(code=1)
    assert "does not say who takes releases" in refused.stderr and "--without-standby" in refused.stderr
    ended = regions.publish("--without-standby")
    assert "behind those at home" in ended.stderr


def test_a_planned_promotion_waits_for_nobody_who_is_applying(regions: Regions) -> None:
    assembly = regions.site.assembly
    items = Items.connect(regions.aws, account_id=assembly.account_id, region=HOME)
    lock = acquire(
        items,
        assembly.lock_table,
        lock_name(assembly.project, "dev"),
        environment="dev",
        verb="apply",
        lock_id="f" * 32,
        me=this_process("arn:aws:iam::1:user/ann"),
        now=time.time,
    )
    for words in (("promote", "--planned", "--yes"), ("backfill",), ("rehearse", "--end")):
        refused = regions.verb("dr", *words, code=1)
        assert "arn:aws:iam::1:user/ann" in refused.stderr and "--lock-id" not in refused.stderr, refused
    assert regions.phase() == "home"
    lock.release()
    regions.verb("dr", "promote", "--planned", "--yes")
    assert regions.phase() == "standby"
