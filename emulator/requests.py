"""A request held against the service's own model, as AWS does before it looks at anything else.

In: the body of a request for an action of `served`, as it came over the wire. Out: nothing, or `Invalid` with every parameter that the
model does not allow: unknown, missing, of the wrong type, too short, too long, outside its pattern or its enumeration.
boto3 checks names, types and required parameters before it sends; other clients, and everything else of the model, only AWS does.
Not looked at: what stands in paths and query strings (S3, Lambda), CBOR.

Stricter than AWS, where some services ignore parameters that they do not know: such a parameter is a mistake of the caller.
Source: the service models that botocore brings along; patterns hold for the whole value, as in the services' own messages
("failed to satisfy constraint: Member must satisfy regular expression pattern").
"""

from __future__ import annotations

import functools
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import botocore.session
from botocore.model import ListShape, MapShape, OperationNotFoundError, ServiceModel, Shape, StructureShape

_MODEL_NAMES = {"monitoring": "cloudwatch", "servicequotas": "service-quotas"}
_OUTSIDE_THE_MODEL = frozenset({"Action", "Version"})
_JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
}


class Invalid(Exception):
    """A request that the service's model does not allow, in AWS's words but without the value, which may be a secret."""

    def __init__(self, code: str, problems: list[str]) -> None:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
        super().__init__(f"{count}: {'; '.join(problems)}")
        self.code = code


def check(service: str, action: str, content_type: str, body: bytes) -> Any:
    """The parameters of the body, None where they are not looked at. `Invalid` if they are not as the model of the action says."""
    shape = _input_shape(service, action)
    if shape is None:
        return None
    protocol = _model(service).protocol
    if content_type.startswith("application/x-www-form-urlencoded"):
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        value: Any = _from_query(shape, {name: text for name, text in fields.items() if name not in _OUTSIDE_THE_MODEL})
        code = "ValidationError"
    elif "json" in content_type or protocol == "rest-json":
        value, code = json.loads(body or b"{}"), "ValidationException"
    elif protocol == "rest-xml" and body and (payload := _payload(shape)) is not None:
        shape, value, code = payload, _from_xml(payload, ET.fromstring(body)), "ValidationError"  # noqa: S314
    else:
        return None
    problems = list(_problems(shape, value, ""))
    if problems:
        raise Invalid(code, problems)
    return value


@functools.cache
def _model(service: str) -> ServiceModel:
    return botocore.session.Session().get_service_model(_MODEL_NAMES.get(service, service))


def _input_shape(service: str, action: str) -> StructureShape | None:
    try:
        return _model(service).operation_model(action).input_shape
    except OperationNotFoundError:
        return None


def _payload(shape: StructureShape) -> StructureShape | None:
    """What the body of a REST request holds: one member, or the whole structure but for what stands in path, query and headers."""
    name = shape.serialization.get("payload")
    if name:
        member = shape.members[name]
        return member if isinstance(member, StructureShape) else None
    return shape


# --- from the wire ------------------------------------------------------------------------------------------------


def _from_query(shape: Shape, fields: Mapping[str, str]) -> Any:
    """Fields are named by their path: A.B, List.member.1.C, Map.entry.1.key. What the model does not know keeps its name."""
    if "" in fields and len(fields) == 1 and not isinstance(shape, (StructureShape, ListShape, MapShape)):
        return fields[""]
    if isinstance(shape, StructureShape):
        groups = _grouped(fields)
        named = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
        return {
            named[head][0] if head in named else head: _from_query(named[head][1], group) if head in named else group
            for head, group in groups.items()
            if head
        }
    if isinstance(shape, ListShape):
        flat = {name.removeprefix(f"{shape.member.serialization.get('name', 'member')}."): text for name, text in fields.items() if name}
        return [_from_query(shape.member, group) for group in _grouped(flat).values()]
    return dict(fields)


