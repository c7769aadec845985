"""AWS's list prices in US dollars, each with its unit, its source and the day on which that was read.

In: nothing. Out: `Price` values; `is_old`.
Never: asks AWS. Prices of Europe (Ireland) and the edge unless a name says otherwise; other regions differ by some percent. Without taxes,
discounts and free tiers.

`read`: the number stood in the source. Where it is False the number is from knowledge of November 2026, to be compared with the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

OLD = timedelta(days=365)


@dataclass(frozen=True)
class Price:
    """One number of a price list."""

    usd: float
    unit: str
    source: str
    as_of: str
    """ISO 8601 date on which it was read, or put down from knowledge."""
    read: bool = True


def is_old(today: date, price: Price) -> bool:
    """Put down more than a year ago."""
    return today - date.fromisoformat(price.as_of) > OLD


_TODAY = "2026-11-27"
_CLOUDFRONT = "https://aws.amazon.com/cloudfront/pricing (a stored copy)"
_CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
_S3 = "https://aws.amazon.com/s3/pricing/"
_ROUTE53 = "https://aws.amazon.com/route53/pricing/"

TRANSFER_NORTH = Price(0.085, "GB to visitors in North America and Europe", _CLOUDFRONT, _TODAY)
"""The first 10 TB a month of an account; beyond them it becomes cheaper."""
TRANSFER_ASIA = Price(0.120, "GB to visitors in Asia", _CLOUDFRONT, _TODAY)
TRANSFER_SOUTH = Price(0.114, "GB to visitors in Australia and South America", _CLOUDFRONT, _TODAY)
REQUESTS_NORTH = Price(1.20, "million HTTPS requests in Europe", _CLOUDFRONT, _TODAY, read=False)
REQUESTS_ASIA = Price(1.20, "million HTTPS requests in Asia", _CLOUDFRONT, _TODAY, read=False)
REQUESTS_SOUTH = Price(2.20, "million HTTPS requests in South America", _CLOUDFRONT, _TODAY, read=False)
EDGE_FUNCTION = Price(0.10, "million calls of a CloudFront function", "https://cur.vantage.sh/aws/amazoncloudfront/", _TODAY)
LAMBDA_EDGE = Price(
    0.60, "million calls of a Lambda@Edge function", "https://awsnegotiations.com/cloudfront-functions-pricing.html", _TODAY
)
LAMBDA_EDGE_TIME = Price(0.00005001, "GB-second at the edge", "https://awsnegotiations.com/cloudfront-functions-pricing.html", _TODAY)

METRIC = Price(0.30, "metric", "https://signoz.io/guides/cloudwatch-pricing (2026-02)", _TODAY)
ALARM = Price(0.10, "metric of an alarm, at least a minute apart", _CLOUDWATCH, _TODAY, read=False)
FAST_ALARM = Price(0.30, "metric of an alarm, seconds apart", _CLOUDWATCH, _TODAY, read=False)
DASHBOARD = Price(
    3.00, "dashboard", "https://www.factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/ (2026-06)", _TODAY
)
LOG_INTAKE = Price(
    0.50, "GB of logs", "https://www.factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/ (2026-06)", _TODAY
)
LOG_KEPT = Price(0.03, "GB of logs kept for a month", _CLOUDWATCH, _TODAY, read=False)
NOTIFICATION = Price(0.00002, "e-mail", "https://aws.amazon.com/sns/pricing/", _TODAY, read=False)

STORAGE = Price(0.023, "GB kept for a month", _S3, _TODAY, read=False)
WRITE = Price(0.005, "thousand writes or listings", _S3, _TODAY, read=False)
READ = Price(0.0004, "thousand reads", _S3, _TODAY, read=False)
BETWEEN_REGIONS = Price(0.02, "GB to another region", _S3, _TODAY, read=False)
REPLICATION_TIME = Price(0.015, "GB under replication time control", _S3, _TODAY, read=False)

ZONE = Price(0.50, "hosted zone", "https://ns1.com/resources/aws-dns (first 25 zones)", _TODAY)
HEALTH_CHECK = Price(0.50, "health check of an AWS endpoint", _ROUTE53, _TODAY, read=False)
HEALTH_CHECK_FEATURE = Price(1.00, "feature of a health check (HTTPS, string match, fast interval, latency)", _ROUTE53, _TODAY, read=False)

WEB_ACL = Price(5.00, "web ACL", "https://aws.amazon.com/waf/pricing/", _TODAY, read=False)
WEB_ACL_RULE = Price(1.00, "rule of a web ACL", "https://aws.amazon.com/waf/pricing/", _TODAY, read=False)
WEB_ACL_REQUESTS = Price(0.60, "million requests through a web ACL", "https://aws.amazon.com/waf/pricing/", _TODAY, read=False)

SECRET = Price(0.40, "secret", "https://hivebook.wiki/wiki/aws-secrets-manager-rotated-secrets-dynamic-db-credentials-kms", _TODAY)
KEY = Price(1.00, "customer managed key", "https://aws.amazon.com/kms/pricing/", _TODAY, read=False)
TABLE_STORAGE = Price(0.25, "GB of a table", "https://aws.amazon.com/dynamodb/pricing/ (a stored copy)", _TODAY)
TABLE_RECOVERY = Price(0.20, "GB of point-in-time recovery", "https://aws.amazon.com/dynamodb/pricing/", _TODAY, read=False)
TABLE_WRITES = Price(0.705, "million writes on demand", "https://aws.amazon.com/dynamodb/pricing/on-demand/", _TODAY, read=False)

FREE_GIGABYTES, FREE_REQUESTS, FREE_CALLS = 1024, 10_000_000, 2_000_000
"""What of CloudFront costs an account nothing each month: GB of transfer, requests, calls of functions. Source: as TRANSFER_NORTH."""

ALL: tuple[Price, ...] = tuple(value for value in globals().values() if isinstance(value, Price))
