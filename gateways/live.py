"""Resources as they are, in the shape of their templates (Cloud Control API, GetResource).

In: a resource type, its identifier. Out: its properties, None if there is none. Raises `aws.errors`.
Never: changes anything; shows what it reads, which may hold a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws.answers import read
from aws.errors import AwsError, NotFound
from guards import documents

if TYPE_CHECKING:
    from aws.session import Aws


@dataclass(frozen=True)
class LiveResources:
    """Of one account and region."""

    client: Any
    region: str

    @classmethod
    def connect(cls, aws: Aws, *, account_id: str, region: str, role_arn: str | None = None) -> LiveResources:
        """As `Aws.client`."""
        return cls(aws.client("cloudcontrol", account_id=account_id, region=region, role_arn=role_arn), region)

    def find(self, resource_type: str, identifier: str) -> Mapping[str, Any] | None:
        """What AWS tells of it: read-only properties too, write-only ones not."""
        try:
            answer = self.client.get_resource(TypeName=resource_type, Identifier=identifier)
        except NotFound:
            return None
        try:
            found = documents.loads(read(answer, str, "ResourceDescription.Properties"))
        except documents.Unreadable as unreadable:
            raise AwsError(f"{resource_type} {identifier}: {unreadable}", service="cloudcontrol", operation="GetResource") from None
        return found if isinstance(found, dict) else {}
