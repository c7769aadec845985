"""StackSets end to end: deploy.py as a process against the local AWS, two and three accounts times thirteen regions."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from assembly.model import OperationPreferences, StackSet, Targets
from aws.errors import NotFound
from aws.session import Aws
from local_aws.server import LocalAws
from outages import store
from outages.model import How, Kind, Outage
from tests.functional.harness import CommandLine, Ended, Hold, answer, eventually, heard
from tests.functional.small_platform import ENV, Platform, base
from tests.simulated import Small, literal, small_assembly

pytestmark = pytest.mark.functional

ADMINISTRATION, EXECUTION, DEPLOY = "admin", "execution", "deploy"
NAME = f"demo-{ENV}-logs"
SET_REGION = "us-east-1"
REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ap-south-1",
    "ap-northeast-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "sa-east-1",
)
QUICK = OperationPreferences(
    region_concurrency_type="PARALLEL", region_order=("us-east-1",), max_concurrent_percentage=100, failure_tolerance_percentage=0
)
GROUP = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/edge/app", "RetentionInDays": {"Ref": "Days"}}}
LOGS = {"Parameters": {"Days": {"Type": "Number"}}, "Resources": {"Logs": GROUP}}


def with_bucket(deletion: str = "Delete") -> dict[str, Any]:
    """The template with a bucket more, whose name somebody may have."""
    bucket = {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": deletion,
        "Properties": {"BucketName": {"Fn::Sub": "taken-${AWS::AccountId}-${AWS::Region}"}},
    }
    return {**LOGS, "Resources": {"Logs": GROUP, "Bucket": bucket}}


@dataclass
class Sets:
    """The StackSet "logs" of a small platform."""

    aws: Aws
    platform: Platform
    accounts: list[str]
    regions: list[str] = field(default_factory=lambda: list(REGIONS))
    preferences: OperationPreferences = QUICK
    unit: str = ""
    """SERVICE_MANAGED over this organizational unit instead of the accounts."""

    def client(self, service: str = "cloudformation", account: str | None = None, region: str = SET_REGION) -> Any:
        return self.aws.client(service, account_id=account or self.platform.account, region=region)

    def trust(self, *accounts: str) -> None:
        """The roles that the accounts need."""
        services = ["cloudformation.amazonaws.com", "cloudformation.af-south-1.amazonaws.com"]
        admin = self.platform.account
        if admin in accounts:
            self.role(admin, ADMINISTRATION, {"Service": services})
        for account in accounts:
            self.role(account, EXECUTION, {"AWS": f"arn:aws:iam::{admin}:role/{ADMINISTRATION}"})
            self.role(account, DEPLOY, {"AWS": f"arn:aws:iam::{admin}:root"})

    def role(self, account: str, name: str, principal: dict[str, Any]) -> None:
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}
        self.client("iam", account).create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))

    def build(self, *, days: str = "14", template: dict[str, Any] | None = None) -> None:
        target = StackSet(
            permission_model="SERVICE_MANAGED" if self.unit else "SELF_MANAGED",
            targets=Targets(
                accounts=() if self.unit else tuple(self.accounts),
                organizational_units=(self.unit,) if self.unit else (),
                regions=tuple(self.regions),
            ),
            preferences=self.preferences,
            administration_role_name=None if self.unit else ADMINISTRATION,
            execution_role_name=None if self.unit else EXECUTION,
            auto_deployment=bool(self.unit),
            retain_stacks_on_account_removal=False,
        )
        logs = Small(
            id="logs",
            template=template or LOGS,
            region=SET_REGION,
            parameters=(literal("Days", days),),
            depends_on=("base",),
            more={"stackset": target},
        )
        account = self.platform.account
        assembly, templates = small_assembly(Small(id="base", template=base(account)), logs, environment=ENV, account_id=account)
        self.platform.write(assembly, templates)

    def apply(self, *more: str) -> Ended:
        return self.platform.apply("--yes", *more)

    def deployed(self, **build: Any) -> Ended:
        """Build, plan anew and apply."""
        self.build(**build)
        self.platform.saved.unlink(missing_ok=True)
        return self.apply()

    def verb(self, name: str, *more: str) -> Ended:
        return self.platform.line.deploy(name, "--env", ENV, "--dist", str(self.platform.dist), *more)

    def planned(self, *more: str) -> dict[str, Any]:
        """The set's part of a new plan."""
        self.platform.saved.unlink(missing_ok=True)
        ended = self.platform.plan("--json", *more)
        assert ended.code in (0, 1, 3), ended
        found = answer(ended.stdout)
        plan: dict[str, Any] = next(s for s in found.get("plan", found)["stacks"] if s["stack"] == "logs")
        return plan

    def actions(self, plan: dict[str, Any]) -> dict[str, int]:
        counts: dict[str, int] = {}
        for instance in plan["instances"]:
            counts[instance["action"]] = counts.get(instance["action"], 0) + 1
        return counts

    def instances(self) -> dict[tuple[str, str], str]:
        pages = self.client().get_paginator("list_stack_instances").paginate(StackSetName=NAME)
        return {(i["Account"], i["Region"]): i["Status"] for page in pages for i in page["Summaries"]}

    def operations(self) -> list[dict[str, Any]]:
        """Oldest first."""
        try:
            found: list[dict[str, Any]] = self.client().list_stack_set_operations(StackSetName=NAME)["Summaries"]
        except NotFound:
            return []
        return found[::-1]

    def results(self) -> list[str]:
        """How the instances of the last operation stand."""
        last = [operation["OperationId"] for operation in self.operations()[-1:]]
        asked = (self.client().list_stack_set_operation_results(StackSetName=NAME, OperationId=each) for each in last)
        return [each["Status"] for answered in asked for each in answered["Summaries"]]

    def days(self, account: str, region: str) -> int | None:
        groups = self.client("logs", account, region).describe_log_groups(logGroupNamePrefix="/edge/app")["logGroups"]
        return groups[0].get("retentionInDays", 0) if groups else None

    def take(self, account: str, region: str) -> None:
        """Somebody has the bucket's name."""
        more = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        self.client("s3", account, region).create_bucket(Bucket=f"taken-{account}-{region}", **more)

    def give_back(self, account: str, region: str) -> None:
        self.client("s3", account, region).delete_bucket(Bucket=f"taken-{account}-{region}")

    def everywhere(self) -> dict[tuple[str, str], str]:
        return {(account, region): "CURRENT" for account in self.accounts for region in self.regions}


