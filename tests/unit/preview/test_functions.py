"""Edge functions in Node: what CloudFront refuses of them, and what becomes of those that crash, hang or end their process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preview import events
from preview.events import Invalid
from preview.messages import Headers, Request, Response
from preview.model import Site
from preview.node import Node, NodeError
from tests.unit.preview.site import PASSWORD, ask, at_once, function_code, get, lambda_code, one, site

LAMBDA = "exports.handler = async (event) => {{ const request = event.Records[0].cf.request; {} }};"
FUNCTION = "function handler(event) {{ var request = event.request; {} }}"


def edge(body: str, **properties: Any) -> Site:
    """dev with other code in its Lambda@Edge function."""
    return site("dev", edge=lambda_code(LAMBDA.format(body), **properties))


def routing(body: str) -> Site:
    """prod with other code in its CloudFront Function."""
    return site("prod", site=function_code(FUNCTION.format(body)))


GENERATED = "return {{status: '200', statusDescription: 'OK', headers: {headers}, body: {body}}};"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("return {status: 200};", "status must be a string such as '200', not 200"),
        ("return {status: '99'};", "status must be '200' to '599'"),
        ("return {status: '600'};", "status must be '200' to '599'"),
        ("return {status: '2x0'};", "status must be '200' to '599'"),
        ("return {status: '200', statusDescription: 'a\\nb'};", "statusDescription must be one line"),
        ("return;", "neither a request nor a response"),
        ("return 'ok';", "neither a request nor a response"),
        ("return {};", "neither a status, as a response has, nor method and uri"),
        ("request.uri = 'buy'; return request;", "uri must begin with a slash"),
        ("request.uri = '/a b'; return request;", "uri is longer than 8,192 characters or has a space"),
        ("request.method = 'POST'; return request;", "the method is read-only"),
        ("request.querystring = 'a b'; return request;", "querystring must be text"),
        ("request.headers.host = [{key: 'Host', value: 'other'}]; return request;", "header 'host' is read-only in viewer-request events"),
        ("delete request.headers.host; return request;", "header 'host' is read-only"),
        ("request.headers.via = [{key: 'Via', value: 'x'}]; return request;", "header 'via' is read-only"),
        ("request.headers['X-Test'] = [{key: 'X-Test', value: 'x'}]; return request;", "must be written in lower case"),
        ("request.headers['x-test'] = [{key: 'X-Other', value: 'x'}]; return request;", "differs in more than case"),
        ("request.headers['x-test'] = [{value: 1}]; return request;", "must be a list of {key, value} with text"),
        ("request.headers['x-test'] = 'x'; return request;", "must be a list of {key, value}"),
        ("request.headers['x test'] = [{value: 'x'}]; return request;", "characters that HTTP does not allow"),
        (GENERATED.format(headers="{'x-a': [{value: 'a\\r\\nset-cookie: b'}]}", body="''"), "a value that HTTP cannot carry"),
        (GENERATED.format(headers="{'content-length': [{value: '0'}]}", body="''"), "header 'content-length' is read-only"),
        *(
            (
                GENERATED.format(headers=f"{{'{name}': [{{value: 'x'}}]}}", body="''"),
                f"header '{name}' is one that edge functions may not add",
            )
            for name in (
                *("connection", "expect", "keep-alive", "proxy-authenticate", "trailer", "upgrade", "x-accel-redirect"),
                *("x-amz-cf-id", "x-cache", "x-edge-location", "x-forwarded-proto", "x-real-ip"),
            )
        ),
        (GENERATED.format(headers="{}", body="'x'.repeat(40961)"), "generated response (headers and body) is larger than 40,960 bytes"),
        (GENERATED.format(headers="{'x-a': [{value: 'y'.repeat(1000)}]}", body="'x'.repeat(40000)"), "is larger than 40,960 bytes"),
        ("return {status: '200', body: 'a', bodyEncoding: 'gzip'};", "encoding must be 'text' or 'base64'"),
        ("return {status: '200', body: '***', bodyEncoding: 'base64'};", "is not base64"),
        ("return {status: '200', body: {a: 1}};", "a body must be text"),
    ],
)
def test_an_answer_that_cloudfront_refuses_is_a_502_that_says_why(body: str, why: str) -> None:
    outcome = one(edge(body), get("/buy", headers=(("X-Real", "1"),)))
    assert outcome.response.status == 502
    assert outcome.response.get("x-cache") == "LambdaValidationError from cloudfront"
    assert why in outcome.failure
    assert "kimmyai-web-dev-basic-auth" in outcome.failure
    assert b"502 Bad Gateway" in outcome.response.body


@pytest.mark.parametrize(
    ("body", "status", "content"),
    [
        (GENERATED.format(headers="{}", body="'x'.repeat(40960)"), 200, b"x" * 40960),
        (
            "return {status: '418', body: 'AAH/', bodyEncoding: 'base64'};",
            418,
            b"\x00\x01\xff",
        ),
        ("return {status: '599'};", 599, b""),
    ],
)
def test_an_answer_within_the_rules_reaches_the_visitor(body: str, status: int, content: bytes) -> None:
    outcome = one(edge(body), get("/buy"))
    assert (outcome.response.status, outcome.response.body) == (status, content)
    assert outcome.response.get("x-cache") == "LambdaGeneratedResponse from cloudfront"
    assert outcome.failure == ""


def test_the_event_is_cloudfronts() -> None:
    body = "return {status: '200', body: JSON.stringify(event.Records[0].cf)};"

    cf = json.loads(one(edge(body), get("/buy/x?a=1&a=2", headers=(("Accept", "b"), ("X-Two", "1"), ("x-two", "2")))).response.body)
    assert cf["config"]["eventType"] == "viewer-request"
    assert cf["config"]["distributionDomainName"].endswith(".cloudfront.net")
    assert cf["config"]["requestId"] == "request-1"
    assert {k: cf["request"][k] for k in ("clientIp", "method", "uri", "querystring")} == {
        "clientIp": "127.0.0.1",
        "method": "GET",
        "uri": "/buy/x",
        "querystring": "a=1&a=2",
    }
    assert cf["request"]["headers"]["x-two"] == [{"key": "X-Two", "value": "1"}, {"key": "x-two", "value": "2"}]
    assert "body" not in cf["request"]


def test_a_crash_is_a_502_and_readable_in_the_terminal() -> None:
    outcome = one(edge("return request.nothing.here;"), get("/buy"))
    assert outcome.response.status == 502
    assert outcome.response.get("x-cache") == "LambdaExecutionError from cloudfront"
    assert "viewer-request function kimmyai-web-dev-basic-auth crashed: TypeError: Cannot read properties of undefined" in outcome.failure
    assert "/var/task/index.js:1" in outcome.failure
    assert "runner.cjs" not in outcome.failure


@pytest.mark.parametrize("thrown", ["'text'", "null", "undefined", "{a: 1}", "42"])
def test_whatever_is_thrown_is_a_502(thrown: str) -> None:
    assert one(edge(f"throw {thrown};"), get("/buy")).response.status == 502


def test_code_that_does_not_start_is_named() -> None:
    outcome = one(site("dev", edge=lambda_code("const = 1;")), get("/buy"))
    assert outcome.response.status == 502
    assert "does not start: SyntaxError" in outcome.failure
    missing = one(site("dev", edge=lambda_code("exports.other = 1;")), get("/buy"))
    assert "index.handler is not a function that the code exports" in missing.failure


@pytest.mark.parametrize("body", ["await new Promise(() => {});", "for (;;) {}"])
def test_a_function_that_hangs_is_stopped_and_the_next_request_is_served(body: str) -> None:
    hanging = edge(f"if (request.uri === '/hang') {{ {body} }} return {{status: '200'}};", Timeout=1)
    asked = ask(hanging, get("/hang"), get("/buy"))
    assert [response.status for response in asked.responses] == [503, 200]
    assert asked.responses[0].get("x-cache") == "LambdaLimitExceeded from cloudfront"
    assert "no result within 1 s" in asked.outcomes[0].failure


def test_a_function_that_ends_its_process_is_a_502_and_the_next_request_is_served() -> None:
    ending = edge("if (request.uri === '/end') { process.exit(1); } return {status: '200'};")
    assert [response.status for response in ask(ending, get("/end"), get("/buy")).responses] == [502, 200]


def test_a_request_beside_one_that_hangs_is_served() -> None:
    hanging = edge("if (request.uri === '/hang') { for (;;) {} } return {status: '200'};", Timeout=1)
    assert at_once(hanging, get("/hang"), get("/buy"), get("/buy")) == [503, 200, 200]


def test_what_a_function_prints_comes_out_under_its_name_and_breaks_nothing() -> None:
    talking = edge(
        "console.log('{\"id\": 1, \"result\": 2}'); process.stdout.write('two\\nlines\\n'); console.error('e'); return {status: '200'};"
    )
    asked = ask(talking, get("/buy"))
    assert asked.responses[0].status == 200
    name = "kimmyai-web-dev-basic-auth"
    assert asked.printed == [f'{name}: {{"id": 1, "result": 2}}', f"{name}: two", f"{name}: lines", f"{name}: e"]


def test_a_function_sees_nothing_of_the_environment_of_the_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-for-functions")
    outcome = one(edge("return {status: '200', body: JSON.stringify(process.env)};"), get("/buy"))
    assert b"not-for-functions" not in outcome.response.body
    assert b"us-east-1" in outcome.response.body


def test_callbacks_work_and_state_stays_between_requests() -> None:
    code = "let n = 0; exports.handler = (event, context, callback) => callback(null, {status: '200', body: String(++n)});"
    assert [r.body for r in ask(site("dev", edge=lambda_code(code)), get("/buy"), get("/buy")).responses] == [b"1", b"2"]


def test_basic_auth_itself() -> None:
    dev = site("dev")
    asked = ask(dev, get("/buy"), get("/buy", password="wrong"), get("/buy", password=PASSWORD), get("/healthz"))
    assert [response.status for response in asked.responses] == [401, 401, 200, 200]
    assert asked.responses[0].get("www-authenticate") == 'Basic realm="dev.kimmyai.io", charset="UTF-8"'
    assert asked.responses[0].get("strict-transport-security") is not None


# --- CloudFront Functions -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("return {statusCode: '200'};", "statusCode must be a number"),
        ("return {statusCode: 600};", "statusCode must be a number from 100 to 599"),
        ("return {statusCode: 200, headers: {'x-cache': {value: 'x'}}};", "may not add"),
        ("return {statusCode: 200, headers: {'X-A': {value: 'x'}}};", "lower case"),
        ("return {statusCode: 200, headers: {'x-a': 'x'}};", "must be {value: text}"),
        ("return {statusCode: 200, body: 'x'.repeat(40961)};", "larger than 40,960 bytes"),
        ("return {statusCode: 200, body: 5};", "body must be text"),
        ("return null;", "neither a request nor a response"),
        ("request.uri = 'x'; return request;", "uri must begin with a slash"),
        ("request.headers.host = {value: 'x'}; return request;", "read-only"),
    ],
)
def test_a_cloudfront_function_is_held_to_its_rules(body: str, why: str) -> None:
    outcome = one(routing(body), get("/buy"))
    assert outcome.response.status == 502
    assert outcome.response.get("x-cache") == "FunctionValidationError from cloudfront"
    assert why in outcome.failure


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("throw new Error('no');", "crashed: Error: no"),
        ("for (;;) {}", "timed out"),
        ("return eval('request');", "EvalError"),
        ("setTimeout(function () {}, 1); return request;", "setTimeout is not defined"),
        ("return require('fs');", "cannot find module"),
        ("return process.env;", "process is not defined"),
        ("return fetch('/');", "fetch is not defined"),
    ],
)
def test_a_cloudfront_function_has_no_more_than_its_runtime(body: str, why: str) -> None:
    outcome = one(routing(body), get("/buy"))
    assert outcome.response.status == 503
    assert outcome.response.get("x-cache") == "FunctionExecutionError from cloudfront"
    assert why in outcome.failure


def test_a_cloudfront_function_gets_query_cookies_and_modules() -> None:
    body = """
      var hash = require('crypto').createHash('sha256').update('a').digest('hex').slice(0, 4);
      return {statusCode: 200, body: JSON.stringify([request.querystring, request.cookies, request.headers['x-two'],
        request.rawQueryString(), hash, event.version, event.viewer.ip]), cookies: {seen: {value: '1', attributes: 'Secure'}}};"""

    headers: Headers = (("Cookie", "a=1; b=2"), ("X-Two", "1"), ("X-Two", "2"))
    response = one(routing(body), get("/buy?q=%20x&q=y&z", headers=headers)).response
    assert json.loads(response.body) == [
        {"q": {"value": "%20x", "multiValue": [{"value": "%20x"}, {"value": "y"}]}, "z": {"value": ""}},
        {"a": {"value": "1"}, "b": {"value": "2"}},
        {"value": "1", "multiValue": [{"value": "1"}, {"value": "2"}]},
        "q=%20x&q=y&z",
        "ca97",
        "1.0",
        "127.0.0.1",
    ]
    assert response.get("set-cookie") == "seen=1; Secure"


def test_an_async_cloudfront_function_works() -> None:
    code = "async function handler(event) { await null; return {statusCode: 204}; }"
    assert one(site("prod", site=function_code(code)), get("/buy")).response.status == 204


# --- Node itself --------------------------------------------------------------------------------------------------------


def test_without_node_the_error_says_what_to_install() -> None:
    async def start() -> None:
        await Node(lambda name, line: None, "no-such-node").start()

    with pytest.raises(NodeError, match=r"not on PATH; install Node\.js 20\.12 or newer"):
        asyncio.run(start())


def test_an_old_node_is_refused(tmp_path: Any) -> None:
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v18.19.0\n")
    old.chmod(0o755)

    async def start() -> None:
        await Node(lambda name, line: None, str(old)).start()

    with pytest.raises(NodeError, match=r"is Node\.js 18\.19\.0; the edge code needs 20\.12 or newer"):
        asyncio.run(start())


# --- shapes -----------------------------------------------------------------------------------------------------------

_NAMES = st.from_regex(r"\A[A-Za-z][A-Za-z0-9-]{0,12}\Z").filter(lambda n: not events.disallowed(n.lower()))
_VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)


def _one_case(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Names are case-insensitive, and the events keep one spelling of each."""
    spelling: dict[str, str] = {}
    return [(spelling.setdefault(name.lower(), name), value) for name, value in pairs]


