"""What a plan means for those who wait, visit, defend and pay (`consequences`), told of the stacks as they were planned.

In: a plan, its stacks as planned, what was measured beside. Out: the plan with its consequences.
Never: asks AWS; says anything of a plan that changes nothing or cannot be applied.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from changes.context import Resources
from consequences import lifted, told
from consequences.model import PostureChange
from planning.model import AnyStackPlan, Plan, StackPlan, StackSetPlan
from planning.run import Planned, PlanningRun


def with_consequences(plan: Plan, done: Mapping[str, Planned], run: PlanningRun) -> Plan:
    """With what the whole of it means."""
    if plan.blocked or not plan.has_changes:
        return plan
    content = plan.content if plan.content is not None and plan.content.has_changes else None
    leaving, last = run.request.leaving(), run.request.last()
    # One that is not asked for any more stays in the account, and goes on costing.
    secrets = {each.basic_auth_secret.secret for each in (last, run.request.assembly) if each is not None and each.basic_auth_secret}
    found = told.consequences(
        (_told(stack, done[stack.stack]) for stack in plan.stacks),
        run.measured(),
        published="" if content is None else content.origin,
        leaving=[
            told.Leaving(stack=each.stack, resources=leaving.get(each.stack, {}), deleted=plan.options.remove) for each in plan.removals
        ],
        secrets=secrets,
    )
    settings = tuple(change for stack in plan.stacks if isinstance(stack, StackPlan) for change in _settings(stack))
    asked = () if last is None else tuple(lifted.lifted(last, run.request.assembly))
    return msgspec.structs.replace(plan, consequences=msgspec.structs.replace(found, posture=(*asked, *found.posture, *settings)))


def _told(stack: AnyStackPlan, planned: Planned) -> told.Told:
    regions = 0
    if isinstance(stack, StackSetPlan):
        regions = len({instance.region for instance in stack.instances if instance.action != "none"})
    return told.Told(
        stack=stack.stack,
        operation=stack.operation,
        depends_on=stack.depends_on,
        changes=stack.resources,
        before=_before(stack, planned),
        after=planned.context.after if planned.context else {},
        regions=regions,
    )


def _before(stack: AnyStackPlan, planned: Planned) -> Resources:
    """What stood before. No stack kept what is taken over: that the import keeps it until it is updated is no defence of before."""
    if planned.context is None:
        return {}
    before, after = planned.context.before, planned.context.after
    taken = {each.logical_id for each in stack.takes} if isinstance(stack, StackPlan) else set()
    policies = {name: after.get(name, {}).get("DeletionPolicy") for name in taken}
    return {**before, **{name: {**before[name], "DeletionPolicy": policies[name]} for name in taken if name in before}}


def _settings(stack: StackPlan) -> tuple[PostureChange, ...]:
    """A stack policy that refuses nothing any more. Termination protection is never taken off by a plan."""
    return tuple(
        PostureChange(
            stack=stack.stack,
            logical_id="",
            resource_type="AWS::CloudFormation::Stack",
            kind="protection_lifted",
            subject="stack policy",
            before="refuses changes",
            after="refuses none",
        )
        for setting in stack.settings
        if setting.setting == "stack_policy" and '"Deny"' in setting.before and '"Deny"' not in setting.after
    )
