"""Have releases go to the replica, while the home region is lost for long.

In: a plan that was shown and agreed to. Out: the register in the standby region says `standby`.
Never: runs while the home region answers, unless --planned says that it is meant.
Exit status: 0 promoted, 1 a step failed (the same command goes on), 2 usage or not approved, 3 with --dry-run.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from session.context import Context

if TYPE_CHECKING:
    from recovery.origins import Origins
    from session.opened import Opened

EXAMPLES = """\
  python deploy.py dr promote --env prod --dry-run    who takes releases then, what is changed, and the digest that people approve
  python deploy.py dr promote --env prod              shows the same, and asks
"""
DATA = ("docs.verb_answers:Moved",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--planned."""
    parser.add_argument("--planned", action="store_true", help="promote: although the home region answers, which is handed over in order")


def run(args: argparse.Namespace, context: Context, opened: Opened, _: Origins) -> int:
    """Plan, ask, promote."""
    from session.moving import promoted

    return promoted(args, context, opened)
