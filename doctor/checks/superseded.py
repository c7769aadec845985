"""Has a stack replaced something that is still there?"""

from __future__ import annotations

from collections.abc import Iterator

from assembly.model import Stack
from doctor.check import CheckContext, stack_check
from doctor.values import CheckResult
from gateways.retained import REMOVABLE, Retained
from inventory.judgement import PROVIDER
from operations.gateways import cloudformation_of
from planning.superseded import left, still_there


@stack_check("superseded", kind="stack")
def superseded(context: CheckContext, stack: Stack) -> Iterator[CheckResult]:
    """By its events; what nobody can look up is believed to be there."""
    gateway = cloudformation_of(stack, context.gateways)
    live = gateway.describe_stack(stack.stack_name)
    if live is None or live.under_review:
        return
    place = {"stack": stack.id, "stack_name": stack.stack_name, "account_id": stack.account_id, "region": stack.region}
    found = left({**place, "role_arn": stack.role_arn}, live.arn, gateway)
    if not found:
        return
    retained = Retained.connect(context.aws, account_id=stack.account_id, region=stack.region, role_arn=stack.role_arn)
    there = still_there(found, retained)
    for each in found:
        words = f"{each.logical_id} ({each.resource_type}) {each.physical_id}, let go of {each.since}"
        why = f"; AWS said: {each.reason}" if each.reason else ""
        if each in there:
            yield CheckResult(
                code="superseded",
                level="warning",
                message=f"{words} and still there; apply removes it{why}",
                command=context.command("plan"),
                stack=stack.id,
            )
        # An account has one provider for all; letting go of it leaves it on purpose.
        elif each.resource_type not in (*REMOVABLE, PROVIDER):
            yield CheckResult(
                code="superseded", level="warning", message=f"{words}; the deployer does not remove its kind{why}", stack=stack.id
            )
