# mypy: allow-untyped-calls
"""A stack's update in CloudFormation's order, and what becomes of what could not be deleted in its end.

In: MiniStack's engine, which makes and changes resources first and deletes afterwards, but silently, at once, and keeps in the stack what
would not go; the provider schemas. Out: the clean-up phase as a state and as events; a deletion is tried three times, then the resource
is forgotten and the update is complete; a property is create-only where the schema says so.

Sources: CloudFormation User Guide, "Update behaviors of stack resources" and "Monitor the progress of a stack update"; re:Post knowledge
center, "cloudformation-stack-cleanup-stuck" (three tries, then the resource is skipped and the clean-up goes on).
"""

from __future__ import annotations

from typing import Any

import ministack.services.cloudformation.provisioners as cfn
from ministack.services import cloudformation
from ministack.services.cloudformation import stacks

from templates.schemas import Schemas, bundled

TRIES = 3
_STACK = "AWS::CloudFormation::Stack"

_BY_THEMSELVES = (
    "AWS::IAM::OIDCProvider",
    "AWS::Lambda::Version",
    "AWS::Logs::Delivery",
    "AWS::Logs::DeliveryDestination",
    "AWS::Logs::DeliverySource",
    "AWS::Route53::HealthCheck",
)
"""Types whose handlers (ours) replace."""


def install() -> None:
    """Put the clean-up phase around MiniStack's deletions, and the schemas' create-only properties beside its table."""
    delete, by_table, schemas = vars(stacks)["_delete_resource"], cfn._replacing_change, bundled()

    def deleted(
        resource_type: str, physical_id: str, props: dict[str, Any], stack_name: str | None = None, logical_id: str | None = None
    ) -> None:
        stack = cloudformation._stacks.get(stack_name or "", {})
        # Before its clean-up an update deletes nothing; a rollback and a deletion have states of their own.
        if stack.get("StackStatus") not in ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"):
            delete(resource_type, physical_id, props, stack_name, logical_id)
            return
        stack_id = stack["StackId"]
        if stack["StackStatus"] == "UPDATE_IN_PROGRESS":
            stack["StackStatus"] = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
            stacks._add_event(stack_id, stack_name, stack_name, _STACK, stack["StackStatus"], physical_id=stack_id)
        for _ in range(TRIES):
            stacks._add_event(stack_id, stack_name, logical_id, resource_type, "DELETE_IN_PROGRESS", physical_id=physical_id)
            try:
                delete(resource_type, physical_id, props, stack_name, logical_id)
            except Exception as refusal:
                stacks._add_event(stack_id, stack_name, logical_id, resource_type, "DELETE_FAILED", str(refusal), physical_id)
            else:
                stacks._add_event(stack_id, stack_name, logical_id, resource_type, "DELETE_COMPLETE", physical_id=physical_id)
                return

    def replaces(resource_type: str, old: dict[str, Any], new: dict[str, Any]) -> bool:
        return bool(by_table(resource_type, old, new)) or any(
            _at(old, path) != _at(new, path) for path in create_only(resource_type, schemas)
        )

    vars(stacks)["_delete_resource"] = deleted
    vars(stacks)["_replacing_change"] = vars(cfn)["_replacing_change"] = replaces


def create_only(resource_type: str, schemas: Schemas) -> frozenset[tuple[str, ...]]:
    """Paths of the properties that replace the resource, where its handler does not look after that itself."""
    schema = None if resource_type in _BY_THEMSELVES else schemas.of(resource_type, "us-east-1")
    return frozenset(path for path in schema.create_only if "*" not in path) if schema else frozenset()


def _at(properties: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        properties = properties.get(part) if isinstance(properties, dict) else None
    return properties
