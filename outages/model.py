"""Which call meets which outage.

In: outages as values, a call as AWS's names for it. Out: the outage that it meets, or None. Never: waits, answers, reads a file.

Sources: AWS whitepaper "AWS Fault Isolation Boundaries" (the control planes of IAM, CloudFront, Route 53 and of ACM for CloudFront are in
us-east-1, their data planes everywhere; Route 53 ARC's and S3's data planes are regional); S3 API, "Error responses" (503 SlowDown).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

import msgspec

CONTROL_REGION = "us-east-1"
_GLOBAL = frozenset({"cloudfront", "iam", "organizations", "route53"})
"""Services with one control plane, in us-east-1."""
_FROZEN_THERE = frozenset({"acm", "lambda", "waf", "wafv2"})
"""Services whose resources for CloudFront are changed in us-east-1 only."""
_READS = re.compile(r"(Get|List|Describe|Simulate|Head|BatchGet)")


class Kind(StrEnum):
    """What is out of order."""

    REGION = "region"
    """Every call to a region, buckets there included."""
    BUCKET = "bucket"
    """Every call to one bucket."""
    REPLICATION = "replication"
    """What S3 replicates out of one bucket."""
    CONTROL_PLANES = "control-planes"
    """Changes of CloudFront, IAM, Route 53, and of ACM, Lambda and WAF in us-east-1."""


class How(StrEnum):
    """What a call notices of it."""

    UNAVAILABLE = "unavailable"
    """503, at once."""
    DROP = "drop"
    """The connection breaks without an answer."""
    HANG = "hang"
    """No answer, as long as it lasts."""
    SLOW_DOWN = "slow-down"
    """S3's 503 SlowDown."""
    LAG = "lag"
    """Replication is late."""
    FAIL = "fail"
    """Replication fails for good: such an object stays FAILED, as at AWS, also when the outage is over."""


HOWS = {
    Kind.REGION: (How.UNAVAILABLE, How.DROP, How.HANG),
    Kind.BUCKET: (How.SLOW_DOWN, How.UNAVAILABLE, How.DROP, How.HANG),
    Kind.REPLICATION: (How.LAG, How.FAIL),
    Kind.CONTROL_PLANES: (How.UNAVAILABLE, How.DROP, How.HANG),
}
"""What is possible for each kind; the first is meant where nothing is said."""


class Outage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that is out of order. "" is any account."""

    kind: Kind
    how: How
    region: str = ""
    bucket: str = ""
    """Of replication: the source."""
    account: str = ""
    seconds: float | None = None
    """Of a lag: for so long after each write; None: until the outage is over."""
    reads: bool = False
    """Of control planes: whether reads fail, too."""

    def __post_init__(self) -> None:
        """Raises `ValueError` for what means nothing."""
        if self.how not in HOWS[self.kind]:
            raise ValueError(f"{self.kind}: {self.how} is none of {', '.join(HOWS[self.kind])}")
        if bool(self.region) != (self.kind is Kind.REGION):
            raise ValueError(f"{self.kind}: a region {'is missing' if not self.region else 'means nothing'}")
        if bool(self.bucket) != (self.kind in (Kind.BUCKET, Kind.REPLICATION)):
            raise ValueError(f"{self.kind}: a bucket {'is missing' if not self.bucket else 'means nothing'}")
        if self.seconds is not None and not (self.how is How.LAG and 0 < self.seconds < 86_400):
            raise ValueError("seconds: only of a lag, and less than a day")
        if self.reads and self.kind is not Kind.CONTROL_PLANES:
            raise ValueError("reads: only of control planes")

    def __str__(self) -> str:
        """In a few words."""
        what = {
            Kind.REGION: f"region {self.region}",
            Kind.BUCKET: f"bucket {self.bucket}",
            Kind.REPLICATION: f"replication out of {self.bucket}",
            Kind.CONTROL_PLANES: f"control planes of {CONTROL_REGION}{', reads too' if self.reads else ''}",
        }[self.kind]
        lag = f", {self.seconds:g} s" if self.seconds is not None else ""
        return f"{what}: {self.how}{lag}{f' (account {self.account})' if self.account else ''}"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call of an API. `region`: that it is signed for, of a bucket the bucket's own."""

    service: str
    """As MiniStack routes it."""
    account: str
    region: str
    action: str
    """The action, or the HTTP method of a service whose actions are paths."""
    bucket: str = ""

    @property
    def changes(self) -> bool:
        """Whether it is no mere read."""
        return self.action not in ("GET", "HEAD") and not _READS.match(self.action)


def met(outages: Iterable[Outage], call: Call) -> Outage | None:
    """The first outage that the call meets."""
    return next((outage for outage in outages if outage.account in ("", call.account) and _meets(outage, call)), None)


def _meets(outage: Outage, call: Call) -> bool:
    if outage.kind is Kind.REGION:
        return outage.region == (CONTROL_REGION if call.service in _GLOBAL else call.region)
    if outage.kind is Kind.BUCKET:
        return call.service == "s3" and outage.bucket == call.bucket
    if outage.kind is Kind.CONTROL_PLANES:
        there = call.service in _GLOBAL or (call.service in _FROZEN_THERE and call.region == CONTROL_REGION)
        return there and (outage.reads or call.changes)
    return False


class Copying(StrEnum):
    """What becomes of a replica that is due."""

    NOW = "now"
    WAIT = "wait"
    FAILED = "failed"


def copying(outages: Iterable[Outage], *, account: str, source: tuple[str, str], target: tuple[str, str], age: float) -> Copying:
    """Of an object written `age` seconds ago. `source` and `target` are a bucket and its region; what is lost keeps replicas waiting."""
    for outage in outages:
        if outage.account not in ("", account):
            continue
        if outage.kind is Kind.REGION and outage.region in (source[1], target[1]):
            return Copying.WAIT
        if outage.kind is Kind.BUCKET and outage.bucket in (source[0], target[0]):
            return Copying.WAIT
        if outage.kind is Kind.REPLICATION and outage.bucket == source[0]:
            if outage.how is How.FAIL:
                return Copying.FAILED
            if outage.seconds is None or age < outage.seconds:
                return Copying.WAIT
    return Copying.NOW
