"""Sizes: what a service refuses for its length, measured on the template with everything filled in that is known.

In: a template and its regions. Out: problems of policies, names, comments and other texts that are too long.
Never: counts a value that only AWS will know as longer than it can be told to be: such a variable counts as nothing in a text, and as
a usual ARN in a policy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from assembly.model import TEMPLATE_LIMIT
from lint.rules.base import Problem, Rule
from refusals import lengths as top
from templates.view import ABSENT, EACH, Node, Reference, View, mapping

_QUOTAS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
_ACCOUNT = "123456789012"
_USUAL = "x" * 64

_TAGS = ("Tags", "HealthCheckTags")
_TAG = {"Key": 128, "Value": 256}


def filled(view: View, value: Any, *, unknown: str, depth: int = 0) -> Any:
    """The value without functions: pseudo parameters as AWS fills them in, other unknowns as `unknown`; of two branches the longer."""

    def inner(item: Any) -> Any:
        return filled(view, item, unknown=unknown, depth=depth + 1)

    if depth > 40:
        return unknown
    name = str(next(iter(value))) if isinstance(value, dict) and len(value) == 1 else ""
    if name == "Ref" or name.startswith("Fn::"):
        found = [_plain(view, node.value, unknown) for node in view.values(Node((), value))]
        return max((inner(each) for each in found if each is not None), key=lambda each: len(json.dumps(each)), default=None)
    if isinstance(value, dict):
        return {key: item for key, item in ((key, inner(item)) for key, item in value.items()) if item is not None}
    if isinstance(value, list):
        return [item for item in map(inner, value) if item is not None]
    return _plain(view, value, unknown)


def _plain(view: View, value: Any, unknown: str) -> Any:
    """A value of `View` as JSON; None where nothing is there."""
    if isinstance(value, str):
        return re.sub(r"\$\{[^!}][^}]*\}", lambda _: unknown, view.filled_in(value))
    if value is ABSENT:
        return None
    if isinstance(value, Reference):
        return f"arn:aws:{unknown}:{_ACCOUNT}:{unknown}"
    return value if value is None or isinstance(value, dict | list | bool | int | float) else unknown


def policy_size(view: View, document: Any) -> int:
    """Characters of a policy document as IAM counts them."""
    return len(json.dumps(filled(view, document, unknown=_USUAL), separators=(",", ":"), ensure_ascii=False))


def _items(view: View, properties: Node, key: str) -> list[Any]:
    """The items of a list, of those that stand for each other the longest."""
    value = filled(view, properties.value.get(key), unknown=_USUAL)
    return value if isinstance(value, list) else []


class PolicySize(Rule):
    id = "E9901"
    shortdesc = "A policy is not longer than AWS takes"
    description = (
        f"Characters without white space: a managed policy {top.MANAGED_POLICY:,}, all inline policies of a role together "
        f"{top.INLINE_POLICIES['AWS::IAM::Role']:,}, a trust policy {top.TRUST_POLICY:,}; a bucket policy 20 KB, a topic policy 30 KB."
    )
    source_url = _QUOTAS

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties("AWS::IAM::ManagedPolicy"):
            yield from self._too_long(view, properties, "PolicyDocument", top.MANAGED_POLICY, "a managed policy")
        for kind, (key, limit) in top.RESOURCE_POLICIES.items():
            for properties in view.properties(kind):
                yield from self._too_long(view, properties, key, limit, "a policy of this kind")
        for resource in view.resources(*top.INLINE_POLICIES):
            properties, kind = view.properties_of(resource), resource.value["Type"]
            yield from self._too_long(view, properties, "AssumeRolePolicyDocument", top.TRUST_POLICY, "a trust policy")
            size = sum(policy_size(view, mapping(policy).get("PolicyDocument")) for policy in _items(view, properties, "Policies"))
            if size > top.INLINE_POLICIES[kind]:
                yield (
                    (*properties.path, "Policies"),
                    f"{size:,} characters; all inline policies together take {top.INLINE_POLICIES[kind]:,}",
                )
            attached = len(_items(view, properties, "ManagedPolicyArns"))
            if attached > top.MANAGED_POLICIES_ATTACHED:
                yield (
                    (*properties.path, "ManagedPolicyArns"),
                    f"{attached} managed policies; IAM attaches {top.MANAGED_POLICIES_ATTACHED}",
                )

    @staticmethod
    def _too_long(view: View, properties: Node, key: str, limit: int, what: str) -> Iterator[Problem]:
        size = policy_size(view, properties.value.get(key))
        if size > limit:
            yield (*properties.path, key), f"{size:,} characters; {what} takes {limit:,}"


class TemplateSize(Rule):
    id = "E9906"
    shortdesc = "A template is within CloudFormation's quotas"
    description = (
        f"{TEMPLATE_LIMIT:,} bytes; {', '.join(f'{most} {name.lower()}' for name, most in top.SECTIONS.items())}; "
        f"exported names differ and have at most {top.EXPORT_NAME} characters."
    )
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"

    def check(self, view: View) -> Iterator[Problem]:
        size = len(json.dumps(view.template, separators=(",", ":"), default=str).encode())
        if size > TEMPLATE_LIMIT:
            yield ("Description",), f"{size:,} bytes; CloudFormation takes {TEMPLATE_LIMIT:,}"
        for name, most in top.SECTIONS.items():
            count = len(list(view.section(name)))
            if count > most:
                yield (name,), f"{count} {name.lower()}; CloudFormation takes {most}"
        seen: list[tuple[str, object, Node]] = []
        for output in view.section("Outputs"):
            condition = mapping(output.value).get("Condition")
            for node in (name for name in view.at(output, "Export", "Name") if name.text):
                text = str(node.value)
                # Two outputs under conditions of their own may never be made together.
                same = (given for other, given, one in seen if other == text and one.path != output.path)
                if any(given == condition or None in (given, condition) for given in same):
                    yield node.path, f"{text} is exported twice"
                if len(text) > top.EXPORT_NAME:
                    yield node.path, f"{len(text)} characters; an exported name has at most {top.EXPORT_NAME}"
                seen.append((text, condition, output))


class TextSize(Rule):
    id = "E9902"
    shortdesc = "A name or text is not longer than its service takes"
    description = "Names, comments, descriptions, header values and tags, with everything filled in that is known."
    source_url = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html"

    def check(self, view: View) -> Iterator[Problem]:
        for resource in view.resources():
            properties = view.properties_of(resource)
            for steps, limit, source in top.TEXTS.get(str(resource.value.get("Type")), ()):
                for node in view.at(properties, *(EACH if step == top.ITEM else step for step in steps)):
                    yield from self._too_long(view, node, limit, source)
            for key in _TAGS:
                for tag in view.items(properties, key):
                    for part, limit in _TAG.items():
                        for node in view.at(tag, part):
                            yield from self._too_long(view, node, limit, "tag restrictions")

    @staticmethod
    def _too_long(view: View, node: Node, limit: int, source: str) -> Iterator[Problem]:
        text = _plain(view, node.text, "") if node.text is not None else ""
        if len(text) > limit:
            yield node.path, f"{len(text):,} characters; at most {limit:,} ({source})"
