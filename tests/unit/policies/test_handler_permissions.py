"""Every permission that the provider schemas say a resource's handlers need is granted to the role that runs them, or has a reason.

The schemas are those that the installed cfn-lint ships, so an update that adds a permission turns this red. docs/handler-permissions.md is
the table, written by GOLDEN_UPDATE=1.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import cfnlint
import pytest

from tests.environments_fixture import FAILOVER, changed
from tests.golden_files import ROOT, assert_golden
from tests.unit.policies.test_policies import ENVS, VARIANTS, bodies

VARIANTS.setdefault("failover", changed(ENVS["prod"], FAILOVER))

ROLES = {
    "service role": ("ServiceRole", "ServiceDomainPolicy"),
    "StackSet execution role": ("StackSetExecutionRole",),
}
"""Resources of the foundation that hold each role's policies."""

WITHOUT_SCHEMA = {"AWS::Route53::RecordSetGroup"}

LISTING = "the list handler runs for Cloud Control and the IaC generator, not for a stack"
NOT_SET = "a setting that the platform does not use"

NOT_NEEDED: dict[str, dict[str, str]] = {
    "AWS::Lambda::Function": {
        "ec2:*": "no VPC at the edge",
        "elasticfilesystem:*": "no file system at the edge",
        "s3files:*": "no file system at the edge",
        "kms:*": "no customer key at the edge",
        "s3:*": "the code is in the template",
        "lambda:AssociateRuntimeAlias": NOT_SET,
        "lambda:*CodeSigning*": NOT_SET,
        "lambda:*Concurrency": NOT_SET,
        "lambda:GetLayerVersion": "no layer at the edge",
        "lambda:PassCapacityProvider": NOT_SET,
        "lambda:PutFunctionRecursionConfig": NOT_SET,
        "lambda:PutFunctionScalingConfig": NOT_SET,
        "lambda:PutRuntimeManagementConfig": NOT_SET,
    },
    "AWS::Lambda::Version": {
        "lambda:PutFunctionScalingConfig": NOT_SET,
        "lambda:PutProvisionedConcurrencyConfig": "no provisioned concurrency at the edge",
        "lambda:PutRuntimeManagementConfig": NOT_SET,
    },
    "AWS::IAM::Role": {
        "iam:AttachRolePolicy": "roles of stacks have inline policies only; a managed one could be any",
        "iam:DetachRolePolicy": "roles of stacks have inline policies only",
        "iam:DeleteRolePermissionsBoundary": "the boundary stays",
    },
    "AWS::CertificateManager::Certificate": {"acm-pca:*": "a public certificate"},
    "AWS::S3::Bucket": {
        "s3tables:*": NOT_SET,
        "s3:*MetadataTable*": NOT_SET,
        "s3:UpdateBucketMetadata*": NOT_SET,
        "s3:*Website": "a private bucket is no website",
        "s3:PutBucketCORS": NOT_SET,
        "s3:DeleteBucketCors": NOT_SET,
        "s3:PutBucketLogging": NOT_SET,
        "s3:PutBucketNotification": NOT_SET,
        "s3:PutAnalyticsConfiguration": NOT_SET,
        "s3:DeleteBucketAnalyticsConfiguration": NOT_SET,
        "s3:PutIntelligentTieringConfiguration": NOT_SET,
        "s3:PutInventoryConfiguration": NOT_SET,
        "s3:PutMetricsConfiguration": NOT_SET,
        "s3:DeleteBucketMetricsConfiguration": NOT_SET,
        "s3:PutAccelerateConfiguration": NOT_SET,
        "s3:PutBucketAcl": "no access control lists",
        "s3:PutObjectAcl": "no access control lists",
        "s3:PutBucketAbac": NOT_SET,
        "s3:PutBucketObjectLockConfiguration": NOT_SET,
        "s3:PutObjectLockConfiguration": NOT_SET,
        "s3:DeleteBucketEncryption": "encryption is never taken off",
        "s3:DeleteBucketLifecycle": "the rules are changed, never taken off",
        "s3:DeleteBucketReplication": "no IAM action; s3:PutReplicationConfiguration covers it",
        "s3:PutBucketReplication": "no IAM action; s3:PutReplicationConfiguration covers it",
        "s3:DeleteObject": "buckets are retained; CloudFormation never empties one",
    },
    "AWS::CloudFront::Distribution": {
        "cloudfront:*ConnectionGroup": NOT_SET,
        "cloudfront:GetVpcOrigin": NOT_SET,
        "cloudfront:UpdateDistributionWithStagingConfig": NOT_SET,
        "cloudfront:CreateDistributionWithTags": "no IAM action; CreateDistribution and TagResource cover it",
    },
    "AWS::Route53::HealthCheck": {"route53-recovery-control-config:*": NOT_SET},
    "AWS::SNS::Topic": {"sns:PutDataProtectionPolicy": NOT_SET},
    "AWS::Logs::DeliverySource": {
        "autoloop:*": "the source is CloudFront",
        "codewhisperer:*": "the source is CloudFront",
        "workmail:*": "the source is CloudFront",
        "logs:AllowVendedLogDeliveryForResource": "the source is CloudFront, whose own action is granted",
    },
    "AWS::Logs::LogGroup": {
        "firehose:*": NOT_SET,
        "s3:*": NOT_SET,
        "logs:*KmsKey": NOT_SET,
        "logs:CreateLogDelivery": NOT_SET,
        "logs:PutResourcePolicy": NOT_SET,
        "logs:DeleteResourcePolicy": NOT_SET,
        "logs:PutDataProtectionPolicy": NOT_SET,
        "logs:DeleteDataProtectionPolicy": NOT_SET,
        "logs:PutIndexPolicy": NOT_SET,
        "logs:DeleteIndexPolicy": NOT_SET,
        "logs:PutBearerTokenAuthentication": NOT_SET,
        "logs:PutLogGroupDeletionProtection": NOT_SET,
    },
}
"""Type -> pattern of permissions that are not granted -> why."""


