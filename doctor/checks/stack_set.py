"""Is a StackSet busy, and is every one of its instances current?"""

from __future__ import annotations

from collections.abc import Iterator

from assembly.model import Stack
from doctor.check import CheckContext, stack_check
from doctor.values import CheckResult
from operations.gateways import cloudformation_of


@stack_check("stack", kind="stackset")
def stack_set(context: CheckContext, stack: Stack) -> Iterator[CheckResult]:
    """Operations under way, then each instance that is not CURRENT. No fix is offered for a set."""
    gateway = cloudformation_of(stack, context.gateways)
    live = gateway.describe_stack_set(stack.stack_name, call_as=stack.call_as)
    if live is None:
        yield CheckResult(code="stack", level="ok", message=f"{stack.stack_name} is not deployed yet", stack=stack.id)
        return
    running = gateway.running_operations(stack.stack_name, call_as=stack.call_as)
    for operation in running:
        message = f"{stack.stack_name}: the operation {operation.action} is {operation.status} since {operation.created_at}"
        yield CheckResult(code="stackset_busy", level="warning", message=message, command=context.command("status"), stack=stack.id)
    wrong = [i for i in gateway.list_stack_instances(stack.stack_name, call_as=stack.call_as) if i.status != "CURRENT"]
    for instance in wrong:
        where = f"{stack.stack_name} in {instance.account_id} {instance.region}"
        reason = f": {instance.reason}" if instance.reason else ""
        if instance.status == "INOPERABLE":
            command = (
                f"aws cloudformation delete-stack-instances --stack-set-name {stack.stack_name} --region {stack.region}"
                f" --accounts {instance.account_id} --regions {instance.region} --retain-stacks"
            )
            message = f"{where} is INOPERABLE{reason}; take it out of the set, delete its stack by hand, then plan again"
            yield CheckResult(code="stackset_inoperable", level="problem", message=message, command=command, stack=stack.id)
        elif not running:
            message = f"{where} is {instance.status}{reason}"
            yield CheckResult(code="stackset_outdated", level="warning", message=message, command=context.command("plan"), stack=stack.id)
    if not wrong and not running:
        yield CheckResult(code="stack", level="ok", message=f"{stack.stack_name}: every instance is CURRENT", stack=stack.id)
