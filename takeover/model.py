"""What is taken over, and what AWS says of it now.

In: nothing but their own fields. Out: frozen values. Never: AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One resource that exists, and the place in the assembly that it is to have."""

    stack: str
    """Id of the stack in the assembly."""
    logical_id: str
    type: str
    """Resource type of CloudFormation."""
    identifier: Mapping[str, str]
    """As ResourceIdentifier in ResourcesToImport: property of the type's primary identifier to its value."""
    source: str
    """How it was found: "terraform module.site.aws_s3_bucket.this", "derived name", "--resource Bucket=...", for a person."""
    account_id: str
    region: str


KEPT = "kept by the deleted stack of this name"
"""The source of what a plan takes over without being asked to."""


@dataclass(frozen=True, kw_only=True)
class Live:
    """A resource as it is, in the shape of its template."""

    taken: Taken
    ref: str
    """What Ref gives: for all types of the registry that are imported here the primary identifier, its parts joined by "|"."""
    properties: Mapping[str, Any] = field(repr=False)
    """What a template may say of it: without what is read-only, and without AWS's own tags."""
    attributes: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What Fn::GetAtt gives, by name."""


@dataclass(frozen=True, kw_only=True)
class Import:
    """What one stack takes over, and with which template."""

    lives: tuple[Live, ...] = ()
    template: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def by_id(self) -> dict[str, Live]:
        """By logical id."""
        return {each.taken.logical_id: each for each in self.lives}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why something cannot be taken over."""

    code: str
    """Stable, for machines."""
    message: str
    command: str = ""
    stops: bool = True
    """False: the stack can be planned without it, and then makes another one."""
