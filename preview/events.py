"""Events for edge functions in CloudFront's shape, and CloudFront's checks of what they answer.

In: a viewer's request, a response, a function's answer as JSON. Out: events; requests and responses again; or `Invalid`, which says which
rule of CloudFront's an answer breaks.
Never: runs a function, forgives what CloudFront refuses. Where its documentation is silent the check is the stricter one.

Sources, all CloudFront Developer Guide: "Lambda@Edge event structure", "CloudFront Functions event structure", "Restrictions on edge
functions" (disallowed and read-only headers), "Update HTTP responses in Lambda@Edge functions", "Quotas".
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from preview.messages import Headers, Request, Response, reason_of, without
from preview.model import Distribution, EventType

VIEWER_LIMIT = 40 * 1024
"""Bytes of headers and body that a viewer-request function may generate."""
ORIGIN_LIMIT = 1024 * 1024

_DISALLOWED = {"connection", "expect", "keep-alive", "trailer", "upgrade", "x-cache", "x-forwarded-proto", "x-real-ip"}
_DISALLOWED_PREFIXES = ("proxy-", "x-accel-", "x-amz-cf-", "x-edge-")
READ_ONLY: Mapping[EventType, frozenset[str]] = {
    "viewer-request": frozenset({"content-length", "host", "transfer-encoding", "via", "cdn-loop"}),
    "origin-request": frozenset(
        {
            *("accept-encoding", "content-length", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since"),
            *("transfer-encoding", "via", "cdn-loop"),
        }
    ),
    "origin-response": frozenset({"transfer-encoding", "via"}),
    "viewer-response": frozenset({"content-encoding", "content-length", "transfer-encoding", "warning", "via"}),
}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_BAD_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BAD_URI = re.compile(r"[\x00-\x20\x7f?#]")


class Invalid(Exception):
    """An answer that CloudFront refuses with a 502."""


def disallowed(name: str) -> bool:
    """Whether no edge function may add a header of that (lower-case) name."""
    return name in _DISALLOWED or name.startswith(_DISALLOWED_PREFIXES)


# --- Lambda@Edge --------------------------------------------------------------------------------------------------


def lambda_event(
    event: EventType,
    distribution: Distribution,
    request_id: str,
    request: Request,
    response: Response | None = None,
    *,
    origin: Mapping[str, Any] | None = None,
    include_body: bool = False,
) -> dict[str, Any]:
    """What Lambda@Edge hands to the function."""
    viewed: dict[str, Any] = {
        "clientIp": request.client_ip,
        "headers": _lambda_headers(request.headers),
        "method": request.method,
        "querystring": request.query,
        "uri": request.uri,
    }
    if origin is not None:
        viewed["origin"] = origin
    if include_body:
        limit = VIEWER_LIMIT if event == "viewer-request" else ORIGIN_LIMIT
        viewed["body"] = {
            "action": "read-only",
            "data": base64.b64encode(request.body[:limit]).decode(),
            "encoding": "base64",
            "inputTruncated": len(request.body) > limit,
        }
    cf: dict[str, Any] = {
        "config": {
            "distributionDomainName": distribution.domain_name,
            "distributionId": distribution.id,
            "eventType": event,
            "requestId": request_id,
        },
        "request": viewed,
    }
    if response is not None:
        cf["response"] = {
            "status": str(response.status),
            "statusDescription": response.reason or reason_of(response.status),
            "headers": _lambda_headers(response.headers),
        }
    return {"Records": [{"cf": cf}]}


def _lambda_headers(headers: Headers) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for key, value in headers:
        found.setdefault(key.lower(), []).append({"key": key, "value": value})
    return found


def lambda_request_answer(event: EventType, request: Request, answer: Any) -> Request | Response:
    """The changed request, or the response that the function generated. Raises Invalid."""
    if not isinstance(answer, dict):
        raise Invalid(f"the function answered {_shown(answer)}, neither a request nor a response")
    if "status" in answer:
        return _lambda_response(event, answer, Response(status=0))
    if "uri" not in answer or "method" not in answer:
        raise Invalid("the answer has neither a status, as a response has, nor method and uri, as a request has")
    if answer["method"] != request.method:
        raise Invalid(f"the method is read-only: {request.method} was changed to {_shown(answer['method'])}")
    body = answer.get("body")
    changed = replace(
        request,
        uri=_uri(answer["uri"]),
        query=_query(answer.get("querystring", "")),
        headers=_lambda_header_list(event, answer.get("headers", {}), request.headers),
    )
    if isinstance(body, dict) and body.get("action") == "replace":
        limit = VIEWER_LIMIT if event == "viewer-request" else ORIGIN_LIMIT
        changed = replace(
            changed, body=_bounded(_decoded(body.get("data", ""), body.get("encoding", "text")), limit, "replaced request body")
        )
    return changed


def lambda_response_answer(event: EventType, response: Response, answer: Any) -> Response:
    """The changed response. Raises Invalid."""
    if not isinstance(answer, dict):
        raise Invalid(f"the function answered {_shown(answer)}, not a response")
    changed = _lambda_response(event, answer, response)
    if event == "viewer-response" and changed.status != response.status:
        raise Invalid(f"a viewer-response function must not change the status: {response.status} became {changed.status}")
    return changed


def _lambda_response(event: EventType, answer: Mapping[str, Any], before: Response) -> Response:
    status = answer.get("status")
    # AWS documents a string; anything else is not relied on.
    if not isinstance(status, str):
        raise Invalid(f"status must be a string such as '200', not {_shown(status)}")
    if not re.fullmatch(r"[2-5]\d\d", status):
        raise Invalid(f"status must be '200' to '599', not {_shown(status)}")
    description = answer.get("statusDescription", "")
    if not isinstance(description, str) or _BAD_VALUE.search(description):
        raise Invalid(f"statusDescription must be one line of text, not {_shown(description)}")
    headers = _lambda_header_list(event, answer.get("headers", {}), before.headers)
    if "body" in answer and event == "viewer-response":
        raise Invalid("a viewer-response function must not set a body")
    body = _decoded(answer["body"], answer.get("bodyEncoding", "text")) if answer.get("body") is not None else before.body
    if before.status == 0 or "body" in answer:
        limit = VIEWER_LIMIT if event.startswith("viewer-") else ORIGIN_LIMIT
        _bounded(body, limit - sum(len(k) + len(v) for k, v in headers), "generated response (headers and body)", limit)
    return Response(status=int(status), reason=description, headers=headers, body=body)


def _lambda_header_list(event: EventType, given: Any, before: Headers) -> Headers:
    if not isinstance(given, dict):
        raise Invalid(f"headers must be an object, not {_shown(given)}")
    found: list[tuple[str, str]] = []
    for name, entries in given.items():
        if name != name.lower():
            raise Invalid(f"header {name!r} must be written in lower case in headers")
        if not isinstance(entries, list):
            raise Invalid(f"header {name!r} must be a list of {{key, value}}, not {_shown(entries)}")
        for entry in entries:
            if not isinstance(entry, dict) or not isinstance(entry.get("value"), str):
                raise Invalid(f"header {name!r} must be a list of {{key, value}} with text, not {_shown(entry)}")
            key = entry.get("key", name)
            if not isinstance(key, str) or key.lower() != name:
                raise Invalid(f"header {name!r} has the key {_shown(key)}, which differs in more than case")
            found.append((key, entry["value"]))
    headers = tuple(found)
    _check_headers(event, headers, before)
    return headers


# --- CloudFront Functions -----------------------------------------------------------------------------------------


def function_event(
    event: EventType, distribution: Distribution, request_id: str, request: Request, response: Response | None = None
) -> dict[str, Any]:
    """What a CloudFront Function is called with; `rawQueryString` becomes the request's method of that name."""
    viewed = {
        "method": request.method,
        "uri": request.uri,
        "querystring": _multi(_query_pairs(request.query), lower=False),
        "headers": _multi(without(request.headers, ("cookie",)), lower=True),
        "cookies": _multi(_cookies(request), lower=False),
    }
    made: dict[str, Any] = {
        "version": "1.0",
        "context": {
            "distributionDomainName": distribution.domain_name,
            "distributionId": distribution.id,
            "eventType": event,
            "requestId": request_id,
        },
        "viewer": {"ip": request.client_ip},
        "request": viewed,
        "rawQueryString": request.query,
    }
    if response is not None:
        made["response"] = {
            "statusCode": response.status,
            "statusDescription": response.reason or reason_of(response.status),
            "headers": _multi(without(response.headers, ("set-cookie",)), lower=True),
            "cookies": {},
        }
    return made


