"""A small platform for the functional tests of apply: a base that makes bucket and lock table, two stacks in a row, one beside them.

In: an account, a directory, values to vary. Out: an assembly on disk, and commands on it.
Never: slow; every resource is an SSM parameter but for what the deployer itself needs.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from assembly import files
from aws.session import Aws
from tests.functional.harness import CommandLine, Ended
from tests.simulated import Small, literal, output, small_assembly

REGION = "eu-west-1"
ENV = "test"


def parameter(name: str, value: Any) -> dict[str, Any]:
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Name": name, "Type": "String", "Value": value}}


def base(account: str, **extra: Any) -> dict[str, Any]:
    return {
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": f"artifacts-{account}"}},
            "Table": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "TableName": f"locks-{account}",
                    "AttributeDefinitions": [{"AttributeName": "LockID", "AttributeType": "S"}],
                    "KeySchema": [{"AttributeName": "LockID", "KeyType": "HASH"}],
                    "BillingMode": "PAY_PER_REQUEST",
                },
            },
            **extra,
        },
        "Outputs": {"TableName": {"Value": {"Ref": "Table"}}},
    }


@dataclass(frozen=True, kw_only=True)
class Platform:
    """The platform of one account."""

    account: str
    dist: Path
    line: CommandLine
    protected: bool = False
    own: Mapping[str, Any] = field(default_factory=dict)

    def build(
        self, *, one: str = "1", two: str = "fixed", beside: str = "b", more: Mapping[str, Any] | None = None, **settings: Any
    ) -> None:
        """Write the assembly: `one`, `two` and `beside` are values of parameters; `more` are resources of stack one."""
        first = {
            "Parameters": {"Value": {"Type": "String"}},
            "Resources": {"One": parameter("/demo/one", {"Ref": "Value"}), **(more or {})},
            "Outputs": {"Name": {"Value": {"Ref": "One"}}, "Value": {"Value": {"Fn::GetAtt": ["One", "Value"]}}},
        }
        second = {
            "Parameters": {"From": {"Type": "String"}, "Value": {"Type": "String"}},
            "Resources": {
                "Two": parameter("/demo/two", {"Fn::Sub": "${From} ${Value}"}),
                "Three": parameter("/demo/three", {"Ref": "From"}),
            },
            "Outputs": {"Name": {"Value": {"Ref": "Two"}}},
        }
        assembly, templates = small_assembly(
            Small(id="base", template=base(self.account), more=settings.get("base", {})),
            Small(id="one", template=first, parameters=(literal("Value", one),), depends_on=("base",), more=settings.get("one", {})),
            Small(
                id="two",
                template=second,
                parameters=(output("From", "one", "Value"), literal("Value", two)),
                depends_on=("base", "one"),
            ),
            Small(
                id="beside",
                template={"Resources": {"Beside": parameter("/demo/beside", beside)}},
                region="us-east-1",
                depends_on=("base",),
            ),
            environment=ENV,
            protected=self.protected,
        )
        self.write(assembly, templates)

    def write(self, assembly: Any, templates: Mapping[str, bytes]) -> None:
        """Any assembly, moved to this account."""
        moved = msgspec.structs.replace(
            assembly,
            account_id=self.account,
            artifact_bucket=f"artifacts-{self.account}",
            lock_table=f"locks-{self.account}",
            hosted_zone=msgspec.structs.replace(assembly.zone, account_id=self.account),
            stacks=tuple(msgspec.structs.replace(s, account_id=self.account) for s in assembly.stacks),
        )
        sealed = files.sealed(moved)
        files.write(self.dist / ENV, files.files_of(sealed, {s.template.file: templates[s.id] for s in sealed.stacks}))

    def plan(self, *arguments: str) -> Ended:
        return self.line.deploy("plan", "--env", ENV, "--dist", str(self.dist), *arguments)

    def apply(self, *arguments: str, stdin: str = "") -> Ended:
        return self.line.deploy("apply", "--env", ENV, "--dist", str(self.dist), *arguments, stdin=stdin)

    def unlock(self, *arguments: str) -> Ended:
        return self.line.deploy("unlock", "--env", ENV, "--dist", str(self.dist), *arguments)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return self.line.start("deploy.py", "apply", "--env", ENV, "--dist", str(self.dist), *arguments)

    @property
    def saved(self) -> Path:
        return self.dist / ENV / "plan.json"


def value_of(aws: Aws, account: str, name: str, region: str = REGION) -> str | None:
    """A parameter's value; None if it is not there."""
    from aws.errors import NotFound

    try:
        client = aws.client("ssm", account_id=account, region=region)
        return str(client.get_parameter(Name=name)["Parameter"]["Value"])
    except NotFound:
        return None


def status_of(aws: Aws, account: str, stack: str, region: str = REGION) -> str | None:
    """A stack's status; None if it is not there."""
    from aws.cloudformation.gateway import CloudFormation

    client = aws.client("cloudformation", account_id=account, region=region)
    gateway = CloudFormation(client, account_id=account, region=region, sleep=lambda _: None)
    found = gateway.describe_stack(f"demo-{ENV}-{stack}")
    return found.status if found else None
