"""One region of an environment: its bucket of pages, its bucket of records, and what asks them.

In: gateways. Out: values. Never: asks AWS by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from website.releases import Store

if TYPE_CHECKING:
    from aws.s3 import S3
    from gateways.origins import Buckets


@dataclass(frozen=True, kw_only=True)
class Place:
    """The home region, or the standby region."""

    region: str
    bucket: str
    """Of the pages."""
    artifacts: str
    """Bucket of the deployer's records."""
    origin: str
    """Id of the bucket among the distribution's origins."""
    s3: S3
    buckets: Buckets

    def store(self, environment: str) -> Store:
        """Its list of releases."""
        return Store(self.s3, self.artifacts, environment)
