"""Approve a plan or a release in one's own name, where an environment asks for several people.

In: a digest; the caller's own credentials. Out: a record in the artifact bucket that counts for 24 hours; who has approved by now.
Never: applies anything, approves in anybody else's name.

Exit status: 0 approved, 1 failed, 2 usage or refused.
"""

from __future__ import annotations

import argparse

from assembly import commands
from guards.text import as_lines
from session.context import OK, USAGE, CommandError, Context
from session.opened import Opened, add_common_arguments, open_environment
from session.target import in_standby, seen

EXAMPLES = """\
  python deploy.py approve --env prod 3f2a91c07b55     the plan in dist/prod, which was reviewed
  python deploy.py approve --env prod DIGEST           any other: all 64 digits, as the review has them
  python deploy.py approve --env prod DIGEST --withdraw    take it back
"""
DATA = ("docs.verb_answers:Approved",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    parser.add_argument("digest", metavar="DIGEST", help="of the plan, or of the content of a release")
    parser.add_argument("--withdraw", action="store_true", help="take one's approval back")
    parser.add_argument("--standby", action="store_true", help="approve a `dr promote`: the record lies in the standby region")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Write the record, and tell who has approved."""
    from approvals.record import Approval, save
    from session.approval import artifacts, tally_of

    digest = _whole(args)
    opened = open_environment(args, context)
    opened = in_standby(opened) if args.standby else seen(opened, args, context)
    _refuse_machines(opened)
    assembly = opened.assembly
    approval = Approval(environment=assembly.environment, digest=digest, by=opened.caller, withdrawn=args.withdraw)
    save(artifacts(opened), assembly.artifact_bucket, approval, user_id_of(opened))
    found = tally_of(opened, digest, context)
    done = "withdrawn" if args.withdraw else "approved"
    lines = (
        f"{done}: {digest} of {assembly.environment} by {opened.caller}",
        f"people: {', '.join(found.people) or 'none'} ({len(found.people)} of {assembly.approvals})",
    )
    data = {
        "environment": assembly.environment,
        "digest": digest,
        "withdrawn": args.withdraw,
        "people": found.people,
        "wanted": assembly.approvals,
        "left_out": found.left_out,
    }
    context.answers(data, as_lines(lines), machine=args.json)
    for line in found.left_out:
        context.say(f"not counted: {line}")
    missing = assembly.approvals - len(found.people)
    if missing > 0:
        context.say_next(f"{missing} more, each with their own credentials, type the same")
    else:
        context.say_next("what asked for the approval goes now: type it again")
    return OK


def user_id_of(opened: Opened) -> str:
    """What IAM puts in for aws:userid. A local AWS that was handed in knows one caller, the account."""
    if opened.caller == f"arn:aws:iam::{opened.assembly.account_id}:root":
        return opened.assembly.account_id
    return opened.aws.identity().user_id


def _whole(args: argparse.Namespace) -> str:
    """All 64 digits; from the saved plan where fewer are given. Raises `CommandError`."""
    from approvals.record import DIGEST
    from planning.saved import SavedPlanError, load, path_of

    digest: str = args.digest
    if DIGEST.match(digest):
        return digest
    try:
        plan = load(path_of(args.dist, args.env), args.env)
    except SavedPlanError:
        plan = None
    if plan is not None and len(digest) >= 12 and plan.digest.startswith(digest):
        return plan.digest
    what = "is not the saved plan's digest" if plan is not None else "is not a whole digest, and there is no saved plan to complete it"
    raise CommandError(f"{digest!r} {what}", command=commands.deploy("plan", args.env), status=USAGE)


def _refuse_machines(opened: Opened) -> None:
    from planning.authority import acts_as_deploy_role

    if acts_as_deploy_role(opened.assembly, opened.caller):
        raise CommandError(
            f"{opened.caller} is not a person's own access to account {opened.assembly.account_id}, and approves nothing",
            command="aws sts get-caller-identity",
            status=USAGE,
        )
