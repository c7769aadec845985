"""Keys of what takes over when the first origin, or CloudFront, fails.

In: nothing. Out: `DisasterRecovery`, `Failover`. Never: judges them (`environments.recovery`).
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from environments.value import BucketName, DomainName, Region, Value, ZoneId


class DisasterRecovery(Value, frozen=True, kw_only=True):
    """A second, replicated bucket in another region that CloudFront turns to when the first fails."""

    region: Region
    """The standby region; an opt-in region has to be enabled in the account first, like the home region."""
    bucket: BucketName
    """Begins with the name of `bucket` and a hyphen: CloudFormation may still clean up such names when this key is gone again."""
    lag_minutes: Annotated[int, Meta(ge=5, le=1440, description="Minutes that the replica may be behind before it is an alarm.")] = 60
    """The replica may be behind for so long before it is an alarm: S3 replicates most objects within 15 minutes, some take hours."""
    replication_time_control: bool = False
    """S3 replicates 99.99 % within 15 minutes, for a price by the gigabyte; then `lag_minutes` of 15 to 20 make sense."""


class Failover(Value, frozen=True, kw_only=True):
    """A standby page outside CloudFront (Route 53 cannot fail over between two distributions).

    It has to speak HTTPS with a certificate for the domain, as the site sends Strict-Transport-Security; an S3 website endpoint does not.
    """

    dns_name: DomainName
    """For example a load balancer's name, with dualstack. before it so that it has IPv6 addresses as well."""
    hosted_zone_id: ZoneId
    """Zone id of that endpoint, from the AWS endpoints tables."""