_REQUESTS = st.builds(
    Request,
    method=st.sampled_from(["GET", "HEAD", "POST"]),
    uri=st.from_regex(r"\A/[a-zA-Z0-9/%._~-]{0,30}\Z"),
    query=st.from_regex(r"\A[a-z0-9=&%._-]{0,20}\Z"),
    headers=st.lists(st.tuples(_NAMES.filter(lambda n: n.lower() != "cookie"), _VALUES), max_size=5).map(
        lambda pairs: tuple(sorted(_one_case(pairs), key=lambda pair: pair[0].lower()))
    ),
    client_ip=st.just("127.0.0.1"),
)


def _distribution() -> Any:
    return site("prod").distributions[0]


@settings(max_examples=150)
@given(_REQUESTS)
def test_a_request_that_a_function_leaves_alone_comes_back_unchanged(request: Request) -> None:
    distribution = _distribution()
    event = events.lambda_event("viewer-request", distribution, "1", request)
    assert events.lambda_request_answer("viewer-request", request, event["Records"][0]["cf"]["request"]) == request
    called = events.function_event("viewer-request", distribution, "1", request)
    assert events.function_request_answer(request, called["request"]) == request


_KEYS = st.sampled_from(
    ["status", "statusCode", "uri", "method", "headers", "querystring", "cookies", "body", "host", "value", "multiValue", "key", "x-a"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=6),
    max_leaves=12,
)


@settings(max_examples=300)
@given(_JSON)
def test_any_answer_is_taken_or_refused_in_words(answer: Any) -> None:
    request = get("/buy")
    judges: tuple[Callable[[], Request | Response], ...] = (
        lambda: events.lambda_request_answer("viewer-request", request, answer),
        lambda: events.function_request_answer(request, answer),
        lambda: events.lambda_response_answer("viewer-response", Response(status=200), answer),
        lambda: events.function_response_answer(Response(status=200), answer),
    )
    for judge in judges:
        try:
            judged = judge()
        except Invalid as invalid:
            assert str(invalid)
        else:
            assert isinstance(judged, (Request, Response))
