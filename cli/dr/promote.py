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
DATA = ("cli.answers:Moved",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--planned."""
    parser.add_argument("--planned", action="store_true", help="promote: although the home region answers, which is handed over in order")


def run(args: argparse.Namespace, context: Context, opened: Opened, origins: Origins) -> int:
    """Plan, ask, promote."""
    from cli.dr._moving import moved
    from promotion.plan import digest_of
    from promotion.steps import promote
    from session.promoting import promote_plan
    from session.target import register

    del origins
    plan = promote_plan(opened, args)
    entry = register(opened).read()
    digest = entry.target.plan if entry.target.phase == "promoting" else digest_of(plan)
    return moved(
        args,
        context,
        opened,
        (plan, digest),
        lambda world: promote(world, plan=digest, distribution=plan.distribution, planned=args.planned),
    )
