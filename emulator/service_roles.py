# mypy: allow-untyped-calls
"""CloudFormation acts with the role that it was given, and that role needs the permission for each call to a service.

In: the role of a stack's last request, a resource that is about to be made, changed or deleted. Out: nothing, or AWS's refusal, which fails
the resource.
Never: stands in the way where IAM is not enforced or the stack has no role (then AWS uses the caller's permissions; here nobody's).

Only the calls without which the resource cannot be are asked for, by the properties that are set; what the handlers read on the way is held
against the policies by the gate. Conditions are evaluated with the keys that each call carries (Service Authorization Reference).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ministack import app
from ministack.core import iam_evaluator, responses
from ministack.services.cloudformation import handlers, stacks

from emulator.permissions import first

_roles: dict[tuple[str, str, str], str] = {}
"""(account, region, stack name) -> ARN of the role."""


@dataclass(frozen=True)
class Call:
    """One call of a service."""

    action: str
    resource: str = "*"
    context: Mapping[str, Any] = field(default_factory=dict)


class Denied(Exception):
    """AWS's words."""


def install() -> None:
    """Wrap the requests that name a role, and the three things that are done to a resource."""
    table: Any = handlers._ACTION_HANDLERS
    for name in ("CreateChangeSet", "CreateStack", "UpdateStack", "DeleteStack"):
        table[name] = _noting(table[name])
    engine: Any = stacks
    make, change, delete = engine._provision_resource, engine._update_resource, engine._delete_resource

    def made(kind: str, logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        _ask(stack_name, _calls(kind, "create", props, ""))
        return make(kind, logical_id, props, stack_name)

    def changed(kind: str, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str, *further: Any) -> Any:
        if old != new:
            _ask(stack_name, _calls(kind, "update", new, physical_id))
        return change(kind, physical_id, old, new, stack_name, *further)

    def deleted(kind: str, physical_id: str, props: dict[str, Any], stack_name: str | None = None, logical_id: str | None = None) -> Any:
        _ask(stack_name or "", _calls(kind, "delete", props, physical_id))
        return delete(kind, physical_id, props, stack_name, logical_id)

    engine._provision_resource, engine._update_resource, engine._delete_resource = made, changed, deleted


def _noting(act: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def noted(params: Mapping[str, Any]) -> Any:
        role, name = (first(params, key) for key in ("RoleARN", "StackName"))
        if role:
            _roles[responses.get_account_id(), responses.get_region(), _stack(name)] = role
        return act(params)

    return noted


def _stack(name: str) -> str:
    return name.split("/")[1] if name.startswith("arn:") else name


def _ask(stack_name: str, calls: list[Call]) -> None:
    """Raise `Denied` for the first call that the stack's role may not make."""
    account, region = responses.get_account_id(), responses.get_region()
    role = _roles.get((account, region, _stack(stack_name)))
    if not app.AUTH or role is None:
        return
    name = role.rpartition("/")[2]
    policies = iam_evaluator._gather_role_policies(name, account)
    for call in calls:
        resource = call.resource.replace("{account}", account).replace("{region}", region)
        session = f"arn:aws:sts::{account}:assumed-role/{name}/AWSCloudFormation"
        asked = iam_evaluator.EvalContext(
            principal_arn=session,
            principal_type="AssumedRole",
            principal_account=account,
            action=call.action,
            resource_arn=resource,
            region=region,
            secure_transport=True,
            service_context={key.lower(): value for key, value in call.context.items()},
        )
        if iam_evaluator.evaluate(asked, policies).decision != "Allow":
            raise Denied(
                f"User: {session} is not authorized to perform: {call.action} on resource: {resource} because no identity-based policy"
                f" allows the {call.action} action (Status Code: 403)"
            )


# --- calls by type ------------------------------------------------------------------------------------------------


def _calls(kind: str, work: str, props: Mapping[str, Any], physical_id: str) -> list[Call]:
    found = _BY_TYPE.get(kind)
    if found is not None:
        return list(found(work, props, physical_id))
    _, service, name = [*kind.split("::"), "", ""][:3]
    if service in ("CloudFormation", "") or kind.startswith("Custom::"):
        return []
    verb = {"create": "Create", "update": "Update", "delete": "Delete"}[work]
    return [Call(f"{service.lower()}:{verb}{name}", f"arn:aws:{service.lower()}:{{region}}:{{account}}:{props.get(f'{name}Name', name)}")]


Calls = Callable[[str, Mapping[str, Any], str], Iterator[Call]]


def _plain(create: str, delete: str, arn: str, *, update: str = "", name: str = "", made_on: str | None = None) -> Calls:
    """One call each; `{}` in the ARN is the name property, else the physical id. `made_on`: what the creation is asked on, if another."""

    def calls(work: str, props: Mapping[str, Any], physical_id: str) -> Iterator[Call]:
        resource = arn.replace("{}", str(props.get(name) or physical_id.rpartition(":")[2].rpartition("/")[2] or "*"))
        if work == "create":
            yield Call(create, resource if made_on is None else made_on)
        else:
            yield Call((update or create) if work == "update" else delete, resource)

    return calls


_BUCKET = {
    "BucketEncryption": "PutEncryptionConfiguration",
    "CorsConfiguration": "PutBucketCORS",
    "LifecycleConfiguration": "PutLifecycleConfiguration",
    "LoggingConfiguration": "PutBucketLogging",
    "NotificationConfiguration": "PutBucketNotification",
    "OwnershipControls": "PutBucketOwnershipControls",
    "PublicAccessBlockConfiguration": "PutBucketPublicAccessBlock",
    "ReplicationConfiguration": "PutReplicationConfiguration",
    "VersioningConfiguration": "PutBucketVersioning",
    "WebsiteConfiguration": "PutBucketWebsite",
}


def _bucket(work: str, props: Mapping[str, Any], physical_id: str) -> Iterator[Call]:
    arn = f"arn:aws:s3:::{props.get('BucketName') or physical_id or '*'}"
    if work != "update":
        yield Call("s3:CreateBucket" if work == "create" else "s3:DeleteBucket", arn)
    if work != "delete":
        yield from (Call(f"s3:{action}", arn) for name, action in _BUCKET.items() if name in props)
        replication = props.get("ReplicationConfiguration")
        if replication:
            yield _pass(replication["Role"], "s3.amazonaws.com")


def _pass(role: str, service: str) -> Call:
    return Call("iam:PassRole", role, {"iam:PassedToService": service})


def _distribution(work: str, props: Mapping[str, Any], physical_id: str) -> Iterator[Call]:
    if work == "delete":
        yield Call("cloudfront:DeleteDistribution", f"arn:aws:cloudfront::{{account}}:distribution/{physical_id}")
        return
    name = (
        ("CreateDistribution", "*")
        if work == "create"
        else ("UpdateDistribution", f"arn:aws:cloudfront::{{account}}:distribution/{physical_id}")
    )
    yield Call(f"cloudfront:{name[0]}", name[1])
    config = props.get("DistributionConfig", {})
    for behaviour in (config.get("DefaultCacheBehavior", {}), *config.get("CacheBehaviors", [])):
        for function in behaviour.get("LambdaFunctionAssociations", []):
            arn = function["LambdaFunctionARN"]
            yield from (Call(f"lambda:{action}", arn) for action in ("GetFunction", "EnableReplication*"))
            for service, linked in (("replicator.lambda", "LambdaReplicator"), ("logger.cloudfront", "CloudFrontLogger")):
                role = f"arn:aws:iam::{{account}}:role/aws-service-role/{service}.amazonaws.com/AWSServiceRoleFor{linked}"
                yield Call("iam:CreateServiceLinkedRole", role, {"iam:AWSServiceName": f"{service}.amazonaws.com"})


def _function(work: str, props: Mapping[str, Any], physical_id: str) -> Iterator[Call]:
    arn = f"arn:aws:lambda:{{region}}:{{account}}:function:{props.get('FunctionName') or physical_id}"
    if work == "delete":
        yield Call("lambda:DeleteFunction", arn)
        return
    yield from (
        Call(f"lambda:{name}", arn)
        for name in (("CreateFunction",) if work == "create" else ("UpdateFunctionCode", "UpdateFunctionConfiguration"))
    )
    yield _pass(props["Role"], "lambda.amazonaws.com")


def _version(work: str, props: Mapping[str, Any], _: str) -> Iterator[Call]:
    name = str(props.get("FunctionName", "")).rpartition("function:")[2].partition(":")[0]
    action = "lambda:DeleteFunction" if work == "delete" else "lambda:PublishVersion"
    yield Call(action, f"arn:aws:lambda:{{region}}:{{account}}:function:{name}")


def _role(work: str, props: Mapping[str, Any], physical_id: str) -> Iterator[Call]:
    arn = f"arn:aws:iam::{{account}}:role/{props.get('RoleName') or physical_id}"
    bounded = {"iam:PermissionsBoundary": props["PermissionsBoundary"]} if "PermissionsBoundary" in props else {}
    first = {"create": "CreateRole", "update": "UpdateRole", "delete": "DeleteRole"}[work]
    yield Call(f"iam:{first}", arn, bounded if work == "create" else {})
    for _policy in props.get("Policies", []):
        yield Call("iam:DeleteRolePolicy" if work == "delete" else "iam:PutRolePolicy", arn, bounded)
    for policy in props.get("ManagedPolicyArns", []):
        yield Call("iam:DetachRolePolicy" if work == "delete" else "iam:AttachRolePolicy", arn, {**bounded, "iam:PolicyARN": policy})


def _certificate(work: str, props: Mapping[str, Any], physical_id: str) -> Iterator[Call]:
    names = [props.get("DomainName"), *props.get("SubjectAlternativeNames", [])]
    if work == "create":
        yield Call(
            "acm:RequestCertificate", "*", {"acm:DomainNames": names, "acm:ValidationMethod": props.get("ValidationMethod", "EMAIL")}
        )
        for option in props.get("DomainValidationOptions", []):
            if option.get("HostedZoneId"):
                record = f"_0123456789abcdef.{option['DomainName'].removeprefix('*.')}"
                yield _records(option["HostedZoneId"], [record])
    else:
        yield Call("acm:DeleteCertificate" if work == "delete" else "acm:UpdateCertificateOptions", physical_id)


def _records(zone: str, names: list[str]) -> Call:
    normal = sorted({name.rstrip(".").lower() for name in names})
    arn = f"arn:aws:route53:::hostedzone/{zone.rpartition('/')[2]}"
    return Call("route53:ChangeResourceRecordSets", arn, {"route53:ChangeResourceRecordSetsNormalizedRecordNames": normal})


def _record_sets(_: str, props: Mapping[str, Any], __: str) -> Iterator[Call]:
    sets = props.get("RecordSets") or [props]
    yield _records(str(props.get("HostedZoneId", "*")), [str(each["Name"]) for each in sets if "Name" in each])


def _delivery_source(work: str, props: Mapping[str, Any], physical_id: str) -> Iterator[Call]:
    arn = f"arn:aws:logs:{{region}}:{{account}}:delivery-source:{props.get('Name') or physical_id}"
    yield Call("logs:DeleteDeliverySource" if work == "delete" else "logs:PutDeliverySource", arn)
    if work == "create" and props.get("ResourceArn"):
        yield Call("cloudfront:AllowVendedLogDeliveryForResource", str(props["ResourceArn"]))


def _log_group(work: str, props: Mapping[str, Any], physical_id: str) -> Iterator[Call]:
    arn = f"arn:aws:logs:{{region}}:{{account}}:log-group:{props.get('LogGroupName') or physical_id}"
    if work != "update":
        yield Call("logs:CreateLogGroup" if work == "create" else "logs:DeleteLogGroup", arn)
    if work != "delete" and "RetentionInDays" in props:
        yield Call("logs:PutRetentionPolicy", arn)


def _web_acl(work: str, props: Mapping[str, Any], physical_id: str) -> Iterator[Call]:
    verb, at = {"create": "Create", "update": "Update", "delete": "Delete"}[work], "arn:aws:wafv2:us-east-1:{account}:global"
    name, identity = [*physical_id.split("|"), "", ""][:2]
    yield Call(f"wafv2:{verb}WebACL", f"{at}/webacl/{props.get('Name') or name}/{identity or 'new'}")
    groups = [rule.get("Statement", {}).get("ManagedRuleGroupStatement") for rule in props.get("Rules", [])]
    if work != "delete":
        yield from (Call(f"wafv2:{verb}WebACL", f"{at}/managedruleset/{each['Name']}/1") for each in groups if each)


def _firewall_logs(work: str, props: Mapping[str, Any], physical_id: str) -> Iterator[Call]:
    verb, delivery = ("Delete", "DeleteLogDelivery") if work == "delete" else ("Put", "CreateLogDelivery")
    yield Call(f"wafv2:{verb}LoggingConfiguration", str(props.get("ResourceArn") or physical_id))
    yield Call(f"logs:{delivery}", "*")


_EDGE = "arn:aws:cloudfront::{account}:"
_LOGS = "arn:aws:logs:{region}:{account}:"
_ALARM = "arn:aws:cloudwatch:{region}:{account}:alarm:{}"
_CHECK = "arn:aws:route53:::healthcheck/{}"
_TOPIC = "arn:aws:sns:{region}:{account}:{}"
_BY_TYPE: Mapping[str, Calls] = {
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _plain("s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "arn:aws:s3:::{}", name="Bucket"),
    "AWS::CloudFront::Distribution": _distribution,
    "AWS::CloudFront::MonitoringSubscription": _plain(
        "cloudfront:CreateMonitoringSubscription", "cloudfront:DeleteMonitoringSubscription", "*"
    ),
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::Version": _version,
    "AWS::IAM::Role": _role,
    "AWS::CertificateManager::Certificate": _certificate,
    "AWS::Route53::RecordSet": _record_sets,
    "AWS::Route53::RecordSetGroup": _record_sets,
    "AWS::Route53::HealthCheck": _plain(
        "route53:CreateHealthCheck", "route53:DeleteHealthCheck", _CHECK, update="route53:UpdateHealthCheck", made_on="*"
    ),
    "AWS::CloudWatch::Alarm": _plain("cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms", _ALARM, name="AlarmName"),
    "AWS::CloudWatch::CompositeAlarm": _plain("cloudwatch:PutCompositeAlarm", "cloudwatch:DeleteAlarms", _ALARM, name="AlarmName"),
    "AWS::CloudWatch::Dashboard": _plain(
        "cloudwatch:PutDashboard", "cloudwatch:DeleteDashboards", "arn:aws:cloudwatch::{account}:dashboard/{}", name="DashboardName"
    ),
    "AWS::SNS::Topic": _plain("sns:CreateTopic", "sns:DeleteTopic", _TOPIC, update="sns:SetTopicAttributes", name="TopicName"),
    "AWS::SNS::TopicPolicy": lambda _, props, __: (Call("sns:SetTopicAttributes", str(topic)) for topic in props.get("Topics", [])),
    "AWS::SNS::Subscription": lambda work, props, physical_id: iter(
        [Call("sns:Subscribe", str(props.get("TopicArn"))) if work == "create" else Call("sns:Unsubscribe", physical_id)]
    ),
    "AWS::WAFv2::WebACL": _web_acl,
    "AWS::WAFv2::LoggingConfiguration": _firewall_logs,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::Logs::DeliverySource": _delivery_source,
    "AWS::Logs::DeliveryDestination": _plain(
        "logs:PutDeliveryDestination", "logs:DeleteDeliveryDestination", f"{_LOGS}delivery-destination:{{}}", name="Name"
    ),
    "AWS::Logs::Delivery": _plain(
        "logs:CreateDelivery", "logs:DeleteDelivery", f"{_LOGS}delivery:{{}}", update="logs:UpdateDeliveryConfiguration"
    ),
    **{
        f"AWS::CloudFront::{kind}": _plain(
            f"cloudfront:Create{kind}",
            f"cloudfront:Delete{kind}",
            f"{_EDGE}{word}/{{}}",
            update=f"cloudfront:Update{kind}",
            name=name,
            made_on="*",
        )
        for kind, word, name in (
            ("CachePolicy", "cache-policy", ""),
            ("Function", "function", "Name"),
            ("OriginAccessControl", "origin-access-control", ""),
            ("ResponseHeadersPolicy", "response-headers-policy", ""),
        )
    },
}
