"""The most characters of names, comments and texts that the services' models do not state or that grow with the users' names."""

from __future__ import annotations

from typing import Any

from assembly.model import RESOURCE_LIMIT

ITEM = "*"
"""A step of a path: every item of a list."""

ROUTING_CODE = 10 * 1024
CONTENT_SECURITY_POLICY = 1783

_CLOUDFRONT = "CloudFront API"
_HEADERS = "ResponseHeadersPolicyConfig"
TEXTS: dict[str, tuple[tuple[tuple[Any, ...], int, str], ...]] = {
    "AWS::CertificateManager::Certificate": ((("SubjectAlternativeNames", ITEM), 253, "ACM API, RequestCertificate"),),
    "AWS::CloudFront::Distribution": ((("DistributionConfig", "Comment"), 128, _CLOUDFRONT),),
    "AWS::CloudFront::Function": (
        (("Name",), 64, _CLOUDFRONT),
        (("FunctionConfig", "Comment"), 128, _CLOUDFRONT),
        (("FunctionCode",), ROUTING_CODE, "CloudFront Developer Guide, quotas on CloudFront Functions"),
    ),
    "AWS::CloudFront::OriginAccessControl": (
        (("OriginAccessControlConfig", "Name"), 64, _CLOUDFRONT),
        (("OriginAccessControlConfig", "Description"), 256, _CLOUDFRONT),
    ),
    "AWS::CloudFront::CachePolicy": ((("CachePolicyConfig", "Comment"), 128, _CLOUDFRONT),),
    "AWS::CloudFront::OriginRequestPolicy": ((("OriginRequestPolicyConfig", "Comment"), 128, _CLOUDFRONT),),
    "AWS::CloudFront::ResponseHeadersPolicy": (
        ((_HEADERS, "Name"), 128, _CLOUDFRONT),
        ((_HEADERS, "Comment"), 128, _CLOUDFRONT),
        (
            (_HEADERS, "SecurityHeadersConfig", "ContentSecurityPolicy", "ContentSecurityPolicy"),
            CONTENT_SECURITY_POLICY,
            "CloudFront Developer Guide, quotas on policies",
        ),
        ((_HEADERS, "CustomHeadersConfig", "Items", ITEM, "Value"), 1783, "CloudFront Developer Guide, quotas on headers"),
    ),
    "AWS::CloudWatch::Alarm": ((("AlarmName",), 255, "CloudWatch API"), (("AlarmDescription",), 1024, "CloudWatch API")),
    "AWS::CloudWatch::CompositeAlarm": ((("AlarmName",), 255, "CloudWatch API"), (("AlarmDescription",), 1024, "CloudWatch API")),
    "AWS::CloudWatch::Dashboard": ((("DashboardName",), 255, "CloudWatch API"),),
    "AWS::DynamoDB::Table": ((("TableName",), 255, "DynamoDB API"),),
    "AWS::IAM::ManagedPolicy": ((("ManagedPolicyName",), 128, "IAM API"), (("Description",), 1000, "IAM API")),
    "AWS::IAM::Role": ((("RoleName",), 64, "IAM API"), (("Description",), 1000, "IAM API")),
    "AWS::Lambda::Function": ((("FunctionName",), 64, "Lambda API"), (("Description",), 256, "Lambda API")),
    "AWS::Lambda::Version": ((("Description",), 256, "Lambda API"),),
    "AWS::Logs::DeliveryDestination": ((("Name",), 60, "CloudWatch Logs API"),),
    "AWS::Logs::DeliverySource": ((("Name",), 60, "CloudWatch Logs API"),),
    "AWS::Logs::LogGroup": ((("LogGroupName",), 512, "CloudWatch Logs API"),),
    "AWS::Route53::HealthCheck": (
        (("HealthCheckConfig", "FullyQualifiedDomainName"), 255, "Route 53 API"),
        (("HealthCheckConfig", "ResourcePath"), 255, "Route 53 API"),
    ),
    "AWS::S3::Bucket": ((("BucketName",), 63, "Amazon S3 User Guide, bucket naming rules"),),
    "AWS::SNS::Topic": ((("TopicName",), 256, "Amazon SNS API"), (("DisplayName",), 100, "Amazon SNS API")),
}
"""Type -> path, most characters, source. The API models of botocore hold most of them; CloudFront's stand in its reference only."""

MANAGED_POLICY = 6144
INLINE_POLICIES = {"AWS::IAM::Role": 10240, "AWS::IAM::Group": 5120, "AWS::IAM::User": 2048}
TRUST_POLICY = 2048
MANAGED_POLICIES_ATTACHED = 10
"""IAM counts characters without white space. Source: IAM User Guide, "IAM and AWS STS quotas"; all of them defaults."""

RESOURCE_POLICIES = {
    "AWS::S3::BucketPolicy": ("PolicyDocument", 20 * 1024),
    "AWS::SNS::TopicPolicy": ("PolicyDocument", 30 * 1024),
    "AWS::KMS::Key": ("KeyPolicy", 32 * 1024),
    "AWS::SecretsManager::ResourcePolicy": ("ResourcePolicy", 20 * 1024),
}
"""Sources: Amazon S3 User Guide, "Bucket policies"; Amazon SNS quotas; KMS and Secrets Manager quotas."""

SECTIONS = {"Parameters": 200, "Mappings": 200, "Outputs": 200, "Resources": RESOURCE_LIMIT}
EXPORT_NAME = 255
"""Sources: CloudFormation User Guide, "Understand CloudFormation quotas" and "Outputs"."""
