"""What every gateway is: the client of one service in one account and region.

In: an `Aws`, a place. Out: the gateway. Never: a call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from typing import Self

    from aws.session import Aws


@dataclass(frozen=True)
class _Gateway:
    service: ClassVar[str]
    """As boto3 calls it."""

    client: Any
    account_id: str = ""
    region: str = ""

    @classmethod
    def _at(cls, aws: Aws, account_id: str, region: str, role_arn: str | None) -> Self:
        return cls(aws.client(cls.service, account_id=account_id, region=region, role_arn=role_arn), account_id, region)


class Regional(_Gateway):
    """Of a service that each region has for itself."""

    @classmethod
    def connect(cls, aws: Aws, *, account_id: str, region: str, role_arn: str | None = None) -> Self:
        """As `Aws.client`."""
        return cls._at(aws, account_id, region, role_arn)


class Global(_Gateway):
    """Of a service that is one for all regions; us-east-1 is where it lives."""

    @classmethod
    def connect(cls, aws: Aws, *, account_id: str, role_arn: str | None = None) -> Self:
        """As `Aws.client`."""
        return cls._at(aws, account_id, "us-east-1", role_arn)
