"""What services refuse in the parameters of one request, beyond their models.

In: an action and its parameters, as the door has read them. Out: code and words of the refusal, or None.
Never: knows what exists.

Sources: Route 53 API Reference, ResourceRecordSet and ChangeResourceRecordSets, with the words of refusals in public threads (boto3#157,
#612; aws-sdk-php#475); CloudFront API Reference, DistributionConfig, InconsistentQuantities, NoSuchOrigin; Secrets Manager API Reference,
CreateSecret (names); CloudWatch Logs API Reference, FilterLogEvents.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import Any

Refusal = tuple[str, str]
_ROUTING = ("Weight", "Region", "Failover", "GeoLocation", "MultiValueAnswer", "CidrRoutingConfig", "GeoProximityLocation")
COMMENT = 128
"""Characters of a distribution's comment."""


def refusal(service: str, action: str, value: Any) -> Refusal | None:
    """Of a request whose parameters are as the model says."""
    rule = _RULES.get((service, action))
    return rule(value) if rule is not None and isinstance(value, dict) else None


def _change_records(batch: dict[str, Any]) -> Refusal | None:
    for change in batch.get("ChangeBatch", {}).get("Changes", []):
        record = change["ResourceRecordSet"]
        told = ", ".join(f"{name}={record.get(name) or 'null'}" for name in ("Name", "Type", "SetIdentifier"))
        where = f"in Change with [Action={change['Action']}, {told}]"
        values = [each["Value"] for each in record.get("ResourceRecords", [])]
        alias, plain = "AliasTarget" in record, "TTL" in record and bool(values)
        if alias == plain or (alias and ("TTL" in record or values)):
            found = "more than one" if alias else "none"
            wanted = "[AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]"
            return "InvalidInput", f"Invalid request: Expected exactly one of {wanted}, but found {found} {where}"
        routed = [name for name in _ROUTING if name in record]
        if routed and "SetIdentifier" not in record:
            return "InvalidInput", f"Invalid request: Missing field 'SetIdentifier' {where}"
        if "SetIdentifier" in record and len(routed) != 1:
            found = "more than one" if routed else "none"
            return "InvalidInput", f"Invalid request: Expected exactly one of [{', '.join(_ROUTING)}], but found {found} {where}"
        if len(set(values)) != len(values):
            return "InvalidChangeBatch", f"[Duplicate Resource Record: '{next(v for v in values if values.count(v) > 1)}']"
        for each in values:
            if problem := _record_value(record["Type"], each):
                return "InvalidChangeBatch", f"[Invalid Resource Record: 'FATAL problem: {problem} encountered with '{each}'']"
    return None


def _record_value(kind: str, value: str) -> str:
    if kind == "TXT" and not re.fullmatch(r'("([^"\\]|\\.){0,255}"\s*)+', value):
        return "InvalidCharacterString (Value should be enclosed in quotation marks)"
    address = {"A": ipaddress.IPv4Address, "AAAA": ipaddress.IPv6Address}.get(kind)
    try:
        if address is not None:
            address(value)
    except ValueError:
        return f"{'ARRDATAIllegalIPv4Address' if kind == 'A' else 'AAAARRDATAIllegalIPv6Address'} (Value is not a valid IP address)"
    return ""


def _distribution(config: dict[str, Any]) -> Refusal | None:
    if any(int(each["Quantity"]) != len(each.get("Items", [])) for each in _lists(config)):
        return "InconsistentQuantities", "The value of Quantity and the size of Items don't match."
    if len(config.get("Comment", "")) > COMMENT:
        return "InvalidArgument", "The parameter Comment is too long."
    origins = {each["Id"] for kind in ("Origins", "OriginGroups") for each in config.get(kind, {}).get("Items", [])}
    behaviours = [config.get("DefaultCacheBehavior", {}), *config.get("CacheBehaviors", {}).get("Items", [])]
    if origins and any(each.get("TargetOriginId") not in origins for each in behaviours):
        return "NoSuchOrigin", "One or more of your origins or origin groups do not exist."
    return None


def _lists(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and "Quantity" in value:
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _lists(inner)


def _create_secret(values: dict[str, Any]) -> Refusal | None:
    allowed = "alphanumeric characters, or any of the following: -/_+=.@!"
    named = re.fullmatch(r"[A-Za-z0-9\-/_+=.@!]+", values["Name"])
    return None if named else ("ValidationException", f"Invalid name. Must be a valid name containing {allowed}")


def _filter_events(values: dict[str, Any]) -> Refusal | None:
    if values.get("startTime", 0) > values.get("endTime", values.get("startTime", 0)):
        return "InvalidParameterException", "startTime must not be later than endTime"
    if values.get("logStreamNames") and values.get("logStreamNamePrefix"):
        return "InvalidParameterException", "logStreamNames and logStreamNamePrefix can not be given together"
    return None


_RULES: dict[tuple[str, str], Callable[[dict[str, Any]], Refusal | None]] = {
    ("route53", "ChangeResourceRecordSets"): _change_records,
    ("cloudfront", "CreateDistribution"): _distribution,
    ("cloudfront", "UpdateDistribution"): _distribution,
    ("secretsmanager", "CreateSecret"): _create_secret,
    ("logs", "FilterLogEvents"): _filter_events,
}
