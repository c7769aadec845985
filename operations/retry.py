"""Which instances of a StackSet failed in an approved operation, and the plan that redoes those and nothing else.

In: an assembly, its live StackSets and their instances. Out: a sealed `Plan` of StackSets only, or why there can be none.
Never: changes a set: an instance is only brought to the template and parameters that an approved plan gave the set. If the assembly has
moved on since, it takes a plan of its own.

The plan follows from what failed alone, so its digest, and with it the operations' ids, are the same until something has been redone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from assembly.files import sha256
from assembly.model import Assembly, Stack
from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.requests import REDACTED
from aws.cloudformation.stack_sets import StackInstance, StackSetDescription, StackSetOperation
from operations.gateways import CloudFormationGateways, cloudformation_of
from planning.model import InstancePlan, Options, ParameterPlan, Plan, StackSetPlan, planned_place, sealed
from planning.stacksets import same_template, template_of
from templates.values import Known, Redacted

FAILED = frozenset({"FAILED"})
CANCELLED = frozenset({"CANCELLED"})
"""Detailed status of instances that an operation did not come to, since too many others failed or it was stopped."""


@dataclass(frozen=True, kw_only=True)
class FailedInstances:
    """One StackSet with instances to be redone."""

    stack: Stack
    live: StackSetDescription
    instances: tuple[StackInstance, ...]
    """All of the set's."""
    again: tuple[StackInstance, ...]
    """Those to be redone."""
    problem: str = ""
    """Why they cannot be."""

    @property
    def cancelled(self) -> int:
        """How many an operation did not come to, and a retry of these alone leaves as they are."""
        return sum(i.status == "OUTDATED" and i.detailed_status in CANCELLED and i not in self.again for i in self.instances)


def stack_sets(assembly: Assembly, only: Iterable[str] = ()) -> tuple[Stack, ...]:
    """The StackSets of an assembly."""
    wanted = set(only)
    return tuple(s for s in assembly.stacks if s.stackset is not None and (not wanted or s.id in wanted))


def find(stack: Stack, template: bytes, gateway: CloudFormation, *, cancelled: bool) -> FailedInstances | None:
    """What there is to redo of a set; None if there is no set. Raises `AwsError`."""
    live = gateway.describe_stack_set(stack.stack_name, call_as=stack.call_as)
    if live is None:
        return None
    wanted = FAILED | CANCELLED if cancelled else FAILED
    instances = gateway.list_stack_instances(stack.stack_name, call_as=stack.call_as)
    again = tuple(i for i in instances if i.status == "OUTDATED" and i.detailed_status in wanted)
    ours = same_template(template_of(live.template_body), template_of(template.decode()))
    problem = "" if ours else f"the template of {stack.stack_name} is not the assembly's"
    return FailedInstances(stack=stack, live=live, instances=instances, again=again, problem=problem)


def running(stacks: Iterable[Stack], gateways: CloudFormationGateways) -> tuple[tuple[Stack, StackSetOperation], ...]:
    """Operations under way. Raises `AwsError`."""
    return tuple(
        (stack, operation)
        for stack in stacks
        for operation in cloudformation_of(stack, gateways).running_operations(stack.stack_name, call_as=stack.call_as)
    )


def wait_until_done(
    stacks: tuple[Stack, ...], gateways: CloudFormationGateways, pause: Callable[[], None], say: Callable[[str], None]
) -> None:
    """Wait for operations under way, saying which. Raises `AwsError`, and whatever `pause` does."""
    said: set[str] = set()
    while under_way := running(stacks, gateways):
        for stack, operation in under_way:
            if operation.id not in said:
                said.add(operation.id)
                say(f"{stack.id}: waiting for {operation.action} {operation.id} ({operation.status}, since {operation.created_at})")
        pause()


def retry_plan(assembly: Assembly, found: Iterable[FailedInstances], *, local: bool) -> Plan:
    """The plan that redoes the instances; whoever makes it, its digest is the same, so that several people can approve it."""
    some = tuple(f for f in found if f.again)
    last = max((i.last_operation_id for f in some for i in f.again), default="")
    return sealed(
        Plan(
            environment=assembly.environment,
            project=assembly.project,
            account_id=assembly.account_id,
            protected=assembly.protected,
            assembly_digest=assembly.digest,
            created_at=f"after operation {last}",
            created_by="",
            options=Options(only=tuple(f.stack.id for f in some), local=local),
            stacks=tuple(_set_plan(f) for f in some),
        )
    )


def _set_plan(found: FailedInstances) -> StackSetPlan:
    stack, live = found.stack, found.live
    assert stack.stackset is not None, "only StackSets are looked at"
    again = {(i.account_id, i.region) for i in found.again}
    return StackSetPlan(
        **planned_place(stack),
        operation="instances",
        depends_on=(),
        exists=True,
        stack_set_id=live.id,
        template_sha256=stack.template.sha256,
        deployed_template_sha256=sha256(live.template_body.encode()),
        preferences=stack.stackset.preferences,
        parameters=tuple(_parameter(name, live.parameters) for name in live.parameters),
        instances=tuple(
            InstancePlan(
                account_id=i.account_id,
                region=i.region,
                organizational_unit=i.organizational_unit,
                action="update" if (i.account_id, i.region) in again else "none",
                status=i.status,
                reason=i.reason,
                drift=i.drift,
            )
            for i in found.instances
        ),
    )


def _parameter(name: str, live: Mapping[str, str]) -> ParameterPlan:
    value = Redacted() if live[name] == REDACTED else Known(text=live[name])
    return ParameterPlan(name=name, source="as deployed", before=value, after=value)
