# mypy: allow-untyped-calls
"""The actions on stack sets themselves: create, describe, update, delete, list."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from ministack.services.cloudformation.helpers import _extract_members, _extract_string_members, _p, _resolve_template

from emulator.stacksets.api import (
    Body,
    Params,
    Refusal,
    action,
    administrator,
    flag,
    paged,
    parameter_list,
    stack_set_action,
)
from emulator.stacksets.operations import begin_operation, is_known_operation, operation_preferences
from emulator.stacksets.state import StackSet, store
from emulator.stacksets.targets import deployment_targets_of


@action("CreateStackSet")
def _create_set(params: Params) -> Body:
    name = _p(params, "StackSetName")
    account, region = administrator(params)
    if any(each.name == name for each in store.active(account, region)):
        raise Refusal("NameAlreadyExistsException", f"The Name {name} already exists", 409)
    template, refusal = _resolve_template(params)
    if refusal:
        raise Refusal("ValidationError", "the template cannot be read")
    stack_set = StackSet(name=name, id=f"{name}:{uuid4()}", account=account, region=region, template=template or "")
    _apply_settings(params, stack_set)
    stack_set.parameters = {member["Key"]: member["Value"] for member in _extract_members(params, "Parameters")}
    if stack_set.permission_model == "SELF_MANAGED" and _p(params, "AutoDeployment.Enabled"):
        raise Refusal("ValidationError", "AutoDeployment can be used with the SERVICE_MANAGED permission model only")
    store.sets.append(stack_set)
    return {"StackSetId": stack_set.id}


def _apply_settings(params: Params, stack_set: StackSet) -> None:
    """Everything but template and parameters, which an update treats in its own way."""
    stack_set.description = _p(params, "Description") or stack_set.description
    stack_set.capabilities = _extract_string_members(params, "Capabilities") or stack_set.capabilities
    tags = {member["Key"]: member["Value"] for member in _extract_members(params, "Tags")}
    stack_set.tags = tags or ({} if "Tags" in params else stack_set.tags)
    stack_set.administration_role = _p(params, "AdministrationRoleARN")
    stack_set.execution_role = _p(params, "ExecutionRoleName") or stack_set.execution_role
    stack_set.permission_model = _p(params, "PermissionModel") or stack_set.permission_model
    if _p(params, "AutoDeployment.Enabled"):
        stack_set.auto_deployment = flag(params, "AutoDeployment.Enabled")
        stack_set.retain_on_removal = flag(params, "AutoDeployment.RetainStacksOnAccountRemoval")
    if _p(params, "ManagedExecution.Active"):
        stack_set.managed_execution = flag(params, "ManagedExecution.Active")


def _auto_deployment(stack_set: StackSet) -> dict[str, Any]:
    if stack_set.permission_model == "SELF_MANAGED":
        return {}
    if not stack_set.auto_deployment:
        return {"Enabled": False}
    return {"Enabled": True, "RetainStacksOnAccountRemoval": stack_set.retain_on_removal}


@stack_set_action("DescribeStackSet")
def _describe_set(_: Params, stack_set: StackSet) -> Body:
    return {
        "StackSet": {
            "StackSetName": stack_set.name,
            "StackSetId": stack_set.id,
            "StackSetARN": stack_set.arn,
            "Description": stack_set.description,
            "Status": stack_set.status,
            "TemplateBody": stack_set.template,
            "Parameters": parameter_list(stack_set.parameters),
            "Capabilities": stack_set.capabilities,
            "Tags": [{"Key": key, "Value": value} for key, value in stack_set.tags.items()],
            "AdministrationRoleARN": stack_set.administration_role,
            "ExecutionRoleName": stack_set.execution_role,
            "PermissionModel": stack_set.permission_model,
            "AutoDeployment": _auto_deployment(stack_set),
            "OrganizationalUnitIds": sorted({instance.unit for instance in stack_set.instances if instance.unit}),
            "ManagedExecution": {"Active": stack_set.managed_execution},
            "Regions": [*dict.fromkeys(instance.region for instance in stack_set.instances)],
            "StackSetDriftDetectionDetails": stack_set.drift,
        }
    }


@stack_set_action("UpdateStackSet")
def _update_set(params: Params, stack_set: StackSet) -> Body:
    """The new template and settings stay, whatever becomes of the operation; instances left out become OUTDATED."""
    if is_known_operation(params, stack_set):
        return begin_operation(params, stack_set, "UPDATE", targets=[])
    if stack_set.under_way() and not stack_set.managed_execution:
        return begin_operation(params, stack_set, "UPDATE", targets=[])
    operation_preferences(params)
    targets, units, requested = deployment_targets_of(params, stack_set)
    named = any(name in params or f"{name}.member.1" in params for name in ("Accounts", "Regions"))
    if not named and not requested["OrganizationalUnitIds"]:
        targets = [instance.target for instance in stack_set.instances]
    missing = [target for target in targets if stack_set.instance(target) is None]
    if missing and stack_set.permission_model == "SELF_MANAGED":
        raise Refusal("StackInstanceNotFoundException", f"Stack instance(s) not found: {missing}", 404)
    targets = [target for target in targets if stack_set.instance(target) is not None]
    before = (stack_set.template, stack_set.parameters)
    if not flag(params, "UsePreviousTemplate"):
        template, refusal = _resolve_template(params)
        if refusal or not template:
            raise Refusal("ValidationError", "Either UsePreviousTemplate, TemplateBody or TemplateURL must be requested")
        stack_set.template = template
    stack_set.parameters = _new_parameters(params, stack_set.parameters)
    _apply_settings(params, stack_set)
    if before != (stack_set.template, stack_set.parameters):
        for instance in stack_set.instances:
            if instance.status == "CURRENT":
                instance.status = "OUTDATED"
    targets = [target for target in targets if (found := stack_set.instance(target)) and found.status != "INOPERABLE"]
    units = {instance.account: instance.unit for instance in stack_set.instances if instance.unit}
    return begin_operation(params, stack_set, "UPDATE", targets=targets, units=units, deployment_targets=requested)


def _new_parameters(params: Params, old: dict[str, str]) -> dict[str, str]:
    members = [member for member in _extract_members(params, "Parameters") if not member["UsePreviousValue"] or member["Key"] in old]
    return {member["Key"]: old[member["Key"]] if member["UsePreviousValue"] else member["Value"] for member in members}


@stack_set_action("DeleteStackSet")
def _delete_set(_: Params, stack_set: StackSet) -> Body:
    if stack_set.under_way():
        raise Refusal("OperationInProgressException", f"Another Operation on StackSet {stack_set.id} is in progress", 409)
    if stack_set.instances:
        raise Refusal("StackSetNotEmptyException", f"StackSet {stack_set.name} is not empty", 409)
    stack_set.status = "DELETED"
    return {}


@action("ListStackSets")
def _list_sets(params: Params) -> Body:
    wanted = _p(params, "Status")
    account, region = administrator(params)
    sets = [each for each in store.sets if (each.account, each.region) == (account, region) and wanted in ("", each.status)]
    return paged(
        params,
        "ListStackSets",
        [
            {
                "StackSetName": each.name,
                "StackSetId": each.id,
                "Description": each.description,
                "Status": each.status,
                "AutoDeployment": _auto_deployment(each),
                "PermissionModel": each.permission_model,
                "DriftStatus": each.drift.get("DriftStatus", "NOT_CHECKED"),
                "LastDriftCheckTimestamp": each.drift.get("LastDriftCheckTimestamp"),
                "ManagedExecution": {"Active": each.managed_execution},
            }
            for each in sets
        ],
    )


@stack_set_action("ListStackSetAutoDeploymentTargets")
def _auto_targets(params: Params, stack_set: StackSet) -> Body:
    units: dict[str, set[str]] = {}
    for instance in stack_set.instances if stack_set.auto_deployment else []:
        units.setdefault(instance.unit, set()).add(instance.region)
    return paged(
        params,
        "ListStackSetAutoDeploymentTargets",
        [{"OrganizationalUnitId": unit, "Regions": sorted(regions)} for unit, regions in sorted(units.items()) if unit],
    )
