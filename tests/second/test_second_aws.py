"""Plan, apply, no change, change and destroy against moto: what we take for AWS's ways is not only the local AWS's.

What moto lacks, so what is not compared: certificates, distributions, alarms and delivery in CloudFormation (it says CREATE_COMPLETE and
makes nothing), StackSets whose updates change something, rollback after a failure, DescribeEvents, stack drift, GetAtt of an OIDC provider,
a stack's tags (a change of them alone is none), the order of deletions (a policy goes before the role that has it, and the stack cannot be
deleted). Hence these stacks: a chain of small ones, and foundation of the project's own dev, which is not destroyed.
"""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest

from tests.functional.accounts import write_environments
from tests.functional.harness import CommandLine, Ended
from tests.functional.small_platform import ENV, Platform, base, parameter
from tests.functional.wire import Wire
from tests.second.conftest import ACCOUNT
from tests.simulated import Small, literal, output, small_assembly

pytestmark = pytest.mark.functional


class Chain:
    """Two stacks in a row, one beside them in another region, and what all need."""

    def __init__(self, line: CommandLine, dist: Path) -> None:
        self.line, self.dist = line, dist
        self._platform = Platform(account=ACCOUNT, dist=dist, line=line)

    def build(self, value: str) -> None:
        first = {
            "Parameters": {"Value": {"Type": "String"}},
            "Resources": {"One": parameter("/demo/one", {"Ref": "Value"})},
            "Outputs": {"Name": {"Value": {"Ref": "One"}}},
        }
        second = {"Parameters": {"From": {"Type": "String"}}, "Resources": {"Two": parameter("/demo/two", {"Fn::Sub": "see ${From}"})}}
        beside = {"Resources": {"Beside": parameter("/demo/beside", "b")}}
        self._platform.write(
            *small_assembly(
                Small(id="base", template=base(ACCOUNT)),
                Small(id="one", template=first, parameters=(literal("Value", value),), depends_on=("base",)),
                Small(id="two", template=second, parameters=(output("From", "one", "Name"),), depends_on=("base", "one")),
                Small(id="beside", template=beside, region="us-east-1", depends_on=("base",)),
                environment=ENV,
            )
        )

    def deploy(self, verb: str, *more: str) -> Ended:
        return self.line.deploy(verb, "--env", ENV, "--dist", str(self.dist), *more)


def value_of(wire: Wire, name: str) -> str:
    client = boto3.client("ssm", endpoint_url=wire.url, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    return str(client.get_parameter(Name=name)["Parameter"]["Value"])


def last_line(ended: Ended) -> str:
    return ended.stdout.rstrip().splitlines()[-1]


def test_the_life_of_a_chain_of_stacks(command_line: CommandLine, second_aws: Wire, tmp_path: Path) -> None:
    chain = Chain(command_line, tmp_path / "dist")
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
    assert (again.code, last_line(again)) == (0, "No changes: 4 stacks as the assembly wants them."), again

    chain.build("2")
    changed = chain.deploy("plan", "--json")
    assert changed.code == 3, changed
    assert {s["stack"]: s["operation"] for s in json.loads(changed.stdout)["data"]["plan"]["stacks"]}["one"] == "update"
    assert chain.deploy("apply", "--yes").code == 0
    assert value_of(second_aws, "/demo/one") == "2"

    gone = chain.deploy("destroy", "--approve", ENV)
    assert gone.code == 0, (gone.stdout, gone.stderr)
    assert f"kept artifacts-{ACCOUNT}" in gone.stdout
    assert chain.deploy("destroy").code == 0


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
