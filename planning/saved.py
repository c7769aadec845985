"""The plan on disk: `dist/<env>/plan.json`.

In: a sealed plan; a path. Out: the file, only readable by its owner; a plan whose digest is its own.
Never: leaves half a file, or takes one that was edited.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from assembly.commands import deploy
from assembly.errors import Remedied
from guards import documents
from guards.private import write_private
from planning.model import FORMAT, Plan, plan_bytes, plan_digest

NAME = "plan.json"


class SavedPlanError(Remedied):
    """A saved plan that cannot be used; `command` is what to type."""


def path_of(dist: Path, environment: str) -> Path:
    """Where the plan of an environment lies."""
    return dist / environment / NAME


def save(path: Path, plan: Plan) -> None:
    """Save the plan. Raises OSError; the plan that was there is untouched then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, plan_bytes(plan))


def forget(path: Path) -> None:
    """Remove the saved plan, if there is one."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def load(path: Path, environment: str) -> Plan:
    """The saved plan. Raises `SavedPlanError` where there is none, it is of another format or environment, or it was changed."""
    command = deploy("plan", environment)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise SavedPlanError(f"{path}: there is no saved plan", command) from None
    try:
        found = documents.decode(data, _Head)
        if found.format != FORMAT:
            raise SavedPlanError(f"{path}: format {found.format}, this version reads format {FORMAT}", command)
        plan = documents.decode(data, Plan)
    except documents.Unreadable as error:
        raise SavedPlanError(f"{path}: not a plan: {error}", command) from error
    if plan_digest(plan) != plan.digest:
        raise SavedPlanError(f"{path}: changed since it was made (its digest is not {plan.digest})", command)
    if plan.environment != environment:
        raise SavedPlanError(f"{path}: is a plan for {plan.environment}, not for {environment}", command)
    return plan


class _Head(msgspec.Struct):
    format: int
