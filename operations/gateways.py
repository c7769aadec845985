"""What the operations need of AWS, as far as several of them need the same.

In: a place (account, region, role). Out: its gateway. Never: connects by itself (`gateways.by_place.Gateways` does).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, Protocol

from assembly.model import Stack
from aws.cloudformation.gateway import CloudFormation


class CloudFormationGateways(Protocol):
    """CloudFormation of each place (`gateways.by_place.Gateways`)."""

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> CloudFormation: ...


def cloudformation_of(stack: Stack, gateways: CloudFormationGateways) -> CloudFormation:
    """Where the stack is; for a StackSet where its administration is."""
    return gateways.cloudformation(stack.account_id, stack.region, stack.role_arn)


def utc(moment: datetime, unit: Literal["minutes", "seconds", "milliseconds"] = "seconds") -> str:
    """ISO 8601 in UTC, e.g. "2026-11-22T10:00:00Z"."""
    return moment.astimezone(UTC).isoformat(timespec=unit).replace("+00:00", "Z")
