"""Answers made from botocore's service models: valid ones, and ones that no API promises.

In: an operation model. Out: strategies of (status, content type, body).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from hypothesis import strategies as st

HTML = b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n<body>" + b"<p>nginx</p>\n" * 500 + b"</body></html>"
XHTML = b'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Sign in</title></head><body><p>Proxy</p></body></html>'
_DEPTH = 5


@dataclass(frozen=True)
class Wire:
    """One HTTP answer."""

    status: int
    content_type: str
    body: bytes
    headers: dict[str, str]


@st.composite
def answers(draw: Any, operation: Any) -> Wire:
    """Any answer to an operation: the model's with members left out or null, broken bodies, errors, and pages of somebody else."""
    xml = operation.service_model.resolved_protocol in ("query", "rest-xml")
    kind = "text/xml" if xml else "application/x-amz-json-1.1"
    value, headers = draw(_members(operation.output_shape, 0)) if operation.output_shape else ({}, {})
    body = _xml(operation, value) if xml else json.dumps(value).encode()
    how = draw(
        st.sampled_from(("valid", "valid", "valid", "empty", "truncated", "other type", "html", "json", "text", "error", "odd error"))
    )
    status = 200
    if how == "empty":
        body = b""
    elif how == "truncated":
        body = body[: draw(st.integers(0, len(body)))]
    elif how == "other type":
        kind = "application/octet-stream"
    elif how == "html":
        kind, body, status = "text/html", draw(st.sampled_from((HTML, XHTML))), draw(st.sampled_from((200, 302, 403, 407, 502, 503)))
    elif how == "json":
        kind, body = "application/json", draw(st.sampled_from((b"[]", b"null", b'"x"', b"17", b'{"message": "Forbidden"}', b"[" * 100_000)))
        status = draw(st.sampled_from((200, 403, 500)))
    elif how == "text":
        kind, body, status = "text/plain", b"upstream connect error\n" * 100, draw(st.sampled_from((200, 404, 503)))
    elif how == "error":
        status = draw(st.sampled_from((400, 403, 404, 409, 412, 429, 500, 503)))
    elif how == "odd error":
        status = draw(st.sampled_from((400, 404, 500)))
        odd = (
            b"<Error>text</Error>",
            b"<a><Error><Code/></Error></a>",
            b"<ErrorResponse/>",
            b'{"__type": null}',
            b'{"__type": 5, "message": []}',
        )
        body = draw(st.sampled_from(odd))
    return Wire(status, kind, body, headers)


@st.composite
def _members(draw: Any, shape: Any, depth: int) -> tuple[dict[str, Any], dict[str, str]]:
    """A structure's body as the model names it on the wire, and what of it is in headers."""
    body: dict[str, Any] = {}
    headers: dict[str, str] = {}
    for name, member in shape.members.items():
        wire = member.serialization.get("name", name)
        choice = draw(st.sampled_from(("there", "there", "there", "there", "absent", "null")))
        if choice == "absent" or (choice == "null" and "location" in member.serialization):
            continue
        if member.serialization.get("location") == "header":
            headers[wire] = str(draw(_scalars(member)))
        elif "location" not in member.serialization:
            body[wire] = None if choice == "null" else draw(_values(member, depth + 1))
    return body, headers


def _values(shape: Any, depth: int) -> st.SearchStrategy[Any]:
    if shape.type_name == "structure":
        return st.just({}) if depth > _DEPTH else _members(shape, depth).map(lambda found: found[0])
    if shape.type_name == "list":
        if depth > _DEPTH:
            return st.just([])
        wrapped = shape.member.serialization.get("name", "member")
        name = None if shape.serialization.get("flattened") else wrapped
        return st.lists(_values(shape.member, depth + 1), max_size=2).map(lambda items: _Listed(items, name))
    if shape.type_name == "map":
        return st.dictionaries(_scalars(shape.key), _values(shape.value, depth + 1), max_size=2)
    return _scalars(shape)


class _Listed(list[Any]):
    """A list that remembers what XML calls its members; None: it is flattened."""

    def __init__(self, items: list[Any], name: str | None) -> None:
        super().__init__(items)
        self.name = name


def _scalars(shape: Any) -> st.SearchStrategy[Any]:
    kind = shape.type_name
    if kind == "boolean":
        return st.booleans()
    if kind in ("integer", "long"):
        return st.integers(-1, 3)
    if kind in ("float", "double"):
        return st.sampled_from((0.0, 1.5))
    if kind == "timestamp":
        return st.sampled_from((datetime(2026, 11, 22, tzinfo=UTC).timestamp(), 0))
    if shape.enum if hasattr(shape, "enum") else False:
        return st.sampled_from((*shape.enum, "NEW_IN_2030"))
    return st.sampled_from(("", "a", "arn:aws:x:::y", "0", "{}", "%7B%7D", "ALIAS."))


def _xml(operation: Any, value: dict[str, Any]) -> bytes:
    shape = operation.output_shape
    inner = _elements(value)
    if operation.service_model.resolved_protocol == "query":
        wrapper = shape.serialization.get("resultWrapper") if shape else None
        inner = f"<{wrapper}>{inner}</{wrapper}>" if wrapper else ""
        inner += "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
        return f"<{operation.name}Response>{inner}</{operation.name}Response>".encode()
    payload = shape.serialization.get("payload") if shape else None
    return inner.encode() if payload and inner else f"<{operation.name}Result>{inner}</{operation.name}Result>".encode()


def _elements(value: dict[str, Any]) -> str:
    return "".join(_element(name, found) for name, found in value.items() if found is not None)


def _element(name: str, value: Any) -> str:
    if isinstance(value, _Listed):
        if value.name is None:
            return "".join(_element(name, each) for each in value)
        return f"<{name}>{''.join(_element(value.name, each) for each in value)}</{name}>"
    if isinstance(value, dict):
        return f"<{name}>{_elements(value)}</{name}>"
    if isinstance(value, bool):
        return f"<{name}>{str(value).lower()}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"
