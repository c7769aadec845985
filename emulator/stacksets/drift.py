# mypy: allow-untyped-calls
"""Drift of stack sets: detection on an instance, the details of a set, the drifted resources of an instance."""

from __future__ import annotations

from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudformation
from ministack.services.cloudformation.helpers import _extract_string_members

from emulator.stacksets import instance_stacks
from emulator.stacksets.api import Body, Params, Refusal, find_instance, find_operation, paged, stack_set_action
from emulator.stacksets.state import UNFINISHED_RESULTS, Instance, Operation, StackSet


def detect(instance: Instance) -> str:
    """Detect drift of one instance, in the scope of its account and region; the problem, or ""."""
    stack = instance_stacks.stack_of(instance)
    if stack is None:
        return "the stack does not exist"
    refusal = instance_stacks.act("DetectStackDrift", {"StackName": [instance.stack_name]})
    if not refusal:
        instance.drift = stack["DriftInformation"]["StackDriftStatus"]
        instance.drift_checked = stack["DriftInformation"]["LastCheckTimestamp"]
    return refusal


@stack_set_action("ListStackInstanceResourceDrifts")
def _instance_drifts(params: Params, stack_set: StackSet) -> Body:
    operation = find_operation(params, stack_set)
    instance = find_instance(params, stack_set)
    if operation.action != "DETECT_DRIFT":
        raise Refusal("ValidationError", f"Operation {operation.id} is not a drift detection")
    wanted = _extract_string_members(params, "StackInstanceResourceDriftStatuses")
    with request_scope(instance.account, instance.region):
        stack = cloudformation._stacks.get(instance.stack_name) or {}
    drifts = [record["_drift"] for record in stack.get("_resources", {}).values() if "_drift" in record]
    names = (
        "StackId",
        "LogicalResourceId",
        "PhysicalResourceId",
        "ResourceType",
        "PropertyDifferences",
        "StackResourceDriftStatus",
        "Timestamp",
    )
    chosen = [
        {name: drift[name] for name in names if name in drift}
        for drift in drifts
        if not wanted or drift["StackResourceDriftStatus"] in wanted
    ]
    return paged(params, "ListStackInstanceResourceDrifts", chosen)


def drift_details(stack_set: StackSet, operation: Operation) -> dict[str, Any]:
    """StackSetDriftDetectionDetails of a finished or running detection."""
    examined = [stack_set.instance(target) for target in operation.targets]
    states = [instance.drift for instance in examined if instance is not None]
    drifted = states.count("DRIFTED")
    running = sum(result.status in UNFINISHED_RESULTS for result in operation.results)
    done = {"SUCCEEDED": "PARTIAL_SUCCESS" if operation.failed else "COMPLETED", "FAILED": "FAILED", "STOPPED": "STOPPED"}
    return {
        "DriftStatus": "DRIFTED" if drifted else "IN_SYNC",
        "DriftDetectionStatus": done.get(operation.status, "IN_PROGRESS"),
        "LastDriftCheckTimestamp": operation.ended or operation.created,
        "TotalStackInstancesCount": len(operation.targets),
        "DriftedStackInstancesCount": drifted,
        "InSyncStackInstancesCount": states.count("IN_SYNC"),
        "InProgressStackInstancesCount": running,
        "FailedStackInstancesCount": operation.failed,
    }
