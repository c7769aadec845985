"""docs/from-terraform.md, gone step by step by its own commands: what Terraform made is taken over, aligned, published to and verified, and
who it is stays the same; and the way back.

Forty seconds of a core for the two: every command is a process, as its reader types it, and a whole platform is deployed in between.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aws.session import Aws
from guards.processes import child_environment
from local_aws.server import LocalAws
from tests.browser.previews import PASSWORD, preview
from tests.functional import frontend
from tests.functional.accounts import Site, sites
from tests.functional.harness import ROOT, Ended, answer
from tests.functional.terraformed import IDENTITY, OBJECTS, Place, Shape, Terraformed, terraform_apply

pytestmark = pytest.mark.functional

PAGE = (ROOT / "docs" / "from-terraform.md").read_text(encoding="utf-8")
PENDING = 3


def typed(step: int) -> list[list[str]]:
    """The words of each command of a step."""
    text = re.split(r"^## (?=\d)", PAGE, flags=re.M)[step].partition("\n## ")[0]
    return [shlex.split(line) for line in re.findall(r"^    \.venv/bin/python ((?:deploy|build)\.py .*)$", text, re.M)]


@dataclass(kw_only=True)
class Walk:
    """Somebody who goes the way."""

    site: Site
    place: Place
    before: Terraformed
    app: Path

    def command(self, words: list[str], *more: str, stdin: str = "") -> Ended:
        """As it stands in the guide, with what is this walk's own."""
        own = {"dev.tfstate": str(self.before.state), "DIR": str(self.app), "dev": self.site.environment}
        script, *arguments = [own.get(word, word) for word in words]
        where = ("--environments", str(self.site.environments), "--out") if script == "build.py" else ("--dist",)
        return self.site.administrator().run(script, *arguments, *where, str(self.site.dist), *more, stdin=stdin)

    def done(self, words: list[str], *more: str, code: int = 0, stdin: str = "") -> Ended:
        ended = self.command(words, *more, stdin=stdin)
        assert ended.code == code, f"{' '.join(words)}: {ended}"
        return ended

    def applied(self, words: list[str]) -> Ended:
        digest = json.loads(self.site.saved.read_text())["digest"]
        return self.done(words, "--approve", digest)

    def write(self, old: str, new: str) -> None:
        path = self.site.environments / f"{self.site.environment}.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def state_rm(self, printed: str) -> list[str]:
        """What `terraform state rm` of the printed lines leaves in the state."""
        lines = [shlex.split(line)[-1] for line in re.findall(r"terraform state rm (\S.*)$", printed, re.M)]
        assert lines
        state = json.loads(self.before.state.read_text())
        for resource in state["resources"]:
            address = f"{resource['module']}." if "module" in resource else ""
            address += f"{resource['type']}.{resource['name']}"
            keyed = [(each, f'{address}["{each["index_key"]}"]' if "index_key" in each else address) for each in resource["instances"]]
            resource["instances"] = [each for each, name in keyed if name not in lines]
        state["resources"] = [each for each in state["resources"] if each["instances"]]
        self.before.state.write_text(json.dumps(state))
        return [each["type"] for each in state["resources"] if each["mode"] == "managed"]

    def distribution(self) -> dict[str, Any]:
        config = self.place.client("cloudfront").get_distribution_config(Id=self.before.distribution)
        return dict(config["DistributionConfig"])

    def readers(self) -> set[str]:
        """Sids of who may read the bucket."""
        policy = json.loads(self.place.client("s3", self.place.region).get_bucket_policy(Bucket=self.place.bucket)["Policy"])
        return {each["Sid"] for each in policy["Statement"] if each["Effect"] == "Allow"} - {"CloudFrontTellsMissing"}

    def identities_are_the_same(self) -> None:
        """And there is none beside them."""
        told = answer(
            self.site.administrator().deploy("outputs", "--env", self.site.environment, "--dist", str(self.site.dist), "--json").stdout
        )
        outputs = {f"{stack}.{name}": value for stack, values in told.items() for name, value in values.items()}
        assert outputs["site.BucketName"] == self.before.bucket
        assert outputs["site.DistributionId"] == self.before.distribution
        assert outputs["site.DistributionDomainName"] == self.before.domain_name
        assert outputs["certificate.CertificateArn"] == self.before.certificate
        self.are_there_once()

    def are_there_once(self) -> None:
        listed = self.place.client("cloudfront").list_distributions()["DistributionList"]["Items"]
        assert [(each["Id"], each["DomainName"]) for each in listed] == [(self.before.distribution, self.before.domain_name)]
        listed = self.place.client("acm").list_certificates()["CertificateSummaryList"]
        assert [each["CertificateArn"] for each in listed] == [self.before.certificate]
        listed = self.place.client("route53").list_hosted_zones()["HostedZones"]
        assert [each["Id"] for each in listed] == [f"/hostedzone/{self.before.zone}"]


