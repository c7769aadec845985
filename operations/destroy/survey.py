"""What goes, in which order, and what stands in the way.

In: an assembly with its templates, the gateways. Out: a `DestroyPlan`. Never: changes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from assembly import commands
from assembly.model import Assembly, Stack
from aws.cloudformation.gateway import CloudFormation
from gateways.retained import REMOVABLE
from guards import documents
from operations.destroy.gateways import DestroyGateways, Progress
from operations.destroy.retained import (
    decided,
    left_by,
    left_by_set,
    resources_of,
    retains,
    secret_left,
    still_there,
    unique,
    validation_records,
    where,
)
from operations.destroy.values import DestroyPlan, Removal, RetainedResource
from operations.gateways import call_as, cloudformation_of
from planning.model import Finding


def survey(
    assembly: Assembly,
    templates: Mapping[str, bytes],
    gateways: DestroyGateways,
    *,
    delete_data: bool,
    lift_protection: bool,
    progress: Progress = lambda *_: None,
) -> DestroyPlan:
    """What is there, and what would become of it. Raises `aws.errors.AwsError`."""
    removals: dict[str, Removal] = {}
    found: list[RetainedResource] = []
    findings: list[Finding] = []
    for stack in reversed(assembly.stacks):
        progress(stack.id, "looking")
        gateway = cloudformation_of(stack, gateways)
        removal = _stack_set_removal(stack, gateway) if stack.kind == "stackset" else _stack_removal(stack, gateway)
        if removal is not None:
            removals[stack.id] = removal
            findings += _blockers(assembly, removal, lift_protection)
        template = documents.loads(templates[stack.id])
        found += left_by_set(stack, template, gateway) if stack.kind == "stackset" else left_by(stack, template, gateway, removal)
    standing = (
        each
        if each.stack in removals and each.proven and each.resource_type not in REMOVABLE
        else still_there(assembly, gateways, each, findings)
        for each in unique(found)
    )
    leftovers = [decided(each, delete_data) for each in standing if each is not None]
    leftovers += validation_records(assembly, gateways, findings)
    leftovers += secret_left(assembly, gateways, delete_data)
    return DestroyPlan(
        environment=assembly.environment,
        project=assembly.project,
        account_id=assembly.account_id,
        delete_data=delete_data,
        lift_protection=lift_protection,
        removals=tuple(removals[stack.id] for stack in removal_order(assembly.stacks) if stack.id in removals),
        leftovers=tuple(leftovers),
        findings=tuple(findings),
    )


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


def _stack_removal(stack: Stack, gateway: CloudFormation) -> Removal | None:
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
        resources=len(resources),
        protected=live.termination_protection,
        change_sets=tuple(c.name for c in gateway.list_change_sets(stack.stack_name)) if live.under_review else (),
    )


def _stack_set_removal(stack: Stack, gateway: CloudFormation) -> Removal | None:
    live = gateway.describe_stack_set(stack.stack_name, call_as=call_as(stack))
    if live is None:
        return None
    instances = gateway.list_stack_instances(stack.stack_name, call_as=call_as(stack))
    return Removal(
        **where(stack),
        kind="stackset",
        stack_name=stack.stack_name,
        arn=live.arn,
        status=live.status,
        resources=len(instances),
        regions=tuple(sorted({i.region for i in instances})),
        call_as=call_as(stack),
    )


def _blockers(assembly: Assembly, removal: Removal, lift_protection: bool) -> Iterable[Finding]:
    if removal.protected and not lift_protection:
        yield Finding(
            severity="error",
            code="termination_protection",
            message=f"{removal.stack_name} has termination protection; it is lifted only if you say so",
            command=commands.deploy("destroy", assembly.environment, "--lift-termination-protection"),
            stack=removal.stack,
        )
    waiting = removal.status in ("REVIEW_IN_PROGRESS", "DELETE_IN_PROGRESS")
    if removal.kind == "stack" and removal.status.endswith("_IN_PROGRESS") and not waiting:
        yield Finding(
            severity="error",
            code="stack_busy",
            message=f"{removal.stack_name} is {removal.status}: somebody is changing it; wait until that is done",
            command=commands.deploy("status", assembly.environment),
            stack=removal.stack,
        )
