"""Lambda@Edge: what the edge refuses, often only hours later when the distribution is deployed.

In: a template. Out: problems of edge functions, their versions, roles and associations; and of any function's logging.
Never: judges a function that is neither marked nor used for the edge.

A function is an edge function if its resource Metadata says {"Edge": true}, if its role (in the same template) trusts
edgelambda.amazonaws.com, or if a distribution of the template is associated with it or with one of its versions.
Source of the limits: CloudFront Developer Guide, "Restrictions on edge functions".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lint.rules.base import Problem, Rule
from templates.view import ABSENT, EACH, OPAQUE, Node, Reference, View, logical_id, mapping, number, reference, together

EDGE_REGION = "us-east-1"
VIEWER_MEMORY = 128
"""MB of a viewer-trigger function."""
VIEWER_TIMEOUT = 5
"""Seconds of a viewer-trigger function."""

_DOCS = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-at-edge-function-restrictions.html"
_FUNCTION = "AWS::Lambda::Function"
_VERSION = "AWS::Lambda::Version"
_DISTRIBUTION = "AWS::CloudFront::Distribution"
_LAMBDA_EVENTS = ("viewer-request", "viewer-response", "origin-request", "origin-response")
_FUNCTION_EVENTS = ("viewer-request", "viewer-response")
_TRUSTED = ("edgelambda.amazonaws.com", "lambda.amazonaws.com")
_FORBIDDEN = {
    "Environment": "has no environment variables; bake the configuration into the code",
    "VpcConfig": "cannot run in a VPC",
    "Layers": "has no layers",
    "DeadLetterConfig": "has no dead letter queue",
    "FileSystemConfigs": "mounts no file system",
    "ImageConfig": "is no container image",
    "ReservedConcurrentExecutions": "has no reserved concurrency",
    "KmsKeyArn": "is encrypted with Lambda's own key",
    "SnapStart": "has no snapshots",
    "DurableConfig": "is no durable function",
    "CapacityProviderConfig": "runs on no instances of one's own",
    "TenancyConfig": "has no tenants",
}
_NUMBERED_ARN = re.compile(
    r"arn:(aws[a-z-]*|\$\{AWS::Partition\}):lambda:us-east-1:([0-9]{12}|\$\{[^}]+\}):function:[^:]+:([1-9][0-9]*|\$\{[^}]+\})"
)
_NUMBERED_VARIABLE = re.compile(r"\$\{[\w.]+\}:([1-9][0-9]*|\$\{[^}]+\})")


def behaviours(view: View, *distributions: Node) -> Iterator[Node]:
    """The cache behaviours of the distributions (their properties), or of every one; the default one included."""
    for properties in distributions or view.properties(_DISTRIBUTION):
        yield from (b for b in view.at(properties, "DistributionConfig", "DefaultCacheBehavior") if isinstance(b.value, dict))
        yield from (b for b in view.items(properties, "DistributionConfig", "CacheBehaviors") if isinstance(b.value, dict))


def role_of(view: View, function: Node) -> Iterator[Node]:
    """The roles of a function that are in the same template."""
    for node in view.at(view.properties_of(function), "Role"):
        target = reference(node)
        role = view.resource(target.name) if target and view.type_of(target.name) == "AWS::IAM::Role" else None
        if role is not None:
            yield role


def trusted_services(view: View, role: Node) -> set[str]:
    """The service principals that the role's trust policy allows."""
    found: set[str] = set()
    for statement in view.items(view.properties_of(role), "AssumeRolePolicyDocument", "Statement"):
        if any(node.value == "Allow" for node in view.at(statement, "Effect")):
            found.update(str(node.value) for node in view.items(statement, "Principal", "Service"))
    return found


def function_behind(view: View, target: Reference | None) -> str | None:
    """The function that a reference to it, to its version or to its alias means."""
    if target is None:
        return None
    resource = view.resource(target.name)
    named = view.at(view.properties_of(resource), "FunctionName") if resource else ()
    candidates = (target, *filter(None, map(reference, named)))
    return next((each.name for each in candidates if view.type_of(each.name) == _FUNCTION), None)


def edge_functions(view: View) -> list[Node]:
    """The functions of the template that run at the edge."""
    used = {
        function_behind(view, reference(node))
        for behaviour in behaviours(view)
        for node in view.at(behaviour, "LambdaFunctionAssociations", EACH, "LambdaFunctionARN")
    }
    return [
        function
        for function in view.resources(_FUNCTION)
        if function.path[1] in used
        or _marked(function)
        or any("edgelambda.amazonaws.com" in trusted_services(view, role) for role in role_of(view, function))
    ]


