"""Every edit of every key, from each value to each other, held against what CloudFormation and the services would refuse.

The rules are those that the local AWS enforces (`emulator/`), here on templates alone: what is made and changed first, deleted last,
replaced by a create-only property, and used by another stack. `make edits` applies random edits to the local AWS.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from assembly.model import OutputRef
from environments.model import Environment
from removal.names import names_taken
from stacks.synthesis import Synthesis, SynthesisError, synthesise
from templates.schemas import bundled
from tests import edits

ACCOUNT = "123456789012"
KEYS = edits.values_of_every_key()
SCHEMAS = bundled()

NAMES = {
    "AWS::CloudFront::Function": "Name",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::OIDCProvider": "Url",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::DeliveryDestination": "Name",
    "AWS::Logs::DeliverySource": "Name",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
}
FIXED_BESIDE = {"AWS::Logs::DeliverySource": ("ResourceArn", "LogType")}
"""What the service does not change under the same name, and the schema does not list: Logs API, PutDeliverySource."""
REFUSES_WHILE_USED = ("AWS::CertificateManager::Certificate", "AWS::Lambda::Version", "AWS::Lambda::Function", "AWS::S3::Bucket")


@cache
def built(key: edits.Key, number: int) -> Synthesis | None:
    """What build.py makes of the file with that value; None where it refuses it."""
    values = edits.edited(edits.base(ACCOUNT), key, KEYS[key][number], ACCOUNT)
    environment = edits.described(values)
    if not isinstance(environment, Environment):
        return None
    try:
        return synthesise(environment)
    except SynthesisError:
        return None


@pytest.mark.parametrize("key", sorted(KEYS), ids=".".join)
def test_every_edit_of_a_key_is_possible_or_refused_before_it_begins(key: edits.Key) -> None:
    states = [made for number in range(len(KEYS[key])) if (made := built(key, number)) is not None]
    problems = [problem for before, after in itertools.permutations(states, 2) for problem in impossible(before, after)]
    assert not problems


def impossible(before: Synthesis, after: Synthesis) -> Iterator[str]:
    """What AWS would refuse of the edit, half-way."""
    new = {stack.id: stack for stack in after.assembly.stacks}
    used = {
        (source.stack, source.output)
        for assembly in (before.assembly, after.assembly)
        for stack in assembly.stacks
        for parameter in stack.parameters
        if isinstance(source := parameter.source, OutputRef)
    }
    for stack in before.assembly.stacks:
        there = new.get(stack.id)
        if there is None:
            continue  # it stays as it is, and goes on when it comes back
        if (stack.account_id, stack.region, stack.stack_name) != (there.account_id, there.region, there.stack_name):
            continue  # refused at plan where the names clash: rollout.orphaned_stacks
        old, now = json.loads(before.templates[stack.id]), json.loads(after.templates[stack.id])
        for problem in (*in_one_stack(old["Resources"], now["Resources"]), *of_others(stack.id, old, now, used)):
            yield f"{stack.id}: {problem}"


def in_one_stack(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    old, new = with_values(old), with_values(new)
    going = {(r["Type"], name(r)): title for title, r in old.items() if title not in new and name(r) is not None}
    for title, resource in new.items():
        if title not in old and (resource["Type"], name(resource)) in going:
            yield f"{title} takes the name of {going[resource['Type'], name(resource)]}, which is deleted only afterwards"
        if title in old and old[title]["Type"] == resource["Type"] and name(resource) is not None and name(resource) == name(old[title]):
            changed = replacing(old[title], resource)
            if changed:
                yield f"{title} ({resource['Type']}) is replaced under its own name because of {', '.join(changed)}"
    yield from records(old, new)


def with_values(resources: Mapping[str, Any]) -> dict[str, Any]:
    """References to named resources as the name, so that another name is seen to change what refers to it."""

    def valued(value: Any) -> Any:
        if isinstance(value, Mapping):
            titles = [title for title in referred(value) if title in resources and name(resources[title]) is not None]
            names = {title: name(resources[title]) for title in titles}
            return {**{key: valued(inner) for key, inner in value.items()}, **({"names": names} if names else {})}
        return [valued(inner) for inner in value] if isinstance(value, list) else value

    return {
        title: {**resource, "Properties": {key: valued(value) for key, value in resource.get("Properties", {}).items()}}
        for title, resource in resources.items()
    }


def of_others(stack: str, old: Mapping[str, Any], new: Mapping[str, Any], used: set[tuple[str, str]]) -> Iterator[str]:
    """What another stack uses is kept when it is replaced or leaves its stack."""
    for output, body in old.get("Outputs", {}).items():
        if (stack, output) not in used:
            continue
        for title in referred(body["Value"]):
            resource = old["Resources"].get(title)
            if resource is None or resource["Type"] not in REFUSES_WHILE_USED:
                continue
            now = new["Resources"].get(title)
            if now is None and resource.get("DeletionPolicy") not in ("Retain", "RetainExceptOnCreate"):
                yield f"{title}, which another stack uses, is deleted"
            if now is not None and (replacing(resource, now) or name(resource) != name(now)) and now.get("UpdateReplacePolicy") != "Retain":
                yield f"{title}, which another stack uses, is replaced and the old one not retained"


def records(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """The zone at each step of the update: at no moment two policies for a name and type, nor none where there was an answer."""
    zone = {title: r["Properties"] for title, r in old.items() if r["Type"] == "AWS::Route53::RecordSet"}
    wanted = {title: r["Properties"] for title, r in new.items() if r["Type"] == "AWS::Route53::RecordSet"}
    steps: list[dict[str, Any]] = [zone]
    for title, record in ordered(wanted, new):
        both = {**steps[-1], title: record}
        if title in zone and identity(zone[title]) != identity(record):
            both[f"{title} before"] = zone[title]
        steps.append(both)
    for step in steps:
        policies: dict[tuple[str, str], set[bool]] = {}
        for record in step.values():
            policies.setdefault((record["Name"], record["Type"]), set()).add("Failover" in record)
        yield from (f"{where[0]} {where[1]} is simple and failover at once" for where, kinds in policies.items() if len(kinds) > 1)
        visited = {(r["Name"], r["Type"]) for r in step.values()}
        for record in step.values():
            target = record["AliasTarget"]
            if target["HostedZoneId"] == record["HostedZoneId"] and (target["DNSName"], record["Type"]) not in visited:
                yield f"{record['Name']} {record['Type']} leads to {target['DNSName']}, which is not there"


def ordered(wanted: Mapping[str, Any], template: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What a record depends on comes before it."""
    found: list[tuple[str, Any]] = []

    def add(title: str) -> None:
        needs = template[title].get("DependsOn", [])
        for needed in [needs] if isinstance(needs, str) else needs:
            if needed in wanted:
                add(needed)
        if title not in [t for t, _ in found]:
            found.append((title, wanted[title]))

    for title in sorted(wanted):
        add(title)
    return found


