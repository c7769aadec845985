"""Deleting what planning has made at CloudFormation: change sets, and stacks that are there for them only.

In: a plan, or the record of one planning run. Out: nothing, or findings about what could not be deleted.
Never: deletes a change set of somebody else, or a stack that has ever had a resource.
"""

from __future__ import annotations

from assembly.commands import deploy
from aws.cloudformation.change_sets import CreatedChangeSet
from aws.cloudformation.gateway import CloudFormation
from aws.errors import AwsError
from planning.inputs import Gateways
from planning.model import Finding, Plan, StackPlan
from planning.request import IMPORT_SUFFIX, real_change_set_name


def discard(gateway: CloudFormation, created: CreatedChangeSet, *, made_stack: bool) -> None:
    """Delete a change set, and the stack if it is only there for it. Raises `AwsError`."""
    gateway.delete_change_set(created.arn, created.stack_arn)
    if made_stack:
        gateway.delete_reviewed_stack(created.stack_arn, besides=(created.arn,))


def drop_stack(plan: StackPlan, gateway: CloudFormation) -> None:
    """Delete the change set of one stack's plan, and the stack if it is only there for it. Raises `AwsError`."""
    if plan.change_set is not None:
        made = plan.change_set
        discard(gateway, CreatedChangeSet(arn=made.arn, stack_arn=made.stack_arn), made_stack=made.made_stack)


def _drop_real(plan: Plan, stack: StackPlan, gateway: CloudFormation) -> None:
    """What an apply of the plan left of a previewed stack, if it was killed between making the change set and executing it."""
    name = real_change_set_name(plan)
    names = (name, f"{name}{IMPORT_SUFFIX}")
    for found in gateway.list_change_sets(stack.stack_name):
        if found.name in names and not found.execution_status.startswith("EXECUTE_"):
            discard(gateway, CreatedChangeSet(arn=found.arn, stack_arn=stack.stack_name), made_stack=not stack.state.exists)


def _to_be_made(plan: Plan, stack: StackPlan) -> bool:
    """Apply makes its change set."""
    return stack.previewed or stack.operation == "import" or (plan.options.read_only and stack.operation in ("create", "update"))


def drop(plan: Plan, gateways: Gateways) -> tuple[Finding, ...]:
    """Delete the change sets that wait because of the plan, and the stacks that only they made. What could not be deleted is reported."""
    findings = []
    for stack in plan.stacks:
        if isinstance(stack, StackPlan) and (stack.change_set is not None or _to_be_made(plan, stack)):
            name = stack.change_set.name if stack.change_set else real_change_set_name(plan)
            try:
                gateway = gateways.cloudformation(stack.account_id, stack.region, stack.role_arn)
                drop_stack(stack, gateway)
                if _to_be_made(plan, stack):
                    _drop_real(plan, stack, gateway)
            except AwsError as error:
                findings.append(
                    Finding(
                        severity="warning",
                        code="change_set_left",
                        message=f"the change set {name} of an earlier plan could not be deleted: {error}",
                        command=deploy("doctor", plan.environment, "--fix"),
                        stack=stack.stack,
                    )
                )
    return tuple(findings)
