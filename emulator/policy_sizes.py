# mypy: allow-untyped-calls
"""IAM's size limits of policies, which MiniStack lets pass.

In: properties of IAM resources of a stack, and direct calls of the IAM API. Out: LimitExceeded in IAM's words, before anything is changed.
Never: counts white space, as IAM does not.

Source: IAM User Guide, "IAM and AWS STS quotas" (default values).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ministack.services.cloudformation.provisioners as cfn
from ministack.services import iam

MANAGED = 6144
INLINE_OF_A_ROLE = 10240
TRUST = 2048
ATTACHED = 10

Properties = dict[str, Any]


class TooLong(ValueError):
    """What IAM refuses for its size."""


def install() -> None:
    """Look before the resource types and before the API's actions."""
    table: dict[str, Any] = cfn._RESOURCE_HANDLERS
    for kind, check in (("AWS::IAM::ManagedPolicy", managed_policy), ("AWS::IAM::Role", role)):
        handlers = table[kind]
        table[kind] = {**handlers, "create": _create(check, handlers["create"]), "update": _update(check, handlers["update"])}
    actions: dict[str, Any] = iam._IAM_HANDLERS
    for name, look in _ACTIONS.items():
        actions[name] = _action(look, actions[name])


def size(document: Any) -> int:
    """Characters without white space."""
    text = document if isinstance(document, str) else json.dumps(document)
    return len(re.sub(r"\s", "", text))


def managed_policy(properties: Mapping[str, Any]) -> None:
    """Raises TooLong for a document that is."""
    if size(properties.get("PolicyDocument", {})) > MANAGED:
        raise TooLong(f"Cannot exceed quota for PolicySize: {MANAGED}")


def role(properties: Mapping[str, Any]) -> None:
    """Raises TooLong for trust, inline policies or the number of managed ones."""
    name = properties.get("RoleName", "")
    _trust(properties.get("AssumeRolePolicyDocument", {}))
    _inline(name, (policy.get("PolicyDocument", {}) for policy in properties.get("Policies", [])))
    if len(properties.get("ManagedPolicyArns", [])) > ATTACHED:
        raise TooLong(f"Cannot exceed quota for PoliciesPerRole: {ATTACHED}")


def _trust(document: Any) -> None:
    if size(document) > TRUST:
        raise TooLong(f"Cannot exceed quota for ACLSizePerRole: {TRUST}")


def _inline(name: str, documents: Iterable[Any]) -> None:
    if sum(map(size, documents)) > INLINE_OF_A_ROLE:
        raise TooLong(f"Maximum policy size of {INLINE_OF_A_ROLE} bytes exceeded for role {name}")


def _create(check: Callable[[Properties], None], create: Any) -> Any:
    def checked(logical_id: str, properties: Properties, stack_name: str) -> Any:
        check(properties)
        return create(logical_id, properties, stack_name)

    return checked


def _update(check: Callable[[Properties], None], update: Any) -> Any:
    def checked(physical_id: str, old: Properties, new: Properties, *more: Any, **named: Any) -> Any:
        check(new)
        return update(physical_id, old, new, *more, **named)

    return checked


def _policy_call(call: Mapping[str, Any]) -> None:
    managed_policy({"PolicyDocument": _first(call, "PolicyDocument")})


def _role_policy_call(call: Mapping[str, Any]) -> None:
    name, policy = _first(call, "RoleName"), _first(call, "PolicyName")
    others = {key: value for key, value in iam._roles.get(name, {}).get("InlinePolicies", {}).items() if key != policy}
    _inline(name, [*others.values(), _first(call, "PolicyDocument")])


_ACTIONS: dict[str, Callable[[Mapping[str, Any]], None]] = {
    "CreatePolicy": _policy_call,
    "CreatePolicyVersion": _policy_call,
    "PutRolePolicy": _role_policy_call,
    "CreateRole": lambda call: _trust(_first(call, "AssumeRolePolicyDocument")),
    "UpdateAssumeRolePolicy": lambda call: _trust(_first(call, "PolicyDocument")),
}


def _action(look: Callable[[Mapping[str, Any]], None], action: Any) -> Any:
    def checked(call: Mapping[str, Any]) -> Any:
        try:
            look(call)
        except TooLong as error:
            return iam._error(409, "LimitExceeded", str(error), ns="iam")
        return action(call)

    return checked


def _first(call: Mapping[str, Any], name: str) -> str:
    value = call.get(name, "")
    return str(value[0] if isinstance(value, list) and value else value or "")
