"""The whole life of the dev environment against an AWS that is late.

First deployment, nothing to do, content, an edit, a new password, the end, and all of it again.

In: seeds; a directory. Out: what went wrong in each, with everything that was said.
Never: knows anything of the late mode but its seed.

    .venv/bin/python -m tests.functional.late_life 50      # seeds 1 to 50
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from aws.session import Aws
from cli.main import main
from local_aws import prepare
from local_aws.server import LocalAws
from session.context import Context
from tests.functional.accounts import write_environments
from tests.functional.harness import CommandLine

ENV = "dev"
ACCOUNT = "400000000001"
EDIT = ("price_class: PriceClass_", "price_class: PriceClass_200 # was ")


class Broken(AssertionError):
    """A step that did not end as it should."""


@dataclass(frozen=True, kw_only=True)
class Built:
    """The environment before and after an edit, and an app."""

    before: Path
    after: Path
    app: Path

    @classmethod
    def make(cls, home: Path) -> Built:
        """Built once: all seeds deploy the same."""
        found = cls(before=home / "before", after=home / "after", app=home / "app")
        environments = write_environments(home / "environments", {ENV: ACCOUNT})
        path = environments / f"{ENV}.yaml"
        path.write_text(path.read_text().replace("  enabled: true", "  enabled: true\n  log_regions: [us-east-1, eu-west-1]", 1))
        for dist in (found.before, found.after):
            ended = CommandLine(home=home).build("--env", ENV, "--environments", str(environments), "--out", str(dist))
            assert ended.code == 0, ended
            path.write_text(path.read_text().replace(*EDIT))
        found.app.mkdir()
        (found.app / "index.html").write_text("<!doctype html><title>late</title>")
        (found.app / "app.js").write_text("'late'")
        return found

    def copied(self, home: Path) -> Built:
        """The same for one seed: saved plans lie beside the assembly."""
        shutil.copytree(self.before, home / "before")
        shutil.copytree(self.after, home / "after")
        return Built(before=home / "before", after=home / "after", app=self.app)


@dataclass(kw_only=True)
class Life:
    """One seed."""

    home: Path
    built: Built
    said: list[str] = field(default_factory=list)

    def run(self, verb: str, *arguments: str, dist: Path | None = None, codes: tuple[int, ...] = (0,)) -> str:
        """A command that has to end with one of these statuses."""
        out = io.StringIO()
        context = Context(stdin=io.StringIO(), stdout=out, stderr=out, environ={}, root=self.home)
        began = time.monotonic()
        code = main([verb, "--env", ENV, "--dist", str(dist or self.built.before), "--local", *arguments], ["verbs"], context)
        self.said.append(f"$ {verb} {' '.join(arguments)} -> {code} ({time.monotonic() - began:.1f} s)\n{out.getvalue()}")
        if code not in codes:
            raise Broken("\n".join(self.said))
        return out.getvalue()

    def deploy(self, dist: Path) -> None:
        """Plan and apply; then there is nothing left to do."""
        self.run("plan", dist=dist, codes=(3,))
        self.run("apply", "--yes", dist=dist)
        self.run("plan", dist=dist)

    def whole(self) -> None:
        """All of it."""
        self.deploy(self.built.before)
        self.run("publish", "--content", str(self.built.app), "--yes")
        self.deploy(self.built.after)
        self.run("set-password", "--generate")
        self.deploy(self.built.after)
        self.run("status", dist=self.built.after)
        self.run("destroy", "--approve", ENV, "--delete-data", dist=self.built.after, codes=(0, 3))
        self.run("set-password", "--generate")
        self.deploy(self.built.before)
        self.run("destroy", "--approve", ENV, "--delete-data", codes=(0, 3))


def live(seed: str, home: Path, built: Built, *, seconds: float = 0.25) -> Life:
    """One life under that seed; "" is an AWS that is never late. Raises `Broken`."""
    settings = {"LOCAL_AWS_LATE": seed, "LOCAL_AWS_LATE_SECONDS": str(seconds)} if seed else {}
    server = LocalAws.start(home / ".local-aws", bound_to=os.getpid(), persist=False, settings=settings)
    try:
        # The zone is not the deployment's: it has been there for long.
        aws = Aws(endpoint_url=server.endpoint_url, static_credentials=server.credentials)
        prepare.hosted_zone(aws, name="kimmyai.io", account_id=ACCOUNT)
        life = Life(home=home, built=built)
        life.whole()
    finally:
        server.stop()
    return life


def _one(seed: str, built: Built) -> tuple[str, str, float]:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as home:
        try:
            live(seed, Path(home), built.copied(Path(home)))
        except Broken as broken:
            return seed, str(broken), time.monotonic() - began
    return seed, "", time.monotonic() - began


def _main(seeds: list[str]) -> int:
    bad = []
    with tempfile.TemporaryDirectory() as home, ProcessPoolExecutor(2) as pool:
        built = Built.make(Path(home))
        for seed, problem, seconds in pool.map(_one, seeds, [built] * len(seeds)):
            print(f"seed {seed}: {'FAILED' if problem else 'ok'} ({seconds:.0f} s)", flush=True)
            if problem:
                bad.append(seed)
                Path(f"late-{seed}.log").write_text(problem)
    print(f"{len(seeds) - len(bad)} of {len(seeds)} seeds passed{'; failed: ' + ' '.join(bad) if bad else ''}")
    return bool(bad)


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(
        _main([str(n) for n in range(1, int(given[0]) + 1)] if len(given) == 1 and given[0].isdigit() else [g.lstrip("=") for g in given])
    )
