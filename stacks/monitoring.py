"""What a person on call looks at, and what wakes them: alarms, one SNS topic, a dashboard, access logs. us-east-1, where CloudFront,
Route 53 health checks and CloudFront's certificates report.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from troposphere import GetAtt, Ref, Sub, cloudwatch, logs

from environments.model import EDGE_CONTROL_REGION, Environment
from environments.second_origin import DisasterRecovery
from policies import buckets
from policies.statements import distribution_arn
from stacks.alarms import AT_ONCE, FUNCTION_METRICS, LAMBDA_EDGE_METRICS, PERIOD_SECONDS, Alarm, add_alarm, add_topic
from stacks.dns import health_check
from stacks.replication import dimensions
from stacks.site import routing_function_name
from stacks.storage import private_bucket
from stacks.template import CERTIFICATE_ARN, DISTRIBUTION_ID, HEALTH_CHECK_ID, StackTemplate


def build(env: Environment) -> StackTemplate:
    """The template."""
    template = StackTemplate(env, "monitoring", f"alarms, dashboard and access logs of {env.domain}")
    distribution = template.input("DistributionId", "Distribution that is watched", pattern=DISTRIBUTION_ID)
    certificate = template.input("CertificateArn", "Certificate whose end is watched", pattern=CERTIFICATE_ARN)
    check: Any
    if env.zone_is_foreign:
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
    dashboard = template.add(
        cloudwatch.Dashboard(
            "Dashboard",
            DashboardName=f"{env.prefix}-site",
            DashboardBody=Sub(
                json.dumps(_dashboard(env), separators=(",", ":")),
                Distribution=distribution,
                Certificate=certificate,
                HealthCheck=check,
                **({} if primary is None else {"PrimaryHealthCheck": primary}),
            ),
        )
    )
    _access_logs(template, env, distribution)
    template.output("TopicArn", "ARN of the topic that alarms are sent to", Ref(topic))
    template.output("DashboardName", "Name of the dashboard", Ref(dashboard))
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
        for metric, dimensions in _edge_metrics(env, distribution)
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


def _edge_metrics(env: Environment, distribution: Any) -> list[tuple[str, dict[str, Any]]]:
    if env.basic_auth.enabled:
        return [(metric, {"DistributionId": distribution, "Region": "Global"}) for metric in LAMBDA_EDGE_METRICS]
    return [(metric, {"FunctionName": routing_function_name(env), "Region": "Global"}) for metric in FUNCTION_METRICS]


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
    destination = template.add(
        logs.DeliveryDestination(
            "AccessLogDestination",
            # Its ARN is create-only: another place needs another name, or CloudFormation cannot replace it.
            Name=f"{env.prefix}-access-{_digest(f'{env.access_log_bucket}/{buckets.ACCESS_LOG_PREFIX}')}",
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


def _digest(text: str) -> str:
    """Eight hexadecimal digits; the names of destinations have at most 60 characters (CloudWatch Logs API)."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _dashboard(env: Environment) -> dict[str, Any]:
    """Top to bottom, three in a row, as a person on call asks: is it up, for how many, how fast, and why not."""
    link = f"https://{env.domain}{env.app.entry_path}"
    text = f"# {env.prefix}\n[{link}]({link}) · distribution ${{Distribution}} · certificate `${{Certificate}}`"
    heading = {"type": "text", "x": 0, "y": 0, "width": 24, "height": 2, "properties": {"markdown": text}}
    return {"widgets": [heading, *(_graph(place, *graph) for place, graph in enumerate(_graphs(env)))]}


def _graphs(env: Environment) -> list[tuple[str, str, list[list[Any]], dict[str, Any]]]:
    """Title, statistic, metrics and further properties of each."""
    percent = {"yAxis": {"left": {"min": 0, "label": "%", "showUnits": False}}}
    checks = [["AWS/Route53", "HealthCheckStatus", "HealthCheckId", "${HealthCheck}", {"label": "health check"}]]
    if env.failover is not None:
        checks.append(["AWS/Route53", "HealthCheckStatus", "HealthCheckId", "${PrimaryHealthCheck}", {"label": "distribution"}])
    errors = [_metric("5xxErrorRate", "5xx", color="#d62728"), _metric("4xxErrorRate", "4xx"), _metric("401ErrorRate", "401")]
    latency = [_metric("OriginLatency", percentile, stat=percentile) for percentile in ("p50", "p90", "p99")]
    edge = [
        ["AWS/CloudFront", name, *(part for pair in dimensions.items() for part in pair), {"label": name}]
        for name, dimensions in _edge_metrics(env, "${Distribution}")
    ]
    firewall = [
        ["AWS/WAFV2", name, "WebACL", env.firewall_name, "Rule", "ALL", {"label": label}]
        for name, label in (("BlockedRequests", "blocked"), ("CountedRequests", "counted"))
    ]
    certificate = ["AWS/CertificateManager", "DaysToExpiry", "CertificateArn", "${Certificate}", {"label": "days"}]
    return [
        ("Up, seen from outside (1 = yes)", "Minimum", checks, {"yAxis": {"left": {"min": 0, "max": 1}}}),
        ("Requests", "Sum", [_metric("Requests", "requests")], {}),
        ("Errors", "Average", errors, percent),
        ("Origin latency (ms)", "p90", latency, {}),
        ("Cache hit rate", "Average", [_metric("CacheHitRate", "hits")], percent),
        ("Edge function", "Sum", edge, {}),
        ("Bytes sent", "Sum", [_metric("BytesDownloaded", "downloaded")], {}),
        *([("Firewall", "Sum", firewall, {})] if env.firewall else []),
        *([("Replication", "Maximum", _replication(env.disaster_recovery, env), {})] if env.disaster_recovery else []),
        ("Certificate, days left", "Minimum", [certificate], {"period": 86_400}),
    ]


def _replication(recovery: DisasterRecovery, env: Environment) -> list[list[Any]]:
    """What waits and how late it is, which S3 tells in the replica's region; what failed, in the bucket's own.

    Source: Amazon S3 User Guide, "Using S3 Replication metrics"."""
    named = [part for pair in dimensions(env, recovery).items() for part in pair]
    graphs: tuple[tuple[str, str, str, dict[str, str]], ...] = (
        ("ReplicationLatency", "seconds behind", recovery.region, {}),
        ("OperationsPendingReplication", "waiting", recovery.region, {"yAxis": "right"}),
        ("OperationsFailedReplication", "failed", env.home_region, {"yAxis": "right", "color": "#d62728"}),
    )
    return [["AWS/S3", name, *named, {"label": label, "region": region, **more}] for name, label, region, more in graphs]


def _metric(name: str, label: str, **options: str) -> list[Any]:
    return ["AWS/CloudFront", name, "Region", "Global", "DistributionId", "${Distribution}", {"label": label, **options}]


def _graph(place: int, title: str, statistic: str, metrics: list[list[Any]], properties: dict[str, Any]) -> dict[str, Any]:
    row, column = divmod(place, 3)
    shape = {"view": "timeSeries", "region": "us-east-1", "period": PERIOD_SECONDS, "stat": statistic, "title": title, "metrics": metrics}
    return {"type": "metric", "x": 8 * column, "y": 2 + 6 * row, "width": 8, "height": 6, "properties": {**shape, **properties}}
