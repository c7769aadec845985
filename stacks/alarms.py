"""What all alarms have in common, wherever they watch: a topic in their own region, a description that names the runbook.

CloudWatch alarms watch metrics of their own region and notify topics of it (CloudWatch User Guide), so each region that has metrics has
its own topic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from troposphere import Ref, cloudwatch, sns

from assembly import commands
from environments.model import Environment
from policies import runtime
from stacks.template import StackTemplate

PERIOD_SECONDS = 300
LAMBDA_EDGE_METRICS = ("LambdaExecutionError", "LambdaValidationError", "LambdaLimitExceededErrors")
FUNCTION_METRICS = ("FunctionExecutionErrors", "FunctionValidationErrors", "FunctionThrottles")
"""CloudFront's own metrics of edge functions (CloudFront Developer Guide, types of metrics); the lint gate knows the list."""

_EDGE_FAILS = "edge-function-errors"
RUNBOOKS = {
    "SiteDown": "site-down",
    "ErrorRate5xx": "site-down",
    "ErrorRate4xx": "missing-pages",
    "OriginLatency": "site-slow",
    "CertificateExpiry": "certificate",
    "OnStandby": "origin-failover",
    "Firewall": "requests-blocked",
    "ReplicaLags": "replica-behind",
    "ReplicaPending": "replica-behind",
    "ReplicaBytesPending": "replica-behind",
    "ReplicationFails": "replica-behind",
}
"""Alarm to the runbook that it leads to (docs/runbooks); those of the edge functions lead to one of their own."""


@dataclass(frozen=True)
class Alarm:
    """One alarm; what is not given is more than the threshold in two of three periods, and no data is no alarm."""

    title: str
    description: str
    namespace: str
    metric: str
    dimensions: Mapping[str, Any]
    settings: Mapping[str, Any]


AT_ONCE = {"EvaluationPeriods": 1, "DatapointsToAlarm": 1}
_DEFAULTS = {
    "ComparisonOperator": "GreaterThanThreshold",
    "Period": PERIOD_SECONDS,
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
    "TreatMissingData": "notBreaching",
}


def add_topic(template: StackTemplate, env: Environment, region: str, name: str = "alarms") -> sns.Topic:
    """The topic of a region's alarms, and the address that they go to."""
    # Not encrypted: CloudWatch cannot publish to a topic under the AWS managed key, and what is sent is alarm names, no secrets.
    topic = template.add(sns.Topic("AlarmTopic", TopicName=f"{env.prefix}-{name}", DisplayName=f"{env.prefix} alarms"))
    policy = runtime.alarm_topic(Ref(topic), Ref("AWS::AccountId"), region)
    template.add(sns.TopicPolicy("AlarmTopicPolicy", Topics=[Ref(topic)], PolicyDocument=policy))
    if env.monitoring.alarm_email is not None:
        template.add(sns.SubscriptionResource("AlarmEmail", TopicArn=Ref(topic), Protocol="email", Endpoint=env.monitoring.alarm_email))
    return topic


def add_alarm(template: StackTemplate, env: Environment, topic: sns.Topic, alarm: Alarm) -> None:
    """An alarm with its runbook, and its name as an output."""
    of_the_edge = alarm.title in (*LAMBDA_EDGE_METRICS, *FUNCTION_METRICS)
    runbook = commands.deploy("runbook", env.name, _EDGE_FAILS if of_the_edge else RUNBOOKS.get(alarm.title, "site-down"))
    template.add(
        cloudwatch.Alarm(
            alarm.title,
            AlarmName=f"{env.prefix}-{alarm.title}",
            AlarmDescription=f"{env.domain}: {alarm.description}. Runbook: {runbook}",
            Namespace=alarm.namespace,
            MetricName=alarm.metric,
            Dimensions=[cloudwatch.MetricDimension(Name=name, Value=value) for name, value in alarm.dimensions.items()],
            AlarmActions=[Ref(topic)],
            OKActions=[Ref(topic)],
            **{**_DEFAULTS, **alarm.settings},
        )
    )
    template.output(f"{alarm.title}Name", f"Name of the alarm: {alarm.description}", Ref(alarm.title))