@pytest.fixture
def sets(aws: Aws, command_line: CommandLine, account: str, new_account: Callable[[], str], tmp_path: Path) -> Sets:
    """Two accounts, ready."""
    made = Sets(aws, Platform(account=account, dist=tmp_path / "dist", line=command_line), [account, new_account()])
    made.trust(*made.accounts)
    return made


def test_created_left_alone_updated_grown_and_shrunk(sets: Sets, new_account: Callable[[], str]) -> None:
    first, second = sets.accounts
    ended = sets.deployed()
    assert ended.code == 0, ended
    assert sets.instances() == sets.everywhere()
    assert [(o["Action"], o["Status"]) for o in sets.operations()] == [("CREATE", "SUCCEEDED")] * 2
    canary = sets.client().list_stack_set_operation_results(StackSetName=NAME, OperationId=sets.operations()[0]["OperationId"])
    assert {r["Region"] for r in canary["Summaries"]} == {"us-east-1"}, "the canary region goes first, alone"

    ended = sets.deployed()
    assert ended.code == 0 and "no changes" in ended.stdout, ended
    assert len(sets.operations()) == 2, "nothing to do starts nothing"

    sets.build(days="30")
    plan = sets.planned()
    assert plan["operation"] == "update" and sets.actions(plan) == {"update": 26}
    change = plan["resources"][0]["properties"][0]
    assert (change["path"], change["before"]["text"], change["after"]["text"]) == ("RetentionInDays", "14", "30")
    assert sets.apply().code == 0
    assert {sets.days(*where) for where in sets.everywhere()} == {30}
    assert [o["Action"] for o in sets.operations()] == ["CREATE"] * 2 + ["UPDATE"] * 2

    third = new_account()
    sets.trust(third)
    sets.accounts.append(third)
    sets.regions.append("eu-west-3")
    sets.build(days="30")
    plan = sets.planned()
    assert plan["operation"] == "instances" and sets.actions(plan) == {"none": 26, "create": 16}
    assert sets.apply().code == 0
    assert sets.instances() == sets.everywhere() and len(sets.instances()) == 42

    sets.accounts.remove(second)
    sets.build(days="30")
    plan = sets.planned()
    assert sets.actions(plan) == {"none": 28, "remove": 14}
    ended = sets.apply()
    assert ended.code == 0, ended
    assert sets.instances() == sets.everywhere()
    assert sets.days(second, "eu-west-1") is None and sets.days(third, "eu-west-1") == 30
    assert sets.days(first, "us-east-1") == 30


