"""CloudWatch Logs: groups and vended deliveries (source, destination, delivery).

Sources: CloudWatch Logs API Reference (CreateLogGroup, PutDeliverySource, PutDeliveryDestination, CreateDelivery), CloudWatch Logs User
Guide ("Enable logging from AWS services"), CloudFront Developer Guide ("Standard logging (v2)").
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from refusals.values import At, Deployment, Problem, Resource, at_most, fits, once, one_of, refusal
from refusals.words import listed

_API = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference"
_CLOUDFRONT = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html"
_GROUP, _SOURCE, _DESTINATION, _DELIVERY = (
    f"AWS::Logs::{name}" for name in ("LogGroup", "DeliverySource", "DeliveryDestination", "Delivery")
)
_NAME = re.compile(r"[\w-]{1,60}")
FORMATS = {"s3": ("json", "plain", "w3c", "raw", "parquet"), "logs": ("json", "plain"), "firehose": ("json", "plain", "raw")}
"""Kind of destination -> its output formats."""
_KINDS = {"S3": "s3", "CWL": "logs", "FH": "firehose"}
_TYPES = {"AWS::S3::Bucket": "s3", "AWS::Logs::LogGroup": "logs", "AWS::KinesisFirehose::DeliveryStream": "firehose"}
CLOUDFRONT_LOGS = ("ACCESS_LOGS", "CONNECTION_LOGS")
FIELDS = listed(
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query "
    "cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol "
    "ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte "
    "x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end timestamp(ms) origin-fbl origin-lbl asn "
    "DistributionId distributionid timestamp timestamp(s) c-country cache-behavior-path-pattern cs-headers cs-header-names "
    "cs-headers-count primary-distribution-id primary-distribution-dns-name distribution-tenant-id connection-id r-host sr-reason"
)
_VARIABLES = frozenset({"DistributionId", "distributionid", "yyyy", "MM", "dd", "HH", "accountid", "region", "account-id"})


@refusal("E9040", _GROUP, f"{_API}/API_CreateLogGroup.html")
def group(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A log group has a name of its own and a key by ARN.

    Letters, digits and _ - / . #, not beginning with aws/.
    """
    name, key = resource.properties.at("LogGroupName"), resource.properties.at("KmsKeyId")
    yield from fits(name, re.compile(r"[.\-_/#A-Za-z0-9]{1,512}"), "name of a log group")
    if name.literal.lower().startswith("aws/"):
        yield name.path, "names that begin with aws/ are kept for AWS"
    if key.text and not key.text.startswith("${") and not re.match(r"arn:.*:kms:.*:key/", key.text):
        yield key.path, f"{key.text!r} is no ARN of a key"
    yield from one_of(resource.properties.at("LogGroupClass"), ("STANDARD", "INFREQUENT_ACCESS", "DELIVERY"), "class")


def _service(destination: Resource, deployment: Deployment) -> str | None:
    arn = destination.properties.at("DestinationResourceArn")
    parts = (arn.text or "").split(":")
    if len(parts) > 3 and not parts[2].startswith("${"):
        return parts[2]
    made = deployment.resources.get((arn.text or "")[2:].partition(".")[0].rstrip("}"))
    return _TYPES.get(made.kind, made.kind) if made else _KINDS.get(destination.properties.at("DeliveryDestinationType").literal)


