"""Plan to go back to stacks as they were applied before (content: rollback-release).

In: a digest out of `history`. Out: that assembly in dist/ENV, checked, and a plan like any other, which `apply` carries out.
Never: applies anything, restores an assembly whose digests do not agree.

Exit status: 0 no changes, 3 changes pending, 1 blocked or failed, 2 usage.
"""

from __future__ import annotations

import argparse

from assembly import commands
from session.context import USAGE, CommandError, Context
from session.opened import Opened, add_common_arguments, open_environment, read_assembly

EXAMPLES = """\
  python deploy.py history --env prod                    what was applied, with digests
  python deploy.py rollback --env prod                   to the assembly before the last one
  python deploy.py rollback --env prod --to 3f9a1c20     restore that assembly into dist/prod and plan with it
  python deploy.py apply --env prod                      carry the plan out
  python build.py --env prod                             come back to what is in the checkout
"""
DATA = ("review.as_json:Review",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments, the common ones and those of a review."""
    from verbs.plan import add_review_arguments

    add_common_arguments(parser)
    parser.add_argument(
        "--to", metavar="DIGEST", help="assembly to go back to: six digits of its digest at least (default: the one before)"
    )
    add_review_arguments(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Restore, plan, show."""
    from aws.errors import NotFound
    from guards import documents
    from operations.rollback import RollbackError, before_last, meant, restore
    from planning.model import Options
    from rollout.history import fetch
    from session.shared import artifacts, past_of
    from verbs.plan import plan_and_save, show, status_of

    opened = open_environment(args, context)
    environment = opened.assembly.environment
    try:
        past = past_of(opened, limit=1_000)
        found_by = (past.records, environment)
        record = meant(args.to, *found_by, damaged=len(past.damaged)) if args.to else before_last(*found_by)
        digest = record.assembly_digest
        try:
            found = fetch(artifacts(opened), opened.assembly.artifact_bucket, digest)
        except (NotFound, documents.Unreadable) as error:
            raise RollbackError(
                f"the assembly {digest[:12]} is not in the bucket {opened.assembly.artifact_bucket} whole: {error}",
                commands.deploy("history", environment),
            ) from error
        restore(found, digest, args.dist / environment, environment)
    except RollbackError as error:
        raise CommandError(str(error), command=error.command, status=USAGE) from error
    context.say(f"{args.dist / environment} holds the assembly {digest[:12]} again, applied {record.started_at} by {record.by}")
    context.say("hint: to come back to the checkout, build again")
    context.say_next(commands.build(environment))
    assembly, templates = read_assembly(args)
    again = Opened(assembly=assembly, templates=templates, gateways=opened.gateways, caller=opened.caller)
    plan = plan_and_save(again, Options(local=args.local), args.dist, context, rolling_back=True)
    show(plan, args, context)
    return status_of(plan)
