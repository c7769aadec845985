# mypy: allow-untyped-calls
"""Stacks that take time, and what becomes of those that a server's end has cut off.

In: LOCAL_AWS_RESOURCE_SECONDS, how long each resource takes; stacks restored from disk.
Out: stacks in progress long enough to be looked at, interrupted or killed; restored stacks that nobody works on any more stand as failed.
Never: blocks MiniStack's event loop (a slow resource waits on a worker thread), slows anything down unless asked.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import provisioners, stacks

stopping = threading.Event()
"""Set when the server ends; whoever waits in a thread must look at it."""

_CUT_OFF = {
    "CREATE_IN_PROGRESS": "CREATE_FAILED",
    "DELETE_IN_PROGRESS": "DELETE_FAILED",
    "IMPORT_IN_PROGRESS": "IMPORT_ROLLBACK_FAILED",
    "UPDATE_IN_PROGRESS": "UPDATE_FAILED",
}
_ROLLBACK_CUT_OFF = {
    "IMPORT_ROLLBACK_IN_PROGRESS": "IMPORT_ROLLBACK_FAILED",
    "ROLLBACK_IN_PROGRESS": "ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_IN_PROGRESS": "UPDATE_ROLLBACK_FAILED",
}

_blocking: set[str] = set()


def on_worker_thread(kind: str) -> None:
    """Have that resource type provisioned on a worker thread."""
    _blocking.add(kind)


def install() -> None:
    """Wrap MiniStack's table of resource types; called after every other plug-in has added its own."""
    original = stacks._runs_on_worker_thread
    seconds = float(os.environ.get("LOCAL_AWS_RESOURCE_SECONDS", "0"))
    stacks._runs_on_worker_thread = lambda resource_type: seconds > 0 or resource_type in _blocking or original(resource_type)
    if seconds <= 0:
        return
    table: Any = provisioners._RESOURCE_HANDLERS
    for handlers in table.values():
        for name in ("create", "update", "delete"):
            if name in handlers:
                handlers[name] = _slow(handlers[name], seconds)


def _slow(handler: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    def slowed(*arguments: Any, **named: Any) -> Any:
        stopping.wait(seconds)
        return handler(*arguments, **named)

    return slowed


def settle_restored(saved: dict[str, Any]) -> None:
    """Stacks that were in progress when the server ended have failed: there is nobody left to finish them."""
    store = saved.get("stacks")
    for stack in getattr(store, "_data", {}).values():
        status = stack.get("StackStatus", "")
        failed = {**_CUT_OFF, **_ROLLBACK_CUT_OFF}.get(status)
        if failed:
            stack["StackStatus"] = failed
            stack["StackStatusReason"] = "the local AWS ended while this was in progress"
