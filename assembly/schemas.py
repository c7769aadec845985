"""JSON Schemas of what we read and print, the same on every Python.

In: types. Out: their JSON Schemas (2020-12). Never: writes one.

Python 3.13 takes the indentation out of docstrings, which msgspec repeats as descriptions; older ones leave it to the reader.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import msgspec


def components(types: Iterable[Any]) -> tuple[list[Any], dict[str, Any]]:
    """A schema for each of the types, and the definitions that they refer to as `#/$defs/NAME`."""
    schemas, definitions = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    return [_plain(each) for each in schemas], {name: _plain(each) for name, each in definitions.items()}


def _plain(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _plain(value) for key, value in schema.items()}
    if isinstance(text := plain.get("description"), str):
        plain["description"] = inspect.cleandoc(text)
    return plain
