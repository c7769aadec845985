# mypy: allow-untyped-calls
"""The StackSets API: requests in, AWS's answers out, in CloudFormation's Query protocol.

In: MiniStack's parsed request parameters. Out: XML answers and the documented errors; operations are handed to `stackset_engine`.
Never: works on a stack itself.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

from ministack.core.responses import error_response_json, request_scope
from ministack.services import account as account_service
from ministack.services import cloudformation, organizations
from ministack.services.cloudformation.handlers import _ACTION_HANDLERS
from ministack.services.cloudformation.helpers import _error, _extract_members, _extract_string_members, _p, _page, _resolve_template, _xml

from local_aws.plugins import pace
from local_aws.plugins.stackset_engine import (
    Answer,
    Instance,
    Operation,
    Preferences,
    Result,
    StackSet,
    Store,
    Where,
    drift_details,
    here,
    region_status,
    switch_region,
)

_store = Store()


class Refusal(Exception):
    """An error answer."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def install() -> None:
    """Add the actions to MiniStack's tables, and the sets to what it persists and resets."""
    for name, action in _ACTIONS.items():
        _ACTION_HANDLERS[name] = _answering(name, action)
    account_service._DISPATCH["/enableRegion"] = lambda payload: _switch(payload, "ENABLED")
    account_service._DISPATCH["/disableRegion"] = lambda payload: _switch(payload, "DISABLED")
    account_service._DISPATCH["/getRegionOptStatus"] = _region_opt_status
    account_service._DISPATCH["/listRegions"] = _list_regions
    move = organizations._DISPATCH["MoveAccount"]
    organizations._DISPATCH["MoveAccount"] = lambda payload: _moved(payload, move(payload))
    reset, get_state, load = cloudformation.reset, cloudformation.get_state, cloudformation.load_persisted_state

    def reset_all() -> None:
        reset()
        _store.sets.clear()

    def load_all(saved: dict[str, Any]) -> None:
        pace.settle_restored(saved)
        load(saved)
        _store.load(saved.get("stacksets", []))

    cloudformation.reset = reset_all
    cloudformation.get_state = lambda: {**get_state(), "stacksets": _store.dump()}
    cloudformation.load_persisted_state = load_all


def _answering(name: str, action: Any) -> Any:
    def handler(params: dict[str, Any]) -> Answer:
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


# --- reading requests ---------------------------------------------------------------------------------------------


def _flag(params: dict[str, Any], name: str) -> bool:
    return str(_p(params, name)).lower() == "true"


def _scope(params: dict[str, Any]) -> Where:
    """Whose sets are meant: a delegated administrator works on those of the organization's management account."""
    account, region = here()
    if _p(params, "CallAs") != "DELEGATED_ADMIN":
        return account, region
    for (master, _), record in organizations._accounts._data.items():
        if record["Id"] == account and master != account:
            return master, region
    raise Refusal("ValidationError", "You must be the management account or delegated admin account of an organization")


def _found(params: dict[str, Any]) -> StackSet:
    wanted = _p(params, "StackSetName")
    account, region = _scope(params)
    for stack_set in _store.active(account, region):
        if wanted in (stack_set.name, stack_set.id, stack_set.arn):
            return stack_set
    raise Refusal("StackSetNotFoundException", f"StackSet {wanted} not found", 404)


def _operation_of(params: dict[str, Any], stack_set: StackSet) -> Operation:
    wanted = _p(params, "OperationId")
    for operation in stack_set.operations:
        if operation.id == wanted:
            return operation
    raise Refusal("OperationNotFoundException", f"Operation {wanted} not found", 404)


def _instance_of(params: dict[str, Any], stack_set: StackSet) -> Instance:
    account, region = _p(params, "StackInstanceAccount"), _p(params, "StackInstanceRegion")
    instance = stack_set.instance((account, region))
    if instance is None:
        raise Refusal("StackInstanceNotFoundException", f"Stack instance not found for account {account} in {region}", 404)
    return instance


