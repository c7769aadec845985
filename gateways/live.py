"""What stands in an account as CloudFormation would describe it: the properties of one resource by its primary identifier.

In: a resource type and its identifier. Out: its properties, by the provider schema's own names. Raises `aws.errors`; `NotFound` where
there is none, `Unsupported` where the type cannot be read.
Never: changes anything. The properties may hold secrets (environment variables, headers): who shows them hides those.

Source: Cloud Control API reference, GetResource: it runs the type's read handler, with the caller's permissions or those of `RoleArn`; a
compound identifier may be given as JSON. Write-only properties of the schema are never in the answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aws.answers import read, unexpected
from aws.errors import AccessDenied, BadRequest
from aws.gateway import Regional
from guards import documents

_UNSUPPORTED = frozenset({"UnsupportedActionException", "TypeNotFoundException"})
"""Cloud Control API reference, GetResource, Errors."""


class Unsupported(BadRequest):
    """CloudFormation's registry has no read handler for that type."""


class LiveResources(Regional):
    """One account and region."""

    service = "cloudcontrol"

    def get(self, resource_type: str, identifier: Mapping[str, str], *, service_role_arn: str | None = None) -> dict[str, Any]:
        """The properties of that resource.

        `service_role_arn`: the role whose permissions its read handler has. Who may not pass it, or is refused with it, is asked for with
        permissions of their own instead.
        """
        one = len(identifier) == 1
        asked = {"TypeName": resource_type, "Identifier": next(iter(identifier.values())) if one else json.dumps(dict(identifier))}
        try:
            try:
                answer = self.client.get_resource(**asked, **({"RoleArn": service_role_arn} if service_role_arn else {}))
            except (AccessDenied, BadRequest):
                if service_role_arn is None:
                    raise
                answer = self.client.get_resource(**asked)
        except BadRequest as error:
            if error.code in _UNSUPPORTED:
                raise Unsupported(error.message, service=error.service, operation=error.operation, code=error.code) from error
            raise
        text = read(answer, str, "ResourceDescription.Properties")
        try:
            return documents.mapping(text)
        except documents.Unreadable as error:
            raise unexpected(answer, f"the properties of {resource_type} cannot be read: {error}") from None
