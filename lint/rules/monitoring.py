"""Alarms: a metric that its service really sends, and logs that arrive where the bucket lets them in.

In: a template. Out: alarms on metrics that nobody publishes, log deliveries whose path moves at AWS.
Never: judges a threshold, knows metrics of namespaces that are not ours.

CloudWatch takes any name for a metric: an alarm on one that does not exist is created without a word and never fires.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lint.rules.base import Problem, Rule
from templates.view import Node, View, reference

_CLOUDFRONT_GUIDE = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide"
_CLOUDFRONT = f"{_CLOUDFRONT_GUIDE}/programming-cloudwatch-metrics.html"
_ROUTE53 = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-health-checks.html"
_ACM = "https://docs.aws.amazon.com/acm/latest/userguide/cloudwatch-metrics.html"
_S3 = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html"
_DYNAMODB = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html"
_BILLING = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/billing-metricscollected.html"
_WAF = "https://docs.aws.amazon.com/waf/latest/developerguide/waf-metrics.html"


@dataclass(frozen=True)
class Metrics:
    """Metrics of one namespace that share their dimensions; names with blanks between."""

    source: str
    named_by: str
    listed: str

    @property
    def dimensions(self) -> frozenset[str]:
        """All of them name a metric; with one missing or too many CloudWatch finds no data."""
        return frozenset(self.named_by.split())

    @property
    def names(self) -> frozenset[str]:
        """The metrics."""
        return frozenset(self.listed.split())


METRICS: Mapping[str, tuple[Metrics, ...]] = {
    "AWS/CloudFront": (
        Metrics(
            _CLOUDFRONT,
            "DistributionId Region",
            "4xxErrorRate 5xxErrorRate TotalErrorRate Requests BytesDownloaded BytesUploaded"
            # Published while the distribution has a MonitoringSubscription.
            " 401ErrorRate 403ErrorRate 404ErrorRate 502ErrorRate 503ErrorRate 504ErrorRate CacheHitRate OriginLatency"
            # Lambda@Edge; the last one, and only that, is a plural.
            " LambdaExecutionError LambdaValidationError LambdaLimitExceededErrors",
        ),
        Metrics(
            f"{_CLOUDFRONT_GUIDE}/monitoring-functions.html",
            "FunctionName Region",
            "FunctionInvocations FunctionValidationErrors FunctionExecutionErrors FunctionComputeUtilization FunctionThrottles",
        ),
    ),
    "AWS/Route53": (
        Metrics(
            _ROUTE53,
            "HealthCheckId",
            "HealthCheckStatus HealthCheckPercentageHealthy ChildHealthCheckHealthyCount ConnectionTime SSLHandshakeTime TimeToFirstByte",
        ),
        Metrics(_ROUTE53, "HostedZoneId", "DNSQueries"),
    ),
    "AWS/CertificateManager": (Metrics(_ACM, "CertificateArn", "DaysToExpiry"),),
    "AWS/S3": (
        Metrics(
            _S3,
            "SourceBucket DestinationBucket RuleId",
            "ReplicationLatency BytesPendingReplication OperationsPendingReplication OperationsFailedReplication",
        ),
        Metrics(_S3, "BucketName StorageType", "BucketSizeBytes NumberOfObjects"),
    ),
    "AWS/DynamoDB": (Metrics(_DYNAMODB, "TableName", "ConsumedReadCapacityUnits ConsumedWriteCapacityUnits"),),
    # In us-east-1, and where the account receives billing alerts.
    "AWS/Billing": (Metrics(_BILLING, "Currency", "EstimatedCharges"), Metrics(_BILLING, "ServiceName Currency", "EstimatedCharges")),
    # A web ACL of CloudFront reports without Region.
    "AWS/WAFV2": (Metrics(_WAF, "WebACL Rule", "AllowedRequests BlockedRequests CountedRequests PassedRequests"),),
}
"""Namespace to what its service publishes, as far as this platform may want to watch it."""

REGION_OF_CLOUDFRONT = "Global"
"""The only value of the dimension Region in AWS/CloudFront; no other metric here has that dimension."""


def metric_problem(namespace: str, name: str, dimensions: Mapping[str, object]) -> str | None:
    """Why nobody publishes such a metric, or None. A value of a dimension that is no text is not judged."""
    groups = METRICS.get(namespace)
    if groups is None:
        return f"the namespace {namespace!r} is not among {', '.join(METRICS)}"
    named = [group for group in groups if name in group.names]
    if not named:
        return f"{namespace} has no metric {name!r}; it has {', '.join(sorted(frozenset[str]().union(*(g.names for g in groups))))}"
    if all(group.dimensions != dimensions.keys() for group in named):
        offered = "; or ".join(" and ".join(sorted(group.dimensions)) for group in named)
        return f"{namespace} {name} comes with the dimensions {offered}, not {', '.join(sorted(dimensions)) or 'none'}"
    region = dimensions.get("Region", REGION_OF_CLOUDFRONT)
    if isinstance(region, str) and region != REGION_OF_CLOUDFRONT:
        return f"the dimension Region of CloudFront's metrics is always {REGION_OF_CLOUDFRONT}, not {region!r}"
    return None


class KnownMetric(Rule):
    id = "E9001"
    shortdesc = "An alarm watches a metric that its service publishes"
    description = "Namespace, name and dimensions as documented; CloudWatch itself takes any."
    source_url = _CLOUDFRONT

    def check(self, view: View) -> Iterator[Problem]:
        for alarm in view.properties("AWS::CloudWatch::Alarm"):
            dimensions: dict[str, object] = {}
            for each in view.items(alarm, "Dimensions"):
                for key in view.at(each, "Name"):
                    if key.text:
                        dimensions[key.text] = next(view.at(each, "Value")).value
            for namespace in view.at(alarm, "Namespace"):
                for name in view.at(alarm.when(namespace), "MetricName"):
                    of_aws = namespace.text and namespace.text.startswith("AWS/")
                    if of_aws and name.text and (problem := metric_problem(str(namespace.value), name.text, dimensions)):
                        yield name.path, problem


class DeliveryPrefix(Rule):
    id = "E9002"
    shortdesc = "Logs that CloudFront delivers to a bucket go below a prefix that the destination names"
    description = (
        "Without a prefix in DestinationResourceArn AWS puts AWSLogs/{account-id}/CloudFront/ before the suffix path when the delivery is"
        " made, and leaves it out when the suffix path is changed."
    )
    source_url = f"{_CLOUDFRONT_GUIDE}/standard-logging.html"

    def check(self, view: View) -> Iterator[Problem]:
        if not any(node.text == "ACCESS_LOGS" for s in view.properties("AWS::Logs::DeliverySource") for node in view.at(s, "LogType")):
            return
        for properties in view.properties("AWS::Logs::DeliveryDestination"):
            for node in view.at(properties, "DestinationResourceArn"):
                if _is_a_whole_bucket(view, node):
                    yield node.path, "a bucket without a prefix; write the bucket's ARN, a slash and the prefix"


class DashboardBody(Rule):
    id = "E9003"
    shortdesc = "A dashboard's body is JSON with a list of widgets"
    description = "CloudWatch refuses any other body; what only AWS will know stands in it as it is written."
    source_url = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html"

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties("AWS::CloudWatch::Dashboard"):
            for node in view.at(properties, "DashboardBody"):
                if node.text is None:
                    continue
                try:
                    body = json.loads(node.text)
                except (ValueError, RecursionError) as error:
                    yield node.path, f"not JSON: {error}"
                    continue
                if not isinstance(body, dict) or not isinstance(body.get("widgets"), list):
                    yield node.path, "no JSON object with a list of widgets"


def _is_a_whole_bucket(view: View, node: Node) -> bool:
    target = reference(node)
    if target is not None:
        return view.type_of(target.name) == "AWS::S3::Bucket"
    return ":s3:::" in str(node.text) and "/" not in str(node.text)
