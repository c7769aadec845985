"""Resource types of Terraform's AWS provider, and what CloudFormation has for each.

In: attributes of an object in a state. Out: its CloudFormation type and primary identifier, or what it is instead.
Never: an attribute that is no identifier.

Sources: schemas of hashicorp/aws (versions 4 to 6); primaryIdentifier of CloudFormation's provider schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

Attributes = Mapping[str, str | tuple[str, ...]]
Identifier = dict[str, str]

Part = Literal["resource", "part", "content", "nothing"]
"""`resource`: CloudFormation has a type for it. `part`: a setting of another resource there. `content`: an object in a bucket.
`nothing`: it is in the state only; nothing at AWS goes by it."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One type of Terraform."""

    part: Part = "resource"
    type: str = ""
    """Of CloudFormation; for a `part` the type that has the setting."""
    attributes: tuple[str, ...] = ()
    """What is read of the state."""
    words: tuple[str, ...] = ()
    """Of the role's trust policy no more is read than which of these stand in it."""
    identify: Callable[[Attributes], Identifier | None] = lambda _: None
    """The primary identifier of CloudFormation's type; None where the state does not have it."""


def _one(of: Attributes, *names: str) -> str:
    for name in names:
        value = of.get(name)
        if isinstance(value, str):
            return value
    return ""


def _by(kind: str, key: str, *names: str, also: tuple[str, ...] = ()) -> Kind:
    """Identified by one property, whose value is the first of those attributes."""

    def identify(of: Attributes) -> Identifier | None:
        value = _one(of, *names)
        return {key: value} if value else None

    return Kind(type=kind, attributes=(*names, *also), identify=identify)


def _part(kind: str, key: str, *names: str) -> Kind:
    found = _by(kind, key, *names)
    return Kind(part="part", type=found.type, attributes=found.attributes, identify=found.identify)


def _record(of: Attributes) -> Identifier | None:
    # A zone may be written as Route 53 writes it: /hostedzone/Z1.
    name, zone, kind = _one(of, "fqdn", "name").lower(), _one(of, "zone_id").rpartition("/")[2], _one(of, "type")
    if not (name and zone and kind):
        return None
    found = {"Name": name.rstrip("."), "HostedZoneId": zone, "Type": kind}
    return found | ({"SetIdentifier": _one(of, "set_identifier")} if _one(of, "set_identifier") else {})


def _web_acl(of: Attributes) -> Identifier | None:
    name, key, scope = _one(of, "name"), _one(of, "id"), _one(of, "scope")
    return {"Name": name, "Id": key, "Scope": scope} if name and key and scope else None


BUCKET, DISTRIBUTION, RECORD, ROLE = "AWS::S3::Bucket", "AWS::CloudFront::Distribution", "AWS::Route53::RecordSet", "AWS::IAM::Role"
CERTIFICATE, FUNCTION = "AWS::CertificateManager::Certificate", "AWS::Lambda::Function"
ACCESS_IDENTITY, ZONE = "AWS::CloudFront::CloudFrontOriginAccessIdentity", "AWS::Route53::HostedZone"

_BUCKET_PARTS = (
    "acl",
    "accelerate_configuration",
    "analytics_configuration",
    "cors_configuration",
    "intelligent_tiering_configuration",
    "inventory",
    "lifecycle_configuration",
    "logging",
    "metric",
    "notification",
    "object_lock_configuration",
    "ownership_controls",
    "public_access_block",
    "replication_configuration",
    "request_payment_configuration",
    "server_side_encryption_configuration",
    "versioning",
    "website_configuration",
)
"""aws_s3_bucket_...: resources of their own since version 4 of the provider."""

TRUST = "assume_role_policy"
TRUSTED = ("edgelambda.amazonaws.com", "s3.amazonaws.com", "cloudformation.amazonaws.com", "token.actions.githubusercontent.com")
"""Who may take on a role of which the platform has one: the edge function, replication, CloudFormation, workflows."""

_NOTHING = Kind(part="nothing")

_CLOUD_CONTROL: Mapping[str, tuple[str, str]] = {
    "certificatemanager_certificate": (CERTIFICATE, "CertificateArn"),
    "cloudfront_cache_policy": ("AWS::CloudFront::CachePolicy", "Id"),
    "cloudfront_cloudfront_origin_access_identity": (ACCESS_IDENTITY, "Id"),
    "cloudfront_distribution": (DISTRIBUTION, "Id"),
    "cloudfront_function": ("AWS::CloudFront::Function", "FunctionARN"),
    "cloudfront_origin_access_control": ("AWS::CloudFront::OriginAccessControl", "Id"),
    "cloudfront_response_headers_policy": ("AWS::CloudFront::ResponseHeadersPolicy", "Id"),
    "cloudwatch_alarm": ("AWS::CloudWatch::Alarm", "AlarmName"),
    "dynamodb_table": ("AWS::DynamoDB::Table", "TableName"),
    "iam_role": (ROLE, "RoleName"),
    "lambda_function": (FUNCTION, "FunctionName"),
    "logs_log_group": ("AWS::Logs::LogGroup", "LogGroupName"),
    "route53_health_check": ("AWS::Route53::HealthCheck", "HealthCheckId"),
    "route53_hosted_zone": (ZONE, "Id"),
    "s3_bucket": (BUCKET, "BucketName"),
    "s3_bucket_policy": ("AWS::S3::BucketPolicy", "Bucket"),
    "sns_topic": ("AWS::SNS::Topic", "TopicArn"),
}
"""Types of hashicorp/awscc, which are CloudFormation's own: `id` is the primary identifier (provider documentation, "Import")."""

