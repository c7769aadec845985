"""What is around a workflow: the checkout, artifacts, identity tokens, deployment environments with their reviewers, `gh`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = re.search(r"root_packages =\n((?:    \w+\n)+)", (ROOT / "setup.cfg").read_text(encoding="utf-8"))
assert _PACKAGES is not None
ROOMS = (*_PACKAGES[1].split(), "lambda", "docs", "build.py", "deploy.py", "setup.cfg", "constraints.txt", "Makefile")
"""What a workflow's steps use of the repository."""

GH = f"""#!/bin/sh
exec {sys.executable} -I {ROOT / "tests/rehearsal/github.py"} "$@"
"""

PYTHON = """#!/bin/sh
# The interpreter of .venv; the live site of an environment is a served one, of which verify records nothing.
if [ "$1 $2" = "deploy.py verify" ]; then
  eval "site=\\$REHEARSAL_SITE_$ENVIRONMENT"
  shift 2
  [ "$3" = --record ] && set -- "$1" "$2"
  set -- deploy.py verify "$@" --resolve "$site"
fi
exec {python} "$@"
"""


COMMIT = "0a1b2c3" + "0" * 33
"""The branch's last one, and the pull request's."""


class Refused(Exception):
    """GitHub, or AWS, would not do it."""


Credentials = Callable[[str, str, str, str], Mapping[str, str]]
"""Settings of AWS's command lines for a role, by the token's subject and ref, the role's ARN and the session's name. Raises `Refused`."""


@dataclass(kw_only=True)
class World:
    """Shared by the jobs of several runs."""

    home: Path
    repository: str
    environments: Path
    """Environment files, in place of the repository's."""
    credentials: Credentials
    settings: Mapping[str, str]
    """Environment variables of every step."""
    review: Callable[[str], None] = lambda _environment: None
    """Called where GitHub waits for reviewers; raises `Refused` for a no."""
    watch: Callable[[str, str], bool] = lambda _step, _line: False
    """Called for every line that a step prints; True kills the runner."""
    subjects: list[tuple[str, str]] = field(default_factory=list)
    """Subject of the token and role that were taken on."""
    outputs: dict[str, str] = field(default_factory=dict)
    """What the steps of a job printed, by job."""
    summaries: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True)

    def checkout(self) -> Path:
        """The repository as the workflows find it; made once and again after `changed`."""
        made = self.home / "checkout"
        if not made.exists():
            made.mkdir(parents=True)
            for name in ROOMS:
                source = ROOT / name
                if source.is_dir():
                    shutil.copytree(source, made / name, ignore=shutil.ignore_patterns("node_modules"))
                else:
                    shutil.copy2(source, made / name)
            for path in self.environments.glob("*.yaml"):
                shutil.copy2(path, made / "environments" / path.name)
            (made / "environments" / "organization.yaml").unlink(missing_ok=True)
        return made

    def commit(self, environment: str, old: str, new: str) -> None:
        """A change of an environment's file."""
        path = self.checkout() / "environments" / f"{environment}.yaml"
        text = path.read_text()
        assert old in text, f"{old!r} is not in {path}"
        # Files of earlier checkouts are links to the old content.
        path.unlink()
        path.write_text(text.replace(old, new))

    def into(self, workspace: Path) -> None:
        """What actions/checkout does, and a .venv that is set up."""
        subprocess.run(["cp", "-al", f"{self.checkout()}/.", str(workspace)], check=True)
        tools = workspace / ".venv/bin"
        tools.mkdir(parents=True)
        python = tools / "python"
        python.write_text(PYTHON.format(python=sys.executable))
        python.chmod(0o755)
        (workspace / ".venv/.installed").touch()

    def tools(self) -> Path:
        """A folder with `gh` and `sleep` in it."""
        folder = self.home / "tools"
        if not folder.exists():
            folder.mkdir(parents=True)
            # Nobody waits in a rehearsal: the audit, which reaches no service here, would for minutes.
            for name, script in (("gh", GH), ("sleep", "#!/bin/sh\n")):
                (folder / name).write_text(script)
                (folder / name).chmod(0o755)
            (self.store / "api").mkdir(parents=True)
            # As `make protect` sets it up.
            self.answers(
                f"repos/{self.repository}/environments/prod", {"protection_rules": [{"type": "required_reviewers", "reviewers": [{}]}]}
            )
            self.answers(f"repos/{self.repository}/pulls/5", {"head": {"sha": COMMIT}})
            # The run that calls the release; its commit is the branch's last one.
            organisation = self.repository.partition("/")[0]
            about = {"full_name": self.repository, "default_branch": "main", "owner": {"login": organisation}}
            self.answers(f"repos/{self.repository}", about)
            self.answers(f"repos/{self.repository}/commits/{COMMIT}", {"sha": COMMIT})
            self.answers(f"repos/{self.repository}/branches/main", {"commit": {"sha": COMMIT}})
            run = {"event": "push", "head_branch": "main", "head_repository": about, "conclusion": None, "head_sha": COMMIT}
            self.answers(f"repos/{self.repository}/actions/runs/1", run)
        return folder

    def answers(self, path: str, answer: object) -> None:
        """What GitHub's REST API says from now on; of anything else it knows nothing."""
        (self.store / "api" / path.replace("/", "_")).write_text(json.dumps(answer))

    @property
    def store(self) -> Path:
        """Where `gh` keeps things."""
        return self.home / "github"

    def environ(self) -> dict[str, str]:
        """Of every step."""
        return {
            "PATH": f"{self.tools()}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "GH_STORE": str(self.store),
            "LANG": "C.UTF-8",
            **self.settings,
        }


def subject(github: Mapping[str, Any], environment: str) -> str:
    """What GitHub puts into the token. Source: GitHub, "OpenID Connect reference", example subject claims."""
    if environment:
        return f"repo:{github['repository']}:environment:{environment}"
    if github["event_name"] == "pull_request":
        return f"repo:{github['repository']}:pull_request"
    return f"repo:{github['repository']}:ref:{github['ref']}"
