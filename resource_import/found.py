# mypy: allow-untyped-calls
"""Where a resource stands that its identifier names: the physical id and the attributes that CloudFormation has for it.

In: identifiers (the properties of a type's primary identifier), MiniStack's stores. Out: `Found`, None where nothing stands.
Never: changes anything.

Sources: the provider schemas (primaryIdentifier, readOnlyProperties); "Return values" of each type in the template reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import ministack.services.cloudformation.provisioners as cfn
from ministack.core.responses import get_account_id, get_region
from ministack.services import acm, cloudfront, cloudwatch, iam, lambda_svc, route53, s3, secretsmanager, waf
from ministack.services import cloudwatch_logs as logs

from cloud_control.firewall import LOGGING, acl_at

Identifier = Mapping[str, str]


@dataclass(frozen=True)
class Found:
    """A resource that stands."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


Finder = Callable[[Identifier], Found | None]


def _bucket_policy(wanted: Identifier) -> Found | None:
    return Found(wanted["Bucket"]) if wanted["Bucket"] in s3._bucket_policies else None


def _distribution(wanted: Identifier) -> Found | None:
    stands = cloudfront._distributions.get(wanted["Id"])
    return Found(stands["Id"], {"Id": stands["Id"], "Arn": stands["ARN"], "DomainName": stands["DomainName"]}) if stands else None


def _access_control(wanted: Identifier) -> Found | None:
    return Found(wanted["Id"], {"Id": wanted["Id"]}) if wanted["Id"] in cloudfront._oacs else None


def _policy_of(store: str) -> Finder:
    def find(wanted: Identifier) -> Found | None:
        stands = getattr(cloudfront, store).get(wanted["Id"])
        return Found(stands["Id"], {"Id": stands["Id"], "LastModifiedTime": stands["LastModifiedTime"]}) if stands else None

    return find


def _edge_function(wanted: Identifier) -> Found | None:
    arn = wanted["FunctionARN"]
    stands = cloudfront._functions.get(arn.rpartition("/")[2])
    return Found(arn, {"FunctionARN": arn, "FunctionMetadata.FunctionARN": arn}) if stands and stands["arn"] == arn else None


def _subscription(wanted: Identifier) -> Found | None:
    stands = cloudfront._distributions.get(wanted["DistributionId"])
    return Found(stands["Id"]) if stands and stands.get("MonitoringSubscription") else None


def _zone(wanted: Identifier) -> Found | None:
    zone = wanted["Id"]
    if zone not in route53._zones:
        return None
    apex = route53._zones[zone]["name"]
    servers = [
        value["Value"] if isinstance(value, dict) else value
        for record in route53._records.get(zone, [])
        if (record["Name"], record["Type"]) == (apex, "NS")
        for value in record.get("ResourceRecords", [])
    ]
    return Found(zone, {"Id": zone, "NameServers": [str(each).rstrip(".") for each in servers]})


def _health_check(wanted: Identifier) -> Found | None:
    check = wanted["HealthCheckId"]
    return Found(check, {"HealthCheckId": check}) if check in route53._health_checks else None


def record_key(values: Mapping[str, Any]) -> tuple[str, str, str]:
    """A record set within its zone."""
    return (str(values.get("Name", "")).rstrip(".").lower(), str(values.get("Type", "")), str(values.get("SetIdentifier") or ""))


def _record(wanted: Identifier) -> Found | None:
    for record in route53._records.get(wanted["HostedZoneId"], []):
        if record_key(record) == record_key(wanted):
            return Found(record["Name"], {"Name": record["Name"]})
    return None


def _certificate(wanted: Identifier) -> Found | None:
    arn = wanted["CertificateArn"]
    return Found(arn, {"CertificateArn": arn, "Arn": arn}) if arn in acm._certificates else None


def _managed_policy(wanted: Identifier) -> Found | None:
    arn = wanted["PolicyArn"]
    record: Any = iam._policies.get(arn)
    if record is None:
        return None
    named = ("PolicyId", "AttachmentCount", "DefaultVersionId", "IsAttachable", "CreateDate", "UpdateDate")
    return Found(arn, {"PolicyArn": arn, "PermissionsBoundaryUsageCount": 0, **{key: record[key] for key in named if key in record}})


def _identity_provider(wanted: Identifier) -> Found | None:
    return Found(wanted["Arn"], {"Arn": wanted["Arn"]}) if wanted["Arn"] in iam._oidc_providers else None


