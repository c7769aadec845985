# mypy: allow-untyped-calls
"""Deleted stacks stay listed, whatever is made under their name later.

In: a stack that is made under the name of a deleted one. Out: both: the deleted one by its ARN, in ListStacks and with its events.
Never: gives a deleted stack by its name.

Source: API reference, ListStacks (what is deleted is listed for 90 days) and DescribeStacks (a deleted
stack by its id). MiniStack keeps one stack a name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import _stacks
from ministack.services.cloudformation.handlers import _ACTION_HANDLERS
from ministack.services.cloudformation.helpers import _p


def install() -> None:
    """Around everything that makes a stack."""
    for action in ("CreateChangeSet", "CreateStack"):
        _ACTION_HANDLERS[action] = _remembering(_ACTION_HANDLERS[action])


def _remembering(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def made(params: Any) -> Any:
        name = _p(params, "StackName")
        old = _stacks.get(name)
        answer = make(params)
        if old is not None and old.get("StackStatus") == "DELETE_COMPLETE" and _stacks.get(name) is not old:
            _stacks[old["StackId"]] = old
        return answer

    return made
