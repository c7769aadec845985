"""What running parts of the platform may do, and the boundary that no role made later can cross."""

from __future__ import annotations

from typing import Any

from awacs.aws import ArnLike, PolicyDocument, Principal, Statement, StringEquals
from troposphere import Ref

from policies.statements import allow, arn, document, s3_arn


def edge_function_logs(function_name: str) -> PolicyDocument:
    """Write the edge function's own logs, wherever CloudFront runs it.

    The region is a wildcard because replicas log in the region that ran them; a region without a prepared group needs CreateLogGroup.
    """
    return document(_edge_logs(function_name))


def replication(source: str, destination: Any) -> PolicyDocument:
    """S3 replication from the site bucket to its replica. Source: Amazon S3 User Guide, permissions for live replication."""
    return document(*_replication(source, destination))


def boundary(function_name: str, source: str, replica: str | None) -> PolicyDocument:
    """The most that the edge role and the replication role can ever do, whatever is attached to them."""
    return document(_edge_logs(function_name), *(_replication(source, replica) if replica else []))


def alarm_topic(topic: Any, account: Any, region: str) -> PolicyDocument:
    """CloudWatch alarms of this account and region publish to the topic. Source: Amazon SNS Developer Guide, example cases, "CloudWatch
    alarm in the same account" (both condition keys)."""
    return document(
        allow(
            "AlarmsPublish",
            "sns",
            ["Publish"],
            topic,
            principal=Principal("Service", "cloudwatch.amazonaws.com"),
            condition=[StringEquals("aws:SourceAccount", account), ArnLike("aws:SourceArn", arn("cloudwatch", "alarm:*", region=region))],
        )
    )


def _edge_logs(function_name: str) -> Statement:
    group = f"log-group:/aws/lambda/us-east-1.{function_name}"
    return allow("OwnLogs", "logs", ["CreateLogGroup", "CreateLogStream", "PutLogEvents"], arn("logs", f"{group}:*", region="*"))


def _replication(source: str, destination: str) -> list[Statement]:
    return [
        allow("ReadConfiguration", "s3", ["GetReplicationConfiguration", "ListBucket"], s3_arn(source)),
        allow(
            "ReadVersions",
            "s3",
            ["GetObjectVersionForReplication", "GetObjectVersionAcl", "GetObjectVersionTagging"],
            s3_arn(f"{source}/*"),
        ),
        allow(
            "WriteReplica",
            "s3",
            ["ReplicateObject", "ReplicateDelete", "ReplicateTags"],
            s3_arn(f"{destination}/*"),
            # Of the request itself, not sent by a service (IAM User Guide, global condition context keys).
            condition=StringEquals("aws:ResourceAccount", Ref("AWS::AccountId")),
        ),
    ]
