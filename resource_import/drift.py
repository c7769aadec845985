# mypy: allow-untyped-calls
"""What stands, in the words of a template: drift detection of the types that MiniStack does not read.

In: the physical id and what the template says. Out: the live values of what the template says; None: the resource is gone.
Never: tells of a property that the template does not set, as CloudFormation's drift detection.

Source: CloudFormation user guide, "Detect unmanaged configuration changes" (property values that are explicitly set; resource types that
support drift detection); the provider schemas' read handlers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree.ElementTree import Element

from ministack.core.responses import get_account_id, get_region
from ministack.services import acm, cloudfront, cloudwatch, iam, lambda_svc, route53, s3
from ministack.services import cloudwatch_logs as logs
from ministack.services.cloudformation import drift as ministack

from resource_import import shapes, tags
from resource_import.found import record_key

Properties = Mapping[str, Any]
Reader = Callable[[str, Properties], dict[str, Any] | None]

_OF_MINISTACK: Any = ministack._DRIFT_READERS["AWS::S3::Bucket"]
"""Its own reader of buckets, to which properties are added."""


def install() -> None:
    """Add the readers to MiniStack's table."""
    table: dict[str, tuple[Any, frozenset[str]]] = ministack._DRIFT_READERS
    for kind, (reader, read) in READERS.items():
        table[kind] = (reader, frozenset(read))


def like(said: Any, live: Any) -> Any:
    """`live` without what the template does not say; documents and numbers as the template writes them."""
    if isinstance(said, Mapping) and isinstance(live, str):
        return like(said, _parsed(live))
    if isinstance(said, str) and isinstance(live, Mapping | list):
        return said if _parsed(said) == live else json.dumps(live)
    if isinstance(said, Mapping) and isinstance(live, Mapping):
        return {key: like(inner, live[key]) for key, inner in said.items() if key in live}
    return said if _number(said) is not None and _number(said) == _number(live) else live


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


# --- CloudFront -------------------------------------------------------------------------------------------------------


def _distribution(physical_id: str, said: Properties) -> dict[str, Any] | None:
    stands = cloudfront._distributions.get(physical_id)
    if stands is None:
        return None
    config = cloudfront._strip_namespace(shapes.parsed(stands["config_xml"]))
    told = shapes.told(config, cloudfront._api_shape("DistributionConfig"), said.get("DistributionConfig") or {})
    return {"DistributionConfig": told, "Tags": tags.STORES["AWS::CloudFront::Distribution"].read(physical_id)}


def _policy(store: str, name: str, build: Callable[[Any, Any], None]) -> Reader:
    def read(physical_id: str, said: Properties) -> dict[str, Any] | None:
        stands = getattr(cloudfront, store).get(physical_id)
        if stands is None:
            return None
        element = Element(name)
        build(element, stands["Config"])
        return {name: shapes.told(element, cloudfront._api_shape(name), said.get(name) or {})}

    return read


def _access_control(physical_id: str, said: Properties) -> dict[str, Any] | None:
    stands = cloudfront._oacs.get(physical_id)
    return None if stands is None else {"OriginAccessControlConfig": like(said.get("OriginAccessControlConfig"), stands)}


def _edge_function(physical_id: str, said: Properties) -> dict[str, Any] | None:
    stands = cloudfront._functions.get(physical_id.rpartition("/")[2])
    if stands is None:
        return None
    config = {"Comment": stands["comment"], "Runtime": stands["runtime"]}
    code = stands["code"]
    return {
        "Name": stands["name"],
        "FunctionConfig": like(said.get("FunctionConfig"), config),
        "FunctionCode": code.decode() if isinstance(code, bytes) else code,
    }


def _subscription(physical_id: str, said: Properties) -> dict[str, Any] | None:
    held = (cloudfront._distributions.get(physical_id) or {}).get("MonitoringSubscription")
    if not held:
        return None
    config = {"RealtimeMetricsSubscriptionConfig": held}
    return {"DistributionId": physical_id, "MonitoringSubscription": like(said.get("MonitoringSubscription"), config)}


# --- Route 53, ACM ----------------------------------------------------------------------------------------------------


