"""Check all that a deployment needs, and mend what is stuck.

In: the assembly of an environment, AWS, the public DNS. Out: one line a check on stdout, with what to type next.
Never: changes anything without --fix, and with it nothing that was not shown and agreed to.

Exit status: 0 no problem (after --fix: all fixes done), 1 a problem, nothing could be checked, or a fix failed, 2 usage,
3 fixes wait for --yes.
"""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING

from assembly import commands
from guards.text import as_lines
from session.context import FAILED, OK, PENDING, USAGE, CommandError, Context
from session.opened import Opened, add_common_arguments, open_environment
from session.target import add_target_argument

if TYPE_CHECKING:
    from doctor.values import Report

EXAMPLES = """\
  python deploy.py doctor --env dev                what is missing, wrong or stuck
  python deploy.py doctor --env dev --fix          show what would be done about stuck stacks, and ask
  python deploy.py doctor --env dev --fix --yes    the same without asking
"""
DATA = ("docs.verb_answers:Examined",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    parser.add_argument("--fix", action="store_true", help="offer a safe action for every stuck stack")
    parser.add_argument("--yes", action="store_true", help="with --fix: do it without asking (unprotected environments only)")
    parser.add_argument("--approve", metavar="ENV", help="with --fix: the environment's name: approval without being asked")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_target_argument(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Look, show, and mend what may be mended."""
    from doctor.check import CheckContext
    from doctor.engine import examine
    from doctor.text import fix_lines, report_lines
    from operations.public_dns import PublicDns
    from session.waiting import telling

    opened = open_environment(args, context, looks=not args.fix, diagnoses=True)
    checked = CheckContext(
        assembly=opened.assembly,
        templates=opened.templates,
        aws=opened.aws,
        gateways=opened.gateways,
        resolver=None if args.local else PublicDns(),
        waiting=_waiting(args, opened),
        local=args.local,
    )
    accounts = ", ".join(sorted({stack.account_id for stack in opened.assembly.stacks} | {opened.assembly.account_id}))
    with telling(context, f"answers of AWS (accounts {accounts}) and of the public DNS"):
        report = examine(checked)
    colour = context.colour(context.stdout)
    if not (args.fix and report.fixes):
        context.answers({"report": report, "fixed": ()}, as_lines(report_lines(report, colour=colour)), machine=args.json)
        for check in report.checks:
            if check.level == "problem" or (check.level == "unknown" and not report.anything_checked):
                context.problem(check.code, check.message, check.command)
        if args.fix and report.anything_checked:
            context.say("nothing is stuck that --fix could mend")
        return report.exit_status
    if not args.json:
        context.result(as_lines((*report_lines(report, colour=colour), "", *fix_lines(report.fixes))))
    return _fix(args, context, opened, report)


def _waiting(args: argparse.Namespace, opened: Opened) -> frozenset[str]:
    from planning.saved import SavedPlanError, load, path_of

    try:
        plan = load(path_of(args.dist, opened.assembly.environment), opened.assembly.environment)
    except SavedPlanError:
        return frozenset()
    return frozenset(made.arn for made in plan.change_sets)


def _fix(args: argparse.Namespace, context: Context, opened: Opened, report: Report) -> int:
    from doctor.fixes import carry_out
    from session.shared import asked, locked, poll_seconds, progress

    protected = opened.assembly.protected
    if args.approve not in (None, args.env):
        raise CommandError(f"--approve {args.approve} is not the environment's name; nothing was done", status=USAGE)
    if args.approve is None and (protected or not args.yes):
        if not context.stdin.isatty():
            context.data({"report": report, "fixed": ()})
            context.say("nothing was done")
            context.say_next(commands.deploy("doctor", args.env, "--fix", *(("--approve", args.env) if protected else ("--yes",))))
            return PENDING
        what = "this" if len(report.fixes) == 1 else f"these {len(report.fixes)}"
        wanted = {args.env} if protected else {"y", "yes"}
        answer = asked(context, f"do {what}? {f'{args.env} is protected, type its name:' if protected else '[y/N]'} ")
        if (answer if protected else answer.lower()) not in wanted:
            context.say("nothing was done")
            return PENDING
    nonce = context.token_hex(8)
    done = []
    waits_only = all(fix.action == "wait" for fix in report.fixes)
    # Whoever holds the lock may be the one who keeps a stack busy, so waiting needs none.
    with contextlib.nullcontext(_nothing) if waits_only else locked(opened, context, "doctor", args=args) as check:
        for fix in report.fixes:
            check()
            fixed = carry_out(
                fix,
                opened.gateways,
                nonce=nonce,
                sleep=context.sleep,
                poll_seconds=poll_seconds(opened),
                progress=progress(context),
            )
            done.append(fixed)
            if not args.json:
                context.result(f"{'done' if fixed.done else 'NOT DONE'}: {fixed.message}")
    context.data({"report": report, "fixed": done})
    for each in done:
        if not each.done:
            context.problem("not_fixed", f"{each.stack}: {each.message}")
    context.say_next(commands.deploy("doctor", args.env))
    return OK if all(each.done for each in done) else FAILED


def _nothing() -> None:
    """There is no lock to ask about."""
