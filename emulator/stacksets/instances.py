# mypy: allow-untyped-calls
"""The actions on stack instances: create, update, delete, import, list, describe."""

from __future__ import annotations

from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudformation
from ministack.services.cloudformation.helpers import _extract_members, _extract_string_members, _p

from emulator.stacksets.api import (
    Body,
    Params,
    Refusal,
    filters,
    find_instance,
    flag,
    paged,
    parameter_list,
    stack_set_action,
)
from emulator.stacksets.operations import begin_operation, is_known_operation, operation_preferences
from emulator.stacksets.state import Instance, StackSet, Target
from emulator.stacksets.targets import deployment_targets_of


@stack_set_action("CreateStackInstances")
def _create_instances(params: Params, stack_set: StackSet) -> Body:
    targets, units, requested = deployment_targets_of(params, stack_set)
    if not targets:
        raise Refusal("ValidationError", "Accounts or DeploymentTargets, and Regions, must name at least one stack instance")
    if is_known_operation(params, stack_set):
        return begin_operation(params, stack_set, "CREATE", targets=targets)
    new = [
        Instance(account=account, region=region, unit=units.get(account, ""))
        for account, region in targets
        if stack_set.instance((account, region)) is None
    ]
    stack_set.instances += new
    try:
        return begin_operation(
            params,
            stack_set,
            "CREATE",
            targets=targets,
            units=units,
            overrides=parameter_overrides(params) or {},
            deployment_targets=requested,
        )
    except Refusal:
        for instance in new:
            stack_set.instances.remove(instance)
        raise


@stack_set_action("UpdateStackInstances")
def _update_instances(params: Params, stack_set: StackSet) -> Body:
    targets, units, requested = deployment_targets_of(params, stack_set)
    missing = [target for target in targets if stack_set.instance(target) is None]
    if missing or not targets:
        raise Refusal("StackInstanceNotFoundException", f"Stack instance(s) not found: {missing}", 404)
    overrides = parameter_overrides(params)
    return begin_operation(params, stack_set, "UPDATE", targets=targets, units=units, overrides=overrides, deployment_targets=requested)


@stack_set_action("DeleteStackInstances")
def _delete_instances(params: Params, stack_set: StackSet) -> Body:
    targets, units, requested = deployment_targets_of(params, stack_set)
    existing = [target for target in targets if stack_set.instance(target) is not None]
    retain = flag(params, "RetainStacks")
    return begin_operation(params, stack_set, "DELETE", targets=existing, units=units, retain=retain, deployment_targets=requested)


@stack_set_action("ImportStacksToStackSet")
def _import_stacks(params: Params, stack_set: StackSet) -> Body:
    """Stacks that exist become instances; they are not touched until the next update."""
    operation_preferences(params)
    targets: list[Target] = []
    for stack_id in _extract_string_members(params, "StackIds"):
        _, _, _, region, account, resource = stack_id.split(":", 5)
        name = resource.split("/")[1]
        with request_scope(account, region):
            stack = cloudformation._stacks.get(name)
        if stack is None or stack["StackId"] != stack_id:
            raise Refusal("StackNotFoundException", f"Stack {stack_id} not found", 404)
        if stack_set.instance((account, region)) is None:
            stack_set.instances.append(Instance(account=account, region=region, stack_name=name, stack_id=stack_id))
        targets.append((account, region))
    return begin_operation(params, stack_set, "CREATE", targets=targets)


def parameter_overrides(params: Params) -> dict[str, str] | None:
    """None if the request has no override at all."""
    requested = {member["Key"]: member["Value"] for member in _extract_members(params, "ParameterOverrides")}
    return requested or ({} if "ParameterOverrides" in params else None)


def _instance_summary(stack_set: StackSet, instance: Instance) -> dict[str, Any]:
    return {
        "StackSetId": stack_set.id,
        "Region": instance.region,
        "Account": instance.account,
        "StackId": instance.stack_id,
        "Status": instance.status,
        "StatusReason": instance.reason,
        "StackInstanceStatus": {"DetailedStatus": instance.detailed},
        "OrganizationalUnitId": instance.unit,
        "DriftStatus": instance.drift,
        "LastDriftCheckTimestamp": instance.drift_checked,
        "LastOperationId": instance.last_operation,
    }


@stack_set_action("ListStackInstances")
def _list_instances(params: Params, stack_set: StackSet) -> Body:
    account, region, chosen_by = _p(params, "StackInstanceAccount"), _p(params, "StackInstanceRegion"), filters(params)
    chosen = [
        instance
        for instance in stack_set.instances
        if account in ("", instance.account)
        and region in ("", instance.region)
        and chosen_by.get("DETAILED_STATUS", instance.detailed) == instance.detailed
        and chosen_by.get("LAST_OPERATION_ID", instance.last_operation) == instance.last_operation
        and chosen_by.get("DRIFT_STATUS", instance.drift) == instance.drift
    ]
    return paged(params, "ListStackInstances", [_instance_summary(stack_set, instance) for instance in chosen])


@stack_set_action("DescribeStackInstance")
def _describe_instance(params: Params, stack_set: StackSet) -> Body:
    instance = find_instance(params, stack_set)
    return {"StackInstance": {**_instance_summary(stack_set, instance), "ParameterOverrides": parameter_list(instance.overrides)}}
