# mypy: allow-untyped-calls
"""Events of an update only for what it changes.

In: MiniStack's engine, which goes through every resource of a stack and tells an update of each. Out: events as AWS has them.
Never: leaves out an event of a resource whose properties change, or that fails.

Source: CloudFormation User Guide, "Update behaviors of stack resources": it updates what differs from the stack's current template, and
resources that have not changed run on without disruption.
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudformation
from ministack.services.cloudformation import stacks


def install() -> None:
    """Note which resources an update leaves as they are, and forget their events."""
    engine: Any = stacks
    update, add = engine._update_resource, engine._add_event
    unchanged: set[tuple[str, str, str, str]] = set()

    def updated(kind: str, physical_id: str, old: dict[str, Any], new: dict[str, Any], *more: Any) -> Any:
        stack_name, logical_id = more[:2]
        key = (get_region(), get_account_id(), stack_name, logical_id)
        note = unchanged.add if old == new else unchanged.discard
        note(key)
        return update(kind, physical_id, old, new, *more)

    def added(stack_id: str, stack_name: str, logical_id: str, resource_type: str, status: str, *more: Any, **named: Any) -> None:
        key = (*stack_id.split(":")[3:5], stack_name, logical_id)
        if status == "UPDATE_COMPLETE" and key in unchanged:
            unchanged.discard(key)
            told = cloudformation._stack_events.get(stack_id, [])
            last = next((event for event in reversed(told) if event["LogicalResourceId"] == logical_id), None)
            if last is not None and last["ResourceStatus"] == "UPDATE_IN_PROGRESS":
                told.remove(last)
                return
        add(stack_id, stack_name, logical_id, resource_type, status, *more, **named)

    engine._update_resource, engine._add_event = updated, added
