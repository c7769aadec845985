"""Route 53: names, values, routing policies, alias targets, health checks.

Sources: Route 53 API Reference (ResourceRecordSet, AliasTarget, GeoLocation, HealthCheckConfig), Route 53 Developer Guide.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from environments.regions import REGIONS
from refusals.values import At, Deployment, Problem, Resource, at_most, between, exclude, fits, needs, once, one_of, refusal
from refusals.words import CHINA_AND_GOVERNMENT
from templates.record_sets import CLOUDFRONT_ZONE, POLICIES

_API = "https://docs.aws.amazon.com/Route53/latest/APIReference"
_GUIDE = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide"
_RECORD, _GROUP, _CHECK = "AWS::Route53::RecordSet", "AWS::Route53::RecordSetGroup", "AWS::Route53::HealthCheck"
_RECORDS = (_RECORD, _GROUP)

ZONES = {
    "elb": {
        "us-east-1": "Z35SXDOTRQ7X7K",
        "us-east-2": "Z3AADJGX6KTTL2",
        "us-west-1": "Z368ELLRRE2KJ0",
        "us-west-2": "Z1H1FL5HABSF5",
        "ca-central-1": "ZQSVJUPU6J1EY",
        "eu-central-1": "Z215JYRZR1TBD5",
        "eu-west-1": "Z32O12XQLNTSW2",
        "eu-west-2": "ZHURV8PSTC4K8",
        "eu-west-3": "Z3Q77PNBQS71R4",
        "eu-north-1": "Z23TAZ6LKFMNIO",
        "ap-southeast-1": "Z1LMS91P8CMLE5",
        "ap-southeast-2": "Z1GM3OXH4ZPM65",
        "ap-northeast-1": "Z14GRHDCWA56QT",
        "ap-northeast-2": "ZWKZPGTI48KDX",
        "ap-south-1": "ZP97RAFLXTNZK",
        "sa-east-1": "Z2P70J7HTTTPLU",
    },
    "s3-website": {
        "us-east-1": "Z3AQBSTGFYJSTF",
        "us-east-2": "Z2O1EMRO9K5GLX",
        "us-west-1": "Z2F56UZL2M1ACD",
        "us-west-2": "Z3BJ6K6RIION7M",
        "ca-central-1": "Z1QDHH18159H29",
        "eu-central-1": "Z21DNDUVLTQW6Q",
        "eu-west-1": "Z1BKCTXD74EZPE",
        "eu-west-2": "Z3GKZC51ZF0DB4",
        "eu-west-3": "Z3R1K369G5AVDG",
        "eu-north-1": "Z3BAZG2TWCNX0D",
        "ap-southeast-1": "Z3O0J2DXBE1FTB",
        "ap-southeast-2": "Z1WCIGYICN2BYD",
        "ap-northeast-1": "Z2M4EHUR26P7ZW",
        "ap-northeast-2": "Z3W03O7B5YMIYP",
        "ap-south-1": "Z11RGJOFQNVJUP",
        "sa-east-1": "Z7KQH4QJS55SO",
    },
}
"""Hosted zone ids of load balancers (application and classic) and website endpoints. Source: AWS General Reference, service endpoints.
Not complete: an id that stands here for something else is wrong, one that does not stand here may be right."""

_REGION_OF = (
    ("elb", re.compile(r"(?:.*\.)?([a-z]{2}-[a-z]+-\d)\.elb\.amazonaws\.com")),
    ("s3-website", re.compile(r"s3-website[.-]([a-z]{2}-[a-z]+-\d)\.amazonaws\.com")),
)
_CHECKER_REGIONS = ("us-east-1", "us-west-1", "us-west-2", "eu-west-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "sa-east-1")
_ENDPOINT = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")
_NAME = re.compile(r"(?=.{1,255}$)(?:[!-\-/-~]{1,63}\.)*[!-\-/-~]{1,63}\.?")
_TTL = re.compile(r"\d{1,10}")


def records(resource: Resource) -> Iterator[At]:
    """The records of a record resource, or of a group with the zone of the group."""
    if resource.kind == _RECORD:
        yield resource.properties
    else:
        for record in resource.properties.items("RecordSets"):
            inherited = {
                key: resource.properties.at(key).value for key in ("HostedZoneId", "HostedZoneName") if resource.properties.at(key).there
            }
            if isinstance(record.value, dict):
                yield At({**inherited, **record.value}, record.path)


def _all(deployment: Deployment) -> Iterator[tuple[Resource, At]]:
    for resource in deployment.of(*_RECORDS):
        for record in records(resource):
            yield resource, record


def plain(name: str | None) -> str:
    """A name to compare: small letters, no trailing dot."""
    return (name or "").rstrip(".").lower()


def _zone(record: At) -> str:
    return repr((record.at("HostedZoneId").text, plain(record.at("HostedZoneName").text)))


def _same(deployment: Deployment, resource: Resource, record: At) -> Iterator[At]:
    """The other records of the same name in the same zone."""
    for other, each in _all(deployment):
        itself = (other.name, each.path) == (resource.name, record.path)
        name = record.at("Name").text
        if not itself and _zone(each) == _zone(record) and name and plain(each.at("Name").text) == plain(name):
            yield each


@refusal("E9311", _RECORDS, f"{_API}/API_ResourceRecordSet.html")
def zone(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A record is in exactly one zone, and its name lies in it."""
    for record in records(resource):
        by_id, by_name, name = record.at("HostedZoneId"), record.at("HostedZoneName"), record.at("Name")
        if by_id.there == by_name.there:
            yield record.path, "HostedZoneId or HostedZoneName, one of them"
        if by_name.literal and not by_name.literal.endswith("."):
            yield by_name.path, "HostedZoneName ends with a dot"
        made = deployment.meant(by_id, "AWS::Route53::HostedZone")
        within = plain(made.properties.at("Name").literal) if made else plain(by_name.literal)
        if within and name.known and name.text and not f".{plain(name.text)}".endswith(f".{within}"):
            yield name.path, f"{name.text} is not in the zone {within}"


