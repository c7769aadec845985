"""A deployed failover pair at the visited name cannot turn simple in one update."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from assembly.model import Stack
from changes.record_shapes import changed_policies, policy_refusal


def template(**properties: Any) -> dict[str, Any]:
    record = {"Type": "AWS::Route53::RecordSet", "Properties": {"Name": "www.example.com", "Type": "A", **properties}}
    return {"Resources": {"Ipv4Record": record}}


def test_a_changed_routing_policy_is_named_and_a_changed_target_is_none() -> None:
    simple, primary = template(), template(Failover="PRIMARY", SetIdentifier="a")
    assert list(changed_policies(primary, simple)) == list(changed_policies(simple, primary)) == ["www.example.com A"]
    assert list(changed_policies(simple, template(AliasTarget={"DNSName": "b"}))) == []
    assert list(changed_policies(primary, template(Name="other", AliasTarget={}))) == []
    assert list(changed_policies({}, primary)) == []


@pytest.mark.parametrize(
    ("old", "new", "next_"),
    [
        ({}, {"Weight": 1, "SetIdentifier": "a"}, "hosted_zone.records: managed, as it was"),
        ({"Weight": 1, "SetIdentifier": "a"}, {}, "hosted_zone.records: weighted, as it was"),
        ({}, {"Failover": "PRIMARY"}, "aws cloudformation delete-stack --stack-name p-dns --region eu-west-1"),
        ({"Failover": "PRIMARY"}, {}, "aws cloudformation delete-stack --stack-name p-dns --region eu-west-1"),
    ],
)
def test_a_refusal_names_the_record_and_the_way_on(old: dict[str, Any], new: dict[str, Any], next_: str) -> None:
    stack = cast("Stack", SimpleNamespace(stack_name="p-dns", region="eu-west-1"))
    told = policy_refusal(template(**old), template(**new), "dev", stack)
    assert told is not None
    assert "www.example.com A" in told[0] and ("weighted" in told[0]) == ("hosted_zone" in next_)
    assert next_ in told[1]
    assert policy_refusal(template(**old), template(**old), "dev", stack) is None


def test_only_records_have_a_routing_policy() -> None:
    other = {"Resources": {"Ipv4Record": {"Type": "AWS::SNS::Topic", "Properties": {"Weight": 1}}}}
    assert list(changed_policies(other, {"Resources": {"Ipv4Record": {"Type": "AWS::SNS::Topic", "Properties": {}}}})) == []
    assert list(changed_policies(other, template())) == list(changed_policies(template(), other)) == []
