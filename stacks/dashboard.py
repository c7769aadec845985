"""The dashboard: what a person on call asks, in the order in which they ask it. `docs/dashboard.svg` shows it, drawn from sample metrics.

In: an environment. Out: the body, with names of the template's parameters in it (`${Distribution}`). Never: a metric that costs money by
itself, or that somebody would have to send.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from assembly import commands
from environments.model import Environment
from environments.second_origin import DisasterRecovery
from stacks.alarms import FUNCTION_METRICS, LAMBDA_EDGE_METRICS, PERIOD_SECONDS
from stacks.replication import dimensions
from stacks.site import routing_function_name

HOUR, DAY = 3_600, 86_400
COLUMNS, HEADING, HEIGHT = 24, 2, 6
_RED, _ORANGE, _GREY = "#d62728", "#ff7f0e", "#7f7f7f"
_PERCENT = {"yAxis": {"left": {"min": 0, "label": "%", "showUnits": False}}}


@dataclass(frozen=True, kw_only=True)
class Graph:
    """One widget; those of a question share its row."""

    title: str
    statistic: str
    metrics: list[list[Any]]
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A row: a heading over its graphs."""

    text: str
    graphs: tuple[Graph, ...]


def edge_metrics(env: Environment, distribution: Any) -> list[tuple[str, dict[str, Any]]]:
    """The errors of the environment's edge function, with their dimensions."""
    if env.basic_auth.enabled:
        return [(metric, {"DistributionId": distribution, "Region": "Global"}) for metric in LAMBDA_EDGE_METRICS]
    return [(metric, {"FunctionName": routing_function_name(env), "Region": "Global"}) for metric in FUNCTION_METRICS]


def dashboard(env: Environment) -> dict[str, Any]:
    """The body (CloudWatch API Reference, "Dashboard body structure and syntax")."""
    link = f"https://{env.domain}{env.app.entry_path}"
    help_ = f"`{commands.deploy('runbook', env.name)}`"
    text = f"# {env.prefix}\n[{link}]({link}) · distribution ${{Distribution}} · certificate `${{Certificate}}` · what to do: {help_}"
    return {"start": "-PT12H", "widgets": list(_widgets(text, _questions(env)))}


def _widgets(text: str, questions: tuple[Question, ...]) -> Iterator[dict[str, Any]]:
    yield _text(text, 0, HEADING)
    y = HEADING
    for question in questions:
        yield _text(f"## {question.text}", y, 1)
        width = COLUMNS // len(question.graphs)
        for column, graph in enumerate(question.graphs):
            yield _graph(graph, x=width * column, y=y + 1, width=width)
        y += 1 + HEIGHT


def _questions(env: Environment) -> tuple[Question, ...]:
    return (
        Question(text="Are visitors served?", graphs=_served(env)),
        Question(text="Is it slow?", graphs=_speed()),
        Question(text="Who is refused, and why?", graphs=_refused(env)),
        Question(text="What changed?", graphs=_changed(env)),
        Question(text="What does it cost?", graphs=_cost()),
    )


def _served(env: Environment) -> tuple[Graph, ...]:
    checks = [["AWS/Route53", "HealthCheckStatus", "HealthCheckId", "${HealthCheck}", {"label": "the site"}]]
    if env.failover is not None:
        checks.append(["AWS/Route53", "HealthCheckStatus", "HealthCheckId", "${PrimaryHealthCheck}", {"label": "the distribution"}])
    # Server errors beside the moments of deployments: the first question at night is whether it began with one.
    errors = [_cloudfront("5xxErrorRate", "5xx", color=_RED), _deployments(env, axis="right")]
    served = (
        Graph(title="Up, seen from outside (1 = yes)", statistic="Minimum", metrics=checks, more={"yAxis": {"left": {"min": 0, "max": 1}}}),
        Graph(title="Requests", statistic="Sum", metrics=[_cloudfront("Requests", "requests")]),
        Graph(
            title="Server errors, and deployments",
            statistic="Average",
            metrics=errors,
            more={"yAxis": {**_PERCENT["yAxis"], "right": {"min": 0, "showUnits": False}}},
        ),
    )
    if env.disaster_recovery is None:
        return served
    return (*served, Graph(title="Replication", statistic="Maximum", metrics=_replication(env.disaster_recovery, env)))


def _replication(recovery: DisasterRecovery, env: Environment) -> list[list[Any]]:
    """What waits and how late it is, which S3 tells in the replica's region; what failed, in the bucket's own.

    Source: Amazon S3 User Guide, "Using S3 Replication metrics"."""
    named = [part for pair in dimensions(env, recovery).items() for part in pair]
    graphs: tuple[tuple[str, str, str, dict[str, str]], ...] = (
        ("ReplicationLatency", "seconds behind", recovery.region, {}),
        ("OperationsPendingReplication", "waiting", recovery.region, {"yAxis": "right"}),
        ("OperationsFailedReplication", "failed", env.home_region, {"yAxis": "right", "color": _RED}),
    )
    return [["AWS/S3", name, *named, {"label": label, "region": region, **more}] for name, label, region, more in graphs]


