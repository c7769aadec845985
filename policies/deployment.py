"""What a deployer may do itself, with or without GitHub Actions between: change sets, locks, artifacts, publishing. Not the resources:
those are made by CloudFormation through the service role, which is the only role it may pass on.
"""

from __future__ import annotations

from dataclasses import dataclass

from awacs import sts
from awacs.aws import Action, Allow, Condition, Deny, PolicyDocument, Statement, StringEquals

from policies.buckets import ACCESS_LOG_PREFIX
from policies.statements import allow, arn, role_arn, s3_arn


@dataclass(frozen=True)
class Deployment:
    """The names a deployer works with in one account."""

    prefix: str
    site_bucket: str
    artifact_bucket: str
    lock_table: str
    home_region: str
    secret: str
    edge_function_name: str
    access_log_bucket: str
    service_role_name: str
    administration_role_name: str
    zone_role_arn: str | None


def deploy_role(names: Deployment) -> PolicyDocument:
    """Everything `deploy.py` calls directly. Changing foundation itself is denied: that takes an administrator."""
    statements = [
        allow(
            "Stacks",
            "cloudformation",
            [
                "CreateChangeSet",
                "DescribeChangeSet",
                "ExecuteChangeSet",
                "DeleteChangeSet",
                "ListChangeSets",
                "DescribeStacks",
                "DescribeStackEvents",
                "DescribeEvents",
                "DescribeStackResources",
                "DescribeStackResource",
                "ListStackResources",
                "GetTemplate",
                "GetTemplateSummary",
                "GetStackPolicy",
                "SetStackPolicy",
                "UpdateTerminationProtection",
                "DeleteStack",
                "RollbackStack",
                "ContinueUpdateRollback",
                "CancelUpdateStack",
                "DetectStackDrift",
                "DetectStackResourceDrift",
                "DescribeStackResourceDrifts",
                "TagResource",
                "UntagResource",
            ],
            arn("cloudformation", f"stack/{names.prefix}-*/*", region="*"),
        ),
        allow(
            "StackSets",
            "cloudformation",
            [
                "CreateStackSet",
                "UpdateStackSet",
                "DeleteStackSet",
                "DescribeStackSet",
                "CreateStackInstances",
                "UpdateStackInstances",
                "DeleteStackInstances",
                "DescribeStackInstance",
                "ListStackInstances",
                "DescribeStackSetOperation",
                "ListStackSetOperations",
                "ListStackSetOperationResults",
                "StopStackSetOperation",
                "DetectStackSetDrift",
                "ListStackInstanceResourceDrifts",
                "TagResource",
                "UntagResource",
            ],
            arn("cloudformation", f"stackset/{names.prefix}-*:*", region="*"),
            arn("cloudformation", f"stackset-target/{names.prefix}-*:*/*", region="*"),
            # Stack instances name the resource types they make as a resource of their own (Service Authorization Reference).
            arn("cloudformation", "type/resource/*", region="*", account=""),
        ),
        # CloudFormation would change foundation with the deployer's own permissions, fail at the first role and roll back with the same.
        # A change set of it is only ever looked at.
        Statement(
            Sid="FoundationIsNotTheDeployers",
            Effect=Deny,
            Action=[
                Action("cloudformation", name)
                for name in (
                    "ExecuteChangeSet",
                    "DeleteStack",
                    "RollbackStack",
                    "ContinueUpdateRollback",
                    "CancelUpdateStack",
                    "SetStackPolicy",
                    "UpdateTerminationProtection",
                )
            ],
            Resource=[arn("cloudformation", f"stack/{names.prefix}-foundation/*", region="*")],
        ),
        # None of these takes a resource (Service Authorization Reference).
        Statement(
            Sid="Look",
            Effect=Allow,
            Action=[
                Action(service, name)
                for service, actions in (
                    ("cloudformation", ("DescribeAccountLimits", "DescribeStackDriftDetectionStatus", "ListStacks", "ValidateTemplate")),
                    ("cloudfront", ("ListDistributions", "ListResponseHeadersPolicies")),
                    ("iam", ("GetAccountSummary",)),
                    ("route53", ("ListHostedZones", "ListHostedZonesByName")),
                )
                for name in actions
            ],
            Resource=["*"],
        ),
        allow("Regions", "account", ["GetRegionOptStatus", "ListRegions"], arn("account", "account")),
        allow("Quotas", "servicequotas", ["GetServiceQuota"], arn("servicequotas", "*", region="us-east-1")),
        allow("Zones", "route53", ["GetHostedZone", "ListResourceRecordSets"], arn("route53", "hostedzone/*", account="")),
        allow("Certificates", "acm", ["DescribeCertificate"], arn("acm", "certificate/*", region="us-east-1")),
        allow("ReadRoles", "iam", ["GetRole"], role_arn(f"{names.prefix}-*")),
        Statement(
            Sid="PassToCloudFormation",
            Effect=Allow,
            Action=[Action("iam", "PassRole")],
            Resource=[role_arn(names.service_role_name), role_arn(names.administration_role_name)],
            Condition=Condition(StringEquals("iam:PassedToService", "cloudformation.amazonaws.com")),
        ),
        allow("ArtifactBucket", "s3", ["ListBucket", "ListBucketVersions", "GetBucketLocation"], s3_arn(names.artifact_bucket)),
        allow("Artifacts", "s3", ["GetObject", "GetObjectVersion", "PutObject"], s3_arn(f"{names.artifact_bucket}/*")),
        allow("SiteBucket", "s3", ["ListBucket", "GetBucketLocation"], s3_arn(names.site_bucket)),
        allow(
            "SiteContent",
            "s3",
            ["GetObject", "PutObject", "DeleteObject", "AbortMultipartUpload", "ListMultipartUploadParts"],
            s3_arn(f"{names.site_bucket}/*"),
        ),
        allow(
            "Invalidate",
            "cloudfront",
            ["CreateInvalidation", "GetInvalidation", "GetDistribution", "ListConflictingAliases"],
            arn("cloudfront", "distribution/*"),
        ),
        allow(
            "Lock",
            "dynamodb",
            ["GetItem", "PutItem", "UpdateItem", "DeleteItem"],
            arn("dynamodb", f"table/{names.lock_table}", region=names.home_region),
        ),
        allow(
            "BasicAuthHash",
            "secretsmanager",
            ["GetSecretValue", "DescribeSecret", "ListSecretVersionIds"],
            # Secrets Manager appends six random characters to the name.
            arn("secretsmanager", f"secret:{names.secret}-??????", region="us-east-1"),
        ),
        allow(
            "EdgeLogs",
            "logs",
            ["FilterLogEvents", "GetLogEvents", "DescribeLogStreams"],
            arn("logs", f"log-group:/aws/lambda/us-east-1.{names.edge_function_name}:*", region="*"),
        ),
        # Planning looks for groups that a replica made before the StackSet; the call takes the account's log groups as its resource.
        allow("LogGroups", "logs", ["DescribeLogGroups"], arn("logs", "log-group:*", region="*")),
        allow("AccessLogBucket", "s3", ["ListBucket"], s3_arn(names.access_log_bucket)),
        allow("AccessLogs", "s3", ["GetObject"], s3_arn(f"{names.access_log_bucket}/{ACCESS_LOG_PREFIX}/*")),
    ]
    if names.zone_role_arn:
        statements.append(Statement(Sid="ZoneAccount", Effect=Allow, Action=[sts.AssumeRole], Resource=[names.zone_role_arn]))
    return PolicyDocument(Version="2012-10-17", Statement=statements)
