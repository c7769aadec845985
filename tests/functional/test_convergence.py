"""Whatever is edited, and in whatever order: plan, apply, plan ends in "no changes", and nothing is left at CloudFormation.

The command line's own composition, in this process, over HTTP against a local AWS.
"""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aws.session import Aws
from cli.main import main
from local_aws.server import LocalAws
from session.context import Context
from tests.functional.harness import CommandLine
from tests.functional.small_platform import ENV, REGION, Platform, base, parameter
from tests.simulated import Small, literal, output, small_assembly, stackset

pytestmark = [pytest.mark.functional, pytest.mark.xdist_group("convergence")]

SET_REGIONS = ("us-east-1", "eu-west-1", "us-west-2")
POLICY = '{"Statement": [{"Action": "Update:*", "Effect": "Allow", "Principal": "*", "Resource": "*"}]}'
_numbers = itertools.count(1)


def role(name: str, **principal: Any) -> dict[str, Any]:
    """A role of the StackSet's."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name, "AssumeRolePolicyDocument": {"Statement": [statement]}}}


ROLES = {
    "Administration": role("admin", Service="cloudformation.amazonaws.com"),
    "Execution": role("execution", AWS={"Fn::GetAtt": ["Administration", "Arn"]}),
}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One state of the environment files: every field is something that a person edits."""

    value: str = "a"
    name: str = "one"
    """In the name of a resource: changing it replaces the resource."""
    extra: frozenset[str] = frozenset()
    """Resources that come and go."""
    output: str = "Value"
    """Which output the next stack takes."""
    beside: bool = True
    """A stack that comes and goes; one that has gone from the assembly stays at AWS."""
    tag: str = ""
    protected: bool = False
    policy: bool = False
    set_value: str = "s"
    regions: tuple[str, ...] = SET_REGIONS[:1]

    def write(self, platform: Platform) -> None:
        """The assembly."""
        first = {
            "Parameters": {"Value": {"Type": "String"}},
            "Resources": {
                "One": parameter(f"/demo/{self.name}", {"Ref": "Value"}),
                **{f"Extra{key}": parameter(f"/demo/extra/{key}", {"Fn::Sub": "${One} and more"}) for key in sorted(self.extra)},
            },
            "Outputs": {"Name": {"Value": {"Ref": "One"}}, "Value": {"Value": {"Fn::GetAtt": ["One", "Value"]}}},
        }
        second = {
            "Parameters": {"From": {"Type": "String"}},
            "Resources": {"Two": parameter("/demo/two", {"Fn::Sub": "from ${From}"})},
            "Outputs": {"Name": {"Value": {"Ref": "Two"}}},
        }
        tags = {"Team": self.tag} if self.tag else {}
        target = stackset(*self.regions, accounts=(platform.account,))
        stacks = [
            Small(
                id="base",
                template=base(platform.account, **ROLES),
                more={
                    "capabilities": ("CAPABILITY_NAMED_IAM",),
                    "termination_protection": self.protected,
                    "stack_policy": POLICY if self.policy else None,
                },
            ),
            Small(id="one", template=first, parameters=(literal("Value", self.value),), depends_on=("base",), more={"tags": tags}),
            Small(id="two", template=second, parameters=(output("From", "one", self.output),), depends_on=("base", "one")),
            Small(
                id="set",
                template={"Resources": {"Parameter": parameter("/demo/set", self.set_value)}},
                depends_on=("base",),
                more={"stackset": target},
            ),
        ]
        if self.beside:
            template = {"Resources": {"Beside": parameter("/demo/beside", self.value)}}
            stacks.append(Small(id="beside", template=template, region="us-east-1", depends_on=("base",)))
        platform.write(*small_assembly(*stacks, environment=ENV))


STATES = st.builds(
    Wanted,
    value=st.sampled_from("abc"),
    name=st.sampled_from(("one", "uno")),
    extra=st.frozensets(st.sampled_from("XYZ")),
    output=st.sampled_from(("Value", "Name")),
    beside=st.booleans(),
    tag=st.sampled_from(("", "web", "ops")),
    protected=st.booleans(),
    policy=st.booleans(),
    set_value=st.sampled_from("st"),
    regions=st.sampled_from((SET_REGIONS[:1], SET_REGIONS[:2], SET_REGIONS, SET_REGIONS[1:])),
)
"""From one to the next any number of things is edited at once."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout's directory in which `--local` finds a running server."""
    directory = tmp_path_factory.mktemp("convergence")
    server = LocalAws.start(directory / ".local-aws", bound_to=os.getpid(), persist=False)
    yield directory
    server.stop()


def deploy(home: Path, platform: Platform, verb: str, *arguments: str) -> tuple[int, str]:
    """The exit status, and all that was said."""
    out = io.StringIO()
    context = Context(stdin=io.StringIO(), stdout=out, stderr=out, environ={}, root=home)
    code = main([verb, "--env", ENV, "--dist", str(platform.dist), "--local", *arguments], ["verbs"], context)
    return code, out.getvalue()


def left(aws: Aws, account: str) -> list[str]:
    """Change sets that nobody has executed."""
    found = []
    for region in {REGION, "us-east-1"}:
        client: Any = aws.client("cloudformation", account_id=account, region=region)
        for stack in client.describe_stacks()["Stacks"]:
            summaries = client.list_change_sets(StackName=stack["StackName"])["Summaries"]
            found += [s["ChangeSetName"] for s in summaries if s["ExecutionStatus"] != "EXECUTE_COMPLETE"]
    return found


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(states=st.lists(STATES, min_size=2, max_size=4))
def test_plan_apply_plan_ends_in_no_changes(home: Path, states: list[Wanted]) -> None:
    server = LocalAws.find(home / ".local-aws")
    assert server is not None
    aws = Aws(endpoint_url=server.endpoint_url, static_credentials=server.credentials)
    account = f"{300_000_000_000 + next(_numbers)}"
    platform = Platform(account=account, dist=home / account, line=CommandLine(home=home))
    for wanted in states:
        wanted.write(platform)

        planned, review = deploy(home, platform, "plan")
        assert planned in (0, 3), review
        if planned == 3:
            applied, told = deploy(home, platform, "apply", "--yes")
            assert applied == 0, told
        again, review = deploy(home, platform, "plan")
        assert again == 0, review
        assert "No changes" in review
        assert left(aws, account) == []