def _multi(pairs: Iterable[tuple[str, str]], *, lower: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        key = name.lower() if lower else name
        if key in found:
            found[key].setdefault("multiValue", [{"value": found[key]["value"]}]).append({"value": value})
        else:
            found[key] = {"value": value}
    return found


def _query_pairs(query: str) -> list[tuple[str, str]]:
    """As they stand: CloudFront Functions see values undecoded."""
    return [(name, value) for name, _, value in (part.partition("=") for part in query.split("&") if part)]


def _cookies(request: Request) -> list[tuple[str, str]]:
    found = []
    for key, line in request.headers:
        if key.lower() == "cookie":
            for part in line.split(";"):
                name, separator, value = part.strip().partition("=")
                if separator and name:
                    found.append((name, value))
    return found


def function_request_answer(request: Request, answer: Any) -> Request | Response:
    """The changed request, or the response that the function generated. Raises Invalid."""
    if not isinstance(answer, dict):
        raise Invalid(f"the function answered {_shown(answer)}, neither a request nor a response")
    if "statusCode" in answer:
        return _function_response("viewer-request", answer, Response(status=0))
    if "uri" not in answer:
        raise Invalid("the answer has neither a statusCode, as a response has, nor a uri, as a request has")
    if answer.get("method", request.method) != request.method:
        raise Invalid(f"the method is read-only: {request.method} was changed to {_shown(answer['method'])}")
    query = answer.get("querystring", {})
    if isinstance(query, dict):
        # Unchanged: the viewer's own bytes, otherwise what the function made of them.
        same = query == _multi(_query_pairs(request.query), lower=False)
        query = request.query if same else "&".join(f"{_escaped(n)}={_escaped(v)}" for n, v in _spread("querystring", query))
    cookies = _spread("cookies", answer.get("cookies", {}))
    headers = _function_headers("viewer-request", answer.get("headers", {}), without(request.headers, ("cookie",)))
    if cookies:
        headers = (*headers, ("cookie", "; ".join(f"{name}={value}" for name, value in cookies)))
    return replace(request, uri=_uri(answer["uri"]), query=_query(query), headers=headers)


def function_response_answer(response: Response, answer: Any) -> Response:
    """The changed response. Raises Invalid."""
    if not isinstance(answer, dict):
        raise Invalid(f"the function answered {_shown(answer)}, not a response")
    return _function_response("viewer-response", answer, response)


def _function_response(event: EventType, answer: Mapping[str, Any], before: Response) -> Response:
    status = answer.get("statusCode")
    if isinstance(status, bool) or not isinstance(status, int) or not 100 <= status <= 599:
        raise Invalid(f"statusCode must be a number from 100 to 599, not {_shown(status)}")
    description = answer.get("statusDescription", "")
    if not isinstance(description, str) or _BAD_VALUE.search(description):
        raise Invalid(f"statusDescription must be one line of text, not {_shown(description)}")
    headers = _function_headers(event, answer.get("headers", {}), without(before.headers, ("set-cookie",)))
    headers = (*headers, *_set_cookies(answer.get("cookies", {})))
    body = before.body
    given = answer.get("body")
    if isinstance(given, str):
        body = given.encode()
    elif isinstance(given, dict):
        body = _decoded(given.get("data", ""), given.get("encoding", "text"))
    elif given is not None:
        raise Invalid(f"body must be text or {{encoding, data}}, not {_shown(given)}")
    if before.status == 0 or given is not None:
        limit = VIEWER_LIMIT
        _bounded(body, limit - sum(len(k) + len(v) for k, v in headers), "generated response (headers and body)", limit)
    return Response(status=status, reason=description, headers=headers, body=body)


def _set_cookies(given: Any) -> Headers:
    found = []
    for name, value, entry in _entries("cookies", given):
        attributes = entry.get("attributes", "")
        if not isinstance(attributes, str):
            raise Invalid(f"cookies: attributes of {name!r} must be text, not {_shown(attributes)}")
        line = f"{name}={value}" + (f"; {attributes}" if attributes else "")
        if _BAD_VALUE.search(line) or not _latin(line):
            raise Invalid(f"cookie {name!r} has a value that HTTP cannot carry")
        found.append(("set-cookie", line))
    return tuple(found)


def _function_headers(event: EventType, given: Any, before: Headers) -> Headers:
    for name in given if isinstance(given, dict) else ():
        if name != name.lower():
            raise Invalid(f"header {name!r} must be written in lower case in headers")
    headers = tuple(_spread("headers", given))
    # The event has lower-case names; unchanged headers keep the viewer's spelling.
    spelled = {(k.lower(), v): k for k, v in before}
    headers = tuple((spelled.get((name, value), name), value) for name, value in headers)
    _check_headers(event, headers, before)
    return headers


def _spread(what: str, given: Any) -> list[tuple[str, str]]:
    return [(name, value) for name, value, _ in _entries(what, given)]


def _entries(what: str, given: Any) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Name, value and whole entry of each {value} and of each in a multiValue."""
    if not isinstance(given, dict):
        raise Invalid(f"{what} must be an object, not {_shown(given)}")
    for name, entry in given.items():
        many = entry.get("multiValue") if isinstance(entry, dict) else None
        for one in many if isinstance(many, list) and many else [entry]:
            value = one.get("value") if isinstance(one, dict) else None
            if not isinstance(value, str):
                raise Invalid(f"{what}: {name!r} must be {{value: text}}, not {_shown(entry)}")
            yield name, value, one


# --- rules for both -----------------------------------------------------------------------------------------------


def _check_headers(event: EventType, headers: Headers, before: Headers) -> None:
    names = {key.lower() for key, _ in headers}
    known = {key.lower() for key, _ in before}
    for key, value in headers:
        if not _TOKEN.match(key):
            raise Invalid(f"header name {key!r} has characters that HTTP does not allow")
        if _BAD_VALUE.search(value) or not _latin(value):
            raise Invalid(f"header {key!r} has a value that HTTP cannot carry")
    added = sorted(name for name in names - known if disallowed(name))
    if added:
        raise Invalid(f"header {added[0]!r} is one that edge functions may not add")
    for name in sorted(READ_ONLY[event] & (names | known)):
        if _values(headers, name) != _values(before, name):
            raise Invalid(f"header {name!r} is read-only in {event} events")


def _values(headers: Headers, name: str) -> list[str]:
    return [value for key, value in headers if key.lower() == name]


def _latin(value: str) -> bool:
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def _uri(value: Any) -> str:
    if not isinstance(value, str) or not value.startswith("/"):
        raise Invalid(f"uri must begin with a slash, not {_shown(value)}")
    if len(value) > 8192 or _BAD_URI.search(value):
        raise Invalid("uri is longer than 8,192 characters or has a space, control character, '?' or '#'")
    # CloudFront sends a path in ASCII; a function may write a character as it is.
    return quote(value, safe="/%!$&'()*+,;=:@~-._[]\"<>^`{|}\\")


def _query(value: Any) -> str:
    if not isinstance(value, str) or re.search(r"[\x00-\x20\x7f#]", value):
        raise Invalid("querystring must be text without spaces, control characters and '#'")
    return quote(value, safe="/%!$&'()*+,;=:@~-._[]\"<>^`{|}\\?")


def _escaped(value: str) -> str:
    return quote(value, safe="%/:?@!$'()*,;~-._+")


def _decoded(data: Any, encoding: Any) -> bytes:
    if not isinstance(data, str):
        raise Invalid(f"a body must be text, not {_shown(data)}")
    if encoding == "text":
        return data.encode(errors="replace")
    if encoding == "base64":
        try:
            return base64.b64decode(data, validate=True)
        except binascii.Error as error:
            raise Invalid(f"the body is not base64: {error}") from None
    raise Invalid(f"a body's encoding must be 'text' or 'base64', not {_shown(encoding)}")


def _bounded(body: bytes, room: int, what: str, limit: int | None = None) -> bytes:
    if len(body) > room:
        raise Invalid(f"the {what} is larger than {limit or room:,} bytes")
    return body


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
