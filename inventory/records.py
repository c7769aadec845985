"""Which record sets stand in the way of one that a stack is about to make.

In: the wanted record, the zone. Out: a `Verdict` for each record set in its way.
Never: changes a record. CloudFormation creates with CREATE, which Route 53 refuses where the name and type are taken, and imports record
sets by no name of the template's; so the old one has to go just before (`rollout/record_switch.py`), by a plan that was approved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assembly.commands import deploy
from assembly.model import Assembly
from aws.route53 import Route53
from inventory.model import Verdict, Wanted
from templates.intrinsics import marked, unresolved


def look(assembly: Assembly, want: Wanted, route53: Route53, *, replace: bool) -> tuple[Verdict, ...]:
    """Of the same type, whatever its routing policy; a CNAME beside anything; anything beside a CNAME."""
    zone, kind = want.properties.get("HostedZoneId"), str(want.properties.get("Type"))
    if not isinstance(zone, str) or marked(zone) or unresolved(zone):
        return ()
    return tuple(
        _verdict(assembly, want, each, replace=replace)
        for each in route53.record_sets(zone, want.name)
        if each["Type"] == kind or "CNAME" in (each["Type"], kind)
        if each["Type"] not in ("NS", "SOA")
    )


def _verdict(assembly: Assembly, want: Wanted, existing: Mapping[str, Any], *, replace: bool) -> Verdict:
    what = f"the record {want.name} {existing['Type']} stands in the zone already ({described(existing)})"
    if replace:
        return Verdict(
            wanted=want,
            fate="replaced",
            owner="this_account",
            physical_id=want.name,
            message=f"{what}: apply deletes it right before {want.logical_id} is made, and writes it back if that fails",
            record=existing,
        )
    return Verdict(
        wanted=want,
        fate="refused",
        owner="this_account",
        physical_id=want.name,
        message=f"{what}, and CloudFormation makes {want.logical_id} only where none is; it can be replaced as a step of this plan",
        command=deploy("plan", assembly.environment, "--replace-records"),
        record=existing,
    )


def described(existing: Mapping[str, Any]) -> str:
    """What the record answers with, for a person."""
    alias = existing.get("AliasTarget")
    if alias:
        answer = f"alias of {str(alias.get('DNSName', '')).rstrip('.')}"
    else:
        answer = " ".join(str(each.get("Value", "")) for each in existing.get("ResourceRecords", ())) or "no values"
    ttl = f", TTL {existing['TTL']}" if "TTL" in existing else ""
    return f"{answer}{ttl}{', set ' + str(existing['SetIdentifier']) if existing.get('SetIdentifier') else ''}"
