"""Copy to the replica what it lacks and replication will not bring.

In: both buckets. Out: how much was copied. Never: removes anything, copies what S3 is about to bring, or writes over
what was published to the replica while it took releases.
Exit status: 0 both have the same objects, 1 something could not be copied, or nothing is replicated into that bucket.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from guards.text import as_lines
from session.context import FAILED, OK, Context

if TYPE_CHECKING:
    from recovery.origins import Origins
    from session.opened import Opened

EXAMPLES = """\
  python deploy.py dr backfill --env prod     what was there before replication was switched on, or failed
"""
DATA = ("docs.verb_answers:Backfilled",)


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(args: argparse.Namespace, context: Context, opened: Opened, origins: Origins) -> int:
    """Compare, copy, tell."""
    from session.backfill import fill, refuse_broken
    from session.shared import locked
    from website.run import count, size

    with locked(opened, context, "dr") as check:
        refuse_broken(opened, origins)
        found = fill(context, opened, origins, check=check)
    told = [f"{args.env}: copied {count(found.objects, 'object')} ({size(found.size)}) to {origins.replica.bucket}"]
    told += [f"still to come: {key}" for key in found.left]
    data = {"environment": args.env, "objects": found.objects, "bytes": found.size, "left": found.left}
    context.answers(data, as_lines(told), machine=args.json)
    for key in found.left:
        context.problem("not_replicated", f"{key}: not the same in the replica yet")
    return FAILED if found.left else OK
