"""Has the address that alarms are mailed to confirmed?"""

from __future__ import annotations

from collections.abc import Iterator

from assembly.model import Stack
from doctor.check import CheckContext, stack_check
from doctor.values import CheckResult
from gateways.topics import Topics
from operations.gateways import cloudformation_of
from operations.recipients import addresses, unconfirmed


@stack_check("alarm_confirmation", kind="stack")
def alarm_confirmation(context: CheckContext, stack: Stack) -> Iterator[CheckResult]:
    """Nothing of a stack that mails nobody, nor in a rehearsal: no mail is sent there."""
    template = context.templates.get(stack.id, b"")
    if context.local or not addresses(template):
        return
    topics = Topics.connect(context.aws, account_id=stack.account_id, region=stack.region, role_arn=stack.role_arn)
    found = unconfirmed(stack, template, cloudformation_of(stack, context.gateways), topics.subscriptions)
    for message, command in found:
        yield CheckResult(code="alarm_confirmation", level="warning", message=message, command=command, stack=stack.id)
