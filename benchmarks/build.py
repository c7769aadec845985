"""Speed of build.py beside its floors: python benchmarks/build.py

Prints medians and ratios of whole processes, taken in turn in one run. `--cdk` also times `cdk synth` of an app with the same number of
resources (installs aws-cdk and aws-cdk-lib from npm below .cache/cdk at the first run).
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
CDK = ROOT / ".cache" / "cdk"
IN_PROCESS_LINT = """
import json, sys
from pathlib import Path
from cfnlint.config import ConfigMixIn
from cfnlint.runner import Runner, run_template_by_data
from tests.environments_fixture import ENVIRONMENTS
rules = Runner(ConfigMixIn([], regions=["us-east-1"])).rules
for path in sorted(Path(sys.argv[1]).glob("*.template.json")):
    list(run_template_by_data(json.loads(path.read_text()), ConfigMixIn([], regions=["us-east-1"], include_checks=["I"]), rules))
"""


def once(command: Sequence[str], prepare: Callable[[], None] = lambda: None) -> float:
    """Wall-clock seconds of one run of the command."""
    prepare()
    start = time.perf_counter()
    subprocess.run(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    return time.perf_counter() - start


def race(runs: int, *commands: tuple[Sequence[str], Callable[[], None]]) -> list[float]:
    """Median seconds of each command, taken in turn after one round of warm-up."""
    rounds = [[once(*command) for command in commands] for _ in range(runs + 1)][1:]
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


def nothing() -> None:
    """No preparation."""


def line(work: str, seconds: float, floor: str, ratio: float, target: str) -> None:
    """Print one result."""
    print(f"{work:<46} {seconds:7.3f} s   {ratio:5.2f}x {floor:<38} target {target}")


def main() -> None:
    """Run every comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--cdk", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary)
        cache = out / "cache"
        # In CI no verdict is believed.
        os.environ |= {"XDG_CACHE_HOME": str(cache), "CI": ""}
        build = [PYTHON, "build.py", "--out", str(out), "--env"]
        subprocess.run([*build, "all"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)

        warm, bare = race(arguments.runs, ([*build, "dev"], nothing), ([PYTHON, "benchmarks/bare.py"], nothing))
        line("unchanged rebuild of one environment", warm, "bare troposphere script", warm / bare, "<= 3x")
        help_, empty = race(arguments.runs, ([PYTHON, "build.py", "--help"], nothing), ([PYTHON, "-c", "pass"], nothing))
        line("--help", help_, "python -c pass", help_ / empty, "<= 5x")

        cold = ([*build, "dev"], lambda: shutil.rmtree(cache, ignore_errors=True))
        lint = ([PYTHON, "-c", IN_PROCESS_LINT, str(out / "dev")], nothing)
        first, floor = race(max(3, arguments.runs // 2), cold, lint)
        line("first build of one environment", first, "cfn-lint of its templates, in process", first / floor, "<= 1.2x")
        every = ([*build, "all"], lambda: shutil.rmtree(cache, ignore_errors=True))
        (three,) = race(max(3, arguments.runs // 2), every)
        line("first build of all three", three, "first build of one", three / first, "both cores used")

        many = out / "environments"
        hundred(many)
        hundreds = [PYTHON, "build.py", "--environments", str(many), "--out", str(out / "many"), "--env", "all"]
        cold_hundred = once(hundreds)
        (warm_hundred,) = race(3, (hundreds, nothing))
        line("100 environments, first", cold_hundred, "first build of one", cold_hundred / first, "linear")
        line("100 environments, unchanged", warm_hundred, "unchanged rebuild of one", warm_hundred / warm, "< 2 s")
        print(
            f"{'peak memory of any of them':<46} {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:7.0f} MB  target < 1,000 MB"
        )

        if arguments.cdk:
            install_cdk()
            synth = cdk_synth(out)
            for how, command in synth.items():
                warm, cdk = race(3, ([*build, "dev"], nothing), (command, nothing))
                line("unchanged rebuild of one environment", warm, f"cdk synth, {how}", warm / cdk, "<= 0.1x")


def hundred(directory: Path) -> None:
    """One hundred environments, each with names of its own."""
    directory.mkdir()
    shutil.copy(ROOT / "tests" / "environments" / "common.yaml", directory)
    text = (ROOT / "tests" / "environments" / "dev.yaml").read_text(encoding="utf-8")
    for number in range(100):
        account = f"1234567{number:05}"
        (directory / f"e{number:02}.yaml").write_text(
            text.replace("dev", f"e{number:02}").replace("111111111111", account), encoding="utf-8"
        )


def install_cdk() -> None:
    """aws-cdk and an app of the same size as dev, below .cache/cdk, as `cdk init --language typescript` lays it out."""
    CDK.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "benchmarks" / "cdk-app.ts", CDK / "app.ts")
    (CDK / "tsconfig.json").write_text('{"compilerOptions": {"target": "ES2022", "module": "commonjs", "strict": true}}')
    if not (CDK / "node_modules").is_dir():
        packages = ["aws-cdk@2.1100.1", "aws-cdk-lib@2.230.0", "constructs@10", "typescript@5.9", "ts-node@10", "@types/node@24"]
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(CDK), *packages], check=True)
    subprocess.run([str(CDK / "node_modules" / ".bin" / "tsc"), "--project", str(CDK)], cwd=CDK, check=True)


def cdk_synth(out: Path) -> dict[str, list[str]]:
    """The two usual ways to run a TypeScript app: compiled as it runs (what `cdk init` sets up), and compiled before."""
    tools = CDK / "node_modules" / ".bin"
    apps = {
        "TypeScript": f"{tools / 'ts-node'} --prefer-ts-exts {CDK / 'app.ts'}",
        "TypeScript compiled before": f"node {CDK / 'app.js'}",
    }
    return {how: [str(tools / "cdk"), "synth", "--quiet", "--app", app, "--output", str(out / "cdk")] for how, app in apps.items()}


if __name__ == "__main__":
    main()