def identity(record: Mapping[str, Any]) -> tuple[Any, ...]:
    return record["Name"], record["Type"], record.get("SetIdentifier")


def name(resource: Mapping[str, Any]) -> str | None:
    found = resource.get("Properties", {}).get(NAMES.get(resource["Type"], ""))
    return None if found is None else json.dumps(found)


def replacing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Create-only properties that change, but for the name."""
    schema = SCHEMAS.of(new["Type"], "us-east-1")
    paths = {path for path in schema.create_only if "*" not in path} if schema else set()
    paths |= {(each,) for each in FIXED_BESIDE.get(new["Type"], ())}
    return [".".join(path) for path in sorted(paths) if path != (NAMES.get(new["Type"]),) and at(old, path) != at(new, path)]


def at(resource: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = resource.get("Properties", {})
    for part in path:
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def referred(value: Any) -> Iterator[str]:
    """Logical ids in an expression."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "Ref":
                yield str(inner)
            elif key == "Fn::GetAtt":
                yield str(inner[0] if isinstance(inner, list) else inner).partition(".")[0]
            elif key == "Fn::Sub":
                text = inner[0] if isinstance(inner, list) else inner
                yield from (part.partition("}")[0].partition(".")[0] for part in str(text).split("${")[1:])
            else:
                yield from referred(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from referred(inner)


@pytest.mark.parametrize("key", [("home_region",), ("project",)], ids=".".join)
def test_a_stack_that_would_move_is_refused_by_the_names_that_it_has_in_every_region(key: edits.Key) -> None:
    before, after = built(key, 0), built(key, 1)
    assert before is not None
    assert after is not None
    for stack in ("foundation", "site"):
        assert names_taken(before.templates[stack]) & names_taken(after.templates[stack])


def test_every_key_has_a_value_that_build_takes() -> None:
    assert [key for key in KEYS if all(built(key, number) is None for number in range(len(KEYS[key])))] == []
