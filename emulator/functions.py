# mypy: allow-untyped-calls
"""Lambda functions and versions as strict as on AWS.

In: MiniStack's handlers, which take over a function that is there already, publish a version of one that is not, and, before publishing,
ask only whether the function was updated since. Out: the same handlers, which refuse all three; what is compared is what there is, so that
an update to and fro counts for nothing.
Source: Lambda API reference, CreateFunction (ResourceConflictException) and PublishVersion (no version while code and configuration are as
in the last one).
"""

from __future__ import annotations

from typing import Any, cast

import ministack.services.cloudformation.provisioners as cfn
from ministack.services import lambda_svc

_MOVING = frozenset(
    {
        "FunctionArn",
        "LastModified",
        "LastUpdateStatus",
        "LastUpdateStatusReason",
        "LastUpdateStatusReasonCode",
        "RevisionId",
        "State",
        "StateReason",
        "StateReasonCode",
        "Version",
    }
)
"""Fields of FunctionConfiguration that tell of the function's history, not of what runs."""

_SOURCE = "published_from"
"""Our key in a version's record. The version's own description may differ from the function's."""


def install() -> None:
    """Put the checks before MiniStack's handlers."""
    handlers = cast("dict[str, dict[str, Any]]", cfn._RESOURCE_HANDLERS)
    handlers["AWS::Lambda::Function"]["create"] = _function_create
    handlers["AWS::Lambda::Version"].update({"create": _version_create, "update": _version_update})


def _function_create(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
    name = props.get("FunctionName", "")
    if name in lambda_svc._functions:
        raise ValueError(f"Function already exist: {name}")
    made: tuple[str, dict[str, Any]] = cfn._lambda_create(logical_id, props, stack_name)
    return made


def _version_create(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
    function = _function(props)
    _refuse_unchanged(function)
    physical_id, attributes = cfn._lambda_version_create(logical_id, props, stack_name)
    function["versions"][attributes["Version"]][_SOURCE] = _content(function)
    return physical_id, attributes


def _version_update(
    physical_id: str, _old_props: dict[str, Any], new_props: dict[str, Any], stack_name: str, logical_id: str | None = None
) -> tuple[str, dict[str, Any]]:
    # Everything of a version but its scaling, which ours do not have, is create-only (provider schema).
    return _version_create(logical_id or physical_id, new_props, stack_name)


def _function(props: dict[str, Any]) -> dict[str, Any]:
    name = str(props.get("FunctionName", "")).rpartition(":function:")[2]
    found: dict[str, Any] | None = lambda_svc._functions.get(name)
    if found is None:
        raise ValueError(f"Function not found: {name}")
    return found


def _content(function: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in function["config"].items() if name not in _MOVING}


def _refuse_unchanged(function: dict[str, Any]) -> None:
    latest = max(function["versions"], key=int, default=None)
    if latest is not None and function["versions"][latest].get(_SOURCE) == _content(function):
        raise ValueError(f"A version for this Lambda function exists ( {latest} ). Modify the function to create a new version.")
