"""How far a run has got: one private file, written after every step, from which the same command goes on.

In: a folder. Out: `State`. Never: holds a password, or what a command printed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from guards import documents
from guards.private import read_private, write_private

Result = Literal["passed", "failed", "waiting", "interrupted", "left out"]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One command that ran."""

    command: str
    """As a person would type it."""
    code: int
    seconds: float
    log: str
    """File of the run's folder."""
    wrong: str = ""
    """What was expected and did not come; empty if it came."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a step."""

    step: str
    result: Result
    seconds: float = 0.0
    calls: tuple[Call, ...] = ()
    note: str = ""
    assumptions: dict[str, str] = {}
    """What it says of those that it could prove or refute (`acceptance.proofs`)."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A run."""

    environment: str
    local: bool
    began: str
    """ISO 8601, UTC."""
    account: str = ""
    """Where it began; empty in what an older version has written."""
    first: str = ""
    """Digest of the assembly that was applied first."""
    done: tuple[Done, ...] = ()
    """The latest of each step, in order."""

    def with_step(self, done: Done) -> State:
        """The same run one step further; an earlier attempt at the step is replaced."""
        return msgspec.structs.replace(self, done=(*(d for d in self.done if d.step != done.step), done))

    def finished(self, step: str) -> bool:
        """It passed, or is left out for good."""
        return any(d.step == step and d.result in ("passed", "left out") for d in self.done)


class DamagedState(Exception):
    """The file is there and cannot be read."""


_FILE = "state.json"


def load(folder: Path) -> State | None:
    """The run of that folder; None if none has begun. Raises `DamagedState`."""
    path = folder / _FILE
    try:
        return documents.decode(read_private(path), State)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DamagedState(f"{path}: {error}") from error


def save(folder: Path, state: State) -> None:
    """Raises OSError."""
    write_private(folder / _FILE, msgspec.json.format(msgspec.json.encode(state), indent=1))


def forget(folder: Path) -> None:
    """The next run begins from the beginning."""
    (folder / _FILE).unlink(missing_ok=True)
