"""Which record sets stand in the way of one that a stack is about to make.

In: the wanted record, the zone. Out: a `Verdict` for each record set in its way.
Never: changes a record. CloudFormation creates with CREATE, which Route 53 refuses where the name and type are taken, and imports record
sets by no name of the template's; so the old one has to go just before (`removal/record_switch.py`), by a plan that was approved.

A simple record is taken by any other of its name and type; one with a weight by those without one only. So where ours has a weight, the
old one can be given the weight 0 in one change, and ours is made beside it: alone, a record of weight 0 is still answered with; beside
another, never (Route 53 API, ResourceRecordSet, Weight).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assembly.commands import deploy
from assembly.model import Assembly
from aws.route53 import Route53
from inventory.model import Verdict, Wanted
from templates.intrinsics import marked, unresolved
from templates.record_sets import CLOUDFRONT_ZONE, POLICIES

ASIDE = "stood-before"
"""SetIdentifier of a record that was set aside."""
_CLOUDFRONT = ".cloudfront.net"


def look(assembly: Assembly, want: Wanted, route53: Route53, *, replace: bool) -> tuple[Verdict, ...]:
    """Of the same type, whatever its routing policy; a CNAME beside anything; anything beside a CNAME."""
    zone, kind = want.properties.get("HostedZoneId"), str(want.properties.get("Type"))
    if not isinstance(zone, str) or marked(zone) or unresolved(zone):
        return ()
    there = route53.record_sets(zone, want.name)
    in_the_way = [each for each in there if each["Type"] == kind or "CNAME" in (each["Type"], kind) if each["Type"] not in ("NS", "SOA")]
    return tuple(_verdict(assembly, want, each, replace=replace, alone=len(in_the_way) == 1) for each in in_the_way)


def left_aside(want: Wanted, route53: Route53) -> tuple[Verdict, ...]:
    """What an apply that was cut off has left beside a record that the stack has. Where that one does not stand it answers, and stays."""
    zone, kind, ours = (want.properties.get(key) for key in ("HostedZoneId", "Type", "SetIdentifier"))
    if not isinstance(zone, str) or marked(zone) or unresolved(zone):
        return ()
    there = {each.get("SetIdentifier"): each for each in route53.record_sets(zone, want.name) if each["Type"] == kind}
    left = there.get(ASIDE)
    if left is None or left.get("Weight") != 0 or not there.get(ours, {}).get("Weight"):
        return ()
    message = (
        f"the record {want.name} {kind} with weight 0 ({described(left)}) was left by an apply that was cut off: it answers nobody beside "
        f"{want.logical_id}, and would again if that went; apply deletes it"
    )
    return (
        Verdict(wanted=want, fate="replaced", owner="this_account", physical_id=want.name, message=message, record=left, beside=(left,)),
    )


def _verdict(assembly: Assembly, want: Wanted, existing: Mapping[str, Any], *, replace: bool, alone: bool) -> Verdict:
    what = f"the record {want.name} {existing['Type']} stands in the zone already ({described(existing)})"
    beside = set_aside(want.properties, existing, alone=alone)
    weighted = f"environments/{assembly.environment}.yaml has hosted_zone.records: weighted"
    gap = "" if "Weight" in want.properties else f", and without a gap where {weighted}"
    if replace:
        how = (
            f"it answers with the weight 0 until {want.logical_id} is made beside it, so that there is no gap, and apply deletes it then"
            if beside
            else f"apply deletes it right before {want.logical_id} is made, and writes it back if that fails"
        )
        return Verdict(
            wanted=want,
            fate="replaced",
            owner="this_account",
            physical_id=want.name,
            message=f"{what}: {how}",
            record=existing,
            beside=beside,
        )
    return Verdict(
        wanted=want,
        fate="refused",
        owner="this_account",
        physical_id=want.name,
        message=f"{what}, and CloudFormation makes {want.logical_id} only where none is; it can be replaced as a step of this plan{gap}",
        command=deploy("plan", assembly.environment, "--replace-records"),
        record=existing,
    )


def set_aside(ours: Mapping[str, Any], existing: Mapping[str, Any], *, alone: bool) -> tuple[Mapping[str, Any], ...]:
    """What can answer in the place of `existing` while ours is made; nothing where it cannot stand beside ours, or shares its traffic."""
    if "Weight" not in ours:
        return ()
    if existing["Type"] == ours.get("Type") and existing.get("SetIdentifier") == ASIDE:
        return (existing,)
    if any(policy in existing for policy in POLICIES[1:]) or ("Weight" in existing and not alone):
        return ()
    weight = {"SetIdentifier": ASIDE, "Weight": 0}
    if existing["Type"] == ours.get("Type"):
        return ({**existing, **weight},)
    values = [str(each.get("Value", "")) for each in existing.get("ResourceRecords", ())]
    if existing["Type"] == "CNAME" and ours.get("Type") in ("A", "AAAA", "HTTPS") and len(values) == 1 and _of_cloudfront(values[0]):
        target = {"HostedZoneId": CLOUDFRONT_ZONE, "DNSName": f"{values[0].rstrip('.').lower()}.", "EvaluateTargetHealth": False}
        return ({"Name": existing["Name"], "Type": ours["Type"], **weight, "AliasTarget": target},)
    return ()


def _of_cloudfront(name: str) -> bool:
    return name.rstrip(".").lower().endswith(_CLOUDFRONT)


def described(existing: Mapping[str, Any]) -> str:
    """What the record answers with, for a person."""
    alias = existing.get("AliasTarget")
    if alias:
        answer = f"alias of {str(alias.get('DNSName', '')).rstrip('.')}"
    else:
        answer = " ".join(str(each.get("Value", "")) for each in existing.get("ResourceRecords", ())) or "no values"
    ttl = f", TTL {existing['TTL']}" if "TTL" in existing else ""
    return f"{answer}{ttl}{', set ' + str(existing['SetIdentifier']) if existing.get('SetIdentifier') else ''}"
