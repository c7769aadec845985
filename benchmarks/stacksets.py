"""python benchmarks/stacksets.py: what planning and following a StackSet of 1,000 accounts times 20 regions costs.

In: nothing; the set is one in memory (tests/simulated_sets.py), so what AWS itself takes is left out. Out: seconds, peak memory and ratios
on stdout; exit status 1 if planning takes 60 s or 500 MB, or following costs more than linear.
Never: a network; every measurement is a process of its own, start-up included.

  floor    reading the instances page by page, and nothing else
  plan     planning, rendering the review as text, saving the plan
  follow   applying an update at 20 instances a second of a clock that takes no time: processor time, calls, events
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
REGIONS = 20
SECONDS, MEGABYTES = 60.0, 500.0


def world(accounts: int) -> tuple[Any, Any, Any]:
    """Gateways with a deployed set, and its assembly before and after a change."""
    import msgspec

    from tests.simulated import ACCOUNT
    from tests.unit.planning.test_stacksets import LOGS, World

    regions = tuple(f"xx-north-{n}" for n in range(REGIONS))
    made = World(
        accounts=(ACCOUNT, *(f"{n:012d}" for n in range(accounts - 1))),
        regions=regions,
        template=msgspec.json.decode(msgspec.json.encode(LOGS)),
    )
    made.gateways.targets.regions = regions
    wheres = [(account, region) for region in regions for account in made.accounts]
    body = made.assembly()[1]["logs"].decode()
    settings = {"Description": "logs", "AdministrationRoleARN": f"arn:aws:iam::{ACCOUNT}:role/admin", "ExecutionRoleName": "execution"}
    made.live.put(body, wheres, parameters={"Days": "14"}, **settings)
    return made, body, wheres


def floor(accounts: int) -> dict[str, float]:
    """Only the pages."""
    made, _, _ = world(accounts)
    gateway = made.gateways.cloudformation("123456789012", "us-east-1")
    started = time.perf_counter()
    count = len(gateway.list_stack_instances("demo-test-logs"))
    return {"instances": count, "seconds": time.perf_counter() - started}


def plan(accounts: int, *, first: bool) -> dict[str, float]:
    """The whole of `deploy.py plan` but for AWS."""
    made, _, _ = world(accounts)
    if first:
        made.live.description = None
        made.live.instances.clear()
    else:
        made.days = "30"
    from planning.saved import save
    from review import terminal

    started = time.perf_counter()
    planned = made.plan()
    at_plan = time.perf_counter() - started
    text = terminal.render(planned, width=120, colour=False)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "plan.json"
        save(path, planned)
        size = path.stat().st_size
    found = [i.action for s in planned.stacks for i in s.instances]
    assert found.count("create" if first else "update") == accounts * REGIONS, [f.message for f in planned.all_findings]
    return {
        "instances": len(found),
        "plan": at_plan,
        "seconds": time.perf_counter() - started,
        "review_lines": text.count("\n"),
        "plan_bytes": size,
    }


def follow(accounts: int) -> dict[str, float]:
    """An update, from the approved plan to the outcome."""
    made, _, _ = world(accounts)
    made.days = "30"
    made.live.per_second = 20.0
    planned = made.plan()
    made.live.calls.clear()
    clock, processor = made.live.now, time.process_time()
    outcome = made.run(planned)
    assert outcome.result == "succeeded", outcome
    counts = made.live.counted()
    return {
        "instances": accounts * REGIONS,
        "seconds": time.process_time() - processor,
        "simulated_seconds": made.live.now - clock,
        "looks": counts["describe_stack_set_operation"],
        "pages": counts["list_stack_set_operation_results"],
        "events": len(made.events),
    }


JOBS = {
    "floor": floor,
    "plan-first": lambda accounts: plan(accounts, first=True),
    "plan-update": lambda accounts: plan(accounts, first=False),
    "follow": follow,
}


def measured(job: str, accounts: int) -> dict[str, float]:
    """In a process of its own."""
    command = [sys.executable, __file__, job, str(accounts)]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout)
    return {**found, "process": time.perf_counter() - started}


def main() -> int:
    """Measure and print."""
    base = measured("floor", 1_000)
    print(f"floor: {base['instances']:,} instances read in {base['seconds']:.2f} s")
    bad = []
    for job in ("plan-first", "plan-update"):
        found = measured(job, 1_000)
        print(
            f"{job}: {found['instances']:,} instances: plan {found['plan']:.2f} s, with review and file {found['seconds']:.2f} s"
            f" ({found['seconds'] / base['seconds']:.1f}x the floor), process {found['process']:.1f} s, peak {found['megabytes']:.0f} MB,"
            f" review {found['review_lines']:.0f} lines, file {found['plan_bytes'] / 1e6:.1f} MB"
        )
        bad += [job] if found["process"] > SECONDS or found["megabytes"] > MEGABYTES else []
    costs = []
    for accounts in (250, 500, 1_000):
        found = measured("follow", accounts)
        costs.append(found["seconds"] / found["instances"])
        took = found["simulated_seconds"]
        print(
            f"follow: {found['instances']:,} instances in {took:,.0f} simulated s: {found['seconds']:.2f} s of processor,"
            f" {1e6 * costs[-1]:.0f} us an instance, {found['looks']:,} looks, {found['pages']:,} pages, {found['pages'] / took:.2f} pages"
            f" a second, {found['events']:,} events, peak {found['megabytes']:.0f} MB"
        )
    print(f"follow: four times the instances cost {costs[-1] / costs[0]:.2f}x an instance (quadratic would be 4x)")
    bad += ["follow"] if costs[-1] > 2 * costs[0] else []
    if bad:
        print(f"over the limit: {', '.join(bad)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    if len(sys.argv) == 3:
        answer = JOBS[sys.argv[1]](int(sys.argv[2]))
        json.dump({**answer, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}, sys.stdout)
    else:
        sys.exit(main())
