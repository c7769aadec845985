# mypy: allow-untyped-calls
"""S3's replication metrics, as CloudWatch would have them at the moment of the question.

In: what waits for its replica, what has ended.
Out: points of BytesPendingReplication, OperationsPendingReplication, ReplicationLatency (in the replica's region) and
OperationsFailedReplication (in the source's), for rules that ask for metrics.
Never: a history: a point is made when somebody asks, not every minute.

Source: S3 User Guide, "Using S3 Replication metrics" (regions, dimensions SourceBucket, DestinationBucket, RuleId).
"""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

from ministack.core import responses
from ministack.services import cloudwatch, s3

from outages import replication


def tell() -> None:
    """Write the points of this moment."""
    now = time.monotonic()
    failed: dict[tuple[str, str], int] = defaultdict(int)
    for item, copied in replication.told():
        failed[item.account, item.bucket] += not copied
    waiting: dict[tuple[str, str], list[replication.Waiting]] = defaultdict(list)
    for item in replication.waiting():
        waiting[item.account, item.bucket].append(item)
    for (account, bucket), configuration in list(s3._bucket_replication._data.items()):
        for rule in configuration.get("Rules", []):
            if (rule.get("Destination") or {}).get("Metrics", {}).get("Status") != "Enabled":
                continue
            mine = [item for item in waiting[account, bucket] if item.rule.get("ID") == rule.get("ID")]
            target = str(rule["Destination"].get("Bucket", "")).rpartition(":::")[2]
            points = {
                "BytesPendingReplication": ("Bytes", sum(len(item.data) for item in mine), target),
                "OperationsPendingReplication": ("Count", len(mine), target),
                "ReplicationLatency": ("Seconds", max((now - item.since for item in mine), default=0.0), target),
                "OperationsFailedReplication": ("Count", failed.get((account, bucket), 0), bucket),
            }
            named = {"SourceBucket": bucket, "DestinationBucket": target, "RuleId": str(rule.get("ID", ""))}
            for name, (unit, value, where) in points.items():
                _store(account, where, name, unit, float(value), named)


def _store(account: str, bucket: str, name: str, unit: str, value: float, named: dict[str, str]) -> None:  # noqa: PLR0917
    owner = s3._bucket_owner_account(bucket)
    region = str(s3._buckets.get_scoped(owner, None, bucket)["region"]) if owner else responses.get_region()
    key: Any = ("AWS/S3", name, cloudwatch._dims_key(named))
    points: list[Any] = cloudwatch._metrics.get_scoped(account, region, key) or []
    points.append({"Timestamp": time.time(), "Unit": unit, "Dimensions": named, "Value": value})
    cloudwatch._metrics.set_scoped(account, region, key, points)
