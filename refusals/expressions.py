"""Two small languages of CloudWatch: metric math and the rules of composite alarms.

Sources: CloudWatch User Guide, "Using math expressions with CloudWatch metrics"; CloudWatch API, PutCompositeAlarm, AlarmRule.
"""

from __future__ import annotations

import re
from collections.abc import Set

from refusals.words import listed

FUNCTIONS = listed(
    "ABS ANOMALY_DETECTION_BAND AVG CEIL DATAPOINT_COUNT DB_PERF_INSIGHTS DIFF DIFF_TIME FILL FIRST LAST FLOOR IF "
    "INSIGHT_RULE_METRIC LAMBDA LOG LOG10 MAX METRIC_COUNT METRICS MIN MINUTE HOUR DAY DATE MONTH YEAR EPOCH PERIOD RATE "
    "REMOVE_EMPTY RUNNING_SUM SEARCH SERVICE_QUOTA SLICE SORT STDDEV SUM TIME_SERIES"
)
_WORDS = frozenset({"AND", "OR", "NOT", "DESC", "ASC", "REPEAT", "LINEAR", "TRUE", "FALSE", "true", "false"})
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"[^"]*"|'[^']*')|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[A-Za-z_]\w*)|(?P<sign>&&|\|\||[<>!=]=|[-+*/^<>(),\[\]!]))"""
)


def maths_problem(text: str, ids: Set[str]) -> str | None:  # noqa: PLR0911 - one return a fault
    """Why an expression over queries with these ids cannot be computed, or None."""
    if re.match(r"\s*SELECT\b", text):
        return None  # Metrics Insights is another language.
    tokens: list[tuple[str, str]] = []
    place = 0
    while place < len(text.rstrip()):
        found = _TOKEN.match(text, place)
        if not found:
            return f"cannot be read at {text[place : place + 12].strip()!r}"
        tokens.append((str(found.lastgroup), found[0].strip()))
        place = found.end()
    opened: list[str] = []
    for index, (kind, token) in enumerate(tokens):
        following = tokens[index + 1][1] if index + 1 < len(tokens) else ""
        if kind == "name" and following == "(":
            if token not in FUNCTIONS:
                return f"there is no function {token}"
        elif kind == "name" and token not in _WORDS and token not in ids:
            return f"{token} is none of the ids {', '.join(sorted(ids - {''}))}"
        if token in ("(", "["):
            opened.append(token)
        elif token in (")", "]") and (not opened or opened.pop() != {")": "(", "]": "["}[token]):
            return f"a {token} without its beginning"
    if opened:
        return f"a {opened[-1]} without its end"
    return "ends in an operator" if tokens and tokens[-1][1] in ("+", "-", "*", "/", "^", "<", ">", ",") else None


_RULE_TOKEN = re.compile(
    r"""\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?P<alarm>"[^"]*"|'[^']*'|[^()\s]+(?:\s+[^()\s]+)*)\s*\)|(?P<word>AND|OR|NOT|TRUE|FALSE|AT_LEAST)\b|(?P<sign>[(),]))"""
)


def alarm_rule_problem(text: str, own_name: str) -> str | None:  # noqa: PLR0911 - one return a fault
    """Why a composite alarm cannot have this rule, or None."""
    if not text.strip():
        return "an empty rule"
    if text.strip().startswith("${") or "AT_LEAST" in text:
        return None
    depth = alarms = place = 0
    wants_value = True
    end = len(text.rstrip())
    while place < end:
        found = _RULE_TOKEN.match(text, place)
        if not found:
            return f"cannot be read at {text[place : place + 20].strip()!r}"
        place = found.end()
        word, sign = found["word"], found["sign"]
        if found["state"]:
            alarms += 1
            if own_name and found["alarm"].strip("\"'") == own_name:
                return "the rule names the alarm itself"
        value_begins = found["state"] is not None or word in ("NOT", "TRUE", "FALSE") or sign == "("
        if value_begins != wants_value:
            return f"{'expected an alarm' if wants_value else 'expected AND or OR'} at {found[0].strip()!r}"
        depth += {"(": 1, ")": -1}.get(sign or "", 0)
        if depth < 0:
            return "a ) without its beginning"
        wants_value = word in ("AND", "OR", "NOT") or sign == "("
    if depth:
        return "a ( without its end"
    if wants_value:
        return "ends where an alarm is expected"
    return "at most 100 alarms" if alarms > 100 else None
