"""Every policy statement of every template: least privilege as a property, and that CloudFormation can do its work with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from stacks.synthesis import synthesise
from tests.environments_fixture import FOREIGN_ZONE, RECOVERY, changed, environments

ENVS = environments()
VARIANTS = {
    **ENVS,
    "recovery": changed(ENVS["prod"], RECOVERY),
    "foreign-zone": changed(ENVS["dev"], {**FOREIGN_ZONE, "monitoring": {"alarm_email": "oncall@example.com"}}),
}

FORCED_TO_STAR = {
    "cloudformation:DescribeAccountLimits",
    "cloudfront:ListDistributions",
    "cloudfront:ListResponseHeadersPolicies",
    "iam:GetAccountSummary",
    "cloudformation:DescribeStackDriftDetectionStatus",
    "cloudformation:ListStacks",
    "cloudformation:ValidateTemplate",
    "route53:ListHostedZones",
    "route53:ListHostedZonesByName",
    "route53:CreateHealthCheck",
    "acm:RequestCertificate",
    "logs:DescribeDeliveries",
    "logs:DescribeLogGroups",
}
"""Actions that take no resource; every statement with "*" may hold these only."""

NOT_NEEDED = {
    "AWS::Lambda::Function": {
        # No VPC, file system, key, layer, code signing, S3 code, concurrency or scaling setting at the edge.
        "ec2:*",
        "elasticfilesystem:*",
        "kms:*",
        "s3:*",
        "s3files:*",
        "lambda:AssociateRuntimeAlias",
        "lambda:*CodeSigning*",
        "lambda:*Concurrency",
        "lambda:GetLayerVersion",
        "lambda:PassCapacityProvider",
        "lambda:PutFunctionRecursionConfig",
        "lambda:PutFunctionScalingConfig",
        "lambda:PutRuntimeManagementConfig",
    },
    "AWS::Lambda::Version": {
        "lambda:PutFunctionScalingConfig",
        "lambda:PutProvisionedConcurrencyConfig",
        "lambda:PutRuntimeManagementConfig",
    },
    "AWS::IAM::Role": {"iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:DeleteRolePermissionsBoundary"},  # the boundary stays
    "AWS::CertificateManager::Certificate": {"acm-pca:*"},
    "AWS::S3::Bucket": {
        # Settings that our buckets do not have.
        "s3tables:*",
        "s3:*MetadataTable*",
        "s3:UpdateBucketMetadata*",
        "s3:*Website",
        "s3:PutBucketCORS",
        "s3:DeleteBucketCors",
        "s3:PutBucketLogging",
        "s3:PutBucketNotification",
        "s3:PutAnalyticsConfiguration",
        "s3:DeleteBucketAnalyticsConfiguration",
        "s3:PutIntelligentTieringConfiguration",
        "s3:PutInventoryConfiguration",
        "s3:PutMetricsConfiguration",
        "s3:DeleteBucketMetricsConfiguration",
        "s3:PutAccelerateConfiguration",
        "s3:PutBucketAcl",
        "s3:PutObjectAcl",
        "s3:PutBucketAbac",
        "s3:PutBucketObjectLockConfiguration",
        "s3:PutObjectLockConfiguration",
        "s3:DeleteBucketEncryption",
        "s3:DeleteBucketLifecycle",
        "s3:DeleteBucketReplication",
        "s3:PutBucketReplication",
        "s3:DeleteObject",  # buckets are retained, never emptied by CloudFormation
    },
    "AWS::CloudFront::Distribution": {
        "cloudfront:*ConnectionGroup",
        "cloudfront:GetVpcOrigin",
        "cloudfront:UpdateDistributionWithStagingConfig",
        "cloudfront:CreateDistributionWithTags",
    },
    "AWS::Route53::HealthCheck": {"route53-recovery-control-config:*"},
    "AWS::SNS::Topic": {"iam:*", "sns:PutDataProtectionPolicy"},
    "AWS::SNS::Subscription": {"iam:*"},
    "AWS::Logs::DeliverySource": {
        "autoloop:*",
        "codewhisperer:*",
        "workmail:*",
        "logs:AllowVendedLogDeliveryForResource",
    },  # cloudfront's own is granted
    "AWS::Logs::DeliveryDestination": {"logs:PutDeliveryDestinationPolicy", "logs:DeleteDeliveryDestinationPolicy"},  # own account only
    "AWS::Logs::LogGroup": {
        "firehose:*",
        "s3:*",
        "logs:*KmsKey",
        "logs:CreateLogDelivery",
        "logs:*ResourcePolic*",
        "logs:PutDataProtectionPolicy",
        "logs:DeleteDataProtectionPolicy",
        "logs:PutIndexPolicy",
        "logs:DeleteIndexPolicy",
        "logs:PutBearerTokenAuthentication",
        "logs:PutLogGroupDeletionProtection",
    },
}
"""Handler permissions for settings that the platform does not use."""


@cache
def bodies(name: str) -> dict[str, dict[str, Any]]:
    return {stack: json.loads(data) for stack, data in synthesise(VARIANTS[name]).templates.items()}


def documents(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every policy document of a template, with where it stands."""
    for title, resource in body["Resources"].items():
        properties = resource["Properties"]
        for key in ("PolicyDocument", "AssumeRolePolicyDocument"):
            if key in properties:
                yield f"{title}.{key}", properties[key]
        for policy in properties.get("Policies", []):
            yield f"{title}.{policy['PolicyName']}", policy["PolicyDocument"]


