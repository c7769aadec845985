"""What several requests carry: parameters, tags, tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec

from aws.answers import Pairs

REDACTED = "****"
"""What CloudFormation itself shows for a NoEcho parameter."""

Parameters = Annotated[dict[str, str], Pairs("ParameterKey", "ParameterValue")]
"""As answers have them; NoEcho values are `REDACTED`."""


class ParameterValue(msgspec.Struct, frozen=True, kw_only=True):
    """A template parameter as it is sent. `value` None: UsePreviousValue."""

    name: str
    value: str | None
    no_echo: bool = False


def client_token(*parts: str) -> str:
    """A deterministic ClientRequestToken (at most 128 of [A-Za-z0-9-]): the same work, however often it is sent, is done once."""
    return "t-" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def given(**arguments: Any) -> dict[str, Any]:
    """The arguments that have a value."""
    return {name: value for name, value in arguments.items() if value is not None}


def parameters_sent(parameters: Iterable[ParameterValue]) -> list[dict[str, Any]]:
    """As the API takes them."""
    return [
        {"ParameterKey": p.name, "UsePreviousValue": True} if p.value is None else {"ParameterKey": p.name, "ParameterValue": p.value}
        for p in parameters
    ]


def tags_sent(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """As the API takes them, in a fixed order."""
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]
