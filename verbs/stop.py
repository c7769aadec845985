"""Stop the StackSet operation that is running (of stacks: Ctrl-C of their apply).

In: an environment. Out: which operations were stopped, and how many instances they had come to.
Never: stops anything without having said what; instances under way are finished, those that wait are cancelled, nothing is rolled back.

Exit status: 0 stopped or nothing was running, 1 not stopped, 2 usage.
"""

from __future__ import annotations

import argparse
from collections import Counter
from typing import TYPE_CHECKING, Any

from guards.text import as_lines
from session.context import OK, Context
from session.opened import Opened, add_common_arguments, open_environment

if TYPE_CHECKING:
    from assembly.model import Stack
    from aws.cloudformation.gateway import CloudFormation
    from aws.cloudformation.stack_sets import StackSetOperation

EXAMPLES = """\
  python deploy.py stop --env prod          shows what runs, and asks
  python deploy.py stop --env dev --yes     without asking
"""
DATA = ("docs.verb_answers:Stops",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask (unprotected environments only)")
    parser.add_argument("--approve", metavar="ENV", help="the environment's name: approval without being asked")
    parser.add_argument("--json", action="store_true", help="the result as JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Show, ask, stop, wait for the end."""
    from operations.retry import running, stack_sets
    from session.shared import poll_seconds
    from session.site import confirm

    opened = open_environment(args, context)
    under_way = running(stack_sets(opened.assembly), opened.gateways)
    for stack, operation in under_way:
        context.say(f"{stack.id}: {operation.action} {operation.id} is {operation.status}, since {operation.created_at}")
    if not under_way:
        context.answers([], f"{args.env}: no StackSet operation is running", machine=args.json)
        return OK
    confirm("Stop it? What runs is finished, what waits is cancelled.", "", args, context, protected=opened.assembly.protected)
    seconds = poll_seconds(opened)
    done = [_stop(opened, stack, operation, context, seconds) for stack, operation in under_way]
    context.answers(done, as_lines(_text(d) for d in done), machine=args.json)
    return OK


def _stop(opened: Opened, stack: Stack, operation: StackSetOperation, context: Context, seconds: float) -> dict[str, Any]:
    gateway: CloudFormation = opened.gateways.cloudformation(stack.account_id, stack.region, stack.role_arn)
    if operation.status != "STOPPING":
        _ask_to_stop(gateway, stack, operation)
    now = gateway.stack_set_operation(stack.stack_name, operation.id, call_as=stack.call_as)
    while not now.finished:
        context.sleep(seconds)
        now = gateway.stack_set_operation(stack.stack_name, operation.id, call_as=stack.call_as)
    results = gateway.stack_set_operation_results(stack.stack_name, operation.id, call_as=stack.call_as)
    return {
        "stack": stack.id,
        "operation": operation.id,
        "action": operation.action,
        "status": now.status,
        "instances": dict(sorted(Counter(r.status for r in results).items())),
    }


def _ask_to_stop(gateway: CloudFormation, stack: Stack, operation: StackSetOperation) -> None:
    from aws.errors import AwsError

    try:
        gateway.stop_stack_set_operation(stack.stack_name, operation.id, call_as=stack.call_as)
    except AwsError:
        if not gateway.stack_set_operation(stack.stack_name, operation.id, call_as=stack.call_as).finished:
            raise


def _text(done: dict[str, Any]) -> str:
    counts = ", ".join(f"{number:,} {name.lower()}" for name, number in done["instances"].items())
    return f"{done['stack']}: {done['action']} {done['operation']} is {done['status']}: {counts}"
