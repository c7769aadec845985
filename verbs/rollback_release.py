"""Make an earlier release of the content live again: no build, no upload (stacks: rollback).

In: a release's number or digest. Out: the live site; the new release on stdout. Never: brings back half a release.

Exit status: 0 live, 1 failed or somebody else was first, 2 usage, 130 interrupted.
"""

from __future__ import annotations

import argparse

from assembly import commands
from session.approval import refuse_unapproved
from session.context import OK, CommandError, Context
from session.opened import add_common_arguments, open_environment
from session.site import add_change_arguments, confirm, progress, run_of, show_outcome, site_of
from session.target import aimed, mirrored

EXAMPLES = """\
  python deploy.py rollback-release --env dev                 the release before the live one
  python deploy.py rollback-release --env dev --to 12         by its number
  python deploy.py rollback-release --env prod --to 3f9c01d2ab44 --approve prod    by its digest, in a protected environment
"""
DATA = ("docs.verb_answers:Publication",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    parser.add_argument("--to", metavar="RELEASE", help="number or digest (default: what was live before)")
    add_change_arguments(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Find, ask, restore."""
    from website import releases
    from website.rollback import rollback

    opened = aimed(open_environment(args, context), args, context)
    site = site_of(opened)
    state, _ = site.store.state()
    target = releases.find(state, args.to) if args.to else releases.before_live(state)
    if target.pruned_at:
        raise CommandError(
            f"the files of release {target.number} were pruned on {target.pruned_at}", command=commands.deploy("releases", args.env)
        )
    live = state.live
    question = f"Bring back release {target.number} ({target.content[:12]}, {target.at}) in place of release {live.number if live else 0}?"
    if live is None or live.manifest != target.manifest:
        confirm(question, target.content, args, context, protected=opened.assembly.protected)
        refuse_unapproved(opened, target.content, f"release {target.number}", context)
    with mirrored(opened, context), progress(context) as report:
        run_ = run_of(args, context, opened, report)
        outcome = rollback(site, target, run_, digest=args.to or "", chosen=bool(args.to))
    show_outcome(outcome, args, context)
    return OK
