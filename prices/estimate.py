"""What the resources of templates cost a month, at list prices.

In: resources of stacks (resolved or as written), how the site is used. Out: `Line` values, each with its assumption, and what the table
does not know.
Never: an invoice. What it cannot know is assumed, and the assumption stands beside the number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from prices import table
from prices.table import Price

Resources = Mapping[str, Mapping[str, Any]]
Body = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Usage:
    """How a site is used in a month."""

    requests: int = 1_000_000
    """HTTPS requests of visitors."""
    gigabytes: float = 50.0
    """Sent to visitors."""
    site_gigabytes: float = 0.5
    """Files of the site, releases that are kept included."""
    publishes: int = 20


ASIA, SOUTH = 0.15, 0.05
"""Shares of visitors in Asia and in Australia or South America; the rest is in North America and Europe. An assumption."""
MISSES = 0.10
"""Share of requests that reach the bucket. An assumption; the dashboard has the real one."""
LOG_BYTES, EDGE_LOG_BYTES = 700, 250
"""Of one request in the access log, and in the edge function's. Assumptions."""
EDGE_SECONDS, EDGE_GIGABYTES = 0.005, 0.125
"""Of one call of a Lambda@Edge function at a viewer request, which has 128 MB. The time is an assumption."""
CLOUDFRONT_METRICS = 8
"""Additional metrics of a distribution. Source: CloudFront Developer Guide, "View CloudFront and edge function metrics"."""
FILES_A_PUBLISH = 100
REPLICATION_METRICS = 4
"""Of a rule, billed as custom metrics. Source: S3 User Guide, "Using S3 Replication metrics"."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One position."""

    stack: str
    resource: str
    """Logical id."""
    what: str
    quantity: float
    price: Price
    assumption: str = ""

    @property
    def usd(self) -> float:
        """A month."""
        return self.quantity * self.price.usd


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A month of an environment, or of a part of it."""

    usage: Usage
    lines: tuple[Line, ...]
    unpriced: tuple[str, ...] = ()
    """Types that the table does not know and that are not known to be free."""

    @property
    def usd(self) -> float:
        """A month, in cents' precision."""
        return round(float(sum(line.usd for line in self.lines)), 2)

    @property
    def as_of(self) -> str:
        """Date of the oldest price that was used."""
        return min((line.price.as_of for line in self.lines), default=table.TRANSFER_NORTH.as_of)


FREE = frozenset(
    {
        "AWS::CertificateManager::Certificate",
        "AWS::CloudFormation::WaitConditionHandle",
        "AWS::CloudFront::CachePolicy",
        "AWS::CloudFront::OriginAccessControl",
        "AWS::CloudFront::OriginRequestPolicy",
        "AWS::CloudFront::ResponseHeadersPolicy",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Version",
        "AWS::Logs::DeliveryDestination",
        "AWS::Logs::DeliverySource",
        "AWS::Logs::MetricFilter",
        "AWS::Route53::RecordSet",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::TopicPolicy",
    }
)
"""Cost nothing by themselves; so do all of IAM, and public certificates of ACM."""


def estimate(stacks: Mapping[str, Resources], usage: Usage, *, secrets: Iterable[str] = ()) -> Estimate:
    """Of all these stacks; `secrets`: those that no template makes."""
    lines: list[Line] = []
    unpriced: set[str] = set()
    for stack, resources in stacks.items():
        for logical_id, body in resources.items():
            kind = str(body.get("Type", ""))
            price = _BY_TYPE.get(kind)
            if price is not None:
                found = price(_mapping(body.get("Properties")), usage, resources)
                lines += (Line(stack=stack, resource=logical_id, **each) for each in found)
            elif kind not in FREE and not kind.startswith("AWS::IAM::"):
                unpriced.add(kind)
    for name in secrets:
        lines.append(Line(stack="", resource=name, what="secret", quantity=1, price=table.SECRET, assumption="made by set-password"))
    return Estimate(usage=usage, lines=tuple(lines), unpriced=tuple(sorted(unpriced)))


Found = Iterator[dict[str, Any]]
Pricing = Callable[[Body, Usage, Resources], Found]


def _line(what: str, quantity: float, price: Price, assumption: str = "") -> dict[str, Any]:
    return {"what": what, "quantity": quantity, "price": price, "assumption": assumption}


# --- CloudFront ---------------------------------------------------------------------------------------------------


def _shares(price_class: str) -> tuple[float, float, float]:
    """Of the traffic, by where it is served: north, Asia, south. Who is outside of a price class is served from the north, at its price."""
    asia = ASIA if price_class in ("PriceClass_200", "PriceClass_All", "") else 0.0
    south = SOUTH if price_class in ("PriceClass_All", "") else 0.0
    return 1 - asia - south, asia, south


