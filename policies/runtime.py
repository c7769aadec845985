"""What running parts of the platform may do, and the boundary that no role made later can cross."""

from __future__ import annotations

from typing import Any

from awacs import logs, s3, sns
from awacs.aws import Allow, ArnLike, Condition, PolicyDocument, Principal, Statement, StringEquals
from troposphere import Ref

from policies.statements import arn, s3_arn


def edge_function_logs(function_name: str) -> PolicyDocument:
    """Write the edge function's own logs, wherever CloudFront runs it.

    The region is a wildcard because replicas log in the region that ran them; a region without a prepared group needs CreateLogGroup.
    """
    return _document([_edge_logs(function_name)])


def replication(source: str, destination: Any) -> PolicyDocument:
    """S3 replication from the site bucket to its replica. Source: Amazon S3 User Guide, permissions for live replication."""
    return _document(_replication(source, destination))


def boundary(function_name: str, source: str, replica: str | None) -> PolicyDocument:
    """The most that the edge role and the replication role can ever do, whatever is attached to them."""
    return _document([_edge_logs(function_name), *(_replication(source, replica) if replica else [])])


def alarm_topic(topic: Any, account: Any, region: str) -> PolicyDocument:
    """CloudWatch alarms of this account and region publish to the topic. Source: Amazon SNS Developer Guide, example cases, "CloudWatch
    alarm in the same account" (both condition keys)."""
    return _document(
        [
            Statement(
                Sid="AlarmsPublish",
                Effect=Allow,
                Principal=Principal("Service", "cloudwatch.amazonaws.com"),
                Action=[sns.Publish],
                Resource=[topic],
                Condition=Condition(
                    [StringEquals("aws:SourceAccount", account), ArnLike("aws:SourceArn", arn("cloudwatch", "alarm:*", region=region))]
                ),
            )
        ]
    )


def _edge_logs(function_name: str) -> Statement:
    group = f"log-group:/aws/lambda/us-east-1.{function_name}"
    return Statement(
        Sid="OwnLogs",
        Effect=Allow,
        Action=[logs.CreateLogGroup, logs.CreateLogStream, logs.PutLogEvents],
        Resource=[arn("logs", f"{group}:*", region="*")],
    )


def _replication(source: str, destination: str) -> list[Statement]:
    return [
        Statement(Sid="ReadConfiguration", Effect=Allow, Action=[s3.GetReplicationConfiguration, s3.ListBucket], Resource=[s3_arn(source)]),
        Statement(
            Sid="ReadVersions",
            Effect=Allow,
            Action=[s3.GetObjectVersionForReplication, s3.GetObjectVersionAcl, s3.GetObjectVersionTagging],
            Resource=[s3_arn(f"{source}/*")],
        ),
        Statement(
            Sid="WriteReplica",
            Effect=Allow,
            Action=[s3.ReplicateObject, s3.ReplicateDelete, s3.ReplicateTags],
            Resource=[s3_arn(f"{destination}/*")],
            # Of the request itself, not sent by a service (IAM User Guide, global condition context keys).
            Condition=Condition(StringEquals("aws:ResourceAccount", Ref("AWS::AccountId"))),
        ),
    ]


def _document(statements: list[Statement]) -> PolicyDocument:
    return PolicyDocument(Version="2012-10-17", Statement=statements)
