"""The tutorial, followed word by word in a copy of the checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.functional.harness import ROOT
from tests.unit.test_recipes import LEFT_OUT, follow

pytestmark = pytest.mark.functional

PENDING = 3


def steps(text: str) -> list[tuple[str, str]]:
    """(file, content) and ("", command), in the order of the page."""
    found = re.finditer(r"^```\w+ file=(\S+)\n(.*?)^```|^    (\S[^\n]*)$", text, re.S | re.M)
    return [(step[1], step[2]) if step[1] else ("", step[3]) for step in found]


def test_the_tutorial(tmp_path: Path) -> None:
    """It deploys a whole environment, as its reader does: nothing else goes from a fresh checkout to a stack of one's own."""
    checkout = Path(shutil.copytree(ROOT, tmp_path / "checkout", ignore=LEFT_OUT))
    page = (ROOT / "docs" / "guides" / "tutorial.md").read_text(encoding="utf-8")
    done = ""
    environment = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    try:
        for file, content in steps(page):
            if file:
                (checkout / file).parent.mkdir(exist_ok=True)
                (checkout / file).write_text(content, encoding="utf-8")
                continue
            if content == "make setup":
                continue  # .venv of the checkout that runs this
            if content == "python build.py --env stage" and "incidents" not in done:
                follow("Add a stack", checkout)
                done += "incidents"
            ended = subprocess.run(
                content, shell=True, cwd=checkout, env=environment, capture_output=True, text=True, timeout=240, check=False
            )
            expected = PENDING if " plan " in content else 0
            assert ended.returncode == expected, f"{content}\n{ended.stdout}\n{ended.stderr}"
            done += f"\n{content}\n{ended.stdout}"
    finally:
        subprocess.run([sys.executable, "deploy.py", "local", "stop"], cwd=checkout, env=environment, check=False, timeout=180)
    assert re.search(r"outputs .*\narn:aws:sns:us-east-1:111122223333:bakery-web-stage-incidents|TopicArn = arn:aws:sns", done)
    assert "PriceClass_200" in done
    assert not (checkout / ".local-aws" / "services").exists()
