"""Show every stack's state, what was applied last, and what waits.

In: the assembly of an environment, AWS. Out: a table on stdout, or JSON.
Never: changes anything.

Exit status: 0 all well (or not deployed yet), 1 a stack needs a person or could not be read, 2 usage.
"""

from __future__ import annotations

import argparse

from guards.text import as_lines
from operations.gateways import cloudformation_of
from operations.recipients import addresses, unconfirmed
from operations.status import Deployed, Status, read_status, status_lines
from session.context import FAILED, OK, Context
from session.opened import Opened, add_common_arguments, open_environment
from session.readiness import for_status
from session.shared import damage, no_more_wanted, past_of

EXAMPLES = """\
  python deploy.py status --env dev            every stack, its drift at the last check, and the version applied
  python deploy.py status --env prod --json    the same for machines
"""
DATA = ("operations.status:Status",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Read and show."""
    status = read(open_environment(args, context, looks=True), context)
    context.answers(status, as_lines(status_lines(status)), machine=args.json)
    if status.history_error:
        context.problem("history_unreadable", status.history_error)
    for stack in status.stacks:
        if not stack.healthy:
            context.problem(
                "stack_unreadable" if stack.error else "stack_stuck",
                f"{stack.stack}: {stack.error or stack.reason or stack.status}",
                stack.command,
            )
    return OK if status.healthy else FAILED


def read(opened: Opened, context: Context) -> Status:
    """The status of an opened environment."""
    from aws.errors import AwsError

    assembly = opened.assembly
    deployed, history_error = None, ""
    try:
        past = past_of(opened, limit=1)
        if past.damaged:
            history_error = "; ".join(damage(past, assembly.artifact_bucket))
        if past.records:
            last = past.records[0]
            deployed = Deployed(
                assembly_digest=last.assembly_digest, commit=last.git_commit, at=last.started_at, by=last.by, result=last.result
            )
    except AwsError as error:
        history_error = str(error)
    recovery, content = for_status(opened, context)
    return read_status(
        assembly,
        opened.templates,
        opened.gateways,
        deployed=deployed,
        history_error=history_error,
        dropped=no_more_wanted(opened),
        recipients=recipients(opened),
        recovery=recovery,
        content=content,
        now=context.now(),
    )


def recipients(opened: Opened) -> tuple[str, ...]:
    """Addresses that have not confirmed. What cannot be looked up is doctor's to say; no mail is sent in a rehearsal."""
    from aws.errors import AwsError
    from gateways.topics import Topics

    found: list[str] = []
    for stack in () if opened.aws.is_local else opened.assembly.stacks:
        template = opened.templates.get(stack.id, b"")
        if stack.kind != "stack" or not addresses(template):
            continue
        topics = Topics.connect(opened.aws, account_id=stack.account_id, region=stack.region, role_arn=stack.role_arn)
        try:
            found += [text for text, _ in unconfirmed(stack, template, cloudformation_of(stack, opened.gateways), topics.subscriptions)]
        except AwsError:
            continue
    return tuple(found)
