"""What the changes of a stack do to others, and ask of people, who are not in the plan.

In: the changes and what they were read with. Out: `Consequence` values. Never: asks AWS.
"""

from __future__ import annotations

from collections.abc import Iterator

from changes.context import Context
from changes.model import ResourceChange
from consequences.confirmation import unconfirmed
from consequences.leaned_on import leaned_on
from consequences.model import Consequence


def for_others(changes: tuple[ResourceChange, ...], context: Context | None, environment: str) -> Iterator[Consequence]:
    """Of one stack; nothing where it was not compared."""
    if context is not None:
        yield from leaned_on(changes, context.before, f"environments/{environment}.yaml")
        yield from unconfirmed(changes, context.after)
