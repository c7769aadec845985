"""Plans of a stack put together: what its place in the assembly says, and what was found out.

In: a stack, its state, findings. Out: a plan of the right kind. Never: asks AWS.
"""

from __future__ import annotations

from typing import Any

from assembly.model import Stack
from planning.model import AnyStackPlan, Finding, StackOperation, StackPlan, StackSetPlan, StackState, planned_place


def blocked(stack: Stack, state: StackState, findings: tuple[Finding, ...], **more: Any) -> AnyStackPlan:
    if stack.stackset is not None:
        return StackSetPlan(
            **planned_place(stack),
            operation="blocked",
            depends_on=stack.depends_on,
            exists=state.exists,
            stack_set_id=None,
            template_sha256=stack.template.sha256,
            deployed_template_sha256=None,
            preferences=stack.stackset.preferences,
            findings=findings,
        )
    return stack_plan(stack, state, "blocked", findings=findings, **more)


def stack_plan(stack: Stack, state: StackState, operation: StackOperation, **more: Any) -> StackPlan:
    return StackPlan(
        **planned_place(stack),
        operation=operation,
        depends_on=stack.depends_on,
        state=state,
        template_sha256=stack.template.sha256,
        **more,
    )
