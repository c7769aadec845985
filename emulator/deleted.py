# mypy: allow-untyped-calls
"""A stack's name that has been used: deleted stacks stay listed, and one under review takes further change sets.

In: a stack that is made under a name that there was. Out: the deleted one by its ARN, in ListStacks and with its events; what is under
review as the one that it was, so that executing one of its change sets deletes the others.
Never: gives a deleted stack by its name.

Source: API reference, ListStacks (what is deleted is listed for 90 days), DescribeStacks (a deleted stack by its id), ExecuteChangeSet
(deletes all other change sets of the stack). MiniStack keeps one stack a name, and makes it anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import _change_sets, _stack_events, _stacks
from ministack.services.cloudformation.handlers import _ACTION_HANDLERS
from ministack.services.cloudformation.helpers import _p


def install() -> None:
    """Around everything that makes a stack."""
    for action in ("CreateChangeSet", "CreateStack"):
        _ACTION_HANDLERS[action] = _remembering(_ACTION_HANDLERS[action])


def _remembering(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def remembering(params: Any) -> Any:
        name = _p(params, "StackName")
        old = _stacks.get(name)
        (status, headers, body), made = make(params), _stacks.get(name)
        if old is None or made is old:
            return status, headers, body
        if made is None or old.get("StackStatus") == "DELETE_COMPLETE":
            _stacks[old["StackId"] if made else name] = old
        elif old.get("StackStatus") == "REVIEW_IN_PROGRESS":
            again, first = made["StackId"], old["StackId"]
            _stack_events.pop(again, None)
            for each in (made, *(c for c in _change_sets.values() if c["StackId"] == again)):
                each["StackId"] = first
            body = body.replace(again.encode(), first.encode())
        return status, headers, body

    return remembering