def _record(_physical_id: str, said: Properties) -> dict[str, Any] | None:
    zone = str(said.get("HostedZoneId", ""))
    stands = next((each for each in route53._records.get(zone, []) if record_key(each) == record_key(said)), None)
    if stands is None:
        return None
    live = {**stands, "HostedZoneId": zone}
    values = [each["Value"] if isinstance(each, Mapping) else each for each in stands.get("ResourceRecords") or []]
    if values:
        live["ResourceRecords"] = values
    if str(said.get("Name", "")).rstrip(".").lower() == str(stands["Name"]).rstrip("."):
        live["Name"] = said["Name"]
    target, wanted = live.get("AliasTarget"), said.get("AliasTarget")
    if isinstance(target, Mapping) and isinstance(wanted, Mapping):
        same = str(target.get("DNSName", "")).rstrip(".").lower() == str(wanted.get("DNSName", "")).rstrip(".").lower()
        live["AliasTarget"] = {**like(wanted, target), **({"DNSName": wanted["DNSName"]} if same else {})}
    return live


def _zone(physical_id: str, said: Properties) -> dict[str, Any] | None:
    stands = route53._zones.get(physical_id)
    if stands is None:
        return None
    name = said["Name"] if str(said.get("Name", "")).rstrip(".") == stands["name"].rstrip(".") else stands["name"]
    return {"Name": name, "HostedZoneConfig": like(said.get("HostedZoneConfig"), {"Comment": stands.get("comment", "")})}


def _health_check(physical_id: str, said: Properties) -> dict[str, Any] | None:
    stands = route53._health_checks.get(physical_id)
    return None if stands is None else {"HealthCheckConfig": like(said.get("HealthCheckConfig"), stands["config"])}


def _certificate(physical_id: str, said: Properties) -> dict[str, Any] | None:
    stands = acm._certificates.get(physical_id)
    if stands is None:
        return None
    names = [
        each
        for each in stands.get("SubjectAlternativeNames", [])
        if each != stands["DomainName"] or each in (said.get("SubjectAlternativeNames") or ())
    ]
    return {"DomainName": stands["DomainName"], "SubjectAlternativeNames": names}


# --- S3, IAM, Lambda ----------------------------------------------------------------------------------------------------------


def _bucket(physical_id: str, said: Properties) -> dict[str, Any] | None:
    read, _ = _OF_MINISTACK
    live: dict[str, Any] | None = read(physical_id, said)
    if live is None:
        return None
    stored = s3._buckets[physical_id].get("_public_access_block")
    settings = said.get("PublicAccessBlockConfiguration") or {}
    told = {each.tag.rpartition("}")[2]: each.text for each in shapes.parsed(stored)} if stored else {}
    blocked = {key: told.get(key, "false") for key in settings}
    return {**live, "PublicAccessBlockConfiguration": blocked, "Tags": tags.STORES["AWS::S3::Bucket"].read(physical_id)}


def _version(physical_id: str, said: Properties) -> dict[str, Any] | None:
    *_, name, number = physical_id.split(":")
    function: Any = lambda_svc._functions.get(name)
    if not function or number not in function["versions"]:
        return None
    named = str(said.get("FunctionName", ""))
    return {"FunctionName": named if named.rpartition(":")[2] == name else name}


def _bucket_policy(_physical_id: str, said: Properties) -> dict[str, Any] | None:
    bucket = str(said.get("Bucket", ""))
    held = s3._bucket_policies.get(bucket)
    if held is None:
        return None
    document = _parsed(held.decode() if isinstance(held, bytes) else str(held))
    return {"Bucket": bucket, "PolicyDocument": document}


def _managed_policy(physical_id: str, _said: Properties) -> dict[str, Any] | None:
    stands: Any = iam._policies.get(physical_id)
    if stands is None:
        return None
    document = stands["Versions"][stands["DefaultVersionId"]]["Document"]
    return {
        "ManagedPolicyName": physical_id.rpartition("/")[2],
        "Description": stands.get("Description", ""),
        "Path": stands.get("Path", "/"),
        "PolicyDocument": _parsed(document) if isinstance(document, str) else document,
    }


def _identity_provider(physical_id: str, said: Properties) -> dict[str, Any] | None:
    stands = iam._oidc_providers.get(physical_id)
    if stands is None:
        return None
    url = str(said.get("Url", ""))
    host = physical_id.partition("/")[2]
    named = url if url.partition("://")[2].rstrip("/") == host else f"https://{host}"
    return {"Url": named, "ClientIdList": stands["ClientIDList"], "ThumbprintList": stands["ThumbprintList"]}


# --- CloudWatch, logs -------------------------------------------------------------------------------------------------


