"""What the changes of one stack are read with: its resolved templates, the schemas, and what must not be shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from templates.intrinsics import HIDDEN, known_after
from templates.schemas import Schemas
from templates.values import Known, Redacted, Unknown, Value

Resources = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Context:
    """What the changes of one stack are read with."""

    before: Resources
    """Resolved resources of the deployed template; empty for a stack that does not exist."""
    after: Resources
    """Resolved resources of the new template."""
    schemas: Schemas
    region: str
    placeholders: Mapping[str, str] = field(default_factory=dict)
    """Placeholder value to "STACK.OUTPUT"."""
    secrets: tuple[str, ...] = ()
    """Values that must never be shown, wherever they turn up."""
    comparable: bool = True
    """`before` is the deployed template itself, and no macro makes another template of either."""
    blurred: Callable[[str], Resources] | None = None
    """`after` with the value of one parameter unknown: what is different there depends on the parameter."""

    def shown(self, text: str) -> Value:
        """A value of CloudFormation's: placeholder values become unknown, secrets disappear."""
        if text == "****":
            return Redacted()
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        after = tuple(ref for placeholder, ref in self.placeholders.items() if placeholder in text)
        for placeholder, ref in self.placeholders.items():
            text = text.replace(placeholder, known_after(ref))
        return Unknown(text=text, after=after) if after else Known(text=text)
