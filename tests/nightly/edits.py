"""Random edits of an environment file, applied to a local AWS on which somebody else changes things by hand between plan and apply.

Of each: it goes through, or is refused before it begins; what CloudFormation worked on is what was reviewed, nothing else; the review names
every stack that stands; the plan after it is empty.

In: how many edits, a seed. Out: a line for each that is not so, a count of all; exit status 1 if there is one.
Never: needs an account. `make edits SEEDS=300`.

    python -m tests.nightly.edits --edits 300 --seed 1
    python -m tests.nightly.edits --edits 20 --hand add_an_instance
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from local_aws.server import LocalAws
from planning.model import Plan
from planning.saved import load, path_of
from session.context import PENDING, USAGE
from tests import edits
from tests.functional.edited import Edited
from tests.nightly import by_hand, truth

PER_ENVIRONMENT = 20
"""Edits after which a new environment begins."""


def main(arguments: list[str]) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--edits", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=int, default=0, metavar="N", help=f"the first edit's number, a multiple of {PER_ENVIRONMENT}")
    parser.add_argument("--key", action="append", default=[], help="only edits of this key, e.g. basic_auth.enabled")
    parser.add_argument("--hand", default="", choices=("", *by_hand.CHANGES), help="always this change by hand (default: any, or none)")
    args = parser.parse_args(arguments)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as directory:
        server = LocalAws.start(Path(directory) / ".local-aws", bound_to=os.getpid(), persist=False)
        try:
            site, dice = None, random.Random()
            for number in range(args.start, args.start + args.edits):
                if site is None or number % PER_ENVIRONMENT == 0:
                    # Of its own, so that a failure comes again without the edits of the environments before it (--start).
                    dice = random.Random(f"{args.seed} {number}")
                    site = fresh(Path(directory), args.seed, number)
                words, values = edits.random_edit(site.values, site.account, dice, only=args.key)
                began = time.monotonic()
                outcome, told = one(site, values, partial(by_hand.random_change, site, dice=dice, only=args.hand))
                counts[outcome] += 1
                if outcome == "FAILED":
                    site = None
                if outcome in ("FAILED", "failed at AWS", "refused by plan", "refused by apply"):
                    print(f"#{number} {words}: {outcome}\n{told}\n", flush=True)
                else:
                    print(f"#{number} {words}: {outcome} ({time.monotonic() - began:.1f} s)", file=sys.stderr, flush=True)
        finally:
            server.stop()
    print(", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())))
    return 1 if counts["FAILED"] else 0


def fresh(directory: Path, seed: int, number: int) -> Edited:
    """An environment as it is first deployed, in an account of its own."""
    site = Edited(directory, f"{600_000_000_000 + seed * 100_000 + number}")
    site.apply()
    return site


def nothing(_: Plan) -> str:
    """Nobody changes anything by hand."""
    return ""


def one(site: Edited, values: edits.Values, hand: Callable[[Plan], str] = nothing) -> tuple[str, str]:
    """What became of an edit. A refused one is taken back, as a person would."""
    before = site.values
    refused = site.write(values)
    if refused:
        return "refused by build", refused
    planned, review = site.deploy("plan")
    if planned == 0:
        return "no changes", review
    if planned != PENDING and opened(site, review):
        planned, review = site.deploy("plan")
    if planned != PENDING and "--replace-records" in review:
        # Those of a stack that somebody has deleted by hand; else every edit after it would be refused.
        planned, review = site.deploy("plan", "--replace-records")
    if planned != PENDING:
        site.write(before)
        return ("refused by plan" if "next: " in review or "hint: " in review else "FAILED"), review
    missing = truth.unlisted(site, saved(site), review)
    if missing:
        return "FAILED", "\n".join((*missing, review))
    done = hand(saved(site))
    outcome, told = applied(site, review)
    if outcome == "refused by apply" and done:
        # Whoever changed it by hand, plans again; that goes through, or is refused with the way out.
        planned, review = site.deploy("plan")
        if planned == PENDING:
            outcome, told = applied(site, review)
        elif planned != 0:
            outcome = "refused by plan"
            site.write(before)
    if outcome not in ("applied", "no changes"):
        return (outcome if done and outcome != "FAILED" else "FAILED"), f"by hand: {done or 'nothing'}\n{review}\n{told}"
    again, left = site.deploy("plan")
    if again == PENDING and done:
        # What was changed by hand in a stack that the first plan left alone, the next plan shows and takes back.
        outcome, told = applied(site, left)
        if outcome != "applied":
            return "FAILED", f"by hand: {done}\n{left}\n{told}"
        again, left = site.deploy("plan")
    if again != 0:
        return "FAILED", f"by hand: {done or 'nothing'}\nafter the apply there is something left to do:\n{left}\n{told}"
    return f"{outcome}{' beside a change by hand' if done else ''}", told


def opened(site: Edited, review: str) -> bool:
    """As the review says, a stack policy that somebody has put there is opened; False where none is in the way."""
    found = re.findall(r"set-stack-policy --stack-name (\S+) --region (\S+) --stack-policy-body '([^']+)'", review)
    for name, region, body in dict.fromkeys(found):
        site.client("cloudformation", region).set_stack_policy(StackName=name, StackPolicyBody=body)
    return bool(found)


def applied(site: Edited, review: str) -> tuple[str, str]:
    """What became of the saved plan, by the events of CloudFormation."""
    plan = saved(site)
    watch = truth.Watch(site).begin()
    code, told = site.deploy("apply", *site.approval())
    touched = watch.touched()
    wrong = truth.not_as_reviewed(plan, touched, complete=code == 0)
    if wrong:
        return "FAILED", "\n".join(("not as reviewed:", *wrong, review, told))
    if code in (USAGE, PENDING):
        return ("FAILED", f"refused, and something was done: {touched}\n{told}") if touched else ("refused by apply", told)
    if code != 0 and "it is not what was approved any more" in told:
        return "refused by apply", told
    return ("applied" if code == 0 else "failed at AWS"), told


def saved(site: Edited) -> Plan:
    """The plan that apply will take."""
    found = load(path_of(site.dist, edits.NAME), edits.NAME)
    assert found is not None
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