def _preferences(params: dict[str, Any]) -> Preferences:
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


def _overrides(params: dict[str, Any]) -> dict[str, str] | None:
    """None where the request has no override at all."""
    given = {member["Key"]: member["Value"] for member in _extract_members(params, "ParameterOverrides")}
    return given or ({} if "ParameterOverrides" in params else None)


def _members_of_units(master: str, units: list[str]) -> dict[str, str]:
    """Accounts below organizational units, nested ones too, each with its unit; never the management account."""
    with request_scope(master, "us-east-1"):
        known = {*organizations._ous.keys(), *organizations._roots.keys()}
        missing = [unit for unit in units if unit not in known]
        if missing:
            raise Refusal("ValidationError", f"Organizational unit(s) {', '.join(missing)} not found")
        todo, seen = list(units), []
        while todo:
            unit = todo.pop()
            seen.append(unit)
            todo += [child["Id"] for child in organizations._ous.values() if child.get("_ParentId") == unit]
        accounts = [*organizations._accounts.values()]
    return {each["Id"]: each["_ParentId"] for each in accounts if each.get("_ParentId") in seen and each["Id"] != master}


def _targets(params: dict[str, Any], stack_set: StackSet) -> tuple[list[Where], dict[str, str], dict[str, Any]]:
    """Accounts times regions, the unit of each account, and the deployment targets as given."""
    regions = _extract_string_members(params, "Regions")
    listed = _extract_string_members(params, "Accounts")
    within = _extract_string_members(params, "DeploymentTargets.Accounts")
    units = _extract_string_members(params, "DeploymentTargets.OrganizationalUnitIds")
    kind = _p(params, "DeploymentTargets.AccountFilterType") or "NONE"
    given = {"Accounts": within, "OrganizationalUnitIds": units, "AccountFilterType": kind if units else None}
    if stack_set.permission_model == "SELF_MANAGED":
        if units:
            raise Refusal("ValidationError", "OrganizationalUnitIds can be used with the SERVICE_MANAGED permission model only")
        accounts, of_units = [*dict.fromkeys(listed or within)], {}
    else:
        if listed:
            raise Refusal("ValidationError", "Accounts is not supported with the SERVICE_MANAGED permission model; use DeploymentTargets")
        of_units = _members_of_units(stack_set.account, units)
        accounts = _filtered([*of_units], within, kind)
        of_units = {account: of_units.get(account, "") for account in accounts}
    unknown = [region for region in regions if region not in account_service._REGIONS_LIST]
    if unknown:
        raise Refusal("ValidationError", f"Region(s) {', '.join(unknown)} are not valid")
    return [(account, region) for region in dict.fromkeys(regions) for account in accounts], of_units, given


def _filtered(members: list[str], accounts: list[str], kind: str) -> list[str]:
    """AccountFilterType of DeploymentTargets."""
    chosen = {
        "NONE": members,
        "INTERSECTION": [account for account in members if account in accounts],
        "DIFFERENCE": [account for account in members if account not in accounts],
        "UNION": [*dict.fromkeys([*members, *accounts])],
    }
    if kind not in chosen:
        raise Refusal("ValidationError", f"AccountFilterType {kind} is not valid")
    return chosen[kind]


def _begin(params: dict[str, Any], stack_set: StackSet, action: str, **details: Any) -> dict[str, Any]:
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
    operation = Operation(id=operation_id, action=action, request=request, preferences=_preferences(params), **details)
    overlap = any({*operation.targets} & {*other.targets} for other in busy)
    operation.status = "QUEUED" if overlap else "RUNNING"
    _store.start(stack_set, operation)
    return {"OperationId": operation_id}


def _known_operation(params: dict[str, Any], stack_set: StackSet) -> bool:
    """Whether a request names an operation that exists: then nothing may be changed before `_begin` has judged it."""
    return any(operation.id == _p(params, "OperationId") for operation in stack_set.operations)


