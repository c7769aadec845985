"""A value before or after a change, as far as it may be said: known, known only after an earlier stack ran, or secret."""

from __future__ import annotations

from assembly.model import Frozen


class Known(Frozen, frozen=True, kw_only=True, tag="known", tag_field="is"):
    """A value as CloudFormation or the template has it; structures are compact canonical JSON."""

    text: str


class Unknown(Frozen, frozen=True, kw_only=True, tag="unknown", tag_field="is"):
    """A value that is, or has inside it, outputs that will only be known during apply.

    `text` is the value with every placeholder value written as `{known after STACK.OUTPUT}`; `after` names those outputs as "STACK.OUTPUT".
    """

    text: str
    after: tuple[str, ...]


class Redacted(Frozen, frozen=True, kw_only=True, tag="redacted", tag_field="is"):
    """A NoEcho or secret value: that it is there is all that may be said."""


Value = Known | Unknown | Redacted