@refusal(
    "E9041",
    (_SOURCE, _DESTINATION),
    f"{_API}/API_PutDeliveryDestination.html",
    more="S3: json, plain, w3c, raw, parquet; logs: json, plain; Firehose: json, plain, raw. Of CloudFront: "
    + ", ".join(CLOUDFRONT_LOGS)
    + ".",
)
def ends(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """Logs go from a service that has them to a bucket, a log group or a stream, in one of its formats."""
    given = resource.properties
    yield from fits(given.at("Name"), _NAME, "name: letters, digits, _ and -, 60 at most")
    if resource.kind == _SOURCE:
        arn, made = given.at("ResourceArn"), deployment.meant(given.at("ResourceArn"))
        service = (arn.text or "").split(":")[2] if (arn.text or "").count(":") > 2 else ""
        if ("cloudfront" in service or (made and made.kind == "AWS::CloudFront::Distribution")) and deployment.region not in (
            None,
            "us-east-1",
        ):
            yield arn.path, f"logs of CloudFront are delivered from us-east-1, not from {deployment.region}"
        if "cloudfront" in service:
            yield from one_of(given.at("LogType"), CLOUDFRONT_LOGS, "log of CloudFront")
        elif given.at("LogType").value == "ACCESS_LOGS" and (
            service in ("s3", "logs", "lambda", "sns") or (made and made.kind == "AWS::S3::Bucket")
        ):
            yield arn.path, f"{arn.text!r} delivers no logs of this type"
        return
    yield from one_of(given.at("OutputFormat"), FORMATS["s3"], "output format")
    service_of = _service(resource, deployment)
    if service_of is not None and service_of not in FORMATS and service_of != "xray":
        yield given.at("DestinationResourceArn").path, "a destination is a bucket, a log group or a stream of Firehose"
    if (
        given.at("OutputFormat").value in FORMATS["s3"]
        and service_of in FORMATS
        and given.at("OutputFormat").value not in FORMATS[service_of]
    ):
        yield given.at("OutputFormat").path, f"{service_of} takes {', '.join(FORMATS[service_of])}"


@refusal("E9042", _DELIVERY, f"{_API}/API_CreateDelivery.html")
def delivery(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A delivery joins a source and a destination that are there, once, with settings of its kind.

    Source by Ref or DependsOn; S3 settings for buckets; a delimiter for plain, w3c and raw; fields once, and of those that CloudFront
    has; suffix variables that it knows.
    """
    given = resource.properties
    source, arn = given.at("DeliverySourceName"), given.at("DeliveryDestinationArn")
    destination = deployment.meant(arn, _DESTINATION)
    made = deployment.meant(source, _SOURCE)
    sources = tuple(deployment.of(_SOURCE))
    by_name = {name: each for each in sources if (name := each.properties.at("Name").literal)}
    if source.literal in by_name and by_name[source.literal].name not in resource.depends_on:
        yield source.path, f"made before its source; use the Ref of {by_name[source.literal].name}"
    if source.literal and by_name and len(by_name) == len(sources) and source.literal not in by_name and destination:
        yield source.path, f"no source of the template is named {source.literal}"
    if arn.text and not arn.text.startswith("${") and ":delivery-destination:" not in arn.text:
        yield arn.path, f"{arn.text!r} is no delivery destination"
    for other in deployment.of(_DELIVERY):
        if (
            other.name < resource.name
            and other.properties.at("DeliverySourceName").value == source.value
            and other.properties.at("DeliveryDestinationArn").value == arn.value
        ):
            yield arn.path, f"the same delivery as {other.name}"
    if destination:
        yield from _settings(given, _service(destination, deployment), destination.properties.at("OutputFormat"))
    yield from once(given.items("RecordFields"), "field")
    made = made or by_name.get(source.literal)
    from_cloudfront = made is not None and (
        "cloudfront" in (made.properties.at("ResourceArn").text or "")
        or deployment.meant(made.properties.at("ResourceArn"), "AWS::CloudFront::Distribution") is not None
    )
    if from_cloudfront:
        for field in given.items("RecordFields"):
            if made and made.properties.at("LogType").value == "ACCESS_LOGS":
                yield from one_of(field, FIELDS, "field of CloudFront's access logs")
        for variable in re.findall(r"\{([^{}$]+)\}", given.at("S3SuffixPath").literal):
            if variable not in _VARIABLES:
                yield given.at("S3SuffixPath").path, f"{{{variable}}} is no variable; there are {', '.join(sorted(_VARIABLES))}"


def _settings(given: At, service: str | None, output: At) -> Iterator[Problem]:
    for name in ("S3SuffixPath", "S3EnableHiveCompatiblePath"):
        if given.at(name).there and service not in (None, "s3"):
            yield given.at(name).path, f"{name} is for buckets"
    delimiter = given.at("FieldDelimiter")
    if delimiter.there and output.known and output.value not in ("plain", "w3c", "raw"):
        yield delimiter.path, f"a delimiter is for plain, w3c and raw, not for {output.value}"
    yield from at_most(delimiter, 5, "characters")
    yield from at_most(given.at("S3SuffixPath"), 256, "characters")


_FILTERS = ("AWS::Logs::MetricFilter", "AWS::Logs::SubscriptionFilter")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|%[^%]*%')


@refusal("E9043", _FILTERS, f"{_API}/API_PutMetricFilter.html")
def filters(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A filter of logs has a pattern that can be read, and what its receiver needs.

    Brackets that close, conditions with a right side; a default value or dimensions (3 at most); a role for a stream.
    """
    given = resource.properties
    problem = _unreadable(given.at("FilterPattern").literal)
    if problem:
        yield given.at("FilterPattern").path, problem
    for change in given.items("MetricTransformations"):
        dimensions, default = change.items("Dimensions"), change.at("DefaultValue")
        if dimensions and default.there:
            yield default.path, "a default value and dimensions exclude each other"
        yield from at_most(change.at("Dimensions"), 3, "dimensions")
        yield from once((each.at("Key") for each in dimensions), "dimension")
    receiver = given.at("DestinationArn")
    service = (receiver.text or "").split(":")[2:3]
    made = deployment.meant(receiver)
    stream = service in (["kinesis"], ["firehose"]) or (
        made and made.kind in ("AWS::Kinesis::Stream", "AWS::KinesisFirehose::DeliveryStream")
    )
    if stream and not given.at("RoleArn").there:
        yield given.at("RoleArn").path, "logs go to a stream by a role"


def _unreadable(pattern: str) -> str | None:
    """What is wrong with a filter pattern; None for one that only CloudWatch can judge."""
    plain = _QUOTED.sub("x", pattern.strip())
    if plain[:1] not in ("{", "["):
        return None
    if not plain.endswith({"{": "}", "[": "]"}[plain[0]]):
        return f"begins with {plain[0]} and does not end with its bracket"
    if plain[0] == "{":
        if plain.count("(") != plain.count(")"):
            return "a ( without its )"
        if re.search(r"([=<>]|&&|\|\|)\s*(\)|\}|&&|\|\|)", plain) or not plain.strip("{} "):
            return "a condition without its right side"
    return None