def test_what_holds_data_leaves_the_set_and_stays_unless_told_otherwise(sets: Sets) -> None:
    second = sets.accounts[1]
    sets.regions = ["us-east-1", "eu-west-1"]
    assert sets.deployed(template=with_bucket("Retain")).code == 0
    sets.regions = ["us-east-1"]
    sets.build(template=with_bucket("Retain"))
    assert sets.actions(sets.planned()) == {"none": 2, "retain": 2}
    assert sets.actions(sets.planned("--removed-instances", "delete")) == {"none": 2, "remove": 2}
    assert sets.actions(sets.planned()) == {"none": 2, "retain": 2}
    assert sets.apply().code == 0
    assert sets.instances() == sets.everywhere()
    assert sets.days(second, "eu-west-1") == 14, "its stack is there, outside of the set"
    stacks = sets.client("cloudformation", second, "eu-west-1").describe_stacks()["Stacks"]
    assert [s["StackStatus"] for s in stacks if s["StackName"].startswith(f"StackSet-{NAME}")] == ["CREATE_COMPLETE"]


@pytest.mark.parametrize(
    ("tolerance", "mode", "status", "failed", "cancelled"),
    [
        (0, "STRICT_FAILURE_TOLERANCE", "FAILED", 1, 8),
        (0, "SOFT_FAILURE_TOLERANCE", "FAILED", 1, 8),
        (100, "STRICT_FAILURE_TOLERANCE", "SUCCEEDED", 1, 0),
        (100, "SOFT_FAILURE_TOLERANCE", "SUCCEEDED", 1, 0),
    ],
)
def test_a_failing_region_is_a_failure_under_every_tolerance(
    sets: Sets, tolerance: int, mode: Any, status: str, failed: int, cancelled: int
) -> None:
    sets.regions = ["us-east-1", "eu-west-1", "eu-west-2", "sa-east-1", "us-west-2"]
    sets.accounts = sets.accounts[:1]
    sets.preferences = OperationPreferences(
        region_order=("us-east-1", "eu-west-1"), failure_tolerance_percentage=tolerance, concurrency_mode=mode
    )
    assert sets.deployed().code == 0
    account = sets.accounts[0]
    sets.take(account, "eu-west-1")
    ended = sets.deployed(template=with_bucket())
    assert ended.code == 1, ended
    last = sets.operations()[-1]
    assert (last["Action"], last["Status"]) == ("UPDATE", status)
    assert f"{account} eu-west-1: FAILED" in ended.stdout, str(ended)
    assert "its stack: Bucket (AWS::S3::Bucket) VALIDATION_FAILED: " in ended.stdout, str(ended)
    assert f"next: python deploy.py retry --env {ENV}" in ended.stdout
    statuses = list(sets.instances().values())
    assert statuses.count("CURRENT") == (4 if tolerance else 1), sets.instances()

    sets.give_back(account, "eu-west-1")
    if not tolerance:
        told = sets.verb("retry").stderr
        assert "3 more that were cancelled" in told and f"next: python deploy.py retry --env {ENV}" in told, told
    ended = sets.verb("retry", "--yes", "--cancelled")
    assert ended.code == 0, ended
    assert sets.instances() == sets.everywhere()
    assert sets.verb("retry", "--yes").stdout.strip() == f"{ENV}: no instance failed"
    assert sets.platform.plan().code == 0


