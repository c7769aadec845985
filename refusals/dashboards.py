"""CloudWatch dashboards: the body is JSON in a text, which CloudFormation hands on unread.

Source: CloudWatch API Reference, "Dashboard body structure and syntax".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from refusals.cloudwatch import EXTENDED, STATISTICS, period_problem
from refusals.expressions import maths_problem
from refusals.values import At, Deployment, Problem, Resource, at_most, fits, once, one_of, refusal
from refusals.words import REGION

_SOURCE = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html"
_BOARD = "AWS::CloudWatch::Dashboard"
_TYPES = ("metric", "text", "log", "alarm", "explorer", "custom", "trace")
_FIELDS = frozenset({"type", "x", "y", "width", "height", "properties"})
_BODY = frozenset({"start", "end", "periodOverride", "widgets", "variables"})
_VIEWS = {
    "metric": ("timeSeries", "singleValue", "gauge", "bar", "pie", "table"),
    "log": ("table", "timeSeries", "bar", "pie"),
    "explorer": ("timeSeries", "singleValue", "bar", "pie"),
}
_TIME = re.compile(r"-?P(\d+[YMWD])*(T(\d+[HMS])+)?|\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)?")
WIDTH = 24


def _body(resource: Resource) -> At:
    text = resource.properties.at("DashboardBody").text
    try:
        body = json.loads(text or "null")
    except (ValueError, RecursionError):
        body = None  # another rule says that it is no JSON
    return At(body)


def _problems(found: Iterator[Problem]) -> Iterator[Problem]:
    """What is wrong within the text is shown at the text, with its place in words."""
    for path, message in found:
        where = ".".join(str(step + 1) if isinstance(step, int) else step for step in path)
        yield ("DashboardBody",), f"{where}: {message}" if where else message


@refusal(
    "E9011", _BOARD, _SOURCE, more=f"A type, properties, and a place within {WIDTH} columns; at most 500 widgets; start and end are times."
)
def widgets(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A dashboard has a name of letters, digits, - and _, and widgets that CloudWatch draws."""
    yield from fits(resource.properties.at("DashboardName"), re.compile(r"[A-Za-z0-9_-]{1,255}"), "name of a dashboard")
    yield from _problems(_widgets(_body(resource)))


def _widgets(body: At) -> Iterator[Problem]:
    for key in set(body.names()) - _BODY:
        yield (key,), f"a body has {', '.join(sorted(_BODY))}"
    for key in ("start", "end"):
        yield from fits(body.at(key), _TIME, "time (-PT3H, or ISO 8601)")
    yield from one_of(body.at("periodOverride"), ("auto", "inherit"), "override")
    found = body.items("widgets")
    if len(found) > 500:
        yield ("widgets",), f"{len(found)} widgets; at most 500"
    for widget in found:
        if not isinstance(widget.value, dict):
            yield widget.path, "a widget is an object"
            continue
        kind = widget.at("type")
        if not kind.there:
            yield kind.path, "a widget without type"
        yield from one_of(kind, _TYPES, "type of a widget")
        for key in set(widget.names()) - _FIELDS:
            yield (*widget.path, key), f"a widget has {', '.join(sorted(_FIELDS))}"
        if not isinstance(widget.at("properties").value, dict):
            yield widget.at("properties").path, "a widget needs properties"
        yield from _place(widget)


def _place(widget: At) -> Iterator[Problem]:
    for key, low, high in (("x", 0, WIDTH - 1), ("y", 0, 10**6), ("width", 1, WIDTH), ("height", 1, 1000)):
        at = widget.at(key)
        if at.there and at.known and (not isinstance(at.value, int) or isinstance(at.value, bool) or not low <= at.value <= high):
            yield at.path, f"{at.value!r} is no whole number from {low} to {high}"
    x, width = widget.at("x").number or 0, widget.at("width").number or 6
    if x + width > WIDTH:
        yield widget.path, f"ends at column {x + width:.0f} of {WIDTH}"


