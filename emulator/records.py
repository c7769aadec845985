# mypy: allow-untyped-calls
"""Route 53's rules about record sets of one name, which MiniStack lets pass.

In: a zone's record sets as a change would leave them. Out: InvalidChangeBatch, with the zone as it was: a simple record beside one with a
routing policy, two routing policies together, a second primary or secondary, a CNAME beside anything else, an alias of the zone whose
target is not in it. How CloudFormation changes a record's SetIdentifier is not documented; here the new record is made before the old one
goes, which is the strictest way (docs/assumptions.md, record-identity).

Sources: Route 53 Developer Guide, "Choosing a routing policy" and "Values that are common for all routing policies" (record name, type);
API reference, ChangeResourceRecordSets and ResourceRecordSet (SetIdentifier, Failover); octodns#366 (alias targets that are not there).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import ministack.services.cloudformation.provisioners as cfn
from ministack.services import route53

Record = dict[str, Any]

_POLICIES = ("Failover", "Weight", "Region", "GeoLocation", "MultiValueAnswer", "CidrRoutingConfig")


def install() -> None:
    """Check what the API's changes and a stack's record sets leave behind."""
    change, create, update = route53._change_resource_record_sets, cfn._r53_record_set_create, cfn._r53_record_set_update

    def change_checked(zone_id: str, body: bytes) -> Any:
        before = list(route53._records.get(zone_id, []))
        answer = change(zone_id, body)
        problem = conflict(route53._records.get(zone_id, []), zone_id, before) if answer[0] < 300 else ""
        if not problem:
            return answer
        with route53._lock:
            route53._records[zone_id] = before
        return route53._error_response("InvalidChangeBatch", f"[{problem}]")

    def create_checked(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        return checked(props, lambda: create(logical_id, props, stack_name))

    def update_checked(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> Any:
        made = checked(new, lambda: update(physical_id, old, new, stack_name))
        if _name_and_type(old) == _name_and_type(new) and old.get("SetIdentifier") != new.get("SetIdentifier"):
            # Not a replacement: the physical id, the name, stays, so the engine deletes nothing.
            cfn._r53_record_set_delete("", old)
        return made

    vars(route53)["_change_resource_record_sets"] = change_checked
    vars(cfn)["_r53_record_set_create"] = create_checked
    handlers: Any = cfn._RESOURCE_HANDLERS["AWS::Route53::RecordSet"]
    handlers |= {"create": create_checked, "update": update_checked}


def checked(props: dict[str, Any], act: Callable[[], Any]) -> Any:
    """One record of a stack, made or changed; a refusal leaves the zone as it was."""
    zone = cfn._r53_resolve_hosted_zone_id(props)
    before = list(route53._records.get(zone, []))
    made = act()
    problem = conflict(route53._records.get(zone, []), zone, before)
    if problem:
        route53._records[zone] = before
        raise ValueError(f"[{problem}] (InvalidChangeBatch)")
    return made


def _name_and_type(props: dict[str, Any]) -> tuple[str, str]:
    return str(props["Name"]).rstrip(".").lower(), str(props["Type"])


def conflict(records: Iterable[Record], zone: str = "", before: Iterable[Record] = ()) -> str:
    """What Route 53 refuses about a zone's record sets; "" if nothing. Aliases that were there `before` are not looked at again."""
    of_name: dict[str, list[Record]] = defaultdict(list)
    known = list(before)
    everything = list(records)
    apex = str(route53._zones.get(zone, {}).get("name", "")).rstrip(".").lower()
    for name in (str(record["Name"]).rstrip(".").lower() for record in everything):
        if apex and not f".{name}".endswith(f".{apex}"):
            return f"RRSet with DNS name {name}. is not permitted in zone {apex}."
    for record in everything:
        of_name[str(record["Name"]).lower()].append(record)
    return next((problem for name, group in of_name.items() if (problem := _problem(name, group))), "") or next(
        (problem for record in everything if record not in known and (problem := _missing_target(record, zone, of_name))), ""
    )


def _missing_target(record: Record, zone: str, of_name: dict[str, list[Record]]) -> str:
    alias = record.get("AliasTarget")
    if not alias or not zone or alias["HostedZoneId"] != zone:
        return ""
    target = str(alias["DNSName"]).rstrip(".").lower()
    if any(each["Type"] == record["Type"] for each in of_name.get(f"{target}.", [])):
        return ""
    return f"Tried to create an alias that targets {target}., type {record['Type']} in zone {zone}, but that target was not found"


def _problem(name: str, group: list[Record]) -> str:
    types = {record["Type"] for record in group}
    if "CNAME" in types and len(types) > 1:
        return f"RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other records with the same DNS name"
    for kind in sorted(types):
        same = [record for record in group if record["Type"] == kind]
        policies = {next((policy for policy in _POLICIES if policy in record), "") for record in same}
        if len(policies) > 1:
            return f"RRSet with DNS name {name}, type {kind} cannot be created as other RRSets exist with the same name and type"
        roles = [record["Failover"] for record in same if "Failover" in record]
        if len(roles) != len(set(roles)):
            return f"RRSet with DNS name {name}, type {kind} cannot be created as a failover set with the same failover type exists"
    return ""
