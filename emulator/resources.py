# mypy: allow-untyped-calls
"""CloudFormation resource types that MiniStack 1.5.33 lacks.

In: resolved template properties. Out: the physical id (what Ref gives) and the attributes (what GetAtt gives), as the provider schemas say.
Never: keeps state of its own; everything is stored in MiniStack's services, so the services' own APIs read it back and it persists.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import ministack.services.cloudformation.provisioners as cfn
import ministack.services.cloudwatch_logs as logs
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudfront, cloudwatch, iam, route53

Properties = dict[str, Any]
Created = tuple[str, dict[str, Any]]


def install() -> None:
    """Add the types to MiniStack's table."""
    in_place = {"update_with_logical_id": True}
    cfn._RESOURCE_HANDLERS.update(
        {
            "AWS::Route53::RecordSetGroup": {"create": _group_create, "update": _group_update, "delete": _group_delete},
            "AWS::Route53::HealthCheck": {"create": _check_create, "update": _check_update, "delete": _check_delete, **in_place},
            "AWS::IAM::OIDCProvider": {"create": _oidc_create, "update": _oidc_update, "delete": _oidc_delete, **in_place},
            "AWS::Logs::DeliverySource": {"create": _source_create, "update": _source_update, "delete": _source_delete, **in_place},
            "AWS::Logs::DeliveryDestination": {"create": _target_create, "update": _target_update, "delete": _target_delete, **in_place},
            "AWS::Logs::Delivery": {"create": _delivery_create, "update": _delivery_update, "delete": _delivery_delete, **in_place},
            "AWS::CloudFront::Function": {"create": _function_create, "update": _function_update, "delete": _function_delete, **in_place},
            "AWS::CloudFront::MonitoringSubscription": {"create": _monitor_create, "update": _monitor_update, "delete": _monitor_delete},
            "AWS::CloudWatch::CompositeAlarm": {
                "create": _composite_create,
                "update": _composite_update,
                "delete": _composite_delete,
                **in_place,
            },
        }
    )


def _answered(answer: tuple[int, Any, Any]) -> dict[str, Any]:
    """The body of a service's JSON answer; a refusal fails the resource with the service's words."""
    status, _, body = answer
    text = body.decode() if isinstance(body, bytes) else str(body)
    if status >= 300:
        try:
            refusal = json.loads(text)
            text = str(refusal.get("message") or refusal.get("Message") or text)
        except ValueError:
            pass
        raise ValueError(text)
    try:
        parsed: dict[str, Any] = json.loads(text)
    except ValueError:
        return {}
    return parsed


