"""Route 53: health checks whose settings fit their type, and records that can be aliases.

In: a template. Out: problems of health checks, alias records and records that stand twice.
"""

from __future__ import annotations

from collections.abc import Iterator

from lint.rules.base import Problem, Rule
from lint.rules.dns import records, to_cloudfront
from templates.view import ABSENT, Node, View, logical_id, mapping, reference, together

_API = "https://docs.aws.amazon.com/Route53/latest/APIReference"

ENDPOINT = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")
SETTINGS = {
    "SearchString": ("HTTP_STR_MATCH", "HTTPS_STR_MATCH"),
    "ResourcePath": ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH"),
    "EnableSNI": ("HTTPS", "HTTPS_STR_MATCH"),
    "ChildHealthChecks": ("CALCULATED",),
    "HealthThreshold": ("CALCULATED",),
    "AlarmIdentifier": ("CLOUDWATCH_METRIC",),
    "RoutingControlArn": ("RECOVERY_CONTROL",),
    "IPAddress": ENDPOINT,
    "Port": ENDPOINT,
}
"""A setting, and the types of health check that have it."""
NEEDED = {"SearchString": SETTINGS["SearchString"], "AlarmIdentifier": ("CLOUDWATCH_METRIC",), "RoutingControlArn": ("RECOVERY_CONTROL",)}

NEVER_ALIASES = frozenset({"NS", "SOA", "TXT", "MX", "SRV", "CAA", "PTR", "SPF", "NAPTR", "DS"})
"""Types that no AWS service is an alias target for; only another record of the zone can be."""
_SERVICES = (".amazonaws.com", ".amazonaws.com.cn", ".cloudfront.net", ".awsglobalaccelerator.com", ".elasticbeanstalk.com")
_POLICIES = (
    "Weight",
    "Region",
    "Failover",
    "GeoLocation",
    "GeoProximityLocation",
    "CidrRoutingConfig",
    "MultiValueAnswer",
    "SetIdentifier",
)


class FittingCheck(Rule):
    id = "E9308"
    shortdesc = "A health check has the settings of its type"
    description = "; ".join(f"{name}: {', '.join(types)}" for name, types in SETTINGS.items())
    source_url = f"{_API}/API_HealthCheckConfig.html"

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties("AWS::Route53::HealthCheck"):
            for config in view.at(properties, "HealthCheckConfig"):
                for kind in view.at(config, "Type"):
                    if kind.text is None:
                        continue
                    for name, types in SETTINGS.items():
                        for node in view.at(config.when(kind), name):
                            if node.present and kind.text not in types:
                                yield node.path, f"{name} with type {kind.text}; it is for {' and '.join(types)}"
                            elif node.value is ABSENT and kind.text in NEEDED.get(name, ()):
                                yield node.path, f"type {kind.text} needs {name}"


class AliasType(Rule):
    id = "E9309"
    shortdesc = "A record that no service answers is no alias of one"
    description = f"An alias of an AWS service is of type A or AAAA, or HTTPS; {', '.join(sorted(NEVER_ALIASES))} have values of their own."
    source_url = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-choosing-alias-non-alias.html"

    def check(self, view: View) -> Iterator[Problem]:
        for record in records(view):
            names = list(view.at(record, "AliasTarget", "DNSName"))
            if to_cloudfront(view, record) or not any(_is_a_service(node) for node in names):  # E9305 has those of CloudFront
                continue
            for kind in view.at(record, "Type"):
                if kind.text in NEVER_ALIASES:
                    yield kind.path, f"an alias of an AWS service cannot be of type {kind.text}; write ResourceRecords"


def _is_a_service(node: Node) -> bool:
    target = reference(node)
    return bool(target and target.attribute) or (node.text or "").rstrip(".").lower().endswith(_SERVICES)


class RecordOnce(Rule):
    id = "E9310"
    shortdesc = "A name has one record of a type, unless a routing policy tells them apart"
    description = "With the same name, type and zone each record needs a SetIdentifier and a routing policy."
    source_url = f"{_API}/API_ResourceRecordSet.html"

    def check(self, view: View) -> Iterator[Problem]:
        seen: list[tuple[str, Node, Node]] = []
        for record in records(view):
            if any(record.value.get(policy) is not None for policy in _POLICIES):
                continue
            of_group = mapping(mapping(mapping(view.template["Resources"])[logical_id(record)]).get("Properties"))
            zone = next(
                (place[key] for place in (record.value, of_group) for key in ("HostedZoneId", "HostedZoneName") if place.get(key)), None
            )
            for name in view.at(record, "Name"):
                for kind in view.at(record.when(name), "Type"):
                    if name.text is None or kind.text is None:
                        continue
                    key = f"{name.text.rstrip('.').lower()} {kind.text} {zone!r}"
                    bound = kind.when(name).when(record)
                    if any(key == other and first.path != record.path and together(where, bound) for other, where, first in seen):
                        yield record.path, f"{name.text} has a record of type {kind.text} already"
                    seen.append((key, bound, record))
