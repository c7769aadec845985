"""What to plan: which stacks of an assembly, for whom, and the names that its change sets get.

In: an assembly, the options of the command line. Out: `Request`, the selected stacks, names.
Never: asks AWS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from assembly.errors import Remedied
from assembly.model import Assembly, Stack
from guards.slips import did_you_mean
from planning.model import Finding, Options, Plan
from planning.removals import Removal
from takeover.model import Taken
from website.content_plan import ContentPlan

CHANGE_SET_PREFIX = "plan"
REVIEW_PREFIX = "review"
"""Of change sets that are only read: who may plan and not apply may touch no others (`policies.planning`)."""


IMPORT_SUFFIX = "-import"
"""Of the name of a change set that apply makes to take over what exists."""


class PlanError(Remedied):
    """Planning was asked for something that makes no sense; `command` is what to type."""


class Stopped(Exception):
    """Planning was interrupted; everything that it had made is deleted."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to plan, and what goes on the record."""

    assembly: Assembly
    templates: Mapping[str, bytes]
    """By stack id."""
    options: Options
    created_at: str
    """ISO 8601, UTC."""
    created_by: str
    nonce: str
    """Lower-case hexadecimal that no other plan has; names the change sets."""
    content: ContentPlan | None = None
    """What is to be published when the stacks stand."""
    look: Callable[[], Iterable[Finding]] = tuple
    """Finds what is about the whole environment; called beside the planning of the stacks."""
    measured: Callable[[], Mapping[tuple[str, str], float]] = dict
    """How long stacks took before, by stack and operation in seconds; asked for beside the planning, where something changes."""
    removals: Callable[[], tuple[Removal, ...]] = tuple
    """Stacks of the environment that are no more wanted; called after `look`."""
    leaving: Callable[[], Mapping[str, Mapping[str, Any]]] = dict
    """Their resources by stack id, as deployed; called after `look`."""
    last: Callable[[], Assembly | None] = lambda: None
    """The assembly that was applied last; called after `look`, where something changes."""
    taken: tuple[Taken, ...] = ()
    """What exists and is to be taken over."""
    first_look: Callable[[], Iterable[Finding]] = tuple
    """The same, called where a stack is not there yet: before a first creation there is more to look at."""


Progress = Callable[[str, str], None]
"""Called with a stack id and what happens to it; from any thread."""


def change_set_prefix(environment: str, *, read_only: bool = False) -> str:
    """What the name of every change set of a plan of that environment begins with."""
    return f"{REVIEW_PREFIX if read_only else CHANGE_SET_PREFIX}-{re.sub('[^A-Za-z0-9-]', '-', environment)}-"


def change_set_name(request: Request) -> str:
    """Name of the plan's change sets: environment, assembly and plan can be told from it."""
    prefix = change_set_prefix(request.assembly.environment, read_only=request.options.read_only)
    return f"{prefix}{request.assembly.digest[:8]}-{request.nonce}"


def selected(assembly: Assembly, only: Iterable[str]) -> tuple[Stack, ...]:
    """The stacks of `only` and all that they depend on, in catalogue order; every stack if `only` is empty. Raises `PlanError`."""
    by_id = {stack.id: stack for stack in assembly.stacks}
    wanted = tuple(only)
    unknown = [stack for stack in wanted if stack not in by_id]
    if unknown:
        meant = did_you_mean(unknown[0], by_id)
        raise PlanError(f"no stack is called {', '.join(unknown)} in {assembly.environment}{meant}; there are {', '.join(by_id)}")
    found: set[str] = set()
    queue = list(wanted or by_id)
    while queue:
        stack = queue.pop()
        if stack not in found:
            found.add(stack)
            queue += by_id[stack].depends_on
    return tuple(stack for stack in assembly.stacks if stack.id in found)


def real_change_set_name(plan: Plan) -> str:
    """Name of the change sets that apply makes for the previewed stacks of the plan."""
    return f"{change_set_prefix(plan.environment)}{plan.assembly_digest[:8]}-{plan.digest[:12]}"
