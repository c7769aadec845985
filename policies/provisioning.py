"""What CloudFormation may do on behalf of the platform: the service role, and the two StackSet roles.

One function a service; each statement names the platform's own resources. A `*` resource stands only where the action takes no
resource-level permission (Service Authorization Reference), and the comment beside it says which.
"""

from __future__ import annotations

from dataclasses import dataclass

from awacs.aws import (
    ForAllValuesStringEquals,
    ForAllValuesStringLike,
    PolicyDocument,
    Statement,
    StringEquals,
)

from policies import firewall
from policies.statements import allow, arn, document, pass_role, role_arn, s3_arn

_DISTRIBUTIONS = (
    "GetDistribution",
    "GetDistributionConfig",
    "UpdateDistribution",
    "DeleteDistribution",
    "TagResource",
    "UntagResource",
    "ListTagsForResource",
    "AllowVendedLogDeliveryForResource",
)

_FUNCTIONS = (
    "DescribeFunction",
    "GetFunction",
    "UpdateFunction",
    "PublishFunction",
    "DeleteFunction",
    "TagResource",
    "UntagResource",
    "ListTagsForResource",
)

_TOPIC = (
    "CreateTopic",
    "DeleteTopic",
    "GetTopicAttributes",
    "SetTopicAttributes",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "GetSubscriptionAttributes",
    "SetSubscriptionAttributes",
    "Unsubscribe",
    "TagResource",
    "UntagResource",
    "ListTagsForResource",
    "GetDataProtectionPolicy",
)

_ACCESS_LOGS = (
    "PutDeliverySource",
    "GetDeliverySource",
    "DeleteDeliverySource",
    "PutDeliveryDestination",
    "GetDeliveryDestination",
    "DeleteDeliveryDestination",
    "PutDeliveryDestinationPolicy",
    "GetDeliveryDestinationPolicy",
    "DeleteDeliveryDestinationPolicy",
    "CreateDelivery",
    "GetDelivery",
    "DeleteDelivery",
    "UpdateDeliveryConfiguration",
    "TagResource",
    "UntagResource",
    "ListTagsForResource",
)


@dataclass(frozen=True)
class Scope:
    """The names that belong to the platform in one account."""

    prefix: str
    """Prefix of every stack, role, function and policy name, without the trailing hyphen."""
    buckets: tuple[str, ...]
    former: tuple[str, ...]  # that buckets of the standby region have or had
    hosts: tuple[str, ...]
    """Names of the site."""
    certificate_names: tuple[str, ...]
    zone_id: str | None
    """None: not known at build time."""
    boundary_name: str
    website: bool = False
    """The site's bucket is a public website still (`environments.adoption`)."""


def service_role(scope: Scope) -> PolicyDocument:
    """Create, change and delete what the stacks of the platform hold, and nothing else; with `service_role_domains`."""
    return document(
        *_buckets(scope),
        *_cloudfront(scope),
        *firewall.provision(scope.prefix),
        *_lambda(scope),
        *_roles(scope),
        *_monitoring(scope),
    )


def service_role_domains(scope: Scope) -> PolicyDocument:
    """What the same role may do by domain name: certificate and records.

    A policy of its own, since ten long names would not fit beside the rest into the 10,240 characters of a role's inline policies.
    """
    return document(*_certificate(scope), *_dns(scope))


def _buckets(scope: Scope) -> list[Statement]:
    configuration = [
        "PutBucketTagging",
        "GetBucketTagging",
        "PutEncryptionConfiguration",
        "GetEncryptionConfiguration",
        "PutLifecycleConfiguration",
        "GetLifecycleConfiguration",
        "PutBucketVersioning",
        "GetBucketVersioning",
        "PutBucketOwnershipControls",
        "GetBucketOwnershipControls",
        "PutBucketPublicAccessBlock",
        "GetBucketPublicAccessBlock",
        "PutReplicationConfiguration",
        "GetReplicationConfiguration",
        "PutBucketPolicy",
        "GetBucketPolicy",
        "DeleteBucketPolicy",
        "CreateBucket",
        "DeleteBucket",
        "ListBucket",
        "TagResource",
        "UntagResource",
        "ListTagsForResource",
        "GetAccelerateConfiguration",
        "GetAnalyticsConfiguration",
        "GetBucketAbac",
        "GetBucketAcl",
        "GetBucketCORS",
        "GetBucketLogging",
        "GetBucketMetadataTableConfiguration",
        "GetBucketNotification",
        "GetBucketObjectLockConfiguration",
        "GetBucketWebsite",
        # A bucket that was taken over may have been one, and is none in the end.
        "DeleteBucketWebsite",
        *(["PutBucketWebsite"] if scope.website else []),
        "GetIntelligentTieringConfiguration",
        "GetInventoryConfiguration",
        "GetMetricsConfiguration",
    ]
    return [
        allow("Buckets", "s3", configuration, *(s3_arn(bucket) for bucket in scope.buckets)),
        # Once disaster recovery is off, a replica is named nowhere any more, and the stack of its policy still has to go.
        allow("FormerReplicas", "s3", ["GetBucketPolicy", "DeleteBucketPolicy"], *map(s3_arn, scope.former)),
    ]