@refusal("E9012", _BOARD, _SOURCE)
def contents(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A widget shows what its properties name.

    metric: rows of namespace, name and pairs of dimensions, a region, a period as for alarms, a known view and statistic, ids that
    differ; text: markdown; log: region and query; alarm: ARNs of 1 to 100 alarms.
    """
    yield from _problems(_contents(_body(resource)))


def _contents(body: At) -> Iterator[Problem]:
    for widget in body.items("widgets"):
        kind, properties = widget.at("type").value, widget.at("properties")
        if not isinstance(properties.value, dict):
            continue
        if kind in _VIEWS:
            yield from one_of(properties.at("view"), _VIEWS[kind], "view")
        yield from fits(properties.at("region"), REGION, "region")
        if kind == "metric":
            yield from _graph(properties)
        elif kind == "explorer" and not properties.items("metrics"):
            yield properties.at("metrics").path, "an explorer widget needs metrics"
        elif kind == "text" and not isinstance(properties.at("markdown").value, str):
            yield properties.at("markdown").path, "a text widget needs markdown"
        elif kind == "log":
            yield from (
                (properties.at(key).path, f"a log widget needs {key}") for key in ("region", "query") if not properties.at(key).there
            )
        elif kind == "alarm":
            alarms = properties.items("alarms")
            if not 1 <= len(alarms) <= 100 and properties.at("alarms").told:
                yield properties.at("alarms").path, "an alarm widget names 1 to 100 alarms"
            for alarm in alarms:
                yield from fits(alarm, re.compile(r"arn:[a-z-]+:cloudwatch:[a-z0-9-]+:\d{12}:alarm:.+"), "ARN of an alarm")


def _graph(properties: At) -> Iterator[Problem]:
    rows = properties.at("metrics")
    annotated = properties.at("annotations", "alarms").there
    if not properties.at("region").there and not annotated:
        yield properties.at("region").path, "a metric widget needs region"
    if not rows.there and not annotated:
        yield rows.path, "a metric widget needs metrics or an annotation of an alarm"
    yield from _period_and_stat(properties)
    yield from _looks(properties)
    if rows.there and not isinstance(rows.value, list):
        yield rows.path, "metrics is a list of rows"
    options = [
        row.items()[-1] for row in rows.items() if isinstance(row.value, list) and row.items() and isinstance(row.items()[-1].value, dict)
    ]
    yield from once((each.at("id") for each in options), "id")
    ids = {each.at("id").literal for each in options}
    dynamic = any("SEARCH" in each.at("expression").literal or "METRICS" in each.at("expression").literal for each in options)
    for index, row in enumerate(rows.items()):
        if not isinstance(row.value, list) or not row.value:
            yield row.path, "a row of metrics is a list"
            continue
        last = row.items()[-1]
        names = [item for item in row.items() if not isinstance(item.value, dict)]
        if isinstance(last.value, dict):
            yield from one_of(last.at("yAxis"), ("left", "right"), "axis")
            for key in set(last.names()) - _OPTIONS:
                yield (*last.path, key), f"options of a metric are {', '.join(sorted(_OPTIONS))}"
            yield from _period_and_stat(last)
            yield from fits(last.at("id"), re.compile(r"[a-z][A-Za-z0-9_]*"), "id: a small letter, then letters, digits and _")
            expression = last.at("expression")
            problem = maths_problem(expression.literal, ids) if expression.literal and not dynamic else None
            if problem:
                yield expression.path, problem
            if expression.there:
                continue
        yield from _row(row, names, first=index == 0)
    yield from at_most(rows, 500, "metrics")


def _row(row: At, names: list[At], *, first: bool) -> Iterator[Problem]:
    texts = [name.value for name in names]
    if first and any(text in (".", "...") for text in texts):
        yield row.path, "the first row has nothing above it to repeat"
    for name in names:
        if not isinstance(name.value, str):
            yield name.path, f"{name.value!r} is no text"
    if "..." in texts:
        return
    if len(texts) < 2:
        yield row.path, "a row names a namespace and a metric"
    elif len(texts) % 2:
        yield row.path, "a dimension without its value"


_OPTIONS = frozenset({"accountId", "color", "expression", "id", "label", "period", "region", "stat", "visible", "yAxis"})
_LOOKS = (("title", str), ("stacked", bool), ("sparkline", bool), ("liveData", bool), ("setPeriodToTimeRange", bool), ("timezone", str))


def _looks(properties: At) -> Iterator[Problem]:
    for key, kind in _LOOKS:
        if properties.at(key).there and not isinstance(properties.at(key).value, kind):
            yield properties.at(key).path, f"{properties.at(key).value!r} is no {'text' if kind is str else 'true or false'}"
    for side in ("left", "right"):
        for end in ("min", "max"):
            at = properties.at("yAxis", side, end)
            if at.there and (not isinstance(at.value, int | float) or isinstance(at.value, bool)):
                yield at.path, f"{at.value!r} is no number"
    for line in properties.items("annotations", "horizontal"):
        for at in line.items() if isinstance(line.value, list) else (line,):
            if not isinstance(at.at("value").value, int | float):
                yield at.at("value").path, "a horizontal line needs a number as value"
    for line in properties.items("annotations", "vertical"):
        for at in line.items() if isinstance(line.value, list) else (line,):
            yield from fits(at.at("value"), re.compile(r"\d{4}-\d\d-\d\dT.+"), "time")


def _period_and_stat(at: At) -> Iterator[Problem]:
    period, stat = at.at("period"), at.at("stat")
    if period.number is not None and period.number not in (1, 5) and period_problem(period.number):
        yield period.path, f"{period.value} is neither 1, 5, 10, 20, 30 nor a multiple of 60"
    if stat.literal and stat.literal not in STATISTICS and not EXTENDED.fullmatch(stat.literal):
        yield stat.path, f"{stat.literal!r} is no statistic"