@pytest.fixture
def walk(local_aws: LocalAws, aws: Aws, new_account: Callable[[], str], tmp_path: Path) -> Callable[..., Walk]:
    def begin(environment: str, shape: Shape, more: str = "") -> Walk:
        account = new_account()
        site = sites(local_aws, tmp_path, {environment: account}, **{environment: more})[environment]
        made = site.assembly
        assert made.contract is not None
        place = Place(
            aws=aws,
            account=account,
            environment="dev" if environment == "dev" else "prod",
            region=made.home_region,
            domain=made.contract.domain,
            bucket=f"{environment}-kimmyai-web-public-{account}",
        )
        return Walk(site=site, place=place, before=terraform_apply(place, shape, tmp_path), app=frontend.built(tmp_path / "app"))

    return begin


def test_the_way_from_an_origin_access_identity_to_the_end(walk: Callable[..., Walk]) -> None:
    way = walk("dev", "identity")
    (build,), (look,), (plan, apply, password), (take, align), (found, publish, _), (_, again, switch), (check, drift, last) = map(
        typed, (2, 3, 4, 5, 6, 7, 8)
    )
    looked = way.done(look, code=PENDING).stdout
    assert f"adopt.origin_access_identity: {IDENTITY}" in looked
    way.done(plan, code=PENDING)
    way.applied(apply)
    way.done(password, "--stdin", stdin=f"{PASSWORD}\n")

    # Without the line of step 2 it would cut the distribution off for minutes.
    refused = way.done(take, code=1)
    assert (
        "every page is an error for some minutes" in refused.stdout and f"adopt: {{origin_access_identity: {IDENTITY}}}" in refused.stdout
    )
    way.write("account_id:", f"adopt: {{origin_access_identity: {IDENTITY}}}\naccount_id:")
    way.done(build)
    way.done(take, code=PENDING)
    left = way.state_rm(looked)
    way.applied(align)
    way.identities_are_the_same()
    assert way.readers() == {"CloudFrontReads", "IdentityReadsAsBefore"}
    (origin,) = way.distribution()["Origins"]["Items"]
    assert origin["S3OriginConfig"]["OriginAccessIdentity"] == f"origin-access-identity/cloudfront/{IDENTITY}"
    assert way.distribution()["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2025"
    assert "ForwardedValues" not in way.distribution()["DefaultCacheBehavior"]
    assert not way.distribution().get("Logging", {}).get("Enabled")

    s3 = way.place.client("s3", way.place.region)
    way.done(found)
    assert s3.get_object(Bucket=way.place.bucket, Key="index.html")["Body"].read().decode() == OBJECTS["index.html"][1]
    way.done(publish, "--yes")
    releases = answer(way.site.administrator().deploy("releases", "--env", "dev", "--dist", str(way.site.dist), "--json").stdout)[
        "releases"
    ]
    assert [each["origin"].partition(" in ")[0] for each in releases] == ["as found", str(way.app)]

    way.write(f"identity: {IDENTITY}}}", f"identity: {IDENTITY}, origin: private}}")
    way.done(build)
    way.done(again, code=PENDING)
    way.applied(switch)
    (origin,) = way.distribution()["Origins"]["Items"]
    assert origin["OriginAccessControlId"] and not origin["S3OriginConfig"]["OriginAccessIdentity"]
    assert way.readers() == {"CloudFrontReads", "IdentityReadsAsBefore"}
    way.write("adopt:", "# adopt:")
    way.done(build)
    way.done(again, code=PENDING)
    way.applied(switch)
    assert way.readers() == {"CloudFrontReads"}

    # terraform destroy of what is left: nothing that the site needs.
    assert {"aws_s3_bucket", "aws_cloudfront_distribution", "aws_acm_certificate", "aws_route53_record"} & {*left} == set()
    terraform_destroy(way)
    way.done(check)
    way.done(drift)
    way.done(last)
    way.identities_are_the_same()
    verified(way)


def terraform_destroy(way: Walk) -> None:
    """Deletes what the state still has, as `terraform destroy` does."""
    name = "dev-kimmyai-basic-auth"
    way.place.client("lambda").delete_function(FunctionName=name)
    way.place.client("logs").delete_log_group(logGroupName=f"/aws/lambda/us-east-1.{name}")
    way.place.client("iam").delete_role(RoleName=name)
    state = json.loads(way.before.state.read_text())
    way.before.state.write_text(json.dumps({**state, "resources": [r for r in state["resources"] if r["mode"] != "managed"]}))


def verified(way: Walk) -> None:
    """What the stacks now say, as a site."""
    with preview(way.site.dist, way.site.environment, way.app) as site:
        where = ["--resolve", f"http://127.0.0.1:{site.port}"]
        command = [sys.executable, "deploy.py", "verify", "--env", way.site.environment, "--dist", str(way.site.dist), *where]
        environ = child_environment(BASIC_AUTH_PASSWORD=PASSWORD)
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr + site.log


def test_production_with_origin_access_control_and_the_way_back(walk: Callable[..., Walk]) -> None:
    """Everything is taken over, and everything is still there when the stacks have gone again; and in once more. No record is missing
    for a moment: those that stood answer with weight 0 until ours are made beside them."""
    way = walk("prod", "control", "hosted_zone: {records: weighted}\n")
    (build,), (look,), (plan, apply, _), (take, align) = map(typed, (2, 3, 4, 5))
    way.done(build)
    way.done(look, code=PENDING)
    way.done(plan, code=PENDING)
    way.applied(apply)
    way.done(take, code=PENDING)
    aligned = way.applied(align)
    assert "set aside the record kimmyai.io A" in aligned.stderr and "which stood beside" in aligned.stderr
    assert {(each["SetIdentifier"], each["Weight"]) for each in records(way)} == {("kimmyai-web-prod", 1)}
    way.identities_are_the_same()
    names = {(each["Name"], each["Type"]) for each in records(way)}
    assert names == {("kimmyai.io.", "A"), ("kimmyai.io.", "AAAA")}
    assert way.readers() == {"CloudFrontReads"}
    way.write("account_id:", "adopt: {let_go: true}\naccount_id:")
    way.done(build)
    way.done(["deploy.py", "plan", "--env", "prod"], code=PENDING)
    way.applied(apply)
    destroy = ["deploy.py", "destroy", "--env", "prod", "--approve", "prod", "--lift-termination-protection"]
    way.done(destroy)
    way.are_there_once()
    assert {(each["Name"], each["Type"]) for each in records(way)} == names
    way.done(destroy)  # the second one finds what the first one left, and leaves it as well
    way.are_there_once()
    assert way.place.client("route53").list_health_checks()["HealthChecks"]
    assert way.place.client("s3", way.place.region).get_object(Bucket=way.place.bucket, Key="index.html")

    # And in again.
    way.write("adopt: {let_go: true}\n", "")
    way.done(build)
    way.done(plan, code=PENDING)
    way.applied(apply)
    again = way.done(["deploy.py", "plan", "--env", "prod", "--replace-records"], code=PENDING)
    assert "right before" not in again.stdout, "which would be a gap"
    way.applied(apply)
    way.identities_are_the_same()
    assert {each["SetIdentifier"] for each in records(way)} == {"kimmyai-web-prod"}
    way.done(["deploy.py", "plan", "--env", "prod"])


def records(way: Walk) -> list[dict[str, Any]]:
    found = way.place.client("route53").list_resource_record_sets(HostedZoneId=way.before.zone)["ResourceRecordSets"]
    return [each for each in found if each["Type"] in ("A", "AAAA")]


def test_it_is_walked_with_the_command_lines_of_the_guide() -> None:
    assert [len(typed(step)) for step in range(1, 9)] == [0, 1, 1, 3, 2, 3, 3, 3]
