"""What became of one stack or StackSet of a plan, and of its content, as values."""

from __future__ import annotations

from typing import Literal

import msgspec

from assembly.model import Frozen
from planning.model import Place
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


class Outcome(Place, frozen=True, kw_only=True):
    """What became of one stack or StackSet."""

    kind: Literal["stack", "stackset"]
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


class ContentOutcome(Frozen, frozen=True, kw_only=True):
    """What became of the content."""

    result: Literal["succeeded", "unchanged", "failed", "refused", "interrupted", "not_started"]
    """`refused`: it is not what was approved any more; `unchanged`: it was live already."""
    bucket: str = ""
    started: float = 0.0
    """Seconds since the epoch; 0 where it was not begun."""
    seconds: float = 0.0
    release: int = 0
    """Number of the live release; 0 where it did not come to that."""
    content: str = ""
    """Digest of the built files."""
    written: int = 0
    written_bytes: int = 0
    kept: int = 0
    invalidation: str = ""
    """Its id, if there was one."""
    invalidation_done: bool = True
    """False: CloudFront was still at it; the release is live all the same."""
    message: str = ""
    command: str = ""
    """What to type next: to mend it, or to see that it works."""

    @property
    def ok(self) -> bool:
        """It is live."""
        return self.result in ("succeeded", "unchanged")


class Removal(Place, frozen=True, kw_only=True):
    """What became of a resource that its stack had replaced."""

    resource_type: str
    physical_id: str
    result: Literal["removed", "kept"]
    message: str = ""
    """Why it was kept."""


class StackRemoved(Place, frozen=True, kw_only=True):
    """What became of a stack or StackSet that is no more wanted."""

    kind: str
    result: Literal["removed", "waits", "failed", "running", "not_started", "kept"]
    """`waits`: it is gone, and something of it can only be deleted later; `kept`: nobody approved its removal."""
    kept: tuple[str, ...] = ()
    """Names of what it left on purpose."""
    seconds: float = 0.0
    message: str = ""
    command: str = ""

    @property
    def begun(self) -> bool:
        """Something was sent to AWS."""
        return self.result in ("removed", "waits", "failed", "running")

    @property
    def ok(self) -> bool:
        """Those that it depends on can go."""
        return self.result in ("removed", "waits", "kept")
