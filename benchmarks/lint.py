"""python benchmarks/lint.py [DIST_DIR]: what the lint gate costs beside plain cfn-lint of the same templates.

In: a built assembly (default dist/dev). Out: medians and ratios on stdout, every pair measured in turns in one run.
Never: a limit of its own; the numbers to keep are in docs/performance.md.

Every measurement is a process of its own, start-up included, as in a build:
  plain   cfn-lint as a library: one Runner, every template by `run_template_by_data`, garbage collector as it is
  gate    `lint.gate.lint` with an empty cache: cfn-lint and our rules
  hit     the same with a full cache
  pass    python -c pass
`--against ROOT` measures instead this gate beside that of another checkout, in turns: their ratio is what a change of the rules costs.
`--pool` measures instead where a second process pays: the same templates, made different, one worker and two.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 7

READ = """
import json, sys
sys.path.insert(0, {root!r})
jobs = json.loads(open(sys.argv[1]).read())
"""
PLAIN = """
from cfnlint.config import ConfigMixIn
from cfnlint.runner import Runner, run_template_by_data
rules = Runner(ConfigMixIn([], regions=["us-east-1"])).rules
for _, text, regions in jobs:
    config = ConfigMixIn([], regions=regions, include_checks=["I"])
    list(run_template_by_data(json.loads(text), config, rules))
"""
GATE = """
from pathlib import Path
from lint.gate import Job, lint
from lint.verdicts import today
all = [Job(stack_id=k, template=t.encode(), regions=tuple(r)) for k, t, r in jobs]
lint(all, cache=Path(sys.argv[2]), workers=int(sys.argv[3]), day=today())
"""


def jobs_of(directory: Path) -> list[tuple[str, str, list[str]]]:
    """Name, text and regions of every template of an assembly."""
    sys.path.insert(0, str(ROOT))
    from assembly.files import read

    assembly, templates = read(directory)
    return [
        (stack.id, templates[stack.id].decode(), list(stack.stackset.targets.regions) if stack.stackset else [stack.region])
        for stack in assembly.stacks
    ]


def seconds(code: str, *arguments: str, root: Path = ROOT) -> float:
    """Wall time of one process."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, cwd=root, env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""})
    return time.perf_counter() - begin


def compare(jobs: list[tuple[str, str, list[str]]]) -> None:
    """Print the gate beside its floors."""
    read = READ.format(root=str(ROOT))
    times: dict[str, list[float]] = {"pass": [], "plain": [], "gate": [], "hit": []}
    with tempfile.TemporaryDirectory() as scratch:
        listing = Path(scratch) / "jobs.json"
        listing.write_text(json.dumps(jobs))
        for number in range(ROUNDS + 1):
            cache = str(Path(scratch) / f"cache{number}")
            measured = {
                "pass": seconds("pass"),
                "plain": seconds(read + PLAIN, str(listing)),
                "gate": seconds(read + GATE, str(listing), cache, "2"),
                "hit": seconds(read + GATE, str(listing), cache, "2"),
            }
            if number:  # the first round warms the disk and the bytecode
                for name, value in measured.items():
                    times[name].append(value)
    median = {name: statistics.median(values) for name, values in times.items()}
    ratio = statistics.median(gate / plain for gate, plain in zip(times["gate"], times["plain"], strict=True))
    print(f"{len(jobs)} templates, median of {ROUNDS}:", ", ".join(f"{name} {value:.3f} s" for name, value in median.items()))
    print(f"gate / plain cfn-lint      {ratio:.2f}   (paired)")
    print(f"hit / python -c pass       {median['hit'] / median['pass']:.1f}")
    print(f"hit / plain cfn-lint       {median['hit'] / median['plain']:.3f}")


def against(jobs: list[tuple[str, str, list[str]]], other: Path) -> None:
    """Print this gate over that of another checkout, both without a cached verdict, by processor time of the children."""
    ratios = []
    with tempfile.TemporaryDirectory() as scratch:
        listing = Path(scratch) / "jobs.json"
        listing.write_text(json.dumps(jobs))
        for number in range(ROUNDS + 1):
            used = []
            for name, root in (("old", other), ("new", ROOT)):
                before = os.times()
                seconds(READ.format(root=str(root)) + GATE, str(listing), str(Path(scratch) / f"{name}{number}"), "1", root=root)
                after = os.times()
                used.append(after.children_user + after.children_system - before.children_user - before.children_system)
            if number:
                ratios.append(used[1] / used[0])
    spread = f"{min(ratios):.3f} to {max(ratios):.3f}"
    print(f"{len(jobs)} templates, {ROUNDS} rounds: this gate / the other {statistics.median(ratios):.3f} ({spread})")


def pool(jobs: list[tuple[str, str, list[str]]]) -> None:
    """Print two workers over one, by number of templates; the pool's threshold is lifted for it."""
    read = READ.format(root=str(ROOT)) + "import lint.gate\nlint.gate.POOL_THRESHOLD = 2\n"
    for count in (4, 8, 12, 16, 24, 32, 64):
        many = []
        for number in range(count):
            name, text, regions = jobs[number % len(jobs)]
            many.append((f"{name}{number}", json.dumps({**json.loads(text), "Description": f"{number}"}), regions))
        ratios = []
        with tempfile.TemporaryDirectory() as scratch:
            listing = Path(scratch) / "jobs.json"
            listing.write_text(json.dumps(many))
            for number in range(3):
                one, two = (seconds(read + GATE, str(listing), str(Path(scratch) / f"{number}{w}"), w) for w in ("1", "2"))
                ratios.append(two / one)
        print(f"{count:3} templates: two workers / one {statistics.median(ratios):.2f}", flush=True)


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    compared = Path(arguments.pop()) if "--against" in sys.argv else None
    templates = jobs_of(Path(arguments[0]) if arguments else ROOT / "dist" / "dev")
    if compared:
        against(templates, compared.resolve())
    else:
        (pool if "--pool" in sys.argv else compare)(templates)