def test_a_failing_canary_keeps_the_others_as_they_are(sets: Sets) -> None:
    sets.regions = ["us-east-1", "eu-west-1"]
    assert sets.deployed().code == 0
    sets.take(sets.accounts[0], "us-east-1")
    ended = sets.deployed(days="90", template=with_bucket())
    assert ended.code == 1, ended
    assert [o["Action"] for o in sets.operations()].count("UPDATE") == 1
    assert {sets.days(account, "eu-west-1") for account in sets.accounts} == {14}
    ended = sets.verb("retry")
    assert ended.code == 2 and "--yes" in ended.stderr, ended


def test_an_apply_that_is_killed_is_followed_and_starts_nothing_twice(sets: Sets, hold: Hold, processes: list[Any]) -> None:
    ended = sets.deployed(days="7")
    assert ended.code == 0, ended
    sets.build(days="30")
    sets.planned()
    with hold:
        process = sets.platform.start("--yes")
        processes.append(process)
        eventually(lambda: len(sets.operations()) == 3)
        process.send_signal(signal.SIGKILL)
        process.wait()
    begun = [o["OperationId"] for o in sets.operations()]
    ended = sets.apply()
    assert ended.code == 0, ended
    operations = sets.operations()
    assert [o["OperationId"] for o in operations][: len(begun)] == begun and len(operations) == 4
    assert {sets.days(*where) for where in sets.everywhere()} == {30}


def test_an_operation_of_somebody_else_is_waited_for_by_name(sets: Sets, hold: Hold, processes: list[Any]) -> None:
    assert sets.deployed().code == 0
    sets.regions.append("eu-west-3")
    sets.build()
    sets.planned()
    with hold:
        other = sets.client().detect_stack_set_drift(StackSetName=NAME)["OperationId"]
        process = sets.platform.start("--yes")
        processes.append(process)
        said = heard(process, f"waiting for its turn: DETECT_DRIFT {other} (RUNNING")
    stdout, stderr = process.communicate()
    assert process.returncode == 0, stdout + said + stderr
    assert sets.instances() == sets.everywhere()


def test_while_its_administration_region_is_lost_nothing_is_begun_and_afterwards_the_same_apply_goes_on(
    sets: Sets, local_aws: LocalAws
) -> None:
    """The instances elsewhere serve on; nobody can change them, since their set is where AWS keeps it."""
    sets.platform = replace(sets.platform, line=replace(sets.platform.line, extra={"AWS_MAX_ATTEMPTS": "1"}))
    sets.accounts, sets.regions = sets.accounts[:1], [SET_REGION, "eu-central-1"]
    account = sets.platform.account
    assert sets.deployed().code == 0
    sets.build(days="30")
    sets.planned()
    before = len(sets.operations())
    store.begin(local_aws.state, Outage(kind=Kind.REGION, how=How.UNAVAILABLE, region=SET_REGION, account=account))
    try:
        for verb, *more in (("apply", "--yes"), ("plan",), ("status",), ("destroy", "--approve", ENV)):
            ended = sets.verb(verb, *more)
            assert ended.code == 1 and SET_REGION in ended.stderr + ended.stdout, (verb, ended)
            assert "Traceback" not in ended.stderr, ended
        assert sets.days(account, "eu-central-1") == 14
    finally:
        store.end(local_aws.state, account=account)
    assert len(sets.operations()) == before
    sets.planned()
    ended = sets.apply()
    assert ended.code == 0, ended
    assert {sets.days(account, region) for region in sets.regions} == {30}
    assert sets.instances() == sets.everywhere()


def test_a_set_that_moved_since_the_plan_is_refused(sets: Sets) -> None:
    sets.regions = ["us-east-1", "eu-west-1"]
    assert sets.deployed().code == 0
    sets.build(days="30")
    sets.planned()
    update = {
        "StackSetName": NAME,
        "UsePreviousTemplate": True,
        "AdministrationRoleARN": f"arn:aws:iam::{sets.platform.account}:role/{ADMINISTRATION}",
        "OperationPreferences": {"RegionConcurrencyType": "PARALLEL", "MaxConcurrentPercentage": 100},
    }
    sets.client().update_stack_set(**update, Parameters=[{"ParameterKey": "Days", "ParameterValue": "90"}])
    ended = sets.apply()
    assert ended.code == 3 and "the parameter Days was '14' when it was planned, and is '90' now" in ended.stderr, ended
    assert [o["Action"] for o in sets.operations()].count("UPDATE") == 1, "nothing of ours ran"


