"""Close the site bucket to CloudFront for some minutes, verify the site on the replica, and open it again.

In: a plan that was shown and agreed to; with --end what a rehearsal has left. Out: a report, kept in the artifact bucket.
Never: begins where the replica is not whole; leaves the bucket closed: the closing ends by itself.
Exit status: 0 every check passed on the replica, 1 not, or it was given up, 2 usage or not approved, 3 with --dry-run.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from assembly import commands
from assembly.commands import DIGEST_DIGITS
from guards.text import as_lines
from session.context import FAILED, OK, PENDING, USAGE, CommandError, Context
from session.verifying import add_target_arguments

if TYPE_CHECKING:
    from recovery.origins import Origins
    from session.opened import Opened

EXAMPLES = """\
  python deploy.py dr rehearse --env prod     what would be closed, for how long, what visitors notice; then asks
  python deploy.py dr rehearse --env prod --dry-run    the plan alone, with the digest that people approve
  python deploy.py dr rehearse --env prod --end        open what a killed rehearsal has left closed
"""
DATA = ("docs.verb_answers:Rehearsed",)
LIMITS = (5, 60)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--minutes, --dry-run, --end, and where to look."""
    parser.add_argument(
        "--minutes", type=int, default=15, metavar="N", help="rehearse: close the site bucket for so long at the most (default: 15)"
    )
    parser.add_argument("--dry-run", action="store_true", help="rehearse: show the plan, and change nothing")
    parser.add_argument("--end", action="store_true", help="rehearse: open what a rehearsal has closed, and do nothing else")
    add_target_arguments(parser)
    parser.set_defaults(resolve=None, resolve_http=None, ca_file=None, browser=None)


def run(args: argparse.Namespace, context: Context, opened: Opened, origins: Origins) -> int:
    """Plan, ask, rehearse."""
    from recovery.rehearsal import plan_lines
    from session import rehearsing
    from session.approval import refuse_unapproved
    from session.readiness import read
    from session.site import confirm
    from session.target import impatient

    if args.end:
        return _end(args, context, opened, origins)
    if not LIMITS[0] <= args.minutes <= LIMITS[1]:
        raise CommandError(f"--minutes {args.minutes}: between {LIMITS[0]} and {LIMITS[1]}", status=USAGE)
    quick = impatient(opened)
    status = read(quick, origins, context)
    if status.closed_until and not args.dry_run and rehearsing.end(opened, origins, context):
        context.say("an earlier rehearsal was cut off; what it had left in the bucket policy is removed")
        status = read(quick, origins, context)
    plan = rehearsing.plan_of(args, quick, status)
    if args.dry_run:
        context.answers({"plan": plan, "report": None}, as_lines(plan_lines(plan)), machine=args.json)
        return PENDING
    for line in plan_lines(plan):
        context.say(line)
    confirm(f"Rehearse the failover of {args.env}?", plan.digest, args, context, protected=opened.assembly.protected)
    refuse_unapproved(opened, plan.digest, f"rehearsal {plan.digest[:DIGEST_DIGITS]}", context)
    report = rehearsing.carry_out(args, context, opened, origins, plan)
    told = [f"{args.env}: rehearsal {report.id} {report.summary}"]
    told += [f"  {each.id}: {each.detail}" for each in report.checks if each.status == "failed"]
    context.answers({"plan": plan, "report": report}, as_lines(told), machine=args.json)
    if report.result == "passed":
        return OK
    context.problem(f"rehearsal_{report.result}", report.message, commands.deploy("dr status", args.env))
    return FAILED


def _end(args: argparse.Namespace, context: Context, opened: Opened, origins: Origins) -> int:
    from session import rehearsing

    found = rehearsing.end(opened, origins, context)
    told = [f"{origins.primary.bucket}: rehearsal {each.id} removed from its policy" for each in found]
    context.answers({"plan": None, "report": None}, as_lines(told or [f"{args.env}: no rehearsal has closed anything"]), machine=args.json)
    return OK
