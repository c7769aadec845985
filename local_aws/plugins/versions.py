# mypy: allow-untyped-calls
"""Published Lambda versions as strict as on AWS: none of a function whose code and settings are as its last version has them.

In: MiniStack's handler of AWS::Lambda::Version, which only asks whether the function was updated since. Out: the same handler, which
compares what there is, so that an update to and fro counts for nothing, and which refuses a function that is not there.
Source: Lambda API reference, PublishVersion: no version is published while code and configuration are as in the last one.
"""

from __future__ import annotations

from typing import Any

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
    """Put the comparison before and after the handler that publishes."""
    cfn._RESOURCE_HANDLERS["AWS::Lambda::Version"].update({"create": _create, "update": _update})


def _create(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
    function = _function(props)
    _refuse_unchanged(function)
    physical_id, attributes = cfn._lambda_version_create(logical_id, props, stack_name)
    function["versions"][attributes["Version"]][_SOURCE] = _content(function)
    return physical_id, attributes


def _update(
    physical_id: str, old_props: dict[str, Any], new_props: dict[str, Any], stack_name: str, logical_id: str | None = None
) -> tuple[str, dict[str, Any]]:
    # Everything of a version but its scaling, which ours do not have, is create-only (provider schema).
    return _create(logical_id or physical_id, new_props, stack_name)


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
