# mypy: allow-untyped-calls
"""Operations seen from the API: admitted or refused, described, listed, stopped."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from ministack.services.cloudformation.helpers import _extract_string_members, _p

from emulator.stacksets import engine
from emulator.stacksets.api import Body, Params, Refusal, filters, find_operation, paged, stack_set_action
from emulator.stacksets.drift import drift_details
from emulator.stacksets.state import Operation, Preferences, Result, StackSet


def operation_preferences(params: Params) -> Preferences:
    """OperationPreferences of a request; raises `Refusal` for contradictions."""

    def number(name: str) -> int | None:
        text = _p(params, f"OperationPreferences.{name}")
        return int(text) if text else None

    preferences = Preferences(
        region_concurrency_type=_p(params, "OperationPreferences.RegionConcurrencyType") or "SEQUENTIAL",
        region_order=_extract_string_members(params, "OperationPreferences.RegionOrder"),
        failure_tolerance_count=number("FailureToleranceCount"),
        failure_tolerance_percentage=number("FailureTolerancePercentage"),
        max_concurrent_count=number("MaxConcurrentCount"),
        max_concurrent_percentage=number("MaxConcurrentPercentage"),
        concurrency_mode=_p(params, "OperationPreferences.ConcurrencyMode") or "STRICT_FAILURE_TOLERANCE",
    )
    if None not in (preferences.failure_tolerance_count, preferences.failure_tolerance_percentage):
        raise Refusal("ValidationError", "Cannot specify both FailureToleranceCount and FailureTolerancePercentage")
    if None not in (preferences.max_concurrent_count, preferences.max_concurrent_percentage):
        raise Refusal("ValidationError", "Cannot specify both MaxConcurrentCount and MaxConcurrentPercentage")
    count, tolerated = preferences.max_concurrent_count, preferences.failure_tolerance_count
    strict = preferences.concurrency_mode == "STRICT_FAILURE_TOLERANCE"
    if strict and count is not None and tolerated is not None and count > tolerated + 1:
        raise Refusal("ValidationError", "MaxConcurrentCount must be at most one more than FailureToleranceCount")
    return preferences


def begin_operation(params: Params, stack_set: StackSet, action: str, **details: Any) -> dict[str, Any]:
    """Let an operation in, or refuse it; the same request with the same OperationId starts nothing a second time."""
    operation_id = _p(params, "OperationId") or str(uuid4())
    request = json.dumps({key: params[key] for key in sorted(params) if key not in ("Version", "CallAs")}, default=str)
    for known in stack_set.operations:
        if known.id == operation_id:
            if known.request == request:
                return {"OperationId": operation_id}
            raise Refusal("OperationIdAlreadyExistsException", f"Operation Id {operation_id} already exists", 409)
    busy = stack_set.under_way()
    if busy and not stack_set.managed_execution:
        raise Refusal("OperationInProgressException", f"Another Operation on StackSet {stack_set.id} is in progress: {busy[0].id}", 409)
    operation = Operation(id=operation_id, action=action, request=request, preferences=operation_preferences(params), **details)
    overlap = any({*operation.targets} & {*other.targets} for other in busy)
    operation.status = "QUEUED" if overlap else "RUNNING"
    engine.start(stack_set, operation)
    return {"OperationId": operation_id}


def is_known_operation(params: Params, stack_set: StackSet) -> bool:
    """Whether a request names an operation that exists: then nothing may be changed before `begin_operation` has judged it."""
    return any(operation.id == _p(params, "OperationId") for operation in stack_set.operations)


def _operation_summary(operation: Operation) -> dict[str, Any]:
    preferences = operation.preferences
    return {
        "OperationId": operation.id,
        "Action": operation.action,
        "Status": operation.status,
        "StatusReason": operation.reason,
        "CreationTimestamp": operation.created,
        "EndTimestamp": operation.ended,
        "StatusDetails": {"FailedStackInstancesCount": operation.failed},
        "OperationPreferences": {
            "RegionConcurrencyType": preferences.region_concurrency_type,
            "RegionOrder": preferences.region_order,
            "FailureToleranceCount": preferences.failure_tolerance_count,
            "FailureTolerancePercentage": preferences.failure_tolerance_percentage,
            "MaxConcurrentCount": preferences.max_concurrent_count,
            "MaxConcurrentPercentage": preferences.max_concurrent_percentage,
            "ConcurrencyMode": preferences.concurrency_mode,
        },
    }


@stack_set_action("DescribeStackSetOperation")
def _describe_operation(params: Params, stack_set: StackSet) -> Body:
    operation = find_operation(params, stack_set)
    details = drift_details(stack_set, operation) if operation.action == "DETECT_DRIFT" else {}
    return {
        "StackSetOperation": {
            **_operation_summary(operation),
            "StackSetId": stack_set.id,
            "RetainStacks": operation.retain if operation.action == "DELETE" else None,
            "AdministrationRoleARN": stack_set.administration_role,
            "ExecutionRoleName": stack_set.execution_role,
            "DeploymentTargets": operation.deployment_targets,
            "StackSetDriftDetectionDetails": details,
        }
    }


@stack_set_action("ListStackSetOperations")
def _list_operations(params: Params, stack_set: StackSet) -> Body:
    newest_first = [_operation_summary(operation) for operation in reversed(stack_set.operations)]
    return paged(params, "ListStackSetOperations", newest_first)


@stack_set_action("ListStackSetOperationResults")
def _list_results(params: Params, stack_set: StackSet) -> Body:
    wanted = filters(params).get("OPERATION_RESULT_STATUS", "")
    results = [result for result in find_operation(params, stack_set).results if wanted in ("", result.status)]
    return paged(params, "ListStackSetOperationResults", [_result(result) for result in results])


def _result(result: Result) -> dict[str, Any]:
    return {
        "Account": result.account,
        "Region": result.region,
        "Status": result.status,
        "StatusReason": result.reason,
        "AccountGateResult": {
            "Status": "SKIPPED",
            "StatusReason": "Function not found: AWSCloudFormationStackSetAccountGate",
        },
        "OrganizationalUnitId": result.unit,
    }


@stack_set_action("StopStackSetOperation")
def _stop(params: Params, stack_set: StackSet) -> Body:
    """What runs is finished, what waits is cancelled."""
    operation = find_operation(params, stack_set)
    if operation.status not in ("RUNNING", "QUEUED"):
        raise Refusal("InvalidOperationException", f"Operation {operation.id} is {operation.status} and cannot be stopped")
    operation.status = "STOPPING"
    return {}


@stack_set_action("DetectStackSetDrift")
def _detect_drift(params: Params, stack_set: StackSet) -> Body:
    return begin_operation(params, stack_set, "DETECT_DRIFT", targets=[instance.target for instance in stack_set.instances])
