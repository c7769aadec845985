"""Redo the StackSet instances that failed, and no others (of stacks: apply again).

In: an environment. Out: which instances failed and why; once approved, what became of them.
Never: changes the template or a parameter of a set (that takes a plan), touches an instance that did not fail.

Exit status: 0 all of them are current or there was none, 1 some failed again, 2 usage or refused, 130 interrupted.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from assembly import commands
from assembly.commands import DIGEST_DIGITS
from session.approval import refuse_unapproved
from session.context import FAILED, INTERRUPTED, OK, USAGE, CommandError, Context
from session.opened import Opened, add_common_arguments, open_environment
from session.shared import poll_seconds
from session.target import add_target_argument, refuse_unless_home

if TYPE_CHECKING:
    from assembly.model import Stack
    from aws.cloudformation.gateway import CloudFormation
    from operations.retry import FailedInstances

EXAMPLES = """\
  python deploy.py retry --env prod                  shows the failed instances, and asks
  python deploy.py retry --env dev --cancelled       also those that an operation did not come to
  python deploy.py retry --env dev --only edge-logs  one StackSet
"""
DATA = ("rollout.apply:Applied", "docs.verb_answers:Nothing")

SHOWN = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    add_target_argument(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask (unprotected environments only)")
    parser.add_argument("--approve", metavar="DIGEST", help="approval of exactly this retry, instead of being asked")
    parser.add_argument("--cancelled", action="store_true", help="also instances that were cancelled since others had failed")
    parser.add_argument("--only", action="append", default=[], metavar="STACK", help="only this StackSet; may be repeated")


def run(args: argparse.Namespace, context: Context) -> int:
    """Find what failed, have it approved, redo it."""
    from operations.retry import find, retry_plan, stack_sets, wait_until_done
    from review.progress_view import summary
    from verbs.apply import approve, execute, report_failures

    opened = open_environment(args, context)
    refuse_unless_home(opened, args, "no stack is changed")
    sets = stack_sets(opened.assembly, args.only)
    unknown = set(args.only) - {s.id for s in sets}
    if unknown:
        raise CommandError(f"{opened.assembly.environment} has no StackSet {', '.join(sorted(unknown))}", status=USAGE)
    seconds = poll_seconds(opened)
    wait_until_done(sets, opened.gateways, lambda: context.sleep(seconds), context.say)
    looked = [find(s, opened.templates[s.id], _gateway(opened, s), cancelled=args.cancelled) for s in sets]
    found = tuple(f for f in looked if f is not None and f.again)
    _tell_cancelled(args, context, sum(f.cancelled for f in looked if f is not None))
    if not found:
        context.answers({"environment": args.env, "result": "nothing_failed"}, f"{args.env}: no instance failed", machine=args.json)
        return OK
    for each in found:
        _show(context, each)
    problems = tuple(f"{f.problem}, so its instances cannot only be redone" for f in found if f.problem)
    if problems:
        raise CommandError(*problems, command=commands.deploy("plan", args.env), status=USAGE)
    plan = retry_plan(opened.assembly, found, local=args.local)
    approve(args, context, plan, verb="retry")
    refuse_unapproved(opened, plan.digest, f"retry {plan.digest[:DIGEST_DIGITS]}", context)
    applied = execute(args, context, opened, plan)
    context.answers(applied, summary(applied), machine=args.json)
    report_failures(context, applied)
    return {"succeeded": OK, "interrupted": INTERRUPTED}.get(applied.result, FAILED)


def _gateway(opened: Opened, stack: Stack) -> CloudFormation:
    return opened.gateways.cloudformation(stack.account_id, stack.region, stack.role_arn)


def _tell_cancelled(args: argparse.Namespace, context: Context, cancelled: int) -> None:
    if cancelled:
        context.say(f"{cancelled:,} more that were cancelled, as others had failed, stay as they are; with these:")
        context.say_next(commands.deploy("retry", args.env, "--cancelled"))


def _show(context: Context, found: FailedInstances) -> None:
    context.say(f"{found.stack.id}: {len(found.again):,} of {len(found.instances):,} instances to be redone")
    for instance in found.again[:SHOWN]:
        context.say(
            f"  {instance.account_id} {instance.region}: {instance.detailed_status}{': ' + instance.reason if instance.reason else ''}"
        )
    if len(found.again) > SHOWN:
        context.say(f"  and {len(found.again) - SHOWN:,} more")
