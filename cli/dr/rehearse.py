"""Close the primary origin to CloudFront for some minutes, verify the site on the replica, and open it again.

In: a plan that was shown and agreed to. Out: a report, kept in the artifact bucket.
Never: leaves the origin closed: whatever ends it, the next run of `dr`, `status` or `doctor` finds it and opens it.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from session.context import OK, Context

if TYPE_CHECKING:
    from recovery.origins import Origins
    from session.opened import Opened

EXAMPLES = """\
  python deploy.py dr rehearse --env prod     what would be closed, for how long, what visitors notice; then asks
"""
DATA: tuple[str, ...] = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(args: argparse.Namespace, context: Context, opened: Opened, origins: Origins) -> int:
    """Plan, ask, rehearse."""
    return OK