@dataclass(frozen=True)
class Row:
    """One permission of one type's handlers, for one role."""

    kind: str
    role: str
    permission: str
    handlers: tuple[str, ...]
    granted_by: str | None
    """Sid of the statement."""
    reason: str | None
    """Why it is not granted."""


@cache
def handlers() -> dict[str, dict[str, list[str]]]:
    """Type -> handler -> permissions, from the provider schemas."""
    found = {}
    for path in (Path(cfnlint.__file__).parent / "data" / "schemas" / "resources").rglob("*.json"):
        schema = json.loads(path.read_text(encoding="utf-8"))
        if "typeName" in schema:
            found[schema["typeName"]] = {name: list(one.get("permissions", [])) for name, one in schema.get("handlers", {}).items()}
    return found


def emitted() -> set[tuple[str, str]]:
    """Every resource type of every configuration, with the role that makes it. Foundation takes an administrator, so no role."""
    return {
        (resource["Type"], "StackSet execution role" if stack == "edge-logs" else "service role")
        for name in VARIANTS
        for stack, body in bodies(name).items()
        if stack != "foundation"
        for resource in body["Resources"].values()
    }


def granted(role: str) -> dict[str, str]:
    """Action -> Sid, of every configuration together."""
    found: dict[str, str] = {}
    for name in VARIANTS:
        foundation = bodies(name)["foundation"]["Resources"]
        for title in ROLES[role]:
            for statement in _statements(foundation[title]["Properties"]):
                assert statement["Effect"] == "Allow"
                found |= dict.fromkeys(statement["Action"], statement["Sid"])
    return found


def _statements(properties: dict[str, Any]) -> Iterator[dict[str, Any]]:
    documents = [properties["PolicyDocument"]] if "PolicyDocument" in properties else [p["PolicyDocument"] for p in properties["Policies"]]
    for document in documents:
        yield from document["Statement"]


@cache
def rows() -> tuple[Row, ...]:
    found = []
    for kind, role in sorted(emitted()):
        wanted: dict[str, list[str]] = {}
        for handler, permissions in handlers().get(kind, {}).items():
            for permission in permissions:
                wanted.setdefault(permission, []).append(handler)
        sids = granted(role)
        for permission, by in sorted(wanted.items()):
            reason = next((why for pattern, why in NOT_NEEDED.get(kind, {}).items() if fnmatchcase(permission, pattern)), None)
            reason = LISTING if reason is None and by == ["list"] else reason
            found.append(Row(kind, role, permission, tuple(by), sids.get(permission), reason))
    return tuple(found)


def test_every_emitted_type_has_a_schema() -> None:
    assert {kind for kind, _ in emitted()} - handlers().keys() <= WITHOUT_SCHEMA


def test_every_handler_permission_is_granted_or_left_out_for_a_reason() -> None:
    missing = [
        f"{row.kind} {'/'.join(row.handlers)}: {row.permission} ({row.role})" for row in rows() if not row.granted_by and not row.reason
    ]
    assert missing == []


@pytest.mark.parametrize("kind", NOT_NEEDED)
def test_what_is_left_out_is_something_that_a_handler_asks_for_and_nobody_grants(kind: str) -> None:
    for pattern in NOT_NEEDED[kind]:
        asked = [row for row in rows() if row.kind == kind and fnmatchcase(row.permission, pattern)]
        assert any(row.granted_by is None for row in asked), f"{kind}: {pattern}"


def test_the_table_in_the_documentation_is_current() -> None:
    lines = [
        "# Permissions of the resource handlers",
        "",
        "Generated from the provider schemas that cfn-lint ships (`make golden` rewrites it): what CloudFormation's handlers of every",
        "resource type that the platform emits may call, and the statement of `policies/provisioning.py` that grants it, or why none does.",
    ]
    for kind, role in sorted(emitted() - {(kind, role) for kind, role in emitted() if kind not in handlers()}):
        lines += ["", f"## {kind} ({role})", "", "| permission | handlers | |", "| --- | --- | --- |"]
        for row in rows():
            if (row.kind, row.role) == (kind, role):
                what = f"statement {row.granted_by}" if row.granted_by else f"not granted: {row.reason}"
                lines.append(f"| {row.permission} | {', '.join(row.handlers)} | {what} |")
    assert_golden(str(ROOT / "docs" / "handler-permissions.md"), "\n".join(lines) + "\n")