def test_instances_that_came_and_went_since_the_plan_are_refused(sets: Sets) -> None:
    sets.regions = ["us-east-1", "eu-west-1"]
    assert sets.deployed().code == 0
    sets.build(days="30")
    sets.planned()
    sets.client().create_stack_instances(StackSetName=NAME, Accounts=sets.accounts[:1], Regions=["sa-east-1"])
    eventually(lambda: sets.operations()[-1]["Status"] == "SUCCEEDED")
    ended = sets.apply()
    assert ended.code == 3 and "sa-east-1: there was none when it was planned" in ended.stderr, ended


def test_targets_that_are_not_ready_are_found_before_anything_runs(sets: Sets, new_account: Callable[[], str]) -> None:
    sets.regions = ["us-east-1", "af-south-1"]
    bare, unready = new_account(), sets.accounts[1]
    sets.role(bare, DEPLOY, {"AWS": f"arn:aws:iam::{sets.platform.account}:root"})
    sets.accounts.append(bare)
    sets.client("account", unready).disable_region(RegionName="af-south-1")
    sets.build()
    plan = sets.planned()
    assert plan["operation"] == "blocked"
    said = {f["code"]: f for f in plan["findings"] if f["severity"] == "error"}
    assert set(said) == {"region_not_enabled", "execution_role_missing"}, said
    assert f"af-south-1 is DISABLED in target account {unready}" in said["region_not_enabled"]["message"]
    assert bare in said["execution_role_missing"]["message"]


