"""The edge function's logs of every region and the access logs, as one stream by time.

In: CloudWatch Logs gateways by region, the access-log bucket, a span of time, a filter. Out: `Line` values, the oldest first.
Never: prints, changes anything, hands on control characters (a visitor chooses what stands in a log), keeps more than one access-log file
and one page of each region in memory.
"""

from __future__ import annotations

import gzip
import heapq
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol

from assembly.model import Frozen
from aws.errors import AwsError
from guards import documents
from guards.text import printable, split_lines
from operations.gateways import utc

if TYPE_CHECKING:
    from aws.logs import Event
    from aws.s3 import S3

Source = Literal["edge", "access"]

DELIVERY = timedelta(minutes=15)
"""How late a line may be: access logs usually come within minutes, CloudWatch's within seconds. Following looks back for as long."""

RAW_LENGTH = 2_000
"""Characters shown of a line that cannot be read."""

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Line(Frozen, frozen=True, kw_only=True):
    """One line of a log."""

    at: str
    """ISO 8601 in UTC with milliseconds; orders as text."""
    source: Source
    where: str
    """Region of the edge function, or the edge location that answered a request."""
    id: str
    """Same line, same id."""
    text: str
    status: int = 0
    """HTTP status of an access-log line."""


class RegionLogs(Protocol):
    """`aws.logs.Logs`."""

    @property
    def region(self) -> str: ...

    def events(self, group: str, *, since: datetime, until: datetime | None = None) -> Iterator[Event]: ...


@dataclass(frozen=True, kw_only=True)
class AccessLogs:
    """Where CloudFront's standard logging (v2) writes: one gzip file of JSON lines at a time, in a folder for every hour."""

    s3: S3
    bucket: str
    begin: str
    """Where in the bucket they begin: the prefix that the delivery destination names."""
    distribution_id: str

    def prefix(self, hour: datetime) -> str:
        """Folder of an hour (CloudFront Developer Guide, "Example paths to access logs": the prefix, then our suffix path)."""
        return f"{self.begin}/{self.distribution_id}/{hour:%Y/%m/%d/%H}/"


@dataclass(frozen=True, kw_only=True)
class LogFilter:
    """Which lines."""

    since: datetime
    until: datetime | None = None
    grep: re.Pattern[str] | None = None
    statuses: tuple[str, ...] = ()
    """Such as "401" or "5xx"; lines of the edge function have no status and are left out then."""

    def takes(self, line: Line) -> bool:
        """Whether a line is one of them."""
        if line.at < stamp(self.since) or (self.until is not None and line.at > stamp(self.until)):
            return False
        if self.statuses and not any(_fits(line.status, status) for status in self.statuses):
            return False
        return self.grep is None or self.grep.search(line.text) is not None


def _fits(status: int, wanted: str) -> bool:
    text = str(status)
    return status > 0 and len(text) == len(wanted) and all(w in ("x", t) for t, w in zip(text, wanted.lower(), strict=True))


def stamp(moment: datetime) -> str:
    """A moment as lines carry it."""
    return utc(moment, "milliseconds")


def parse_since(text: str, now: datetime) -> datetime:
    """ "90s", "15m", "2h", "3d" ago, or an ISO 8601 moment (UTC if it does not say). Raises ValueError."""
    match = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if match:
        return now - timedelta(seconds=int(match[1]) * UNITS[match[2]])
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read(
    regions: Iterable[RegionLogs],
    group: str,
    access: AccessLogs | None,
    wanted: LogFilter,
    *,
    now: Callable[[], datetime],
    trouble: Callable[[str], None],
) -> Iterator[Line]:
    """Every line that is wanted, by time. `trouble` is told of a region or bucket that cannot be read; the others are read all the same."""
    streams: list[Iterator[Line]] = []
    gateways = tuple(regions)
    if gateways:
        with ThreadPoolExecutor(len(gateways)) as pool:
            streams += list(pool.map(lambda logs: _started(_edge(logs, group, wanted, trouble)), gateways))
    if access is not None:
        streams.append(_access(access, wanted, now(), trouble))
    yield from (line for line in heapq.merge(*streams, key=lambda line: line.at) if wanted.takes(line))


