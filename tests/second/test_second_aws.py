"""Plan, apply, no change, change, releases and destroy against moto: what we take for AWS's ways is not only the local AWS's.

What moto lacks, so what is not compared: certificates, distributions, alarms and delivery in CloudFormation (it says CREATE_COMPLETE and
makes nothing), StackSets whose updates change something, rollback after a failure, DescribeEvents, stack drift, GetAtt of an OIDC provider,
a stack's tags (a change of them alone is none), the order of deletions (a policy goes before the role that has it, and the stack cannot be
deleted). Hence these stacks: a chain of small ones with a site whose distribution stands already, and foundation of the project's own dev,
which is not destroyed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.functional.accounts import write_environments
from tests.functional.distributions import distribution_config
from tests.functional.harness import CommandLine, Ended
from tests.functional.small_platform import ENV, Platform, base, parameter
from tests.functional.wire import Wire
from tests.second.conftest import ACCOUNT
from tests.simulated import Small, literal, output, small_assembly

SITE = "demo-site-content"
pytestmark = pytest.mark.functional


class Chain:
    """Two stacks in a row, one beside them in another region, a site, and what all need.

    moto makes no distribution of a template, so there is one already, whose id is the site's output.
    """

    def __init__(self, line: CommandLine, dist: Path, distribution: str) -> None:
        self.line, self.dist, self.distribution = line, dist, distribution
        self._platform = Platform(account=ACCOUNT, dist=dist, line=line)

    def build(self, value: str) -> None:
        first = {
            "Parameters": {"Value": {"Type": "String"}},
            "Resources": {"One": parameter("/demo/one", {"Ref": "Value"})},
            "Outputs": {"Name": {"Value": {"Ref": "One"}}},
        }
        second = {"Parameters": {"From": {"Type": "String"}}, "Resources": {"Two": parameter("/demo/two", {"Fn::Sub": "see ${From}"})}}
        beside = {"Resources": {"Beside": parameter("/demo/beside", "b")}}
        origin = {"Id": "b", "DomainName": f"{SITE}.s3.eu-west-1.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
        behaviour = {"TargetOriginId": "b", "ViewerProtocolPolicy": "https-only"}
        config = {"Enabled": True, "Origins": [origin], "DefaultCacheBehavior": behaviour}
        site = {
            "Resources": {
                "Bucket": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": SITE}},
                "Distribution": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": config}},
            },
            "Outputs": {"DistributionId": {"Value": self.distribution}, "BucketName": {"Value": SITE}},
        }
        self._platform.write(
            *small_assembly(
                Small(id="base", template=base(ACCOUNT)),
                Small(id="one", template=first, parameters=(literal("Value", value),), depends_on=("base",)),
                Small(id="two", template=second, parameters=(output("From", "one", "Name"),), depends_on=("base", "one")),
                Small(id="site", template=site, depends_on=("base",)),
                Small(id="beside", template=beside, region="us-east-1", depends_on=("base",)),
                environment=ENV,
            )
        )

    def deploy(self, verb: str, *more: str) -> Ended:
        return self.line.deploy(verb, "--env", ENV, "--dist", str(self.dist), *more)


def client_of(wire: Wire, service: str) -> Any:
    made: Any = boto3.client
    return made(service, endpoint_url=wire.url, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")


def content(folder: Path, number: int) -> str:
    """A front end of which each release has another page and another script."""
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(f"<!doctype html><title>{number}</title><script src=/assets/main-{number:08x}.js></script>\n")
    (folder / "assets" / f"main-{number:08x}.js").write_text(f"document.title = {number}\n")
    (folder / "runtime~main.txt").write_text(f"{number}\n")
    return str(folder)


def value_of(wire: Wire, name: str) -> str:
    return str(client_of(wire, "ssm").get_parameter(Name=name)["Parameter"]["Value"])


def last_line(ended: Ended) -> str:
    return ended.stdout.rstrip().splitlines()[-1]


def test_the_life_of_a_chain_of_stacks(command_line: CommandLine, second_aws: Wire, tmp_path: Path) -> None:
    front = client_of(second_aws, "cloudfront")
    distribution = front.create_distribution(DistributionConfig=distribution_config("site"))["Distribution"]["Id"]
    chain = Chain(command_line, tmp_path / "dist", distribution)
    chain.build("1")
    planned = chain.deploy("plan")
    assert planned.code == 3, planned
    assert f"warning: this is not AWS itself: AWS_ENDPOINT_URL leads to {second_aws.url}" in planned.stderr
    assert "parameter From: (none) -> {known after one.Name}" in planned.stdout
    (note,) = [line for line in planned.stdout.splitlines() if "validation of the change set could not be read: moto has no Desc" in line]
    assert all(name in note for name in ("base", "one", "two", "beside")), planned
    applied = chain.deploy("apply", "--yes")
    assert applied.code == 0, applied
    assert (value_of(second_aws, "/demo/one"), value_of(second_aws, "/demo/two")) == ("1", "see /demo/one")

    again = chain.deploy("plan")
    assert (again.code, last_line(again)) == (0, "No changes: 5 stacks as the assembly wants them."), again

    chain.build("2")
    changed = chain.deploy("plan", "--json")
    assert changed.code == 3, changed
    assert {s["stack"]: s["operation"] for s in json.loads(changed.stdout)["data"]["plan"]["stacks"]}["one"] == "update"
    assert chain.deploy("apply", "--yes").code == 0
    assert value_of(second_aws, "/demo/one") == "2"

    the_releases_of_a_site(chain, second_aws, tmp_path)

    gone = chain.deploy("destroy", "--approve", ENV)
    assert gone.code == 0, (gone.stdout, gone.stderr)
    assert f"kept artifacts-{ACCOUNT}" in gone.stdout and f"kept {SITE}" in gone.stdout
    emptied = chain.deploy("destroy", "--approve", ENV, "--delete-data")
    assert emptied.code == 0 and client_of(second_aws, "s3").list_buckets()["Buckets"] == [], emptied


def the_releases_of_a_site(chain: Chain, wire: Wire, folder: Path) -> None:
    """Published, changed, back again; what the bucket and CloudFront were told of it."""
    for number in (1, 2):
        published = chain.deploy("publish", "--content", content(folder / f"app-{number}", number), "--yes")
        assert published.code == 0, published
    s3, front = client_of(wire, "s3"), client_of(wire, "cloudfront")

    def page() -> str:
        return str(s3.get_object(Bucket=SITE, Key="index.html")["Body"].read().decode())

    assert "<title>2</title>" in page()
    told = front.list_invalidations(DistributionId=chain.distribution)["InvalidationList"]["Items"]
    paths = [front.get_invalidation(DistributionId=chain.distribution, Id=each["Id"])["Invalidation"]["InvalidationBatch"] for each in told]
    assert "/runtime*" in {path for each in paths for path in each["Paths"]["Items"]}
    same = chain.deploy("publish", "--content", str(folder / "app-2"), "--yes")
    assert same.code == 0 and len(front.list_invalidations(DistributionId=chain.distribution)["InvalidationList"]["Items"]) == len(told)
    back = chain.deploy("rollback-release", "--yes")
    assert back.code == 0 and "<title>1</title>" in page(), back
    listed = chain.deploy("releases", "--json")
    assert listed.code == 0, listed
    assert [each["number"] for each in json.loads(listed.stdout)["data"]["releases"]] == [1, 2, 3], listed.stdout
    status = chain.deploy("status")
    assert status.code == 0, status


def test_the_life_of_the_projects_own_foundation(command_line: CommandLine, tmp_path: Path) -> None:
    environments = write_environments(tmp_path / "environments", {"dev": ACCOUNT}, dev="github: {create_provider: false}\n")
    dist = tmp_path / "dist"

    def build() -> None:
        built = command_line.build("--env", "dev", "--environments", str(environments), "--out", str(dist))
        assert built.code == 0, built

    def deploy(verb: str, *more: str) -> Ended:
        return command_line.deploy(verb, "--env", "dev", "--dist", str(dist), *more)

    build()
    assert deploy("plan", "--only", "foundation").code == 3
    applied = deploy("apply", "--yes")
    assert applied.code == 0, applied
    again = deploy("plan", "--only", "foundation")
    assert again.code == 0, again

    file = environments / "dev.yaml"
    file.write_text(file.read_text().replace("create_provider: false", "create_provider: false, environment: staging"))
    build()
    changed = deploy("plan", "--only", "foundation")
    assert changed.code == 3, changed
    assert deploy("apply", "--yes").code == 0
    assert deploy("plan", "--only", "foundation").code == 0
