"""What destroying needs of AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from aws.retained import Retained
from operations.gateways import CloudFormationGateways

Progress = Callable[[str, str], None]
"""Called with a stack id or a resource's name, and what happens to it."""


class Secret(Protocol):
    """`aws.secrets.Secrets`, as far as it is needed here."""

    def exists(self, secret: str) -> bool: ...

    def schedule_deletion(self, secret: str, *, recovery_days: int) -> None: ...


class DestroyGateways(CloudFormationGateways, Protocol):
    """Beside CloudFormation what it no longer manages, and the secret that it never did (`aws.gateways.Gateways`)."""

    def retained(self, account_id: str, region: str, role_arn: str | None) -> Retained: ...

    def secrets(self, account_id: str, region: str) -> Secret: ...