@refusal("E9312", (*_RECORDS, "AWS::Route53::HostedZone"), f"{_GUIDE}/DomainNameFormat.html")
def name(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A record's name is a DNS name, and its TTL a number of seconds.

    Labels of 1 to 63 characters, 255 together; TTL 0 to 2,147,483,647.
    """
    for record in records(resource) if resource.kind in _RECORDS else (resource.properties,):
        each, ttl = record.at("Name"), record.at("TTL")
        yield from fits(record.at("HealthCheckId"), re.compile(r"[0-9a-fA-F-]{36}"), "id of a health check")
        yield from fits(each, _NAME, "DNS name")
        if each.literal and "://" in each.literal:
            yield each.path, f"{each.literal!r} is an URL; a record has a name"
        if ttl.known and (not _TTL.fullmatch(str(ttl.value)) or int(str(ttl.value)) > 2**31 - 1):
            yield ttl.path, f"{ttl.value!r} is no number of seconds"


@refusal("E9313", _RECORDS, f"{_GUIDE}/ResourceRecordTypes.html#CNAMEFormat")
def canonical(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A canonical name stands alone, and not at the top of the zone."""
    for record in records(resource):
        if record.at("Type").value != "CNAME":
            continue
        made = deployment.meant(record.at("HostedZoneId"), "AWS::Route53::HostedZone")
        top = plain(made.properties.at("Name").text) if made else plain(record.at("HostedZoneName").text)
        if top and top == plain(record.at("Name").text):
            yield record.at("Type").path, "a CNAME at the top of the zone; use an alias"
        if any(each.at("Type").known and each.at("Type").value != "CNAME" for each in _same(deployment, resource, record)):
            yield record.at("Type").path, "a CNAME beside another record of the same name"


@refusal("E9314", _RECORDS, f"{_API}/API_ResourceRecordSet.html")
def routing(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A routing policy is whole, one a record, and the same for all records of a name and type.

    SetIdentifier with Weight (0 to 255), Region, Failover, GeoLocation, GeoProximityLocation, CidrRoutingConfig or MultiValueAnswer;
    identifiers, regions, places and failover sides differ.
    """
    for record in records(resource):
        chosen = [policy for policy in POLICIES if record.at(policy).there]
        identifier = record.at("SetIdentifier")
        yield from exclude(record, *POLICIES)
        if chosen and not identifier.there:
            yield identifier.path, f"{chosen[0]} needs SetIdentifier"
        if identifier.there and not chosen:
            yield identifier.path, f"SetIdentifier needs one of {', '.join(POLICIES)}"
        yield from between(record.at("Weight"), 0, 255)
        yield from one_of(record.at("Failover"), ("PRIMARY", "SECONDARY"), "side")
        if record.at("MultiValueAnswer").true and (record.at("AliasTarget").there or record.at("Type").value in ("CNAME", "NS")):
            yield record.at("MultiValueAnswer").path, "several answers are for records with values, and not for CNAME and NS"
        for other in _same(deployment, resource, record):
            if not (record.at("Type").known and other.at("Type").value == record.at("Type").value):
                continue
            theirs = [policy for policy in POLICIES if other.at(policy).there]
            if chosen and theirs != chosen:
                yield record.path, f"{chosen[0]}, while another record of this name and type has {theirs[0] if theirs else 'no policy'}"
            for key in ("SetIdentifier", "Region", "Failover", "GeoLocation"):
                if record.at(key).known and record.at(key).value == other.at(key).value:
                    yield record.at(key).path, f"another record of this name and type has the same {key}"


_HOST = r"(?!\d+(?:\.\d+){3}\.?(?: |$))(?:[A-Za-z0-9_*\\-]+\.)*[A-Za-z0-9_*\\-]*\.?"
_BYTE = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
VALUES = {
    kind: re.compile(pattern)
    for kind, pattern in {
        "A": rf"{_BYTE}(?:\.{_BYTE}){{3}}",
        "AAAA": r"(?=.*:)[0-9A-Fa-f:]+(?:\d+(?:\.\d+){3})?",
        "SRV": rf"\d{{1,5}} \d{{1,5}} \d{{1,5}} {_HOST}",
        "MX": rf"\d{{1,5}} {_HOST}",
        "PTR": _HOST,
        "NS": _HOST,
        "CNAME": _HOST,
        "DS": r"\d{1,5} \d{1,3} [124] [0-9A-Fa-f ]+",
        "SSHFP": r"\d \d [0-9A-Fa-f ]+",
        "TLSA": r"\d \d \d [0-9A-Fa-f ]+",
        "NAPTR": rf'\d{{1,5}} \d{{1,5}} "[SAUP]?" "[^"]*" "[^"]*" {_HOST}',
        "SVCB": rf"\d{{1,5}} {_HOST}( .*)?",
        "HTTPS": rf"\d{{1,5}} {_HOST}( .*)?",
        "CAA": r'\d{1,3} [A-Za-z0-9]+ "[^"]*"',
        "TXT": r'("(?:[^"\\]|\\.){0,255}"\s*)+',
        "SPF": r'("(?:[^"\\]|\\.){0,255}"\s*)+',
    }.items()
}


@refusal("E9319", _RECORDS, f"{_GUIDE}/ResourceRecordTypes.html", more="Checked: " + ", ".join(sorted(VALUES)) + "; at most 400 values.")
def values(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A record's values have the form of its type, each once."""
    for record in records(resource):
        found = record.items("ResourceRecords")
        yield from once(found, "value")
        yield from at_most(record.at("ResourceRecords"), 400, "values")
        if len(found) > 1 and record.at("Type").value == "CNAME":
            yield record.at("ResourceRecords").path, "a CNAME has one value"
        pattern = VALUES.get(record.at("Type").literal)
        for value in found if pattern else ():
            yield from fits(value, pattern, f"value of {record.at('Type').literal}")


@refusal("E9315", _RECORDS, "https://github.com/kubernetes-sigs/external-dns/issues/2362")
def primary(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """The primary of a failover pair that has values is checked.

    Route 53 refuses it otherwise: a non-alias primary must have an associated health check (InvalidChangeBatch).
    """
    for record in records(resource):
        if record.at("Failover").value == "PRIMARY" and not record.at("AliasTarget").there and not record.at("HealthCheckId").there:
            yield record.path, "a primary with ResourceRecords needs HealthCheckId"


_CONTINENTS = ("AF", "AN", "AS", "EU", "NA", "OC", "SA")


@refusal(
    "E9316",
    _RECORDS,
    f"{_API}/API_GeoLocation.html",
    more=f"ContinentCode ({', '.join(_CONTINENTS)}), or CountryCode (two capitals or *), with SubdivisionCode for US and UA.",
)
def place(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A geographic record names one place that there is."""
    for record in records(resource):
        where = record.at("GeoLocation")
        yield from exclude(where, "ContinentCode", "CountryCode")
        yield from exclude(where, "ContinentCode", "SubdivisionCode")
        yield from needs(where, "SubdivisionCode", "CountryCode")
        yield from one_of(where.at("ContinentCode"), _CONTINENTS, "continent")
        yield from fits(where.at("CountryCode"), re.compile(r"[A-Z]{2}|\*"), "country of two capital letters")
        if where.at("SubdivisionCode").there and where.at("CountryCode").known and where.at("CountryCode").value not in ("US", "UA"):
            yield where.at("SubdivisionCode").path, "subdivisions are for US and UA"
        if record.at("Region").known:
            yield from one_of(record.at("Region"), REGIONS | CHINA_AND_GOVERNMENT, "region")


@refusal("E9317", _RECORDS, f"{_API}/API_AliasTarget.html")
def alias(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """An alias target is a name with the hosted zone id of its own service and region.

    CloudFront's id is for cloudfront.net only; load balancers and website endpoints have one a region.
    """
    for record in records(resource):
        target = record.at("AliasTarget")
        dns, given = target.at("DNSName"), target.at("HostedZoneId")
        if not dns.literal:
            continue
        host = plain(dns.literal)
        yield from fits(dns, _NAME, "DNS name")
        if "/" in host or ":" in host:
            yield dns.path, f"{dns.literal!r} is no name"
        if re.search(r"(^|\.)s3([.-][a-z0-9-]+)?\.amazonaws\.com$", host) and "website" not in host:
            yield dns.path, "a bucket answers at its website endpoint only, s3-website-REGION.amazonaws.com"
        if re.search(r".\.s3-website[.-]", host):
            yield dns.path, "the website endpoint without the bucket's name; the bucket has the name of the record"
        if host == plain(record.at("Name").text) and not record.at("SetIdentifier").there:
            yield dns.path, "an alias of itself"
        if record.at("Type").value == "CNAME" and (
            any(pattern.fullmatch(host) for _, pattern in _REGION_OF) or host.endswith(".cloudfront.net")
        ):
            yield record.at("Type").path, "an alias of an AWS service is of type A or AAAA"
        if given.literal:
            yield from _zone_of_service(given, host)


def _zone_of_service(given: At, host: str) -> Iterator[Problem]:
    if given.literal == CLOUDFRONT_ZONE and not host.endswith(".cloudfront.net") and ".amazonaws.com" in host and "execute-api" not in host:
        yield given.path, f"{CLOUDFRONT_ZONE} is CloudFront's; {host} is in another zone"
    known = {zone for zones in ZONES.values() for zone in zones.values()}
    for service, pattern in _REGION_OF:
        found = pattern.fullmatch(host)
        right = ZONES[service].get(found[1]) if found else None
        if found and given.literal in known - {right}:
            yield given.path, f"{given.literal} is the zone of something else" + (f"; of {host} it is {right}" if right else "")


@refusal("E9318", _CHECK, f"{_API}/API_HealthCheckConfig.html")
def health(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A health check asks for something that can be asked.

    A name or a public address; TCP with its port; an interval of 10 or 30 seconds; a search that is not empty; at least three regions
    that have checkers; no more children demanded than there are.
    """
    config = resource.properties.at("HealthCheckConfig")
    kind, address, host = config.at("Type").literal, config.at("IPAddress"), config.at("FullyQualifiedDomainName")
    if kind in _ENDPOINT and not address.there and not host.there:
        yield config.path, f"type {kind} needs FullyQualifiedDomainName or IPAddress"
    if kind == "TCP" and not config.at("Port").there:
        yield config.at("Port").path, "type TCP needs Port"
    if kind and kind not in _ENDPOINT:
        for key in ("RequestInterval", "FailureThreshold", "MeasureLatency", "Regions", "FullyQualifiedDomainName"):
            if config.at(key).there:
                yield config.at(key).path, f"{key} is for checks of an endpoint, not for type {kind}"
    if kind and kind != "CLOUDWATCH_METRIC" and config.at("InsufficientDataHealthStatus").there:
        yield config.at("InsufficientDataHealthStatus").path, "InsufficientDataHealthStatus is for type CLOUDWATCH_METRIC"
    if address.literal:
        yield from _public(address)
    if host.literal and (not _NAME.fullmatch(host.literal) or "/" in host.literal or ":" in host.literal):
        yield host.path, f"{host.literal!r} is no name"
    if config.at("RequestInterval").number not in (None, 10, 30):
        yield config.at("RequestInterval").path, "RequestInterval is 10 or 30"
    yield from between(config.at("FailureThreshold"), 1, 10)
    yield from between(config.at("Port"), 1, 65535)
    if config.at("SearchString").value == "":
        yield config.at("SearchString").path, "an empty SearchString"
    yield from _checkers(config)
    yield from _children(config, kind)


def _public(address: At) -> Iterator[Problem]:
    try:
        parsed = ipaddress.ip_address(address.literal)
    except ValueError:
        yield address.path, f"{address.literal!r} is no IP address"
        return
    documentation = any(parsed in network for network in _DOCUMENTATION if network.version == parsed.version)
    if (parsed.is_private or parsed.is_multicast or parsed.is_unspecified or parsed.is_reserved) and not documentation:
        yield address.path, f"{address.literal} is no public address, where checkers do not reach"


_DOCUMENTATION = [ipaddress.ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]
"""Stand for public addresses in examples."""


def _checkers(config: At) -> Iterator[Problem]:
    regions = config.items("Regions")
    if config.at("Regions").whole and regions:
        if len(regions) < 3:
            yield config.at("Regions").path, "at least three regions"
        yield from once(regions, "region")
        for region in regions:
            yield from one_of(region, _CHECKER_REGIONS, "region with checkers")


def _children(config: At, kind: str) -> Iterator[Problem]:
    children, threshold = config.at("ChildHealthChecks"), config.at("HealthThreshold")
    if kind != "CALCULATED":
        return
    if not children.there or children.value == []:
        yield children.path, "type CALCULATED needs ChildHealthChecks"
    if isinstance(children.value, list) and (threshold.number or 0) > len(children.value) > 0:
        yield threshold.path, f"{threshold.value} of {len(children.value)} children can never be healthy"
    yield from between(threshold, 0, 256)
    if isinstance(children.value, list) and len(children.value) > 255:
        yield children.path, "at most 255 children"


@refusal("E9320", ("AWS::Route53::HostedZone", "AWS::Route53::KeySigningKey"), f"{_API}/API_CreateQueryLoggingConfig.html")
def elsewhere(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """Route 53 logs queries, and takes keys for signing, in us-east-1 only.

    A log group there; an asymmetric key of KMS there with KeySpec ECC_NIST_P256 and KeyUsage SIGN_VERIFY.
    """
    group, key = (
        resource.properties.at("QueryLoggingConfig", "CloudWatchLogsLogGroupArn"),
        resource.properties.at("KeyManagementServiceArn"),
    )
    for at in (group, key):
        region = (at.text or "").split(":")[3:4]
        if region and "$" not in region[0] and region[0] != "us-east-1":
            yield at.path, f"is in {region[0]}; it has to be in us-east-1"
    made = deployment.meant(key, "AWS::KMS::Key")
    for name, value in (("KeySpec", "ECC_NIST_P256"), ("KeyUsage", "SIGN_VERIFY")) if made else ():
        given = made.properties.at(name) if made else key
        if given.value != value and given.told:
            yield key.path, f"the key's {name} has to be {value}"
