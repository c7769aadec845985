# mypy: allow-untyped-calls
"""Stacks in an outage: a resource whose service does not answer cannot be made, changed or deleted.

In: MiniStack's resource handlers, the outages of the moment. Out: the same, which fail in the words of AWS's handlers.
Never: does half of something; waits (at AWS a handler tries for minutes first).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core import responses
from ministack.services.cloudformation import provisioners

from outages.model import Call, met
from outages.store import Current

_SERVICES = {"certificatemanager": "acm", "cloudwatch": "monitoring"}


def install(current: Current) -> None:
    """Wrap every resource type."""
    table: Any = provisioners._RESOURCE_HANDLERS
    for kind, handlers in table.items():
        for verb in ("create", "update", "delete"):
            if verb in handlers:
                handlers[verb] = _guarded(current, kind, verb, handlers[verb])


def _guarded(current: Current, kind: str, verb: str, handler: Callable[..., Any]) -> Callable[..., Any]:
    name = kind.split("::")[1] if kind.count("::") == 2 else ""
    service = _SERVICES.get(name.lower(), name.lower())

    def guarded(*given: Any, **named: Any) -> Any:
        call = Call(service=service, account=responses.get_account_id(), region=responses.get_region(), action=verb)
        if name and met(current(), call):
            words = f"Service is unable to handle request. (Service: {name}, Status Code: 503, Request ID: outage)"
            raise ValueError(f'Resource handler returned message: "{words}" (RequestToken: outage, HandlerErrorCode: ServiceInternalError)')
        return handler(*given, **named)

    return guarded
