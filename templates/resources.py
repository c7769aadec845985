"""Which CloudFormation resource types hold something that deleting them loses for good.

In: nothing. Out: constants that the lint gate (Retain policies) and the change review (deletions and replacements) share.
Never: knows a stack.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DATA_HOLDING_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "AWS::Backup::BackupVault": "its recovery points",
        "AWS::Cognito::UserPool": "its users",
        "AWS::DocDB::DBCluster": "its documents",
        "AWS::DynamoDB::GlobalTable": "its items, in every replica",
        "AWS::DynamoDB::Table": "its items",
        "AWS::EC2::Volume": "its blocks",
        "AWS::ECR::Repository": "its images",
        "AWS::EFS::FileSystem": "its files",
        "AWS::KMS::Key": "everything that is encrypted with it",
        "AWS::KMS::ReplicaKey": "everything that is encrypted with it in its region",
        "AWS::Kinesis::Stream": "its records",
        "AWS::OpenSearchService::Domain": "its indices",
        "AWS::RDS::DBCluster": "its databases",
        "AWS::RDS::DBInstance": "its databases",
        "AWS::Route53::HostedZone": "its records and its name servers, which the registrar points at",
        "AWS::S3::Bucket": "its objects",
        "AWS::SQS::Queue": "its messages",
        "AWS::SecretsManager::Secret": "the secret",
    }
)
"""Type to what is lost. A template gives each of these DeletionPolicy and UpdateReplacePolicy Retain.

Log groups are left out on purpose: what they hold expires anyway, and a retained group with a fixed name makes the next creation fail
with AlreadyExists. `LOG_TYPES` names them for a review that wants to mention them.
"""

LOG_TYPES: Mapping[str, str] = MappingProxyType({"AWS::Logs::LogGroup": "its log events"})
"""Types that hold what happened, for a limited time: worth a word when deleted, no reason to retain."""

RETAINING = frozenset({"Retain", "RetainExceptOnCreate"})
"""Values of DeletionPolicy with which a deleted stack leaves the resource."""

LET_GO = "LetGo"
"""Name in the Metadata of a template: what the stack leaves is left for somebody else, and nothing here deletes it afterwards."""