def edge_versions(view: View) -> Iterator[Node]:
    """The versions of the edge functions."""
    names = {node.path[1] for node in edge_functions(view)}
    for version in view.resources(_VERSION):
        if any(function_behind(view, reference(node)) in names for node in view.at(view.properties_of(version), "FunctionName")):
            yield version


def _marked(resource: Node) -> bool:
    return mapping(resource.value.get("Metadata")).get("Edge") is True


class EdgeRegion(Rule):
    id = "E9101"
    shortdesc = "A Lambda@Edge function lives in us-east-1"
    description = "CloudFront replicates functions from us-east-1 only."
    source_url = _DOCS

    def check(self, view: View) -> Iterator[Problem]:
        elsewhere = [region for region in view.regions if region != EDGE_REGION]
        if elsewhere:
            for function in edge_functions(view):
                yield function.path, f"an edge function can only be in us-east-1; this stack is deployed to {', '.join(elsewhere)}"


class NumberedVersion(Rule):
    id = "E9102"
    shortdesc = "A distribution is associated with a numbered version of a function"
    description = "$LATEST, an alias or the bare function are refused."
    source_url = _DOCS

    def check(self, view: View) -> Iterator[Problem]:
        for behaviour in behaviours(view):
            for association in view.items(behaviour, "LambdaFunctionAssociations"):
                for node in view.at(association, "LambdaFunctionARN"):
                    what = self._wrong(view, node)
                    if what:
                        yield node.path, f"{what}; refer to an AWS::Lambda::Version or write the ARN with its number, in us-east-1"

    @staticmethod
    def _wrong(view: View, node: Node) -> str | None:
        alone = re.fullmatch(r"\$\{(\w+)(\.\w+)?\}", node.text or "")
        target = Reference(alone[1]) if alone else reference(node)
        if target is not None:
            kind = view.type_of(target.name)
            if kind is None or kind == _VERSION or kind.startswith(OPAQUE):
                return None
            return f"{target.name} is {_kind_name(kind)}, not a version"
        if node.value is ABSENT:
            return "no function is named"
        text = node.text
        if text is None or _NUMBERED_ARN.fullmatch(text) or _NUMBERED_VARIABLE.fullmatch(text):
            return None
        return f"{text!r} is no numbered version"


def _kind_name(kind: str) -> str:
    return {_FUNCTION: "the function itself", "AWS::Lambda::Alias": "an alias"}.get(kind, f"of type {kind}")


class EdgeSettings(Rule):
    id = "E9103"
    shortdesc = "An edge function uses nothing that the edge does not have"
    description = (
        "No environment variables, VPC, layers, dead letter queue, X-Ray, container image, arm64, customer's keys, snapshots, storage "
        "above 512 MB, reserved or provisioned concurrency."
    )
    source_url = _DOCS

    def check(self, view: View) -> Iterator[Problem]:
        for function in edge_functions(view):
            properties = view.properties_of(function)
            for name, why in _FORBIDDEN.items():
                yield from ((n.path, f"an edge function {why}") for n in view.at(properties, name) if n.present and n.value not in ([], {}))
            yield from (
                (n.path, "an edge function has no X-Ray tracing")
                for n in view.at(properties, "TracingConfig", "Mode")
                if n.present and n.value != "PassThrough"
            )
            yield from (
                (n.path, "an edge function has 512 MB of storage")
                for n in view.at(properties, "EphemeralStorage", "Size")
                if (size := number(n)) is not None and size > 512
            )
            yield from (
                (n.path, "the code of an edge function is encrypted with Lambda's own key")
                for n in view.at(properties, "Code", "SourceKMSKeyArn")
                if n.present
            )
            yield from (
                (n.path, "an edge function runs on x86_64 only") for n in view.items(properties, "Architectures") if n.value != "x86_64"
            )
            yield from (
                (n.path, "an edge function is a zip archive, no container image")
                for n in view.at(properties, "PackageType")
                if n.present and n.value != "Zip"
            )
            yield from (
                (n.path, "an edge function is a zip archive, no container image")
                for n in view.at(properties, "Code", "ImageUri")
                if n.present
            )
            yield from (
                (n.path, "an edge function runs Node.js or Python")
                for n in view.at(properties, "Runtime")
                if n.text and not n.text.startswith(("nodejs", "python", "${"))
            )
        for version in edge_versions(view):
            for node in view.at(view.properties_of(version), "ProvisionedConcurrencyConfig"):
                if node.present:
                    yield node.path, "a version that runs at the edge has no provisioned concurrency"