def statements(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for stack, body in bodies(name).items():
        for where, document in documents(body):
            assert document["Version"] == "2012-10-17", where
            for statement in document["Statement"]:
                yield f"{stack}.{where}.{statement.get('Sid', '')}", statement


@pytest.mark.parametrize("name", VARIANTS)
def test_every_statement_is_narrow(name: str) -> None:
    seen = 0
    for where, statement in statements(name):
        seen += 1
        assert not {"NotAction", "NotResource", "NotPrincipal"} & statement.keys(), where
        if statement["Effect"] == "Deny":
            continue
        for action in statement["Action"]:
            wildcards = action.count("*")
            assert wildcards == 0 or action in ("lambda:EnableReplication*", "lambda:DisableReplication*"), f"{where}: {action}"
        if "Principal" in statement:
            assert "*" not in json.dumps(statement["Principal"]), where
        if "*" in statement.get("Resource", []):
            assert set(statement["Action"]) <= FORCED_TO_STAR, where
        if "iam:PassRole" in statement["Action"]:
            assert statement["Condition"]["StringEquals"]["iam:PassedToService"] in (
                "cloudformation.amazonaws.com",
                "lambda.amazonaws.com",
                "s3.amazonaws.com",
            )
            assert all("*" not in json.dumps(resource) for resource in statement["Resource"]), where
    assert seen > 30


@pytest.mark.parametrize("name", VARIANTS)
def test_every_service_that_is_trusted_says_for_whom(name: str) -> None:
    for where, statement in statements(name):
        principal = statement.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        if "edgelambda.amazonaws.com" in services or not services:
            continue  # the edge replicator sends no source
        assert "aws:sourcea" in json.dumps(statement["Condition"]).lower(), where


def test_sids_are_unique_within_a_policy() -> None:
    for name in VARIANTS:
        for stack, body in bodies(name).items():
            for where, document in documents(body):
                sids = [statement["Sid"] for statement in document["Statement"] if "Sid" in statement]
                assert len(sids) == len(set(sids)), f"{stack}.{where}"


def test_github_may_come_from_one_repository_and_environment_only() -> None:
    (statement,) = bodies("dev")["foundation"]["Resources"]["DeployRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == ["sts:AssumeRoleWithWebIdentity"]
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": "repo:ORGANISATION/REPOSITORY:environment:dev",
        }
    }
    with_ids = changed(ENVS["dev"], {"github": {"repository": "bbws/web", "owner_id": "1", "repository_id": "2", "environment": "stage"}})
    role = json.loads(synthesise(with_ids).templates["foundation"])["Resources"]["DeployRole"]["Properties"]
    condition = role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]
    assert condition["token.actions.githubusercontent.com:sub"] == "repo:bbws@1/web@2:environment:stage"


