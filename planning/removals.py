"""Stacks that go and what they leave behind, as values that a plan, a destroy and their reviews share.

In: nothing but their own fields. Out: `Removal` and `RetainedResource`. Never: looks at AWS, decides what goes.
"""

from __future__ import annotations

from typing import Literal

from assembly.model import Frozen
from aws.cloudformation.stack_sets import CallAs


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
    """DELETE_COMPLETE: it is gone, and something of it is still to be cleaned up."""
    changed_at: str = ""
    """LastUpdatedTime, else CreationTime of a stack; ISO 8601, UTC."""
    resources: int = 0
    """Resources that are deleted; for a StackSet instances."""
    deletes: tuple[str, ...] = ()
    """Which those are, by physical id and type; what holds data first, with what is lost. Not known of a StackSet's stacks."""
    protected: bool = False
    """Termination protection is on."""
    change_sets: tuple[str, ...] = ()
    """Names of change sets that are dropped with a stack that was never created."""
    regions: tuple[str, ...] = ()
    """StackSet: regions with instances."""
    call_as: CallAs = "SELF"
    """StackSet: how its administration is called."""
    leftovers: tuple[RetainedResource, ...] = ()
    """What it leaves behind, where the stack is looked at alone; `destroy` lists that for the whole environment."""
