"""The recipes of CONTRIBUTING.md, followed in a copy of the checkout."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environments_fixture import ENVIRONMENTS
from tests.golden_files import ROOT

LEFT_OUT = shutil.ignore_patterns(".*", "dist", "node_modules", "tests", "__pycache__", "docs", "benchmarks", "*.egg-info")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT, tmp_path / "checkout", ignore=LEFT_OUT))


def follow(recipe: str, checkout: Path) -> None:
    """Write the new files, and replace the lines with a minus by those with a plus that follow them."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition(f"## {recipe}\n")[2].partition("\n## ")[0]
    for kind, name, body in re.findall(r"^```(\w+) title=(\S+)\n(.*?)^```", text, re.S | re.M):
        file = checkout / name
        if kind == "python":
            file.write_text(body, encoding="utf-8")
            continue
        content = file.read_text(encoding="utf-8")
        for old, new in re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)+)", body, re.M):
            before, after = ("".join(line[1:] for line in part.splitlines(keepends=True)) for part in (old, new))
            assert content.count(before) == 1, f"{name}: the recipe's line is there {content.count(before)} times: {before}"
            content = content.replace(before, after)
        file.write_text(content, encoding="utf-8")


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=checkout, capture_output=True, text=True, check=False, timeout=120)


def test_add_a_stack(checkout: Path) -> None:
    follow("Add a stack", checkout)
    ended = run(checkout, "build.py", "--env", "dev", "--environments", str(ENVIRONMENTS))
    assert ended.returncode == 0, ended.stderr
    stacks = json.loads((checkout / "dist" / "dev" / "assembly.json").read_text(encoding="utf-8"))["stacks"]
    assert "incidents" in [stack["id"] for stack in stacks]


def test_add_a_lint_rule(checkout: Path, tmp_path: Path) -> None:
    follow("Add a lint rule", checkout)
    template = {
        "Description": "x" * 201,
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": "alias/aws/sns"}}},
    }
    (tmp_path / "t.json").write_text(json.dumps(template), encoding="utf-8")
    ended = run(checkout, "-m", "lint", str(tmp_path / "t.json"), "--region", "eu-west-1", "--json")
    assert ended.returncode == 1, ended.stderr
    assert "E9704" in ended.stdout
