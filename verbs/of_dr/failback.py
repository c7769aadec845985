"""Have releases go home again, with what was published in the standby region meanwhile.

In: a plan that was shown and agreed to. Out: the register says `home`; both buckets have the same objects.
Never: deletes an object, or says `home` before every object was compared.
Exit status: 0 back, 1 a step failed (the same command goes on), 2 usage or not approved, 3 with --dry-run.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from session.context import Context

if TYPE_CHECKING:
    from recovery.origins import Origins
    from session.opened import Opened

EXAMPLES = """\
  python deploy.py dr failback --env prod --dry-run   what goes home, and the digest that people approve
  python deploy.py dr failback --env prod             shows the same, and asks
"""
DATA = ("docs.verb_answers:Moved",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(args: argparse.Namespace, context: Context, opened: Opened, _: Origins) -> int:
    """Plan, ask, go back."""
    from session.moving import failed_back

    return failed_back(args, context, opened)
