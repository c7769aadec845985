"""Random edits of an environment file, one after the other, applied to a local AWS: each goes through, or is refused before it begins.

In: how many edits, a seed. Out: one line an edit that is not possible, a count of all; exit status 1 if there is one.
Never: needs an account. `make edits SEEDS=260`.

    python -m tests.nightly.edits --edits 260 --seed 1
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from local_aws.server import LocalAws
from tests import edits
from tests.functional.edited import Edited

PER_ENVIRONMENT = 20
"""Edits after which a new environment begins."""


def main(arguments: list[str]) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--edits", type=int, default=260)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--key", action="append", default=[], help="only edits of this key, e.g. basic_auth.enabled")
    args = parser.parse_args(arguments)
    dice = random.Random(args.seed)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as directory:
        server = LocalAws.start(Path(directory) / ".local-aws", bound_to=os.getpid(), persist=False)
        try:
            site = None
            for number in range(args.edits):
                if site is None or number % PER_ENVIRONMENT == 0:
                    site = fresh(Path(directory), args.seed, number)
                words, values = edits.random_edit(site.values, site.account, dice, only=args.key)
                began = time.monotonic()
                outcome, told = one(site, values)
                counts[outcome] += 1
                if outcome == "FAILED":
                    site = None
                if outcome in ("FAILED", "refused by plan"):
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


def one(site: Edited, values: edits.Values) -> tuple[str, str]:
    """What became of an edit. A refused one is taken back, as a person would."""
    before = site.values
    refused = site.write(values)
    if refused:
        return "refused by build", refused
    planned, review = site.deploy("plan")
    if planned == 0:
        return "no changes", review
    if planned != 3:
        site.write(before)
        return ("refused by plan" if "next: " in review or "hint: " in review else "FAILED"), review
    applied, told = site.deploy("apply", *site.approval())
    if applied != 0:
        return "FAILED", f"{review}\n{told}"
    again, left = site.deploy("plan")
    if again != 0:
        return "FAILED", f"after the apply there is something left to do:\n{left}"
    return "applied", told


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