def _cloudfront(scope: Scope) -> list[Statement]:
    # CloudFront gives ids, not names, so only the account and the type can be fixed (for functions the name is part of the ARN).
    return [
        # What is made anew has no ARN yet, and additional metrics are no resource of their own: none of these takes one.
        allow(
            "MakeAtTheEdge",
            "cloudfront",
            [
                "CreateCachePolicy",
                "CreateDistribution",
                "CreateFunction",
                "CreateMonitoringSubscription",
                "CreateOriginAccessControl",
                "CreateResponseHeadersPolicy",
                "DeleteMonitoringSubscription",
                "GetMonitoringSubscription",
            ],
            "*",
        ),
        allow("Distributions", "cloudfront", _DISTRIBUTIONS, arn("cloudfront", "distribution/*")),
        allow(
            "OriginAccessControls",
            "cloudfront",
            ["GetOriginAccessControl", "UpdateOriginAccessControl", "DeleteOriginAccessControl"],
            arn("cloudfront", "origin-access-control/*"),
        ),
        allow(
            "ResponseHeaders",
            "cloudfront",
            ["GetResponseHeadersPolicy", "UpdateResponseHeadersPolicy", "DeleteResponseHeadersPolicy"],
            arn("cloudfront", "response-headers-policy/*"),
        ),
        allow(
            "CachePolicies", "cloudfront", ["GetCachePolicy", "UpdateCachePolicy", "DeleteCachePolicy"], arn("cloudfront", "cache-policy/*")
        ),
        allow("Functions", "cloudfront", _FUNCTIONS, arn("cloudfront", f"function/{scope.prefix}-*")),
    ]


def _lambda(scope: Scope) -> list[Statement]:
    function = arn("lambda", f"function:{scope.prefix}-*", region="us-east-1")
    return [
        allow(
            "EdgeFunction",
            "lambda",
            [
                "CreateFunction",
                "GetFunction",
                "GetFunctionConfiguration",
                "UpdateFunctionCode",
                "UpdateFunctionConfiguration",
                "DeleteFunction",
                "PublishVersion",
                "ListVersionsByFunction",
                "TagResource",
                "UntagResource",
                "ListTags",
                "GetFunctionCodeSigningConfig",
                "GetRuntimeManagementConfig",
                "GetFunctionRecursionConfig",
                "GetFunctionScalingConfig",
                "GetProvisionedConcurrencyConfig",
            ],
            function,
        ),
        # The asterisk is part of the action names (CloudFront Developer Guide, IAM permissions for Lambda@Edge).
        allow("EdgeReplication", "lambda", ["EnableReplication*", "DisableReplication*"], function),
        allow(
            "EdgeServiceRoles",
            "iam",
            ["CreateServiceLinkedRole"],
            role_arn("aws-service-role/replicator.lambda.amazonaws.com/AWSServiceRoleForLambdaReplicator"),
            role_arn("aws-service-role/logger.cloudfront.amazonaws.com/AWSServiceRoleForCloudFrontLogger"),
            condition=StringEquals("iam:AWSServiceName", ["replicator.lambda.amazonaws.com", "logger.cloudfront.amazonaws.com"]),
        ),
    ]


def _roles(scope: Scope) -> list[Statement]:
    runtime = [role_arn(f"{scope.prefix}-edge"), role_arn(f"{scope.prefix}-replication")]
    return [
        # A role can be made, and permissions given to it, only inside the boundary.
        allow(
            "BoundedRoles",
            "iam",
            ["CreateRole", "PutRolePolicy", "DeleteRolePolicy", "PutRolePermissionsBoundary"],
            *runtime,
            condition=StringEquals("iam:PermissionsBoundary", arn("iam", f"policy/{scope.boundary_name}")),
        ),
        allow(
            "Roles",
            "iam",
            [
                "GetRole",
                "GetRolePolicy",
                "ListRolePolicies",
                "ListAttachedRolePolicies",
                "DeleteRole",
                "TagRole",
                "UntagRole",
                "UpdateRole",
                "UpdateRoleDescription",
                "UpdateAssumeRolePolicy",
            ],
            *runtime,
        ),
        pass_role("PassEdgeRole", "lambda.amazonaws.com", runtime[0]),
        pass_role("PassReplicationRole", "s3.amazonaws.com", runtime[1]),
    ]


