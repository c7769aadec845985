"""The edge functions that a behaviour is associated with, of both kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from preview.interpreter.resources import Account, items
from preview.model import (
    EventType,
    Function,
)
from templates.view import mapping

EVENTS: tuple[EventType, ...] = ("viewer-request", "origin-request", "origin-response", "viewer-response")


def functions_of(account: Account, where: str, given: Mapping[str, Any]) -> dict[EventType, Function]:
    found: dict[EventType, Function] = {}
    pairs = [
        *((mapping(a), _lambda) for a in items(given.get("LambdaFunctionAssociations"))),
        *((mapping(a), _cloudfront_function) for a in items(given.get("FunctionAssociations"))),
    ]
    for association, make in pairs:
        event = association.get("EventType")
        if event not in EVENTS:
            account.note(f"{where}: {event!r} is no event type; its function does not run")
            continue
        if event in found:
            account.note(f"{where}: more than one function on {event}: CloudFront refuses it; the last one runs here")
        function = make(account, where, association)
        if function.broken:
            account.note(f"{where}: {event} function {function.name}: {function.broken}; every request answers 503")
        found[cast(EventType, event)] = function
    viewer = {found[event].kind for event in found if event.startswith("viewer-")}
    if len(viewer) > 1:
        account.note(f"{where}: a CloudFront Function and a Lambda@Edge function on viewer events: CloudFront refuses the mix")
    return found


def _lambda(account: Account, where: str, association: Mapping[str, Any]) -> Function:
    arn = str(association.get("LambdaFunctionARN", ""))
    base, _, qualifier = arn.rpartition(":")
    if not qualifier.isdecimal():
        account.note(f"{where}: {arn} is not a numbered version: CloudFront refuses it")
        base = arn if ":function:" in arn and ":" not in arn.partition(":function:")[2] else base
    resource = account.by(base, "AWS::Lambda::Function", attribute="Arn")
    properties: Mapping[str, Any] = resource.properties if resource else {}
    code = mapping(properties.get("Code")).get("ZipFile")
    runtime = str(properties.get("Runtime", ""))
    broken = ""
    if resource is None:
        broken = f"no template makes {arn}"
    elif resource.deployed.stack.region != "us-east-1":
        broken = f"it is in {resource.deployed.stack.region}; Lambda@Edge functions are in us-east-1"
    elif not isinstance(code, str):
        broken = "its code is not inline in the template, or holds a value that is not known"
    elif not runtime.startswith("nodejs"):
        broken = f"runtime {runtime} is not imitated"
    event = str(association.get("EventType", ""))
    # Source: CloudFront Developer Guide, "Quotas on Lambda@Edge": 5 s for viewer events, 30 s for origin events.
    limit = 5.0 if event.startswith("viewer-") else 30.0
    timeout = float(properties.get("Timeout", 3))
    if timeout > limit:
        account.note(f"{where}: a time-out of {timeout:g} s is above the {limit:g} s of {event}: CloudFront refuses it")
    return Function(
        kind="lambda",
        name=str(properties.get("FunctionName") or arn.rpartition(":function:")[2]),
        arn=arn,
        runtime=runtime,
        handler=str(properties.get("Handler", "index.handler")),
        code=code if isinstance(code, str) else "",
        timeout=min(timeout, limit),
        include_body=association.get("IncludeBody") is True,
        broken=broken,
    )


def _cloudfront_function(account: Account, where: str, association: Mapping[str, Any]) -> Function:
    arn = str(association.get("FunctionARN", ""))
    resource = account.by(arn, "AWS::CloudFront::Function")
    properties: Mapping[str, Any] = resource.properties if resource else {}
    config = mapping(properties.get("FunctionConfig"))
    code = properties.get("FunctionCode")
    broken = "" if isinstance(code, str) else f"no template makes {arn}" if resource is None else "its code is not in the template"
    if resource is not None and properties.get("AutoPublish") is not True:
        account.note(f"{resource.where}: AutoPublish is off: on AWS the function is not live until somebody publishes it")
    if isinstance(code, str) and len(code.encode()) > 10_240:
        account.note(f"{where}: the function has {len(code.encode()):,} bytes, CloudFront allows 10,240")
    if config.get("KeyValueStoreAssociations"):
        account.note(f"{where}: KeyValueStoreAssociations are not imitated")
    return Function(
        kind="cloudfront",
        name=str(properties.get("Name") or arn.rpartition("/")[2]),
        arn=arn,
        runtime=str(config.get("Runtime", "")),
        handler="handler",
        code=code if isinstance(code, str) else "",
        # CloudFront allows about a millisecond of processor time; slow laptops must not trip over it.
        timeout=1.0,
        broken=broken,
    )
