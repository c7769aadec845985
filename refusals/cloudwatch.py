"""CloudWatch: alarms, their arithmetic and their actions; composite alarms.

Sources: CloudWatch API Reference (PutMetricAlarm, MetricDataQuery, PutCompositeAlarm), CloudWatch User Guide (metric math).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from refusals.expressions import alarm_rule_problem, maths_problem
from refusals.values import Deployment, Problem, Resource, at_most, between, either, exclude, fits, needs, once, one_of, refusal
from refusals.words import arn_of

_API = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference"
_GUIDE = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring"
_ALARM, _COMPOSITE = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"

STATISTICS = ("Average", "Maximum", "Minimum", "SampleCount", "Sum")
_NUMBER = r"(100(\.0{1,10})?|\d{1,2}(\.\d{1,10})?)"
EXTENDED = re.compile(rf"p{_NUMBER}|(tm|tc|ts|wm)({_NUMBER}|\((\d*(\.\d+)?%?)?:(\d*(\.\d+)?%?)?\))|IQM|iqm|PR\(\d*(\.\d+)?:\d*(\.\d+)?\)")
"""Percentiles, trimmed means, counts and sums, winsorized means, interquartile mean, percentile rank."""
_BANDS = ("LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold")
_ACTION = arn_of("sns", "lambda", "autoscaling", "ssm", "ssm-incidents", "swf", "aiops")
_EC2 = re.compile(r"arn:[^:]+:(automate:[^:]+:ec2:(stop|terminate|reboot|recover)|swf:.+)")
_LISTS = ("AlarmActions", "OKActions", "InsufficientDataActions")
DAY, WEEK = 86_400, 604_800


def period_problem(seconds: float) -> bool:
    """The period is none that CloudWatch takes."""
    return seconds not in (10, 20, 30) and (seconds < 60 or seconds % 60 != 0)


@refusal("E9004", _ALARM, f"{_API}/API_PutMetricAlarm.html")
def window(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """An alarm looks back a day, or with periods of an hour and more a week.

    Period 10, 20, 30 or a multiple of 60; 10 to 30 not for metrics of AWS; DatapointsToAlarm at most EvaluationPeriods.
    """
    alarm = resource.properties
    queries = alarm.items("Metrics")
    periods = [alarm.at("Period"), *(query.at(*way) for query in queries for way in (("MetricStat", "Period"), ("Period",)))]
    for period in periods:
        if period.number is not None and period_problem(period.number):
            yield period.path, f"{period.value} is neither 10, 20, 30 nor a multiple of 60"
    known = [period.number for period in periods if period.number is not None]
    evaluated, enough = alarm.at("EvaluationPeriods"), alarm.at("DatapointsToAlarm")
    yield from between(evaluated, 1, WEEK)
    if known and evaluated.number is not None:
        most = WEEK if min(known) >= 3600 else DAY
        if min(known) * evaluated.number > most:
            yield evaluated.path, f"{min(known):.0f} s times {evaluated.value} is more than {most:,} s"
    if enough.number is not None and evaluated.number is not None and not 1 <= enough.number <= evaluated.number:
        yield enough.path, f"{enough.value} datapoints of {evaluated.value} periods"
    if alarm.at("Namespace").literal.startswith("AWS/") and alarm.at("Period").number in (10, 20, 30):
        yield alarm.at("Period").path, "metrics of AWS come every minute at most"


@refusal("E9005", _ALARM, f"{_API}/API_PutMetricAlarm.html")
def metric(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """An alarm watches one metric with one statistic, or queries of which one returns.

    MetricName with Namespace, Period and either Statistic or ExtendedStatistic; or Metrics; EvaluateLowSampleCountPercentile with
    percentiles; dimensions differ.
    """
    alarm = resource.properties
    single = ("MetricName", "Namespace", "Dimensions", "Period", "Statistic", "ExtendedStatistic", "Unit")
    if alarm.at("Metrics").there:
        for key in single:
            yield from exclude(alarm, "Metrics", key)
    elif not alarm.at("MetricName").there and not alarm.at("EvaluationCriteria").there:
        yield alarm.at("MetricName").path, "an alarm needs MetricName or Metrics"
    elif alarm.at("MetricName").there:
        yield from needs(alarm, "MetricName", "Namespace", "Period")
        yield from either(alarm, "an alarm", "Statistic", "ExtendedStatistic")
    yield from exclude(alarm, "Statistic", "ExtendedStatistic")
    yield from one_of(alarm.at("Statistic"), STATISTICS, "statistic")
    yield from fits(alarm.at("ExtendedStatistic"), EXTENDED, "extended statistic such as p99 or tm90")
    few, extended = alarm.at("EvaluateLowSampleCountPercentile"), alarm.at("ExtendedStatistic")
    if few.there and (not extended.there or extended.literal[:1] not in ("", "p")) and not alarm.at("Metrics").there:
        yield few.path, "EvaluateLowSampleCountPercentile is for percentiles"
    yield from one_of(alarm.at("TreatMissingData"), ("breaching", "notBreaching", "ignore", "missing"), "treatment of missing data")
    for each in (alarm, *(query.at("MetricStat", "Metric") for query in alarm.items("Metrics"))):
        dimensions = each.items("Dimensions")
        yield from once((dimension.at("Name") for dimension in dimensions), "dimension")
        yield from at_most(each.at("Dimensions"), 30, "dimensions")
        yield from ((d.at("Value").path, "an empty dimension") for d in dimensions if d.at("Value").value == "")
        yield from fits(each.at("Namespace"), re.compile(r"[^:][\x20-\x7e]{0,254}"), "namespace")


@refusal("E9006", _ALARM, f"{_API}/API_MetricDataQuery.html")
def queries(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """The queries of an alarm have ids of their own, and exactly one returns.

    Ids begin with a small letter; MetricStat or Expression; an expression names ids of the alarm; no SEARCH; at most 20 queries.
    """
    alarm = resource.properties
    found = alarm.items("Metrics")
    if not found or not alarm.at("Metrics").there:
        return
    yield from once((query.at("Id") for query in found), "Id")
    ids = {query.at("Id").literal for query in found}
    returning = [query for query in found if query.at("ReturnData").true or not query.at("ReturnData").there]
    banded = alarm.at("ThresholdMetricId").there
    if all(query.at("ReturnData").told for query in found) and len(returning) not in ((1, 2) if banded else (1,)):
        yield alarm.at("Metrics").path, f"{len(returning)} queries return data; exactly one must (ReturnData, true where it is not given)"
    yield from at_most(alarm.at("Metrics"), 20, "queries")
    for query in found:
        yield from fits(query.at("Id"), re.compile(r"[a-z][a-zA-Z0-9_]{0,254}"), "id: a small letter, then letters, digits and _")
        yield from exclude(query, "MetricStat", "Expression")
        if isinstance(query.value, dict) and not query.at("MetricStat").there and not query.at("Expression").there:
            yield query.path, "a query needs MetricStat or Expression"
        stat = query.at("MetricStat", "Stat")
        if stat.literal and stat.literal not in STATISTICS and not EXTENDED.fullmatch(stat.literal):
            yield stat.path, f"{stat.literal!r} is no statistic"
        expression = query.at("Expression")
        problem = maths_problem(expression.literal, ids) if expression.literal else None
        if problem:
            yield expression.path, problem
        if re.search(r"\bSEARCH\s*\(", expression.literal):
            yield expression.path, "an alarm cannot SEARCH: that returns many series"


@refusal("E9007", _ALARM, f"{_API}/API_PutMetricAlarm.html")
def threshold(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """An alarm has a threshold of the kind that it compares with.

    Threshold, or ThresholdMetricId of an ANOMALY_DETECTION_BAND with one of the comparisons for bands.
    """
    alarm = resource.properties
    band, comparison = alarm.at("ThresholdMetricId"), alarm.at("ComparisonOperator")
    yield from exclude(alarm, "Threshold", "ThresholdMetricId")
    if not comparison.there and not alarm.at("EvaluationCriteria").there:
        yield comparison.path, "an alarm needs ComparisonOperator"
    if not alarm.at("EvaluationCriteria").there:
        yield from either(alarm, "an alarm", "Threshold", "ThresholdMetricId")
    if comparison.known and (comparison.value in _BANDS) != band.there:
        yield comparison.path, f"{comparison.value} {'needs' if comparison.value in _BANDS else 'does not go with'} ThresholdMetricId"
    if band.literal:
        match = [query for query in alarm.items("Metrics") if query.at("Id").literal == band.literal]
        if not match:
            yield band.path, f"{band.literal} is none of the alarm's queries"
        elif match[0].at("Expression").known and "ANOMALY_DETECTION_BAND" not in str(match[0].at("Expression").value):
            yield band.path, f"{band.literal} is no ANOMALY_DETECTION_BAND"
    elif any("ANOMALY_DETECTION_BAND" in query.at("Expression").literal for query in alarm.items("Metrics")) and not band.there:
        yield band.path, "a band needs ThresholdMetricId"


@refusal("E9008", (_ALARM, _COMPOSITE), f"{_API}/API_PutMetricAlarm.html")
def actions(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """An alarm's actions are ARNs of its own region that can be reached.

    At most five a state; a topic that is encrypted with alias/aws/sns is closed to CloudWatch (User Guide, Notifying users on alarm
    changes).
    """
    for name in _LISTS:
        listed = resource.properties.items(name)
        if len(listed) > 5:
            yield resource.properties.at(name).path, f"{len(listed)} actions; CloudWatch takes 5 a state"
        yield from once(listed, "action")
        for action in listed:
            if action.text and not action.text.startswith("${"):
                if not _ACTION.fullmatch(action.text) and not _EC2.fullmatch(action.text):
                    yield action.path, f"{action.text!r} is no ARN of an action (a topic, a function and the like)"
                region = action.text.split(":")[3] if action.text.count(":") >= 5 else ""
                if deployment.region and re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region) and region != deployment.region:
                    yield action.path, f"is in {region}, the alarm in {deployment.region}"
            topic = deployment.meant(action, "AWS::SNS::Topic")
            if topic and action.text not in (f"${{{topic.name}}}", f"${{{topic.name}.TopicArn}}"):
                yield action.path, f"{action.text} is no ARN; write the Ref of {topic.name}"
            if topic and not _admits_alarms(topic, deployment):
                yield action.path, f"no topic policy of {topic.name} lets cloudwatch.amazonaws.com publish"
            if topic and re.search(r"(^|/)alias/aws/sns$|^aws/sns$", topic.properties.at("KmsMasterKeyId").literal):
                yield action.path, "CloudWatch may not use the key alias/aws/sns of this topic; give it a key of your own or none"
            meant = deployment.meant(action)
            if (
                meant
                and meant.kind
                not in (
                    "AWS::SNS::Topic",
                    "AWS::Lambda::Function",
                    "AWS::Lambda::Alias",
                    "AWS::Lambda::Version",
                    "AWS::AutoScaling::ScalingPolicy",
                )
                and meant.kind.startswith("AWS::")
            ):
                yield action.path, f"{meant.kind} is no action of an alarm"


def _admits_alarms(topic: Resource, deployment: Deployment) -> bool:
    """The topic has no policy here, or one that lets CloudWatch, or the account as a whole, publish."""
    own = f"${{{topic.name}}}", f"${{{topic.name}.TopicArn}}"
    policies = [each for each in deployment.of("AWS::SNS::TopicPolicy") if any(at.text in own for at in each.properties.items("Topics"))]
    statements = [statement for each in policies for statement in each.properties.items("PolicyDocument", "Statement")]
    allowing = [statement for statement in statements if statement.at("Effect").value == "Allow"]
    return not policies or any(
        any(at.literal in ("cloudwatch.amazonaws.com", "") for at in statement.items("Principal", "Service"))
        or statement.at("Principal").value == "*"
        or any(at.value == "*" or (at.text or "").endswith(":root") or "$" in (at.text or "") for at in statement.items("Principal", "AWS"))
        for statement in allowing
    )


_GLOBAL = {"AWS/CloudFront": "us-east-1", "AWS/Route53": "us-east-1"}


@refusal("E9009", _ALARM, f"{_GUIDE}/CloudWatch_Alarms.html")
def in_its_region(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """An alarm on CloudFront or Route 53 stands in us-east-1.

    Their metrics arrive there only (CloudFront Developer Guide, Route 53 Developer Guide); elsewhere the alarm never has data.
    """
    alarm = resource.properties
    for namespace in (alarm.at("Namespace"), *(query.at("MetricStat", "Metric", "Namespace") for query in alarm.items("Metrics"))):
        region = _GLOBAL.get(namespace.literal)
        outside = [each for each in deployment.regions if each != region]
        if region and outside:
            yield namespace.path, f"{namespace.literal} reports in {region}, not in {outside[0]}"


@refusal("E9010", _COMPOSITE, f"{_API}/API_PutCompositeAlarm.html")
def composite(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A composite alarm's rule can be read, and its suppressor has its times.

    ALARM(name), OK(name), INSUFFICIENT_DATA(name), TRUE, FALSE with AND, OR, NOT and brackets; at most 10,240 characters and 100
    alarms; not itself.
    """
    alarm = resource.properties
    rule, own = alarm.at("AlarmRule"), alarm.at("AlarmName").literal
    if rule.text is not None:
        problem = alarm_rule_problem(rule.text, own)
        if problem:
            yield rule.path, problem
        yield from at_most(rule, 10_240, "characters")
    yield from needs(alarm, "ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")
    for name in ("ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"):
        yield from needs(alarm, name, "ActionsSuppressor")
