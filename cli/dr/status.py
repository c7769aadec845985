"""Compare both origins, and tell whether CloudFront would turn to the replica.

In: both buckets, the distribution, the reports of rehearsals. Out: a table, or JSON. Never: changes anything.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from session.context import OK, Context

if TYPE_CHECKING:
    from recovery.origins import Origins
    from session.opened import Opened

EXAMPLES = """\
  python deploy.py dr status --env prod       are both origins the same, and when was it last rehearsed
"""
DATA: tuple[str, ...] = ("cli.answers:Outputs",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(args: argparse.Namespace, context: Context, opened: Opened, origins: Origins) -> int:
    """Read and show."""
    return OK
