"""What a plan means, put together.

In: what each stack does, its resolved resources before and after, measured durations. Out: `Consequences`.
Never: AWS, files, a clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from changes.model import ResourceChange
from consequences import duration, posture, visitors
from consequences.model import Consequences, CostDifference, VisitorEffect
from consequences.posture import Resources
from prices.estimate import Usage, estimate


@dataclass(frozen=True, kw_only=True)
class Told:
    """One stack, as planned."""

    stack: str
    operation: str
    depends_on: tuple[str, ...] = ()
    changes: tuple[ResourceChange, ...] = ()
    before: Resources = field(default_factory=dict)
    """Empty where the stack is not there yet."""
    after: Resources = field(default_factory=dict)
    regions: int = 0
    """Of a StackSet: regions with instances to work on."""


CONTENT = "content"
"""Stack id of the step that publishes."""


def consequences(
    stacks: Iterable[Told],
    measured: Mapping[tuple[str, str], float],
    *,
    published: str = "",
    removed: Iterable[str] = (),
    secrets: Iterable[str] = (),
    usage: Usage | None = None,
) -> Consequences:
    """Of the whole plan.

    `published`: what is published when the stacks stand, "" if nothing is; `removed`: stacks that are deleted then, one by one; `secrets`:
    those that no template makes.
    """
    told = tuple(stacks)
    work = [
        duration.Work(stack=each.stack, operation=each.operation, depends_on=each.depends_on, changes=each.changes, regions=each.regions)
        for each in told
    ]
    noticed = [effect for each in told for effect in visitors.effects(each.stack, each.changes, each.before, each.after)]
    if published:
        work.append(duration.Work(stack=CONTENT, operation="publish", depends_on=tuple(each.stack for each in told)))
        noticed.append(VisitorEffect(stack=CONTENT, logical_id="", kind="content_published", after=published))
    for stack in removed:
        work.append(duration.Work(stack=stack, operation="remove", depends_on=tuple(each.stack for each in work)))
    moved = [each for each in told if each.before]
    return Consequences(
        duration=duration.expected(work, measured),
        visitors=tuple(sorted(noticed, key=lambda effect: not effect.certain)),
        posture=tuple(change for each in moved for change in posture.loosened(each.stack, each.before, each.after)),
        cost=_cost(told, usage or Usage(), tuple(secrets)),
    )


def _cost(told: tuple[Told, ...], usage: Usage, secrets: tuple[str, ...]) -> CostDifference:
    before = estimate({each.stack: each.before for each in told}, usage, secrets=secrets if any(each.before for each in told) else ())
    after = estimate({each.stack: each.after for each in told}, usage, secrets=secrets)
    return CostDifference(
        before=before.usd, after=after.usd, requests=usage.requests, gigabytes=usage.gigabytes, as_of=min(before.as_of, after.as_of)
    )
