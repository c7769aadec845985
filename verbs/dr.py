"""Disaster recovery: is the replica whole, and does it serve the site?

In: the assembly of an environment with disaster recovery, AWS. Out: what each sub-verb (`verbs/of_dr/`) shows, or JSON.
Never: changes anything that was not shown and agreed to.

Exit status: 0 done, or both origins are the same, 1 they differ or a step failed, 2 usage, 3 something waits for an approval.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from types import ModuleType

from session.context import USAGE, CommandError, Context
from session.opened import add_common_arguments, open_environment

ACTIONS = tuple(sorted(file.stem for file in (Path(__file__).parent / "of_dr").glob("[a-z]*.py")))


def _module(action: str) -> ModuleType:
    return importlib.import_module(f"verbs.of_dr.{action}")


EXAMPLES = "".join(_module(action).EXAMPLES for action in ACTIONS)
DATA = tuple(dict.fromkeys(name for action in ACTIONS for name in _module(action).DATA))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do; the common arguments; those of the sub-verbs."""
    parser.add_argument("action", choices=ACTIONS, metavar="|".join(ACTIONS), help="; ".join(f"{a}: {_says(a)}" for a in ACTIONS))
    add_common_arguments(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask (unprotected environments only)")
    parser.add_argument(
        "--approve",
        metavar="DIGEST|ENV",
        help="approval without being asked: at least 12 digits of the plan's digest, or the environment's name",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    for action in ACTIONS:
        _module(action).add_arguments(parser)


def _says(action: str) -> str:
    first = (_module(action).__doc__ or "").partition("\n")[0]
    return (first[:1].lower() + first[1:]).rstrip(".")


def run(args: argparse.Namespace, context: Context) -> int:
    """Open the environment, and hand over to the sub-verb."""
    from recovery.origins import origins_of

    opened = open_environment(args, context)
    origins = origins_of(opened.assembly, opened.templates)
    if origins is None:
        raise CommandError(
            f"{args.env} has no disaster recovery: environments/{args.env}.yaml has no disaster_recovery",
            command="docs/guides/disaster-recovery.md says what to write there",
            status=USAGE,
        )
    return int(_module(args.action).run(args, context, opened, origins))
