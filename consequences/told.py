"""What a plan means, put together.

In: what each stack does, its resolved resources before and after, measured durations. Out: `Consequences`.
Never: AWS, files, a clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from changes.context import Resources
from changes.model import ResourceChange
from consequences import duration, edge, posture, visitors
from consequences.model import Consequences, CostDifference, VisitorEffect
from prices.estimate import Usage, estimate
from templates.resources import RETAINING


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


@dataclass(frozen=True, kw_only=True)
class Leaving:
    """A stack that is no more wanted."""

    stack: str
    resources: Resources
    """As the deployed template has them."""
    deleted: bool
    """False: it stays as it is."""

    @property
    def kept(self) -> Resources:
        """What stays of it, and goes on costing."""
        return {name: body for name, body in self.resources.items() if not self.deleted or body.get("DeletionPolicy") in RETAINING}

    @property
    def removals(self) -> tuple[ResourceChange, ...]:
        """What goes of it."""
        kept = self.kept
        return tuple(
            ResourceChange(logical_id=name, resource_type=str(body.get("Type", "")), action="remove")
            for name, body in self.resources.items()
            if name not in kept
        )


CONTENT = "content"
"""Stack id of the step that publishes."""


def consequences(
    stacks: Iterable[Told],
    measured: Mapping[tuple[str, str], float],
    *,
    published: str = "",
    leaving: Iterable[Leaving] = (),
    secrets: Iterable[str] = (),
    usage: Usage | None = None,
) -> Consequences:
    """Of the whole plan.

    `published`: what is published when the stacks stand, "" if nothing is; `leaving`: stacks that are no more wanted, deleted then one by
    one, or left; `secrets`: those that no template makes.
    """
    told, gone = tuple(stacks), tuple(leaving)
    work = [
        duration.Work(stack=each.stack, operation=each.operation, depends_on=each.depends_on, changes=each.changes, regions=each.regions)
        for each in told
    ]
    noticed = _with_edge(
        [effect for each in told for effect in visitors.effects(each.stack, each.changes, each.before, each.after)],
        [words for each in told if each.changes and (words := edge.changed(each.before, each.after)) is not None],
    )
    if published:
        work.append(duration.Work(stack=CONTENT, operation="publish", depends_on=tuple(each.stack for each in told)))
        noticed.append(VisitorEffect(stack=CONTENT, logical_id="", kind="content_published", after=published))
    for stack in gone:
        if stack.deleted:
            work.append(duration.Work(stack=stack.stack, operation="remove", depends_on=tuple(each.stack for each in work)))
            noticed += visitors.effects(stack.stack, stack.removals, stack.resources, stack.kept)
    moved = [each for each in told if each.before]
    return Consequences(
        duration=duration.expected(work, measured),
        visitors=tuple(sorted(noticed, key=lambda effect: not effect.certain)),
        posture=tuple(change for each in moved for change in posture.loosened(each.stack, each.before, each.after)),
        cost=_cost(told, gone, usage or Usage(), tuple(secrets)),
    )


def _with_edge(noticed: list[VisitorEffect], functions: list[tuple[str, ...]]) -> list[VisitorEffect]:
    """With what of the first function is another: another version of it is nothing that anybody notices by itself."""
    words = tuple(dict.fromkeys(word for each in functions for word in each))
    kinds = ("authentication_changed", "routing_changed") if functions else ()
    return [
        msgspec.structs.replace(each, after=" and ".join(words)) if each.kind in kinds else each
        for each in noticed
        if words or each.kind not in kinds
    ]


def _cost(told: tuple[Told, ...], leaving: tuple[Leaving, ...], usage: Usage, secrets: tuple[str, ...]) -> CostDifference:
    there = {f"{each.stack} (no more wanted)": each for each in leaving}
    was = {each.stack: each.before for each in told} | {name: each.resources for name, each in there.items()}
    will = {each.stack: each.after for each in told} | {name: each.kept for name, each in there.items()}
    before = estimate(was, usage, secrets=secrets if any(each.before for each in told) else ())
    after = estimate(will, usage, secrets=secrets)
    left = round(float(sum(line.usd for line in after.lines if line.stack in there)), 2)
    return CostDifference(
        before=before.usd,
        after=after.usd,
        requests=usage.requests,
        gigabytes=usage.gigabytes,
        as_of=min(before.as_of, after.as_of),
        left=left,
    )
