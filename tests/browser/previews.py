"""Previews of the built environments as processes of their own, for tests.

In: an assembly directory, an environment, a folder of content. Out: a running `deploy.py preview`, its ports and its log.
Never: leaves a process behind.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guards.processes import child_environment
from tests.environments_fixture import ENVIRONMENTS

ROOT = Path(__file__).resolve().parent.parent.parent
USER, PASSWORD = "admin", "correct horse battery staple"
START_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Running:
    """A preview that accepts connections."""

    environment: str
    url: str
    """On 127.0.0.1, as the preview printed it."""
    port: int
    http_port: int | None
    alias: str
    """Host name of the distribution."""
    authority: Path
    """PEM file of what clients of the HTTPS port trust."""
    content: Path
    process: subprocess.Popen[str]
    log_file: Path

    @property
    def log(self) -> str:
        """What the terminal would show so far."""
        return self.log_file.read_text()

    def wait_for_log(self, text: str, *, count: int = 1, seconds: float = 120.0) -> None:
        """Until the log has that text so many times. Raises AssertionError with the log."""
        deadline = time.monotonic() + seconds
        while self.log.count(text) < count:
            assert time.monotonic() < deadline, f"no {text!r} in:\n{self.log}"
            time.sleep(0.05)


DOWN_SECONDS = (6, 15, 60)
"""After how long the origin of a preview goes down: a machine that does not get through what comes before is given longer."""


def went_down_later(began: float, ready: float, seconds: float) -> bool:
    """Whether all until now was surely done before the origin of a preview went down, which was started at one time and ready at the
    other; if so, waits until it is down."""
    now = time.monotonic()
    if now >= began + seconds:
        return False
    time.sleep(max(0.0, ready + seconds - now))
    return True


@contextlib.contextmanager
def preview(dist: Path, environment: str, content: Path, *options: str) -> Iterator[Running]:
    """A preview on a free port, ended by SIGINT as by Ctrl-C, which must succeed."""
    with tempfile.NamedTemporaryFile("w+", suffix=".log") as log:
        log_file = Path(log.name)
        command = [
            sys.executable,
            "deploy.py",
            "preview",
            "--env",
            environment,
            "--dist",
            str(dist),
            "--content",
            str(content),
            "--port",
            "0",
        ]
        process = subprocess.Popen(
            [*command, "--password-stdin", "--json", *options],
            cwd=ROOT,
            env=child_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{PASSWORD}\n")
            process.stdin.close()
            line = process.stdout.readline()
            assert line, f"the preview did not start:\n{log_file.read_text()}"
            told: dict[str, Any] = json.loads(line)["data"]
            yield Running(
                environment=environment,
                url=told["url"],
                port=told["port"],
                http_port=told["http_port"],
                alias=told["aliases"][0],
                authority=Path(told["authority"] or ""),
                content=content,
                process=process,
                log_file=log_file,
            )
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            assert process.wait(120) == 0, log_file.read_text()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def built(directory: Path) -> Path:
    """Every environment, built into a directory."""
    subprocess.run(
        [sys.executable, "build.py", "--env", "all", "--environments", str(ENVIRONMENTS), "--out", str(directory)],
        cwd=ROOT,
        env=child_environment(),
        check=True,
        capture_output=True,
    )
    return directory