def test_an_administration_role_that_an_opt_in_region_cannot_take_on(sets: Sets) -> None:
    iam = sets.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.update_assume_role_policy(RoleName=ADMINISTRATION, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    sets.regions = ["us-east-1", "af-south-1"]
    sets.build()
    errors = [f for f in sets.planned()["findings"] if f["severity"] == "error"]
    assert [f["code"] for f in errors] == ["administration_role_trust"]
    assert "cloudformation.af-south-1.amazonaws.com" in errors[0]["message"]


def test_a_log_group_of_a_replica_is_found_and_adopted_with_what_it_holds(sets: Sets) -> None:
    keeping = msgspec.json.decode(msgspec.json.encode(LOGS))
    keeping["Resources"]["Logs"] |= {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    sets.regions = ["us-east-1", "eu-west-1"]
    second = sets.accounts[1]
    logs = sets.client("logs", second, "eu-west-1")
    logs.create_log_group(logGroupName="/edge/app")
    logs.create_log_stream(logGroupName="/edge/app", logStreamName="of-a-replica")
    sets.build(template=keeping)
    plan = sets.planned()
    assert not [f for f in plan["findings"] if f["severity"] == "error"]
    assert sets.actions(plan) == {"create": 3, "adopt": 1}
    ended = sets.apply()
    assert ended.code == 0, ended
    assert sets.instances() == sets.everywhere()
    assert sets.days(second, "eu-west-1") == 14
    streams = logs.describe_log_streams(logGroupName="/edge/app")["logStreams"]
    assert [s["logStreamName"] for s in streams] == ["of-a-replica"], "what it holds is kept"
    assert sets.platform.plan().code == 0, "it is an instance like any other now"


def test_an_operation_is_stopped(sets: Sets, hold: Hold, processes: list[Any]) -> None:
    sets.preferences = OperationPreferences(region_order=("us-east-1",), max_concurrent_percentage=1)
    sets.build()
    assert sets.apply("--only", "base").code == 0
    sets.planned()
    with hold:
        process = sets.platform.start("--yes")
        processes.append(process)
        eventually(lambda: "RUNNING" in sets.results())
        stop = sets.platform.line.start("deploy.py", "stop", "--env", ENV, "--dist", str(sets.platform.dist), "--yes")
        processes.append(stop)
        eventually(lambda: sets.operations()[-1]["Status"] == "STOPPING")
    said, problem = stop.communicate()
    assert stop.returncode == 0 and "STOPPED" in said and "1 cancelled" in said and "1 succeeded" in said, (said, problem)
    stdout, stderr = process.communicate()
    assert process.returncode == 1 and "STOPPED" in stdout, (stdout, stderr)
    assert sets.verb("stop", "--yes").stdout.strip() == f"{ENV}: no StackSet operation is running"


def test_organizational_units_with_automatic_deployment(sets: Sets) -> None:
    organization = sets.client("organizations")
    organization.describe_organization()
    root = organization.list_roots()["Roots"][0]["Id"]
    outer = organization.create_organizational_unit(ParentId=root, Name="outer")["OrganizationalUnit"]["Id"]
    inner = organization.create_organizational_unit(ParentId=outer, Name="inner")["OrganizationalUnit"]["Id"]
    made = [
        organization.create_account(Email=f"{n}@example.com", AccountName=n)["CreateAccountStatus"]["AccountId"]
        for n in ("one", "two", "three")
    ]
    for account, unit in zip(made, (outer, inner), strict=False):
        organization.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit)
    sets.unit, sets.accounts, sets.regions = outer, made[:2], ["us-east-1", "eu-west-1", "af-south-1"]

    organization_of = sets.client("account")
    organization_of.disable_region(AccountId=made[1], RegionName="af-south-1")
    sets.build()
    plan = sets.planned()
    (error,) = [f for f in plan["findings"] if f["severity"] == "error"]
    assert f"af-south-1 is DISABLED in target account {made[1]}" in error["message"]
    assert error["command"] == f"aws account enable-region --region-name af-south-1 --account-id {made[1]}"
    organization_of.enable_region(AccountId=made[1], RegionName="af-south-1")

    plan = sets.planned()
    assert {i["account_id"] for i in plan["instances"]} == set(made[:2]), "account by account, those of the units below too"
    ended = sets.apply()
    assert ended.code == 0, ended
    assert sets.instances() == sets.everywhere()
    live = sets.client().describe_stack_set(StackSetName=NAME)["StackSet"]
    assert live["ManagedExecution"] == {"Active": True} and live["AutoDeployment"]["Enabled"] is True
    assert sets.platform.plan().code == 0

    organization.move_account(AccountId=made[2], SourceParentId=root, DestinationParentId=outer)
    sets.accounts.append(made[2])
    eventually(lambda: sets.instances() == sets.everywhere())
    assert sets.platform.plan().code == 0, "what AWS deployed by itself is as wanted"

    sets.build(days="30")
    assert sets.actions(sets.planned()) == {"update": 9}
    ended = sets.apply()
    assert ended.code == 0, ended
    assert {sets.days(*where) for where in sets.everywhere()} == {30}


def test_drift_is_told_for_each_instance_and_the_next_plan_names_it(sets: Sets) -> None:
    sets.regions = ["us-east-1", "eu-west-1"]
    assert sets.deployed().code == 0
    second = sets.accounts[1]
    assert sets.verb("drift").code == 0
    sets.client("logs", second, "eu-west-1").put_retention_policy(logGroupName="/edge/app", retentionInDays=3)
    ended = sets.verb("drift")
    assert f"in {second} eu-west-1: modified" in ended.stdout and sets.accounts[0] + " eu-west-1" not in ended.stdout, ended
    plan = sets.planned()
    (finding,) = [f for f in plan["findings"] if f["code"] == "instances_drifted"]
    assert f"{second} eu-west-1" in finding["message"] and plan["operation"] == "none"


def test_the_whole_set_goes_with_its_instances(sets: Sets) -> None:
    sets.regions = ["us-east-1", "eu-west-1"]
    assert sets.deployed().code == 0
    ended = sets.verb("destroy", "--approve", ENV)
    assert ended.code == 0, ended
    assert [s["StackSetName"] for s in sets.client().list_stack_sets(Status="ACTIVE")["Summaries"]] == []
    assert {sets.days(*where) for where in sets.everywhere()} == {None}
