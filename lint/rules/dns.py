"""Route 53: records that mean what they say.

In: a template. Out: problems of records, record groups and every hosted zone id.
Never: looks a zone up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lint.rules.base import Problem, Rule
from templates.record_sets import CLOUDFRONT_ZONE
from templates.view import ABSENT, UNKNOWN, Node, View, mapping, reference, together

RECORD_TYPES = frozenset(
    ("A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "SVCB", "TLSA", "TXT")
)
"""Source: Route 53 API, ResourceRecordSet, Type."""

_API = "https://docs.aws.amazon.com/Route53/latest/APIReference"
_ZONE_ID = re.compile(r"Z[A-Z0-9]{1,31}")
_CLOUDFRONT_TYPES = ("A", "AAAA", "HTTPS")


def records(view: View) -> Iterator[Node]:
    """Every record, alone or in a group."""
    for properties in view.properties("AWS::Route53::RecordSet"):
        yield from (node for node in view.at(properties) if isinstance(node.value, dict))
    for properties in view.properties("AWS::Route53::RecordSetGroup"):
        yield from (node for node in view.items(properties, "RecordSets") if isinstance(node.value, dict))


def to_cloudfront(view: View, record: Node) -> bool:
    """The record is an alias of a distribution, by zone or by name."""
    zones, names = view.at(record, "AliasTarget", "HostedZoneId"), view.at(record, "AliasTarget", "DNSName")
    return any(node.value == CLOUDFRONT_ZONE for node in zones) or any(_names_a_distribution(view, node) for node in names)


def _names_a_distribution(view: View, node: Node) -> bool:
    target = reference(node)
    if target is not None:
        return view.type_of(target.name) == "AWS::CloudFront::Distribution"
    return (node.text or "").rstrip(".").lower().endswith(".cloudfront.net")


class NoTargetHealth(Rule):
    id = "E9301"
    shortdesc = "EvaluateTargetHealth is false for CloudFront"
    description = "Route 53 cannot evaluate the health of a distribution and refuses the record."
    source_url = f"{_API}/API_AliasTarget.html"

    def check(self, view: View) -> Iterator[Problem]:
        for record in records(view):
            if to_cloudfront(view, record):
                for node in view.at(record, "AliasTarget", "EvaluateTargetHealth"):
                    if node.is_true():
                        yield node.path, "EvaluateTargetHealth must be false for a CloudFront distribution"


class RecordType(Rule):
    id = "E9302"
    shortdesc = "A record has a type that Route 53 knows"
    description = ", ".join(sorted(RECORD_TYPES))
    source_url = f"{_API}/API_ResourceRecordSet.html"

    def check(self, view: View) -> Iterator[Problem]:
        for record in records(view):
            for node in view.at(record, "Type"):
                if node.value is ABSENT:
                    yield node.path, "a record without Type"
                elif node.known and node.text not in RECORD_TYPES:
                    yield node.path, f"{node.value!r} is no record type; there are {', '.join(sorted(RECORD_TYPES))}"


class AliasOrValue(Rule):
    id = "E9303"
    shortdesc = "A record is either an alias or has values"
    description = "AliasTarget, or ResourceRecords with a TTL; never both and never neither."
    source_url = f"{_API}/API_ResourceRecordSet.html"

    def check(self, view: View) -> Iterator[Problem]:
        for record in records(view):
            for alias in view.at(record, "AliasTarget"):
                for values in view.at(record.when(alias), "ResourceRecords"):
                    both = record.when(values)
                    has_values = values.present and values.value != []
                    if alias.present and has_values:
                        yield values.path, "AliasTarget and ResourceRecords in one record"
                    elif not alias.present and not has_values:
                        yield record.path, "a record with neither AliasTarget nor ResourceRecords"
                    for ttl in view.at(both, "TTL"):
                        if alias.present and ttl.present:
                            yield ttl.path, "an alias record has no TTL of its own"
                        elif has_values and not alias.present and not ttl.present:
                            yield ttl.path, "ResourceRecords without TTL"


class ZoneId(Rule):
    id = "E9304"
    shortdesc = "A hosted zone id is the bare id"
    description = "Z and capital letters and digits; without the /hostedzone/ that the API puts before it."
    source_url = f"{_API}/API_HostedZone.html"

    def check(self, view: View) -> Iterator[Problem]:
        for node in self._ids(view):
            text = node.text or ""
            if node.known and not _ZONE_ID.fullmatch(text) and "${" not in text:
                hint = ", leave out /hostedzone/" if "hostedzone" in text.lower() else ""
                yield node.path, f"{node.value!r} is no hosted zone id{hint}"

    @staticmethod
    def _ids(view: View) -> Iterator[Node]:
        for record in records(view):
            yield from view.at(record, "HostedZoneId")
            yield from view.at(record, "AliasTarget", "HostedZoneId")
        for properties in view.properties("AWS::Route53::RecordSetGroup", "AWS::Route53::KeySigningKey", "AWS::Route53::DNSSEC"):
            yield from view.at(properties, "HostedZoneId")
        for properties in view.properties("AWS::CertificateManager::Certificate"):
            for option in view.items(properties, "DomainValidationOptions"):
                yield from view.at(option, "HostedZoneId")
        for parameter in view.section("Parameters"):
            if mapping(parameter.value).get("Type") == "AWS::Route53::HostedZone::Id":
                yield from (node for node in view.at(parameter, "Default") if node.value != "")


class CloudFrontAlias(Rule):
    id = "E9305"
    shortdesc = "An alias of a distribution has CloudFront's zone id and type A, AAAA or HTTPS"
    description = f"{CLOUDFRONT_ZONE}, whatever zone the record is in."
    source_url = f"{_API}/API_AliasTarget.html"

    def check(self, view: View) -> Iterator[Problem]:
        for record in records(view):
            if not to_cloudfront(view, record):
                continue
            for node in view.at(record, "AliasTarget", "HostedZoneId"):
                if node.text and node.text != CLOUDFRONT_ZONE and "${" not in node.text:
                    yield node.path, f"the zone id of a CloudFront distribution is {CLOUDFRONT_ZONE}"
            for node in view.at(record, "Type"):
                if node.text in RECORD_TYPES and node.text not in _CLOUDFRONT_TYPES:
                    yield node.path, f"an alias of a distribution is of type A, AAAA or HTTPS, not {node.text}"


class Failover(Rule):
    id = "E9306"
    shortdesc = "A failover pair does not have CloudFront on both sides"
    description = (
        "Route 53 cannot tell one distribution's health from the other's; CloudFront refuses the name on a second distribution anyway."
    )
    source_url = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-types.html"

    def check(self, view: View) -> Iterator[Problem]:
        sides: dict[tuple[str, str], dict[str, Node]] = {}
        for record in records(view):
            if not to_cloudfront(view, record):
                continue
            for side in view.at(record, "Failover"):
                if side.text in ("PRIMARY", "SECONDARY"):
                    key = (repr(record.value.get("Name")), repr(record.value.get("Type")))
                    sides.setdefault(key, {})[side.text] = side
        for pair in sides.values():
            if len(pair) == 2:
                yield pair["SECONDARY"].path, "PRIMARY and SECONDARY are both CloudFront; the secondary must be something else"


class CheckOfItself(Rule):
    id = "E9307"
    shortdesc = "The health check of a record asks for the endpoint, not for the record's own name"
    description = (
        "Where the answer to the name depends on the check, a check of that name looks at whatever the record points at by then:"
        " the site changes sides for ever."
    )
    source_url = f"{_API}/API_HealthCheckConfig.html"

    def check(self, view: View) -> Iterator[Problem]:
        for record in records(view):
            for node in view.at(record, "HealthCheckId"):
                target = reference(node)
                found = view.resource(target.name) if target else None
                if found is None:
                    continue
                names = list(view.at(record.when(node), "Name"))
                asked = view.at(view.properties_of(found), "HealthCheckConfig", "FullyQualifiedDomainName")
                if any(_same(one, name) for one in asked for name in names):
                    yield node.path, "the health check asks for the name of the record itself; let it ask for the name of the endpoint"


def _same(one: Node, other: Node) -> bool:
    """Both are one name, which may be that of a resource or a parameter; two that only AWS will know may differ."""
    return one.value not in (ABSENT, UNKNOWN) and _name(one) == _name(other) and together(one, other)


def _name(node: Node) -> object:
    return node.text.rstrip(".").lower() if node.text else node.value
