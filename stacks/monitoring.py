"""What a person on call looks at, and what wakes them: alarms, one SNS topic, a dashboard, access logs. us-east-1, where CloudFront,
Route 53 health checks and CloudFront's certificates report.
"""

from __future__ import annotations

import json
from typing import Any

from troposphere import GetAtt, Ref, Sub, cloudwatch, logs, sns

from environments.model import Environment
from policies import buckets, runtime
from policies.statements import distribution_arn
from stacks.dns import health_check
from stacks.site import routing_function_name
from stacks.storage import private_bucket
from stacks.template import CERTIFICATE_ARN, DISTRIBUTION_ID, HEALTH_CHECK_ID, StackTemplate

PERIOD_SECONDS = 300
LAMBDA_EDGE_METRICS = ("LambdaExecutionError", "LambdaValidationError", "LambdaLimitExceededErrors")
FUNCTION_METRICS = ("FunctionExecutionErrors", "FunctionValidationErrors", "FunctionThrottles")
"""CloudFront's own metrics of edge functions (CloudFront Developer Guide, types of metrics); the lint gate knows the list."""


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
    topic = _topic(template, env)
    _alarms(template, env, topic, distribution=distribution, certificate=certificate, check=check, primary=primary)
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


def _topic(template: StackTemplate, env: Environment) -> sns.Topic:
    # Not encrypted: CloudWatch cannot publish to a topic under the AWS managed key, and what is sent is alarm names, no secrets.
    topic = template.add(sns.Topic("AlarmTopic", TopicName=f"{env.prefix}-alarms", DisplayName=f"{env.prefix} alarms"))
    template.add(
        sns.TopicPolicy("AlarmTopicPolicy", Topics=[Ref(topic)], PolicyDocument=runtime.alarm_topic(Ref(topic), Ref("AWS::AccountId")))
    )
    if env.monitoring.alarm_email is not None:
        template.add(sns.SubscriptionResource("AlarmEmail", TopicArn=Ref(topic), Protocol="email", Endpoint=env.monitoring.alarm_email))
    return topic