class EdgeLimits(Rule):
    id = "E9104"
    shortdesc = "An edge function stays inside the viewer-trigger limits"
    description = f"{VIEWER_MEMORY} MB and {VIEWER_TIMEOUT} seconds."
    source_url = _DOCS

    def check(self, view: View) -> Iterator[Problem]:
        limits = (("MemorySize", VIEWER_MEMORY, "MB"), ("Timeout", VIEWER_TIMEOUT, "seconds"))
        for function in edge_functions(view):
            for name, limit, unit in limits:
                for node in view.at(view.properties_of(function), name):
                    value = number(node)
                    if value is not None and value > limit:
                        yield node.path, f"{name} {value:g} is more than the {limit} {unit} that a viewer-trigger function has"


class EventTypes(Rule):
    id = "E9105"
    shortdesc = "A function is associated with an event that exists, one function an event"
    description = "Lambda@Edge has four events, CloudFront Functions two; one behaviour takes one function for each."
    source_url = _DOCS

    def check(self, view: View) -> Iterator[Problem]:
        for behaviour in behaviours(view):
            for name, events in (("LambdaFunctionAssociations", _LAMBDA_EVENTS), ("FunctionAssociations", _FUNCTION_EVENTS)):
                seen: dict[Any, Node] = {}
                for association in view.items(behaviour, name):
                    for node in view.at(association, "EventType"):
                        if (node.known and node.value not in events) or node.value is ABSENT:
                            said = "no event type" if node.value is ABSENT else f"{node.value!r} is no event type"
                            yield node.path, f"{said} of {name}; there are {', '.join(events)}"
                        elif node.text in seen and together(seen[node.text], node):
                            yield node.path, f"a second function for {node.text} in the same behaviour"
                        elif node.text:
                            seen[node.text] = node


class MixedFunctions(Rule):
    id = "E9106"
    shortdesc = "The viewer events of one behaviour have CloudFront Functions or Lambda@Edge, not both"
    description = "CloudFront refuses the combination."
    source_url = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-functions-restrictions.html"

    def check(self, view: View) -> Iterator[Problem]:
        for behaviour in behaviours(view):
            viewer = [
                node
                for association in view.items(behaviour, "LambdaFunctionAssociations")
                for node in view.at(association, "EventType")
                if node.text in _FUNCTION_EVENTS
            ]
            for function in view.items(behaviour, "FunctionAssociations"):
                if any(together(function, node) for node in viewer):
                    yield (
                        function.path,
                        "a CloudFront Function beside a Lambda@Edge function on the viewer events of one behaviour; route in the Lambda",
                    )


class EdgeTrust(Rule):
    id = "E9107"
    shortdesc = "The role of an edge function trusts lambda and edgelambda"
    description = "CloudFront cannot replicate the function otherwise."
    source_url = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-edge-permissions.html"

    def check(self, view: View) -> Iterator[Problem]:
        for function in edge_functions(view):
            for role in role_of(view, function):
                missing = [service for service in _TRUSTED if service not in trusted_services(view, role)]
                if missing:
                    path = (*role.path, "Properties", "AssumeRolePolicyDocument")
                    yield path, f"role of the edge function {logical_id(function)} does not trust {' and '.join(missing)}"


class LogFormat(Rule):
    id = "E9108"
    shortdesc = "A log level needs LogFormat JSON"
    description = "Lambda refuses ApplicationLogLevel and SystemLogLevel with the text format, which is the default."
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html"

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties(_FUNCTION):
            for config in view.at(properties, "LoggingConfig"):
                for level in ("ApplicationLogLevel", "SystemLogLevel"):
                    for node in view.at(config, level):
                        formats = view.at(config.when(node), "LogFormat")
                        if node.present and any((f.known and f.value != "JSON") or not f.present for f in formats):
                            yield node.path, f"{level} without LogFormat JSON beside it"


class UnusedMark(Rule):
    id = "E9109"
    shortdesc = "Metadata Edge is true or not there"
    description = "Anything else is neither a yes nor a no."
    source_url = _DOCS

    def check(self, view: View) -> Iterator[Problem]:
        for function in view.resources(_FUNCTION):
            if mapping(function.value.get("Metadata")).get("Edge", True) is not True:
                yield (*function.path, "Metadata", "Edge"), "write true (a JSON boolean), or leave it out"
