# mypy: allow-untyped-calls
"""Stacks that stay in progress as long as somebody wants, and what becomes of those that a server's end has cut off.

In: LOCAL_AWS_HOLD, a file: while it exists no resource of a stack, no import, no StackSet instance begins; stacks restored from disk.
Out: what is in progress until it was looked at, interrupted or killed; restored stacks that nobody works on any more stand as failed.
Never: blocks MiniStack's event loop (a resource waits on a worker thread), holds anything up unless asked.
"""

from __future__ import annotations

import asyncio
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
    "IMPORT_ROLLBACK_IN_PROGRESS": "IMPORT_ROLLBACK_FAILED",
    "ROLLBACK_IN_PROGRESS": "ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_IN_PROGRESS": "UPDATE_ROLLBACK_FAILED",
}

_HOLD = os.environ.get("LOCAL_AWS_HOLD", "")
LOOK_SECONDS = 0.02

on_worker_threads: set[str] = set()
"""Resource types that wait while they are made."""


def held() -> bool:
    """Whether nothing is to begin now."""
    return bool(_HOLD) and os.path.exists(_HOLD) and not stopping.is_set()  # noqa: PTH110  (looked at for each resource)


async def turn() -> None:
    """Wait until something may begin."""
    while held():
        await asyncio.sleep(LOOK_SECONDS)


def install() -> None:
    """Wrap MiniStack's table of resource types; called after every other plug-in has added its own."""
    original = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda resource_type: resource_type in on_worker_threads or held() or original(resource_type)
    table: Any = provisioners._RESOURCE_HANDLERS
    for handlers in table.values() if _HOLD else ():
        handlers.update((name, _in_turn(handlers[name])) for name in ("create", "update", "delete") if name in handlers)


def _in_turn(handler: Callable[..., Any]) -> Callable[..., Any]:
    def waiting(*arguments: Any, **named: Any) -> Any:
        # What was begun on the event loop before the hold is not held up: the server could not be asked then.
        while threading.current_thread() is not threading.main_thread() and held():
            stopping.wait(LOOK_SECONDS)
        return handler(*arguments, **named)

    return waiting


def settle_restored(saved: dict[str, Any]) -> None:
    """Stacks that were in progress when the server ended have failed: there is nobody left to finish them."""
    store = saved.get("stacks")
    for stack in getattr(store, "_data", {}).values():
        if failed := _CUT_OFF.get(stack.get("StackStatus", "")):
            stack |= {"StackStatus": failed, "StackStatusReason": "the local AWS ended while this was in progress"}
