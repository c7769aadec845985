"""Where what exists is read: in the account and region of its stack, with the role that CloudFormation has there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adoption.report import AdoptionReport
from adoption.survey import SurveyRequest, surveyed
from aws.errors import AccessDenied
from tests.unit.adoption.stage import SCHEMAS, Account, adopted, assembly, state, terraformed
from tests.unit.adoption.test_in_place import Stack
from tests.unit.adoption.test_survey import row

ARN = "arn:aws:iam::111111111111:role/provisioning"
BUCKET = "dev-kimmyai-web-public"


@dataclass
class Noting(Account):
    """Notes who asks for what, and which stacks were looked for."""

    reads: list[tuple[str, str, str, str | None]] = field(default_factory=list)
    """Region, type, identifier, the role that CloudFormation is given."""
    stacks: dict[str, Stack] = field(default_factory=dict)
    described: list[str] = field(default_factory=list)
    owned_in: Mapping[str, str] = field(default_factory=dict)
    """Region to the stack that has everything there."""
    refusing: str = ""
    """A region in which CloudFormation may not be asked who has something."""

    def live(self, account_id: str, region: str, role_arn: str | None = None) -> Any:
        outer = self

        class Reading:
            def get(self, kind: str, identifier: Mapping[str, str], *, service_role_arn: str | None = None) -> dict[str, Any]:
                outer.reads.append((region, kind, "|".join(identifier.values()), service_role_arn))
                return outer.get(kind, identifier)

        return Reading()

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> Any:
        outer = self

        class Gateway:
            def describe_stack(self, name: str) -> Stack | None:
                outer.described.append(name)
                return outer.stacks.get(name)

            def list_resources(self, name: str) -> tuple[Any, ...]:
                return ()

            def list_stack_instances(self, name: str, *, call_as: str) -> tuple[str, ...]:
                return ()

            def owner(self, physical_id: str, resource_type: str) -> str:
                if region == outer.refusing:
                    raise AccessDenied("not yours", service="cloudformation", operation="DescribeStackResources")
                return outer.owned_in.get(region, "")

        return Gateway()


def survey(**more: Any) -> tuple[AdoptionReport, Noting]:
    account = Noting(live_properties=terraformed("dev"), **more)
    return adopted("dev", account), account


def foundation() -> str:
    made, _ = assembly("dev")
    ref: Any = next(each.service_role for each in made.stacks if each.id == "site")
    return next(each.stack_name for each in made.stacks if each.id == ref.stack)


def output() -> str:
    made, _ = assembly("dev")
    ref: Any = next(each.service_role for each in made.stacks if each.id == "site")
    return str(ref.output)


def roles(account: Noting) -> set[str | None]:
    return {role for _, _, _, role in account.reads}


def test_cloudformations_role_reads_once_its_stack_is_there_and_is_looked_up_once() -> None:
    _, there = survey(stacks={foundation(): Stack(outputs={output(): ARN})})
    assert roles(there) == {ARN} and len(there.reads) > 1
    # Once for what is in place, once for the role.
    assert there.described.count(foundation()) == 2
    assert roles(survey()[1]) == {None}
    assert roles(survey(stacks={foundation(): Stack(deployed=False, outputs={output(): ARN})})[1]) == {None}


def test_everything_is_read_where_its_stack_is() -> None:
    _, account = survey()
    where = {(kind.rpartition("::")[2], region) for region, kind, _, _ in account.reads}
    assert where >= {("Bucket", "eu-west-1"), ("Certificate", "us-east-1")}


def test_what_a_stack_of_another_region_of_the_environment_has_is_found_and_a_region_that_refuses_is_noted() -> None:
    report, _ = survey(owned_in={"us-east-1": "theirs"})
    assert row(report, "site.Bucket").message.startswith("is made by the stack theirs")
    report, _ = survey(owned_in={"us-east-1": "theirs"}, refusing="eu-west-1")
    assert row(report, "site.Bucket").message.startswith("is made by the stack theirs"), "the other region is asked all the same"
    assert [note for note in report.notes if note.startswith(f"whether a stack of eu-west-1 has {BUCKET}: ")]
    assert not survey()[0].notes


def test_the_check_looks_for_what_is_superseded_in_its_region_and_for_nothing_else() -> None:
    made, templates = assembly("dev")
    account = Noting(live_properties=terraformed("dev"))
    surveyed(SurveyRequest(assembly=made, templates=templates, state=state("dev")), account, SCHEMAS)
    before = set(account.reads)
    report = surveyed(SurveyRequest(assembly=made, templates=templates, state=state("dev"), check=True), account, SCHEMAS)
    looked = set(account.reads) - before
    old = {each.identifier for each in report.left if each.why == "superseded"}
    assert {identifier for _, _, identifier, _ in looked} <= old
    # A service that is one for all regions is asked in us-east-1, as is Lambda@Edge; of what says its region, that one.
    kinds = ("CloudFrontOriginAccessIdentity", "Function", "LogGroup", "Role")
    assert {(kind.rpartition("::")[2], region) for region, kind, _, _ in looked} == {(kind, "us-east-1") for kind in kinds}
    assert all(each.there is None for each in report.left if each.why != "superseded")
    assert {each.there for each in report.left if each.why == "superseded"} == {False}, "the stage has none of them"