def _distribution(properties: Body, usage: Usage, _: Resources) -> Found:
    config = _mapping(properties.get("DistributionConfig"))
    shares = _shares(str(config.get("PriceClass", "")))
    mix = "80 % of visitors in North America and Europe, 15 % in Asia, 5 % in the south"
    transfers = (table.TRANSFER_NORTH, table.TRANSFER_ASIA, table.TRANSFER_SOUTH)
    requests = (table.REQUESTS_NORTH, table.REQUESTS_ASIA, table.REQUESTS_SOUTH)
    for share, price in zip(shares, transfers, strict=True):
        if share:
            yield _line("transfer to visitors", usage.gigabytes * share, price, mix)
    for share, price in zip(shares, requests, strict=True):
        if share:
            yield _line("HTTPS requests", usage.requests / 1e6 * share, price, mix)
    # Of each request one behaviour's functions run; the default one stands for all.
    default = _mapping(config.get("DefaultCacheBehavior"))
    for _function in _list(default.get("FunctionAssociations")):
        yield _line("calls of the CloudFront function", usage.requests / 1e6, table.EDGE_FUNCTION, "one call a request")
    for _function in _list(default.get("LambdaFunctionAssociations")):
        yield _line("calls of the edge function", usage.requests / 1e6, table.LAMBDA_EDGE, "one call a request")
        seconds = usage.requests * EDGE_SECONDS * EDGE_GIGABYTES
        yield _line("time of the edge function", seconds, table.LAMBDA_EDGE_TIME, f"{EDGE_SECONDS * 1000:.0f} ms of 128 MB a call")
        logs = usage.requests * EDGE_LOG_BYTES / 1e9
        yield _line("logs of the edge function", logs, table.LOG_INTAKE, f"{EDGE_LOG_BYTES} bytes a call")
    if config.get("WebACLId"):
        yield _line("requests through the web ACL", usage.requests / 1e6, table.WEB_ACL_REQUESTS)


def _subscription(_: Body, __: Usage, ___: Resources) -> Found:
    yield _line("additional metrics of the distribution", CLOUDFRONT_METRICS, table.METRIC)


# --- storage ------------------------------------------------------------------------------------------------------


def _bucket(properties: Body, usage: Usage, every: Resources) -> Found:
    """What a bucket holds is told by who uses it: a distribution, a delivery of logs, replication, or this platform's own files."""
    name = next((key for key, body in every.items() if body.get("Properties") is properties), "")
    if _mentioned(name, every, "AWS::Logs::DeliveryDestination"):
        days = _expiry(properties)
        kept = usage.requests * LOG_BYTES / 1e9 * (days / 30)
        yield _line("access logs kept", kept, table.STORAGE, f"{LOG_BYTES} bytes a request, {days:.0f} days")
        return
    served = _mentioned(name, every, "AWS::CloudFront::Distribution")
    kept = usage.site_gigabytes * (2 if _mapping(properties.get("VersioningConfiguration")).get("Status") == "Enabled" else 1)
    yield _line("files kept", kept, table.STORAGE, f"{usage.site_gigabytes:g} GB, and as much again in old versions")
    written = usage.publishes * FILES_A_PUBLISH / 1e3
    yield _line("files written", written, table.WRITE, f"{usage.publishes} publishes of {FILES_A_PUBLISH} files")
    if served:
        yield _line("reads by CloudFront", usage.requests * MISSES / 1e3, table.READ, f"{MISSES:.0%} of requests are not in a cache")
    if properties.get("ReplicationConfiguration"):
        yield _line("replication to another region", usage.site_gigabytes, table.BETWEEN_REGIONS, "every file once a month")
        yield _line("writes of the replication", written, table.WRITE)
        rules = [
            _mapping(_mapping(rule).get("Destination")) for rule in _list(_mapping(properties["ReplicationConfiguration"]).get("Rules"))
        ]
        measured = sum("Metrics" in destination for destination in rules)
        if measured:
            yield _line("metrics of the replication", REPLICATION_METRICS * measured, table.METRIC)
        if any("ReplicationTime" in destination for destination in rules):
            yield _line("replication time control", usage.site_gigabytes, table.REPLICATION_TIME, "every file once a month")


def _expiry(properties: Body) -> float:
    days = [
        float(rule["ExpirationInDays"])
        for rule in map(_mapping, _list(_mapping(properties.get("LifecycleConfiguration")).get("Rules")))
        if str(rule.get("ExpirationInDays", "")).isdecimal()
    ]
    return min(days, default=365.0)


def _mentioned(logical_id: str, every: Resources, kind: str) -> bool:
    return bool(logical_id) and any(_refers(body, logical_id) for body in every.values() if body.get("Type") == kind)


