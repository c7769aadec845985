"""What is taken over.

In: nothing but its own fields. Out: frozen values. Never: AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