KINDS: Mapping[str, Kind] = {
    "aws_s3_bucket": _by(BUCKET, "BucketName", "bucket", "id"),
    "aws_s3_bucket_policy": _by("AWS::S3::BucketPolicy", "Bucket", "bucket", "id"),
    **{f"aws_s3_bucket_{part}": _part(BUCKET, "BucketName", "bucket") for part in _BUCKET_PARTS},
    "aws_s3_object": Kind(part="content", type=BUCKET, attributes=("bucket",), identify=_part(BUCKET, "BucketName", "bucket").identify),
    "aws_s3_bucket_object": Kind(
        part="content", type=BUCKET, attributes=("bucket",), identify=_part(BUCKET, "BucketName", "bucket").identify
    ),
    "aws_cloudfront_distribution": _by(DISTRIBUTION, "Id", "id", also=("aliases",)),
    "aws_cloudfront_monitoring_subscription": _by("AWS::CloudFront::MonitoringSubscription", "DistributionId", "distribution_id", "id"),
    "aws_cloudfront_origin_access_control": _by("AWS::CloudFront::OriginAccessControl", "Id", "id", also=("name",)),
    "aws_cloudfront_origin_access_identity": _by(ACCESS_IDENTITY, "Id", "id"),
    "aws_cloudfront_function": _by("AWS::CloudFront::Function", "FunctionARN", "arn", also=("name",)),
    "aws_cloudfront_response_headers_policy": _by("AWS::CloudFront::ResponseHeadersPolicy", "Id", "id", also=("name",)),
    "aws_cloudfront_cache_policy": _by("AWS::CloudFront::CachePolicy", "Id", "id", also=("name",)),
    "aws_cloudfront_origin_request_policy": _by("AWS::CloudFront::OriginRequestPolicy", "Id", "id", also=("name",)),
    "aws_route53_zone": _by(ZONE, "Id", "zone_id", "id", also=("name",)),
    "aws_route53_record": Kind(type=RECORD, attributes=("fqdn", "name", "zone_id", "type", "set_identifier"), identify=_record),
    "aws_route53_health_check": _by("AWS::Route53::HealthCheck", "HealthCheckId", "id", also=("fqdn",)),
    "aws_acm_certificate": _by(CERTIFICATE, "CertificateArn", "arn", "id", also=("domain_name",)),
    "aws_acm_certificate_validation": _NOTHING,
    "aws_lambda_function": _by(FUNCTION, "FunctionName", "function_name", "id", also=("version", "qualified_arn")),
    "aws_lambda_permission": Kind(part="part", type=FUNCTION),
    "aws_lambda_alias": _by("AWS::Lambda::Alias", "AliasArn", "arn"),
    "aws_iam_role": replace(_by(ROLE, "RoleName", "name", "id"), words=TRUSTED),
    "aws_iam_role_policy": _part(ROLE, "RoleName", "role"),
    "aws_iam_role_policy_attachment": _part(ROLE, "RoleName", "role"),
    "aws_iam_policy": _by("AWS::IAM::ManagedPolicy", "PolicyArn", "arn", also=("name",)),
    "aws_iam_openid_connect_provider": _by("AWS::IAM::OIDCProvider", "Arn", "arn"),
    "aws_dynamodb_table": _by("AWS::DynamoDB::Table", "TableName", "name", "id"),
    "aws_cloudwatch_log_group": _by("AWS::Logs::LogGroup", "LogGroupName", "name", "id"),
    "aws_cloudwatch_metric_alarm": _by("AWS::CloudWatch::Alarm", "AlarmName", "alarm_name", "id"),
    "aws_cloudwatch_composite_alarm": _by("AWS::CloudWatch::CompositeAlarm", "AlarmName", "alarm_name", "id"),
    "aws_cloudwatch_dashboard": _by("AWS::CloudWatch::Dashboard", "DashboardName", "dashboard_name", "id"),
    "aws_sns_topic": _by("AWS::SNS::Topic", "TopicArn", "arn", also=("name",)),
    "aws_sns_topic_policy": Kind(part="part", type="AWS::SNS::Topic"),
    "aws_sns_topic_subscription": _by("AWS::SNS::Subscription", "Arn", "arn"),
    "aws_wafv2_web_acl": Kind(type="AWS::WAFv2::WebACL", attributes=("name", "id", "scope"), identify=_web_acl),
    "aws_secretsmanager_secret": _by("AWS::SecretsManager::Secret", "Id", "arn", also=("name",)),
    "aws_secretsmanager_secret_version": Kind(part="content", type="AWS::SecretsManager::Secret"),
    "aws_kms_key": _by("AWS::KMS::Key", "KeyId", "key_id", "id"),
    **{f"awscc_{name}": _by(kind, key, "id") for name, (kind, key) in _CLOUD_CONTROL.items()},
    **dict.fromkeys(
        ("null_resource", "terraform_data", "time_sleep", "time_static", "local_file", "local_sensitive_file", "archive_file"), _NOTHING
    ),
    **dict.fromkeys(("random_id", "random_password", "random_pet", "random_string", "random_uuid", "tls_private_key"), _NOTHING),
}
"""What is not here is left alone and named."""