def _refers(value: Any, logical_id: str) -> bool:
    match value:
        case {"Ref": target} | {"Fn::GetAtt": [target, *_]}:
            return bool(target == logical_id)
        case Mapping():
            return any(_refers(each, logical_id) for each in value.values())
        case list():
            return any(_refers(each, logical_id) for each in value)
        case str():
            return f"${{{logical_id}}}" in value or f"${{{logical_id}." in value
    return False


def _log_group(properties: Body, _: Usage, __: Resources) -> Found:
    yield _line("logs kept", 0.0, table.LOG_KEPT, f"little; {properties.get('RetentionInDays', 'no limit of')} days")


def _table(properties: Body, _: Usage, __: Resources) -> Found:
    yield _line("items", 0.001, table.TABLE_STORAGE, "locks: kilobytes")
    yield _line("writes", 0.002, table.TABLE_WRITES, "2,000 a month")
    if _mapping(properties.get("PointInTimeRecoverySpecification")).get("PointInTimeRecoveryEnabled"):
        yield _line("point-in-time recovery", 0.001, table.TABLE_RECOVERY)


# --- watching, names, defence -------------------------------------------------------------------------------------


def _alarm(properties: Body, _: Usage, __: Resources) -> Found:
    metrics = [each for each in map(_mapping, _list(properties.get("Metrics"))) if each.get("MetricStat")]
    fast = str(properties.get("Period", 60)) in ("10", "30")
    yield _line("alarm", max(1, len(metrics)), table.FAST_ALARM if fast else table.ALARM)


def _health_check(properties: Body, _: Usage, __: Resources) -> Found:
    config = _mapping(properties.get("HealthCheckConfig"))
    kind = str(config.get("Type", ""))
    yield _line("health check", 1, table.HEALTH_CHECK, "of an AWS endpoint, as CloudFront is")
    features = [kind.startswith("HTTPS"), "STR_MATCH" in kind, str(config.get("RequestInterval")) == "10"]
    features.append(str(config.get("MeasureLatency", "false")).lower() == "true")
    if any(features):
        yield _line("features of the health check", sum(features), table.HEALTH_CHECK_FEATURE, "HTTPS, latency and the like, one each")


def _one(what: str, price: Price) -> Pricing:
    def priced(_: Body, __: Usage, ___: Resources) -> Found:
        yield _line(what, 1, price)

    return priced


def _web_acl(properties: Body, _: Usage, __: Resources) -> Found:
    yield _line("web ACL", 1, table.WEB_ACL)
    yield _line("rules of the web ACL", len(_list(properties.get("Rules"))), table.WEB_ACL_RULE)


def _usage_only(what: str, price: Price, assumption: str) -> Pricing:
    def priced(_: Body, __: Usage, ___: Resources) -> Found:
        yield _line(what, 0.0, price, assumption)

    return priced


def _mapping(value: Any) -> Body:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


_BY_TYPE: Mapping[str, Pricing] = {
    "AWS::CloudFront::Distribution": _distribution,
    "AWS::CloudFront::Function": _usage_only("calls", table.EDGE_FUNCTION, "counted with the distribution"),
    "AWS::CloudFront::MonitoringSubscription": _subscription,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::Dashboard": _one("dashboard", table.DASHBOARD),
    "AWS::DynamoDB::Table": _table,
    "AWS::KMS::Key": _one("key", table.KEY),
    "AWS::Lambda::Function": _usage_only("calls", table.LAMBDA_EDGE, "counted with the distribution"),
    "AWS::Logs::Delivery": _usage_only(
        "access logs to S3", table.LOG_INTAKE, "CloudFront's standard logs to S3 are delivered free of charge"
    ),
    "AWS::Logs::LogGroup": _log_group,
    "AWS::Route53::HealthCheck": _health_check,
    "AWS::Route53::HostedZone": _one("hosted zone", table.ZONE),
    "AWS::S3::Bucket": _bucket,
    "AWS::SNS::Topic": _usage_only("e-mails", table.NOTIFICATION, "some e-mails"),
    "AWS::SecretsManager::Secret": _one("secret", table.SECRET),
    "AWS::WAFv2::LoggingConfiguration": _usage_only("logs of the web ACL", table.LOG_INTAKE, "few requests are blocked or counted"),
    "AWS::WAFv2::WebACL": _web_acl,
}


def free_tier(estimated: Estimate) -> float:
    """What CloudFront's monthly free share would take off, if no other distribution of the account uses it."""
    usage, lines = estimated.usage, estimated.lines
    shares = {
        "transfer to visitors": min(1.0, table.FREE_GIGABYTES / usage.gigabytes) if usage.gigabytes else 0.0,
        "HTTPS requests": min(1.0, table.FREE_REQUESTS / usage.requests) if usage.requests else 0.0,
        "calls of the CloudFront function": min(1.0, table.FREE_CALLS / usage.requests) if usage.requests else 0.0,
    }
    return round(sum(line.usd * shares.get(line.what, 0.0) for line in lines), 2)
