"""What goes, in which order, and what stands in the way.

In: an assembly with its templates, the stacks that it no longer has, the gateways. Out: a `DestroyPlan`. Never: changes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from assembly import commands
from assembly.model import Assembly, Stack
from guards import documents
from operations.destroy.gateways import DestroyGateways
from operations.destroy.unmanaged import records_set_aside, secret_left, validation_records
from operations.destroy.values import DestroyPlan
from operations.gateways import cloudformation_of
from planning.model import Finding
from planning.removals import Removal, RetainedResource
from removal.belongings import NOTHING_DROPPED, Dropped, Place, place
from removal.effects import leftovers, removal_of, removal_order
from removal.gateways import Progress
from removal.retained import decided, left_by, left_by_set

_EMPTY = b"{}"


def survey(
    assembly: Assembly,
    templates: Mapping[str, bytes],
    gateways: DestroyGateways,
    *,
    delete_data: bool,
    lift_protection: bool,
    dropped: Dropped = NOTHING_DROPPED,
    progress: Progress = lambda *_: None,
) -> DestroyPlan:
    """What is there, and what would become of it; `dropped` is what it has beside the assembly. Raises `aws.errors.AwsError`."""
    stacks = with_dropped(assembly, dropped.stacks)
    removals: dict[Place, Removal] = {}
    found: list[RetainedResource] = []
    findings: list[Finding] = list(dropped.findings)
    for stack in reversed(stacks):
        progress(stack.id, "looking")
        gateway = cloudformation_of(stack, gateways)
        removal = removal_of(stack, gateway)
        if removal is not None:
            removals[place(stack)] = removal
            findings += _blockers(assembly, removal, lift_protection)
        template = documents.loads(templates.get(stack.id, _EMPTY))
        found += left_by_set(stack, template, gateway) if stack.kind == "stackset" else left_by(stack, template, gateway, removal)
    left = [decided(each, delete_data) for each in leftovers(assembly, gateways, found, {r.stack for r in removals.values()}, findings)]
    left += validation_records(assembly, gateways, findings)
    left += records_set_aside(assembly, gateways, findings)
    left += secret_left(assembly, gateways, delete_data)
    return DestroyPlan(
        environment=assembly.environment,
        project=assembly.project,
        account_id=assembly.account_id,
        delete_data=delete_data,
        lift_protection=lift_protection,
        removals=tuple(removals[place(stack)] for stack in removal_order(stacks) if place(stack) in removals),
        leftovers=tuple(left),
        findings=tuple(findings),
    )


def with_dropped(assembly: Assembly, dropped: Iterable[Stack]) -> tuple[Stack, ...]:
    """The assembly's stacks and those that it no longer has. What was dropped may still be used by what stands, if the edit that dropped it
    was never applied; so everything but what it depends on itself goes first.
    """
    gone = tuple(dropped)
    beneath = {name for stack in gone for name in stack.depends_on}
    ids = tuple(stack.id for stack in gone)
    needed = _needed(assembly, beneath)
    users = [s if s.id in needed else msgspec.structs.replace(s, depends_on=(*s.depends_on, *ids)) for s in assembly.stacks]
    return (*(s for s in users if s.id in needed), *gone, *(s for s in users if s.id not in needed))


def _needed(assembly: Assembly, beneath: set[str]) -> set[str]:
    """Those, and what they depend on in turn."""
    by_id = {stack.id: stack for stack in assembly.stacks}
    found: set[str] = set()
    queue = [name for name in beneath if name in by_id]
    while queue:
        stack = queue.pop()
        if stack not in found:
            found.add(stack)
            queue += [name for name in by_id[stack].depends_on if name in by_id]
    return found


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
