"""The bodies of HTTP answers, looked at before botocore parses them: it takes some that are no answer of AWS for an empty one.

In: botocore's before-parse event. Out: nothing for a body of the service's protocol; `ResponseParserError` for another, which
`aws.errors` translates. With a 5xx the body is dropped instead, so that botocore retries.
"""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

from guards.slow_answers import PatientResponse, SteadyResponse, SteadySocket
from guards.text import sentence

STRANGERS_WORDS = 200
"""Characters of a body that is none of AWS's."""
MOST_HEADERS = 100
"""As http.client has it."""
_HTML = re.compile(rb"\s*<(!doctype html|html)", re.IGNORECASE)


def check(*, operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    """A handler of before-parse."""
    body, status = response_dict["body"], response_dict["status_code"]
    if not isinstance(body, bytes):
        return  # an object's content, which is read later
    problem = _problem(body, status, operation_model)
    if not problem:
        return
    if status >= 500:
        response_dict["body"] = b""
        return
    from botocore.parsers import ResponseParserError

    words = sentence(body.decode(errors="replace"), STRANGERS_WORDS)
    raise ResponseParserError(f"HTTP {status} with {problem}{words and ': '}{words}")


def _problem(body: bytes, status: int, operation: Any) -> str:
    """What is wrong with it, or ""."""
    success = status < 300
    if not body.strip():
        return "an empty body" if success and _promises_body(operation) else ""
    if success and _is_free_text(operation):
        return ""
    if _HTML.match(body):
        return "an HTML page"
    if operation.service_model.resolved_protocol in ("json", "rest-json"):
        return "" if _is_json_object(body) else "a body that is no JSON object"
    return "" if success or _is_xml(body) else "a body that is no XML"  # of a success, botocore's parser says so itself


def _promises_body(operation: Any) -> bool:
    """Whether any field of the answer is in the body, and not in a header or a stream."""
    shape = operation.output_shape
    if operation.has_streaming_output:
        return False
    return shape is not None and any("location" not in member.serialization for member in shape.members.values())


def _is_free_text(operation: Any) -> bool:
    shape = operation.output_shape
    payload = shape.serialization.get("payload") if shape is not None else None
    return payload is not None and shape.members[payload].type_name in ("string", "blob")


def _is_json_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


def _is_xml(body: bytes) -> bool:
    try:
        ElementTree.fromstring(body)  # noqa: S314 (botocore parses the same bytes with the same parser)
    except (ElementTree.ParseError, LookupError, ValueError):
        return False
    return True


def look_once(*, params: dict[str, Any], **_: Any) -> None:
    """A handler of before-call.s3.HeadBucket.

    Over an answer with a status of 3xx botocore asks HeadBucket for the bucket's region. Where that is answered the same way, as a proxy's
    login page is, it would ask for the region of that question too, without end. Its own question names no owner, as all of ours do.
    """
    if not any(name.lower() == "x-amz-expected-bucket-owner" for name in params["headers"]):
        params["context"].setdefault("s3_redirect", {})["redirected"] = True


def hold_to_a_speed() -> None:
    """Have all connections of botocore, those by a proxy and for credentials too, give up an answer that drips."""
    from botocore import awsrequest

    pools: tuple[Any, ...] = (awsrequest.AWSHTTPConnectionPool, awsrequest.AWSHTTPSConnectionPool)
    for pool in pools:
        if not issubclass(pool.ConnectionCls, _Steady):
            pool.ConnectionCls = type(pool.ConnectionCls.__name__, (_Steady, pool.ConnectionCls), {"response_class": SteadyResponse})


class _Steady:
    """Also of what botocore's connections read by themselves: the answer to "Expect: 100-continue", with which they upload a file."""

    response_class: Any
    sock: Any
    _response_received: bool

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, *given: Any, **named: Any) -> Any:
        answer = super().request(method, url, body, headers, *given, **named)  # type: ignore[misc]
        works = "uploadId=" in url if method == "POST" else any(name.lower() == "x-amz-copy-source" for name in headers or ())
        if works and self.response_class is SteadyResponse:
            self.response_class = PatientResponse
        return answer

    def _handle_expect_response(self, message_body: Any) -> None:
        whole, self.sock = self.sock, SteadySocket(self.sock)
        try:
            super()._handle_expect_response(message_body)  # type: ignore[misc]
        finally:
            self.sock = whole
        if self._response_received:
            early = self.response_class
            self.response_class = lambda sock, *given, **named: early(SteadySocket(sock), *given, **named)

    def _consume_headers(self, fp: Any) -> None:
        """To the blank line. botocore's own waits for it for ever where the connection ends before."""
        for number, line in enumerate(iter(fp.readline, b"\r\n")):
            if not line or number > MOST_HEADERS:
                raise ConnectionError("the answer to a request ends in its head")
