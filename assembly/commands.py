"""The command to type next, as one text that only the command line turns into what a person can paste.

In: a verb and what it is given. Out: the canonical form, `python deploy.py VERB --env ENV ...`, its arguments quoted for a shell; the
lines in which it is told.
Never: knows how this process was started; interpreter, script, --local, --dist and --profile are added where it is printed (`cli/`).
"""

from __future__ import annotations

import re
import shlex

DEPLOY, BUILD = "python deploy.py", "python build.py"
DIGEST_DIGITS = 12
"""Hexadecimal digits of a digest that are shown, and that a command has to be given at the least."""
PROGRAMS = frozenset({"python", "aws", "make", "node", "npm", "terraform"})
_STEPS = re.compile(r"\n| && ")
_PLACEHOLDER = re.compile(r"[A-Z][A-Z_-]+")


def deploy(verb: str, environment: str, *arguments: str) -> str:
    """A command of deploy.py for an environment, e.g. `deploy("plan", "dev", "--only", "site")`, `deploy("dr status", "prod")`."""
    return shlex.join(["python", "deploy.py", *verb.split(), "--env", environment, *arguments])


def build(environment: str, *arguments: str) -> str:
    """A command of build.py for an environment."""
    return shlex.join(["python", "build.py", "--env", environment, *arguments])


def told(text: str) -> tuple[str, ...]:
    """The lines that tell what to do next: `next: COMMAND` for each command that can be pasted as it stands, `hint: ...` for prose.

    Several steps are joined by `&&` or line breaks.
    """
    return tuple(f"{'next' if is_command(step) else 'hint'}: {step}" for step in _STEPS.split(text) if step)


def is_command(text: str) -> bool:
    """Whether it is one command, nothing around it, and nothing in it (DIR, DIGEST) that the reader would have to fill in."""
    try:
        words = shlex.split(text)
    except ValueError:
        return False
    if not words or words[0] not in PROGRAMS or any(word.startswith("(") or word.endswith((",", ";", ")")) for word in words):
        return False
    if words[0] == "aws":
        return not {"ID", "NAME"} & set(words)
    before = dict(zip(words[1:], words, strict=False))
    whole = not any(_PLACEHOLDER.fullmatch(word) and before.get(word) != "--env" for word in words)
    return whole or words[0] not in ("python", "terraform")