def _grouped(fields: Mapping[str, str]) -> dict[str, dict[str, str]]:
    groups: dict[str, dict[str, str]] = {}
    for name, text in fields.items():
        head, _, rest = name.partition(".")
        groups.setdefault(head, {})[rest] = text
    return groups


def _from_xml(shape: Shape, element: ET.Element) -> Any:
    if isinstance(shape, StructureShape):
        named = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
        value: dict[str, Any] = {}
        for child in element:
            tag = child.tag.rpartition("}")[2]
            name, member = named.get(tag, (tag, None))
            value[name] = _from_xml(member, child) if member is not None else ""
        return value
    if isinstance(shape, ListShape):
        return [_from_xml(shape.member, child) for child in element]
    return element.text or ""


# --- against the model --------------------------------------------------------------------------------------------


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if value is None:
        return
    if isinstance(shape, StructureShape):
        yield from _structure_problems(shape, value, path)
    elif isinstance(shape, ListShape):
        yield from _sized(shape, value, path, list)
        for number, inner in enumerate(value if isinstance(value, list) else [], 1):
            yield from _problems(shape.member, inner, f"{path}.{number}.member")
    elif isinstance(shape, MapShape):
        for key, inner in value.items() if isinstance(value, dict) else ():
            yield from _problems(shape.value, inner, f"{path}.{key}")
    else:
        yield from _scalar_problems(shape, value, path)


def _structure_problems(shape: StructureShape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"Value at '{path}' is no structure"
        return
    below = f"{path}." if path else ""
    for name in shape.required_members:
        if value.get(name) is None and "location" not in shape.members[name].serialization:
            yield f"Value null at '{below}{name}' failed to satisfy constraint: Member must not be null"
    for name, inner in value.items():
        if name in shape.members:
            yield from _problems(shape.members[name], inner, below + name)
        else:
            yield f"Unknown parameter '{below}{name}'"


def _sized(shape: Shape, value: Any, path: str, kind: type) -> Iterator[str]:
    if not isinstance(value, kind):
        yield f"Value at '{path}' is no {kind.__name__}"
        return
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    size = len(value)  # type: ignore[arg-type]  # a string, list or mapping, as `kind` says
    if least is not None and size < int(least):
        yield f"Value at '{path}' failed to satisfy constraint: Member must have length greater than or equal to {least}"
    if most is not None and size > int(most):
        yield f"Value at '{path}' failed to satisfy constraint: Member must have length less than or equal to {most}"


def _scalar_problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "string":
        yield from _sized(shape, value, path, str)
        if not isinstance(value, str):
            return
        allowed, pattern = shape.metadata.get("enum"), _pattern(shape.metadata.get("pattern", ""))
        if allowed and value not in allowed:
            yield f"Value at '{path}' failed to satisfy constraint: Member must satisfy enum value set: {allowed}"
        if pattern is not None and not pattern.fullmatch(value):
            yield f"Value at '{path}' failed to satisfy constraint: Member must satisfy regular expression pattern: {pattern.pattern}"
        return
    expected = _JSON_TYPES.get(shape.type_name)
    if expected is None:
        return
    number = _read(shape.type_name, value) if isinstance(value, str) else value
    if not isinstance(number, expected) or (isinstance(number, bool) and expected is not bool):
        yield f"Value at '{path}' is no {shape.type_name}"
        return
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if (least is not None and number < least) or (most is not None and number > most):
        yield f"Value at '{path}' failed to satisfy constraint: Member must be between {least} and {most}"


def _read(kind: str, text: str) -> Any:
    """A number or truth value as query strings and XML carry it; the text itself if it is none."""
    try:
        if kind == "boolean":
            return {"true": True, "false": False}[text.lower()]
        return float(text) if kind in ("float", "double") else int(text)
    except (KeyError, ValueError):
        return text


@functools.cache
def _pattern(text: str) -> re.Pattern[str] | None:
    """None for what Python's dialect cannot read: patterns are written in Java's."""
    try:
        return re.compile(text) if text else None
    except re.error:
        return None
