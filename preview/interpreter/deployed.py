"""The account as if every stack of the assembly had been created: templates resolved, references and outputs filled in.

In: an assembly with its templates, the value of each secret parameter. Out: per stack the resources with made-up but well-formed
identifiers (ARNs, ids, domain names), so that one stack's output fits another's parameter just as it would on AWS.
Never: guesses at what was deployed somewhere; the identifiers are the same in every run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assembly.model import Assembly, HostedZoneRef, LiteralValue, OutputRef, Parameter, SecretRef, SecretVersionRef, Stack
from templates.intrinsics import Scope, references, resolve, resolved_resources, text_of

SecretValues = Mapping[tuple[str, str], str]
"""Value of each (secret, key) that a parameter asks for."""


@dataclass(frozen=True, kw_only=True)
class DeployedStack:
    """One stack as if created."""

    stack: Stack
    resources: Mapping[str, Mapping[str, Any]]
    """By logical id, resolved."""
    identifiers: Mapping[str, Mapping[str, str]]
    """By logical id: attribute to value; "" is what Ref gives."""
    outputs: Mapping[str, str]


def deployed(assembly: Assembly, templates: Mapping[str, Mapping[str, Any]], secrets: SecretValues) -> tuple[DeployedStack, ...]:
    """Every stack in catalogue order; each sees the outputs of those before it."""
    outputs: dict[str, Mapping[str, str]] = {}
    found = []
    for stack in assembly.stacks:
        values = {parameter.name: _value(parameter, outputs, secrets) for parameter in stack.parameters}
        made = _stack(stack, templates[stack.id], {name: value for name, value in values.items() if value is not None})
        outputs[stack.id] = made.outputs
        found.append(made)
    return tuple(found)


def _value(parameter: Parameter, outputs: Mapping[str, Mapping[str, str]], secrets: SecretValues) -> str | None:
    match parameter.source:
        case LiteralValue(value=value):
            return value
        case OutputRef(stack=stack, output=output):
            return outputs.get(stack, {}).get(output)
        case HostedZoneRef(name=name):
            return "Z" + _token(name, 20).upper()
        case SecretRef(secret=secret, key=key):
            return secrets.get((secret, key))
        case SecretVersionRef():
            return "00000000-0000-4000-8000-000000000000"


def _stack(stack: Stack, template: Mapping[str, Any], parameters: Mapping[str, str]) -> DeployedStack:
    plain = Scope(template, parameters, stack.account_id, stack.region, stack.stack_name)
    identifiers = {
        logical_id: _identifiers(stack, plain, logical_id, str(body.get("Type", "")), body.get("Properties", {}))
        for logical_id, body in resolved_resources(plain).items()
    }
    # Resolution proper: a resource's attribute is handed in as one more parameter ("Bucket.Arn"), so that Sub and Join see it.
    named = _named(template)
    used = {f"{i}.{a}" if a else i for i, a in references(named)} - set(template.get("Parameters", {}))
    known = {name: value for name in used if (value := _lookup(identifiers, name)) is not None}
    full = {**named, "Parameters": {**template.get("Parameters", {}), **{name: {"Type": "String"} for name in known}}}
    scope = Scope(full, {**parameters, **known}, stack.account_id, stack.region, stack.stack_name)
    outputs = {
        name: text_of(resolve(body.get("Value"), scope))
        for name, body in full.get("Outputs", {}).items()
        if isinstance(body, Mapping) and scope.condition(body.get("Condition", "")) is not False
    }
    return DeployedStack(stack=stack, resources=resolved_resources(scope), identifiers=identifiers, outputs=outputs)


def _lookup(identifiers: Mapping[str, Mapping[str, str]], name: str) -> str | None:
    logical_id, _, attribute = name.partition(".")
    if logical_id not in identifiers:
        return None
    return identifiers[logical_id].get(attribute, f"preview-{logical_id}-{attribute}")


def _named(value: Any) -> Any:
    """The template with every Fn::GetAtt written as a Ref to "Id.Attribute"."""
    if isinstance(value, Mapping):
        if len(value) == 1 and "Fn::GetAtt" in value:
            inner = value["Fn::GetAtt"]
            return {"Ref": inner if isinstance(inner, str) else ".".join(str(part) for part in inner)}
        return {key: _named(item) for key, item in value.items()}
    return [_named(item) for item in value] if isinstance(value, list) else value


def _token(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def _identifiers(stack: Stack, scope: Scope, logical_id: str, kind: str, properties: Any) -> dict[str, str]:  # noqa: PLR0911
    """Ref and attributes. Source: CloudFormation resource reference, "Return values" of each type."""
    values = properties if isinstance(properties, Mapping) else {}
    unique = _token(f"{stack.stack_name}/{logical_id}", 32)
    partition, account, region = scope.partition, stack.account_id, stack.region

    def name(key: str, otherwise: str = "") -> str:
        value = values.get(key)
        return value if isinstance(value, str) else otherwise or f"{stack.stack_name}-{logical_id}-{unique[:12]}"

    match kind:
        case "AWS::S3::Bucket":
            bucket = name("BucketName").lower()
            suffix = scope.pseudo("AWS::URLSuffix")
            return {
                "": bucket,
                "Arn": f"arn:{partition}:s3:::{bucket}",
                "DomainName": f"{bucket}.s3.{suffix}",
                "RegionalDomainName": f"{bucket}.s3.{region}.{suffix}",
                "DualStackDomainName": f"{bucket}.s3.dualstack.{region}.{suffix}",
            }
        case "AWS::CloudFront::Distribution":
            i = f"E{unique[:13].upper()}"
            arn = f"arn:{partition}:cloudfront::{account}:distribution/{i}"
            return {"": i, "Id": i, "DomainName": f"d{unique[:13]}.cloudfront.net", "Arn": arn}
        case "AWS::CloudFront::Function":
            arn = f"arn:{partition}:cloudfront::{account}:function/{name('Name')}"
            return {"": arn, "FunctionARN": arn, "FunctionMetadata.FunctionARN": arn, "Stage": "LIVE"}
        case "AWS::Lambda::Function":
            function = name("FunctionName")
            return {"": function, "Arn": f"arn:{partition}:lambda:{region}:{account}:function:{function}"}
        case "AWS::Lambda::Version":
            target = values.get("FunctionName")
            referred = next(iter(i for i, _ in references(target)), "") if not isinstance(target, str) else ""
            body = scope.template["Resources"].get(referred, {})
            inner = resolve(body.get("Properties", {}), scope) if referred else {}
            function = target if isinstance(target, str) else _identifiers(stack, scope, referred, "AWS::Lambda::Function", inner)[""]
            arn = f"arn:{partition}:lambda:{region}:{account}:function:{function.rpartition(':function:')[2]}:1"
            return {"": arn, "FunctionArn": arn, "Version": "1"}
        case "AWS::CertificateManager::Certificate":
            u = unique
            return {"": f"arn:{partition}:acm:{region}:{account}:certificate/{u[:8]}-{u[8:12]}-{u[12:16]}-{u[16:20]}-{u[20:32]}"}
        case (
            "AWS::CloudFront::OriginAccessControl"
            | "AWS::CloudFront::ResponseHeadersPolicy"
            | "AWS::CloudFront::CachePolicy"
            | "AWS::CloudFront::OriginRequestPolicy"
        ):
            return {"": unique, "Id": unique}
        case "AWS::IAM::Role":
            role = name("RoleName")
            return {"": role, "Arn": f"arn:{partition}:iam::{account}:role/{role}"}
        case _:
            return {"": f"preview-{logical_id}-{unique[:8]}"}
