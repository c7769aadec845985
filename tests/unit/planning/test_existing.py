"""What stands already where a stack is about to make something, as a plan tells and uses it."""

from __future__ import annotations

from typing import Any

import pytest

from gateways.existing import Found
from planning.model import Options, Plan
from planning.plan import make_plan
from planning.request import Request
from takeover.model import Taken
from tests.simulated import ACCOUNT, SimulatedGateways, Small, small_assembly
from tests.unit.planning.test_plan import NO_SCHEMAS, SITE, plan_of, stack_of, two
from tests.unit.planning.test_plan_steps import stuck

OURS = {"project": "demo", "environment": "test"}
THEIRS = {"project": "demo", "environment": "prod"}
RECORD = {"Name": "www.example.org.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}


def kept(name: str) -> dict[str, Any]:
    return {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain", "Properties": {"BucketName": name}}


RESOURCES = {
    "Ours": kept("ours"),
    "Theirs": kept("theirs"),
    "Record": {
        "Type": "AWS::Route53::RecordSet",
        "Properties": {"Name": "www.example.org", "Type": "A", "HostedZoneId": "Z1", "TTL": "60", "ResourceRecords": ["192.0.2.9"]},
    },
}


@pytest.mark.parametrize(
    ("made", "operation", "imports", "replaces", "told"),
    [
        (("Ours",), "create", True, [], [("note", "taken_over")]),
        (("Record",), "create", False, ["Record"], [("warning", "record_replaced")]),
        (("Ours", "Record"), "create", True, ["Record"], [("note", "taken_over"), ("warning", "record_replaced")]),
        (("Theirs", "Record"), "blocked", False, [], [("error", "stands_already"), ("warning", "record_replaced")]),
    ],
)
def test_only_what_is_taken_over_is_imported_and_only_records_are_replaced(
    made: tuple[str, ...], operation: str, imports: bool, replaces: list[str], told: list[tuple[str, str]]
) -> None:
    gateways = SimulatedGateways(records=(RECORD,))
    gateways.there["AWS::S3::Bucket", "ours"] = Found(physical_id="ours", tags=OURS)
    gateways.there["AWS::S3::Bucket", "theirs"] = Found(physical_id="theirs", tags=THEIRS)
    template = {"Resources": {name: RESOURCES[name] for name in made}}
    plan = stack_of(plan_of(small_assembly(Small(id="a", template=template)), gateways, replace_records=True), "a")
    assert plan.operation == operation and sorted((f.severity, f.code) for f in plan.findings) == told
    assert [each.logical_id for each in plan.replaces] == replaces or operation == "blocked"
    (sent,) = [c for n, c in gateways.at("eu-west-1").calls if n == "create_change_set"]
    assert bool(sent.get("ImportExistingResources")) is imports
    if plan.replaces:
        assert (plan.replaces[0].zone_id, plan.replaces[0].record) == ("Z1", RECORD)


@pytest.mark.parametrize(
    ("stack", "tags", "told"),
    [
        ("site", {}, ["dependency_blocked"]),
        ("certificate", {}, ["dependency_blocked", "stands_already"]),
        ("site", OURS, ["dependency_blocked", "taken_over"]),
    ],
    ids=["it is taken over by this stack", "by another one", "by its name"],
)
def test_what_a_stack_that_cannot_be_planned_yet_takes_over_is_not_in_its_way(stack: str, tags: dict[str, str], told: list[str]) -> None:
    gateways = SimulatedGateways()
    stuck(gateways)
    gateways.there["AWS::S3::Bucket", "demo-site"] = Found(physical_id="demo-site", tags=tags)
    site: dict[str, Any] = {**SITE}
    site["Resources"] = {**site["Resources"], "Bucket": kept("demo-site")}
    assembly, templates = two(site=site)
    taken = Taken(
        stack=stack,
        logical_id="Bucket",
        type="AWS::S3::Bucket",
        identifier={"BucketName": "demo-site"},
        source="--resource",
        account_id=ACCOUNT,
        region="eu-west-1",
    )
    request = Request(assembly=assembly, templates=templates, options=Options(), created_at="t", created_by="s", nonce="1a", taken=(taken,))
    plan: Plan = make_plan(request, gateways, NO_SCHEMAS)
    assert [f.code for f in stack_of(plan, "site").findings] == told
