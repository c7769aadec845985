"""Estimate what an environment costs a month, position by position.

In: the assembly in dist/ENV, with --compare another one, how much the site is used. Out: positions with their assumptions on stdout.
Never: asks AWS or its bills; list prices of prices/table.py, without taxes, discounts and free tiers.

Exit status: 0 estimated, 2 usage.
"""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from guards.text import as_lines
from session.context import OK, USAGE, CommandError, Context
from session.opened import add_common_arguments, read_assembly

if TYPE_CHECKING:
    from prices.estimate import Estimate, Usage

EXAMPLES = """\
  python deploy.py cost --env prod                                 a month with a million requests and 50 GB
  python deploy.py cost --env prod --requests 5M --gb 200          with your own figures
  python deploy.py cost --env prod --compare sit                   what makes the difference to sit
  python deploy.py cost --env prod --json                          every position with its price's source
"""
DATA = ("docs.verb_answers:Compared",)

_FACTORS = {"": 1, "K": 1_000, "M": 1_000_000, "G": 1_000_000_000}
MOST = 10**15
"""More requests a month than that are a slip."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    parser.add_argument("--requests", default="1M", metavar="N", help="HTTPS requests a month, e.g. 500K or 5M (default: 1M)")
    parser.add_argument("--gb", default="50", metavar="N", help="GB sent to visitors a month (default: 50)")
    parser.add_argument("--compare", metavar="ENV", help="another environment, as built, at the same use")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Read, estimate, show."""
    from prices.estimate import Usage
    from review import cost_view

    usage = Usage(requests=int(_number(args.requests, "--requests")), gigabytes=_number(args.gb, "--gb"))
    today = context.now().date()
    found = _estimate(args, usage)
    other = None
    if args.compare is not None:
        other = (args.compare, _estimate(argparse.Namespace(**{**vars(args), "env": args.compare}), usage))
    if args.json:
        compared = {} if other is None else {"compared": cost_view.data(*other, today=today)}
        context.data({**cost_view.data(args.env, found, today=today), **compared})
    else:
        context.result(as_lines(cost_view.lines(args.env, found, today=today, other=other)))
        if read_assembly(args)[0].hosted_zone is not None:
            context.say("the hosted zone is not counted (0.50 USD a month): no stack makes it, and others may share it")
    return OK


def _number(text: str, option: str) -> float:
    """ "5M" is five million. Raises `CommandError`."""
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)([KMG]?)", text.strip().upper())
    value = float(match[1]) * _FACTORS[match[2]] if match else -1.0
    if not 0 <= value <= MOST:
        raise CommandError(f"{option} {text!r}: a number, with K, M or G behind it if you like, e.g. 5M", status=USAGE)
    return value


def _estimate(args: argparse.Namespace, usage: Usage) -> Estimate:
    from guards import documents
    from prices.estimate import estimate

    assembly, templates = read_assembly(args)
    stacks = {stack.id: documents.loads(templates[stack.id]).get("Resources", {}) for stack in assembly.stacks}
    secret = assembly.basic_auth_secret
    return estimate(stacks, usage, secrets=() if secret is None else (secret.secret,))
