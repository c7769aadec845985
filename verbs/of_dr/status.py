"""Compare both origins, and tell whether CloudFront would turn to the replica.

In: both buckets, the distribution, alarms, the reports of rehearsals. Out: a table, or JSON. Never: changes anything.
Exit status: 0 the replica would serve the same site, and CloudFront would turn to it; 1 not, or it could not be told.
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
  python deploy.py dr status --env prod       are both origins the same, and when was it last rehearsed
"""
DATA = ("recovery.status:RecoveryStatus",)


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(args: argparse.Namespace, context: Context, opened: Opened, origins: Origins) -> int:
    """Read and show."""
    from recovery.status import status_lines
    from session.readiness import read
    from session.target import impatient, target_line

    context.say(target_line(opened, args))
    found = read(impatient(opened), origins, context)
    context.answers(found, as_lines(status_lines(found)), machine=args.json)
    for problem in found.problems:
        context.problem("not_ready", problem)
    return OK if found.ready else FAILED
