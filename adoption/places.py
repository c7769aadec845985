"""Every resource that the assembly's stacks have, resolved as far as it can be before any of them is there.

In: the assembly with its templates, parameter values that need no other stack, what is known of resources that exist. Out: `Place` values.
Never: asks AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assembly.model import Assembly, LiteralValue, OutputRef, SecretRef, SecretVersionRef, Stack
from gateways.existing import NAMES
from guards import documents
from templates.intrinsics import Scope, after_mark, resolve, resolved_resources, secret_mark, unresolved

Key = tuple[str, str]
"""Stack id and logical id."""

NAMED_BY_REF = frozenset({"AWS::DynamoDB::Table", "AWS::IAM::Role", "AWS::Lambda::Function", "AWS::Logs::LogGroup", "AWS::S3::Bucket"})
"""Types whose Ref is their name. Source: CloudFormation template reference, "Return values" of each."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One resource of the assembly."""

    stack: Stack
    logical_id: str
    type: str
    properties: Mapping[str, Any] = field(repr=False)
    """Resolved; what only AWS will tell stays a reference or a mark (`templates.intrinsics`)."""

    @property
    def key(self) -> Key:
        """What it goes by."""
        return self.stack.id, self.logical_id

    @property
    def name(self) -> str:
        """Its own name where the template gives one; else empty."""
        found: Any = self.properties
        for step in NAMES.get(self.type, ("",)):
            found = found.get(step) if isinstance(found, Mapping) else None
        return found if isinstance(found, str) else ""

    def __str__(self) -> str:
        return f"{self.stack.id}.{self.logical_id}"


Known = Mapping[Key, Mapping[str, str]]
"""Of resources that exist: attribute of Fn::GetAtt ("" for Ref) to its value."""


def places(assembly: Assembly, templates: Mapping[str, bytes], zone_id: str | None, known: Known) -> tuple[Place, ...]:
    """In the assembly's order. `zone_id`: of the hosted zone, None where it is not known. A template that is no JSON has none."""
    outputs: dict[str, str] = {}
    found: list[Place] = []
    for stack in assembly.stacks:
        template = documents.mapping(templates[stack.id])
        of_stack = {logical: values for (stack_id, logical), values in known.items() if stack_id == stack.id}
        scope = _scope(stack, _filled(template, of_stack), _parameters(stack, zone_id, outputs), of_stack)
        # Resources refer to each other's names: the second time those are known.
        named = _names(resolved_resources(scope)) | of_stack
        scope = _scope(stack, _filled(template, named), _parameters(stack, zone_id, outputs), named)
        for logical_id, body in resolved_resources(scope).items():
            found.append(Place(stack=stack, logical_id=logical_id, type=str(body.get("Type")), properties=body.get("Properties") or {}))
        for name, body in scope.template.get("Outputs", {}).items():
            value = resolve(body.get("Value"), scope)
            if isinstance(value, str) and not unresolved(value):
                outputs[f"{stack.id}.{name}"] = value
    return tuple(found)


def _parameters(stack: Stack, zone_id: str | None, outputs: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for parameter in stack.parameters:
        match parameter.source:
            case LiteralValue(value=value):
                found[parameter.name] = value
            case OutputRef(stack=of, output=output):
                found[parameter.name] = outputs.get(f"{of}.{output}") or after_mark(f"{of}.{output}")
            case SecretRef() | SecretVersionRef():
                found[parameter.name] = secret_mark(parameter.name, "current")
            case _:
                found[parameter.name] = zone_id or after_mark("the hosted zone")
    return found


def _scope(stack: Stack, template: Mapping[str, Any], parameters: Mapping[str, str], of_stack: Mapping[str, Mapping[str, str]]) -> Scope:
    values = {_name(logical, attribute): value for logical, each in of_stack.items() for attribute, value in each.items()}
    return Scope(
        template=template,
        parameters={**parameters, **values},
        account_id=stack.account_id,
        region=stack.region,
        stack_name=stack.stack_name,
    )


def _name(logical_id: str, attribute: str) -> str:
    return f"{logical_id}.{attribute}" if attribute else logical_id


def _names(resources: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, str]]:
    """Logical id to its Ref, where that is the name that the template gives."""
    found: dict[str, Mapping[str, str]] = {}
    for logical_id, body in resources.items():
        kind = str(body.get("Type"))
        if kind in NAMED_BY_REF:
            name = (body.get("Properties") or {}).get(NAMES[kind][0])
            if isinstance(name, str) and name:
                found[logical_id] = {"": name}
    return found


def _filled(template: Mapping[str, Any], known: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """The template with what is known of its resources as parameters: so every function that refers to them is computed."""
    names = {_name(logical, attribute) for logical, each in known.items() for attribute in each}

    def rewritten(value: Any) -> Any:
        if isinstance(value, Mapping):
            if set(value) == {"Fn::GetAtt"}:
                inner = value["Fn::GetAtt"]
                name = ".".join(map(str, inner)) if isinstance(inner, list) else str(inner)
                return {"Ref": name} if name in names else value
            return {key: rewritten(each) for key, each in value.items()}
        return [rewritten(each) for each in value] if isinstance(value, list) else value

    declared = {name: {"Type": "String"} for name in sorted(names)}
    found: dict[str, Any] = rewritten(template)
    return {**found, "Parameters": {**template.get("Parameters", {}), **declared}}
