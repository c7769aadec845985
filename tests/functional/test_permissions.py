"""The deploy role over HTTP with IAM enforced: it suffices for the deployer's daily work, and for nothing beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError

from aws.session import Aws
from local_aws.server import LocalAws
from tests.functional import frontend
from tests.functional.accounts import REPOSITORY, Site, identity_token, sites
from tests.functional.harness import answer, eventually
from tests.functional.wire import wire_to

pytestmark = [pytest.mark.functional, pytest.mark.xdist_group("permissions")]

ACCOUNT = "210000000000"
PREFIX = "kimmyai-web-dev"


@pytest.fixture(scope="module")
def dev(guarded_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """dev, deployed by an administrator."""
    site = sites(guarded_aws, tmp_path_factory.mktemp("permissions"), {"dev": ACCOUNT})["dev"]
    site.plan(site.administrator())
    applied = site.apply(site.administrator())
    assert applied.code == 0, applied
    return site


@pytest.fixture(scope="module")
def root(guarded_aws: LocalAws) -> Aws:
    """Clients for any account, as its root."""
    return Aws(endpoint_url=guarded_aws.endpoint_url, static_credentials=guarded_aws.credentials)


# --- it suffices ------------------------------------------------------------------------------------------------------


def test_every_daily_verb_works_with_the_deploy_role_alone(dev: Site, tmp_path: Path) -> None:
    app = frontend.built(tmp_path / "app")
    with wire_to(dev.endpoint_url) as wire:
        role = dev.deploy_role(wire.url)

        def done(verb: str, *arguments: str, code: int = 0) -> str:
            ended = dev.run(role, verb, *arguments)
            assert ended.code == code, ended
            assert "AccessDenied" not in ended.stdout + ended.stderr, ended
            assert "not authorized" not in ended.stdout + ended.stderr, ended
            return ended.stdout

        assert "commit" in done("status")
        assert "succeeded" in done("history")
        assert "is free" in done("unlock")
        done("drift")
        looked = dev.run(role, "doctor").stdout
        assert "as arn:aws:sts::" in looked and "not authorized" not in looked
        done("publish", "--content", str(app), "--yes")
        frontend.rebuilt(app, "second")
        done("publish", "--content", str(app), "--yes")
        releases = answer(done("releases", "--json"))
        assert releases
        done("prune", "--yes")

        dev.edit("error_rate_4xx_percent: 60", "error_rate_4xx_percent: 61")
        done("plan", code=3)
        done("apply", "--yes")
        earlier = answer(done("history", "--json"))
        assert len(earlier["records"] if isinstance(earlier, dict) else earlier) == 2
        done("plan")

        used = {call.access_key for call in wire.calls if call.access_key}
        assert used and all(key.startswith("ASIA") for key in used)
        operations = set(wire.operations("cloudformation"))
    assert {"CreateChangeSet", "ExecuteChangeSet", "DescribeEvents", "DescribeStackSet", "ListStackInstances"} <= operations


def test_the_rarer_verbs_work_with_the_deploy_role_alone(dev: Site, tmp_path: Path) -> None:
    app = frontend.built(tmp_path / "app")
    with wire_to(dev.endpoint_url) as wire:
        role = dev.deploy_role(wire.url)

        def done(verb: str, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
            ended = dev.run(role, verb, *arguments)
            assert ended.code in codes, ended
            assert not re.search("AccessDenied|not authorized|has not begun", ended.stdout + ended.stderr), ended
            return ended.stdout

        frontend.rebuilt(app, "third")
        done("plan", "--content", str(app), codes=(0, 3))
        done("apply", "--content", str(app), "--yes")
        frontend.rebuilt(app, "fourth")
        done("publish", "--content", str(app), "--yes")
        releases = answer(done("releases", "--json"))
        number = sorted(each["number"] for each in (releases["releases"] if isinstance(releases, dict) else releases))[-2]
        done("rollback-release", "--to", str(number), "--yes")
        done("prune", "--dry-run")
        dev.edit("error_rate_4xx_percent: 6", "error_rate_4xx_percent: 5")
        done("plan", "--import-existing", codes=(3,))
        done("apply", "--yes")
        records = answer(done("history", "--json"))
        records = records["records"] if isinstance(records, dict) else records
        done("rollback", "--to", records[-1]["assembly_digest"][:12], codes=(3,))
        done("logs", "--since", "5m", "--json")
        done("retry", "--yes")
        done("stop", "--yes")
        done("doctor", "--fix", "--yes", codes=(0, 1))
        done("destroy", "--dry-run", codes=(3,))
        used = {call.access_key for call in wire.calls if call.access_key}
        assert used and all(key.startswith("ASIA") for key in used)


BEFORE = {
    "set-password": (
        ("--generate",),
        f"secretsmanager:PutSecretValue on arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:kimmyai-web/dev/",
    ),
    "destroy": (
        ("--approve", "dev"),
        f"cloudformation:DeleteStack on arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/{PREFIX}-foundation/",
    ),
    "destroy all": (
        ("--approve", "dev", "--delete-data", "--lift-termination-protection"),
        f"s3:DeleteObjectVersion on arn:aws:s3:::bbws-dev-web-artifacts-{ACCOUNT}/",
    ),
}


@pytest.mark.parametrize("verb", BEFORE)
def test_what_the_deploy_role_may_not_do_is_said_before_it_begins(dev: Site, verb: str) -> None:
    arguments, said = BEFORE[verb]
    with wire_to(dev.endpoint_url) as wire:
        refused = dev.run(dev.deploy_role(wire.url), verb.split(maxsplit=1)[0], *arguments)
        assert refused.code == 2, refused
        assert f"error: arn:aws:iam::{ACCOUNT}:role/{PREFIX}-deploy may not " in refused.stderr
        assert said in refused.stderr, refused.stderr
        assert f"{verb.split(maxsplit=1)[0]} has not begun; it takes credentials of account {ACCOUNT} of an administrator" in refused.stderr
        assert re.search(rf"next: python deploy\.py {verb.split(maxsplit=1)[0]} --env dev ", refused.stderr)
        assert set(wire.operations("iam")) == {"SimulatePrincipalPolicy"}
        assert wire.operations("cloudformation") == wire.operations("secretsmanager") == wire.operations("dynamodb") == []


def test_who_may_not_ask_iam_is_told_in_the_words_of_aws(dev: Site, root: Aws) -> None:
    """A user of few permissions: nothing is known before, so the verb begins and AWS's refusal names the action."""
    iam = root.client("iam", account_id=ACCOUNT, region="us-east-1")
    iam.create_user(UserName="reader")
    reading = {"Effect": "Allow", "Action": ["cloudformation:Describe*", "cloudformation:Get*", "cloudformation:List*"], "Resource": "*"}
    iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [reading]}))
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    line = replace(
        dev.administrator(), account_id="", extra={"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    )
    refused = dev.run(line, "set-password", "--generate")
    assert refused.code == 1, refused
    assert "not authorized to perform: secretsmanager:PutSecretValue" in refused.stderr


def test_a_stackset_is_updated_by_the_deploy_role(dev: Site, root: Aws) -> None:
    role = dev.deploy_role()
    dev.edit("realm: dev.kimmyai.io", "realm: dev.kimmyai.io\n  log_retention_days: 14")

    plan = dev.plan(role)
    assert {s["stack"]: s["operation"] for s in plan["stacks"]}["edge-logs"] == "update"
    assert {s["stack"]: s["operation"] for s in plan["stacks"]}["foundation"] == "none"
    done = dev.apply(role)
    assert done.code == 0, done
    groups = root.client("logs", account_id=ACCOUNT, region="eu-west-2").describe_log_groups()["logGroups"]
    assert [g["retentionInDays"] for g in groups] == [14]


def test_what_a_stack_kept_is_taken_over_by_the_deploy_role(dev: Site, root: Aws) -> None:
    """It reads the certificate with what CloudFormation's role may read, and passes that role alone."""
    client = root.client("cloudformation", account_id=ACCOUNT, region="us-east-1")
    name = f"{PREFIX}-certificate"
    certificate = client.describe_stack_resource(StackName=name, LogicalResourceId="Certificate")["StackResourceDetail"]
    arn, stack = certificate["PhysicalResourceId"], certificate["StackId"]
    for status, more in (("DELETE_FAILED", {}), ("DELETE_COMPLETE", {"RetainResources": ["Certificate"]})):
        client.delete_stack(StackName=name, **more)

        def reached(status: str = status) -> bool:
            return [each["StackStatus"] for each in client.describe_stacks(StackName=stack)["Stacks"]] == [status]

        eventually(reached)
    role = dev.deploy_role()
    plan = dev.plan(role)
    taken = {each["physical_id"] for s in plan["stacks"] if s["kind"] == "stack" for each in s["takes"]}
    assert taken == {arn}
    done = dev.apply(role)
    assert done.code == 0, done
    assert (
        client.describe_stack_resource(StackName=name, LogicalResourceId="Certificate")["StackResourceDetail"]["PhysicalResourceId"] == arn
    )


# --- foundation is the administrator's -----------------------------------------------------------------------------------


def test_a_change_of_foundation_is_shown_and_refused_before_anything_begins(dev: Site) -> None:
    dev.edit("lock_table: bbws-web-locks-dev", "lock_table: bbws-web-locks-dev\n  retention_days: 99")
    dev.edit("price_class: PriceClass_", "price_class: PriceClass_200 # was ")
    with wire_to(dev.endpoint_url) as wire:
        role = dev.deploy_role(wire.url)
        plan = dev.plan(role)
        assert {s["stack"] for s in plan["stacks"] if s["operation"] != "none"} == {"foundation", "site"}
        findings = next(s for s in plan["stacks"] if s["stack"] == "foundation")["findings"]
        assert [(f["severity"], f["code"]) for f in findings] == [("warning", "needs_administrator")]

        refused = dev.run(role, "apply", "--yes")

        assert refused.code == 2, refused
        assert f"the deploy role {PREFIX}-deploy may not change it; an administrator of account {ACCOUNT} has to" in refused.stderr
        assert re.search(r"next: python deploy\.py apply --env dev (--dist \S+ )?--only foundation", refused.stderr)
        assert wire.operations("cloudformation").count("ExecuteChangeSet") == 0
        assert wire.operations("dynamodb") == []

    elsewhere = replace(dev, dist=dev.home / "administrators")
    elsewhere.build()
    by_hand = elsewhere.run(dev.administrator(), "apply", "--only", "foundation", "--yes")
    assert by_hand.code == 0, by_hand
    rest = dev.plan(dev.deploy_role())
    assert {s["stack"] for s in rest["stacks"] if s["operation"] != "none"} == {"site"}
    assert dev.apply(dev.deploy_role()).code == 0


# --- and nothing beside it ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def session(dev: Site) -> Callable[[str, str], Any]:
    """Clients with the deploy role's credentials."""
    sts = boto3.client("sts", region_name="us-east-1", endpoint_url=dev.endpoint_url, config=Config(signature_version=UNSIGNED))
    given = sts.assume_role_with_web_identity(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{PREFIX}-deploy",
        RoleSessionName="test",
        WebIdentityToken=identity_token(f"repo:{REPOSITORY}:environment:dev"),
    )["Credentials"]

    def client(service: str, region: str) -> BaseClient:
        make: Any = boto3.client
        made: BaseClient = make(
            service,
            region_name=region,
            endpoint_url=dev.endpoint_url,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )
        return made

    return client


RECORD = {"Name": "a.kimmyai.io", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
TEMPLATE = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
OTHER = {"StackName": "somebody-elses", "TemplateBody": TEMPLATE, "ChangeSetName": "plan-x", "ChangeSetType": "CREATE"}
OWN = OTHER | {"StackName": f"{PREFIX}-extra"}
ROLE = f"arn:aws:iam::{ACCOUNT}:role"
TRUST = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
LOCK = {"LockID": {"S": "kimmyai-web/dev"}}

OUTSIDE: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "another bucket is written": ("s3", "eu-west-1", "put_object", {"Bucket": "somebody-elses", "Key": "a", "Body": b"a"}),
    "another bucket is read": ("s3", "eu-west-1", "list_objects_v2", {"Bucket": "somebody-elses"}),
    "the site bucket is deleted": ("s3", "eu-west-1", "delete_bucket", {"Bucket": f"dev-kimmyai-web-public-{ACCOUNT}"}),
    "the site bucket is opened": (
        "s3",
        "eu-west-1",
        "put_bucket_policy",
        {"Bucket": f"dev-kimmyai-web-public-{ACCOUNT}", "Policy": '{"Statement": []}'},
    ),
    "history is deleted": ("s3", "eu-west-1", "delete_object", {"Bucket": f"bbws-dev-web-artifacts-{ACCOUNT}", "Key": "history/x"}),
    "another stack is planned": ("cloudformation", "eu-west-1", "create_change_set", OTHER),
    "another stack is read": ("cloudformation", "eu-west-1", "get_template", {"StackName": "somebody-elses"}),
    "another stack is deleted": ("cloudformation", "eu-west-1", "delete_stack", {"StackName": "somebody-elses"}),
    "a stack is made without a change set": (
        "cloudformation",
        "eu-west-1",
        "create_stack",
        {"StackName": f"{PREFIX}-extra", "TemplateBody": TEMPLATE},
    ),
    "foundation is deleted": ("cloudformation", "eu-west-1", "delete_stack", {"StackName": f"{PREFIX}-foundation"}),
    "foundation is left unprotected": (
        "cloudformation",
        "eu-west-1",
        "update_termination_protection",
        {"StackName": f"{PREFIX}-foundation", "EnableTerminationProtection": False},
    ),
    "a change set of foundation is executed": (
        "cloudformation",
        "eu-west-1",
        "execute_change_set",
        {"StackName": f"{PREFIX}-foundation", "ChangeSetName": "plan-x"},
    ),
    "another role is passed": ("cloudformation", "eu-west-1", "create_change_set", OWN | {"RoleARN": f"{ROLE}/Administrator"}),
    "its own role is passed": ("cloudformation", "eu-west-1", "create_change_set", OWN | {"RoleARN": f"{ROLE}/{PREFIX}-deploy"}),
    "another stack set is changed": (
        "cloudformation",
        "us-east-1",
        "update_stack_set",
        {"StackSetName": "somebody-elses", "TemplateBody": TEMPLATE},
    ),
    "another stack set's role is passed": (
        "cloudformation",
        "us-east-1",
        "update_stack_set",
        {"StackSetName": f"{PREFIX}-edge-logs", "UsePreviousTemplate": True, "AdministrationRoleARN": f"{ROLE}/Administrator"},
    ),
    "another table is written": ("dynamodb", "eu-west-1", "put_item", {"TableName": "somebody-elses", "Item": LOCK}),
    "the lock table is deleted": ("dynamodb", "eu-west-1", "delete_table", {"TableName": "bbws-web-locks-dev"}),
    "the lock of another region's table is taken": ("dynamodb", "us-east-1", "put_item", {"TableName": "bbws-web-locks-dev", "Item": LOCK}),
    "another secret is read": ("secretsmanager", "us-east-1", "get_secret_value", {"SecretId": "somebody-elses"}),
    "its own secret is changed": (
        "secretsmanager",
        "us-east-1",
        "put_secret_value",
        {"SecretId": "kimmyai-web/dev/basic-auth", "SecretString": "{}"},
    ),
    "a role is made": ("iam", "us-east-1", "create_role", {"RoleName": f"{PREFIX}-extra", "AssumeRolePolicyDocument": TRUST}),
    "its own role is widened": (
        "iam",
        "us-east-1",
        "put_role_policy",
        {"RoleName": f"{PREFIX}-deploy", "PolicyName": "all", "PolicyDocument": '{"Statement": []}'},
    ),
    "its own boundary is taken off": ("iam", "us-east-1", "delete_role_permissions_boundary", {"RoleName": f"{PREFIX}-deploy"}),
    "a user is made": ("iam", "us-east-1", "create_user", {"UserName": "me"}),
    "the service role is taken on": (
        "sts",
        "us-east-1",
        "assume_role",
        {"RoleArn": f"{ROLE}/{PREFIX}-cloudformation", "RoleSessionName": "test"},
    ),
    "the edge function is changed": (
        "lambda",
        "us-east-1",
        "update_function_code",
        {"FunctionName": f"{PREFIX}-basic-auth", "ZipFile": b"x"},
    ),
    "records are written": (
        "route53",
        "us-east-1",
        "change_resource_record_sets",
        {
            "HostedZoneId": "Z1",
            "ChangeBatch": {"Changes": [{"Action": "DELETE", "ResourceRecordSet": RECORD}]},
        },
    ),
    "the distribution is deleted": ("cloudfront", "us-east-1", "delete_distribution", {"Id": "E1", "IfMatch": "x"}),
}
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "403"}


@pytest.fixture(scope="module")
def somebody_elses(dev: Site, root: Aws) -> None:
    """A bucket, a table, a stack and a role that have nothing to do with the platform."""
    root.client("s3", account_id=ACCOUNT, region="eu-west-1").create_bucket(
        Bucket="somebody-elses", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    root.client("cloudformation", account_id=ACCOUNT, region="eu-west-1").create_stack(StackName="somebody-elses", TemplateBody=TEMPLATE)
    root.client("iam", account_id=ACCOUNT, region="us-east-1").create_role(RoleName="Administrator", AssumeRolePolicyDocument=TRUST)


@pytest.mark.parametrize("what", OUTSIDE, ids=lambda what: what.replace(" ", "-").replace("'", ""))
@pytest.mark.usefixtures("somebody_elses")
def test_the_deploy_role_is_denied(session: Callable[[str, str], Any], what: str) -> None:
    service, region, operation, arguments = OUTSIDE[what]
    with pytest.raises(ClientError) as refused:
        getattr(session(service, region), operation)(**arguments)
    assert refused.value.response["Error"]["Code"] in DENIED, refused.value
    assert ("is not authorized to perform: iam:PassRole on resource" in str(refused.value)) == ("passed" in what)


@pytest.mark.attack
@pytest.mark.parametrize(
    ("subject", "ref"),
    [
        (f"repo:{REPOSITORY}:environment:prod", "refs/heads/main"),
        (f"repo:{REPOSITORY}:ref:refs/heads/main", "refs/heads/main"),
        ("repo:somebody/else:environment:dev", "refs/heads/main"),
        (f"repo:{REPOSITORY}:environment:dev", "refs/heads/evil"),
    ],
    ids=["environment", "no environment", "repository", "branch"],
)
def test_another_workflow_cannot_take_on_the_role(dev: Site, subject: str, ref: str) -> None:
    refused = dev.run(dev.deploy_role(subject=subject, ref=ref), "plan")
    assert refused.code == 1, refused
    assert "AssumeRoleWithWebIdentity" in refused.stderr
    assert "next: " in refused.stderr


# --- CloudFormation's own roles, last: what fails stays failed -----------------------------------------------------------------


@pytest.fixture
def without(root: Aws) -> Iterator[Callable[[str, str, str], None]]:
    """Takes an action out of a role's inline policy until the test ends."""
    iam = root.client("iam", account_id=ACCOUNT, region="us-east-1")
    kept: list[tuple[str, str, str]] = []

    def take(role: str, policy: str, action: str) -> None:
        document = json.dumps(iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])
        kept.append((role, policy, document))
        assert f'"{action}"' in document
        less = document.replace(f'"{action}"', f'"{action.split(":", maxsplit=1)[0]}:Nothing"')
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=less)

    yield take
    for role, policy, document in kept:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)


