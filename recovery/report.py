"""What rehearsals saw, kept in the artifact bucket.

In: a report; the bucket. Out: reports, the newest first. Never: writes over the report of another rehearsal.

Key: `rehearsals/ENVIRONMENT/TIME-ID.json`, so that a listing is in order of time. One is written when a rehearsal begins, and again when it
ends: one that was cut off is known by its result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from assembly.files import canonical_json
from assembly.model import Frozen
from aws.errors import NotFound
from aws.s3 import Headers
from guards import documents

if TYPE_CHECKING:
    from aws.s3 import S3

FORMAT = 1

Result = Literal["begun", "passed", "failed", "aborted"]


class Check(Frozen, frozen=True, kw_only=True):
    """One promise of the site, verified while the replica served it."""

    id: str
    status: str
    detail: str = ""


class Report(Frozen, frozen=True, kw_only=True):
    """One rehearsal."""

    format: int = FORMAT
    id: str
    environment: str
    plan_digest: str
    by: str
    """ARN."""
    host: str
    started_at: str
    """ISO 8601, UTC."""
    release: int
    """That was live."""
    result: Result
    """begun: under way, or cut off."""
    message: str = ""
    detected_seconds: float | None = None
    """RTO, first part: from the closing until CloudFront gave an answer of the replica. null: it never did."""
    recovered_seconds: float | None = None
    """RTO: from the closing until every check had passed. null: not all did."""
    reopened_seconds: float | None = None
    """From the opening until CloudFront gave an answer of the site bucket again. null: not seen."""
    rpo_objects: int = 0
    """Objects that the replica lacked when the site bucket was closed: what a real loss would have cost."""
    rpo_seconds: float = 0.0
    """Age of the oldest of them."""
    visits: int = 0
    """Requests of the page, one after the other, while it was closed."""
    failed_visits: int = 0
    """Those that got no page."""
    checks: tuple[Check, ...] = ()

    @property
    def summary(self) -> str:
        """In a line."""
        if self.result == "begun":
            return "under way, or cut off"
        passed = sum(check.status == "passed" for check in self.checks)
        parts: list[str] = [self.result]
        if self.detected_seconds is not None:
            parts.append(f"replica after {self.detected_seconds:.0f} s")
        if self.recovered_seconds is not None:
            parts.append(f"RTO {self.recovered_seconds:.0f} s, RPO {self.rpo_seconds:.0f} s ({self.rpo_objects} objects)")
        if self.checks:
            failed = sum(check.status == "failed" for check in self.checks)
            parts.append(f"{passed} checks passed, {failed} failed, {len(self.checks) - passed - failed} not made")
        if self.visits:
            parts.append(f"{self.failed_visits} of {self.visits} visits failed")
        return ", ".join(parts) + (f": {self.message}" if self.message else "")


def key_of(report: Report) -> str:
    """Where it is kept."""
    return f"{_prefix(report.environment)}{report.started_at.replace('-', '').replace(':', '')}-{report.id}.json"


def _prefix(environment: str) -> str:
    return f"rehearsals/{environment}/"


def save(s3: S3, bucket: str, report: Report) -> None:
    """Write it, over its own earlier state. Raises `AwsError`."""
    s3.put(bucket, key_of(report), canonical_json(msgspec.to_builtins(report)), headers=Headers(content_type="application/json"))


def read(s3: S3, bucket: str, environment: str, *, limit: int) -> tuple[Report, ...]:
    """The newest first; one that cannot be read is left out, since nothing depends on it. Raises `AwsError`; none without a bucket."""
    try:
        keys = sorted((head.key for head in s3.list(bucket, _prefix(environment))), reverse=True)
        found = (_one(s3.get(bucket, key).body) for key in keys[:limit])
        return tuple(report for report in found if report is not None)
    except NotFound:
        return ()


def _one(body: bytes) -> Report | None:
    try:
        return documents.decode(body, Report)
    except documents.Unreadable:
        return None
