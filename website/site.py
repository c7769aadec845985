"""Where an environment's content lives, and what reads and writes it.

In: a contract and gateways to AWS. Out: a `Site`, which everything here is given. Never: asks AWS for anything by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from assembly.model import SiteContract
from aws.transfer import Upload
from website.content import key_prefix
from website.invalidation import Behaviours
from website.releases import Store

if TYPE_CHECKING:
    from aws.cloudfront import CloudFront
    from aws.s3 import S3
    from website.run import Run

WORKERS = 16
"""Threads for pages, copies and deletions."""


class Uploads(Protocol):
    """`aws.transfer.Transfer`."""

    def upload(self, bucket: str, uploads: Iterable[Upload]) -> Iterator[Upload]: ...


class Follower(Protocol):
    """The replica of the site bucket (`recovery.following`). None of these raises `AwsError`: trouble there is a warning."""

    def catch_up(self, wanted: Mapping[str, str], run: Run, renew: Callable[[], None]) -> bool:
        """See to it that the replica has these (MD5 by key), for as long as the run may wait; whether it has."""

    def forget(self, kept: Iterable[str], run: Run) -> None:
        """Remove from the replica what the site bucket has no more, but nothing of `kept`."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where an environment's content lives."""

    environment: str
    contract: SiteContract
    behaviours: Behaviours
    bucket: str
    store: Store
    s3: S3
    uploads: Callable[[], Uploads]
    cloudfront: Callable[[], CloudFront]
    distribution_id: Callable[[], str]
    follower: Follower | None = None
    """With disaster recovery."""
    still_target: Callable[[], None] = lambda: None
    """Raises `WebsiteError` if releases do not go to this bucket any more (`promotion`)."""

    @property
    def index_key(self) -> str:
        """Key of the index document."""
        return self.contract.index_document.lstrip("/")

    @property
    def prefix(self) -> str:
        """Of every key."""
        return key_prefix(self.contract)