def _secret(wanted: Identifier) -> Found | None:
    arn = wanted["Id"]
    stands = next((each for each in secretsmanager._secrets.values() if each["ARN"] == arn), None)
    # MiniStack has the name for the physical id of a secret.
    return Found(stands["Name"], {"Id": arn, "Arn": arn}) if stands else None


def _version(wanted: Identifier) -> Found | None:
    arn = wanted["FunctionArn"]
    *_, name, number = arn.split(":")
    function = lambda_svc._functions.get(name)
    if not function or number not in function["versions"] or arn != f"{function['config']['FunctionArn']}:{number}":
        return None
    return Found(arn, {"FunctionArn": arn, "Version": number})


def _alarm_arn(name: str) -> dict[str, str]:
    return {"Arn": f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{name}"}


def _alarm_in(store: str) -> Finder:
    def find(wanted: Identifier) -> Found | None:
        name = wanted["AlarmName"]
        return Found(name, _alarm_arn(name)) if name in getattr(cloudwatch, store) else None

    return find


def _dashboard(wanted: Identifier) -> Found | None:
    return Found(wanted["DashboardName"]) if wanted["DashboardName"] in cloudwatch._dashboards else None


def _source(wanted: Identifier) -> Found | None:
    stands = logs._delivery_sources.get(wanted["Name"])
    if stands is None:
        return None
    return Found(stands["name"], {"Arn": stands["arn"], "Service": stands["service"], "ResourceArns": stands["resourceArns"]})


def _target(wanted: Identifier) -> Found | None:
    stands = logs._delivery_destinations.get(wanted["Name"])
    return Found(stands["name"], {"Arn": stands["arn"], "DeliveryDestinationType": stands["deliveryDestinationType"]}) if stands else None


def _delivery(wanted: Identifier) -> Found | None:
    stands = logs._deliveries.get(wanted["DeliveryId"])
    if stands is None:
        return None
    kind = stands["deliveryDestinationType"]
    return Found(stands["id"], {"DeliveryId": stands["id"], "Arn": stands["arn"], "DeliveryDestinationType": kind})


def _web_acl(wanted: Identifier) -> Found | None:
    name, scope = wanted["Name"], wanted["Scope"]
    record: Any = waf.web_acl_record(wanted["Id"], scope)
    if record is None or record.get("Name") != name:
        return None
    return Found(f"{name}|{wanted['Id']}|{scope}", {"Arn": record["ARN"], "Id": wanted["Id"]})


def _acl_logging(wanted: Identifier) -> Found | None:
    record: Any = acl_at(wanted["ResourceArn"])
    return Found(wanted["ResourceArn"]) if record and LOGGING in record else None


def of_ministack(kind: str) -> Finder:
    """What MiniStack itself imports."""
    table: Any = cfn._RESOURCE_HANDLERS
    looked = table[kind]["import"]

    def find(wanted: Identifier) -> Found | None:
        try:
            physical_id, attributes = looked(dict(wanted))
        except KeyError:
            return None
        return Found(physical_id, attributes)

    return find


FINDERS: Mapping[str, Finder] = {
    "AWS::CertificateManager::Certificate": _certificate,
    "AWS::CloudFront::CachePolicy": _policy_of("_cache_policies"),
    "AWS::CloudFront::Distribution": _distribution,
    "AWS::CloudFront::Function": _edge_function,
    "AWS::CloudFront::MonitoringSubscription": _subscription,
    "AWS::CloudFront::OriginAccessControl": _access_control,
    "AWS::CloudFront::ResponseHeadersPolicy": _policy_of("_response_headers_policies"),
    "AWS::CloudWatch::Alarm": _alarm_in("_alarms"),
    "AWS::CloudWatch::CompositeAlarm": _alarm_in("_composite_alarms"),
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::IAM::ManagedPolicy": _managed_policy,
    "AWS::IAM::OIDCProvider": _identity_provider,
    "AWS::Lambda::Version": _version,
    "AWS::Logs::Delivery": _delivery,
    "AWS::Logs::DeliveryDestination": _target,
    "AWS::Logs::DeliverySource": _source,
    "AWS::Route53::HealthCheck": _health_check,
    "AWS::Route53::HostedZone": _zone,
    "AWS::Route53::RecordSet": _record,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::WAFv2::LoggingConfiguration": _acl_logging,
    "AWS::WAFv2::WebACL": _web_acl,
}
"""By resource type; those of MiniStack's own stand beside them."""
