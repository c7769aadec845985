"""`python -m tests.mutants`: a sample of faults in each room, and which of them no unit test notices."""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.golden_files import ROOT
from tests.mutants.covering import FOLDER, Cover, cover
from tests.mutants.operators import Mutant, mutants
from tests.mutants.trial import Verdict, tried, warm_up

ROOMS = (
    *("planning", "changes", "rollout", "website", "lint", "environments", "guards", "policies"),
    *("adoption", "takeover", "recovery", "promotion", "verification"),
)
EQUIVALENT = Path(__file__).with_name("equivalent.json")
TARGET = 0.9


@dataclass(frozen=True)
class Tried:
    """A fault and what became of it."""

    mutant: Mutant
    verdict: Verdict

    @property
    def noticed(self) -> bool:
        return self.verdict in ("killed", "timeout")


def sample(room: str, size: int, seed: int, equivalent: dict[str, str]) -> tuple[list[Mutant], int]:
    """At most `size` faults of a room, drawn by the seed, and how many more were drawn that change nothing that matters."""
    files = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / room).rglob("*.py"))
    every = [mutant for file in files for mutant in mutants(file, (ROOT / file).read_text(encoding="utf-8"))]
    drawn = random.Random(f"{seed} {room}").sample(every, min(size, len(every)))
    left = [mutant for mutant in drawn if mutant.key not in equivalent]
    return left, len(drawn) - len(left)


def run(chosen: list[Mutant], known: Cover, *, show: bool) -> Iterator[Tried]:
    """Each fault's end, told on stderr while it runs."""
    for mutant in chosen:
        found, count, began = Tried(mutant, "no test"), 0, time.monotonic()
        for tests in known.stages(mutant):
            found = Tried(mutant, tried(mutant, tests, known.time_for(tests), FOLDER / "last.log" if show else None))
            count += len(tests)
            if found.noticed:
                break
        seconds = time.monotonic() - began
        print(f"{found.verdict:9} {seconds:5.1f}s {count:4} tests  {mutant.line}: {mutant.key}", file=sys.stderr, flush=True)
        yield found


def main(arguments: list[str]) -> int:
    """0 if every room reaches the target."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("rooms", nargs="*", default=ROOMS, help="which (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="draws the sample (default: %(default)s)")
    parser.add_argument("--size", type=int, default=60, help="faults a room (default: %(default)s)")
    parser.add_argument("--only", default="", metavar="TEXT", help="instead of a sample, every fault whose name holds this text")
    parser.add_argument(
        "--measure", nargs="+", default=(), metavar="TESTS", help="measure first which lines these run (tests/unit: all, minutes)"
    )
    parser.add_argument("--show", action="store_true", help="keep what pytest said of the last fault in .cache/mutants/last.log")
    asked = parser.parse_args(arguments)
    equivalent: dict[str, str] = json.loads(EQUIVALENT.read_text(encoding="utf-8"))
    warm_up()
    known = cover(ROOMS, measure=asked.measure)
    rows, missed = [], []
    for room in asked.rooms:
        chosen, same = sample(room, asked.size, asked.seed, equivalent)
        if asked.only:
            chosen, same = [each for each in sample(room, sys.maxsize, 0, {})[0] if asked.only in each.key], 0
        ended = list(run(sorted(chosen, key=lambda each: (each.file, each.place)), known, show=asked.show))
        rows.append((room, len(ended), sum(each.noticed for each in ended), same))
        missed += [each for each in ended if not each.noticed]
    print(*_table(rows, asked.seed), sep="\n")
    for each in missed:
        print(f"{each.verdict}: {each.mutant.file}:{each.mutant.line} {each.mutant.key}")
    return 0 if all(noticed >= TARGET * drawn for _, drawn, noticed, _ in rows) else 1


def _table(rows: list[tuple[str, int, int, int]], seed: int) -> Iterator[str]:
    yield f"| room (seed {seed}) | faults | noticed | not noticed | score | equivalent, left out |"
    yield "| --- | --- | --- | --- | --- | --- |"
    every = ("all", sum(row[1] for row in rows), sum(row[2] for row in rows), sum(row[3] for row in rows))
    for room, drawn, noticed, same in [*rows, every] if len(rows) > 1 else rows:
        yield f"| {room} | {drawn} | {noticed} | {drawn - noticed} | {noticed / max(drawn, 1):.0%} | {same} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