def _lower_first(value: Any) -> Any:
    """The Logs API's spelling of a template's properties."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: _lower_first(inner) for key, inner in value.items()}
    return value


def _truth(value: Any) -> bool:
    return str(value).lower() == "true"


# --- AWS::Route53::RecordSetGroup ---------------------------------------------------------------------------------


def _members(props: Properties) -> list[Properties]:
    zone: Properties = {key: props[key] for key in ("HostedZoneId", "HostedZoneName") if key in props}
    return [{**zone, **record} for record in props.get("RecordSets", [])]


def _identity(record: Properties) -> tuple[str, str, str]:
    return (str(record["Name"]).rstrip(".").lower(), str(record["Type"]), str(record.get("SetIdentifier", "")))


def _write_records(records: list[Properties], stack_name: str, replacing: list[Properties]) -> None:
    """All or none; those of the same identity are changed, others made."""
    old = {_identity(record): record for record in replacing}
    zones = {cfn._r53_resolve_hosted_zone_id(record) for record in (*records, *replacing)}
    before = {zone: list(route53._records.get(zone, [])) for zone in zones}
    update: Any = cfn._RESOURCE_HANDLERS["AWS::Route53::RecordSet"]
    try:
        for record in records:
            was = old.get(_identity(record))
            if was is None:
                cfn._r53_record_set_create("", record, stack_name)
            else:
                update["update"]("", was, record, stack_name)
    except Exception:
        for zone, kept in before.items():
            route53._records[zone] = kept
        raise


def _group_create(logical_id: str, props: Properties, stack_name: str) -> Created:
    _write_records(_members(props), stack_name, [])
    return f"{stack_name}-{logical_id}-{uuid4().hex[:12]}", {}


def _group_update(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Created:
    """New members are made before gone ones go: how CloudFormation really batches them is not documented, and this is the strictest way."""
    before, after = _members(old), _members(new)
    _write_records(after, stack_name, before)
    kept = {_identity(record) for record in after}
    for record in before:
        if _identity(record) not in kept:
            cfn._r53_record_set_delete("", record)
    return physical_id, {}


def _group_delete(_: str, props: Properties) -> None:
    for record in _members(props):
        cfn._r53_record_set_delete("", record)


# --- AWS::Route53::HealthCheck ------------------------------------------------------------------------------------

_CHECK_FIXED = ("Type", "RequestInterval", "MeasureLatency")
"""createOnlyProperties of the provider schema."""


def _check_create(_logical_id: str, props: Properties, _stack_name: str) -> Created:
    check_id, reference = str(uuid4()), str(uuid4())
    config = {key: str(value).lower() if isinstance(value, bool) else value for key, value in props["HealthCheckConfig"].items()}
    with route53._lock:
        route53._health_checks[check_id] = {"id": check_id, "caller_reference": reference, "config": config, "version": 1}
        route53._hc_caller_refs[reference] = check_id
    return check_id, {"HealthCheckId": check_id}


def _check_update(physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None) -> Created:
    was, now = old["HealthCheckConfig"], new["HealthCheckConfig"]
    if physical_id not in route53._health_checks or any(was.get(key) != now.get(key) for key in _CHECK_FIXED):
        return _check_create(logical_id or physical_id, new, stack_name)
    with route53._lock:
        check = route53._health_checks[physical_id]
        check["config"] = {key: str(value).lower() if isinstance(value, bool) else value for key, value in now.items()}
        check["version"] = check.get("version", 1) + 1
    return physical_id, {"HealthCheckId": physical_id}


def _check_delete(physical_id: str, _: Properties) -> None:
    with route53._lock:
        check = route53._health_checks.pop(physical_id, None)
        if check:
            route53._hc_caller_refs.pop(check.get("caller_reference", ""), None)


# --- AWS::IAM::OIDCProvider ---------------------------------------------------------------------------------------


def _oidc_create(_logical_id: str, props: Properties, _stack_name: str) -> Created:
    request: dict[str, list[str]] = {"Url": [props["Url"]]}
    for name, values in (("ClientIDList", props.get("ClientIdList", [])), ("ThumbprintList", props.get("ThumbprintList", []))):
        for number, value in enumerate(values, 1):
            request[f"{name}.member.{number}"] = [value]
    _answered(iam._create_oidc_provider(request))
    arn = f"arn:aws:iam::{get_account_id()}:oidc-provider/{props['Url'].split('://', 1)[-1].rstrip('/')}"
    return arn, {"Arn": arn}


def _oidc_update(physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None) -> Created:
    provider = iam._oidc_providers.get(physical_id)
    if provider is None or old.get("Url") != new.get("Url"):
        return _oidc_create(logical_id or physical_id, new, stack_name)
    provider["ClientIDList"] = list(new.get("ClientIdList", []))
    provider["ThumbprintList"] = list(new.get("ThumbprintList", []))
    return physical_id, {"Arn": physical_id}


def _oidc_delete(physical_id: str, _: Properties) -> None:
    iam._oidc_providers.pop(physical_id, None)


# --- AWS::CloudFront::Function: its physical id is the ARN, the primary identifier of the provider schema; MiniStack's is the name ---


def _function_name(physical_id: str) -> str:
    return physical_id.rpartition("/")[2]


def _function_create(logical_id: str, props: Properties, stack_name: str) -> Created:
    _, attributes = cfn._cf_function_create(logical_id, props, stack_name)
    return attributes["FunctionARN"], attributes


def _function_update(physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None) -> Created:
    _, attributes = cfn._cf_function_update(_function_name(physical_id), old, new, stack_name, logical_id)
    return attributes["FunctionARN"], attributes


def _function_delete(physical_id: str, props: Properties) -> None:
    cfn._cf_function_delete(_function_name(physical_id), props)


# --- AWS::Logs::DeliverySource, DeliveryDestination, Delivery ------------------------------------------------------


def _source_create(_logical_id: str, props: Properties, _stack_name: str) -> Created:
    request = {"name": props["Name"], "resourceArn": props.get("ResourceArn"), "logType": props.get("LogType")}
    if any(each["name"] != props["Name"] and props.get("ResourceArn") in each["resourceArns"] for each in logs._delivery_sources.values()):
        # aws-cloudformation/cloudformation-coverage-roadmap issue 2513.
        raise ValueError("This ResourceId has already been used in another Delivery Source in this account.")
    source = _answered(logs._put_delivery_source(request))["deliverySource"]
    return source["name"], {"Arn": source["arn"], "Service": source["service"], "ResourceArns": source["resourceArns"]}


def _source_update(physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None) -> Created:
    # A create-only property changed under the same custom name: CloudFormation refuses that replacement.
    if old.get("Name") == new.get("Name") and any(old.get(key) != new.get(key) for key in ("ResourceArn", "LogType")):
        raise ValueError(f"CloudFormation cannot update the custom-named {physical_id}; rename it to replace it")
    return _source_create(logical_id or physical_id, new, stack_name)


def _source_delete(physical_id: str, _: Properties) -> None:
    _gone(logs._delete_delivery_source({"name": physical_id}))


def _target_create(_logical_id: str, props: Properties, _stack_name: str) -> Created:
    request = {
        "name": props["Name"],
        "outputFormat": props.get("OutputFormat", "json"),
        "deliveryDestinationConfiguration": {"destinationResourceArn": props.get("DestinationResourceArn")},
    }
    target = _answered(logs._put_delivery_destination(request))["deliveryDestination"]
    policy = props.get("DeliveryDestinationPolicy")
    if policy:
        logs._delivery_destinations[target["name"]]["policy"] = policy if isinstance(policy, str) else json.dumps(policy)
    return target["name"], {"Arn": target["arn"], "DeliveryDestinationType": target["deliveryDestinationType"]}


_TARGET_FIXED = ("DestinationResourceArn", "OutputFormat", "DeliveryDestinationType")
"""createOnlyProperties of the provider schema, beside the name."""


def _target_update(physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None) -> Created:
    if old.get("Name") == new.get("Name") and any(old.get(key) != new.get(key) for key in _TARGET_FIXED):
        raise ValueError(f"CloudFormation cannot update the custom-named {physical_id}; rename it to replace it")
    return _target_create(logical_id or physical_id, new, stack_name)


def _target_delete(physical_id: str, _: Properties) -> None:
    _gone(logs._delete_delivery_destination({"name": physical_id}))


def _s3_settings(props: Properties) -> dict[str, Any]:
    """CloudFormation spells them S3SuffixPath and S3EnableHiveCompatiblePath; the API s3DeliveryConfiguration."""
    settings: dict[str, Any] = {}
    if "S3SuffixPath" in props:
        settings["suffixPath"] = props["S3SuffixPath"]
    if "S3EnableHiveCompatiblePath" in props:
        settings["enableHiveCompatiblePath"] = _truth(props["S3EnableHiveCompatiblePath"])
    return settings


_AWS_PREFIX = "AWSLogs/{account-id}/CloudFront/"


def _with_aws_prefix(props: Properties, settings: dict[str, Any]) -> dict[str, Any]:
    """What CreateDelivery makes of the suffix path of a CloudFront source whose bucket has no prefix; an update takes it as it comes.

    Source: CloudFront Developer Guide, "Send logs to Amazon S3"; cloudformation-coverage-roadmap#2274.
    """
    source = logs._delivery_sources.get(props.get("DeliverySourceName"), {})
    targets = {each["arn"]: each for each in logs._delivery_destinations.values()}
    target = targets.get(props.get("DeliveryDestinationArn"), {})
    arn = str(target.get("deliveryDestinationConfiguration", {}).get("destinationResourceArn", ""))
    if source.get("service") != "cloudfront" or ":s3:::" not in arn or "/" in arn:
        return settings
    return {**settings, "suffixPath": _AWS_PREFIX + str(settings.get("suffixPath", "")).removeprefix(_AWS_PREFIX).lstrip("/")}


def _delivery_create(_logical_id: str, props: Properties, _stack_name: str) -> Created:
    request = _lower_first(
        {key: props[key] for key in ("DeliverySourceName", "DeliveryDestinationArn", "RecordFields", "FieldDelimiter") if key in props}
    )
    answer = logs._create_delivery({**request, "s3DeliveryConfiguration": _with_aws_prefix(props, _s3_settings(props))})
    delivery = _with_aws_id(_answered(answer)["delivery"])
    return delivery["id"], _delivery_attributes(delivery)


def _with_aws_id(delivery: dict[str, Any]) -> dict[str, Any]:
    """The stored delivery under an id as AWS makes them: letters and digits, which MiniStack's UUIDs are not."""
    stored: dict[str, Any] = logs._deliveries.pop(delivery["id"])
    plain = delivery["id"].replace("-", "")
    stored |= {"id": plain, "arn": stored["arn"].replace(delivery["id"], plain)}
    logs._deliveries[plain] = stored
    return stored


