# mypy: allow-untyped-calls
"""GetResource in MiniStack's Cloud Control.

In: TypeName and Identifier, a value or JSON of the identifier's properties. Out: the resource's properties, or AWS's refusals.
Never: the store that MiniStack has beside its services.

Source: Cloud Control API reference, GetResource (errors); user guide, "Identifying resources".
"""

from __future__ import annotations

import json
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import cloudcontrol

from cloud_control.readers import READERS
from guards import documents
from templates.schemas import bundled


def install() -> None:
    """Take the place of MiniStack's own."""
    vars(cloudcontrol)["_get_resource"] = get_resource


def get_resource(data: dict[str, Any]) -> Any:
    """GetResource."""
    kind, text = str(data.get("TypeName", "")), str(data.get("Identifier", ""))
    reader, schema = READERS.get(kind), bundled().of(kind, "us-east-1")
    if reader is None or schema is None:
        return error_response_json("UnsupportedActionException", f"Resource type {kind} does not support READ action", 400)
    names = [".".join(path) for path in schema.primary_identifier]
    if text.startswith("{"):
        try:
            identifier = {name: str(value) for name, value in documents.mapping(text).items()}
        except documents.Unreadable:
            identifier = {text: ""}
    elif len(names) == 1:
        identifier = {names[0]: text}
    else:
        identifier = dict(zip(schema.identifier, text.split("|"), strict=False))
    if not set(identifier) <= set(names):
        return error_response_json("ValidationException", f"Identifier {text} is not valid for identifier of {kind}", 400)
    try:
        found = reader(identifier)
    except KeyError:
        found = None
    if found is None:
        words = f"Resource of type '{kind}' with identifier '{text}' was not found."
        return error_response_json("ResourceNotFoundException", words, 400)
    return json_response({"TypeName": kind, "ResourceDescription": {"Identifier": text, "Properties": json.dumps(found, default=str)}})
