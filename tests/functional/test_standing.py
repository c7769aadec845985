"""What stands in the account before an environment is made, and what it leaves behind: plan says what follows, and apply gets there."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aws.route53 import Record, Route53
from aws.session import Aws
from local_aws import prepare
from tests.functional.accounts import own_zone
from tests.functional.harness import ROOT, CommandLine, Ended

pytestmark = pytest.mark.functional

DOMAIN = "dev.kimmyai.io"
HOME = "eu-west-1"
EDGE = "us-east-1"


@dataclass(frozen=True, kw_only=True)
class Site:
    """The environment dev of the repository in an account of its own."""

    line: CommandLine
    aws: Aws
    account: str
    environments: Path
    dist: Path

    def client(self, service: str, region: str = EDGE) -> Any:
        return self.aws.client(service, account_id=self.account, region=region)

    def __call__(self, verb: str, *more: str) -> Ended:
        return self.line.deploy(verb, "--env", "dev", "--dist", str(self.dist), *more)

    def edit(self, old: str, new: str, file: str = "dev.yaml") -> None:
        path = self.environments / file
        text = path.read_text()
        assert old in text, text
        path.write_text(text.replace(old, new))

    def write(self, text: str) -> None:
        """Add to the environment's file, and build."""
        path = self.environments / "dev.yaml"
        path.write_text(f"{path.read_text()}{text}\n")
        self.build()

    def build(self) -> None:
        built = self.line.build("--env", "dev", "--environments", str(self.environments), "--out", str(self.dist))
        assert built.code == 0, built

    def found(self, *more: str) -> dict[str, list[dict[str, Any]]]:
        """Findings of a plan by code."""
        planned = self("plan", "--json", *more)
        found: dict[str, list[dict[str, Any]]] = {}
        document = json.loads(planned.stdout)["plan"]
        for each in [*document["findings"], *(f for s in document["stacks"] for f in s["findings"])]:
            found.setdefault(each["code"], []).append(each)
        return found

    def applied(self, *more: str) -> Ended:
        planned = self("plan", *more)
        assert planned.code == 3, planned
        ended = self("apply", "--yes")
        assert ended.code == 0, ended
        return ended


@pytest.fixture
def site(command_line: CommandLine, account: str, tmp_path: Path, aws: Aws) -> Site:
    copy = tmp_path / "environments"
    shutil.copytree(ROOT / "environments", copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for file in copy.glob("*.yaml"):
        text = file.read_text().replace("1" * 12, account).replace("ORGANISATION/REPOSITORY", "acme/web")
        text = re.sub(r"(bucket: \S+)", rf"\1-{account}", text)
        file.write_text(text + (own_zone(DOMAIN) if file.stem == "dev" else ""))
    made = Site(line=command_line, aws=aws, account=account, environments=copy, dist=tmp_path / "dist")
    made.build()
    prepare.hosted_zone(aws, name=DOMAIN, account_id=account)
    assert made("set-password", "--generate").code == 0
    return made


def test_the_provider_of_github_stands_already(site: Site) -> None:
    iam = site.client("iam")
    iam.create_open_id_connect_provider(Url="https://token.actions.githubusercontent.com", ClientIDList=["sts.amazonaws.com"])
    (found,) = site.found()["stands_already"]
    assert "github.create_provider: false" in found["command"]
    assert "environments/dev.yaml" in found["command"]
    site.write("github: {create_provider: false}")
    site.applied()


def test_a_bucket_name_of_somebody_else_is_refused_before_anything_is_made(site: Site, new_account: Any) -> None:
    name = f"dev-kimmyai-web-public-{site.account}"
    site.aws.client("s3", account_id=new_account(), region=EDGE).create_bucket(Bucket=name)
    (found,) = [f for f in site.found()["stands_already"] if f["stack"] == "site"]
    assert f"the bucket name {name} is taken by another account" in found["message"]
    assert "environments/dev.yaml" in found["command"]


def test_destroy_then_apply_brings_the_environment_back_with_content_releases_and_history(site: Site, tmp_path: Path) -> None:
    content = tmp_path / "front"
    (content / "assets").mkdir(parents=True)
    (content / "index.html").write_text("<!doctype html><title>buy</title>")
    site.applied()
    assert site("publish", "--dir", str(content), "--yes").code in (0, 3)
    saved = site("plan")
    gone = site("destroy", "--approve", "dev")
    assert gone.code == 0, gone
    again = site("plan")
    assert again.code == 3, again
    assert "taken over" in again.stdout, again
    back = site("apply", "--yes")
    assert back.code == 0, back
    assert site("plan").code == 0
    print(saved)
