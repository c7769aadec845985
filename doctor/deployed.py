"""What several checks ask about what is built and deployed."""

from __future__ import annotations

from typing import Any

from assembly.model import Stack
from aws.cloudformation.gateway import CloudFormation
from doctor.check import CheckContext
from guards import documents
from operations.gateways import cloudformation_of

DISTRIBUTION = "AWS::CloudFront::Distribution"


def resources_of(context: CheckContext, stack: Stack) -> tuple[dict[str, Any], ...]:
    """Resources of the stack's built template."""
    return tuple(documents.loads(context.templates[stack.id]).get("Resources", {}).values())


def is_built(context: CheckContext, resource_type: str) -> bool:
    """Whether a template of the assembly has a resource of that type."""
    return any(body.get("Type") == resource_type for stack in context.assembly.stacks for body in resources_of(context, stack))


def distribution_id(context: CheckContext) -> str | None:
    """The environment's distribution; None before it is there."""
    for stack in context.assembly.stacks:
        if stack.kind != "stack" or not any(body.get("Type") == DISTRIBUTION for body in resources_of(context, stack)):
            continue
        gateway = cloudformation_of(stack, context.gateways)
        live = gateway.describe_stack(stack.stack_name)
        if live is None or live.under_review:
            continue
        for resource in gateway.list_resources(stack.stack_name):
            if resource.resource_type == DISTRIBUTION and resource.physical_id:
                return resource.physical_id
    return None


def last_failure(gateway: CloudFormation, arn: str) -> str:
    """The resource of the stack that failed last, and why; empty if none did."""
    failed = [e for e in gateway.events(arn) if e.status.endswith("_FAILED") and e.reason and e.physical_id != arn]
    return f"{failed[-1].logical_id}: {failed[-1].reason}" if failed else ""
