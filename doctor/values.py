"""What the doctor finds: results, fixes and the report of them all."""

from __future__ import annotations

from typing import Literal

from assembly.model import Frozen

Level = Literal["ok", "warning", "problem", "unknown"]


class CheckResult(Frozen, frozen=True, kw_only=True):
    """One thing that was checked. `unknown`: it could not be checked."""

    code: str
    """Stable name for machines, e.g. "hosted_zone"."""
    level: Level
    message: str
    command: str = ""
    """What to type next, if anything."""
    stack: str = ""


FixAction = Literal["delete_reviewed", "delete_change_sets", "delete", "delete_retaining", "continue_rollback", "roll_back", "wait"]


class Fix(Frozen, frozen=True, kw_only=True):
    """A safe action for a stack that is stuck, and what it would do."""

    action: FixAction
    stack: str
    stack_name: str
    account_id: str
    region: str
    role_arn: str | None
    arn: str
    status: str
    """The state it was offered for; in any other it is not done."""
    does: tuple[str, ...]
    """The dry run, a line a step."""
    names: tuple[str, ...] = ()
    """Change sets to delete (ARNs), or logical ids to retain."""


class Report(Frozen, frozen=True, kw_only=True):
    """All that was found."""

    environment: str
    account_id: str
    checks: tuple[CheckResult, ...]
    fixes: tuple[Fix, ...] = ()
    anything_checked: bool
    """AWS, or the public DNS, answered at least one check of the environment. Else nothing is known to be healthy."""
    not_looked_at: tuple[str, ...] = ()
    """What the report says nothing of, however healthy the rest is, and why."""

    @property
    def exit_status(self) -> int:
        """1 if there is a problem or nothing could be checked, else 0."""
        return 1 if not self.anything_checked or any(c.level == "problem" for c in self.checks) else 0


class Fixed(Frozen, frozen=True, kw_only=True):
    """What became of a fix."""

    stack: str
    done: bool
    message: str