def _delivery_attributes(delivery: dict[str, Any]) -> dict[str, Any]:
    return {"DeliveryId": delivery["id"], "Arn": delivery["arn"], "DeliveryDestinationType": delivery["deliveryDestinationType"]}


def _delivery_update(physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None) -> Created:
    delivery = logs._deliveries.get(physical_id)
    if delivery is None or any(old.get(key) != new.get(key) for key in ("DeliverySourceName", "DeliveryDestinationArn")):
        return _delivery_create(logical_id or physical_id, new, stack_name)
    delivery["recordFields"] = list(new.get("RecordFields", []))
    delivery["fieldDelimiter"] = new.get("FieldDelimiter", "")
    delivery["s3DeliveryConfiguration"] = _s3_settings(new)
    return physical_id, _delivery_attributes(delivery)


def _delivery_delete(physical_id: str, _: Properties) -> None:
    _gone(logs._delete_delivery({"id": physical_id}))


def _gone(answer: tuple[int, Any, Any]) -> None:
    """A deletion; what is not there any more is as good as deleted."""
    if answer[0] >= 300 and b"ResourceNotFoundException" not in (answer[2] if isinstance(answer[2], bytes) else str(answer[2]).encode()):
        _answered(answer)


# --- AWS::CloudFront::MonitoringSubscription ----------------------------------------------------------------------