def _alarm(physical_id: str, said: Properties) -> dict[str, Any] | None:
    stands = cloudwatch._alarms.get(physical_id)
    if stands is None:
        return None
    held = cloudwatch._resource_tags.get(f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{physical_id}", {})
    return {**like(said, {key: value for key, value in stands.items() if value not in (None, "")}), "Tags": dict(held)}


def _dashboard(physical_id: str, said: Properties) -> dict[str, Any] | None:
    stands = cloudwatch._dashboards.get(physical_id)
    if stands is None:
        return None
    body, wanted = stands["DashboardBody"], str(said.get("DashboardBody", ""))
    return {"DashboardName": physical_id, "DashboardBody": wanted if _parsed(body) == _parsed(wanted) else body}


def _source(physical_id: str, _said: Properties) -> dict[str, Any] | None:
    stands = logs._delivery_sources.get(physical_id)
    return None if stands is None else {"Name": stands["name"], "LogType": stands["logType"], "ResourceArn": stands["resourceArns"][0]}


def _target(physical_id: str, _said: Properties) -> dict[str, Any] | None:
    stands = logs._delivery_destinations.get(physical_id)
    if stands is None:
        return None
    arn = stands["deliveryDestinationConfiguration"]["destinationResourceArn"]
    return {"Name": stands["name"], "DestinationResourceArn": arn, "OutputFormat": stands.get("outputFormat")}


def _delivery(physical_id: str, _said: Properties) -> dict[str, Any] | None:
    stands = logs._deliveries.get(physical_id)
    if stands is None:
        return None
    return {
        "DeliverySourceName": stands["deliverySourceName"],
        "DeliveryDestinationArn": stands["deliveryDestinationArn"],
        "RecordFields": stands.get("recordFields", []),
    }


_ALARM = (
    *("ActionsEnabled", "AlarmActions", "AlarmDescription", "AlarmName", "ComparisonOperator", "DatapointsToAlarm", "Dimensions"),
    *("EvaluationPeriods", "ExtendedStatistic", "InsufficientDataActions", "MetricName", "Namespace", "OKActions", "Period"),
    *("Statistic", "Tags", "Threshold", "TreatMissingData", "Unit"),
)
_RECORD = (
    *("AliasTarget", "Failover", "HealthCheckId", "HostedZoneId", "Name", "ResourceRecords", "SetIdentifier", "TTL", "Type", "Weight"),
)

READERS: Mapping[str, tuple[Reader, tuple[str, ...]]] = {
    "AWS::CertificateManager::Certificate": (_certificate, ("DomainName", "SubjectAlternativeNames")),
    "AWS::CloudFront::CachePolicy": (
        _policy("_cache_policies", "CachePolicyConfig", cloudfront._build_cache_policy_config_xml),
        ("CachePolicyConfig",),
    ),
    "AWS::CloudFront::Distribution": (_distribution, ("DistributionConfig", "Tags")),
    "AWS::CloudFront::Function": (_edge_function, ("FunctionCode", "FunctionConfig", "Name")),
    "AWS::CloudFront::MonitoringSubscription": (_subscription, ("DistributionId", "MonitoringSubscription")),
    "AWS::CloudFront::OriginAccessControl": (_access_control, ("OriginAccessControlConfig",)),
    "AWS::CloudFront::ResponseHeadersPolicy": (
        _policy("_response_headers_policies", "ResponseHeadersPolicyConfig", cloudfront._build_rhp_config_xml),
        ("ResponseHeadersPolicyConfig",),
    ),
    "AWS::CloudWatch::Alarm": (_alarm, _ALARM),
    "AWS::CloudWatch::Dashboard": (_dashboard, ("DashboardBody", "DashboardName")),
    "AWS::IAM::ManagedPolicy": (_managed_policy, ("Description", "ManagedPolicyName", "Path", "PolicyDocument")),
    "AWS::IAM::OIDCProvider": (_identity_provider, ("ClientIdList", "ThumbprintList", "Url")),
    "AWS::Lambda::Version": (_version, ("FunctionName",)),
    "AWS::Logs::Delivery": (_delivery, ("DeliveryDestinationArn", "DeliverySourceName", "RecordFields")),
    "AWS::Logs::DeliveryDestination": (_target, ("DestinationResourceArn", "Name", "OutputFormat")),
    "AWS::Logs::DeliverySource": (_source, ("LogType", "Name", "ResourceArn")),
    "AWS::Route53::HealthCheck": (_health_check, ("HealthCheckConfig",)),
    "AWS::Route53::HostedZone": (_zone, ("HostedZoneConfig", "Name")),
    "AWS::Route53::RecordSet": (_record, _RECORD),
    "AWS::S3::Bucket": (_bucket, ("BucketName", "PublicAccessBlockConfiguration", "Tags", "VersioningConfiguration")),
    "AWS::S3::BucketPolicy": (_bucket_policy, ("Bucket", "PolicyDocument")),
}
"""By resource type: how it is read, and the properties that are."""
