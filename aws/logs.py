"""CloudWatch Logs, to read: log groups and their events.

In: group names, times. Out: frozen values, page by page. Raises `aws.errors`. Never: makes or deletes a group.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import field
from msgspec.structs import replace

from aws.answers import Answer, pages
from aws.errors import NotFound
from aws.gateway import Regional

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

_TOKENS = {"nextToken": "nextToken"}


class Event(Answer, frozen=True, kw_only=True):
    """One line of a log."""

    id: str = field(name="eventId")
    stream: str = field(name="logStreamName")
    milliseconds: int = field(name="timestamp")
    """Since the epoch."""
    message: str = field(name="message")


class _Group(Answer, frozen=True, kw_only=True):
    name: str = field(name="logGroupName")


class Logs(Regional):
    """The logs of one account and region."""

    client: CloudWatchLogsClient
    service = "logs"

    def groups(self, prefix: str) -> tuple[str, ...]:
        """Names of the groups that begin so."""
        found = pages(self.client.describe_log_groups, "logGroups", _Group, tokens=_TOKENS, logGroupNamePrefix=prefix)
        return tuple(each.name for each in found)

    def events(self, group: str, *, since: datetime, until: datetime | None = None) -> Iterator[Event]:
        """Events of a group in time order within a page; none if there is no such group (a replica that never ran has no group)."""
        request: dict[str, Any] = {"logGroupName": group, "startTime": int(since.timestamp() * 1000)}
        if until is not None:
            request["endTime"] = int(until.timestamp() * 1000)
        try:
            for each in pages(self.client.filter_log_events, "events", Event, tokens=_TOKENS, **request):
                yield replace(each, message=each.message.rstrip("\n"))
        except NotFound:
            return
