# mypy: allow-untyped-calls
"""How the StackSets API is spoken: declared actions, requests read, answers and errors written (CloudFormation's Query protocol).

In: MiniStack's parsed request parameters. Out: XML answers and the documented errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from ministack.core.responses import get_account_id, get_region
from ministack.services import organizations
from ministack.services.cloudformation.handlers import _ACTION_HANDLERS
from ministack.services.cloudformation.helpers import _error, _p, _page, _xml

from emulator.stacksets.state import Instance, Operation, StackSet, Target, store

Params = dict[str, Any]
Body = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]


class Refusal(Exception):
    """An error answer."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def _answering(name: str, action: Callable[[Params], Body]) -> Callable[[Params], Answer]:
    def handler(params: Params) -> Answer:
        try:
            body = action(params)
        except Refusal as refusal:
            answer: Answer = _error(refusal.code, str(refusal), refusal.status)
            return answer
        answered: Answer = _xml(200, f"{name}Response", f"<{name}Result>{_elements(body)}</{name}Result>")
        return answered

    return handler


def _elements(values: dict[str, Any]) -> str:
    """XML of a dictionary; lists become members, and empty values are left out but for the list that was asked for."""
    parts = []
    for key, value in values.items():
        if isinstance(value, bool):
            parts.append(f"<{key}>{str(value).lower()}</{key}>")
        elif value is None or (value in ("", {}, []) and key != "Summaries"):
            continue
        elif isinstance(value, dict):
            parts.append(f"<{key}>{_elements(value)}</{key}>")
        elif isinstance(value, list):
            members = "".join(f"<member>{_elements(each) if isinstance(each, dict) else escape(str(each))}</member>" for each in value)
            parts.append(f"<{key}>{members}</{key}>")
        else:
            parts.append(f"<{key}>{escape(str(value))}</{key}>")
    return "".join(parts)


ACTIONS: dict[str, Callable[[Params], Body]] = {}
"""Every declared action. A module of this package declares its own with `action` or `stack_set_action`."""


def action(name: str) -> Callable[[Callable[[Params], Body]], Callable[[Params], Body]]:
    """Declare the handler of one API action: it reads the request and gives the content of the answer, or raises `Refusal`."""

    def declare(handler: Callable[[Params], Body]) -> Callable[[Params], Body]:
        ACTIONS[name] = handler
        return handler

    return declare


def stack_set_action(name: str) -> Callable[[Callable[[Params, StackSet], Body]], Callable[[Params, StackSet], Body]]:
    """Declare the handler of an action on the stack set that the request names."""

    def declare(handler: Callable[[Params, StackSet], Body]) -> Callable[[Params, StackSet], Body]:
        ACTIONS[name] = lambda params: handler(params, find_stack_set(params))
        return handler

    return declare


def install_actions() -> None:
    """Put every declared action into MiniStack's table."""
    for name, handler in ACTIONS.items():
        _ACTION_HANDLERS[name] = _answering(name, handler)


def flag(params: Params, name: str) -> bool:
    return str(_p(params, name)).lower() == "true"


def administrator(params: Params) -> Target:
    """Whose sets are meant: a delegated administrator works on those of the organization's management account."""
    account, region = caller()
    if _p(params, "CallAs") != "DELEGATED_ADMIN":
        return account, region
    for (master, _), record in organizations._accounts._data.items():
        if record["Id"] == account and master != account:
            return master, region
    raise Refusal("ValidationError", "You must be the management account or delegated admin account of an organization")


def find_stack_set(params: Params) -> StackSet:
    """The active set of the name, id or ARN in the request; raises `Refusal`."""
    wanted = _p(params, "StackSetName")
    account, region = administrator(params)
    for stack_set in store.active(account, region):
        if wanted in (stack_set.name, stack_set.id, stack_set.arn):
            return stack_set
    raise Refusal("StackSetNotFoundException", f"StackSet {wanted} not found", 404)


def find_operation(params: Params, stack_set: StackSet) -> Operation:
    wanted = _p(params, "OperationId")
    for operation in stack_set.operations:
        if operation.id == wanted:
            return operation
    raise Refusal("OperationNotFoundException", f"Operation {wanted} not found", 404)


def find_instance(params: Params, stack_set: StackSet) -> Instance:
    account, region = _p(params, "StackInstanceAccount"), _p(params, "StackInstanceRegion")
    instance = stack_set.instance((account, region))
    if instance is None:
        raise Refusal("StackInstanceNotFoundException", f"Stack instance not found for account {account} in {region}", 404)
    return instance


def paged(params: Params, action: str, summaries: list[dict[str, Any]]) -> dict[str, Any]:
    size = int(_p(params, "MaxResults") or 100)
    if not 1 <= size <= 100:
        raise Refusal("ValidationError", "MaxResults must be between 1 and 100")
    page, token, refusal = _page(summaries, params, action, size)
    if refusal:
        raise Refusal("ValidationError", "Invalid NextToken")
    next_token = token.removeprefix("<NextToken>").removesuffix("</NextToken>")
    return {"Summaries": page, "NextToken": next_token}


def filters(params: Params) -> dict[str, str]:
    found, number = {}, 1
    while name := _p(params, f"Filters.member.{number}.Name"):
        found[name] = _p(params, f"Filters.member.{number}.Values")
        number += 1
    return found


def parameter_list(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def caller() -> Target:
    """Account and region of the request."""
    return get_account_id(), get_region()
