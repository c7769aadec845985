"""The StackSets API of the local AWS against what AWS documents of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from aws.errors import AwsError, BadRequest, Conflict, NotFound
from aws.session import Aws
from tests.functional.harness import Hold, eventually

pytestmark = pytest.mark.functional

ADMINISTRATION = "AWSCloudFormationStackSetAdministrationRole"
EXECUTION = "AWSCloudFormationStackSetExecutionRole"
REGIONS = ["us-east-1", "eu-west-1", "af-south-1"]
TEMPLATE = {
    "Parameters": {"Days": {"Type": "Number", "Default": 7}, "Name": {"Type": "String", "Default": "edge"}},
    "Resources": {
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {"Ref": "Name"}, "RetentionInDays": {"Ref": "Days"}}}
    },
}
ALL_AT_ONCE = {"RegionConcurrencyType": "PARALLEL", "MaxConcurrentPercentage": 100, "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE"}


def text(template: dict[str, Any] | None = None) -> str:
    return json.dumps(template or TEMPLATE)


@dataclass
class Sets:
    """A set called "s" in the first account, over these accounts."""

    aws: Aws
    accounts: list[str]

    def client(self, service: str = "cloudformation", account: str | None = None, region: str = "us-east-1") -> Any:
        return self.aws.client(service, account_id=account or self.accounts[0], region=region)

    @property
    def cf(self) -> Any:
        return self.client()

    def trust_everywhere(self, *services: str) -> None:
        services = services or ("cloudformation.amazonaws.com", "cloudformation.af-south-1.amazonaws.com")
        self.role(self.accounts[0], ADMINISTRATION, {"Service": [*services]})
        for account in self.accounts:
            self.role(account, EXECUTION, {"AWS": f"arn:aws:iam::{self.accounts[0]}:role/{ADMINISTRATION}"})

    def role(self, account: str, name: str, principal: dict[str, Any]) -> None:
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}
        self.client("iam", account).create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))

    def create(self, **more: Any) -> str:
        return str(self.cf.create_stack_set(**{"StackSetName": "s", "TemplateBody": text(), **more})["StackSetId"])

    def add(self, accounts: list[str] | None = None, regions: list[str] | None = None, **more: Any) -> str:
        request = {"StackSetName": "s", "Accounts": accounts or self.accounts, "Regions": regions or REGIONS, **more}
        return str(self.cf.create_stack_instances(**request)["OperationId"])

    def update(self, **more: Any) -> str:
        return str(self.cf.update_stack_set(**{"StackSetName": "s", "TemplateBody": text(), **more})["OperationId"])

    def operation(self, operation: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.cf.describe_stack_set_operation(StackSetName="s", OperationId=operation)["StackSetOperation"]
        return answer

    def done(self, operation: str) -> str:
        def ended() -> str:
            status = str(self.operation(operation)["Status"])
            return "" if status in ("RUNNING", "QUEUED", "STOPPING") else status

        return eventually(ended)

    def results(self, operation: str) -> dict[tuple[str, str], str]:
        pages = self.cf.get_paginator("list_stack_set_operation_results").paginate(StackSetName="s", OperationId=operation)
        return {(each["Account"], each["Region"]): each["Status"] for page in pages for each in page["Summaries"]}

    def reasons(self, operation: str) -> str:
        found = self.cf.list_stack_set_operation_results(StackSetName="s", OperationId=operation)["Summaries"]
        return "\n".join(each.get("StatusReason", "") for each in found)

    def instances(self) -> dict[tuple[str, str], str]:
        pages = self.cf.get_paginator("list_stack_instances").paginate(StackSetName="s")
        return {(each["Account"], each["Region"]): each["Status"] for page in pages for each in page["Summaries"]}

    def days(self, account: str, region: str, name: str = "edge") -> int | None:
        groups = self.client("logs", account, region).describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return groups[0]["retentionInDays"] if groups else None

    def block(self, account: str, region: str) -> None:
        """Make the template's second version fail there: its bucket's name is taken."""
        self.client("s3", account, region)
        configuration = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        self.client("s3", account, region).create_bucket(Bucket=f"taken-{account}-{region}", **configuration)


def bucket_template() -> str:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "taken-${AWS::AccountId}-${AWS::Region}"}}}
    return text({"Resources": {"Bucket": bucket}})


@pytest.fixture
def sets(aws: Aws, new_account: Callable[[], str]) -> Sets:
    made = Sets(aws, [new_account(), new_account(), new_account()])
    made.trust_everywhere()
    return made


def everywhere(sets: Sets, value: Any, regions: list[str] | None = None) -> dict[tuple[str, str], Any]:
    return {(account, region): value for account in sets.accounts for region in regions or REGIONS}


def test_instances_are_made_updated_and_removed_in_their_own_accounts_and_regions(sets: Sets, hold: Hold) -> None:
    set_id = sets.create(Parameters=[{"ParameterKey": "Days", "ParameterValue": "14"}])
    with hold:
        operation = sets.add(OperationPreferences=ALL_AT_ONCE)
        assert sets.operation(operation)["Status"] == "RUNNING"
    assert sets.done(operation) == "SUCCEEDED"
    assert sets.results(operation) == everywhere(sets, "SUCCEEDED")
    assert sets.instances() == everywhere(sets, "CURRENT")
    assert {where: sets.days(*where) for where in everywhere(sets, 0)} == everywhere(sets, 14)

    first = sets.accounts[0]
    overrides = [{"ParameterKey": "Days", "ParameterValue": "90"}]
    one = sets.cf.update_stack_instances(StackSetName="s", Accounts=[first], Regions=["eu-west-1"], ParameterOverrides=overrides)
    sets.done(one["OperationId"])
    assert (sets.days(first, "eu-west-1"), sets.days(first, "us-east-1")) == (90, 14)

    assert sets.done(sets.update(Parameters=[{"ParameterKey": "Days", "ParameterValue": "30"}], OperationPreferences=ALL_AT_ONCE))
    assert (sets.days(first, "eu-west-1"), sets.days(first, "us-east-1")) == (90, 30)

    delete = sets.cf.delete_stack_instances(
        StackSetName="s", Accounts=sets.accounts, Regions=["us-east-1", "af-south-1"], RetainStacks=False, OperationPreferences=ALL_AT_ONCE
    )
    assert sets.done(delete["OperationId"]) == "SUCCEEDED"
    assert sets.instances() == everywhere(sets, "CURRENT", ["eu-west-1"])
    assert sets.days(first, "us-east-1") is None
    with pytest.raises(Conflict, match="StackSetNotEmpty"):
        sets.cf.delete_stack_set(StackSetName="s")
    keep = sets.cf.delete_stack_instances(StackSetName="s", Accounts=sets.accounts, Regions=["eu-west-1"], RetainStacks=True)
    sets.done(keep["OperationId"])
    assert sets.instances() == {}
    assert sets.days(first, "eu-west-1") == 90
    sets.cf.delete_stack_set(StackSetName="s")
    with pytest.raises(NotFound):
        sets.cf.describe_stack_set(StackSetName="s")
    deleted = sets.cf.list_stack_sets(Status="DELETED")["Summaries"]
    assert [each["StackSetId"] for each in deleted] == [set_id]


def test_a_set_reads_back_what_it_was_given(sets: Sets) -> None:
    role = f"arn:aws:iam::{sets.accounts[0]}:role/{ADMINISTRATION}"
    sets.create(Description="d", Tags=[{"Key": "a", "Value": "b"}], AdministrationRoleARN=role, ExecutionRoleName=EXECUTION)
    found = sets.cf.describe_stack_set(StackSetName="s")["StackSet"]
    assert json.loads(found["TemplateBody"]) == TEMPLATE
    assert (found["Description"], found["Tags"]) == ("d", [{"Key": "a", "Value": "b"}])
    assert (found["AdministrationRoleARN"], found["ExecutionRoleName"], found["PermissionModel"]) == (role, EXECUTION, "SELF_MANAGED")
    with pytest.raises(Conflict, match="NameAlreadyExists"):
        sets.create()
    sets.done(sets.update())
    assert "AdministrationRoleARN" not in sets.cf.describe_stack_set(StackSetName="s")["StackSet"], "a custom role must be passed again"


def test_regions_are_taken_in_the_given_order_and_a_failure_stops_the_later_ones(sets: Sets) -> None:
    sets.create(TemplateBody=bucket_template())
    sets.block(sets.accounts[1], "eu-west-1")
    order = ["us-east-1", "eu-west-1", "af-south-1"]
    operation = sets.add(OperationPreferences={"RegionOrder": order, "MaxConcurrentCount": 1})
    assert sets.done(operation) == "FAILED"
    a, b, c = sets.accounts
    got = sets.results(operation)
    assert {got[(each, "us-east-1")] for each in sets.accounts} == {"SUCCEEDED"}
    assert (got[(a, "eu-west-1")], got[(b, "eu-west-1")], got[(c, "eu-west-1")]) == ("SUCCEEDED", "FAILED", "CANCELLED")
    assert {got[(each, "af-south-1")] for each in sets.accounts} == {"CANCELLED"}
    assert sets.instances()[(b, "eu-west-1")] == "OUTDATED"
    reason = sets.cf.describe_stack_instance(StackSetName="s", StackInstanceAccount=b, StackInstanceRegion="eu-west-1")["StackInstance"]
    assert reason["StatusReason"].startswith("Validation failed with 1 error(s).")
    assert reason["StackInstanceStatus"]["DetailedStatus"] == "FAILED"


@pytest.mark.parametrize(
    ("preferences", "expected"),
    [
        ({"FailureToleranceCount": 1}, "SUCCEEDED"),
        ({"FailureTolerancePercentage": 34}, "SUCCEEDED"),
        ({"FailureTolerancePercentage": 33}, "FAILED"),
        ({"FailureToleranceCount": 0}, "FAILED"),
    ],
)
def test_a_tolerated_failure_leaves_the_operation_succeeded_with_a_count(sets: Sets, preferences: dict[str, int], expected: str) -> None:
    sets.create(TemplateBody=bucket_template())
    sets.block(sets.accounts[0], "us-east-1")
    operation = sets.add(
        regions=["us-east-1", "eu-west-1"], OperationPreferences={**preferences, "RegionOrder": ["us-east-1", "eu-west-1"]}
    )
    assert sets.done(operation) == expected
    assert sets.operation(operation)["StatusDetails"]["FailedStackInstancesCount"] == 1
    assert (sets.results(operation)[(sets.accounts[2], "eu-west-1")] == "SUCCEEDED") is (expected == "SUCCEEDED")


def test_a_failed_instance_is_redone_by_the_next_update(sets: Sets) -> None:
    account = sets.accounts[0]
    sets.create(TemplateBody=bucket_template())
    sets.block(account, "us-east-1")
    assert sets.done(sets.add([account], ["us-east-1"])) == "FAILED"
    sets.client("s3", account).delete_bucket(Bucket=f"taken-{account}-us-east-1")
    assert sets.done(sets.update(UsePreviousTemplate=True, Accounts=[account], Regions=["us-east-1"])) == "SUCCEEDED"
    assert sets.instances() == {(account, "us-east-1"): "CURRENT"}


def test_a_failed_resource_is_named_in_the_instance_and_the_result(sets: Sets) -> None:
    sets.create(
        TemplateBody=text({"Resources": {"Both": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": 'ALARM("x")'}}}})
    )
    operation = sets.add(sets.accounts[:1], ["us-east-1"])
    assert sets.done(operation) == "FAILED"
    named = "ResourceLogicalId:Both, ResourceType:AWS::CloudWatch::CompositeAlarm, ResourceStatusReason:"
    assert sets.reasons(operation).startswith(named)
    assert sets.cf.list_stack_instances(StackSetName="s")["Summaries"][0]["StatusReason"].startswith(named)


def test_an_update_of_some_instances_leaves_the_others_outdated_and_persists_when_it_fails(sets: Sets) -> None:
    sets.create()
    sets.done(sets.add(OperationPreferences=ALL_AT_ONCE))
    a = sets.accounts[0]
    sets.block(a, "us-east-1")
    operation = sets.update(TemplateBody=bucket_template(), Accounts=[a], Regions=["us-east-1"])
    assert sets.done(operation) == "FAILED"
    assert "Bucket" in sets.cf.describe_stack_set(StackSetName="s")["StackSet"]["TemplateBody"]
    assert sets.instances() == everywhere(sets, "OUTDATED")
    assert sets.results(operation) == {(a, "us-east-1"): "FAILED"}


def test_one_operation_at_a_time(sets: Sets, hold: Hold) -> None:
    sets.create()
    with hold:
        first = sets.add()
        with pytest.raises(Conflict, match="OperationInProgress"):
            sets.update()
        with pytest.raises(Conflict, match="OperationInProgress"):
            sets.cf.delete_stack_set(StackSetName="s")
    assert sets.cf.describe_stack_set(StackSetName="s")["StackSet"]["TemplateBody"] == text()
    assert sets.done(first) == "SUCCEEDED"


def test_managed_execution_runs_what_does_not_touch_and_queues_what_does(sets: Sets, hold: Hold) -> None:
    sets.create(ManagedExecution={"Active": True})
    a, b, _ = sets.accounts
    with hold:
        first = sets.add([a], REGIONS)
        second = sets.add([b], REGIONS)
        third = sets.update()
        assert [sets.operation(each)["Status"] for each in (first, second, third)] == ["RUNNING", "RUNNING", "QUEUED"]
    assert sets.done(third) == "SUCCEEDED"
    assert sets.operation(first)["Status"] == sets.operation(second)["Status"] == "SUCCEEDED"
    assert sets.operation(third)["EndTimestamp"] >= sets.operation(first)["EndTimestamp"]


def test_an_operation_id_starts_one_operation_only(sets: Sets) -> None:
    sets.create()
    assert sets.add(OperationId="once") == "once"
    assert sets.add(OperationId="once") == "once"
    with pytest.raises(Conflict, match="OperationIdAlreadyExists"):
        sets.add(regions=["us-east-1"], OperationId="once")
    with pytest.raises(Conflict, match="OperationIdAlreadyExists"):
        sets.update(OperationId="once")
    sets.done("once")
    assert [each["OperationId"] for each in sets.cf.list_stack_set_operations(StackSetName="s")["Summaries"]] == ["once"]


def test_stop_finishes_what_runs_and_cancels_what_waits(sets: Sets, hold: Hold) -> None:
    sets.create()
    with hold:
        operation = sets.add()
        eventually(lambda: "RUNNING" in sets.results(operation).values())
        sets.cf.stop_stack_set_operation(StackSetName="s", OperationId=operation)
        assert sets.operation(operation)["Status"] == "STOPPING"
    assert sets.done(operation) == "STOPPED"
    assert sorted(sets.results(operation).values()) == ["CANCELLED"] * 8 + ["SUCCEEDED"]
    with pytest.raises(BadRequest, match="cannot be stopped"):
        sets.cf.stop_stack_set_operation(StackSetName="s", OperationId=operation)


def test_drift_is_found_by_instance_and_resource(sets: Sets) -> None:
    sets.create()
    sets.done(sets.add(regions=["us-east-1", "eu-west-1"], OperationPreferences=ALL_AT_ONCE))
    a = sets.accounts[0]
    sets.client("logs", a, "eu-west-1").put_retention_policy(logGroupName="edge", retentionInDays=30)
    operation = sets.cf.detect_stack_set_drift(StackSetName="s")["OperationId"]
    assert sets.done(operation) == "SUCCEEDED"
    details = sets.operation(operation)["StackSetDriftDetectionDetails"]
    assert (details["DriftStatus"], details["DriftedStackInstancesCount"], details["InSyncStackInstancesCount"]) == ("DRIFTED", 1, 5)
    drifted = sets.cf.list_stack_instances(StackSetName="s", Filters=[{"Name": "DRIFT_STATUS", "Values": "DRIFTED"}])["Summaries"]
    assert [(each["Account"], each["Region"], each["Status"]) for each in drifted] == [(a, "eu-west-1", "CURRENT")]
    resources = sets.cf.list_stack_instance_resource_drifts(
        StackSetName="s", OperationId=operation, StackInstanceAccount=a, StackInstanceRegion="eu-west-1"
    )["Summaries"]
    assert [(each["LogicalResourceId"], each["StackResourceDriftStatus"]) for each in resources] == [("Logs", "MODIFIED")]
    assert resources[0]["PropertyDifferences"][0]["PropertyPath"] == "/RetentionInDays"


def test_lists_come_in_pages(sets: Sets) -> None:
    sets.create()
    operation = sets.add(OperationPreferences=ALL_AT_ONCE)
    sets.done(operation)
    for name, more in (("list_stack_instances", {}), ("list_stack_set_operation_results", {"OperationId": operation})):
        pages = [*sets.cf.get_paginator(name).paginate(StackSetName="s", PaginationConfig={"PageSize": 4}, **more)]
        assert [len(page["Summaries"]) for page in pages] == [4, 4, 1]
    with pytest.raises(BadRequest):
        sets.cf.list_stack_instances(StackSetName="s", NextToken="forged")


# --- readiness ----------------------------------------------------------------------------------------------------


def unprepared(aws: Aws, new_account: Callable[[], str]) -> Sets:
    made = Sets(aws, [new_account(), new_account()])
    made.create()
    return made


def failed_with(sets: Sets, region: str = "us-east-1") -> str:
    operation = sets.add([sets.accounts[1]], [region])
    assert sets.done(operation) == "FAILED"
    return sets.reasons(operation)


def test_without_an_administration_role(aws: Aws, new_account: Callable[[], str]) -> None:
    assert "Administration role" in failed_with(unprepared(aws, new_account))


def test_without_an_execution_role_or_with_one_that_trusts_somebody_else(aws: Aws, new_account: Callable[[], str]) -> None:
    sets = unprepared(aws, new_account)
    sets.role(sets.accounts[0], ADMINISTRATION, {"Service": "cloudformation.amazonaws.com"})
    words = f"Account {sets.accounts[1]} should have '{EXECUTION}' role with trust relationship to Role '{ADMINISTRATION}'."
    assert failed_with(sets) == words
    sets.role(sets.accounts[1], EXECUTION, {"AWS": f"arn:aws:iam::{new_account()}:root"})
    assert failed_with(sets) == words


def test_an_opt_in_region_needs_its_own_principal_and_to_be_enabled(aws: Aws, new_account: Callable[[], str]) -> None:
    sets = unprepared(aws, new_account)
    sets.trust_everywhere("cloudformation.amazonaws.com")
    assert "does not trust cloudformation.af-south-1.amazonaws.com" in failed_with(sets, "af-south-1")
    sets.client("account", sets.accounts[1]).disable_region(RegionName="af-south-1")
    assert "is not enabled" in failed_with(sets, "af-south-1")
    assert sets.done(sets.add([sets.accounts[1]], ["us-east-1"])) == "SUCCEEDED"


@pytest.mark.parametrize(
    "preferences",
    [
        {"FailureToleranceCount": 0, "MaxConcurrentCount": 2},
        {"FailureToleranceCount": 1, "FailureTolerancePercentage": 1},
        {"MaxConcurrentCount": 1, "MaxConcurrentPercentage": 1},
    ],
)
def test_preferences_that_contradict_themselves_are_refused(sets: Sets, preferences: dict[str, int]) -> None:
    sets.create()
    with pytest.raises(BadRequest):
        sets.add(OperationPreferences=preferences)
    assert sets.instances() == {}


def test_what_is_not_there(sets: Sets) -> None:
    with pytest.raises(NotFound):
        sets.cf.describe_stack_set(StackSetName="none")
    sets.create()
    with pytest.raises(NotFound):
        sets.operation("none")
    with pytest.raises(NotFound):
        sets.cf.describe_stack_instance(StackSetName="s", StackInstanceAccount=sets.accounts[0], StackInstanceRegion="eu-west-1")
    with pytest.raises(NotFound):
        sets.cf.update_stack_instances(StackSetName="s", Accounts=sets.accounts, Regions=["eu-west-1"])
    with pytest.raises(AwsError, match="not valid"):
        sets.add(regions=["mars-north-1"])


# --- SERVICE_MANAGED ----------------------------------------------------------------------------------------------


@dataclass
class Organization:
    """A management account with two units, one inside the other, and a member in each."""

    sets: Sets
    root: str
    outer: str
    inner: str
    first: str
    second: str


@pytest.fixture
def organization(aws: Aws, account: str) -> Organization:
    sets = Sets(aws, [account])
    client = sets.client("organizations")
    client.describe_organization()
    root = client.list_roots()["Roots"][0]["Id"]
    outer = client.create_organizational_unit(ParentId=root, Name="outer")["OrganizationalUnit"]["Id"]
    inner = client.create_organizational_unit(ParentId=outer, Name="inner")["OrganizationalUnit"]["Id"]
    members = []
    for name, unit in (("one", outer), ("two", inner)):
        made = client.create_account(Email=f"{name}@example.com", AccountName=name)["CreateAccountStatus"]["AccountId"]
        client.move_account(AccountId=made, SourceParentId=root, DestinationParentId=unit)
        members.append(made)
    sets.create(PermissionModel="SERVICE_MANAGED", AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": False})
    return Organization(sets, root, outer, inner, *members)


def deploy(organization: Organization, **targets: Any) -> dict[tuple[str, str], str]:
    sets = organization.sets
    request = {"StackSetName": "s", "Regions": ["eu-west-1"], "DeploymentTargets": targets, "OperationPreferences": ALL_AT_ONCE}
    operation = sets.cf.create_stack_instances(**request)["OperationId"]
    assert sets.done(operation) == "SUCCEEDED"
    return sets.instances()


def test_units_mean_their_accounts_and_those_of_units_below(organization: Organization) -> None:
    got = deploy(organization, OrganizationalUnitIds=[organization.outer])
    assert got == {(organization.first, "eu-west-1"): "CURRENT", (organization.second, "eu-west-1"): "CURRENT"}
    units = {
        each["Account"]: each["OrganizationalUnitId"] for each in organization.sets.cf.list_stack_instances(StackSetName="s")["Summaries"]
    }
    assert units == {organization.first: organization.outer, organization.second: organization.inner}
    assert organization.sets.days(organization.second, "eu-west-1") == 7


def test_the_management_account_is_never_a_target(organization: Organization) -> None:
    got = deploy(organization, OrganizationalUnitIds=[organization.root])
    assert organization.sets.accounts[0] not in {account for account, _ in got}


@pytest.mark.parametrize(("kind", "chosen"), [("INTERSECTION", ["second"]), ("DIFFERENCE", ["first"])])
def test_accounts_filter_units(organization: Organization, kind: str, chosen: list[str]) -> None:
    got = deploy(organization, OrganizationalUnitIds=[organization.outer], Accounts=[organization.second], AccountFilterType=kind)
    assert [account for account, _ in got] == [getattr(organization, name) for name in chosen]


def test_automatic_deployment_follows_an_account_that_moves(organization: Organization) -> None:
    deploy(organization, OrganizationalUnitIds=[organization.inner])
    client = organization.sets.client("organizations")
    client.move_account(AccountId=organization.first, SourceParentId=organization.outer, DestinationParentId=organization.inner)
    client.move_account(AccountId=organization.second, SourceParentId=organization.inner, DestinationParentId=organization.root)
    for each in organization.sets.cf.list_stack_set_operations(StackSetName="s")["Summaries"]:
        organization.sets.done(each["OperationId"])
    assert organization.sets.instances() == {(organization.first, "eu-west-1"): "CURRENT"}
    assert organization.sets.days(organization.second, "eu-west-1") is None


def test_a_member_works_on_the_sets_of_the_organization_as_delegated_administrator(organization: Organization, sets: Sets) -> None:
    member = organization.sets.client("cloudformation", organization.first)
    names = [each["StackSetName"] for each in member.list_stack_sets(CallAs="DELEGATED_ADMIN")["Summaries"]]
    assert names == ["s"]
    assert member.list_stack_sets()["Summaries"] == []
    with pytest.raises(BadRequest, match="delegated admin"):
        sets.cf.list_stack_sets(CallAs="DELEGATED_ADMIN")


def test_permission_models_take_their_own_targets_only(organization: Organization, sets: Sets) -> None:
    with pytest.raises(BadRequest, match="DeploymentTargets"):
        organization.sets.add()
    sets.create()
    with pytest.raises(BadRequest, match="SERVICE_MANAGED"):
        sets.cf.create_stack_instances(StackSetName="s", Regions=REGIONS, DeploymentTargets={"OrganizationalUnitIds": ["ou-abcd-12345678"]})
