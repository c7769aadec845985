"""List what was applied, when and by whom.

In: the records in the artifact bucket. Out: the latest applies on stdout, newest first.
Never: changes anything, or takes a record that cannot be read for none: it is named on stderr, and the others are listed.

Exit status: 0 listed (an empty list too), 1 failed or a record cannot be read, 2 usage.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING

from assembly import commands
from guards.checkout import short
from guards.text import as_lines
from session.context import FAILED, OK, Context
from session.opened import add_common_arguments, open_environment
from session.readiness import rehearsed

if TYPE_CHECKING:
    from rollout.history import Record

EXAMPLES = """\
  python deploy.py history --env prod              the last twenty applies
  python deploy.py history --env prod --limit 100
  python deploy.py history --env prod --json       with every stack's result
"""
DATA = ("docs.verb_answers:History",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="so many applies at the most (default: 20)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Read and show."""
    from session.shared import damage, past_of

    opened = open_environment(args, context, looks=True)
    past = past_of(opened, limit=max(1, args.limit))
    told = as_lines((*rehearsed(opened, limit=args.limit), *lines(past.records, opened.assembly.environment, damaged=len(past.damaged))))
    context.answers(past.records, told, machine=args.json)
    for line in damage(past, opened.assembly.artifact_bucket):
        context.say(line)
        context.problem("damaged_record", line)
    return FAILED if past.damaged else OK


def lines(past: Iterable[Record], environment: str, *, damaged: int = 0) -> tuple[str, ...]:
    """A table, and what to type to go back."""
    from guards.text import columns
    from operations.rollback import RollbackError, before_last

    found = tuple(past)
    if not found and damaged:
        return (f"no record of {environment} can be read",)
    if not found:
        return (f"nothing was applied to {environment} yet",)
    rows = [("applied", "assembly", "commit", "took", "result", "by")]
    rows += [
        (r.started_at, r.assembly_digest[:12], short(r.git_commit) or "-", f"{r.seconds:.0f} s", r.result, f"{r.by} on {r.host}")
        for r in found
    ]
    try:
        earlier = before_last(found, environment)
    except RollbackError:
        return tuple(columns(rows))
    to = earlier.assembly_digest[:12]
    return (*columns(rows), "", f"hint: to go back to {to}", *commands.told(commands.deploy("rollback", environment, "--to", to)))