def _monitor_create(_logical_id: str, props: Properties, _stack_name: str) -> Created:
    distribution = cloudfront._distributions.get(props["DistributionId"])
    if distribution is None:
        raise ValueError("The specified distribution does not exist.")
    config = props["MonitoringSubscription"].get("RealtimeMetricsSubscriptionConfig", {})
    distribution["MonitoringSubscription"] = {
        "RealtimeMetricsSubscriptionStatus": config.get("RealtimeMetricsSubscriptionStatus", "Disabled")
    }
    return props["DistributionId"], {}


def _monitor_update(physical_id: str, _old: Properties, new: Properties, stack_name: str) -> Created:
    return _monitor_create(physical_id, new, stack_name)


def _monitor_delete(physical_id: str, _: Properties) -> None:
    distribution = cloudfront._distributions.get(physical_id)
    if distribution is not None:
        distribution["MonitoringSubscription"] = None


# --- AWS::CloudWatch::CompositeAlarm ------------------------------------------------------------------------------


def _composite_create(logical_id: str, props: Properties, stack_name: str) -> Created:
    name = props.get("AlarmName") or cfn._physical_name(stack_name, logical_id, max_len=255)
    request = {**props, "AlarmName": name, "ActionsEnabled": _truth(props.get("ActionsEnabled", True))}
    _answered(cloudwatch._put_composite_alarm({}, request, False, True))
    return name, {"Arn": f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{name}"}


def _composite_update(physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None) -> Created:
    if old.get("AlarmName") != new.get("AlarmName"):
        return _composite_create(logical_id or physical_id, new, stack_name)
    return _composite_create(logical_id or physical_id, {**new, "AlarmName": physical_id}, stack_name)


def _composite_delete(physical_id: str, _: Properties) -> None:
    cloudwatch._composite_alarms.pop(physical_id, None)
