"""What an account can do at all: its opt-in regions and its quotas.

In: region names, service and quota codes. Out: frozen values. Raises `aws.errors`. Never: enables a region or asks for a raise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec import field

from aws.answers import Answer, pages, read

if TYPE_CHECKING:
    from mypy_boto3_account import AccountClient
    from mypy_boto3_service_quotas import ServiceQuotasClient

    from aws.session import Aws


class Quota(Answer, frozen=True, kw_only=True):
    """One service quota."""

    code: str = field(name="QuotaCode", default="")
    name: str = field(name="QuotaName", default="")
    value: float


class _Region(Answer, frozen=True, kw_only=True):
    region_name: str
    region_opt_status: str


@dataclass(frozen=True)
class Account:
    """One account."""

    regions: AccountClient
    quotas: ServiceQuotasClient

    @classmethod
    def connect(cls, aws: Aws, *, account_id: str, region: str = "us-east-1", role_arn: str | None = None) -> Account:
        """`region` is whose quotas are read; those of CloudFront and IAM are in us-east-1."""
        return cls(
            aws.client("account", account_id=account_id, region="us-east-1", role_arn=role_arn),
            aws.client("service-quotas", account_id=account_id, region=region, role_arn=role_arn),
        )

    def region_status(self, region: str) -> str:
        """ENABLED, ENABLED_BY_DEFAULT, ENABLING, DISABLED or DISABLING. Source: Account API, GetRegionOptStatus."""
        return read(self.regions.get_region_opt_status(RegionName=region), str, "RegionOptStatus")

    def statuses(self, account_id: str | None = None) -> dict[str, str]:
        """Region to RegionOptStatus; those that are not ENABLED_BY_DEFAULT are opt-in regions.

        `account_id` is another account of the organization whose management account or delegated administrator asks.
        """
        return self._regions(**({} if account_id is None else {"AccountId": account_id}))

    def enabled_regions(self) -> frozenset[str]:
        """Regions that can be used now."""
        return frozenset(self._regions(RegionOptStatusContains=["ENABLED", "ENABLED_BY_DEFAULT"]))

    def _regions(self, **chosen: Any) -> dict[str, str]:
        found = pages(self.regions.list_regions, "Regions", _Region, MaxResults=50, **chosen)
        return {each.region_name: each.region_opt_status for each in found}

    def quota(self, service_code: str, quota_code: str) -> Quota:
        """The value that applies to the account; the default where it never asked for another. `NotFound` for an unknown code."""
        return read(self.quotas.get_service_quota(ServiceCode=service_code, QuotaCode=quota_code), Quota, "Quota")
