"""`make acceptance` against the local AWS, as processes in a checkout of its own: the whole life, a failure, an interruption."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aws.session import Aws, StaticCredentials
from tests.functional.accounts import write_environments
from tests.functional.harness import ROOT, SECRET, CommandLine

pytestmark = pytest.mark.functional

LEFT = ("tests", "docs", "benchmarks", "dist", "__pycache__", "node_modules")


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """A copy of the project without its tests; its local AWS is ended at the end."""
    made = tmp_path / "checkout"
    shutil.copytree(ROOT, made, ignore=shutil.ignore_patterns(*LEFT, ".*"))
    yield made
    with contextlib.suppress(OSError, ValueError, KeyError):
        os.kill(json.loads((made / ".local-aws" / "server.json").read_text())["pid"], signal.SIGKILL)


def start(checkout: Path, *arguments: str) -> subprocess.Popen[str]:
    home = checkout.parent / "home"
    home.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "acceptance", "--env", "dev", "--local", *arguments],
        cwd=checkout,
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_whole_life_of_an_environment(checkout: Path) -> None:
    run, folder = start(checkout), checkout / ".acceptance" / "dev-local"
    end = time.monotonic() + 600
    while not list(folder.glob("03-plan-*.log")) and time.monotonic() < end:
        time.sleep(0.1)
    run.terminate()
    _, err = run.communicate(timeout=120)
    assert run.returncode == 130, err
    assert json.loads((folder / "report.json").read_text())["left"], "what stands, as destroy says it"
    assert "next: make acceptance ENV=dev LOCAL=1\n" in err and "next: make acceptance ENV=dev LOCAL=1 CLEANUP=1\n" in err

    again = start(checkout)
    _, err = again.communicate(timeout=600)
    assert again.returncode == 0, err + (folder / "report.md").read_text()
    assert "doctor: passed" not in err, "what had passed is not done again"
    report = json.loads((folder / "report.json").read_text())
    assert report["passed"]
    left_out = {step["step"]: step["note"] for step in report["steps"] if step["result"] != "passed"}
    assert set(left_out) == {"failover-on", "failover-off"} and all(left_out.values())
    assert "passed, without failover-on, failover-off" in err and report["left"] == []
    assert set(report["assumptions"].values()) == {"not tried on AWS", "not tried"}
    for name in ("report.md", "report.json"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
        assert "111111111111" not in (folder / name).read_text()
    assert not (folder / "state.json").exists() and not (folder / "password").exists()


def test_a_real_account_is_not_begun_with_placeholders(checkout: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "acceptance", "--env", "dev", "--yes"],
        cwd=checkout,
        env={"PATH": os.environ["PATH"], "HOME": str(checkout.parent)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 2, ended.stderr
    assert "account_id is still the placeholder" in ended.stderr
    assert "next: make acceptance ENV=dev LOCAL=1" in ended.stderr


def test_it_looks_at_the_account_and_begins_nothing_unasked(checkout: Path, command_line: CommandLine, account: str) -> None:
    environments = write_environments(checkout.parent / "environments", {"dev": account})

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "acceptance", "--env", "dev", "--environments", str(environments)]
        return subprocess.run(
            command, cwd=checkout, env=command_line.environment(), input="\n", capture_output=True, text=True, timeout=120, check=False
        )

    asked = run()
    assert asked.returncode == 2, asked.stderr
    assert "costs about 2 US dollars" in asked.stderr and "Type dev to begin" in asked.stderr and "not begun" in asked.stderr
    stack = {"Resources": {"One": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/x", "Type": "String", "Value": "1"}}}}
    Aws(endpoint_url=command_line.endpoint_url, static_credentials=lambda a: StaticCredentials(access_key=a, secret_key=SECRET)).client(
        "cloudformation", account_id=account, region="eu-west-1"
    ).create_stack(StackName="kimmyai-web-sit-site", TemplateBody=json.dumps(stack))
    refused = run()
    assert refused.returncode == 2, refused.stderr
    assert "the account holds other stacks of kimmyai-web: kimmyai-web-sit-site (eu-west-1)" in refused.stderr
