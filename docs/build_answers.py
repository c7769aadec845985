"""What build.py and `python -m lint` answer with `--json`: documentation and schema of `data`.

In: nothing. Out: types. Never: imported by what runs.
"""

from __future__ import annotations

from assembly.model import Frozen, Placeholder
from lint.gate import Finding


class LintedFile(Frozen, frozen=True, kw_only=True):
    """One template."""

    file: str
    findings: tuple[Finding, ...]


class Linted(Frozen, frozen=True, kw_only=True):
    """`python -m lint`."""

    templates: tuple[LintedFile, ...]


class NewEnvironment(Frozen, frozen=True, kw_only=True):
    """`build.py new-environment`."""

    file: str
    changed: dict[str, str]
    """Key to value."""


class BuiltStack(Frozen, frozen=True, kw_only=True):
    """One stack of an environment."""

    stack: str
    kind: str
    account: str
    region: str
    resources: int
    size: int
    """Bytes of the template."""
    upload: bool
    """Too large to be handed to CloudFormation directly."""
    findings: tuple[Finding, ...]


class BuiltEnvironment(Frozen, frozen=True, kw_only=True):
    """One environment."""

    environment: str
    directory: str
    digest: str
    """Of the assembly."""
    placeholders: tuple[Placeholder, ...]
    stacks: tuple[BuiltStack, ...]


class Built(Frozen, frozen=True, kw_only=True):
    """build.py."""

    outdated: tuple[str, ...]
    """With --check: files that differ from what would be built."""
    removed: tuple[str, ...]
    """With --env all: directories of environments that are gone."""
    environments: tuple[BuiltEnvironment, ...]