def _certificate(scope: Scope) -> list[Statement]:
    return [
        allow(
            "RequestCertificate",
            "acm",
            ["RequestCertificate"],
            "*",  # RequestCertificate takes no resource; the conditions narrow it to these names and to DNS validation
            condition=[
                ForAllValuesStringEquals("acm:DomainNames", list(scope.certificate_names)),
                StringEquals("acm:ValidationMethod", "DNS"),
            ],
        ),
        allow(
            "Certificate",
            "acm",
            [
                "DescribeCertificate",
                "DeleteCertificate",
                "UpdateCertificateOptions",
                "AddTagsToCertificate",
                "RemoveTagsFromCertificate",
                "ListTagsForCertificate",
            ],
            arn("acm", "certificate/*", region="us-east-1"),
        ),
    ]


def _dns(scope: Scope) -> list[Statement]:
    zone = arn("route53", f"hostedzone/{scope.zone_id or '*'}", account="")
    health_check = arn("route53", "healthcheck/*", account="")
    return [
        allow(
            "Records",
            "route53",
            ["ChangeResourceRecordSets"],
            zone,
            condition=ForAllValuesStringLike(
                "route53:ChangeResourceRecordSetsNormalizedRecordNames", [*scope.hosts, *_validation_records(scope.certificate_names)]
            ),
        ),
        allow("Zone", "route53", ["GetHostedZone", "ListResourceRecordSets"], zone),
        allow("Changes", "route53", ["GetChange"], arn("route53", "change/*", account="")),
        # ListHostedZones and CreateHealthCheck take no resource.
        allow("FindZonesMakeHealthChecks", "route53", ["ListHostedZones", "CreateHealthCheck"], "*"),
        allow(
            "HealthChecks",
            "route53",
            ["GetHealthCheck", "UpdateHealthCheck", "DeleteHealthCheck", "ChangeTagsForResource", "ListTagsForResource"],
            health_check,
        ),
    ]


def _validation_records(names: tuple[str, ...]) -> list[str]:
    """Patterns of the certificate's validation records, whose names begin with an underscore.

    The asterisk of IAM also stands for dots, so the pattern of a name covers the names below it.
    """
    bases = {name.removeprefix("*.") for name in names}
    return [f"_*.{name}" for name in sorted(bases) if not any(name.endswith(f".{other}") for other in bases)]


def _monitoring(scope: Scope) -> list[Statement]:
    # The replica and its source have alarms where they are. In any region: once disaster recovery is switched off, theirs still have to go.
    topic = arn("sns", f"{scope.prefix}-*", region="*")
    return [
        allow(
            "Alarms",
            "cloudwatch",
            ["PutMetricAlarm", "DeleteAlarms", "TagResource", "UntagResource", "ListTagsForResource"],
            arn("cloudwatch", f"alarm:{scope.prefix}-*", region="*"),
        ),
        allow(
            "Dashboards",
            "cloudwatch",
            ["PutDashboard", "GetDashboard", "DeleteDashboards", "TagResource", "UntagResource", "ListTagsForResource"],
            arn("cloudwatch", f"dashboard/{scope.prefix}-*"),
        ),
        allow("DescribeAlarms", "cloudwatch", ["DescribeAlarms"], arn("cloudwatch", "alarm:*", region="*")),
        # DescribeDeliveries takes no resource.
        allow("DescribeDeliveries", "logs", ["DescribeDeliveries"], "*"),
        allow(
            "Topic",
            "sns",
            _TOPIC,
            topic,
            arn("sns", f"{scope.prefix}-*:*", region="*"),  # its subscriptions
        ),
        allow(
            "AccessLogs",
            "logs",
            _ACCESS_LOGS,
            arn("logs", f"delivery-source:{scope.prefix}-*", region="us-east-1"),
            arn("logs", f"delivery-destination:{scope.prefix}-*", region="us-east-1"),
            arn("logs", "delivery:*", region="us-east-1"),  # a delivery has an id, not a name
        ),
    ]
