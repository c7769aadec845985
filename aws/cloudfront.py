"""CloudFront: what stands on an alias, and invalidations.

In: distribution ids, aliases, paths. Out: frozen values. Raises `aws.errors`. Never: changes a distribution, waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

    from aws.session import Aws


@dataclass(frozen=True, kw_only=True)
class Invalidation:
    """One invalidation; `done` once every edge location has carried it out."""

    id: str
    done: bool
    created: datetime


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One distribution, as far as a deployer looks at it."""

    id: str
    domain: str
    aliases: tuple[str, ...]
    deployed: bool


@dataclass(frozen=True)
class CloudFront:
    """The distributions of one account."""

    client: CloudFrontClient

    @classmethod
    def connect(cls, aws: Aws, *, account_id: str, role_arn: str | None = None) -> CloudFront:
        """CloudFront is one for all regions; us-east-1 is where it lives."""
        return cls(aws.client("cloudfront", account_id=account_id, region="us-east-1", role_arn=role_arn))

    def distributions(self) -> tuple[Distribution, ...]:
        """All of the account's."""
        found: list[Distribution] = []
        for page in self.client.get_paginator("list_distributions").paginate():
            found += [
                Distribution(
                    id=each["Id"],
                    domain=each["DomainName"],
                    aliases=tuple(each.get("Aliases", {}).get("Items", [])),
                    deployed=each["Status"] == "Deployed",
                )
                for each in page.get("DistributionList", {}).get("Items", [])
            ]
        return tuple(found)

    def distribution(self, distribution_id: str) -> Distribution:
        """`NotFound` if there is none."""
        found = self.client.get_distribution(Id=distribution_id)["Distribution"]
        return Distribution(
            id=found["Id"],
            domain=found["DomainName"],
            aliases=tuple(found["DistributionConfig"].get("Aliases", {}).get("Items", [])),
            deployed=found["Status"] == "Deployed",
        )

    def conflicting_aliases(self, distribution_id: str, alias: str) -> tuple[tuple[str, str], ...]:
        """(Account, distribution) of every other distribution that has the alias or a wildcard over it; ids are partly hidden by AWS.

        Source: CloudFront API, ListConflictingAliases: it needs a distribution of one's own with a certificate for the alias.
        """
        found: list[tuple[str, str]] = []
        more: dict[str, Any] = {}
        while True:
            answer = self.client.list_conflicting_aliases(DistributionId=distribution_id, Alias=alias, **more)["ConflictingAliasesList"]
            found += [(each.get("AccountId", ""), each.get("DistributionId", "")) for each in answer.get("Items", [])]
            marker = answer.get("NextMarker")
            if not marker:
                return tuple(found)
            more = {"Marker": marker}

    def custom_response_headers_policies(self) -> int:
        """How many the account has of its own; they count against a quota."""
        count, more = 0, dict[str, Any]()
        while True:
            answer = self.client.list_response_headers_policies(Type="custom", **more)["ResponseHeadersPolicyList"]
            count += len(answer.get("Items", []))
            marker = answer.get("NextMarker")
            if not marker:
                return count
            more = {"Marker": marker}

    def invalidate(self, distribution_id: str, paths: tuple[str, ...], *, reference: str) -> Invalidation:
        """Begin one; the same `reference` with the same paths begins it once. `Throttled` where too many are under way."""
        batch: Any = {"CallerReference": reference, "Paths": {"Quantity": len(paths), "Items": list(paths)}}
        return _invalidation(self.client.create_invalidation(DistributionId=distribution_id, InvalidationBatch=batch)["Invalidation"])

    def invalidation(self, distribution_id: str, invalidation_id: str) -> Invalidation:
        """How far it is. `NotFound` if there is none."""
        return _invalidation(self.client.get_invalidation(DistributionId=distribution_id, Id=invalidation_id)["Invalidation"])


def _invalidation(found: Any) -> Invalidation:
    return Invalidation(id=found["Id"], done=found["Status"] == "Completed", created=found["CreateTime"])
