# mypy: allow-untyped-calls
"""Stack policies as CloudFormation enforces them, for the local AWS: MiniStack keeps them and lets every update through.

In: MiniStack's engine. Out: a resource whose change the policy in force does not allow fails (UPDATE_FAILED), and the update rolls back.
Never: minds a change set, a creation, an import, a rollback or a deletion of the stack: a stack policy is about updates only.

Source: CloudFormation User Guide, "Prevent updates to stack resources": with a policy what no statement allows is refused, a Deny beats an
Allow; Update:Modify, Update:Replace, Update:Delete. What refers to something updated is updated as well and has to be allowed, though it
keeps its values. When a removal is refused is not documented; here after everything else was updated.
"""

from __future__ import annotations

from typing import Any

from stack_policies.evaluation import refusal
from templates.intrinsics import references

PARTS = {
    "ministack.services.cloudformation": ("_stacks",),
    "ministack.services.cloudformation.stacks": (
        "_add_event",
        "_resolve_stack_outputs(outputs_defs, conditions, resources, param_values, mappings, stack_name, stack_id)",
        "_replacing_change",
        "_update_resource",
    ),
}


def install() -> None:
    """Put it around the engine's updates; called after the emulator's own plug-ins. `SeamsMoved` if MiniStack is another one."""
    from emulator import seams

    seams.check(PARTS)
    from ministack.services import cloudformation
    from ministack.services.cloudformation import stacks

    engine: Any = stacks
    update, outputs = engine._update_resource, engine._resolve_stack_outputs
    under_way: dict[str, tuple[str, set[str]]] = {}

    def policy_of(stack: dict[str, Any]) -> str:
        return str(stack.get("_stack_policy") or "") if stack.get("StackStatus") == "UPDATE_IN_PROGRESS" else ""

    def begun(stack: dict[str, Any], logical_id: str, *, changed: bool) -> bool:
        """Whether this update updates the resource: it is another, or refers to one that is updated."""
        if under_way.get(stack["StackId"], ("", set()))[0] != stack["LastUpdatedTime"]:
            under_way[stack["StackId"]] = (stack["LastUpdatedTime"], set())
        done = under_way[stack["StackId"]][1]
        body = stack["_template"].get("Resources", {}).get(logical_id, {}).get("Properties", {})
        if changed or any(name in done for name, _ in references(body)):
            done.add(logical_id)
        return logical_id in done

    def updated(kind: str, physical_id: str, old: dict[str, Any], new: dict[str, Any], *more: Any) -> Any:
        stack_name, logical_id = more[:2]
        stack = cloudformation._stacks.get(stack_name, {})
        policy = policy_of(stack)
        if policy and begun(stack, logical_id, changed=old != new):
            action = "Update:Replace" if engine._replacing_change(kind, old, new) else "Update:Modify"
            words = refusal(policy, action, logical_id, kind)
            if words:
                raise ValueError(words)
        return update(kind, physical_id, old, new, *more)

    def resolved(definitions: Any, conditions: Any, resources: dict[str, Any], *more: Any) -> Any:
        stack_name, stack_id = more[-2:]
        stack = cloudformation._stacks.get(stack_name, {})
        policy, held = policy_of(stack), stack.get("_resources", {})
        for logical_id in [each for each in held if policy and each not in resources]:
            kind = held[logical_id]["ResourceType"]
            words = refusal(policy, "Update:Delete", logical_id, kind)
            if words:
                engine._add_event(stack_id, stack_name, logical_id, kind, "UPDATE_FAILED", words)
                raise ValueError(words)
        return outputs(definitions, conditions, resources, *more)

    engine._update_resource, engine._resolve_stack_outputs = updated, resolved