# --- sets ---------------------------------------------------------------------------------------------------------


def _create_set(params: dict[str, Any]) -> dict[str, Any]:
    name = _p(params, "StackSetName")
    account, region = _scope(params)
    if any(each.name == name for each in _store.active(account, region)):
        raise Refusal("NameAlreadyExistsException", f"The Name {name} already exists", 409)
    template, refusal = _resolve_template(params)
    if refusal:
        raise Refusal("ValidationError", "the template cannot be read")
    stack_set = StackSet(name=name, id=f"{name}:{uuid4()}", account=account, region=region, template=template or "")
    _apply_settings(params, stack_set)
    stack_set.parameters = {member["Key"]: member["Value"] for member in _extract_members(params, "Parameters")}
    if stack_set.permission_model == "SELF_MANAGED" and _p(params, "AutoDeployment.Enabled"):
        raise Refusal("ValidationError", "AutoDeployment can be used with the SERVICE_MANAGED permission model only")
    _store.sets.append(stack_set)
    return {"StackSetId": stack_set.id}


def _apply_settings(params: dict[str, Any], stack_set: StackSet) -> None:
    """Everything but template and parameters, which an update treats in its own way."""
    stack_set.description = _p(params, "Description") or stack_set.description
    stack_set.capabilities = _extract_string_members(params, "Capabilities") or stack_set.capabilities
    tags = {member["Key"]: member["Value"] for member in _extract_members(params, "Tags")}
    stack_set.tags = tags or ({} if "Tags" in params else stack_set.tags)
    stack_set.administration_role = _p(params, "AdministrationRoleARN")
    stack_set.execution_role = _p(params, "ExecutionRoleName") or stack_set.execution_role
    stack_set.permission_model = _p(params, "PermissionModel") or stack_set.permission_model
    if _p(params, "AutoDeployment.Enabled"):
        stack_set.auto_deployment = _flag(params, "AutoDeployment.Enabled")
        stack_set.retain_on_removal = _flag(params, "AutoDeployment.RetainStacksOnAccountRemoval")
    if _p(params, "ManagedExecution.Active"):
        stack_set.managed_execution = _flag(params, "ManagedExecution.Active")


def _auto_deployment(stack_set: StackSet) -> dict[str, Any]:
    if stack_set.permission_model == "SELF_MANAGED":
        return {}
    if not stack_set.auto_deployment:
        return {"Enabled": False}
    return {"Enabled": True, "RetainStacksOnAccountRemoval": stack_set.retain_on_removal}


