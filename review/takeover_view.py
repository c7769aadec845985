"""What a stack takes over, and that it happens before anything changes.

In: a stack's plan. Out: titles and lines, without markup. Never: shows a value of what is taken over.
"""

from __future__ import annotations

from guards.text import printable
from planning.model import AnyStackPlan, StackPlan, TakenOver
from templates.resources import RETAINING
from templates.values import Known

FIRST = "First it takes over what exists; nothing changes by that"
THEN = "Then it is made what the template says"
THEN_NOTHING = "Then only the outputs, tags and settings of the stack are set"


def takes(stack: AnyStackPlan) -> tuple[TakenOver, ...]:
    """What it takes over; nothing for most."""
    return stack.takes if isinstance(stack, StackPlan) else ()


def line(each: TakenOver) -> str:
    """ "Bucket  AWS::S3::Bucket  my-site  (terraform module.site.aws_s3_bucket.this)"."""
    return f"{each.logical_id}  {each.resource_type}  {printable(each.physical_id)}  ({printable(each.source)})"


def then(stack: AnyStackPlan) -> str:
    """The title of what follows; empty where nothing is taken over."""
    if not takes(stack):
        return ""
    return THEN if stack.resources else THEN_NOTHING


def no_more_kept(stack: AnyStackPlan) -> str:
    """What `destroy` would delete, once the plan is applied; empty where all of it stays. Before, nobody's `destroy` here could."""
    taken = {each.logical_id for each in takes(stack)}
    names = [
        change.logical_id
        for change in stack.resources
        if change.logical_id in taken
        for each in change.properties
        if each.attribute == "DeletionPolicy" and not (isinstance(each.after, Known) and each.after.text in RETAINING)
    ]
    if not names:
        return ""
    return f"From then on destroy deletes {', '.join(names)}, unless adopt.let_go is set before"


def count(stack: AnyStackPlan) -> str:
    """ "2 to take over"."""
    return f"{len(takes(stack))} to take over" if takes(stack) else ""