def _speed() -> tuple[Graph, ...]:
    latency = [_cloudfront("OriginLatency", percentile, stat=percentile) for percentile in ("p50", "p90", "p99")]
    return (
        Graph(title="Origin latency (ms)", statistic="p90", metrics=latency),
        Graph(title="Cache hit rate", statistic="Average", metrics=[_cloudfront("CacheHitRate", "hits")], more=_PERCENT),
    )


def _refused(env: Environment) -> tuple[Graph, ...]:
    codes = (("401ErrorRate", "401: no password"), ("403ErrorRate", "403: forbidden"), ("404ErrorRate", "404: no such page"))
    refused = [_cloudfront("4xxErrorRate", "all 4xx", color=_GREY), *(_cloudfront(name, label) for name, label in codes)]
    edge = [
        ["AWS/CloudFront", name, *(part for pair in dimensions.items() for part in pair), {"label": label}]
        for (name, dimensions), label in zip(edge_metrics(env, "${Distribution}"), ("error", "invalid answer", "throttled"), strict=True)
    ]
    graphs = (
        Graph(title="Refused requests, by status", statistic="Average", metrics=refused, more=_PERCENT),
        Graph(title="Errors of the edge function", statistic="Sum", metrics=edge),
    )
    if env.firewall is None:
        return graphs
    firewall = [
        ["AWS/WAFV2", name, "WebACL", env.firewall_name, "Rule", "ALL", {"label": label}]
        for name, label in (("BlockedRequests", "blocked"), ("CountedRequests", "counted"))
    ]
    return (*graphs, Graph(title="Firewall", statistic="Sum", metrics=firewall))


def _changed(env: Environment) -> tuple[Graph, ...]:
    # S3 reports both once a day (Amazon S3 User Guide, "Metrics and dimensions").
    files = ["AWS/S3", "NumberOfObjects", "BucketName", env.bucket, "StorageType", "AllStorageTypes"]
    certificate = ["AWS/CertificateManager", "DaysToExpiry", "CertificateArn", "${Certificate}", {"label": "days"}]
    return (
        Graph(
            title="Deployments (the lock is written at each)",
            statistic="Sum",
            metrics=[_deployments(env)],
            more={"yAxis": {"left": {"min": 0}}},
        ),
        Graph(
            title="Files of the site, a day",
            statistic="Average",
            metrics=[[*files, {"label": "files", "region": env.home_region}]],
            more={"period": DAY, "start": "-P14D", "end": "P0D"},
        ),
        Graph(
            title="Certificate, days left", statistic="Minimum", metrics=[certificate], more={"period": DAY, "start": "-P14D", "end": "P0D"}
        ),
    )


def _cost() -> tuple[Graph, ...]:
    # Both are there only where the account receives billing alerts (docs/runbooks/cost-spike.md); without them the graph is empty.
    charges = [
        ["AWS/Billing", "EstimatedCharges", "Currency", "USD", {"label": "the whole account"}],
        ["AWS/Billing", "EstimatedCharges", "ServiceName", "AmazonCloudFront", "Currency", "USD", {"label": "CloudFront"}],
    ]
    return (
        Graph(title="Bytes sent", statistic="Sum", metrics=[_cloudfront("BytesDownloaded", "downloaded")], more={"period": HOUR}),
        Graph(
            title="Estimated charges of this month (USD)",
            statistic="Maximum",
            metrics=charges,
            more={"period": 6 * HOUR, "start": "-P14D", "end": "P0D"},
        ),
    )


def _deployments(env: Environment, axis: str = "left") -> list[Any]:
    """Who deploys takes the lock, a write to its table, which DynamoDB counts by itself: nobody has to report a deployment."""
    how = {"label": "deployment", "stat": "Sum", "region": env.home_region, "color": _ORANGE, "yAxis": axis}
    return ["AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", env.artifacts.lock_table, how]


def _cloudfront(name: str, label: str, **options: str) -> list[Any]:
    return ["AWS/CloudFront", name, "Region", "Global", "DistributionId", "${Distribution}", {"label": label, **options}]


def _text(markdown: str, y: int, height: int) -> dict[str, Any]:
    return {"type": "text", "x": 0, "y": y, "width": COLUMNS, "height": height, "properties": {"markdown": markdown}}


def _graph(graph: Graph, *, x: int, y: int, width: int) -> dict[str, Any]:
    shape = {"view": "timeSeries", "region": "us-east-1", "period": PERIOD_SECONDS, "stat": graph.statistic, "title": graph.title}
    return {
        "type": "metric",
        "x": x,
        "y": y,
        "width": width,
        "height": HEIGHT,
        "properties": {**shape, "metrics": graph.metrics, **graph.more},
    }
