"""A preview of the local AWS for as long as a block runs, in a process of its own.

In: the arguments of a verb with --local. Out: where it answers. Never: outlives the block, whatever ends it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from session.context import ROOT, CommandError, Context
from session.opened import read_assembly

END_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Serving:
    """Where the preview answers."""

    endpoint: str
    """HOST:PORT, TLS."""
    plain: str
    """HOST:PORT, which redirects."""
    authority: Path
    """Certificate of the authority that signed the preview's."""


@contextlib.contextmanager
def serving(args: argparse.Namespace, context: Context) -> Iterator[Serving]:
    """A preview with TLS on free ports. Raises `CommandError` with its words if it does not start."""
    read_assembly(args)
    command = [sys.executable, str(ROOT / "deploy.py"), "preview", "--env", args.env, "--dist", str(args.dist), "--local", "--json"]
    command += ["--https", "--port", "0", "--http-port", "0"]
    context.say("verify: starting a preview of the local AWS")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603
    assert process.stdout is not None and process.stderr is not None, "pipes, as asked for"
    try:
        line = process.stdout.readline()
        if not line.startswith("{"):
            said = (process.stderr.read() or line).strip().split("\n")
            raise CommandError(*(each.removeprefix("error: ") for each in said if not each.startswith("  ")))
        answer = json.loads(line if line.rstrip().endswith("}") else line + process.stdout.read())
        if not answer["ok"]:
            problems = answer["problems"]
            raise CommandError(*(p["message"] for p in problems), command="\n".join(step for p in problems for step in p["next"]))
        told = answer["data"]
        yield Serving(endpoint=f"127.0.0.1:{told['port']}", plain=f"127.0.0.1:{told['http_port']}", authority=Path(told["authority"]))
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