def follow(
    poll: Callable[[LogFilter], Iterable[Line]],
    wanted: LogFilter,
    *,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
    seconds: float,
) -> Iterator[Line]:
    """Lines as they come, none of them twice; looks back far enough for those that come late, so a late line comes out of order."""
    seen: dict[str, str] = {}
    begin = wanted.since
    while True:
        for line in poll(wanted):
            if line.id not in seen:
                seen[line.id] = line.at
                yield line
        sleep(seconds)
        since = max(begin, now() - DELIVERY)
        horizon = stamp(since - DELIVERY)
        seen = {identity: at for identity, at in seen.items() if at > horizon}
        wanted = LogFilter(since=since, grep=wanted.grep, statuses=wanted.statuses)


def _started(lines: Iterator[Line]) -> Iterator[Line]:
    """The same lines, with the first page fetched already."""
    first = next(lines, None)

    def rest() -> Iterator[Line]:
        if first is not None:
            yield first
            yield from lines

    return rest()


def _edge(logs: RegionLogs, group: str, wanted: LogFilter, trouble: Callable[[str], None]) -> Iterator[Line]:
    try:
        for event in logs.events(group, since=wanted.since, until=wanted.until):
            at = stamp(datetime.fromtimestamp(event.milliseconds / 1000, UTC))
            identity = f"{logs.region}/{event.id}"
            yield Line(at=at, source="edge", where=logs.region, id=identity, text=printable(event.message.rstrip()))
    except AwsError as error:
        trouble(f"{logs.region}: {error}")


def _access(access: AccessLogs, wanted: LogFilter, now: datetime, trouble: Callable[[str], None]) -> Iterator[Line]:
    """Hour by hour; a file holds requests of its own hour, or of the one before."""
    lines: list[Line] = []
    try:
        for hour in _hours(wanted.since, wanted.until or now):
            for found in access.s3.list(access.bucket, access.prefix(hour)):
                if found.modified is not None and found.modified < wanted.since:
                    continue
                lines += [line for line in access_lines(found.key, access.s3.get(access.bucket, found.key).body) if wanted.takes(line)]
    except AwsError as error:
        trouble(f"access logs in s3://{access.bucket}: {error}")
    yield from sorted(lines, key=lambda line: line.at)


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    hour = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour <= until + DELIVERY:
        yield hour
        hour += timedelta(hours=1)


def access_lines(key: str, body: bytes) -> Iterator[Line]:
    """The requests of one access-log file. A line that is none is handed on as it is, at the moment of the one before it."""
    try:
        text = (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode("utf-8", "replace")
    except (OSError, EOFError, zlib.error):
        return
    at = _hour_of(key)
    for number, raw in enumerate(split_lines(text)):
        if not raw.strip() or raw.startswith("#"):
            continue
        try:
            fields = documents.mapping(raw)
            at = stamp(datetime.fromisoformat(f"{fields['date']}T{fields['time']}+00:00"))
            status = int(fields.get("sc-status", 0))
        except (ValueError, KeyError, TypeError, OverflowError):
            yield Line(at=at, source="access", where="", id=f"{key}:{number}", text=printable(raw[:RAW_LENGTH].rstrip()))
            continue
        yield Line(
            at=at,
            source="access",
            where=printable(str(fields.get("x-edge-location", ""))),
            id=str(fields.get("x-edge-request-id") or f"{key}:{number}"),
            text=printable(_request(fields)),
            status=status if 0 < status < 1000 else 0,
        )


def _hour_of(key: str) -> str:
    """The hour of a file, by the folder that it lies in."""
    found = re.search(r"/(\d{4}/\d\d/\d\d/\d\d)/", key)
    try:
        return stamp(datetime.strptime(found[1], "%Y/%m/%d/%H").replace(tzinfo=UTC)) if found else ""
    except ValueError:
        return ""


def _request(fields: dict[str, Any]) -> str:
    query = fields.get("cs-uri-query", "-")
    path = f"{fields.get('cs-uri-stem', '-')}{'' if query in ('-', '', None) else f'?{query}'}"
    parts = (
        f"{fields.get('cs-method', '-')} {path} {fields.get('sc-status', '-')}",
        f"{fields.get('x-edge-result-type', '-')}",
        f"{fields.get('sc-bytes', '-')} B",
        f"{fields.get('time-taken', '-')} s",
        f"{fields.get('c-ip', '-')}",
        f"{fields.get('cs(User-Agent)', '-')}",
    )
    return "  ".join(parts)
