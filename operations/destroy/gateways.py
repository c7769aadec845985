"""What destroying needs of AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from aws.route53 import Route53
from aws.s3 import S3
from gateways.retained import Retained
from gateways.standing import Standing
from operations.gateways import CloudFormationGateways

Progress = Callable[[str, str], None]
"""Called with a stack id or a resource's name, and what happens to it."""


class Secret(Protocol):
    """`aws.secrets.Secrets`, as far as it is needed here."""

    def exists(self, secret: str) -> bool: ...

    def schedule_deletion(self, secret: str, *, recovery_days: int) -> None: ...


class DestroyGateways(CloudFormationGateways, Protocol):
    """Beside CloudFormation what it no longer manages, and the secret that it never did (`gateways.by_place.Gateways`)."""

    def retained(self, account_id: str, region: str, role_arn: str | None) -> Retained: ...

    def standing(self, account_id: str, region: str, role_arn: str | None = None) -> Standing: ...

    def s3(self, account_id: str, region: str, role_arn: str | None = None) -> S3: ...

    def route53(self, account_id: str, role_arn: str | None = None) -> Route53: ...

    def secrets(self, account_id: str, region: str) -> Secret: ...
