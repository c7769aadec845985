# mypy: allow-untyped-calls
"""Which resource types can be imported, by which properties, and whose a resource is.

In: the provider schemas, `found.FINDERS`. Out: MiniStack's table of imports filled for every type of the platform.
Never: takes a resource that a stack of the account and region has.

Importable is what CloudFormation can read (`templates.schemas.Schema.importable`); LOCAL_AWS_NOT_IMPORTABLE (resource types, by commas)
makes others refused, since reports of single types contradict the schemas: `import-types` in docs/assumptions.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ministack.services.cloudformation.provisioners as cfn
from ministack.services.cloudformation import _stacks, changesets

from resource_import.found import FINDERS, Finder, Found, of_ministack, record_key
from templates.schemas import Schemas, bundled

RECORD = "AWS::Route53::RecordSet"
OPTIONAL = {RECORD: ("SetIdentifier",)}
"""Keys that a resource which does not have the property is named without: a simple record has no SetIdentifier."""
NEVER_BY_NAME = frozenset({RECORD, "AWS::CloudFront::MonitoringSubscription", "AWS::S3::BucketPolicy", "AWS::WAFv2::LoggingConfiguration"})
"""Types whose identifier stands in the template and is no name of theirs: ImportExistingResources takes what has a custom name.

Source: CreateChangeSet, ImportExistingResources ("can only import resources that have custom names").
"""

Entry = Mapping[str, Any]
"""A resource to import as MiniStack has it: ResourceType, LogicalResourceId, ResourceIdentifier."""

_schemas: Schemas = bundled()
_refused: set[str] = set()
_finders: dict[str, Finder] = {}


def install() -> None:
    """Fill MiniStack's two tables of imports."""
    _refused.update(filter(None, os.environ.get("LOCAL_AWS_NOT_IMPORTABLE", "").split(",")))
    table: dict[str, Any] = cfn._RESOURCE_HANDLERS
    lookups: dict[str, Any] = changesets._IMPORT_LOOKUPS
    for kind in (*(each for each in lookups if "import" in table.get(each, {})), *FINDERS):
        _finders[kind] = FINDERS.get(kind) or of_ministack(kind)
        table[kind]["import"] = _importer(kind)
    for kind in FINDERS:
        keys = identifiers(kind)
        lookups[kind] = (keys, _problem(kind, keys))


def identifiers(kind: str) -> tuple[str, ...]:
    """The properties that a resource of the type is named by; () for a type that cannot be imported."""
    schema = None if kind in _refused else _schemas.of(kind, "us-east-1")
    return schema.identifier if schema is not None and schema.importable else ()


def find(entry: Entry) -> Found | None:
    """The resource that stands; None: nothing stands there, or nothing of the kind is looked for."""
    look = _finders.get(entry["ResourceType"])
    return look(entry["ResourceIdentifier"]) if look is not None else None


def value(entry: Entry) -> str:
    """The identifier as AWS writes it, its parts joined."""
    named = entry["ResourceIdentifier"]
    return "|".join(str(named[key]) for key in identifiers(entry["ResourceType"]) or sorted(named) if named.get(key))


def owner(entries: Sequence[Entry]) -> str | None:
    """AWS's words for the first resource that a stack has already, or that is named twice; None if there is none such."""
    seen = set()
    for entry in entries:
        stands = find(entry)
        if stands is None:
            continue
        holder = _holder(entry, stands)
        if holder is not None:
            return f"{value(entry)} already exists in stack {holder}"
        key = (entry["ResourceType"], value(entry).lower().rstrip("."))
        if key in seen:
            return f"Resource {value(entry)} is to be imported more than once"
        seen.add(key)
    return None


def _holder(entry: Entry, stands: Found) -> str | None:
    """The id of the stack that has the resource."""
    kind = entry["ResourceType"]
    for stack in _stacks.values():
        if stack.get("StackStatus") == "DELETE_COMPLETE":
            continue
        for held in (stack.get("_resources") or {}).values():
            if held.get("ResourceType") == kind and held.get("PhysicalResourceId") == stands.physical_id and _same(entry, held):
                return str(stack["StackId"])
    return None


def _same(entry: Entry, held: Mapping[str, Any]) -> bool:
    """The physical id of a record set is its name alone."""
    if entry["ResourceType"] != RECORD:
        return True
    properties = held.get("Properties") or {}
    named = entry["ResourceIdentifier"]
    return record_key(properties) == record_key(named) and cfn._r53_resolve_hosted_zone_id(properties) == named["HostedZoneId"]


def _importer(kind: str) -> Callable[[Mapping[str, str]], tuple[str, dict[str, Any]]]:
    def imported(identifier: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
        entry = {"ResourceType": kind, "ResourceIdentifier": identifier}
        # A change set that was made earlier may find the resource in a stack, or gone.
        taken = owner([entry])
        if taken is not None:
            raise ValueError(taken)
        stands = find(entry)
        if stands is None:
            raise ValueError(not_found(kind, value(entry)))
        return stands.physical_id, dict(stands.attributes)

    return imported


def not_found(kind: str, name: str) -> str:
    """AWS's words where nothing stands."""
    return f"Resource of type '{kind}' with identifier '{name}' was not found."


def _problem(kind: str, keys: tuple[str, ...]) -> Callable[..., str | None]:
    def problem(*values: str) -> str | None:
        entry = {"ResourceType": kind, "ResourceIdentifier": dict(zip(keys, values, strict=True))}
        return None if find(entry) is not None else not_found(kind, value(entry))

    return problem
