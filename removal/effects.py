"""What removing one stack or StackSet would delete, and what it would leave.

In: a stack of an assembly, the gateways. Out: a `Removal`, or None where nothing of it is there.
Never: changes anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from assembly.model import Assembly, Stack
from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.stacks import StackResource
from gateways.retained import REMOVABLE
from planning.model import Finding
from planning.removals import Removal, RetainedResource
from removal.belongings import says_so
from removal.gateways import RemovalGateways
from removal.retained import decided, left_by, left_by_set, resources_of, retains, still_there, unique, where
from templates.resources import DATA_HOLDING_TYPES


def alone(assembly: Assembly, stack: Stack, gateways: RemovalGateways, findings: list[Finding]) -> Removal | None:
    """Of one stack by itself, with what it leaves: data is kept, what holds none is cleaned up. Raises `AwsError`."""
    gateway = gateways.cloudformation(stack.account_id, stack.region, stack.role_arn)
    found = removal_of(stack, gateway)
    if stack.kind == "stackset":
        live = gateway.describe_stack_set(stack.stack_name, call_as=stack.call_as)
        left = left_by_set(stack, {"Resources": resources_of(live.template_body)}, gateway) if live is not None else []
    else:

        def ours(arn: str) -> bool:
            deleted = gateway.describe_stack(arn)
            return deleted is not None and says_so(assembly, deleted.tags)

        # The name may come from a history that somebody has written, and the stack of that name have been somebody else's.
        template = {"Resources": resources_of(gateway.get_template(stack.stack_name) if found else None)}
        left = left_by(stack, template, gateway, found, ours)
    existing = leftovers(assembly, gateways, left, {stack.id} if found else set(), findings)
    kept = tuple(decided(each, delete_data=False) for each in existing)
    if found is None:
        to_clean = tuple(each for each in kept if each.fate == "clean_up")
        return _gone(stack, to_clean) if to_clean else None
    return msgspec.structs.replace(found, leftovers=kept)


def leftovers(
    assembly: Assembly, gateways: RemovalGateways, found: Iterable[RetainedResource], existing: Iterable[str], findings: list[Finding]
) -> tuple[RetainedResource, ...]:
    """Those that are there, each once. What a stack that stands (`existing`, by id) is known to hold needs no look."""
    stacks = set(existing)
    looked = (
        each
        if each.stack in stacks and each.proven and each.resource_type not in REMOVABLE
        else still_there(assembly, gateways, each, findings)
        for each in unique(found)
    )
    return tuple(each for each in looked if each is not None)


def removal_of(stack: Stack, gateway: CloudFormation) -> Removal | None:
    """The stack or StackSet as it stands; None if there is none. Raises `AwsError`."""
    return _of_set(stack, gateway) if stack.kind == "stackset" else _of_stack(stack, gateway)


def deployed_resources(stack: Stack, gateways: RemovalGateways) -> dict[str, Any]:
    """Those of the template that it was deployed with; none where there is none, or not in JSON. Raises `AwsError`."""
    gateway = gateways.cloudformation(stack.account_id, stack.region, stack.role_arn)
    if stack.kind == "stackset":
        live = gateway.describe_stack_set(stack.stack_name, call_as=stack.call_as)
        return resources_of(live.template_body if live is not None else None)
    return resources_of(gateway.get_template(stack.stack_name))


def deployed_tags(stack: Stack, gateways: RemovalGateways) -> dict[str, str]:
    """Those of the stack or StackSet as it stands. Raises `AwsError`."""
    gateway = gateways.cloudformation(stack.account_id, stack.region, stack.role_arn)
    if stack.kind == "stackset":
        of_set = gateway.describe_stack_set(stack.stack_name, call_as=stack.call_as)
        return {} if of_set is None else dict(of_set.tags)
    live = gateway.describe_stack(stack.stack_name)
    return {} if live is None else dict(live.tags)


def removal_order(stacks: Iterable[Stack]) -> tuple[Stack, ...]:
    """A stack comes before all that it depends on; StackSets as early as that allows, else the catalogue's order backwards."""
    remaining = list(stacks)
    ordered: list[Stack] = []
    while remaining:
        needed = {name for stack in remaining for name in stack.depends_on}
        free = [stack for stack in reversed(remaining) if stack.id not in needed] or [remaining[-1]]
        chosen = next((stack for stack in free if stack.kind == "stackset"), free[0])
        ordered.append(chosen)
        remaining.remove(chosen)
    return tuple(ordered)


def _of_stack(stack: Stack, gateway: CloudFormation) -> Removal | None:
    live = gateway.describe_stack(stack.stack_name)
    if live is None or live.status == "DELETE_COMPLETE":
        return None
    kept = {logical_id for logical_id, body in resources_of(gateway.get_template(stack.stack_name)).items() if retains(body)}
    resources = [r for r in gateway.list_resources(live.arn) if r.status != "DELETE_COMPLETE" and r.logical_id not in kept]
    return Removal(
        **where(stack),
        kind="stack",
        stack_name=stack.stack_name,
        arn=live.arn,
        status=live.status,
        changed_at=live.changed_at,
        resources=len(resources),
        deletes=tuple(_said(each) for each in sorted(resources, key=lambda each: each.resource_type not in DATA_HOLDING_TYPES)),
        protected=live.termination_protection,
        change_sets=tuple(c.name for c in gateway.list_change_sets(stack.stack_name)) if live.under_review else (),
    )


def _said(each: StackResource) -> str:
    held = DATA_HOLDING_TYPES.get(each.resource_type)
    return f"{each.physical_id or each.logical_id} ({each.resource_type}){f', with {held}' if held else ''}"


def _of_set(stack: Stack, gateway: CloudFormation) -> Removal | None:
    live = gateway.describe_stack_set(stack.stack_name, call_as=stack.call_as)
    if live is None:
        return None
    instances = gateway.list_stack_instances(stack.stack_name, call_as=stack.call_as)
    return Removal(
        **where(stack),
        kind="stackset",
        stack_name=stack.stack_name,
        arn=live.arn,
        status=live.status,
        resources=len(instances),
        regions=tuple(sorted({i.region for i in instances})),
        call_as=stack.call_as,
    )


def _gone(stack: Stack, to_clean: tuple[RetainedResource, ...]) -> Removal:
    return Removal(**where(stack), kind=stack.kind, stack_name=stack.stack_name, arn="", status="DELETE_COMPLETE", leftovers=to_clean)
