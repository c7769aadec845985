"""What the inventory tells: what a template wants, what stands there, and what follows.

In: nothing but its own fields. Out: frozen values. Never: AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One resource with a name of its own that a stack is about to create, or a record beside which something may have been left."""

    stack: str
    logical_id: str
    resource_type: str
    name: str
    kept: bool
    """DeletionPolicy Retain or RetainExceptOnCreate: without it CloudFormation imports nothing."""
    literal: bool
    """The template has the name outright: CloudFormation's import by name reads no functions."""
    properties: Mapping[str, Any] = field(default_factory=dict, repr=False)
    there: bool = False
    """The stack has it: what is looked for is what was left beside it."""


Owner = Literal["this_environment", "this_account", "another_environment", "another_stack", "another_account"]
"""Whose it is. `this_account`: nobody's that is known."""

Fate = Literal["free", "taken_over", "replaced", "refused", "unknown"]
"""What follows. `replaced`: a record set that apply deletes before the stack makes its own. `unknown`: it could not be looked up."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is known about one wanted resource, or about one record that is in its way."""

    wanted: Wanted
    fate: Fate
    owner: Owner | None = None
    physical_id: str = ""
    message: str = ""
    """For a person; empty if it is free."""
    command: str = ""
    record: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The record set that stands there, as Route 53 has it; for `replaced` and its refusal."""
    beside: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    """What answers in its place until the stack has made its own; empty: nothing does."""
