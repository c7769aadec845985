"""CloudFront, to read only: who else has an alias, and how much of the account's quotas is used.

In: ids and names. Out: frozen values. Raises `aws.errors`. Never: changes a distribution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

    from aws.session import Aws


@dataclass(frozen=True, kw_only=True)
class ConflictingAlias:
    """An alias on a distribution that overlaps. CloudFront hides the first characters of both ids with asterisks."""

    alias: str
    distribution_id: str
    account_id: str


@dataclass(frozen=True)
class CloudFront:
    """One account."""

    client: CloudFrontClient

    @classmethod
    def connect(cls, aws: Aws, *, account_id: str, role_arn: str | None = None) -> CloudFront:
        """CloudFront is one for all regions; us-east-1 is where it lives."""
        return cls(aws.client("cloudfront", account_id=account_id, region="us-east-1", role_arn=role_arn))

    def conflicting_aliases(self, distribution_id: str, alias: str) -> tuple[ConflictingAlias, ...]:
        """Every alias anywhere in AWS that is or covers `alias`, the distribution's own among them.

        The distribution must have a certificate that covers the alias. Source: CloudFront API, ListConflictingAliases.
        """
        found: list[ConflictingAlias] = []
        more: dict[str, Any] = {}
        while True:
            answer = self.client.list_conflicting_aliases(DistributionId=distribution_id, Alias=alias, **more)["ConflictingAliasesList"]
            found += [
                ConflictingAlias(alias=i.get("Alias", ""), distribution_id=i.get("DistributionId", ""), account_id=i.get("AccountId", ""))
                for i in answer.get("Items", [])
            ]
            marker = answer.get("NextMarker")
            if not marker:
                return tuple(found)
            more = {"Marker": marker}

    def aliases(self) -> dict[str, tuple[str, ...]]:
        """Every distribution of the account, by id, and its aliases."""
        found: dict[str, tuple[str, ...]] = {}
        more: dict[str, Any] = {}
        while True:
            answer = self.client.list_distributions(**more)["DistributionList"]
            for each in answer.get("Items", []):
                found[each["Id"]] = tuple(each.get("Aliases", {}).get("Items", []))
            marker = answer.get("NextMarker")
            if not marker:
                return found
            more = {"Marker": marker}

    def custom_response_headers_policies(self) -> int:
        """How many the account has."""
        count, more = 0, dict[str, Any]()
        while True:
            answer = self.client.list_response_headers_policies(Type="custom", **more)["ResponseHeadersPolicyList"]
            count += len(answer.get("Items", []))
            marker = answer.get("NextMarker")
            if not marker:
                return count
            more = {"Marker": marker}
