"""Remove files that no release needs any more.

In: the environment's grace period and number of releases to keep. Out: what was removed, on stdout.
Never: removes a file of the live release, of a kept one, or one that no release of ours has put there.

Exit status: 0 pruned or nothing to prune, 3 with --dry-run if something would be removed, 1 failed, 2 usage.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from assembly import commands
from assembly.commands import DIGEST_DIGITS
from assembly.files import document_digest
from guards.text import as_lines
from session.approval import refuse_unapproved
from session.context import OK, PENDING, Context
from session.opened import add_common_arguments, open_environment
from session.site import add_change_arguments, confirm, progress, run_of, site_of
from session.target import mirrored, refuse_unless_home

if TYPE_CHECKING:
    from website.retention import Pruned

EXAMPLES = """\
  python deploy.py prune --env dev --dry-run    what would go
  python deploy.py prune --env dev
"""
DATA = ("docs.verb_answers:Prune",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would be removed, and remove nothing")
    add_change_arguments(parser, digest=False)


def run(args: argparse.Namespace, context: Context) -> int:
    """Look, ask, remove."""
    from website.prune import prune
    from website.retention import prune_plan
    from website.run import count, size
    from website.snapshot import read_snapshot, with_every_manifest

    opened = open_environment(args, context)
    refuse_unless_home(opened, args, "nothing is removed")
    site = site_of(opened)
    snapshot = with_every_manifest(site, read_snapshot(site))
    found = prune_plan(site, snapshot, now=context.now())
    summary = (
        f"{count(len(found.keys), 'file')} ({size(found.size)}) of {count(len(found.releases), 'release')} that nothing needs any more"
    )
    digest = document_digest([args.env, _data(found, removed=False)])
    if args.dry_run or not (found.keys or found.releases):
        wanted = [f"to approve: prune {digest}"] if opened.assembly.approvals and found.keys else []
        told = as_lines([*(f"  - {key}" for key in found.keys), f"prune: {summary}", *wanted])
        context.answers(_data(found, removed=False), told, machine=args.json)
        return PENDING if args.dry_run and found.keys else OK
    confirm(f"Remove {summary}?", "", args, context, protected=opened.assembly.protected)
    refuse_unapproved(opened, digest, f"prune {digest[:DIGEST_DIGITS]}", context)
    with mirrored(opened, context), progress(context) as report:
        prune(site, snapshot, found, run_of(args, context, opened, report))
    context.answers(_data(found, removed=True), f"{args.env}: removed {summary}", machine=args.json)
    context.say_next(commands.deploy("releases", args.env))
    return OK


def _data(found: Pruned, *, removed: bool) -> dict[str, Any]:
    return {"removed": removed, "keys": found.keys, "bytes": found.size, "releases": found.releases}
