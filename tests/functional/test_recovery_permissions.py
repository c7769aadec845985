"""Every sub-verb of `dr` as the deploy role, with IAM enforced: rehearsed to its end, promoted, failed back, and refused before it begins.

Slow for a reason: only over HTTP with IAM enforced does it show what the role lacks.
An environment of its own, with every stack in three
regions, since the tests of test_permissions edit theirs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from aws.errors import NotFound
from aws.s3 import S3
from aws.session import Aws
from gateways.origins import Buckets
from local_aws.server import LocalAws
from promotion import fence
from recovery import closing
from tests.functional import breakable, frontend
from tests.functional.accounts import Site, sites
from tests.functional.harness import CommandLine, Ended, answer

pytestmark = [pytest.mark.functional, pytest.mark.xdist_group("recovery permissions")]

ACCOUNT = "220000000000"
HOME, STANDBY = "eu-west-1", "eu-central-1"
PRIMARY = f"dev-kimmyai-web-public-{ACCOUNT}"
REPLICA = f"{PRIMARY}-replica"
ROLE = "kimmyai-web-dev-deploy"
RECOVERY = f"disaster_recovery: {{region: {STANDBY}, bucket: {REPLICA}}}\n"


@dataclass
class Origins:
    """Which of the two buckets CloudFront would read now."""

    aws: Aws

    def closed(self) -> bool:
        """A rehearsal keeps it from the site bucket."""
        return bool(closing.found(Buckets.connect(self.aws, account_id=ACCOUNT, region=HOME).policy(PRIMARY)))

    def promoted(self) -> bool:
        """The replica refuses replication, as it does while releases go there."""
        return fence.is_fenced(Buckets.connect(self.aws, account_id=ACCOUNT, region=STANDBY).policy(REPLICA))

    def beacon(self, key: str) -> bytes | None:
        """What the replica alone has."""
        try:
            return S3.connect(self.aws, account_id=ACCOUNT, region=STANDBY).get(REPLICA, key).body if self.closed() else None
        except NotFound:
            return None


class Front(breakable.Site):
    """The site as CloudFront gives it; a beacon as the bucket that it reads has it."""

    origins: Origins

    def _file(self, path: str, secured: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        if "/.dr/" in path:
            body = self.origins.beacon(path.lstrip("/"))
            return (404, b"", {}) if body is None else (200, body, {})
        return super()._file(path, secured)


@dataclass(kw_only=True)
class Dev:
    """dev with disaster recovery, deployed by an administrator and published by the deploy role."""

    site: Site
    app: Path
    front: str
    origins: Origins

    @property
    def role(self) -> CommandLine:
        line = self.site.deploy_role()
        return replace(line, extra={**line.extra, "BASIC_AUTH_PASSWORD": breakable.PASSWORD})

    def run(self, *words: str, code: int | None = 0) -> Ended:
        ended = self.site.run(self.role, words[0], *words[1:])
        assert code is None or ended.code == code, ended
        return ended

    def rehearse(self, *words: str, code: int = 0) -> Ended:
        where = ("--env", "dev", "--dist", str(self.site.dist))
        ended = self.role.run("tests/functional/rehearse_at.py", self.front, "rehearse", *where, *words)
        assert ended.code == code, ended
        return ended

    def iam(self) -> Any:
        return self.origins.aws.client("iam", account_id=ACCOUNT, region="us-east-1")


@pytest.fixture(scope="module")
def dev(guarded_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    site = sites(guarded_aws, tmp_path_factory.mktemp("permitted"), {"dev": ACCOUNT}, dev=RECOVERY)["dev"]
    site.plan(site.administrator())
    applied = site.apply(site.administrator())
    assert applied.code == 0, applied
    contract = site.assembly.contract
    assert contract is not None
    app = frontend.built(tmp_path_factory.mktemp("recovery-permissions") / "app")
    front = Front(contract, app)
    front.plain_is_secure = True
    front.origins = Origins(Aws(endpoint_url=guarded_aws.endpoint_url, static_credentials=guarded_aws.credentials))
    with breakable.served(front, None) as port:
        made = Dev(site=site, app=app, front=f"http://127.0.0.1:{port}", origins=front.origins)
        made.run("publish", "--content", str(app), "--yes")
        yield made


def test_the_deploy_role_rehearses_to_the_end(dev: Dev) -> None:
    told = dev.rehearse("--yes", "--json")
    report = answer(told.stdout)["report"]
    assert (report["result"], report["failed_visits"], report["rpo_objects"]) == ("passed", 0, 0), told
    passed = {each["id"] for each in report["checks"] if each["status"] == "passed"}
    assert {"app.entry", "app.release", "assets.load", "replica.current"} <= passed
    assert f":assumed-role/{ROLE}/" in report["by"] and not dev.origins.closed()
    assert "rehearsed" in dev.run("history").stdout
    status = answer(dev.run("dr", "status", "--json").stdout)
    assert status["problems"] == [] and status["rehearsals"][0]["result"] == "passed"


def test_the_deploy_role_promotes_publishes_and_fails_back(dev: Dev) -> None:
    dev.run("dr", "promote", "--planned", "--yes")
    frontend.rebuilt(dev.app, "published while promoted")
    dev.run("publish", "--content", str(dev.app), "--yes")
    assert dev.origins.promoted()
    findings = answer(dev.run("plan", "--json", code=None).stdout)["summary"]["findings"]
    (told,) = [each for each in findings if each["code"] == "promoted"]
    assert "apply is refused: releases go to the replica since" in told["message"] and "dr failback --env dev" in told["command"]
    dev.run("dr", "failback", "--yes")
    assert not dev.origins.promoted()
    dev.run("dr", "backfill")


WITHOUT = [
    ("s3:PutBucketPolicy", ("rehearse", "--yes"), f"s3:PutBucketPolicy on arn:aws:s3:::{PRIMARY}"),
    ("cloudfront:UpdateDistribution", ("promote", "--planned", "--yes"), "cloudfront:UpdateDistribution on arn:aws:cloudfront::"),
]


@pytest.mark.parametrize(("denied", "words", "told"), WITHOUT, ids=lambda each: each[0] if isinstance(each, tuple) else "")
def test_what_the_role_lacks_is_told_before_anything_is_changed(dev: Dev, denied: str, words: tuple[str, ...], told: str) -> None:
    statement = {"Effect": "Deny", "Action": denied, "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    dev.iam().put_role_policy(RoleName=ROLE, PolicyName="less", PolicyDocument=text)
    try:
        refused = dev.run("dr", *words, code=2)
    finally:
        dev.iam().delete_role_policy(RoleName=ROLE, PolicyName="less")
    assert told in refused.stderr and "has not begun" in refused.stderr, refused
    assert not dev.origins.closed() and not dev.origins.promoted()