def _alarms(
    template: StackTemplate, env: Environment, topic: sns.Topic, *, distribution: Any, certificate: Any, check: Any, primary: Any
) -> None:
    monitoring = env.monitoring
    site = {"DistributionId": distribution, "Region": "Global"}

    def alarm(title: str, description: str, namespace: str, metric: str, dimensions: dict[str, Any], **settings: Any) -> None:
        properties = {
            "ComparisonOperator": "GreaterThanThreshold",
            "Period": PERIOD_SECONDS,
            "EvaluationPeriods": 3,
            "DatapointsToAlarm": 2,
            "TreatMissingData": "notBreaching",
            **settings,
        }
        template.add(
            cloudwatch.Alarm(
                title,
                AlarmName=f"{env.prefix}-{title}",
                AlarmDescription=f"{env.domain}: {description}",
                Namespace=namespace,
                MetricName=metric,
                Dimensions=[cloudwatch.MetricDimension(Name=name, Value=value) for name, value in dimensions.items()],
                AlarmActions=[Ref(topic)],
                OKActions=[Ref(topic)],
                **properties,
            )
        )
        template.output(f"{title}Name", f"Name of the alarm: {description}", Ref(title))

    alarm(
        "ErrorRate5xx",
        f"more than {monitoring.error_rate_5xx_percent:g} % of answers are 5xx",
        "AWS/CloudFront",
        "5xxErrorRate",
        site,
        Statistic="Average",
        Threshold=monitoring.error_rate_5xx_percent,
    )
    alarm(
        "ErrorRate4xx",
        f"more than {monitoring.error_rate_4xx_percent:g} % of answers are 4xx",
        "AWS/CloudFront",
        "4xxErrorRate",
        site,
        Statistic="Average",
        Threshold=monitoring.error_rate_4xx_percent,
    )
    alarm(
        "OriginLatency",
        f"the bucket's first byte takes more than {monitoring.origin_latency_ms} ms (p90)",
        "AWS/CloudFront",
        "OriginLatency",
        site,
        ExtendedStatistic="p90",
        Threshold=monitoring.origin_latency_ms,
    )
    for metric, dimensions in _edge_metrics(env, distribution):
        alarm(
            metric,
            f"edge function: more than {monitoring.edge_errors} {metric} in five minutes",
            "AWS/CloudFront",
            metric,
            dimensions,
            Statistic="Sum",
            Threshold=monitoring.edge_errors,
            EvaluationPeriods=1,
            DatapointsToAlarm=1,
        )
    alarm(
        "CertificateExpiry",
        f"the certificate ends in less than {monitoring.certificate_days_left} days, so its renewal is stuck",
        "AWS/CertificateManager",
        "DaysToExpiry",
        {"CertificateArn": certificate},
        Statistic="Minimum",
        ComparisonOperator="LessThanThreshold",
        Threshold=monitoring.certificate_days_left,
        Period=86_400,
        EvaluationPeriods=1,
        DatapointsToAlarm=1,
    )
    looks = [("SiteDown", "the health check fails from outside", check)]
    if primary is not None:
        # With a standby that answers, the name itself stays well: nobody would hear of it.
        looks.append(("OnStandby", "CloudFront does not answer, visitors get the standby", primary))
    for title, description, looked_at in looks:
        alarm(
            title,
            description,
            "AWS/Route53",
            "HealthCheckStatus",
            {"HealthCheckId": looked_at},
            Statistic="Minimum",
            ComparisonOperator="LessThanThreshold",
            Threshold=1,
            Period=60,
            TreatMissingData="breaching",
        )


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
            Name=f"{env.prefix}-access",
            LogType="ACCESS_LOGS",
            ResourceArn=distribution_arn(distribution),
        )
    )
    destination = template.add(
        logs.DeliveryDestination(
            "AccessLogDestination",
            # Its ARN is create-only: another place needs another name, or CloudFormation cannot replace it.
            Name=f"{env.prefix}-access-{buckets.ACCESS_LOG_PREFIX}",
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


def _dashboard(env: Environment) -> dict[str, Any]:
    """Top to bottom as a person on call asks: is it up, for how many, how fast, and why not."""
    site = ["Region", "Global", "DistributionId", "${Distribution}"]

    def metric(name: str, label: str, **options: str) -> list[Any]:
        return ["AWS/CloudFront", name, *site, {"label": label, **options}]

    def graph(title: str, x: int, y: int, metrics: list[list[Any]], *, statistic: str, **properties: Any) -> dict[str, Any]:
        shape = {
            "view": "timeSeries",
            "region": "us-east-1",
            "period": PERIOD_SECONDS,
            "stat": statistic,
            "title": title,
            "metrics": metrics,
        }
        return {"type": "metric", "x": x, "y": y, "width": 8, "height": 6, "properties": {**shape, **properties}}

    percent: dict[str, Any] = {"yAxis": {"left": {"min": 0, "label": "%", "showUnits": False}}}
    looks = [["AWS/Route53", "HealthCheckStatus", "HealthCheckId", "${HealthCheck}", {"label": "health check"}]]
    if env.failover is not None:
        looks.append(["AWS/Route53", "HealthCheckStatus", "HealthCheckId", "${PrimaryHealthCheck}", {"label": "distribution"}])
    edge = [
        ["AWS/CloudFront", name, *(part for pair in dimensions.items() for part in pair), {"label": name}]
        for name, dimensions in _edge_metrics(env, "${Distribution}")
    ]
    text = (
        f"# {env.prefix}\\n[https://{env.domain}{env.app.entry_path}](https://{env.domain}{env.app.entry_path}) · distribution "
        "${Distribution} · certificate `${Certificate}`"
    ).replace("\\n", "\n")
    return {
        "widgets": [
            {"type": "text", "x": 0, "y": 0, "width": 24, "height": 2, "properties": {"markdown": text}},
            graph(
                "Up, seen from outside (1 = yes)",
                0,
                2,
                looks,
                statistic="Minimum",
                yAxis={"left": {"min": 0, "max": 1}},
            ),
            graph("Requests", 8, 2, [metric("Requests", "requests")], statistic="Sum"),
            graph(
                "Errors",
                16,
                2,
                [metric("5xxErrorRate", "5xx", color="#d62728"), metric("4xxErrorRate", "4xx"), metric("401ErrorRate", "401")],
                statistic="Average",
                **percent,
            ),
            graph(
                "Origin latency (ms)",
                0,
                8,
                [
                    metric("OriginLatency", "p50", stat="p50"),
                    metric("OriginLatency", "p90", stat="p90"),
                    metric("OriginLatency", "p99", stat="p99"),
                ],
                statistic="p90",
            ),
            graph("Cache hit rate", 8, 8, [metric("CacheHitRate", "hits")], statistic="Average", **percent),
            graph("Edge function", 16, 8, edge, statistic="Sum"),
            graph("Bytes sent", 0, 14, [metric("BytesDownloaded", "downloaded")], statistic="Sum"),
            graph(
                "Certificate, days left",
                8,
                14,
                [["AWS/CertificateManager", "DaysToExpiry", "CertificateArn", "${Certificate}", {"label": "days"}]],
                statistic="Minimum",
                period=86_400,
            ),
        ]
    }
