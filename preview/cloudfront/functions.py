"""The edge functions of a behaviour: called with their event, their answers checked.

Source: CloudFront Developer Guide, "Troubleshooting error response status codes in CloudFront".
A crash or time-out of a CloudFront Function is a 503,
an invalid answer of any function and a crash of a Lambda@Edge function are 502.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from preview.cloudfront.exchange import Exchange
from preview.cloudfront.responses import error_response
from preview.events import (
    Invalid,
    function_event,
    function_request_answer,
    function_response_answer,
    lambda_event,
    lambda_request_answer,
    lambda_response_answer,
)
from preview.messages import Request, Response
from preview.model import EventType, Function
from preview.node import FunctionFailed, Node
from preview.requests import line


@dataclass
class FunctionError(Exception):
    """A function that gave no usable answer."""

    response: Response
    text: str


class EdgeFunctions:
    """Runs the functions of a behaviour in Node.js."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def on_request(
        self, exchange: Exchange, event: EventType, request: Request, origin: Mapping[str, object] | None = None
    ) -> Request | Response:
        function = exchange.behavior.functions.get(event)
        if function is None:
            return request
        if function.kind == "lambda":
            made = lambda_event(
                event, exchange.distribution, exchange.request_id, request, origin=origin, include_body=function.include_body
            )
        else:
            made = function_event(event, exchange.distribution, exchange.request_id, request)
        answer = await self._call(exchange, event, function, made)
        try:
            found = lambda_request_answer(event, request, answer) if function.kind == "lambda" else function_request_answer(request, answer)
        except Invalid as invalid:
            raise self._invalid(exchange, event, function, invalid) from None
        if isinstance(found, Response):
            exchange.step(event, f"{function.name} answered {found.status} itself")
        elif found.uri != request.uri:
            exchange.step(event, f"{function.name} rewrote {request.uri} to {found.uri}")
        else:
            exchange.step(event, f"{function.name} let it pass")
        return found

    async def on_response(
        self, exchange: Exchange, event: EventType, request: Request, response: Response, origin: Mapping[str, object] | None = None
    ) -> Response:
        function = exchange.behavior.functions.get(event)
        if function is None:
            return response
        if function.kind == "lambda":
            made = lambda_event(event, exchange.distribution, exchange.request_id, request, response, origin=origin)
        else:
            made = function_event(event, exchange.distribution, exchange.request_id, request, response)
        answer = await self._call(exchange, event, function, made)
        try:
            found = (
                lambda_response_answer(event, response, answer) if function.kind == "lambda" else function_response_answer(response, answer)
            )
        except Invalid as invalid:
            raise self._invalid(exchange, event, function, invalid) from None
        exchange.step(event, f"{function.name} answered")
        return found

    async def _call(self, exchange: Exchange, event: EventType, function: Function, made: Mapping[str, object]) -> object:
        if function.broken:
            raise self._failed(exchange, event, function, status=503, mark="ExecutionError", text=f"cannot run: {function.broken}")
        try:
            return await self._node.call(function, made)
        except FunctionFailed as failed:
            # Source: CloudFront Developer Guide, "HTTP 503 status code (Lambda limit exceeded)", which names the time-out.
            late = failed.why == "timeout"
            status = 503 if late or function.kind == "cloudfront" else 502
            limit = late and function.kind == "lambda"
            what = "gave" if late else "does not start:" if failed.why == "load" else "crashed:"
            mark = "LimitExceeded" if limit else "ExecutionError"
            text = f"{what} {failed.message}"
            raise self._failed(exchange, event, function, status=status, mark=mark, text=text, stack=failed.stack) from None

    def _invalid(self, exchange: Exchange, event: EventType, function: Function, invalid: Invalid) -> FunctionError:
        text = f"gave an answer that CloudFront refuses: {invalid}"
        return self._failed(exchange, event, function, status=502, mark="ValidationError", text=text)

    def _failed(
        self, exchange: Exchange, event: EventType, function: Function, *, status: int, mark: str, text: str, stack: str = ""
    ) -> FunctionError:
        exchange.step(event, f"{function.name} {text}")
        kind = "Lambda" if function.kind == "lambda" else "Function"
        told = f"{event} function {function.name} {text}"
        frames = (frame.strip() for frame in stack.split("\n") if "[eval]" not in frame and "node:internal" not in frame)
        trace = "".join(f"\n    {line(frame)}" for frame in [f for f in frames if f.startswith("at ")][:5])
        return FunctionError(error_response(status, f"The {told}", "", f"{kind}{mark}"), line(told) + trace)
