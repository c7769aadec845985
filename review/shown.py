"""What of a plan a reader has to see, and what is folded to a line or a count.

In: a `Plan`, or a stack of it. Out: changes, texts, counts, without markup.
Never: folds what endangers data, grants everything or stops the plan; drops what it folds: it is counted, and can be asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from changes.model import PropertyChange, ResourceChange, Widening
from guards.text import plural
from planning.model import AnyStackPlan, Finding, Plan, StackPlan, StackSetPlan

VERBOSE = "--verbose"


def changing(changes: Iterable[ResourceChange]) -> tuple[ResourceChange, ...]:
    """Without those that CloudFormation lists although nothing about them changes."""
    return tuple(change for change in changes if not change.unaffected)


def resources(stack: AnyStackPlan) -> tuple[ResourceChange, ...]:
    """What is shown one by one."""
    folded = {change.logical_id for change in _retagged(stack)}
    return tuple(change for change in changing(stack.resources) if change.logical_id not in folded)


def detailed(plan: Plan) -> tuple[AnyStackPlan, ...]:
    """Stacks of which there is more to tell than that they stay, or that they are blocked."""
    return tuple(s for s in plan.stacks if s.operation not in ("none", "blocked") or s.resources or any(p.changed for p in s.parameters))


def properties(change: ResourceChange) -> tuple[PropertyChange, ...]:
    """Those that change, or may."""
    return tuple(item for item in change.properties if not item.keeps)


def kept_line(stack: AnyStackPlan) -> str:
    """What CloudFormation lists beside; empty if there is nothing."""
    names = [change.logical_id for change in stack.resources if change.unaffected]
    several = len(names) > 1
    said = f"{', '.join(names)}: listed by CloudFormation, but what {'they refer' if several else 'it refers'} to keeps its value"
    return said if names else ""


def _retagged(stack: AnyStackPlan) -> tuple[ResourceChange, ...]:
    """Resources of which nothing changes but the tags that the stack gives them."""
    if not isinstance(stack, StackPlan) or not stack.tags:
        return ()
    return tuple(
        change
        for change in stack.resources
        if change.action == "modify"
        and change.in_change_set
        and change.replacement.verdict == "no"
        and properties(change)
        and all(item.attribute == "Tags" and item.is_open for item in properties(change))
    )


def retagged_line(stack: AnyStackPlan) -> str:
    """Who gets the stack's tags; empty if it is told resource by resource."""
    names = [change.logical_id for change in _retagged(stack)]
    return f"{plural(len(names), 'resource')} {'gets' if len(names) == 1 else 'get'} the tags of the stack" if names else ""


# --- findings -----------------------------------------------------------------------------------------------------

SCREEN = 24
"""Lines after which what stood at the top is said again at the end."""


def repeated(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """What nobody may miss: what stops the plan, and what it warns of."""
    return tuple(finding for finding in findings if finding.severity != "note")


# --- policies -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Folded:
    """Widenings of which only the number is told."""

    new: tuple[tuple[str, int, int], ...]
    """(stack, statements, policies) of every stack that is new: all that it says is more than before."""
    following: tuple[Widening, ...]
    """Those that allow no more than before, on what takes the place of what they named."""

    def lines(self) -> Iterator[str]:
        """One a subject."""
        for stack, statements, policies in self.new:
            yield f"{stack}: a new stack with {plural(statements, 'statement')} in {plural(policies, 'policy', 'policies')}"
        if self.following:
            where = dict.fromkeys(f"{w.stack}.{w.logical_id}" for w in self.following)
            yield f"{', '.join(where)}: the same as before is allowed, on what takes the place of what is replaced"


def policies(plan: Plan, *, verbose: bool = False) -> tuple[tuple[Widening, ...], Folded]:
    """The widenings to show, and the rest. What grants everything is shown whatever it belongs to."""
    shown: list[Widening] = []
    new: list[tuple[str, int, int]] = []
    following: list[Widening] = []
    for stack in plan.stacks:
        following += [w for w in stack.widenings if w.follows and not verbose]
        found = [w for w in stack.widenings if verbose or not w.follows]
        if not (stack.exists if isinstance(stack, StackSetPlan) else stack.state.exists or stack.takes) and not verbose:
            quiet = [w for w in found if not w.grants_everything]
            if quiet:
                new.append((stack.stack, len(quiet), len({(w.logical_id, w.path) for w in quiet})))
            found = [w for w in found if w.grants_everything]
        shown += found
    return tuple(shown), Folded(new=tuple(new), following=tuple(following))


def quiet(plan: Plan) -> tuple[Widening, ...]:
    """Those that `policies` folds."""
    loud = {id(w) for w in policies(plan)[0]}
    return tuple(w for stack in plan.stacks for w in stack.widenings if id(w) not in loud)
