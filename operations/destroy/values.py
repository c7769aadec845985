"""What a destroy would do, and what became of it."""

from __future__ import annotations

import msgspec

from assembly.files import document_digest
from assembly.model import Frozen
from planning.model import Finding
from planning.removals import Removal, RetainedResource


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
    def digest(self) -> str:
        """Of what goes and what stays, for those who have to approve it. Not of what was found in passing."""
        return document_digest(msgspec.to_builtins(msgspec.structs.replace(self, findings=())))

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
