"""S3 replication of the site bucket to its replica, and the alarms that tell when the replica falls behind.

Where each metric is published: pending bytes, pending operations and latency in the replica's region, failed operations in the home
region (S3 User Guide, "Using S3 Replication metrics"). Latency is not published while nothing is replicated, so pending operations are
watched beside it.
"""

from __future__ import annotations

import math
from typing import Any

from troposphere import GetAtt, iam, s3

from environments.model import Environment
from environments.second_origin import DisasterRecovery
from policies import runtime, trust
from policies.statements import arn
from stacks.alarms import AT_ONCE, PERIOD_SECONDS, Alarm, add_alarm, add_topic
from stacks.template import BUCKET_ARN, StackTemplate

RULE = "all-to-replica"
"""Id of the only rule, which is a dimension of its metrics."""
RTC_MINUTES = 15
"""The only threshold that S3 takes (S3 API, ReplicationTimeValue)."""
TOPIC = "replication-alarms"


def add_replication(template: StackTemplate, env: Environment, recovery: DisasterRecovery) -> s3.ReplicationConfiguration:
    """The role, the alarm of the home region, and what the site bucket is given."""
    replica = template.input("ReplicaBucketArn", "Bucket in the disaster recovery region", pattern=BUCKET_ARN)
    role = template.add(
        iam.Role(
            "ReplicationRole",
            RoleName=replication_role_name(env),
            Description=f"Replicates the site bucket of {env.domain}",
            AssumeRolePolicyDocument=trust.s3_replication(),
            PermissionsBoundary=arn("iam", f"policy/{env.prefix}-boundary"),
            Policies=[iam.Policy(PolicyName="replicate", PolicyDocument=runtime.replication(env.bucket, recovery.bucket))],
        )
    )
    topic = add_topic(template, env, env.home_region, TOPIC)
    add_alarm(
        template,
        env,
        topic,
        Alarm(
            "ReplicationFails",
            "S3 gave up replicating an object, and will not try again",
            "AWS/S3",
            "OperationsFailedReplication",
            dimensions(env, recovery),
            {"Statistic": "Sum", "Threshold": 0, **AT_ONCE},
        ),
    )
    return s3.ReplicationConfiguration(
        Role=GetAtt(role, "Arn"),
        Rules=[
            s3.ReplicationConfigurationRules(
                Id=RULE,
                Status="Enabled",
                Priority=1,
                Filter=s3.ReplicationRuleFilter(Prefix=""),
                DeleteMarkerReplication=s3.DeleteMarkerReplication(Status="Enabled"),
                Destination=s3.ReplicationConfigurationRulesDestination(Bucket=replica, **_measured(recovery)),
            )
        ],
    )


def _measured(recovery: DisasterRecovery) -> dict[str, Any]:
    """Metrics, always: without them nobody hears of a replica that falls behind. A threshold goes with the promise of 15 minutes only."""
    if not recovery.replication_time_control:
        return {"Metrics": s3.Metrics(Status="Enabled")}
    within = s3.ReplicationTimeValue(Minutes=RTC_MINUTES)
    return {
        "Metrics": s3.Metrics(Status="Enabled", EventThreshold=within),
        "ReplicationTime": s3.ReplicationTime(Status="Enabled", Time=within),
    }


def add_lag_alarms(template: StackTemplate, env: Environment, recovery: DisasterRecovery) -> None:
    """The alarms of the replica's region."""
    topic = add_topic(template, env, recovery.region, TOPIC)
    minutes = recovery.lag_minutes
    periods = math.ceil(minutes * 60 / PERIOD_SECONDS)
    all_the_time = {"Statistic": "Minimum", "Threshold": 0, "EvaluationPeriods": periods, "DatapointsToAlarm": periods}
    watched = (
        (
            "ReplicaLags",
            f"the replica is more than {minutes} minutes behind",
            "ReplicationLatency",
            {"Statistic": "Maximum", "Threshold": minutes * 60},
        ),
        ("ReplicaPending", f"for {minutes} minutes there was always something to replicate", "OperationsPendingReplication", all_the_time),
        ("ReplicaBytesPending", f"for {minutes} minutes there were always bytes to replicate", "BytesPendingReplication", all_the_time),
    )
    for title, description, metric, settings in watched:
        add_alarm(template, env, topic, Alarm(title, description, "AWS/S3", metric, dimensions(env, recovery), settings))


def replication_role_name(env: Environment) -> str:
    """Role that S3 assumes."""
    return f"{env.prefix}-replication"


def dimensions(env: Environment, recovery: DisasterRecovery) -> dict[str, str]:
    """Of the metrics of the only rule."""
    return {"SourceBucket": env.bucket, "DestinationBucket": recovery.bucket, "RuleId": RULE}
