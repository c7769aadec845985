"""Both origins of an opened environment with disaster recovery, and what asks them.

In: an opened environment. Out: `Pair`, a `Following` for a publish. Never: asks AWS before it is used.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aws.s3 import S3
    from gateways.origins import Buckets, Rule
    from recovery.comparing import Listing
    from recovery.following import Following
    from recovery.origins import Origins
    from session.opened import Opened


@dataclass(frozen=True, kw_only=True)
class Pair:
    """What asks the two buckets, each in its own region."""

    origins: Origins
    primary: S3
    replica: S3
    primary_buckets: Buckets
    replica_buckets: Buckets

    def read(self) -> tuple[Listing, Listing]:
        """What both hold, asked at the same time. Raises `AwsError`."""
        from recovery.comparing import read_closely

        return read_closely((self.primary, self.origins.primary.bucket), (self.replica, self.origins.replica.bucket))

    def replication(self) -> tuple[tuple[Rule, ...], str | None] | None:
        """The rules of the site bucket and the versioning of the replica, as `recovery.settings.read`. Raises `AwsError`."""
        from recovery.settings import read

        return read(self.origins, self.primary_buckets, self.replica_buckets)

    def policies(self) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        """Of both buckets, asked at the same time. Raises `AwsError`."""
        with ThreadPoolExecutor(1) as pool:
            replica = pool.submit(self.replica_buckets.policy, self.origins.replica.bucket)
            return self.primary_buckets.policy(self.origins.primary.bucket), replica.result()


def origins_of(opened: Opened) -> Origins | None:
    """None for an environment without disaster recovery."""
    from recovery import origins

    return origins.origins_of(opened.assembly, opened.templates)


def pair_of(opened: Opened, origins: Origins) -> Pair:
    """What asks them."""
    from aws.s3 import S3
    from gateways.origins import Buckets

    here, there = origins.primary, origins.replica
    return Pair(
        origins=origins,
        primary=S3.connect(opened.aws, account_id=here.account_id, region=here.region),
        replica=S3.connect(opened.aws, account_id=there.account_id, region=there.region),
        primary_buckets=Buckets.connect(opened.aws, account_id=here.account_id, region=here.region),
        replica_buckets=Buckets.connect(opened.aws, account_id=there.account_id, region=there.region),
    )


def following(opened: Opened) -> Following | None:
    """The replica as a publish follows it; None for an environment without disaster recovery."""
    from recovery.following import Following

    origins = origins_of(opened)
    if origins is None:
        return None
    pair = pair_of(opened, origins)
    return Following(origins=origins, primary=pair.primary, replica=pair.replica, copies=pair.replica_buckets)
