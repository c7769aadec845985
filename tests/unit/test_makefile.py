"""`make` sets up .venv whatever the caller's shell tells pip and Python, and keeps what it tells of indexes."""

from __future__ import annotations

import os
import subprocess

from tests.golden_files import ROOT


def test_where_pip_installs_to_is_ours_and_where_it_finds_packages_the_callers() -> None:
    theirs = {
        "PIP_USER": "1",
        "PIP_TARGET": "/somewhere",
        "PIP_REQUIRE_VIRTUALENV": "1",
        "PYTHONHOME": "/nowhere",
        "NODE_OPTIONS": "--inspect",
        "PIP_INDEX_URL": "https://index.example/simple",
        "PIP_CERT": "/etc/ca.pem",
        "HTTPS_PROXY": "http://proxy.example",
    }
    ended = subprocess.run(
        ["make", "--no-print-directory", "--eval", "told: ; @env", "told"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **theirs},
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
    )
    told = dict(line.split("=", 1) for line in ended.stdout.splitlines() if "=" in line)
    assert {name: told[name] for name in theirs if name in told} == {
        "PIP_USER": "0",
        "PIP_INDEX_URL": "https://index.example/simple",
        "PIP_CERT": "/etc/ca.pem",
        "HTTPS_PROXY": "http://proxy.example",
    }
