# mypy: allow-untyped-calls
"""Change sets that import: what AWS refuses of them, and what they tell.

In: CreateChangeSet with ChangeSetType IMPORT or ImportExistingResources. Out: AWS's refusals before and after MiniStack's own; the physical
ids of what is imported.
Never: judges a change set that imports nothing.

Sources: CloudFormation User Guide, "Import AWS resources into a CloudFormation stack" (considerations, status codes), "Import AWS resources
into a CloudFormation stack automatically"; API reference, ResourceToImport. Whose words are ours, not AWS's: docs/assumptions.md.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import ministack.services.cloudformation.provisioners as cfn
from ministack.services.cloudformation import changesets, drift, engine, handlers
from ministack.services.cloudformation.handlers import _ACTION_HANDLERS
from ministack.services.cloudformation.helpers import _error, _p

from emulator import pace
from resource_import import types
from resource_import.found import record_key

STATES = frozenset(
    {
        "CREATE_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
        "REVIEW_IN_PROGRESS",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
    }
)
"""In which a stack takes an import: those in which it can be updated."""


_importing: ContextVar[frozenset[str]] = ContextVar("importing", default=frozenset())
"""Names of the buckets that the running execution imports: its validation must not take them for clashes."""


def install() -> None:
    """Wrap CreateChangeSet, and replace the parts of MiniStack that know its own types only."""
    engine_of: Any = changesets
    create, changes, existing = _ACTION_HANDLERS["CreateChangeSet"], engine_of._import_changes, engine_of._existing_resources
    carry_out, execute, conflict = engine_of._import_resources_async, _ACTION_HANDLERS["ExecuteChangeSet"], cfn.s3_bucket_name_conflict

    def create_change_set(params: Any) -> Any:
        if _p(params, "ChangeSetType") != "IMPORT":
            return create(params)
        stack = handlers._resolve_stack(_p(params, "StackName"))
        status = (stack or {}).get("StackStatus", "DELETE_COMPLETE")
        if stack and status not in (*STATES, "DELETE_COMPLETE"):
            return _error("ValidationError", f"Stack:{stack['StackId']} is in {status} state and can not be updated.")
        answer = create(params)
        if answer[0] < 300:
            _, made = changesets._find_change_set(_p(params, "ChangeSetName"), (stack or {}).get("StackName") or _p(params, "StackName"))
            _fail_if_misnamed(made)
        return answer

    def import_changes(entries: Any, template: Any, diff: Any) -> Any:
        _refuse_types(entries)
        for entry in entries:
            for key in types.OPTIONAL.get(entry["ResourceType"], ()):
                entry["ResourceIdentifier"].setdefault(key, "")
        return changes(entries, template, diff)

    def existing_resources(of: Any, template: Any) -> Any:
        return [
            each
            for each in existing(of, template)
            if types.identifiers(each["ResourceType"]) and each["ResourceType"] not in types.NEVER_BY_NAME
        ]

    def execute_change_set(params: Any) -> Any:
        _, made = changesets._find_change_set(_p(params, "ChangeSetName"), _p(params, "StackName"))
        imports = (made or {}).get("_import_existing") or {}
        # The background task that carries it out copies the context.
        token = _importing.set(frozenset(each["BucketName"] for each in imports.values() if "BucketName" in each))
        try:
            return execute(params)
        finally:
            _importing.reset(token)

    def conflict_unless_imported(name: str) -> str | None:
        return None if name in _importing.get() else conflict(name)

    async def in_turn(*given: Any) -> None:
        await pace.turn()
        await carry_out(*given)

    _ACTION_HANDLERS.update(CreateChangeSet=create_change_set, ExecuteChangeSet=execute_change_set)
    vars(cfn)["s3_bucket_name_conflict"] = conflict_unless_imported
    engine_of._import_resources_async = in_turn
    engine_of._import_changes, engine_of._import_change = import_changes, _change
    engine_of._existing_resources, engine_of._import_owner = existing_resources, types.owner
    vars(drift)["DRIFT_DETECTABLE_STATUSES"] = drift.DRIFT_DETECTABLE_STATUSES | {
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
    }


def _refuse_types(entries: Any) -> None:
    refused = [each["ResourceType"] for each in entries if not types.identifiers(each["ResourceType"])]
    if refused:
        raise ValueError(f"ResourceTypes [{', '.join(dict.fromkeys(refused))}] are not supported for Import")


def _change(entry: Any) -> dict[str, Any]:
    """A change of a resource that is imported; without a physical id if nothing is found there."""
    stands = types.find(entry)
    change = {key: entry[key] for key in ("LogicalResourceId", "ResourceType")} | {"Action": "Import", "Scope": [], "Details": []}
    return {"ResourceChange": change | ({"PhysicalResourceId": stands.physical_id} if stands else {})}


def _fail_if_misnamed(change_set: dict[str, Any]) -> None:
    """The template has to name the resource as its identifier does, where it names it."""
    if change_set["Status"] == "FAILED":
        return
    for entry in change_set["_resources_to_import"]:
        logical_id = entry["LogicalResourceId"]
        properties = _resolved(change_set, logical_id)
        for key, wanted in entry["ResourceIdentifier"].items():
            told = properties.get(key)
            if wanted and isinstance(told, str) and _plain(entry["ResourceType"], key, told) != _plain(entry["ResourceType"], key, wanted):
                change_set.update(Status="FAILED", ExecutionStatus="UNAVAILABLE", Changes=[])
                change_set["StatusReason"] = f"The {key} of {logical_id} is {told} in the template and {wanted} in ResourcesToImport"
                return


def _plain(kind: str, key: str, name: str) -> str:
    return record_key({"Name": name})[0] if (kind, key) == (types.RECORD, "Name") else name


def _resolved(change_set: Mapping[str, Any], logical_id: str) -> dict[str, Any]:
    """The properties of a resource, with the Ref and GetAtt of what the stack has and what is imported beside it."""
    template, parameters = change_set["_template"], change_set["_resolved_params"]
    stack = handlers._resolve_stack(change_set["StackId"]) or {}
    there = dict(stack.get("_resources") or {})
    for entry in change_set["_resources_to_import"]:
        stands = types.find(entry)
        if stands is not None:
            there[entry["LogicalResourceId"]] = {"PhysicalResourceId": stands.physical_id, "Attributes": dict(stands.attributes)}
    conditions = engine._evaluate_conditions(template, parameters)
    written = copy.deepcopy(template["Resources"][logical_id].get("Properties") or {})
    try:
        found: dict[str, Any] = engine._resolve_refs(
            written, there, parameters, conditions, template.get("Mappings", {}), change_set["StackName"], change_set["StackId"]
        )
    except Exception:
        # What does not resolve fails when it is executed, with the engine's words.
        return {}
    return found