def test_cloudformation_fails_for_want_of_a_permission_of_the_service_role(dev: Site, without: Callable[[str, str, str], None]) -> None:
    without(f"{PREFIX}-cloudformation", "resources", "cloudwatch:PutMetricAlarm")
    role = dev.deploy_role()
    dev.edit("monitoring:\n", "monitoring:\n  origin_latency_ms: 2000\n")
    dev.plan(role)
    failed = dev.apply(role)
    assert failed.code == 1, failed
    assert (
        "is not authorized to perform: cloudwatch:PutMetricAlarm on resource: arn:aws:cloudwatch:us-east-1:"
        in failed.stderr + failed.stdout
    )
    dev.edit("  origin_latency_ms: 2000\n", "")


def test_a_stack_instance_fails_for_want_of_a_permission_of_the_execution_role(dev: Site, without: Callable[[str, str, str], None]) -> None:
    without(f"{PREFIX}-stackset-execution", "instances", "logs:PutRetentionPolicy")
    role = dev.deploy_role()
    # Whether the other test of the retention has run before or not.
    there = "log_retention_days: 14" in (dev.environments / "dev.yaml").read_text()
    before, after = ("log_retention_days: 14", "log_retention_days: 7") if there else ("realm: dev", "log_retention_days: 7\n  realm: dev")
    dev.edit(before, after)
    dev.plan(role)
    failed = dev.apply(role)
    assert failed.code == 1, failed
    assert "is not authorized to perform: logs:PutRetentionPolicy on resource: arn:aws:logs:" in failed.stderr + failed.stdout
    dev.edit(after, before)
