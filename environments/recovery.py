"""What types cannot say about the second origin and the standby of one environment: the impossible is refused with its reason.

In: an `Environment`. Out: problems, noted by key.
Never: looks at another environment (`environments.across`), or knows which regions an account has enabled (`doctor` asks).
"""

from __future__ import annotations

import re

from environments.model import Environment
from environments.problems import Note
from templates.record_sets import CLOUDFRONT_ZONE

BUCKET_CHARACTERS = 63
"""Of a bucket name (S3 User Guide, bucket naming rules)."""
RTC_MINUTES = 15
"""S3 replicates 99.99 % within so many minutes under replication time control (S3 User Guide)."""


def check_recovery(env: Environment, note: Note) -> None:
    """The replica, then the standby outside CloudFront."""
    _check_replica(env, note)
    _check_standby(env, note)


def _check_replica(env: Environment, note: Note) -> None:
    recovery = env.disaster_recovery
    if recovery is None:
        return
    if recovery.region == env.home_region:
        note(
            ("disaster_recovery", "region"),
            f'"{env.home_region}" is the home region, and would be lost together with it; choose another one',
        )
    # Two equal names of this environment are told already (`environments.across`).
    if not recovery.bucket.startswith(f"{env.bucket}-") and recovery.bucket not in (env.bucket, env.artifacts.bucket):
        note(
            ("disaster_recovery", "bucket"),
            f'"{recovery.bucket}" does not begin with "{env.bucket}-": it may be another environment\'s, and once disaster recovery'
            f" is switched off, CloudFormation may clean up names of this beginning only; for example {env.bucket}-replica",
        )
    if len(env.standby_artifact_bucket) > BUCKET_CHARACTERS >= len(env.artifacts.bucket):
        note(
            ("artifacts", "bucket"),
            f'"{env.artifacts.bucket}" has {len(env.artifacts.bucket)} characters; with disaster_recovery at most'
            f' {BUCKET_CHARACTERS - len(recovery.region) - 1}, since "{env.standby_artifact_bucket}" is a bucket too',
        )
    if recovery.replication_time_control and recovery.lag_minutes < RTC_MINUTES:
        note(
            ("disaster_recovery", "lag_minutes"),
            f"{recovery.lag_minutes} is less than the {RTC_MINUTES} minutes that replication time control promises, so it would sound in"
            " ordinary times",
        )


def _check_standby(env: Environment, note: Note) -> None:
    failover = env.failover
    if failover is None:
        return
    if failover.dns_name.endswith("cloudfront.net") or failover.hosted_zone_id == CLOUDFRONT_ZONE:
        note(("failover", "dns_name"), "is CloudFront; Route 53 cannot fail over between two distributions, name a load balancer")
    elif failover.dns_name in env.hosts:
        note(
            ("failover", "dns_name"),
            f'"{failover.dns_name}" is a name of the site itself, which leads to its distribution; Route 53 cannot fail over to what has'
            " failed, name a load balancer",
        )
    if re.search(r"(^|\.)s3-website[.-]", failover.dns_name):
        # Amazon S3 User Guide, "Website endpoints": no HTTPS there.
        note(
            ("failover", "dns_name"),
            "is an S3 website endpoint, which does not speak HTTPS, while browsers that were here before insist on it (HSTS); "
            "name a load balancer or another endpoint that has a certificate for the domain",
        )
    if not env.makes_records:
        note(("failover",), "is made of records, which hosted_zone.records leaves to somebody else; leave failover out")
    if env.zone_is_foreign:
        note(
            ("failover",),
            "failover records need a health check in the zone's account; put the zone into this account or leave failover out",
        )
