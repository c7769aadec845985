"""What the resource handlers may ask for and the platform's roles are not given, with the reason.

In: nothing. Out: `LEFT_OUT`, read by the gate (`lint.handlers`) and by docs/handler-permissions.md.
Never: grants anything; that is `policies.provisioning`.

A handler's permissions are all that any use of its type could need (provider schema, `handlers`). A reason holds as long as the resource
does not set one of the properties named beside it: with one of them the permission counts as missing.
"""

from __future__ import annotations

from typing import NamedTuple

STANDS_FOR = {"AWS::Route53::RecordSetGroup": "AWS::Route53::RecordSet"}
"""Types whose schema names no handlers -> the type that is made by the same calls (both write record sets of one zone)."""

UNUSED = "a setting that the platform does not use"


class LeftOut(NamedTuple):
    """Permissions that are not granted."""

    pattern: str
    """Of the permission, case-sensitive; `*` for any characters."""
    reason: str
    unless: tuple[str, ...] = ()
    """Properties (dotted, through lists) whose use takes the reason away."""


LEFT_OUT: dict[str, tuple[LeftOut, ...]] = {
    "AWS::Lambda::Function": (
        LeftOut("ec2:*", "no VPC at the edge", ("VpcConfig",)),
        LeftOut("elasticfilesystem:*", "no file system at the edge", ("FileSystemConfigs",)),
        LeftOut("s3files:*", "no file system at the edge", ("FileSystemConfigs",)),
        LeftOut("kms:*", "no customer key at the edge", ("KmsKeyArn", "Code.SourceKMSKeyArn")),
        LeftOut("s3:*", "the code is in the template", ("Code.S3Bucket",)),
        LeftOut("lambda:AssociateRuntimeAlias", UNUSED, ("RuntimeManagementConfig",)),
        LeftOut("lambda:*CodeSigning*", UNUSED, ("CodeSigningConfigArn",)),
        LeftOut("lambda:*Concurrency", UNUSED, ("ReservedConcurrentExecutions",)),
        LeftOut("lambda:GetLayerVersion", "no layer at the edge", ("Layers",)),
        LeftOut("lambda:PassCapacityProvider", UNUSED, ("CapacityProviderConfig",)),
        LeftOut("lambda:PutFunctionRecursionConfig", UNUSED, ("RecursiveLoop",)),
        LeftOut("lambda:PutFunctionScalingConfig", UNUSED, ("FunctionScalingConfig",)),
        LeftOut("lambda:PutRuntimeManagementConfig", UNUSED, ("RuntimeManagementConfig",)),
    ),
    "AWS::Lambda::Version": (
        LeftOut("lambda:PutFunctionScalingConfig", UNUSED, ("FunctionScalingConfig",)),
        LeftOut("lambda:PutProvisionedConcurrencyConfig", "no provisioned concurrency at the edge", ("ProvisionedConcurrencyConfig",)),
        LeftOut("lambda:PutRuntimeManagementConfig", UNUSED, ("RuntimePolicy",)),
    ),
    "AWS::IAM::Role": (
        LeftOut("iam:AttachRolePolicy", "roles of stacks have inline policies only; a managed one could be any", ("ManagedPolicyArns",)),
        LeftOut("iam:DetachRolePolicy", "roles of stacks have inline policies only", ("ManagedPolicyArns",)),
        LeftOut("iam:DeleteRolePermissionsBoundary", "the boundary stays"),
    ),
    "AWS::CertificateManager::Certificate": (LeftOut("acm-pca:*", "a public certificate", ("CertificateAuthorityArn",)),),
    "AWS::S3::Bucket": (
        LeftOut("s3tables:*", UNUSED, ("MetadataTableConfiguration", "MetadataConfiguration")),
        LeftOut("s3:*MetadataTable*", UNUSED, ("MetadataTableConfiguration", "MetadataConfiguration")),
        LeftOut("s3:UpdateBucketMetadata*", UNUSED, ("MetadataConfiguration",)),
        LeftOut("s3:PutBucketWebsite", "a private bucket is no website", ("WebsiteConfiguration",)),
        LeftOut("s3:PutBucketCORS", UNUSED, ("CorsConfiguration",)),
        LeftOut("s3:DeleteBucketCors", UNUSED, ("CorsConfiguration",)),
        LeftOut("s3:PutBucketLogging", UNUSED, ("LoggingConfiguration",)),
        LeftOut("s3:PutBucketNotification", UNUSED, ("NotificationConfiguration",)),
        LeftOut("s3:PutAnalyticsConfiguration", UNUSED, ("AnalyticsConfigurations",)),
        LeftOut("s3:DeleteBucketAnalyticsConfiguration", UNUSED, ("AnalyticsConfigurations",)),
        LeftOut("s3:PutIntelligentTieringConfiguration", UNUSED, ("IntelligentTieringConfigurations",)),
        LeftOut("s3:PutInventoryConfiguration", UNUSED, ("InventoryConfigurations",)),
        LeftOut("s3:PutMetricsConfiguration", UNUSED, ("MetricsConfigurations",)),
        LeftOut("s3:DeleteBucketMetricsConfiguration", UNUSED, ("MetricsConfigurations",)),
        LeftOut("s3:PutAccelerateConfiguration", UNUSED, ("AccelerateConfiguration",)),
        LeftOut("s3:PutBucketAcl", "no access control lists", ("AccessControl",)),
        LeftOut("s3:PutObjectAcl", "no access control lists", ("AccessControl",)),
        LeftOut("s3:PutBucketAbac", UNUSED, ("AbacStatus",)),
        LeftOut("s3:PutBucketObjectLockConfiguration", UNUSED, ("ObjectLockConfiguration", "ObjectLockEnabled")),
        LeftOut("s3:PutObjectLockConfiguration", UNUSED, ("ObjectLockConfiguration", "ObjectLockEnabled")),
        LeftOut("s3:DeleteBucketEncryption", "encryption is never taken off"),
        LeftOut("s3:DeleteBucketLifecycle", "the rules are changed, never taken off"),
        LeftOut("s3:DeleteBucketReplication", "no IAM action; s3:PutReplicationConfiguration covers it"),
        LeftOut("s3:PutBucketReplication", "no IAM action; s3:PutReplicationConfiguration covers it"),
        LeftOut("s3:DeleteObject", "buckets are retained; CloudFormation never empties one"),
    ),
    "AWS::CloudFront::Distribution": (
        LeftOut("cloudfront:*ConnectionGroup", UNUSED, ("DistributionConfig.ConnectionMode",)),
        LeftOut("cloudfront:GetVpcOrigin", UNUSED, ("DistributionConfig.Origins.VpcOriginConfig",)),
        LeftOut("cloudfront:UpdateDistributionWithStagingConfig", UNUSED, ("DistributionConfig.Staging",)),
        LeftOut("cloudfront:CreateDistributionWithTags", "no IAM action; CreateDistribution and TagResource cover it"),
    ),
    "AWS::WAFv2::WebACL": (
        LeftOut("payments:GetConnectedAccount", "asked for rule groups of the marketplace only; the platform has AWS's own"),
    ),
    "AWS::WAFv2::LoggingConfiguration": (
        LeftOut("firehose:*", "the logs go to a bucket"),
        LeftOut("iam:DescribeOrganization", "asked for a log group only"),
        LeftOut("logs:PutResourcePolicy", "asked for a log group only"),
        LeftOut("logs:DescribeResourcePolicies", "asked for a log group only"),
        LeftOut("logs:DescribeLogGroups", "asked for a log group only"),
    ),
    "AWS::Route53::HealthCheck": (LeftOut("route53-recovery-control-config:*", UNUSED, ("HealthCheckConfig.RoutingControlArn",)),),
    "AWS::SNS::Topic": (
        LeftOut("sns:PutDataProtectionPolicy", UNUSED, ("DataProtectionPolicy",)),
        LeftOut("iam:*Role", "nothing logs deliveries, so no role is passed to SNS", ("DeliveryStatusLogging",)),
    ),
    "AWS::SNS::Subscription": (LeftOut("iam:*Role", "the subscription is an e-mail address's; no role", ("SubscriptionRoleArn",)),),
    "AWS::Logs::DeliverySource": (
        LeftOut("autoloop:*", "the source is CloudFront"),
        LeftOut("codewhisperer:*", "the source is CloudFront"),
        LeftOut("workmail:*", "the source is CloudFront"),
        LeftOut("logs:AllowVendedLogDeliveryForResource", "the source is CloudFront, whose own action is granted"),
    ),
    "AWS::Logs::LogGroup": (
        LeftOut("firehose:*", UNUSED),
        LeftOut("s3:*", UNUSED),
        LeftOut("logs:*KmsKey", UNUSED, ("KmsKeyId",)),
        LeftOut("logs:CreateLogDelivery", UNUSED),
        LeftOut("logs:PutResourcePolicy", UNUSED, ("ResourcePolicyDocument",)),
        LeftOut("logs:DeleteResourcePolicy", UNUSED, ("ResourcePolicyDocument",)),
        LeftOut("logs:PutDataProtectionPolicy", UNUSED, ("DataProtectionPolicy",)),
        LeftOut("logs:DeleteDataProtectionPolicy", UNUSED, ("DataProtectionPolicy",)),
        LeftOut("logs:PutIndexPolicy", UNUSED, ("FieldIndexPolicies",)),
        LeftOut("logs:DeleteIndexPolicy", UNUSED, ("FieldIndexPolicies",)),
        LeftOut("logs:PutBearerTokenAuthentication", UNUSED, ("BearerTokenAuthenticationEnabled",)),
        LeftOut("logs:PutLogGroupDeletionProtection", UNUSED, ("DeletionProtectionEnabled",)),
    ),
}
"""Type -> what its handlers may ask for in vain."""
