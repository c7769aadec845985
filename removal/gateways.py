"""What removing stacks needs of AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from aws.cloudformation.gateway import CloudFormation
from aws.s3 import S3
from gateways.existing import ExistingResources
from gateways.retained import Retained

Progress = Callable[[str, str], None]
"""Called with a stack id or a resource's name, and what happens to it."""


class RemovalGateways(Protocol):
    """CloudFormation and what it no longer manages, by place (`gateways.by_place.Gateways`)."""

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> CloudFormation: ...

    def retained(self, account_id: str, region: str, role_arn: str | None) -> Retained: ...

    def existing(self, account_id: str, region: str, role_arn: str | None = None) -> ExistingResources: ...

    def s3(self, account_id: str, region: str, role_arn: str | None = None) -> S3: ...
