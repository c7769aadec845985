"""List what was applied, when and by whom.

In: the records in the artifact bucket. Out: the latest applies on stdout, newest first.
Never: changes anything.

Exit status: 0 listed (an empty list too), 1 failed, 2 usage.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rollout.cli import OK, Context
from rollout.session import add_common_arguments, open_environment
from untrusted.text import as_lines

if TYPE_CHECKING:
    from rollout.history import Record

EXAMPLES = """\
  python deploy.py history --env prod              the last twenty applies
  python deploy.py history --env prod --limit 100
  python deploy.py history --env prod --json       with every stack's result
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="so many applies at the most (default: 20)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Read and show."""
    from rollout.verbs._shared import as_json, records_of, spoken

    opened = open_environment(args, context)
    past = records_of(opened, limit=max(1, args.limit))
    context.result(as_json(past) if args.json else spoken(as_lines(lines(past, opened.assembly.environment)), args))
    return OK


def lines(past: Iterable[Record], environment: str) -> tuple[str, ...]:
    """A table, and what to type to go back."""
    from rollout.status import columns

    found = tuple(past)
    if not found:
        return (f"nothing was applied to {environment} yet",)
    rows = [("applied", "assembly", "commit", "took", "result", "by")]
    rows += [
        (r.started_at, r.assembly_digest[:12], r.git_commit[:12] or "-", f"{r.seconds:.0f} s", r.result, f"{r.by} on {r.host}")
        for r in found
    ]
    return (*columns(rows), "", f"to go back: python deploy.py rollback --env {environment} --to ASSEMBLY")
