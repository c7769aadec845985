"""CloudWatch, to read only: the states of alarms.

In: names of alarms. Out: their states. Raises `aws.errors`. Never: changes anything.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import field

from aws.answers import Answer, pages
from aws.gateway import Regional

MOST_NAMES = 100
"""Names that one DescribeAlarms takes (CloudWatch API)."""


class _Alarm(Answer, frozen=True, kw_only=True):
    name: str = field(name="AlarmName")
    state: str = field(name="StateValue")


class Alarms(Regional):
    """The alarms of one account and region."""

    service = "cloudwatch"

    def states(self, names: Iterable[str]) -> dict[str, str]:
        """OK, ALARM or INSUFFICIENT_DATA by name, without those that are not there.

        Asked by name, since the deploy role may read alarms of its own prefix only.
        """
        wanted = sorted(names)
        found: dict[str, str] = {}
        for begin in range(0, len(wanted), MOST_NAMES):
            alarms = pages(
                self.client.describe_alarms,
                "MetricAlarms",
                _Alarm,
                may_be_absent=True,
                AlarmNames=wanted[begin : begin + MOST_NAMES],
                AlarmTypes=["MetricAlarm"],
            )
            found |= {alarm.name: alarm.state for alarm in alarms}
        return found