def _describe_set(params: dict[str, Any]) -> dict[str, Any]:
    stack_set = _found(params)
    return {
        "StackSet": {
            "StackSetName": stack_set.name,
            "StackSetId": stack_set.id,
            "StackSetARN": stack_set.arn,
            "Description": stack_set.description,
            "Status": stack_set.status,
            "TemplateBody": stack_set.template,
            "Parameters": _pairs(stack_set.parameters),
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


def _pairs(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def _update_set(params: dict[str, Any]) -> dict[str, Any]:
    """The new template and settings stay, whatever becomes of the operation; instances left out become OUTDATED."""
    stack_set = _found(params)
    if _known_operation(params, stack_set):
        return _begin(params, stack_set, "UPDATE", targets=[])
    if stack_set.under_way() and not stack_set.managed_execution:
        return _begin(params, stack_set, "UPDATE", targets=[])
    _preferences(params)
    targets, units, given = _targets(params, stack_set)
    if not any(name in params or f"{name}.member.1" in params for name in ("Accounts", "Regions")) and not given["OrganizationalUnitIds"]:
        targets = [instance.where for instance in stack_set.instances]
    missing = [where for where in targets if stack_set.instance(where) is None]
    if missing and stack_set.permission_model == "SELF_MANAGED":
        raise Refusal("StackInstanceNotFoundException", f"Stack instance(s) not found: {missing}", 404)
    targets = [where for where in targets if stack_set.instance(where) is not None]
    before = (stack_set.template, stack_set.parameters)
    if not _flag(params, "UsePreviousTemplate"):
        template, refusal = _resolve_template(params)
        if refusal or not template:
            raise Refusal("ValidationError", "Either UsePreviousTemplate, TemplateBody or TemplateURL must be given")
        stack_set.template = template
    stack_set.parameters = _new_parameters(params, stack_set.parameters)
    _apply_settings(params, stack_set)
    if before != (stack_set.template, stack_set.parameters):
        for instance in stack_set.instances:
            if instance.status == "CURRENT":
                instance.status = "OUTDATED"
    targets = [where for where in targets if (found := stack_set.instance(where)) and found.status != "INOPERABLE"]
    units = {instance.account: instance.unit for instance in stack_set.instances if instance.unit}
    return _begin(params, stack_set, "UPDATE", targets=targets, units=units, deployment_targets=given)


def _new_parameters(params: dict[str, Any], old: dict[str, str]) -> dict[str, str]:
    members = [member for member in _extract_members(params, "Parameters") if not member["UsePreviousValue"] or member["Key"] in old]
    return {member["Key"]: old[member["Key"]] if member["UsePreviousValue"] else member["Value"] for member in members}


def _delete_set(params: dict[str, Any]) -> dict[str, Any]:
    stack_set = _found(params)
    if stack_set.under_way():
        raise Refusal("OperationInProgressException", f"Another Operation on StackSet {stack_set.id} is in progress", 409)
    if stack_set.instances:
        raise Refusal("StackSetNotEmptyException", f"StackSet {stack_set.name} is not empty", 409)
    stack_set.status = "DELETED"
    return {}


def _list_sets(params: dict[str, Any]) -> dict[str, Any]:
    wanted = _p(params, "Status")
    account, region = _scope(params)
    sets = [each for each in _store.sets if (each.account, each.region) == (account, region) and wanted in ("", each.status)]
    return _paged(
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


def _paged(params: dict[str, Any], action: str, summaries: list[dict[str, Any]]) -> dict[str, Any]:
    size = int(_p(params, "MaxResults") or 100)
    if not 1 <= size <= 100:
        raise Refusal("ValidationError", "MaxResults must be between 1 and 100")
    page, token, refusal = _page(summaries, params, action, size)
    if refusal:
        raise Refusal("ValidationError", "Invalid NextToken")
    next_token = token.removeprefix("<NextToken>").removesuffix("</NextToken>")
    return {"Summaries": page, "NextToken": next_token}


# --- instances ----------------------------------------------------------------------------------------------------


def _create_instances(params: dict[str, Any]) -> dict[str, Any]:
    stack_set = _found(params)
    targets, units, given = _targets(params, stack_set)
    if not targets:
        raise Refusal("ValidationError", "Accounts or DeploymentTargets, and Regions, must name at least one stack instance")
    if _known_operation(params, stack_set):
        return _begin(params, stack_set, "CREATE", targets=targets)
    new = [
        Instance(account=account, region=region, unit=units.get(account, ""))
        for account, region in targets
        if stack_set.instance((account, region)) is None
    ]
    stack_set.instances += new
    try:
        return _begin(
            params, stack_set, "CREATE", targets=targets, units=units, overrides=_overrides(params) or {}, deployment_targets=given
        )
    except Refusal:
        for instance in new:
            stack_set.instances.remove(instance)
        raise


def _update_instances(params: dict[str, Any]) -> dict[str, Any]:
    stack_set = _found(params)
    targets, units, given = _targets(params, stack_set)
    missing = [where for where in targets if stack_set.instance(where) is None]
    if missing or not targets:
        raise Refusal("StackInstanceNotFoundException", f"Stack instance(s) not found: {missing}", 404)
    overrides = _overrides(params)
    return _begin(params, stack_set, "UPDATE", targets=targets, units=units, overrides=overrides, deployment_targets=given)


def _delete_instances(params: dict[str, Any]) -> dict[str, Any]:
    stack_set = _found(params)
    targets, units, given = _targets(params, stack_set)
    there = [where for where in targets if stack_set.instance(where) is not None]
    retain = _flag(params, "RetainStacks")
    return _begin(params, stack_set, "DELETE", targets=there, units=units, retain=retain, deployment_targets=given)


def _summary(stack_set: StackSet, instance: Instance) -> dict[str, Any]:
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


def _filters(params: dict[str, Any]) -> dict[str, str]:
    found, number = {}, 1
    while name := _p(params, f"Filters.member.{number}.Name"):
        found[name] = _p(params, f"Filters.member.{number}.Values")
        number += 1
    return found


def _list_instances(params: dict[str, Any]) -> dict[str, Any]:
    stack_set = _found(params)
    account, region, filters = _p(params, "StackInstanceAccount"), _p(params, "StackInstanceRegion"), _filters(params)
    chosen = [
        instance
        for instance in stack_set.instances
        if account in ("", instance.account)
        and region in ("", instance.region)
        and filters.get("DETAILED_STATUS", instance.detailed) == instance.detailed
        and filters.get("LAST_OPERATION_ID", instance.last_operation) == instance.last_operation
        and filters.get("DRIFT_STATUS", instance.drift) == instance.drift
    ]
    return _paged(params, "ListStackInstances", [_summary(stack_set, instance) for instance in chosen])


def _describe_instance(params: dict[str, Any]) -> dict[str, Any]:
    stack_set = _found(params)
    instance = _instance_of(params, stack_set)
    return {"StackInstance": {**_summary(stack_set, instance), "ParameterOverrides": _pairs(instance.overrides)}}


def _instance_drifts(params: dict[str, Any]) -> dict[str, Any]:
    stack_set = _found(params)
    operation = _operation_of(params, stack_set)
    instance = _instance_of(params, stack_set)
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
    return _paged(params, "ListStackInstanceResourceDrifts", chosen)


# --- operations ---------------------------------------------------------------------------------------------------


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


def _describe_operation(params: dict[str, Any]) -> dict[str, Any]:
    stack_set = _found(params)
    operation = _operation_of(params, stack_set)
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


def _list_operations(params: dict[str, Any]) -> dict[str, Any]:
    newest_first = [_operation_summary(operation) for operation in reversed(_found(params).operations)]
    return _paged(params, "ListStackSetOperations", newest_first)


def _list_results(params: dict[str, Any]) -> dict[str, Any]:
    stack_set = _found(params)
    wanted = _filters(params).get("OPERATION_RESULT_STATUS", "")
    results = [result for result in _operation_of(params, stack_set).results if wanted in ("", result.status)]
    return _paged(params, "ListStackSetOperationResults", [_result(result) for result in results])


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


def _stop(params: dict[str, Any]) -> dict[str, Any]:
    """What runs is finished, what waits is cancelled."""
    operation = _operation_of(params, _found(params))
    if operation.status not in ("RUNNING", "QUEUED"):
        raise Refusal("InvalidOperationException", f"Operation {operation.id} is {operation.status} and cannot be stopped")
    operation.status = "STOPPING"
    return {}


def _detect_drift(params: dict[str, Any]) -> dict[str, Any]:
    stack_set = _found(params)
    return _begin(params, stack_set, "DETECT_DRIFT", targets=[instance.where for instance in stack_set.instances])


def _import_stacks(params: dict[str, Any]) -> dict[str, Any]:
    """Stacks that exist become instances; they are not touched until the next update."""
    stack_set = _found(params)
    _preferences(params)
    targets: list[Where] = []
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
    return _begin(params, stack_set, "CREATE", targets=targets)


def _auto_targets(params: dict[str, Any]) -> dict[str, Any]:
    stack_set = _found(params)
    units: dict[str, set[str]] = {}
    for instance in stack_set.instances if stack_set.auto_deployment else []:
        units.setdefault(instance.unit, set()).add(instance.region)
    return _paged(
        params,
        "ListStackSetAutoDeploymentTargets",
        [{"OrganizationalUnitId": unit, "Regions": sorted(regions)} for unit, regions in sorted(units.items()) if unit],
    )


_ACTIONS = {
    "CreateStackSet": _create_set,
    "DescribeStackSet": _describe_set,
    "UpdateStackSet": _update_set,
    "DeleteStackSet": _delete_set,
    "ListStackSets": _list_sets,
    "CreateStackInstances": _create_instances,
    "UpdateStackInstances": _update_instances,
    "DeleteStackInstances": _delete_instances,
    "ListStackInstances": _list_instances,
    "DescribeStackInstance": _describe_instance,
    "ListStackInstanceResourceDrifts": _instance_drifts,
    "DescribeStackSetOperation": _describe_operation,
    "ListStackSetOperations": _list_operations,
    "ListStackSetOperationResults": _list_results,
    "StopStackSetOperation": _stop,
    "DetectStackSetDrift": _detect_drift,
    "ImportStacksToStackSet": _import_stacks,
    "ListStackSetAutoDeploymentTargets": _auto_targets,
}


# --- around StackSets: organizations and opt-in regions -----------------------------------------------------------


def _moved(payload: dict[str, Any], answer: Answer) -> Answer:
    """Automatic deployment: an account that comes into a unit gets the unit's instances, one that leaves loses them."""
    if answer[0] >= 300:
        return answer
    account = payload["AccountId"]
    master, _ = here()
    for stack_set in _store.sets:
        if (stack_set.account, stack_set.status, stack_set.auto_deployment) != (master, "ACTIVE", True):
            continue
        source, unit = payload["SourceParentId"], payload["DestinationParentId"]
        leaving = [each.where for each in stack_set.instances if (each.account, each.unit) == (account, source)]
        coming = [
            Instance(account=account, region=region, unit=unit)
            for region in _regions_of(stack_set, unit)
            if stack_set.instance((account, region)) is None
        ]
        managed, stack_set.managed_execution = stack_set.managed_execution, True
        if leaving:
            _begin({}, stack_set, "DELETE", targets=leaving, retain=stack_set.retain_on_removal)
        if coming:
            stack_set.instances += coming
            _begin({}, stack_set, "CREATE", targets=[each.where for each in coming], units={account: unit}, overrides={})
        stack_set.managed_execution = managed
    return answer


def _regions_of(stack_set: StackSet, unit: str) -> list[str]:
    return [*dict.fromkeys(instance.region for instance in stack_set.instances if instance.unit == unit)]


def _switch(payload: dict[str, Any], status: str) -> Answer:
    region = payload.get("RegionName", "")
    if region not in account_service._OPT_IN_REQUIRED:
        refused: Answer = error_response_json("ValidationException", f"{region} cannot be enabled or disabled", 400)
        return refused
    switch_region(payload.get("AccountId") or here()[0], region, status)
    answer: Answer = account_service._json(200, {})
    return answer


def _region_opt_status(payload: dict[str, Any]) -> Answer:
    region = payload.get("RegionName", "")
    if region not in account_service._REGIONS_LIST:
        refused: Answer = error_response_json("ResourceNotFoundException", f"Region not found: {region}", 400)
        return refused
    status = region_status(payload.get("AccountId") or here()[0], region)
    answer: Answer = account_service._json(200, {"RegionName": region, "RegionOptStatus": status})
    return answer


def _list_regions(payload: dict[str, Any]) -> Answer:
    account = payload.get("AccountId") or here()[0]
    wanted = payload.get("RegionOptStatusContains") or []
    rows = [{"RegionName": region, "RegionOptStatus": region_status(account, region)} for region in account_service._REGIONS_LIST]
    answer: Answer = account_service._json(200, {"Regions": [row for row in rows if not wanted or row["RegionOptStatus"] in wanted]})
    return answer
