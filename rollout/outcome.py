"""What became of one stack or StackSet of a plan, as a value."""

from __future__ import annotations

from typing import Literal

import msgspec

from assembly.model import Frozen
from rollout.diagnosis import Diagnosis

Result = Literal["succeeded", "unchanged", "failed", "refused", "running", "not_started"]


class InstanceFailure(Frozen, frozen=True, kw_only=True):
    """A StackSet instance that an operation did not bring where it should be."""

    account_id: str
    region: str
    status: str
    reason: str
    event: str = ""
    """The event of its stack, in the target account, that tells why."""


class Outcome(Frozen, frozen=True, kw_only=True):
    """What became of one stack or StackSet."""

    stack: str
    stack_name: str
    kind: Literal["stack", "stackset"]
    account_id: str
    region: str
    operation: str
    result: Result
    """`refused`: not executed, since it is not what was approved; `running`: it goes on at AWS without us."""
    status: str = ""
    started: float = 0.0
    """Seconds since the epoch; 0 where nothing was begun."""
    seconds: float = 0.0
    resources: int = 0
    outputs: dict[str, str] = msgspec.field(default_factory=dict)
    message: str = ""
    command: str = ""
    """What to type next."""
    diagnosis: Diagnosis | None = None
    differences: tuple[str, ...] = ()
    instances: tuple[InstanceFailure, ...] = ()

    @property
    def ok(self) -> bool:
        """What depends on it can go on."""
        return self.result in ("succeeded", "unchanged")
