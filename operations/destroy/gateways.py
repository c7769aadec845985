"""What destroying an environment needs of AWS."""

from __future__ import annotations

from typing import Protocol

from aws.route53 import Route53
from removal.gateways import RemovalGateways


class Secret(Protocol):
    """`aws.secrets.Secrets`, as far as it is needed here."""

    def exists(self, secret: str) -> bool: ...

    def schedule_deletion(self, secret: str, *, recovery_days: int) -> None: ...


class DestroyGateways(RemovalGateways, Protocol):
    """Beside what removing stacks needs the environment's zone and its secret (`gateways.by_place.Gateways`)."""

    def route53(self, account_id: str, role_arn: str | None = None) -> Route53: ...

    def secrets(self, account_id: str, region: str) -> Secret: ...
