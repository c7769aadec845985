"""CloudFront: what stands on an alias, and invalidations.

In: distribution ids, aliases, paths. Out: frozen values. Raises `aws.errors`. Never: changes a distribution, waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import field

from aws.answers import Answer, answers, read
from aws.gateway import Global

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

T = TypeVar("T")


class Invalidation(Answer, frozen=True, kw_only=True):
    """One invalidation; `done` once every edge location has carried it out."""

    id: str
    status: str
    created: datetime = field(name="CreateTime")

    @property
    def done(self) -> bool:
        """Source: CloudFront API, Invalidation: the other status is InProgress."""
        return self.status == "Completed"


class _Summary(Answer, frozen=True, kw_only=True):
    id: str


class Distribution(Answer, frozen=True, kw_only=True):
    """One distribution, as far as a deployer looks at it."""

    id: str
    domain: str = field(name="DomainName")
    aliases: tuple[str, ...] = field(name="Aliases.Items|DistributionConfig.Aliases.Items", default=())
    status: str

    @property
    def deployed(self) -> bool:
        """Every edge location has its configuration."""
        return self.status == "Deployed"


class _Conflict(Answer, frozen=True, kw_only=True):
    account_id: str = ""
    distribution_id: str = ""


class CloudFront(Global):
    """The distributions of one account."""

    client: CloudFrontClient
    service = "cloudfront"

    def distributions(self) -> tuple[Distribution, ...]:
        """All of the account's."""
        return tuple(_listed(self.client.list_distributions, "DistributionList", Distribution))

    def distribution(self, distribution_id: str) -> Distribution:
        """`NotFound` if there is none."""
        return read(self.client.get_distribution(Id=distribution_id), Distribution, "Distribution")

    def conflicting_aliases(self, distribution_id: str, alias: str) -> tuple[tuple[str, str], ...]:
        """(Account, distribution) of every other distribution that has the alias or a wildcard over it; ids are partly hidden by AWS.

        Source: CloudFront API, ListConflictingAliases: it needs a distribution of one's own with a certificate for the alias.
        """
        found = _listed(
            self.client.list_conflicting_aliases, "ConflictingAliasesList", _Conflict, DistributionId=distribution_id, Alias=alias
        )
        return tuple((each.account_id, each.distribution_id) for each in found)

    def custom_response_headers_policies(self) -> int:
        """How many the account has of its own; they count against a quota."""
        return sum(1 for _ in _listed(self.client.list_response_headers_policies, "ResponseHeadersPolicyList", Answer, Type="custom"))

    def invalidate(self, distribution_id: str, paths: tuple[str, ...], *, reference: str) -> Invalidation:
        """Begin one; the same `reference` with the same paths begins it once. `Throttled` where too many are under way."""
        batch: Any = {"CallerReference": reference, "Paths": {"Quantity": len(paths), "Items": list(paths)}}
        return read(self.client.create_invalidation(DistributionId=distribution_id, InvalidationBatch=batch), Invalidation, "Invalidation")

    def invalidations(self, distribution_id: str) -> tuple[str, ...]:
        """Ids of those that a distribution has had, the newest first."""
        call = self.client.list_invalidations
        return tuple(each.id for each in _listed(call, "InvalidationList", _Summary, DistributionId=distribution_id))

    def invalidated(self, distribution_id: str, invalidation_id: str) -> tuple[str, ...]:
        """The paths of one."""
        answer = self.client.get_invalidation(DistributionId=distribution_id, Id=invalidation_id)
        return read(answer, tuple[str, ...], "Invalidation.InvalidationBatch.Paths.Items")

    def invalidation(self, distribution_id: str, invalidation_id: str) -> Invalidation:
        """How far it is. `NotFound` if there is none."""
        return read(self.client.get_invalidation(DistributionId=distribution_id, Id=invalidation_id), Invalidation, "Invalidation")


def _listed(call: Callable[..., Any], where: str, into: type[T], **arguments: Any) -> Iterator[T]:
    """CloudFront's lists, which all have one form; an empty one has no Items. Source: CloudFront API, DistributionList."""
    for answer in answers(call, tokens={"Marker": f"{where}.NextMarker"}, **arguments):
        if read(answer, int, f"{where}.Quantity"):
            each: Any = tuple[into, ...]  # type: ignore[valid-type]
            yield from read(answer, each, f"{where}.Items")
