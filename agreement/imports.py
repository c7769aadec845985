"""The two steps of taking over what exists, made once more with the real values: is it still what was approved?

In: a planner of the stack, its approved plan. Out: the change set that imports; the plan of the update after it. `Changed` where
anything is not as it was approved.
Never: executes anything; leaves a change set behind that it does not hand out.
"""

from __future__ import annotations

import contextlib

import msgspec

from aws.errors import NotFound
from changes.by_template import from_templates
from changes.causes import under
from changes.context import Context
from changes.model import PropertyChange, ResourceChange
from changes.replacement import settled
from planning.importing import ImportPlanner
from planning.model import ChangeSetRef, StackPlan
from takeover.known import substituted
from takeover.live import live
from takeover.model import Taken
from takeover.preparation import identified
from takeover.template import fingerprint


class Changed(Exception):
    """What was to be taken over is not as it was when the plan was made; one difference a line."""

    def __init__(self, differences: tuple[str, ...]) -> None:
        super().__init__("\n".join(differences))
        self.differences = differences


def taken_of(plan: StackPlan) -> tuple[Taken, ...]:
    """What an approved plan takes over."""
    return tuple(
        Taken(
            stack=plan.stack,
            logical_id=each.logical_id,
            type=each.resource_type,
            identifier=each.identifier,
            source=each.source,
            account_id=plan.account_id,
            region=plan.region,
        )
        for each in plan.takes
    )


def plan_import(planner: ImportPlanner, approved: StackPlan) -> ChangeSetRef:
    """The change set that takes over what was approved: the one that the plan made, else one that is made now.

    Everything is read again: `Changed` if anything is not as it was approved. Raises `AwsError`, and `Stopped` after an interrupt.
    """
    with planner.run as run:
        planner.look()
        planner.deployed = planner.old_template
        inputs = planner.inputs()
        found = planner.prepared(taken_of(approved), inputs)
        errors = tuple(f.message for f in (*planner.findings, *inputs.findings) if f.severity == "error")
        if errors:
            raise Changed(errors)
        now = {logical_id: fingerprint(found.template["Resources"][logical_id]) for logical_id in found.by_id}
        changed = tuple(
            f"{each.logical_id} ({each.physical_id}) is not as it was when the plan was made"
            for each in approved.takes
            if now.get(each.logical_id) != each.sha256
        )
        if changed:
            raise Changed(changed)
        if approved.change_set is not None:
            return approved.change_set
        with contextlib.ExitStack() as within:
            reference = planner.reviewed(within, inputs, found)
            if reference is None:
                raise Changed(tuple(f.message for f in planner.findings if f.severity == "error"))
            planner.kept.add(reference.arn)
        run.keep()
        return reference


def plan_aligned(planner: ImportPlanner, approved: StackPlan) -> StackPlan:
    """The update after the import, with references to what was taken over filled in as in the approved plan.

    Its change set stays unless the stack is blocked. Raises as `plan_import`.
    """
    stack, gateways = planner.stack, planner.run.gateways
    with planner.run as run:
        read = gateways.live(stack.account_id, stack.region, stack.role_arn)
        lives, role = {}, planner.inputs().role_arn
        for each in taken_of(approved):
            schema = run.schemas.of(each.type, stack.region)
            assert schema is not None, "it was imported with it"
            try:
                lives[each.logical_id] = live(schema, each, read.get(each.type, each.identifier, service_role_arn=role))
            except NotFound:
                raise Changed((f"{each.logical_id} ({identified(each)}) is gone",)) from None
        planner.known, planner.template = lives, substituted(planner.template, lives)
        planned = planner.plan()
        plan, context = planned.plan, planned.context
        assert isinstance(plan, StackPlan), "the assembly says that it is a stack"
        if context is not None and context.comparable:
            plan = msgspec.structs.replace(plan, resources=tuple(settled_by_value(each, context) for each in plan.resources))
        if plan.operation != "blocked":
            run.keep()
        return plan


def settled_by_value(change: ResourceChange, context: Context) -> ResourceChange:
    """Without what CloudFormation lists only because a value is now a reference to what was taken over, which gives the same value; and
    without the stack's tags, which are compared for themselves.
    """
    if change.action != "modify":
        return change
    by_template = from_templates(change.logical_id, context)
    told = by_template.properties if by_template is not None else ()

    def differs(one: PropertyChange) -> bool:
        if one.attribute == "Tags":
            # Those of the stack are compared for themselves; those of the template are properties.
            return False
        if one.is_open and any(under(each.path, one.path) and each.path != one.path for each in told if each.attribute == one.attribute):
            # Listed as a whole because of what it refers to; its parts are told, each with its values.
            return False
        if one.drifted or one.attribute != "Properties" or any(cause.startswith("parameter ") for cause in one.because_of):
            return True
        return any(t.attribute == one.attribute and (under(t.path, one.path) or under(one.path, t.path)) for t in told)

    properties = tuple(each if differs(each) else msgspec.structs.replace(each, keeps=True) for each in change.properties)
    replacement = change.replacement
    if replacement.by == "schema":
        schema = context.schemas.of(change.resource_type, context.region)
        replacement = settled(tuple(each for each in properties if not each.keeps), schema, by="schema")
    return msgspec.structs.replace(change, properties=properties, replacement=replacement)
