"""What the local AWS answers to: the actions of the platform's commands, and those with which the tests prepare an account and look at it.

Everything else is refused, whoever asks, as is every service that is not named here. Names are those of IAM, which differ for S3
(HeadObject is s3:GetObject, ListObjectsV2 is s3:ListBucket).
"""

from __future__ import annotations

SERVED: dict[str, frozenset[str]] = {
    service: frozenset(names.split())
    for service, names in {
        "account": "GetRegionOptStatus ListRegions EnableRegion DisableRegion",
        "acm": "DescribeCertificate ListCertificates RequestCertificate",
        "cloudformation": (
            "ContinueUpdateRollback CreateChangeSet CreateStack CreateStackInstances CreateStackSet DeleteChangeSet DeleteStack"
            " DeleteStackInstances DeleteStackSet DescribeAccountLimits DescribeChangeSet DescribeEvents DescribeStackDriftDetectionStatus"
            " DescribeStackEvents DescribeStackInstance DescribeStackResource DescribeStackResourceDrifts DescribeStackResources"
            " DescribeStackSet DescribeStackSetOperation DescribeStacks DetectStackDrift DetectStackSetDrift ExecuteChangeSet"
            " GetStackPolicy GetTemplate GetTemplateSummary ImportStacksToStackSet ListChangeSets ListExports ListImports"
            " ListStackInstanceResourceDrifts ListStackInstances ListStackResources ListStackSetAutoDeploymentTargets"
            " ListStackSetOperationResults ListStackSetOperations ListStackSets ListStacks RollbackStack SetStackPolicy SignalResource"
            " StopStackSetOperation UpdateStack UpdateStackInstances UpdateStackSet UpdateTerminationProtection ValidateTemplate"
        ),
        "cloudfront": (
            "CreateDistribution CreateInvalidation DeleteDistribution DeleteFunction DescribeFunction GetDistribution GetDistributionConfig"
            " GetFunction GetInvalidation ListConflictingAliases ListDistributions ListFunctions ListInvalidations"
            " ListResponseHeadersPolicies GetResponseHeadersPolicy GetMonitoringSubscription UpdateDistribution"
        ),
        "dynamodb": "CreateTable DeleteItem DeleteTable DescribeTable GetItem PutItem Query Scan UpdateItem UpdateTable",
        "iam": (
            "CreateOpenIDConnectProvider CreatePolicy CreateRole CreateUser CreateAccessKey DeleteRole DeleteRolePermissionsBoundary"
            " DeleteRolePolicy"
            " GetAccountSummary GetOpenIDConnectProvider GetRole GetRolePolicy ListOpenIDConnectProviders ListRoles PutRolePolicy"
            " PutUserPolicy UpdateAssumeRolePolicy"
        ),
        "lambda": (
            "DeleteFunction GetFunction GetFunctionConfiguration ListFunctions ListVersionsByFunction UpdateFunctionCode"
            " UpdateFunctionConfiguration"
        ),
        "logs": (
            "CreateLogGroup CreateLogStream DeleteLogGroup DescribeDeliveries DescribeDeliveryDestinations DescribeDeliverySources"
            " DescribeLogGroups DescribeLogStreams FilterLogEvents GetDelivery GetLogEvents PutLogEvents PutRetentionPolicy"
        ),
        "monitoring": "DescribeAlarms",
        "organizations": (
            "CreateAccount CreateOrganization CreateOrganizationalUnit DescribeOrganization ListAccounts ListAccountsForParent"
            " ListOrganizationalUnitsForParent ListRoots MoveAccount"
        ),
        "route53": (
            "ChangeResourceRecordSets CreateHostedZone GetChange GetHealthCheck GetHostedZone ListHealthChecks ListHostedZones"
            " ListHostedZonesByName ListResourceRecordSets"
        ),
        "s3": (
            "AbortMultipartUpload CreateBucket DeleteBucket DeleteObject DeleteObjectVersion GetBucketLocation GetBucketPolicy"
            " GetBucketVersioning GetObject GetObjectAttributes GetObjectVersion ListAllMyBuckets ListBucket ListBucketMultipartUploads"
            " ListBucketVersions ListMultipartUploadParts PutBucketPolicy PutBucketVersioning PutObject"
        ),
        "secretsmanager": (
            "CreateSecret DeleteSecret DescribeSecret GetSecretValue ListSecretVersionIds ListSecrets PutSecretValue RestoreSecret"
            " UpdateSecretVersionStage"
        ),
        "servicequotas": "GetServiceQuota",
        "ssm": "GetParameter PutParameter",
        "sts": "AssumeRole AssumeRoleWithWebIdentity GetCallerIdentity",
    }.items()
}
"""Service, as MiniStack routes it and as requests are signed for it -> actions."""
