"""A deployed failover pair at the visited name cannot turn simple in one update."""

from __future__ import annotations

from typing import Any

from changes.record_shapes import changed_policies


def template(**properties: Any) -> dict[str, Any]:
    record = {"Type": "AWS::Route53::RecordSet", "Properties": {"Name": "www.example.com", "Type": "A", **properties}}
    return {"Resources": {"Ipv4Record": record}}


def test_a_changed_routing_policy_is_named_and_a_changed_target_is_none() -> None:
    simple, primary = template(), template(Failover="PRIMARY", SetIdentifier="a")
    assert list(changed_policies(primary, simple)) == list(changed_policies(simple, primary)) == ["www.example.com A"]
    assert list(changed_policies(simple, template(AliasTarget={"DNSName": "b"}))) == []
    assert list(changed_policies(primary, template(Name="other", AliasTarget={}))) == []
    assert list(changed_policies({}, primary)) == []
