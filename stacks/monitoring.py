"""What a person on call looks at, and what wakes them: alarms, one SNS topic, a dashboard, access logs. us-east-1, where CloudFront,
Route 53 health checks and CloudFront's certificates report.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from troposphere import GetAtt, Ref, Sub, cloudwatch, logs

from environments.model import EDGE_CONTROL_REGION, Environment
from policies import buckets
from policies.statements import distribution_arn
from stacks.alarms import AT_ONCE, Alarm, add_alarm, add_topic
from stacks.dashboard import dashboard, edge_metrics
from stacks.dns import health_check
from stacks.storage import private_bucket
from stacks.template import CERTIFICATE_ARN, DISTRIBUTION_ID, HEALTH_CHECK_ID, StackTemplate


def build(env: Environment) -> StackTemplate:
    """The template."""
    template = StackTemplate(env, "monitoring", f"alarms, dashboard and access logs of {env.domain}")
    distribution = template.input("DistributionId", "Distribution that is watched", pattern=DISTRIBUTION_ID)
    certificate = template.input("CertificateArn", "Certificate whose end is watched", pattern=CERTIFICATE_ARN)
    check: Any
    if env.zone_is_foreign or not env.makes_records:
        check = Ref(health_check(template, env))
        template.output("HealthCheckId", "Id of the health check", check)
    else:
        check = template.input("HealthCheckId", "Health check of the site", pattern=HEALTH_CHECK_ID)
    primary: Any = None
    if env.failover is not None:
        primary = template.input("PrimaryHealthCheckId", "Health check that failover goes by", pattern=HEALTH_CHECK_ID)
    topic = add_topic(template, env, EDGE_CONTROL_REGION)
    for alarm in _alarms(env, distribution=distribution, certificate=certificate, check=check, primary=primary):
        add_alarm(template, env, topic, alarm)
    board = template.add(
        cloudwatch.Dashboard(
            "Dashboard",
            DashboardName=f"{env.prefix}-site",
            DashboardBody=Sub(
                json.dumps(dashboard(env), separators=(",", ":")),
                Distribution=distribution,
                Certificate=certificate,
                HealthCheck=check,
                **({} if primary is None else {"PrimaryHealthCheck": primary}),
            ),
        )
    )
    _access_logs(template, env, distribution)
    template.output("TopicArn", "ARN of the topic that alarms are sent to", Ref(topic))
    template.output("DashboardName", "Name of the dashboard", Ref(board))
    return template


_DAILY_MINIMUM = {"Statistic": "Minimum", "ComparisonOperator": "LessThanThreshold", "Period": 86_400, **AT_ONCE}
_UNHEALTHY = {
    "Statistic": "Minimum",
    "ComparisonOperator": "LessThanThreshold",
    "Threshold": 1,
    "Period": 60,
    "TreatMissingData": "breaching",
}


def _alarms(env: Environment, *, distribution: Any, certificate: Any, check: Any, primary: Any) -> list[Alarm]:
    limits = env.monitoring
    site = {"DistributionId": distribution, "Region": "Global"}
    rate_5xx, rate_4xx, latency = limits.error_rate_5xx_percent, env.error_rate_4xx_percent, limits.origin_latency_ms
    alarms = [
        Alarm(
            f"ErrorRate{kind}",
            f"more than {limit:g} % of answers are {kind}",
            "AWS/CloudFront",
            f"{kind}ErrorRate",
            site,
            {"Statistic": "Average", "Threshold": limit},
        )
        for kind, limit in (("5xx", rate_5xx), ("4xx", rate_4xx))
    ]
    alarms.append(
        Alarm(
            "OriginLatency",
            f"the bucket's first byte takes more than {latency} ms (p90)",
            "AWS/CloudFront",
            "OriginLatency",
            site,
            {"ExtendedStatistic": "p90", "Threshold": latency},
        )
    )
    alarms += [
        Alarm(
            metric,
            f"edge function: more than {limits.edge_errors} {metric} in five minutes",
            "AWS/CloudFront",
            metric,
            dimensions,
            {"Statistic": "Sum", "Threshold": limits.edge_errors, **AT_ONCE},
        )
        for metric, dimensions in edge_metrics(env, distribution)
    ]
    alarms += _firewall_alarms(env)
    days = limits.certificate_days_left
    alarms.append(
        Alarm(
            "CertificateExpiry",
            f"the certificate ends in less than {days} days, so its renewal is stuck",
            "AWS/CertificateManager",
            "DaysToExpiry",
            {"CertificateArn": certificate},
            {"Threshold": days, **_DAILY_MINIMUM},
        )
    )
    checks = [("SiteDown", "the health check fails from outside", check)]
    if primary is not None:
        # With a standby that answers, the name itself stays well: nobody would hear of it.
        checks.append(("OnStandby", "CloudFront does not answer, visitors get the standby", primary))
    alarms += [
        Alarm(title, description, "AWS/Route53", "HealthCheckStatus", {"HealthCheckId": watched}, _UNHEALTHY)
        for title, description, watched in checks
    ]
    return alarms


def _firewall_alarms(env: Environment) -> list[Alarm]:
    firewall = env.firewall
    if firewall is None:
        return []
    limit = firewall.blocked_requests
    return [
        Alarm(
            "Firewall",
            f"the firewall blocked more than {limit} requests in five minutes",
            "AWS/WAFV2",
            "BlockedRequests",
            {"WebACL": env.firewall_name, "Rule": "ALL"},
            {"Statistic": "Sum", "Threshold": limit, **AT_ONCE},
        )
    ]


def _access_logs(template: StackTemplate, env: Environment, distribution: Any) -> None:
    name = env.access_log_bucket
    bucket = private_bucket(
        template,
        "AccessLogBucket",
        name,
        buckets.log_delivery(name),
        noncurrent_days=7,
        expire_days=env.monitoring.access_log_retention_days,
    )
    source = template.add(
        logs.DeliverySource(
            "AccessLogSource",
            # The service changes neither the resource nor the name of a source, and takes one source for a resource: another distribution
            # needs another name, the same one the same (aws-cloudformation/cloudformation-coverage-roadmap issue 2513).
            Name=Sub(f"{env.prefix}-${{Id}}", Id=distribution),
            LogType="ACCESS_LOGS",
            ResourceArn=distribution_arn(distribution),
        )
    )
    # Eight digits: the name of a destination has at most 60 characters (CloudWatch Logs API).
    place = hashlib.sha256(f"{env.access_log_bucket}/{buckets.ACCESS_LOG_PREFIX}".encode()).hexdigest()[:8]
    destination = template.add(
        logs.DeliveryDestination(
            "AccessLogDestination",
            # Its ARN is create-only: another place needs another name, or CloudFormation cannot replace it.
            Name=f"{env.prefix}-access-{place}",
            # With the prefix in the ARN AWS leaves the suffix path as it is (CloudFront Developer Guide, "Send logs to Amazon S3"). Without
            # it a creation puts AWSLogs/{account-id}/CloudFront/ before the path, an update does not, and the bucket refuses the logs.
            DestinationResourceArn=Sub(f"${{{bucket.title}.Arn}}/{buckets.ACCESS_LOG_PREFIX}"),
            OutputFormat="json",
            DependsOn=["AccessLogBucketPolicy"],
        )
    )
    template.add(
        logs.Delivery(
            "AccessLogDelivery",
            DeliverySourceName=Ref(source),
            DeliveryDestinationArn=GetAtt(destination, "Arn"),
            S3SuffixPath="{DistributionId}/{yyyy}/{MM}/{dd}/{HH}",
        )
    )
    template.output("AccessLogBucketName", "Bucket of the access logs", Ref(bucket))
    template.output("AccessLogPrefix", "Where in that bucket the access logs begin", buckets.ACCESS_LOG_PREFIX)
    template.output("AccessLogBucketArn", "ARN of the bucket of the access logs", GetAtt(bucket, "Arn"))
