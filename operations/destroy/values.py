"""What a destroy would do, and what became of it."""

from __future__ import annotations

from typing import Literal

from assembly.model import Frozen
from aws.cloudformation.stack_sets import CallAs
from planning.model import Finding


class Removal(Frozen, frozen=True, kw_only=True):
    """One stack or StackSet that is deleted."""

    stack: str
    kind: str
    stack_name: str
    account_id: str
    region: str
    role_arn: str | None
    arn: str
    status: str
    resources: int = 0
    """Resources that are deleted; for a StackSet instances."""
    protected: bool = False
    """Termination protection is on."""
    change_sets: tuple[str, ...] = ()
    """Names of change sets that are dropped with a stack that was never created."""
    regions: tuple[str, ...] = ()
    """StackSet: regions with instances."""
    call_as: CallAs = "SELF"
    """StackSet: how its administration is called."""


class RetainedResource(Frozen, frozen=True, kw_only=True):
    """A resource that the deleted stacks leave behind."""

    resource_type: str
    physical_id: str
    stack: str
    account_id: str
    region: str
    role_arn: str | None
    holds: str = ""
    """What would be lost with it, e.g. "its objects"."""
    fate: Literal["keep", "delete", "clean_up"]
    """`clean_up`: holds no data; it goes as soon as AWS allows it."""
    proven: bool = True
    """A stack of this environment is known to have made it, or it says so itself; else it only has the name that one would give it."""
    because: str = ""
    """Why it is kept whatever was asked for."""


class DestroyPlan(Frozen, frozen=True, kw_only=True):
    """What `destroy` would do, in that order."""

    environment: str
    project: str
    account_id: str
    delete_data: bool
    lift_protection: bool
    removals: tuple[Removal, ...]
    leftovers: tuple[RetainedResource, ...]
    findings: tuple[Finding, ...] = ()
    """Errors among them stop it."""

    @property
    def blocked(self) -> bool:
        """It cannot be carried out as it is."""
        return any(f.severity == "error" for f in self.findings)

    @property
    def nothing_to_do(self) -> bool:
        """No stack is left, and what else is left stays."""
        return not self.removals and all(left.fate == "keep" for left in self.leftovers)


class Pending(Frozen, frozen=True, kw_only=True):
    """A resource that AWS does not let go of yet."""

    resource_type: str
    physical_id: str
    reason: str
    come_back_at: str
    """ISO 8601, UTC."""


class DestroyOutcome(Frozen, frozen=True, kw_only=True):
    """What became of it."""

    environment: str
    deleted: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    pending: tuple[Pending, ...] = ()
    failed: str = ""
    """What stopped it, with AWS's words."""
    command: str = ""
    """What to type next."""

    @property
    def exit_status(self) -> int:
        """1 failed, 3 something has to wait, else 0."""
        return 1 if self.failed else 3 if self.pending else 0
