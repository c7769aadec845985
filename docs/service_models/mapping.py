"""Which request of which service a resource type becomes: property names are matched with the request's by their letters.

In: nothing. Out: `SOURCES`, type -> where its properties stand in a request. Where letters do not do: `docs/service_models/exceptions.py`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """The input of an operation, or a member of it, is what stands at a property."""

    service: str
    operation: str
    member: str = ""
    """Dotted path in the input; `*` is the member of a list."""
    at: str = ""
    """Dotted path in the properties; empty is all of them."""


def _s(service: str, operation: str, member: str = "", at: str = "") -> Source:
    return Source(service, operation, member, at)


_RECORD = "ChangeBatch.Changes.*.ResourceRecordSet"
_CHANGE = (_s("route53", "ChangeResourceRecordSets"), _s("route53", "ChangeResourceRecordSets", "ChangeBatch"))

SOURCES: dict[str, tuple[Source, ...]] = {
    "AWS::CertificateManager::Certificate": (_s("acm", "RequestCertificate"),),
    "AWS::CloudFormation::Stack": (_s("cloudformation", "CreateStack"),),
    "AWS::CloudFormation::StackSet": (
        _s("cloudformation", "CreateStackSet"),
        _s("cloudformation", "CreateStackInstances", "OperationPreferences", "OperationPreferences"),
        _s("cloudformation", "CreateStackInstances", "", "StackInstancesGroup.*"),
    ),
    "AWS::CloudFront::AnycastIpList": (_s("cloudfront", "CreateAnycastIpList"),),
    "AWS::CloudFront::CachePolicy": (_s("cloudfront", "CreateCachePolicy"),),
    "AWS::CloudFront::CloudFrontOriginAccessIdentity": (_s("cloudfront", "CreateCloudFrontOriginAccessIdentity"),),
    "AWS::CloudFront::ConnectionFunction": (_s("cloudfront", "CreateConnectionFunction"),),
    "AWS::CloudFront::ConnectionGroup": (_s("cloudfront", "CreateConnectionGroup"),),
    "AWS::CloudFront::ContinuousDeploymentPolicy": (_s("cloudfront", "CreateContinuousDeploymentPolicy"),),
    "AWS::CloudFront::Distribution": (_s("cloudfront", "CreateDistributionWithTags", "DistributionConfigWithTags"),),
    "AWS::CloudFront::DistributionTenant": (_s("cloudfront", "CreateDistributionTenant"),),
    "AWS::CloudFront::Function": (_s("cloudfront", "CreateFunction"),),
    "AWS::CloudFront::KeyGroup": (_s("cloudfront", "CreateKeyGroup"),),
    "AWS::CloudFront::KeyValueStore": (_s("cloudfront", "CreateKeyValueStore"),),
    "AWS::CloudFront::MonitoringSubscription": (_s("cloudfront", "CreateMonitoringSubscription"),),
    "AWS::CloudFront::OriginAccessControl": (_s("cloudfront", "CreateOriginAccessControl"),),
    "AWS::CloudFront::OriginRequestPolicy": (_s("cloudfront", "CreateOriginRequestPolicy"),),
    "AWS::CloudFront::PublicKey": (_s("cloudfront", "CreatePublicKey"),),
    "AWS::CloudFront::RealtimeLogConfig": (_s("cloudfront", "CreateRealtimeLogConfig"),),
    "AWS::CloudFront::ResponseHeadersPolicy": (_s("cloudfront", "CreateResponseHeadersPolicy"),),
    "AWS::CloudFront::StreamingDistribution": (
        _s("cloudfront", "CreateStreamingDistributionWithTags", "StreamingDistributionConfigWithTags"),
    ),
    "AWS::CloudFront::TrustStore": (_s("cloudfront", "CreateTrustStore"),),
    "AWS::CloudFront::VpcOrigin": (_s("cloudfront", "CreateVpcOrigin"),),
    "AWS::CloudWatch::Alarm": (_s("cloudwatch", "PutMetricAlarm"),),
    "AWS::CloudWatch::AnomalyDetector": (_s("cloudwatch", "PutAnomalyDetector"),),
    "AWS::CloudWatch::CompositeAlarm": (_s("cloudwatch", "PutCompositeAlarm"),),
    "AWS::CloudWatch::Dashboard": (_s("cloudwatch", "PutDashboard"),),
    "AWS::CloudWatch::InsightRule": (_s("cloudwatch", "PutInsightRule"),),
    "AWS::CloudWatch::MetricStream": (_s("cloudwatch", "PutMetricStream"),),
    "AWS::DynamoDB::Table": (
        _s("dynamodb", "CreateTable"),
        _s("dynamodb", "PutResourcePolicy", "Policy", "ResourcePolicy.PolicyDocument"),
        _s("dynamodb", "ImportTable", "", "ImportSourceSpecification"),
        _s("dynamodb", "EnableKinesisStreamingDestination", "", "KinesisStreamSpecification"),
        _s("dynamodb", "UpdateTimeToLive", "TimeToLiveSpecification", "TimeToLiveSpecification"),
        _s("dynamodb", "UpdateContinuousBackups", "PointInTimeRecoverySpecification", "PointInTimeRecoverySpecification"),
    ),
    "AWS::IAM::Group": (
        _s("iam", "CreateGroup"),
        _s("iam", "PutGroupPolicy", "", "Policies.*"),
        _s("iam", "AttachGroupPolicy", "PolicyArn", "ManagedPolicyArns.*"),
    ),
    "AWS::IAM::GroupPolicy": (_s("iam", "PutGroupPolicy"),),
    "AWS::IAM::InstanceProfile": (_s("iam", "CreateInstanceProfile"), _s("iam", "AddRoleToInstanceProfile", "RoleName", "Roles.*")),
    "AWS::IAM::ManagedPolicy": (
        _s("iam", "CreatePolicy"),
        _s("iam", "AttachGroupPolicy", "GroupName", "Groups.*"),
        _s("iam", "AttachRolePolicy", "RoleName", "Roles.*"),
        _s("iam", "AttachUserPolicy", "UserName", "Users.*"),
    ),
    "AWS::IAM::OIDCProvider": (_s("iam", "CreateOpenIDConnectProvider"),),
    "AWS::IAM::Policy": (
        _s("iam", "PutRolePolicy"),
        _s("iam", "PutGroupPolicy", "GroupName", "Groups.*"),
        _s("iam", "PutRolePolicy", "RoleName", "Roles.*"),
        _s("iam", "PutUserPolicy", "UserName", "Users.*"),
    ),
    "AWS::IAM::Role": (
        _s("iam", "CreateRole"),
        _s("iam", "PutRolePolicy", "", "Policies.*"),
        _s("iam", "AttachRolePolicy", "PolicyArn", "ManagedPolicyArns.*"),
    ),
    "AWS::IAM::RolePolicy": (_s("iam", "PutRolePolicy"),),
    "AWS::IAM::SAMLProvider": (_s("iam", "CreateSAMLProvider"),),
    "AWS::IAM::ServiceLinkedRole": (_s("iam", "CreateServiceLinkedRole"),),
    "AWS::IAM::User": (
        _s("iam", "CreateUser"),
        _s("iam", "PutUserPolicy", "", "Policies.*"),
        _s("iam", "AttachUserPolicy", "PolicyArn", "ManagedPolicyArns.*"),
        _s("iam", "AddUserToGroup", "GroupName", "Groups.*"),
        _s("iam", "CreateLoginProfile", "", "LoginProfile"),
    ),
    "AWS::IAM::UserPolicy": (_s("iam", "PutUserPolicy"),),
    "AWS::KMS::Alias": (_s("kms", "CreateAlias"),),
    "AWS::KMS::Key": (_s("kms", "CreateKey"), _s("kms", "EnableKeyRotation"), _s("kms", "ScheduleKeyDeletion")),
    "AWS::KMS::ReplicaKey": (_s("kms", "ReplicateKey"), _s("kms", "ScheduleKeyDeletion")),
    "AWS::Lambda::Alias": (
        _s("lambda", "CreateAlias"),
        _s("lambda", "PutProvisionedConcurrencyConfig", "", "ProvisionedConcurrencyConfig"),
    ),
    "AWS::Lambda::CodeSigningConfig": (_s("lambda", "CreateCodeSigningConfig"),),
    "AWS::Lambda::EventInvokeConfig": (_s("lambda", "PutFunctionEventInvokeConfig"),),
    "AWS::Lambda::EventSourceMapping": (_s("lambda", "CreateEventSourceMapping"),),
    "AWS::Lambda::Function": (
        _s("lambda", "CreateFunction"),
        _s("lambda", "PutFunctionConcurrency"),
        _s("lambda", "PutRuntimeManagementConfig", "", "RuntimeManagementConfig"),
        _s("lambda", "PutFunctionRecursionConfig"),
    ),
    "AWS::Lambda::LayerVersion": (_s("lambda", "PublishLayerVersion"),),
    "AWS::Lambda::LayerVersionPermission": (_s("lambda", "AddLayerVersionPermission"),),
    "AWS::Lambda::Permission": (_s("lambda", "AddPermission"),),
    "AWS::Lambda::Url": (_s("lambda", "CreateFunctionUrlConfig"),),
    "AWS::Lambda::Version": (
        _s("lambda", "PublishVersion"),
        _s("lambda", "PutProvisionedConcurrencyConfig", "", "ProvisionedConcurrencyConfig"),
        _s("lambda", "PutRuntimeManagementConfig", "", "RuntimePolicy"),
    ),
    "AWS::Logs::AccountPolicy": (_s("logs", "PutAccountPolicy"),),
    "AWS::Logs::Delivery": (_s("logs", "CreateDelivery"), _s("logs", "CreateDelivery", "s3DeliveryConfiguration")),
    "AWS::Logs::DeliveryDestination": (
        _s("logs", "PutDeliveryDestination"),
        _s("logs", "PutDeliveryDestination", "deliveryDestinationConfiguration"),
        _s("logs", "PutDeliveryDestinationPolicy", "", "DeliveryDestinationPolicy"),
    ),
    "AWS::Logs::DeliverySource": (_s("logs", "PutDeliverySource"),),
    "AWS::Logs::Destination": (_s("logs", "PutDestination"), _s("logs", "PutDestinationPolicy")),
    "AWS::Logs::LogAnomalyDetector": (_s("logs", "CreateLogAnomalyDetector"),),
    "AWS::Logs::LogGroup": (_s("logs", "CreateLogGroup"), _s("logs", "PutRetentionPolicy")),
    "AWS::Logs::LogStream": (_s("logs", "CreateLogStream"),),
    "AWS::Logs::MetricFilter": (_s("logs", "PutMetricFilter"),),
    "AWS::Logs::QueryDefinition": (_s("logs", "PutQueryDefinition"),),
    "AWS::Logs::ResourcePolicy": (_s("logs", "PutResourcePolicy"),),
    "AWS::Logs::SubscriptionFilter": (_s("logs", "PutSubscriptionFilter"),),
    "AWS::Route53::CidrCollection": (
        _s("route53", "CreateCidrCollection"),
        _s("route53", "ChangeCidrCollection", "Changes.*", "Locations.*"),
    ),
    "AWS::Route53::HealthCheck": (_s("route53", "CreateHealthCheck"), _s("route53", "ChangeTagsForResource", "AddTags", "HealthCheckTags")),
    "AWS::Route53::HostedZone": (
        _s("route53", "CreateHostedZone"),
        _s("route53", "ChangeTagsForResource", "AddTags", "HostedZoneTags"),
        _s("route53", "CreateQueryLoggingConfig", "", "QueryLoggingConfig"),
        _s("route53", "AssociateVPCWithHostedZone", "VPC", "VPCs.*"),
    ),
    "AWS::Route53::KeySigningKey": (_s("route53", "CreateKeySigningKey"),),
    "AWS::Route53::RecordSet": (_s("route53", "ChangeResourceRecordSets", _RECORD), *_CHANGE),
    "AWS::Route53::RecordSetGroup": (
        *_CHANGE,
        _s("route53", "ChangeResourceRecordSets", _RECORD, "RecordSets.*"),
        _s("route53", "ChangeResourceRecordSets", "", "RecordSets.*"),
    ),
    "AWS::S3::Bucket": (
        _s("s3", "CreateBucket"),
        _s("s3", "CreateBucket", "ACL", "AccessControl"),
        _s("s3", "PutBucketAbac", "AbacStatus.Status", "AbacStatus"),
        _s("s3", "PutBucketAccelerateConfiguration", "AccelerateConfiguration", "AccelerateConfiguration"),
        _s("s3", "PutBucketAnalyticsConfiguration", "AnalyticsConfiguration", "AnalyticsConfigurations.*"),
        _s("s3", "PutBucketCors", "CORSConfiguration", "CorsConfiguration"),
        _s("s3", "PutBucketEncryption", "ServerSideEncryptionConfiguration", "BucketEncryption"),
        _s("s3", "PutBucketIntelligentTieringConfiguration", "IntelligentTieringConfiguration", "IntelligentTieringConfigurations.*"),
        _s("s3", "PutBucketInventoryConfiguration", "InventoryConfiguration", "InventoryConfigurations.*"),
        _s("s3", "PutBucketLifecycleConfiguration", "LifecycleConfiguration", "LifecycleConfiguration"),
        _s("s3", "PutBucketLogging", "BucketLoggingStatus.LoggingEnabled", "LoggingConfiguration"),
        _s("s3", "PutBucketMetricsConfiguration", "MetricsConfiguration", "MetricsConfigurations.*"),
        _s("s3", "PutBucketNotificationConfiguration", "NotificationConfiguration", "NotificationConfiguration"),
        _s("s3", "PutBucketOwnershipControls", "OwnershipControls", "OwnershipControls"),
        _s("s3", "PutBucketReplication", "ReplicationConfiguration", "ReplicationConfiguration"),
        _s("s3", "PutBucketTagging", "Tagging.TagSet", "Tags"),
        _s("s3", "PutBucketVersioning", "VersioningConfiguration", "VersioningConfiguration"),
        _s("s3", "PutBucketWebsite", "WebsiteConfiguration", "WebsiteConfiguration"),
        _s("s3", "PutObjectLockConfiguration", "ObjectLockConfiguration", "ObjectLockConfiguration"),
        _s("s3", "PutPublicAccessBlock", "PublicAccessBlockConfiguration", "PublicAccessBlockConfiguration"),
    ),
    "AWS::S3::BucketPolicy": (_s("s3", "PutBucketPolicy"),),
    "AWS::SNS::Subscription": (_s("sns", "Subscribe"),),
    "AWS::SNS::Topic": (_s("sns", "CreateTopic"), _s("sns", "Subscribe", "", "Subscription.*")),
    "AWS::SNS::TopicPolicy": (_s("sns", "SetTopicAttributes"),),
    "AWS::SecretsManager::ResourcePolicy": (_s("secretsmanager", "PutResourcePolicy"),),
    "AWS::SecretsManager::RotationSchedule": (_s("secretsmanager", "RotateSecret"),),
    "AWS::SecretsManager::Secret": (
        _s("secretsmanager", "CreateSecret"),
        _s("secretsmanager", "GetRandomPassword", "", "GenerateSecretString"),
        _s("secretsmanager", "CreateSecret", "AddReplicaRegions", "ReplicaRegions"),
    ),
    "AWS::WAFv2::IPSet": (_s("wafv2", "CreateIPSet"),),
    "AWS::WAFv2::LoggingConfiguration": (_s("wafv2", "PutLoggingConfiguration", "LoggingConfiguration"),),
    "AWS::WAFv2::RegexPatternSet": (_s("wafv2", "CreateRegexPatternSet"),),
    "AWS::WAFv2::RuleGroup": (_s("wafv2", "CreateRuleGroup"),),
    "AWS::WAFv2::WebACL": (_s("wafv2", "CreateWebACL"),),
    "AWS::WAFv2::WebACLAssociation": (_s("wafv2", "AssociateWebACL"),),
}
"""Every type that a stack emits, and its neighbours of the same service. A later source does not override an earlier one."""
