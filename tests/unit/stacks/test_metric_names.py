"""Every metric that an alarm or the dashboard of any environment names is one that AWS documents, with its dimensions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from lint.rules.monitoring import METRICS, metric_problem
from tests.unit.stacks.test_templates import VARIANTS, synthesis

Watched = tuple[str, str, str, Mapping[str, object]]


def watched(name: str) -> Iterator[Watched]:
    """Where, namespace, metric and dimensions of everything that the templates of a variant watch."""
    for stack, text in synthesis(name).templates.items():
        for title, resource in json.loads(text)["Resources"].items():
            properties = resource.get("Properties", {})
            where = f"{name}/{stack}/{title}"
            if resource["Type"] == "AWS::CloudWatch::Alarm":
                dimensions = {each["Name"]: each["Value"] for each in properties["Dimensions"]}
                yield where, properties["Namespace"], properties["MetricName"], dimensions
            if resource["Type"] == "AWS::CloudWatch::Dashboard":
                yield from of_dashboard(where, json.loads(properties["DashboardBody"]["Fn::Sub"][0]))


def of_dashboard(where: str, body: Mapping[str, Any]) -> Iterator[Watched]:
    for widget in body["widgets"]:
        for metric in widget["properties"].get("metrics", []):
            namespace, metric_name, *rest = [part for part in metric if isinstance(part, str)]
            yield f"{where} {widget['properties']['title']}", namespace, metric_name, dict(zip(rest[::2], rest[1::2], strict=True))


@pytest.mark.parametrize("name", VARIANTS)
def test_every_metric_is_one_that_aws_publishes(name: str) -> None:
    found = list(watched(name))
    assert len(found) > 15
    problems = [(where, metric_problem(namespace, metric, dimensions)) for where, namespace, metric, dimensions in found]
    assert [each for each in problems if each[1]] == []


@pytest.mark.parametrize("name", VARIANTS)
def test_metrics_that_cost_extra_are_switched_on(name: str) -> None:
    """CloudFront publishes them while the distribution has a MonitoringSubscription."""
    resources = json.loads(synthesis(name).templates["site"])["Resources"].values()
    (subscription,) = (r["Properties"] for r in resources if r["Type"] == "AWS::CloudFront::MonitoringSubscription")
    config = subscription["MonitoringSubscription"]["RealtimeMetricsSubscriptionConfig"]
    assert config["RealtimeMetricsSubscriptionStatus"] == "Enabled"
    assert {"OriginLatency", "CacheHitRate", "401ErrorRate"} <= {metric for _, _, metric, _ in watched(name)}


def test_the_list_has_sources() -> None:
    assert all(group.source.startswith("https://docs.aws.amazon.com/") for groups in METRICS.values() for group in groups)


@pytest.mark.parametrize(
    ("namespace", "metric", "dimensions", "words"),
    [
        ("AWS/CloudFront", "LambdaLimitExceededError", {"DistributionId": "E1", "Region": "Global"}, "has no metric"),
        ("AWS/CloudFront", "5xxErrorRate", {"DistributionId": "E1"}, "comes with the dimensions DistributionId and Region"),
        ("AWS/CloudFront", "5xxErrorRate", {"DistributionId": "E1", "Region": "us-east-1"}, "always Global"),
        ("AWS/CloudFront", "FunctionThrottles", {"DistributionId": "E1", "Region": "Global"}, "FunctionName and Region"),
        ("AWS/ACM", "DaysToExpiry", {"CertificateArn": "a"}, "is not among"),
    ],
)
def test_what_nobody_publishes_is_told_from_what_is(namespace: str, metric: str, dimensions: dict[str, object], words: str) -> None:
    assert words in (metric_problem(namespace, metric, dimensions) or "")
