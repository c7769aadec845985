"""What the last stack of a name has kept, though it is gone: deleted by destroy or by hand, or never made to its end.

In: CloudFormation's memory of deleted stacks, the template that is to be made again, the schemas. Out: `Taken` values.
Never: what a change set imports by its name alone (`inventory/`), or what nothing says that a stack of this name has had.

CloudFormation remembers a deleted stack's events for 90 days, and tells DELETE_SKIPPED of what it kept (user guide, "View stack events").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assembly.model import Stack
from aws.cloudformation.gateway import CloudFormation
from takeover.importable import NEVER
from takeover.model import KEPT, Taken
from templates.schemas import Schemas


def kept(
    stack: Stack, template: Mapping[str, Any], gateway: CloudFormation, schemas: Schemas, *, besides: frozenset[str]
) -> tuple[Taken, ...]:
    """Of the latest deleted stack that tells of a logical id; `besides`: logical ids that are taken care of. Raises `AwsError`."""
    resources = {k: str(v.get("Type")) for k, v in template.get("Resources", {}).items() if isinstance(v, Mapping)}
    wanted = {k: kind for k, kind in resources.items() if k not in besides and kind not in NEVER}
    found: dict[str, Taken] = {}
    for arn in gateway.deleted_stacks(stack.stack_name):
        told: dict[str, str] = {}
        for event in gateway.events(arn):
            if wanted.get(event.logical_id) == event.resource_type and event.physical_id:
                told[event.logical_id] = event.physical_id if event.status == "DELETE_SKIPPED" else ""
        for logical_id, physical_id in told.items():
            schema = schemas.of(wanted[logical_id], stack.region)
            names = schema.identifier if schema is not None else ()
            parts = physical_id.split("|") if len(names) > 1 else [physical_id]
            if logical_id in found or not physical_id or len(parts) != len(names):
                continue
            found[logical_id] = Taken(
                stack=stack.id,
                logical_id=logical_id,
                type=wanted[logical_id],
                identifier=dict(zip(names, parts, strict=True)),
                source=KEPT,
                account_id=stack.account_id,
                region=stack.region,
            )
    return tuple(found[each] for each in wanted if each in found)
