"""CloudWatch Logs, to read: log groups and their events.

In: group names, times. Out: frozen values, page by page. Raises `aws.errors`. Never: makes or deletes a group.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aws.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

    from aws.session import Aws


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line of a log."""

    id: str
    group: str
    stream: str
    milliseconds: int
    """Since the epoch."""
    message: str


@dataclass(frozen=True)
class Logs:
    """The logs of one account and region."""

    client: CloudWatchLogsClient
    region: str

    @classmethod
    def connect(cls, aws: Aws, *, account_id: str, region: str, role_arn: str | None = None) -> Logs:
        """As `Aws.client`."""
        return cls(aws.client("logs", account_id=account_id, region=region, role_arn=role_arn), region)

    def groups(self, prefix: str) -> tuple[str, ...]:
        """Names of the groups that begin so."""
        pages = self.client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
        return tuple(each["logGroupName"] for page in pages for each in page["logGroups"])

    def events(self, group: str, *, since: datetime, until: datetime | None = None, pattern: str = "") -> Iterator[Event]:
        """Events of a group in time order within a page; none if there is no such group (a replica that never ran has no group)."""
        request: dict[str, Any] = {"logGroupName": group, "startTime": int(since.timestamp() * 1000)}
        if until is not None:
            request["endTime"] = int(until.timestamp() * 1000)
        if pattern:
            request["filterPattern"] = pattern
        try:
            for page in self.client.get_paginator("filter_log_events").paginate(**request):
                for each in page["events"]:
                    yield Event(
                        id=each["eventId"],
                        group=group,
                        stream=each["logStreamName"],
                        milliseconds=each["timestamp"],
                        message=each["message"].rstrip("\n"),
                    )
        except NotFound:
            return
