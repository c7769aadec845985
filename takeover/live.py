"""A resource that exists, read as CloudFormation would read it (Cloud Control API), and split into what a template may say and what not.

In: the properties that AWS gives, the type's schema. Out: `Live`.
Never: shows a value that may be a secret: what is shown goes through `masked`.

Sources: CloudFormation CLI user guide, "Resource type schema" (readOnlyProperties, writeOnlyProperties, primaryIdentifier); Cloud Control
API user guide, "Reading a resource's current state".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from takeover.model import Live, Taken
from templates.intrinsics import secret_mark
from templates.schemas import Schema

_SECRET = frozenset({"HeaderValue"})
"""Names of properties whose value may be a secret: a custom header with which an origin knows its distribution."""
_SECRET_MAPS = frozenset({"Variables"})
"""Names of properties of which every value may be one: the environment of a function."""


def identifier_of(schema: Schema, identifier: Mapping[str, str]) -> str:
    """The identifier that Cloud Control takes, which is also what Ref gives; empty if a part of it is missing."""
    parts = [identifier.get(name, "") for name in schema.identifier]
    return "|".join(parts) if all(parts) else ""


def live(schema: Schema, taken: Taken, told: Mapping[str, Any]) -> Live:
    """`told`: the properties as Cloud Control gives them."""
    properties = without(told, schema.read_only)
    tags = properties.get("Tags")
    if isinstance(tags, list):
        # AWS's own tags may not stand in a template.
        properties["Tags"] = [tag for tag in tags if not str(tag.get("Key", "") if isinstance(tag, Mapping) else "").startswith("aws:")]
    for name, value in taken.identifier.items():
        if (name,) not in schema.read_only:
            properties.setdefault(name, value)
    return Live(
        taken=taken,
        ref=identifier_of(schema, taken.identifier),
        properties={name: value for name, value in properties.items() if value not in ([], {}, None)},
        attributes={".".join(path): value for path in schema.read_only if (value := _at(told, path)) is not None},
    )


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def without(value: Mapping[str, Any], paths: Iterable[tuple[str, ...]]) -> dict[str, Any]:
    """A copy without what stands at the paths; what is empty for it goes too."""
    found: Any = dict(value)
    for path in sorted(paths):
        found = _cut(found, path)
    return dict(found)


def _cut(value: Any, path: tuple[str, ...]) -> Any:
    name, rest = path[0], path[1:]
    if name == "*":
        return [_cut(item, rest) if rest else item for item in value] if isinstance(value, list) else value
    if not isinstance(value, Mapping) or name not in value:
        return value
    left = {key: part for key, part in value.items() if key != name}
    if rest:
        part = _cut(value[name], rest)
        if part != {}:
            left[name] = part
    return left


def masked(value: Any) -> Any:
    """A copy in which those texts are marks of a secret, to be compared and shown."""
    if isinstance(value, Mapping):
        return {
            name: secret_mark(name, "live")
            if name in _SECRET
            else {key: secret_mark(key, "live") for key in part}
            if name in _SECRET_MAPS and isinstance(part, Mapping)
            else masked(part)
            for name, part in value.items()
        }
    return [masked(item) for item in value] if isinstance(value, list) else value
