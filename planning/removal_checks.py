"""Stacks that are no more wanted: what stands in the way of deleting them.

In: the removals of a plan and what was asked for. Out: findings. Never: asks AWS.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assembly.commands import deploy
from planning.model import Finding, Options
from planning.removals import Removal


def remove_command(environment: str, *more: str) -> str:
    """What plans the removal."""
    return deploy("plan", environment, "--remove", *more)


def in_the_way(removals: Iterable[Removal], options: Options, environment: str) -> Iterator[Finding]:
    """Errors, if their removal was asked for; else nothing: the plan lists them, and they stay."""
    if not options.remove:
        return
    for each in removals:
        if each.protected and not options.lift_protection:
            yield Finding(
                severity="error",
                code="termination_protection",
                message=f"{each.stack_name} has termination protection; it is lifted only if you say so",
                command=remove_command(environment, "--lift-termination-protection"),
                stack=each.stack,
            )
        if (
            each.kind == "stack"
            and each.status.endswith("_IN_PROGRESS")
            and each.status not in ("REVIEW_IN_PROGRESS", "DELETE_IN_PROGRESS")
        ):
            yield Finding(
                severity="error",
                code="stack_busy",
                message=f"{each.stack_name} is {each.status}: somebody is changing it; wait until that is done",
                command=deploy("status", environment),
                stack=each.stack,
            )
