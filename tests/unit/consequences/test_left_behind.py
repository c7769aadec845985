"""Stacks that are no more wanted, settings that no stack has, rules that stop less: what a plan says of them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from changes.model import PropertyChange, ResourceChange
from consequences.duration import Work, expected
from consequences.lifted import lifted, still_refusing
from consequences.posture import loosened
from consequences.told import Leaving, Told, consequences
from consequences.visitors import effects
from tests.edit_table import built

ALARM = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "5xxErrorRate"}}
KEPT = {**ALARM, "DeletionPolicy": "Retain"}
RECORD = {"Type": "AWS::Route53::RecordSet", "Properties": {"Name": "dev.example.com", "Type": "A"}}
STANDS = Told(stack="site", operation="update", before={"A": ALARM}, after={"A": ALARM})


@pytest.mark.parametrize(("deleted", "before", "after", "left"), [(False, 0.3, 0.3, 0.2), (True, 0.3, 0.2, 0.1)])
def test_what_is_left_goes_on_costing_and_what_is_deleted_does_not(deleted: bool, before: float, after: float, left: float) -> None:
    leaving = Leaving(stack="dns", resources={"A": ALARM, "B": KEPT}, deleted=deleted)
    cost = consequences([STANDS], {}, leaving=[leaving]).cost
    assert cost is not None and (cost.before, cost.after, cost.left) == (before, after, left)


def test_a_stack_that_stands_again_under_its_id_is_another_one() -> None:
    """Disaster recovery in another region: the old replica is left, and a new one of the same id is made."""
    cost = consequences([STANDS], {}, leaving=[Leaving(stack="site", resources={"A": ALARM}, deleted=False)]).cost
    assert cost is not None and (cost.before, cost.after, cost.left) == (0.2, 0.2, 0.1)


@pytest.mark.parametrize(("deleted", "kinds"), [(False, []), (True, ["dns_removed"])])
def test_visitors_notice_a_stack_that_is_deleted(deleted: bool, kinds: list[str]) -> None:
    found = consequences([STANDS], {}, leaving=[Leaving(stack="dns", resources={"R": RECORD}, deleted=deleted)])
    assert [effect.kind for effect in found.visitors] == kinds
    assert ("dns" in {each.stack for each in found.duration.stacks}) is deleted


@pytest.mark.parametrize(
    ("before", "after", "subjects"),
    [
        ({"protection.approvals": 2}, {}, ["approvals by other people"]),
        ({"protection.change_approval": True}, {}, ["approval by name or digest"]),
        ({}, {"protection.approvals": 2, "protection.change_approval": True}, []),
        ({"protection.approvals": 1}, {"protection.approvals": 2}, []),
    ],
)
def test_approvals_that_are_not_asked_for_any_more(before: dict[str, Any], after: dict[str, Any], subjects: list[str]) -> None:
    assert [each.subject for each in lifted(built(before).assembly, built(after).assembly)] == subjects


def test_a_stack_policy_that_the_assembly_has_no_more_stays_in_force() -> None:
    protected, plain = built({"protection.stack_policy": True}).assembly, built({}).assembly
    assert "site" in still_refusing(protected, plain)
    assert still_refusing(plain, protected) == still_refusing(protected, protected) == ()


def rule(name: str = "rate", *, limit: int = 100, window: int | None = None, action: str = "Block") -> dict[str, Any]:
    rate = {"Limit": limit, "AggregateKeyType": "IP", **({} if window is None else {"EvaluationWindowSec": window})}
    return {"Name": name, "Action": {action: {}}, "Statement": {"RateBasedStatement": rate}}


RULES: tuple[tuple[list[dict[str, Any]], list[dict[str, Any]]], ...] = (
    ([rule(limit=100)], [rule(limit=101)]),
    ([rule(window=300)], [rule(window=60)]),
    ([rule()], [rule(action="Count")]),
    ([rule()], []),
)


@pytest.mark.parametrize(("strict", "loose"), RULES)
def test_a_rule_that_stops_less_is_less_defence_and_one_that_stops_more_is_noticed(strict: list[Any], loose: list[Any]) -> None:
    acl = [{"It": {"Type": "AWS::WAFv2::WebACL", "Properties": {"Rules": rules}}} for rules in (strict, loose)]
    change = ResourceChange(logical_id="It", resource_type="AWS::WAFv2::WebACL", action="modify")
    assert len(loosened("firewall", *acl)) == 1 and not effects("firewall", [change], *acl)
    assert not loosened("firewall", *acl[::-1]) and [e.kind for e in effects("firewall", [change], *acl[::-1])] == ["firewall_blocks"]


@pytest.mark.parametrize("other", [[], [rule(limit=5, action="Count")]])
def test_a_rule_that_only_counts_stops_nothing(other: list[Any]) -> None:
    acl = [{"It": {"Type": "AWS::WAFv2::WebACL", "Properties": {"Rules": rules}}} for rules in ([rule(action="Count")], other)]
    change = ResourceChange(logical_id="It", resource_type="AWS::WAFv2::WebACL", action="modify")
    for pair in (acl, acl[::-1]):
        assert not loosened("firewall", *pair) and not effects("firewall", [change], *pair)


def test_alarms_that_reach_nobody() -> None:
    mail = {"Type": "AWS::SNS::Subscription", "Properties": {"Endpoint": "ops@example.com"}}
    assert [each.kind for each in loosened("monitoring", {"Mail": mail}, {})] == ["alarms_unheard"]
    assert not loosened("monitoring", {"Mail": mail}, {"Other": mail}) and not loosened("monitoring", {}, {"Mail": mail})


def origin(name: str) -> dict[str, Any]:
    return {"Id": name, "DomainName": f"{name}.s3.amazonaws.com"}


GROUP = {"Items": [{"Id": "pair", "Members": {"Items": [{"OriginId": "one"}, {"OriginId": "two"}]}}]}


@pytest.mark.parametrize("back", [False, True])
def test_a_second_origin_that_comes_or_goes_takes_no_file_away(back: bool) -> None:
    alone = {"Origins": [origin("one")], "DefaultCacheBehavior": {"TargetOriginId": "one"}}
    both = {"Origins": [origin("one"), origin("two")], "OriginGroups": GROUP, "DefaultCacheBehavior": {"TargetOriginId": "pair"}}
    pair = [{"It": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": each}}} for each in (alone, both)]
    change = ResourceChange(logical_id="It", resource_type="AWS::CloudFront::Distribution", action="modify")
    found = effects("site", [change], *(pair[::-1] if back else pair))
    assert [(each.kind, each.certain) for each in found] == [("origin_group_changed", False)]


@pytest.mark.parametrize(
    ("kind", "attribute", "slow"),
    [
        ("AWS::CloudFront::Distribution", "Properties", True),
        ("AWS::CloudFront::Distribution", "DeletionPolicy", False),
        ("AWS::CloudFront::Distribution", "Tags", False),
        ("AWS::CertificateManager::Certificate", "Properties", False),
    ],
)
def test_what_does_not_touch_the_slow_part_takes_seconds(kind: str, attribute: Any, slow: bool) -> None:
    change = ResourceChange(
        logical_id="It", resource_type=kind, action="modify", properties=(PropertyChange(path="", attribute=attribute),)
    )
    added = msgspec.structs.replace(change, action="add")
    work = [Work(stack="site", operation="update", depends_on=(), changes=(each,)) for each in (change, added)]
    takes = [expected([each], {}).seconds for each in work]
    assert (takes[0] > 60) is slow and takes[1] > 60
