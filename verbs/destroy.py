"""Delete an environment's stacks; its data only if told to.

In: the assembly of an environment, AWS, the environment's name, typed.
Out: the plan of what goes and what stays, then what became of it.
Never: deletes anything that was not shown and confirmed, data without --delete-data, or a protected stack without
--lift-termination-protection.

Exit status: 0 all is gone that was to go, 3 something waits (or --dry-run shows something to delete), 1 failed, 2 usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from assembly import commands
from assembly.commands import DIGEST_DIGITS
from guards.text import as_lines
from session.approval import refuse_unapproved
from session.context import FAILED, INTERRUPTED, OK, PENDING, USAGE, CommandError, Context
from session.opened import Opened, add_common_arguments, open_environment
from session.recovered import add_recovery_arguments, recover
from session.target import add_target_argument, refuse_edited_away, refuse_unless_home

if TYPE_CHECKING:
    from operations.destroy.values import DestroyOutcome, DestroyPlan

EXAMPLES = """\
  python deploy.py destroy --env dev --dry-run                     what would go and what would stay
  python deploy.py destroy --env dev                               shows it, and asks for the environment's name
  python deploy.py destroy --env qa                                its file is gone: what was applied last, out of its artifact bucket
  python deploy.py destroy --env dev --approve dev --delete-data   without a terminal, buckets and tables too
  python deploy.py destroy --env dev                               again, some hours later: the edge function's replicas are gone by then
"""
DATA = ("docs.verb_answers:Destroyed",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    parser.add_argument("--approve", metavar="NAME", help="the environment's name: confirms without a terminal")
    parser.add_argument(
        "--delete-data", action="store_true", help="also delete what the stacks keep: buckets with all versions, tables, logs"
    )
    parser.add_argument("--lift-termination-protection", action="store_true", help="lift termination protection from stacks that have it")
    add_recovery_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="show the plan and stop")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_target_argument(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Survey, show, confirm, delete."""
    from operations.destroy.survey import survey
    from operations.destroy.text import plan_lines
    from session.shared import locked, no_more_wanted, progress

    recover(args, context)
    opened = open_environment(args, context, looks=args.dry_run)
    if not args.dry_run:
        refuse_unless_home(opened, args, "nothing is deleted")
        refuse_edited_away(opened, "nothing is deleted")
    plan = survey(
        opened.assembly,
        opened.templates,
        opened.gateways,
        delete_data=args.delete_data,
        lift_protection=args.lift_termination_protection,
        dropped=no_more_wanted(opened),
    )
    ends = plan.blocked or plan.nothing_to_do or args.dry_run
    if ends or not args.json:
        wanted = [f"to approve: destroy {plan.digest}"] if opened.assembly.approvals and not plan.nothing_to_do else []
        context.answers({"plan": plan, "outcome": None}, as_lines([*plan_lines(plan), *wanted]), machine=args.json)
    for finding in plan.findings:
        if finding.severity == "error":
            context.problem(finding.code, finding.message, finding.command)
    if ends:
        return FAILED if plan.blocked else OK if plan.nothing_to_do else PENDING
    _confirm(args, context, plan.environment)
    refuse_unapproved(opened, plan.digest, f"destroy {plan.digest[:DIGEST_DIGITS]}", context)
    said = progress(context)
    _drop_saved_plan(args, opened, context)
    try:
        with locked(opened, context, "destroy", args=args) as check:
            outcome = _carry_out(opened, context, plan, said, check)
    except KeyboardInterrupt:
        context.say("interrupted; what CloudFormation has begun to delete it goes on deleting")
        context.say("the same destroy again goes on from there")
        context.say_next(commands.deploy("status", args.env))
        return INTERRUPTED
    _show(args, context, plan, outcome)
    return outcome.exit_status


def _drop_saved_plan(args: argparse.Namespace, opened: Opened, context: Context) -> None:
    """A plan that waits is about stacks that go now."""
    from planning.cleanup import drop
    from planning.saved import SavedPlanError, forget, load, path_of

    path = path_of(args.dist, opened.assembly.environment)
    try:
        waiting = load(path, opened.assembly.environment)
    except SavedPlanError:
        waiting = None
    if waiting is not None and waiting.options.local == args.local:
        for finding in drop(waiting, opened.gateways):
            context.say(f"{finding.severity}: {finding.message}")
    forget(path)


def _confirm(args: argparse.Namespace, context: Context, environment: str) -> None:
    from review.next_command import again
    from session.shared import asked

    if args.approve is not None:
        if args.approve != environment:
            raise CommandError(f"--approve {args.approve} is not the environment's name; nothing was deleted", status=USAGE)
        return
    if not context.stdin.isatty():
        raise CommandError(
            "there is no terminal to confirm at; nothing was deleted",
            command=again(args, "--approve", environment),
            status=USAGE,
        )
    if asked(context, f"type the environment's name to delete all this ({environment}): ") != environment:
        raise CommandError("that is not the environment's name; nothing was deleted", status=USAGE)


def _carry_out(
    opened: Opened, context: Context, plan: DestroyPlan, said: Callable[[str, str], None], check: Callable[[], None]
) -> DestroyOutcome:
    from operations.destroy.execution import destroy
    from session.shared import poll_seconds

    return destroy(
        plan,
        opened.gateways,
        nonce=context.token_hex(8),
        now=context.now,
        sleep=context.sleep,
        poll_seconds=poll_seconds(opened),
        progress=said,
        before_each=check,
    )


def _show(args: argparse.Namespace, context: Context, plan: DestroyPlan, outcome: DestroyOutcome) -> None:
    from operations.destroy.text import outcome_lines

    context.answers({"plan": plan, "outcome": outcome}, as_lines(("", *outcome_lines(outcome))), machine=args.json)
    if outcome.failed:
        context.problem("failed", outcome.failed, outcome.command)
