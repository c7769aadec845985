"""Every permission that the provider schemas say a resource's handlers need is granted to the role that runs them, or has a reason.

The schemas are those that the installed cfn-lint ships, so an update that adds a permission turns this red. docs/handler-permissions.md is
the table, written by GOLDEN_UPDATE=1.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import msgspec
import pytest
from troposphere import AWSObject, Ref, Sub, awslambda, cloudfront, iam, s3, sns, sqs

import lint.handlers
from environments.model import Environment
from lint.gate import Finding
from lint.handlers import ProvisionedStack, Row, check, rows
from policies.handlers import LEFT_OUT, STANDS_FOR
from stacks.catalogue import Entry, entries
from stacks.synthesis import Synthesis, synthesise
from stacks.template import StackTemplate
from tests.environments_fixture import FAILOVER, FOREIGN_ZONE, RECOVERY, changed, environments
from tests.golden_files import ROOT, assert_golden

ENVS = environments()
UNMANAGED = {"hosted_zone": {"name": "kimmyai.io", "records": "unmanaged"}}
OPTIONS: tuple[dict[str, Any], ...] = (
    {"basic_auth": {"enabled": True}},
    {"basic_auth": {"enabled": False}},
    RECOVERY,
    FAILOVER,
    FOREIGN_ZONE,
    {"monitoring": {"alarm_email": "oncall@example.com"}},
    {"github": {"create_provider": False, "owner_id": "1", "repository_id": "2"}},
    {"foundation": "organization"},
    {"hosted_zone": {"name": "kimmyai.io", "id": "Z0123456789ABCDEFGHIJ"}},
    {"protection": {"change_approval": True, "termination_protection": True, "stack_policy": True}},
    {"publishing": {"hashed_paths": []}},
    {"adopt": {"website_endpoint": {}}},
    UNMANAGED,
)
"""Every option that changes which resources there are, or which statements."""
NEVER_TOGETHER = (FAILOVER, FOREIGN_ZONE, UNMANAGED)


def made_of(env: Environment, built: Synthesis) -> tuple[ProvisionedStack, ...]:
    """The stacks that a role of the platform makes, as build.py hands them to the gate."""
    return tuple(
        ProvisionedStack(
            stack_id=stack.id,
            stack_name=stack.stack_name,
            template=built.templates[stack.id],
            regions=stack.stackset.targets.regions if stack.stackset else (stack.region,),
            role=maker.role.removeprefix(f"{env.prefix}-"),
            policies=maker.policies,
            where=maker.where,
        )
        for stack in built.assembly.stacks
        if (maker := built.makers.get(stack.id))
    )


@cache
def configurations() -> tuple[tuple[ProvisionedStack, ...], ...]:
    """The three environments, dev and prod with every option, dev with every pair."""
    found = [ENVS["sit"]]
    for name in ("dev", "prod"):
        found += [ENVS[name], *(changed(ENVS[name], option) for option in OPTIONS)]
    for first, second in itertools.combinations(OPTIONS, 2):
        if not first.keys() & second.keys() and not (first in NEVER_TOGETHER and second in NEVER_TOGETHER):
            found.append(changed(changed(ENVS["dev"], first), second))
    return tuple(made_of(env, synthesise(env)) for env in found)


@cache
def table() -> tuple[tuple[str, Row], ...]:
    """Each row with the role, of every configuration."""
    return tuple(
        dict.fromkeys((made.role, row) for stacks in configurations() for made in stacks for _, row in rows(made, LEFT_OUT, STANDS_FOR))
    )


def findings(stacks: tuple[ProvisionedStack, ...]) -> list[Finding]:
    return [one for found in check(stacks, LEFT_OUT, STANDS_FOR, remedy="here", cache_folder=None).values() for one in found]


def test_every_handler_permission_is_granted_or_left_out_for_a_reason_in_every_configuration() -> None:
    assert len(configurations()) > 60
    for stacks in configurations():
        assert findings(stacks) == []


def test_only_foundation_and_a_zone_of_another_account_are_made_with_other_permissions() -> None:
    for env in ENVS.values():
        built = synthesise(env)
        assert {stack.id for stack in built.assembly.stacks} - built.makers.keys() == {"foundation"}
    foreign = synthesise(changed(ENVS["dev"], FOREIGN_ZONE))
    assert {stack.id for stack in foreign.assembly.stacks} - foreign.makers.keys() == {"foundation", "dns"}


@pytest.mark.parametrize("kind", LEFT_OUT)
def test_what_is_left_out_is_something_that_a_handler_asks_for_and_nobody_grants(kind: str) -> None:
    for entry in LEFT_OUT[kind]:
        asked = [row for _, row in table() if row.kind == kind and fnmatchcase(row.permission, entry.pattern)]
        assert any(row.granted_by is None for row in asked), f"{kind}: {entry.pattern}"
        for path in entry.unless:
            assert path.partition(".")[0] in lint.handlers._schema(kind)["properties"], f"{kind}: {path}"


def test_a_permission_that_nobody_grants_or_leaves_out_is_missed() -> None:
    """As when a new schema asks for one more."""
    stacks = made_of(ENVS["prod"], synthesise(ENVS["prod"]))
    without = {kind: entries[1:] if kind == "AWS::S3::Bucket" else entries for kind, entries in LEFT_OUT.items()}
    found = [one for each in check(stacks, without, STANDS_FOR, remedy="here", cache_folder=None).values() for one in each]
    assert {(one.rule, one.stack_id) for one in found} == {("E9590", stack) for stack in ("site", "monitoring", "firewall")}
    assert "s3tables:CreateTable, " in found[0].message
    (cut,) = findings(tuple(msgspec.structs.replace(made, policies=made.policies[:1]) for made in stacks if made.stack_id == "certificate"))
    assert "acm:RequestCertificate" in cut.message


# --- a stack of one's own -------------------------------------------------------------------------------------------


def own_stack(*resources: AWSObject, region: str = "eu-west-1") -> list[Finding]:
    """What the gate says about a further stack of dev."""

    def build(env: Environment) -> StackTemplate:
        template = StackTemplate(env, "own", "a stack of one's own")
        for resource in resources:
            template.add(resource)
        return template

    def catalogue(env: Environment) -> tuple[Entry, ...]:
        return (*entries(env), Entry("own", build, region))

    built = synthesise(ENVS["dev"], catalogue)
    return [found for found in findings(made_of(ENVS["dev"], built)) if found.stack_id == "own"]


def test_a_type_that_the_service_role_may_not_make_is_refused_with_what_is_missing_and_where_it_goes() -> None:
    (found,) = own_stack(sqs.Queue("Orders"))
    assert found.logical_id == "Orders"
    assert (
        "AWS::SQS::Queue: the role cloudformation, with which CloudFormation makes this stack, may not sqs:CreateQueue, " in found.message
    )
    assert "Grant them in policies/provisioning.py, service_role, or say in here why" in found.message


PASSES: dict[str, tuple[AWSObject, str]] = {
    "topic by name": (sns.Topic("A", TopicName="kimmyai-web-dev-incidents"), "us-east-1"),
    "topic by pseudo parameter": (sns.Topic("A", TopicName=Sub("${AWS::StackName}-incidents")), "us-east-1"),
    "topic without a name": (sns.Topic("A"), "us-east-1"),
    "the platform's own bucket": (s3.Bucket("A", BucketName="dev-kimmyai-web-public"), "eu-west-1"),
    "headers policy, which has an id": (
        cloudfront.ResponseHeadersPolicy("A", ResponseHeadersPolicyConfig=cloudfront.ResponseHeadersPolicyConfig(Name="a")),
        "eu-west-1",
    ),
}
REFUSED: dict[str, tuple[AWSObject, str, str]] = {
    "in another region": (
        awslambda.Function("A", FunctionName="kimmyai-web-dev-basic-auth", Code=awslambda.Code(ZipFile="x"), Role="r"),
        "eu-west-1",
        "lambda:CreateFunction",
    ),
    "by another name": (sns.Topic("A", TopicName="incidents"), "us-east-1", "sns:CreateTopic"),
    "another bucket": (s3.Bucket("A", BucketName="kimmyai-web-dev-uploads"), "eu-west-1", "s3:CreateBucket"),
    "a bucket without a name": (s3.Bucket("A"), "eu-west-1", "s3:CreateBucket"),
    "the policy of another bucket": (
        s3.BucketPolicy("A", Bucket="somebody-elses", PolicyDocument={}),
        "eu-west-1",
        "s3:PutBucketPolicy",
    ),
    "a setting of a bucket": (
        s3.Bucket("A", BucketName="dev-kimmyai-web-public", CorsConfiguration=s3.CorsConfiguration(CorsRules=[])),
        "eu-west-1",
        "may not s3:DeleteBucketCors, s3:PutBucketCORS on it",
    ),
    "a role's managed policy": (
        iam.Role("A", RoleName="kimmyai-web-dev-edge", AssumeRolePolicyDocument={}, ManagedPolicyArns=[Ref("AWS::NoValue")]),
        "us-east-1",
        "may not iam:AttachRolePolicy, iam:DetachRolePolicy on it",
    ),
    "another role": (iam.Role("A", RoleName="kimmyai-web-dev-worker", AssumeRolePolicyDocument={}), "us-east-1", "iam:CreateRole"),
    "a role for a topic": (
        sns.Topic(
            "A",
            TopicName="kimmyai-web-dev-incidents",
            DeliveryStatusLogging=[sns.LoggingConfig(Protocol="lambda", SuccessFeedbackRoleArn="arn:aws:iam::111111111111:role/x")],
        ),
        "us-east-1",
        "iam:PassRole",
    ),
}


@pytest.mark.parametrize("what", PASSES)
def test_what_the_service_role_may_make_passes(what: str) -> None:
    resource, region = PASSES[what]
    assert own_stack(resource, region=region) == []


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_service_role_may_not_make_is_refused(what: str) -> None:
    resource, region, missing = REFUSED[what]
    (found,) = own_stack(resource, region=region)
    assert missing in found.message
    assert f"on it in {region}. " in found.message


def test_a_stackset_is_made_with_the_execution_role() -> None:
    def catalogue(env: Environment) -> Iterator[Entry]:
        for entry in entries(env):
            yield entry if entry.id != "edge-logs" else Entry("edge-logs", _queue, entry.region, stackset=entry.stackset)

    def _queue(env: Environment) -> StackTemplate:
        template = StackTemplate(env, "edge-logs", "of one's own")
        template.add(sqs.Queue("Orders"))
        return template

    built = synthesise(ENVS["dev"], lambda env: tuple(catalogue(env)))
    (found,) = findings(made_of(ENVS["dev"], built))
    assert found.stack_id == "edge-logs"
    assert "the role stackset-execution, " in found.message
    assert "policies/stacksets.py, stackset_execution" in found.message


def test_the_table_in_the_documentation_is_current() -> None:
    lines = [
        "# Permissions of the resource handlers",
        "",
        "Generated from the provider schemas that cfn-lint ships (`make golden` rewrites it): what the handlers of every resource type",
        "that a role of the platform makes may call, and the statement of `policies/provisioning.py` that grants it on that resource,",
        "or why none does (`policies/handlers.py`). The build refuses a stack with anything else (E9590). Foundation is made with an",
        "administrator's own permissions, the records of a zone in another account with those of the role there.",
    ]
    for role, kind in sorted({(role, row.kind) for role, row in table()}):
        lines += ["", f"## {kind} ({role})", "", "| permission | handlers | |", "| --- | --- | --- |"]
        for row in sorted(
            {row for by, row in table() if (by, row.kind) == (role, kind)}, key=lambda row: (row.permission, row.granted_by or "")
        ):
            what = f"statement {row.granted_by}" if row.granted_by else f"not granted: {row.reason}"
            lines.append(f"| {row.permission} | {', '.join(row.handlers)} | {what} |")
    assert_golden(str(ROOT / "docs" / "handler-permissions.md"), "\n".join(lines) + "\n")
