"""Whether the targets of a StackSet are ready: regions, roles, accounts, names, and what is said where nobody may look."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from assembly.model import OperationPreferences, StackSet, Targets
from aws.cloudformation.stack_sets import StackInstance
from aws.errors import AccessDenied
from planning.stackset_survey import Survey, survey
from tests.simulated import ACCOUNT, SimulatedGateways, Small, Targeted, small_assembly, stackset

OTHER, THIRD = "210987654321", "310987654321"
TOPIC: dict[str, Any] = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {}}}}
LOGS: dict[str, Any] = {
    "Resources": {"Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {"Fn::Sub": "/${AWS::AccountId}"}}}}
}
STACKSETS = "cloudformation.amazonaws.com"
CAPE = "af-south-1"
"""A region that has to be opted into."""


def service_managed(*accounts: str, regions: tuple[str, ...] = ("eu-west-1",)) -> StackSet:
    return StackSet(
        permission_model="SERVICE_MANAGED",
        targets=Targets(organizational_units=("ou-a", "ou-b"), accounts=accounts, regions=regions),
        preferences=OperationPreferences(),
    )


def looked(
    target: StackSet,
    targeted: Targeted | None = None,
    *others: Small,
    template: dict[str, Any] = TOPIC,
    instances: Iterable[StackInstance] = (),
    gateways: SimulatedGateways | None = None,
    of_others: dict[str, Any] | None = None,
) -> Survey:
    world = gateways or SimulatedGateways()
    world.targets = targeted or Targeted()
    made, bodies = small_assembly(*others, Small(id="set", template=template, region="us-east-1", more={"stackset": target}))
    changed = tuple(msgspec.structs.replace(s, **(of_others or {})) if s.id != "set" else s for s in made.stacks)
    made = msgspec.structs.replace(made, stacks=changed)
    return survey(made.stacks[-1], made, bodies, template, {}, instances=instances, gateways=world)


def codes(found: Survey) -> list[tuple[str, str]]:
    assert all(f.stack == "set" for f in found.findings)
    return [(f.severity, f.code) for f in found.findings]


def words(found: Survey, code: str) -> str:
    (told,) = [f.message for f in found.findings if f.code == code]
    return told


def current(account: str, region: str = "eu-west-1", status: str = "CURRENT") -> StackInstance:
    return StackInstance(account_id=account, region=region, status=status)


# --- regions ------------------------------------------------------------------------------------------------------


def test_a_region_that_the_administrating_account_has_not() -> None:
    found = looked(stackset("eu-west-1", "xx-nowhere-1", CAPE), Targeted(disabled={(ACCOUNT, CAPE)}))
    assert codes(found) == [("error", "region_not_enabled")] * 2
    assert [f.command for f in found.findings] == [
        "edit environments/test.yaml: AWS has no such region",
        f"aws account enable-region --region-name {CAPE}",
    ]
    assert found.findings[0].message.startswith(f"xx-nowhere-1 is unknown to AWS in account {ACCOUNT}, which administrates")
    assert found.findings[1].message.startswith(f"{CAPE} is DISABLED in account {ACCOUNT}")


def test_a_region_that_a_target_has_not_opted_into() -> None:
    targeted = Targeted(disabled={(OTHER, CAPE)})
    found = looked(stackset(CAPE, accounts=(ACCOUNT, OTHER, THIRD)), targeted)
    assert codes(found) == [("error", "region_not_enabled")]
    assert found.findings[0].message == f"{CAPE} is DISABLED in target account {OTHER}"
    assert found.findings[0].command == f"aws account enable-region --region-name {CAPE}"
    assert targeted.asked.count(OTHER) == 2 and targeted.asked.count(THIRD) == 2, "its regions, and its role"
    assert targeted.asked.count(ACCOUNT) == 4, "once for regions, twice for roles, once for the organization"


def test_regions_of_the_members_are_asked_from_the_administrating_account() -> None:
    targeted = Targeted(disabled={(OTHER, CAPE)}, units={"ou-a": {OTHER: True, THIRD: True}})
    found = looked(service_managed(regions=(CAPE,)), targeted)
    assert codes(found) == [("error", "region_not_enabled")] and set(targeted.asked) == {ACCOUNT}
    assert found.findings[0].command == f"aws account enable-region --region-name {CAPE} --account-id {OTHER}"


def test_a_region_that_every_account_has_is_not_asked_for() -> None:
    targeted = Targeted(disabled={(OTHER, CAPE)})
    assert codes(looked(stackset("eu-west-1", accounts=(OTHER,)), targeted)) == []
    assert targeted.asked.count(OTHER) == 1, "its role"


def test_where_there_is_an_instance_no_region_is_asked_for() -> None:
    targeted = Targeted(disabled={(OTHER, CAPE), (ACCOUNT, CAPE)})
    assert codes(looked(stackset(CAPE, accounts=(OTHER,)), targeted, instances=[current(OTHER, CAPE)])) == []
    assert OTHER not in targeted.asked


# --- roles --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("regions", "trusts", "missing"),
    [
        (("eu-west-1",), {STACKSETS}, ""),
        (("eu-west-1",), set(), STACKSETS),
        ((CAPE,), {STACKSETS}, f"cloudformation.{CAPE}.amazonaws.com"),
        ((CAPE,), {STACKSETS, f"cloudformation.{CAPE}.amazonaws.com"}, ""),
        ((CAPE,), set(), f"{STACKSETS}, cloudformation.{CAPE}.amazonaws.com"),
    ],
)
def test_whom_the_administration_role_has_to_trust(regions: tuple[str, ...], trusts: set[str], missing: str) -> None:
    found = looked(stackset(*regions), Targeted(roles={(ACCOUNT, "admin"): frozenset(trusts)}))
    if not missing:
        assert codes(found) == []
        return
    assert codes(found) == [("error", "administration_role_trust")]
    assert f"admin does not trust {missing};" in found.findings[0].message
    assert found.findings[0].command == "aws iam get-role --role-name admin --query Role.AssumeRolePolicyDocument"


def test_an_administration_role_that_is_not_there() -> None:
    found = looked(stackset("eu-west-1"), Targeted(roles={(ACCOUNT, "admin"): None}))
    assert codes(found) == [("error", "administration_role_missing")]
    assert f"admin is not in account {ACCOUNT}" in found.findings[0].message
    assert found.findings[0].command == "python deploy.py doctor --env test"


def test_roles_without_a_name_have_awss() -> None:
    target = msgspec.structs.replace(stackset("eu-west-1"), administration_role_name=None, execution_role_name=None)
    roles: dict[tuple[str, str], frozenset[str] | None] = {
        (ACCOUNT, f"AWSCloudFormationStackSet{which}Role"): None for which in ("Administration", "Execution")
    }
    assert [c for _, c in codes(looked(target, Targeted(roles=roles)))] == ["administration_role_missing", "execution_role_missing"]
    administration = f"arn:aws:iam::{ACCOUNT}:role/AWSCloudFormationStackSetAdministrationRole"
    roles = {
        (ACCOUNT, "AWSCloudFormationStackSetAdministrationRole"): frozenset({STACKSETS}),
        (ACCOUNT, "AWSCloudFormationStackSetExecutionRole"): frozenset({administration}),
    }
    assert codes(looked(target, Targeted(roles=roles))) == []


def role(name: str = "admin", principal: str = STACKSETS) -> dict[str, Any]:
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"}]}
    return {
        "Resources": {
            "NoProperties": {"Type": "AWS::SNS::Topic"},
            "NoRole": {"Type": "AWS::IAM::Group", "Properties": {"RoleName": name}},
            "OtherRole": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "other"}},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name, "AssumeRolePolicyDocument": trust}},
        }
    }


NO_ADMIN: dict[tuple[str, str], frozenset[str] | None] = {(ACCOUNT, "admin"): None}


def test_a_role_that_the_assembly_makes_is_not_looked_for() -> None:
    assert codes(looked(stackset("eu-west-1"), Targeted(roles=dict(NO_ADMIN)), Small(id="roles", template=role()))) == []
    wrong = looked(stackset("eu-west-1"), Targeted(roles=dict(NO_ADMIN)), Small(id="roles", template=role(principal="ec2.amazonaws.com")))
    assert codes(wrong) == [("error", "administration_role_trust")]
    twice = (Small(id="first", template=TOPIC), Small(id="roles", template=role()))
    assert codes(looked(stackset("eu-west-1"), Targeted(roles=dict(NO_ADMIN)), *twice)) == []


def test_a_role_of_another_name_account_or_kind_of_stack_does_not_count() -> None:
    for others, of_others in (
        (Small(id="roles", template=role("somebody")), {}),
        (Small(id="roles", template=role()), {"account_id": OTHER}),
        (Small(id="roles", template=role(), more={"stackset": stackset("eu-west-1")}), {}),
    ):
        found = looked(stackset("eu-west-1"), Targeted(roles=dict(NO_ADMIN)), others, of_others=of_others)
        assert codes(found) == [("error", "administration_role_missing")]


@pytest.mark.parametrize(
    ("trusts", "ready"),
    [
        (f"arn:aws:iam::{ACCOUNT}:role/admin", True),
        (f"arn:aws:iam::{ACCOUNT}:role/path/admin", True),
        (f"arn:aws:iam::{ACCOUNT}:root", True),
        (ACCOUNT, True),
        (f"arn:aws:iam::{ACCOUNT}:role/other", False),
        (f"arn:aws:iam::{THIRD}:root", False),
        (THIRD, False),
    ],
)
def test_whom_an_execution_role_has_to_trust(trusts: str, ready: bool) -> None:
    found = looked(
        stackset("eu-west-1", accounts=(OTHER,)), Targeted(roles={(OTHER, "execution"): frozenset({"ec2.amazonaws.com", trusts})})
    )
    assert codes(found) == ([] if ready else [("error", "execution_role_trust")])
    for told in found.findings:
        assert told.message == f"the role execution of account {OTHER} does not trust the role admin of account {ACCOUNT}"


def test_an_execution_role_that_is_not_there_and_one_that_was_used() -> None:
    missing = Targeted(roles={(OTHER, "execution"): None})
    found = looked(stackset("eu-west-1", "us-west-2", accounts=(OTHER,)), missing)
    assert codes(found) == [("error", "execution_role_missing")], "once, however many regions"
    assert (
        f"account {OTHER} has no role execution; make it there, trusting the role admin of account {ACCOUNT}" in found.findings[0].message
    )
    assert codes(looked(stackset("eu-west-1", "us-west-2", accounts=(OTHER,)), missing, instances=[current(OTHER)])) == []
    stale = [current(OTHER, status="OUTDATED")]
    assert codes(looked(stackset("eu-west-1", "us-west-2", accounts=(OTHER,)), missing, instances=stale)) == [
        ("error", "execution_role_missing")
    ]


def test_the_execution_role_that_the_assembly_makes_counts_in_its_own_account_only() -> None:
    none = Targeted(roles={(a, "execution"): None for a in (ACCOUNT, OTHER)})
    found = looked(stackset("eu-west-1", accounts=(ACCOUNT, OTHER)), none, Small(id="roles", template=role("execution")))
    assert codes(found) == [("error", "execution_role_missing")] and OTHER in found.findings[0].message


def test_a_service_managed_set_needs_no_roles_of_ours() -> None:
    roles: Any = {(a, r): None for a in (ACCOUNT, OTHER) for r in ("admin", "execution", "AWSCloudFormationStackSetAdministrationRole")}
    assert codes(looked(service_managed(), Targeted(roles=roles, units={"ou-a": {OTHER: True}}))) == []


# --- accounts -----------------------------------------------------------------------------------------------------


def test_members_of_the_units_without_the_manager_and_only_those_listed() -> None:
    units = {"ou-a": {ACCOUNT: True, OTHER: True}, "ou-b": {OTHER: True, THIRD: False}}
    found = looked(service_managed(), Targeted(units=units))
    assert (found.units, found.inactive) == ({OTHER: "ou-a", THIRD: "ou-b"}, frozenset({THIRD}))
    assert codes(found) == [("warning", "account_suspended")] and words(found, "account_suspended").endswith(f"skip them: {THIRD}")
    some = looked(service_managed(OTHER), Targeted(units=units))
    assert (some.units, some.inactive, codes(some)) == ({OTHER: "ou-a"}, frozenset(), [])
    managing = looked(service_managed(ACCOUNT, OTHER), Targeted(units=units))
    assert codes(managing) == [("warning", "management_account")] and words(managing, "management_account").startswith(ACCOUNT)


def test_units_that_cannot_be_read_are_said_to_be_unseen() -> None:
    found = looked(service_managed())
    assert (found.units, found.inactive) == (None, frozenset()) and codes(found) == [("note", "not_looked_at")]
    assert found.findings[0].message.startswith("the accounts of the organizational units: not looked at before they are deployed to: ")


def test_suspended_accounts_of_a_list() -> None:
    targeted = Targeted(units={"ou": {ACCOUNT: True, OTHER: False}}, disabled={(OTHER, CAPE)})
    found = looked(stackset(CAPE, accounts=(OTHER, THIRD)), targeted)
    assert found.inactive == {OTHER} and codes(found) == [("warning", "account_suspended")], "and nothing else is asked of it"
    assert OTHER not in targeted.asked and found.units is None
    alone = Targeted(units={"ou": {ACCOUNT: False}})
    assert looked(stackset("eu-west-1"), alone).inactive == frozenset(), "its own account is active, as it answers"


# --- names and overrides --------------------------------------------------------------------------------------------


def test_log_groups_of_exactly_the_name_where_an_instance_is_to_be_made() -> None:
    groups: dict[tuple[str, str], tuple[str, ...]] = {(a, "eu-west-1"): (f"/{a}", f"/{a}/more") for a in (ACCOUNT, OTHER)} | {
        (THIRD, "eu-west-1"): (f"/{THIRD}/more",)
    }
    target = stackset("eu-west-1", accounts=(ACCOUNT, OTHER, THIRD))
    found = looked(target, Targeted(log_groups=groups), template=LOGS, instances=[current(ACCOUNT)])
    assert found.existing == {(OTHER, "eu-west-1"): {"Logs": f"/{OTHER}"}}
    targeted = Targeted(log_groups=groups)
    assert looked(target, targeted).existing == {} and f"{OTHER} eu-west-1" not in targeted.asked, "without log groups none is looked for"


def test_log_groups_without_a_name_are_not_looked_for() -> None:
    targeted = Targeted()
    template = {"Resources": {"Logs": {"Type": "AWS::Logs::LogGroup"}, **TOPIC["Resources"]}}
    assert looked(stackset("eu-west-1"), targeted, template=template).existing == {}
    assert f"{ACCOUNT} eu-west-1" not in targeted.asked


def test_what_names_a_log_group_is_none() -> None:
    named = {"Type": "AWS::Logs::MetricFilter", "Properties": {"LogGroupName": "/theirs"}}
    logs = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/ours"}}
    targeted = Targeted(log_groups={(ACCOUNT, "eu-west-1"): ("/ours", "/theirs")})
    found = looked(stackset("eu-west-1"), targeted, template={"Resources": {"Logs": logs, "Filter": named}})
    assert found.existing == {(ACCOUNT, "eu-west-1"): {"Logs": "/ours"}}


def test_what_nobody_may_look_into_is_noted_by_reason() -> None:
    found = looked(stackset("eu-west-1", accounts=(OTHER, THIRD)), Targeted(closed={OTHER, THIRD}), template=LOGS)
    assert codes(found) == [("note", "not_looked_at")]
    for what in (f"account {OTHER}", f"account {THIRD}", f"log groups in {OTHER} eu-west-1"):
        assert what in found.findings[0].message
    own = looked(stackset(CAPE, accounts=(ACCOUNT,)), Targeted(closed={ACCOUNT}))
    told = " ".join(f.message for f in own.findings)
    assert {c for _, c in codes(own)} == {"not_looked_at"} and own.existing == {}
    assert f"the regions of account {ACCOUNT}" in told and "the role admin" in told


def test_at_most_fifty_accounts_are_looked_into() -> None:
    accounts = tuple(f"{n:012d}" for n in range(51))
    targeted = Targeted(roles={(accounts[-1], "execution"): None})
    found = looked(stackset("eu-west-1", accounts=accounts), targeted)
    assert codes(found) == [("note", "not_all_looked_at")] and accounts[-1] not in targeted.asked
    assert found.findings[0].message == "the execution role: the first 50 of 51 targets were looked at"
    assert codes(looked(stackset("eu-west-1", accounts=accounts[:50]), Targeted())) == []


def test_of_at_most_fifty_accounts_the_regions_are_asked_for() -> None:
    accounts = tuple(f"{n:012d}" for n in range(51))
    found = looked(stackset("af-south-1", accounts=accounts), Targeted())
    told = [each.message for each in found.findings if each.code == "not_all_looked_at"]
    assert told == [f"{what}: the first 50 of 51 targets were looked at" for what in ("regions", "the execution role")]


def test_a_survey_knows_its_environment() -> None:
    assert looked(stackset("eu-west-1")).environment == "test"


def test_overrides_that_cannot_be_read_are_named_by_account_and_region() -> None:
    template = {"Parameters": {"Days": {"Type": "Number"}}, **TOPIC}
    gateways = SimulatedGateways()
    gateways.faults.errors["describe_stack_instance", "demo-test-set"] = AccessDenied("not you")
    found = looked(stackset("eu-west-1", accounts=(OTHER,)), template=template, instances=[current(OTHER)], gateways=gateways)
    assert found.overrides == {} and words(found, "not_looked_at").startswith(f"overrides in {OTHER} eu-west-1: ")
