"""What a plan does to the picture of its environment.

In: a plan; the assembly and the templates that it is of. Out: what `graph` marks; the picture for a page.
Never: asks AWS, draws a plan of another assembly.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from assembly.model import Assembly
from graph.picture import Change, Changes, Mark, legend, picture
from graph.svg import svg
from planning.model import Plan
from review import shown
from review.summary import Kind, kind_of

_MARKS: Mapping[Kind, Mark] = {
    "add": "add",
    "import": "add",
    "modify": "modify",
    "sync": "modify",
    "dynamic": "modify",
    "unlisted": "modify",
    "maybe_replace": "replace",
    "replace": "replace",
    "remove": "remove",
}


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A picture as an image that a page can hold."""

    source: str
    """A data URI: as an image it neither runs a script nor loads anything, and its style stays its own."""
    said: str
    """The same in words."""


def changes(plan: Plan) -> Changes:
    """By stack and logical id; what the review folds away is not marked either."""
    return {
        (stack.stack, change.logical_id): Change(mark=_MARKS[kind_of(change)], resource_type=change.resource_type)
        for stack in plan.stacks
        for change in shown.resources(stack)
    }


def drawn(plan: Plan, assembly: Assembly, templates: Mapping[str, bytes]) -> Drawn | None:
    """The picture with the plan in it; None where the plan is of another assembly."""
    if plan.assembly_digest != assembly.digest:
        return None
    found = picture(assembly, templates, changes(plan))
    marked = [node.label + " of " + node.stack for box in found.boxes for node in box.nodes if node.mark]
    said = f"{found.title}, {found.domain}. {'; '.join(legend(found)) or 'nothing changes'}. Marked: {', '.join(marked) or 'nothing'}."
    return Drawn(source="data:image/svg+xml;base64," + base64.b64encode(svg(found).encode()).decode(), said=said)
