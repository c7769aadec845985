"""Closing an origin to CloudFront for a while, and opening it again, as a change of the bucket's policy alone.

In: a policy document, an id, an end. Out: another policy document. Never: asks AWS, or touches a statement that is not a rehearsal's.

The mark is the statement itself: its Sid tells whose it is and until when it holds, and its condition ends it by itself at that moment,
whatever becomes of who made it. Mark and effect are one write, so there is no moment in which the origin is closed and nobody could know
why. A tag of the bucket could not do that: it is a second write, and PutBucketTagging replaces all tags, CloudFormation's among them.
Sources: IAM User Guide, global condition context keys (aws:CurrentTime is in every request's context), policy elements (Sid: letters and
digits); CloudFront Developer Guide, "Restrict access to an Amazon S3 origin" (AWS:SourceArn).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_SID = re.compile(r"Rehearsal([0-9a-f]{8})Until(\d{8}T\d{6}Z)")
_WHEN = "%Y%m%dT%H%M%SZ"
_CLOUDFRONT = "cloudfront.amazonaws.com"

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Closed:
    """A rehearsal that has closed the origin."""

    id: str
    until: datetime
    """From then on the statement denies nothing."""

    def holds(self, now: datetime) -> bool:
        """It still denies."""
        return now < self.until


def found(policy: Document | None) -> tuple[Closed, ...]:
    """The rehearsals whose statement is in the policy."""
    return tuple(filter(None, map(_closed, statements(policy))))


def _closed(statement: Mapping[str, Any]) -> Closed | None:
    match = _SID.fullmatch(str(statement.get("Sid", "")))
    try:
        return Closed(id=match[1], until=datetime.strptime(match[2], _WHEN).replace(tzinfo=UTC)) if match else None
    except ValueError:  # a moment that no calendar has: no rehearsal wrote it
        return None


def closed(policy: Document, bucket_arn: str, distribution_arn: str, *, identity: str, until: datetime) -> dict[str, Any]:
    """The same policy, and the distribution may read no object before `until`. What an earlier rehearsal left is out of it."""
    moment = until.astimezone(UTC)
    deny = {
        "Sid": f"Rehearsal{identity}Until{moment.strftime(_WHEN)}",
        "Effect": "Deny",
        "Principal": {"Service": _CLOUDFRONT},
        "Action": "s3:GetObject",
        "Resource": f"{bucket_arn}/*",
        "Condition": {
            "StringEquals": {"AWS:SourceArn": distribution_arn},
            "DateLessThan": {"aws:CurrentTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ")},
        },
    }
    return {**policy, "Statement": [*statements(opened(policy)), deny]}


def opened(policy: Document) -> dict[str, Any]:
    """The same policy without any rehearsal's statement."""
    return {**policy, "Statement": [each for each in statements(policy) if _closed(each) is None]}


def statements(policy: Document | None) -> list[dict[str, Any]]:
    """Of a policy; one statement may stand without a list (IAM User Guide, grammar of the policy language)."""
    given = (policy or {}).get("Statement", [])
    return [each for each in (given if isinstance(given, list) else [given]) if isinstance(each, dict)]


def unlike(primary: Document | None, replica: Document | None, primary_arn: str, replica_arn: str) -> tuple[str, ...]:
    """Sids of statements that only one of the two has, the bucket's name apart: whoever reads the one reads the other, and nobody else.

    What denies replication says nothing of who reads, and stands in the replica's policy alone while releases go there.
    """

    def plain(policy: Document | None, arn: str) -> dict[str, str]:
        there = (each for each in statements(opened(policy or {})) if not _denies_replication(each))
        return {_canonical(each).replace(arn, "BUCKET"): str(each.get("Sid", "without Sid")) for each in there}

    here, there = plain(primary, primary_arn), plain(replica, replica_arn)
    return tuple(sorted({here[each] for each in here.keys() - there.keys()} | {there[each] for each in there.keys() - here.keys()}))


def refuses_replication(policy: Document | None) -> bool:
    """Nothing that S3 replicates comes in."""
    return any(map(_denies_replication, statements(policy)))


def _denies_replication(statement: Mapping[str, Any]) -> bool:
    actions = statement.get("Action", [])
    named = actions if isinstance(actions, list) else [actions]
    return statement.get("Effect") == "Deny" and bool(named) and all(str(each).startswith("s3:Replicate") for each in named)


def _canonical(value: Any) -> str:
    """A list of one is that one, and order in a list means nothing in a policy."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key.lower()}:{_canonical(value[key])}" for key in sorted(value, key=str.lower)) + "}"
    if isinstance(value, list):
        return "|".join(sorted(_canonical(each) for each in value))
    return str(value)
