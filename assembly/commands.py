"""The command to type next, as one text that only the command line turns into what a person can paste.

In: a verb and what it is given. Out: the canonical form, `python deploy.py VERB --env ENV ...`, its arguments quoted for a shell.
Never: knows how this process was started; interpreter, script, --local, --dist and --profile are added where it is printed (`cli/`).
"""

from __future__ import annotations

import shlex

DEPLOY, BUILD = "python deploy.py", "python build.py"


def deploy(verb: str, environment: str, *arguments: str) -> str:
    """A command of deploy.py for an environment, e.g. `deploy("plan", "dev", "--only", "site")`."""
    return shlex.join(["python", "deploy.py", verb, "--env", environment, *arguments])


def build(environment: str, *arguments: str) -> str:
    """A command of build.py for an environment."""
    return shlex.join(["python", "build.py", "--env", environment, *arguments])