def test_roles_made_by_stacks_are_bounded_and_only_bounded_roles_can_be_made() -> None:
    for name in VARIANTS:
        for stack, body in bodies(name).items():
            if stack == "foundation":
                continue
            for title, resource in body["Resources"].items():
                if resource["Type"] == "AWS::IAM::Role":
                    assert resource["Properties"]["PermissionsBoundary"], f"{name}.{stack}.{title}"
    service = bodies("dev")["foundation"]["Resources"]["ServiceRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    for statement in service:
        if {"iam:CreateRole", "iam:PutRolePolicy"} & set(statement["Action"]):
            assert "iam:PermissionsBoundary" in statement["Condition"]["StringEquals"]


def test_opt_in_regions_are_trusted_by_the_administration_role() -> None:
    def services(name: str) -> list[str]:
        role = bodies(name)["foundation"]["Resources"]["StackSetAdministrationRole"]["Properties"]
        found: list[str] = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
        return found

    assert services("dev") == ["cloudformation.amazonaws.com"]
    assert services("prod") == ["cloudformation.amazonaws.com", "cloudformation.af-south-1.amazonaws.com"]


def test_policies_fit_into_the_quotas_of_iam() -> None:
    # IAM quotas: 6,144 characters for a managed policy, 10,240 for all inline policies of a role, white space not counted.
    for name in VARIANTS:
        for stack, body in bodies(name).items():
            for title, resource in body["Resources"].items():
                properties = resource["Properties"]
                if resource["Type"] == "AWS::IAM::ManagedPolicy":
                    assert _length(properties["PolicyDocument"]) <= 6144, f"{name}.{stack}.{title}"
                if resource["Type"] == "AWS::IAM::Role":
                    assert sum(_length(policy["PolicyDocument"]) for policy in properties.get("Policies", [])) <= 10_240, (
                        f"{name}.{stack}.{title}"
                    )


def _length(document: dict[str, Any]) -> int:
    def resolved(value: Any) -> Any:
        if isinstance(value, dict) and set(value) <= {"Fn::Sub", "Ref"}:
            return str(next(iter(value.values()))).replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", "111111111111")
        if isinstance(value, dict):
            return {key: resolved(item) for key, item in value.items()}
        return [resolved(item) for item in value] if isinstance(value, list) else value

    return len(json.dumps(resolved(document), separators=(",", ":")))


@cache
def handler_permissions() -> dict[str, set[str]]:
    """Permissions of the create, read, update and delete handlers, from the provider schemas that cfn-lint ships."""
    import cfnlint

    wanted = {
        resource["Type"]
        for name in VARIANTS
        for stack, body in bodies(name).items()
        if stack != "foundation"
        for resource in body["Resources"].values()
    }
    found: dict[str, set[str]] = {}
    for path in (Path(cfnlint.__file__).parent / "data" / "schemas" / "resources").rglob("*.json"):
        schema = json.loads(path.read_text(encoding="utf-8"))
        kind = schema.get("typeName")
        if kind in wanted:
            handlers = {key: value for key, value in schema.get("handlers", {}).items() if key != "list"}
            found[kind] = {permission for handler in handlers.values() for permission in handler.get("permissions", [])}
    assert wanted - found.keys() <= {"AWS::Route53::RecordSetGroup"}
    return found


def test_the_roles_of_cloudformation_can_do_what_the_resource_handlers_need() -> None:
    granted: set[str] = set()
    for role in ("ServiceRole", "StackSetExecutionRole"):
        for policy in bodies("recovery")["foundation"]["Resources"][role]["Properties"]["Policies"]:
            granted |= {action for statement in policy["PolicyDocument"]["Statement"] for action in statement["Action"]}
    missing = {
        f"{kind}: {permission}"
        for kind, permissions in handler_permissions().items()
        for permission in permissions
        if permission not in granted and not any(fnmatchcase(permission, pattern) for pattern in NOT_NEEDED.get(kind, ()))
    }
    assert missing == set()


def test_what_is_said_not_to_be_needed_is_something_a_handler_asks_for() -> None:
    for kind, patterns in NOT_NEEDED.items():
        for pattern in patterns:
            assert any(fnmatchcase(permission, pattern) for permission in handler_permissions()[kind]), f"{kind}: {pattern}"
