"""IAM: nobody and nothing is allowed by a wildcard that could be narrower.

In: a template. Out: problems of every policy document in it: trust, identity and resource policies, also as JSON text.
Never: judges a Deny (a wide Deny is the safe kind).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from lint.rules.base import Problem, Rule
from templates.view import Node, Path, View, logical_id, mapping

Kind = Literal["trust", "identity", "resource"]

_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide"
_IDENTITY_TYPES = frozenset(
    (
        "AWS::IAM::Group",
        "AWS::IAM::GroupPolicy",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::IAM::RolePolicy",
        "AWS::IAM::User",
        "AWS::IAM::UserPolicy",
        "AWS::SSO::PermissionSet",
    )
)
_WIDE_ACTION = re.compile(r"([^:]+:)?[*?]*\*[*?]*")
_OPEN_SUBJECT = re.compile(r"[^:]*(:[^:]*)?[*?]")
"""A wildcard before the second colon: "repo:example/site*:ref:..." is also example/site-of-somebody-else."""
_DEMANDING = ("StringEquals", "StringLike", "StringEqualsIgnoreCase", "ArnEquals", "ArnLike", "Bool")
_SOURCE_KEYS = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceorg", "aws:principalorg", "kms:")
"""Condition keys that say on whose behalf a service acts."""


@dataclass(frozen=True)
class Statement:
    """One statement that can allow something. `base` is the path to report where the document is JSON text within a property."""

    node: Node
    kind: Kind
    base: Path | None = None

    def place(self, node: Node) -> Path:
        """Where to point at."""
        return node.path if self.base is None else self.base


def allowing(view: View) -> Iterator[Statement]:
    """Every statement of the template whose effect is, or can be, Allow."""
    for resource in view.resources():
        kind: Kind = "identity" if view.type_of(logical_id(resource)) in _IDENTITY_TYPES else "resource"
        yield from _below(view, view.properties_of(resource), kind, None)


def _below(view: View, root: Node, kind: Kind, base: Path | None) -> Iterator[Statement]:
    stack = [root]
    while stack:
        node = stack.pop()
        value = node.value
        if isinstance(value, dict):
            if "Statement" in value:
                of = "trust" if "AssumeRolePolicyDocument" in node.path else kind
                for statement in view.items(node, "Statement"):
                    if any(effect.value == "Allow" for effect in view.at(statement, "Effect")):
                        yield Statement(statement, of, base)
            else:
                stack.extend(Node((*node.path, str(key)), item) for key, item in value.items())
        elif isinstance(value, list):
            stack.extend(Node((*node.path, index), item) for index, item in enumerate(value))
        elif isinstance(value, str) and '"Statement"' in value:
            yield from _below(view, Node(node.path, _parsed(value)), kind, node.path)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def actions(view: View, statement: Statement) -> list[Node]:
    """The actions of a statement whose names are known: texts."""
    return [node for node in view.items(statement.node, "Action") if node.text]


def principals(view: View, statement: Statement) -> Iterator[tuple[str, Node]]:
    """Kind ("AWS", "Service", ..., "" for a bare string) and value of every principal."""
    for principal in view.at(statement.node, "Principal"):
        if isinstance(principal.value, dict):
            for kind in principal.value:
                for node in view.items(principal, kind):
                    yield str(kind), node
        else:
            yield "", principal


def demanded(view: View, condition: Node) -> Iterator[tuple[str, list[Node]]]:
    """Lower-case key and values of everything in a Condition that a request does not meet without the key.

    ForAllValues and IfExists are met by a request that has no such key.
    """
    for operator in mapping(condition.value):
        for keys in view.at(condition, operator) if str(operator).removeprefix("ForAnyValue:") in _DEMANDING else ():
            for key in mapping(keys.value):
                if values := list(view.items(keys, key)):
                    yield str(key).lower(), values


def _any(values: list[Node]) -> bool:
    return any(set(str(value.value)) == {"*"} for value in values)


def restricted(view: View, statement: Statement, node: Node, *keys: str) -> bool:
    """Wherever the node stands in the statement, a condition demands a value, and not any, of a key that begins like one of these."""
    return all(
        any(key.startswith(keys) and not _any(values) for key, values in demanded(view, condition))
        for condition in view.at(statement.node.when(node), "Condition")
    )


class AnyPrincipal(Rule):
    id = "E9501"
    shortdesc = "Nobody is not everybody"
    description = "An Allow names its principals."
    source_url = f"{_GUIDE}/reference_policies_elements_principal.html"

    def check(self, view: View) -> Iterator[Problem]:
        for statement in allowing(view):
            for _, node in principals(view, statement):
                if node.text is not None and set(node.text) == {"*"}:
                    yield statement.place(node), "an Allow for every principal; name who may"
        for properties in view.properties("AWS::Lambda::Permission"):
            for node in view.at(properties, "Principal"):
                if node.value == "*":
                    yield node.path, "a permission for every principal; name who may"


class WideAction(Rule):
    id = "E9502"
    shortdesc = "An Allow names its actions"
    description = "Neither * nor all actions of a service."
    source_url = f"{_GUIDE}/reference_policies_elements_action.html"

    def check(self, view: View) -> Iterator[Problem]:
        for statement in allowing(view):
            for node in actions(view, statement):
                if _WIDE_ACTION.fullmatch(str(node.value)):
                    yield statement.place(node), f"{node.text} allows every action; name those that are needed"


class Negated(Rule):
    id = "E9503"
    shortdesc = "An Allow says what it allows, not what it does not"
    description = "NotAction, NotResource and NotPrincipal with Allow also allow everything AWS will invent."
    source_url = f"{_GUIDE}/reference_policies_elements_notaction.html"

    def check(self, view: View) -> Iterator[Problem]:
        for statement in allowing(view):
            for name in ("NotAction", "NotPrincipal", "NotResource"):
                for node in view.at(statement.node, name):
                    if node.present:
                        yield statement.place(node), f"{name} in an Allow; list what is allowed"


class PassRole(Rule):
    id = "E9505"
    shortdesc = "A role is passed to a named service only"
    description = "iam:PassRole has the condition iam:PassedToService."
    source_url = f"{_GUIDE}/id_roles_use_passrole.html"

    def check(self, view: View) -> Iterator[Problem]:
        for statement in allowing(view):
            for node in actions(view, statement):
                passes = fnmatchcase("iam:passrole", str(node.value).lower())
                if passes and not restricted(view, statement, node, "iam:passedtoservice"):
                    yield statement.place(node), "iam:PassRole without StringEquals on iam:PassedToService"


class WebIdentity(Rule):
    id = "E9506"
    shortdesc = "A web identity is bound to an audience and a subject"
    description = "sts:AssumeRoleWithWebIdentity has conditions on :aud and on a :sub that names one repository."
    source_url = f"{_GUIDE}/id_roles_providers_create_oidc_secure-by-default.html"

    def check(self, view: View) -> Iterator[Problem]:
        for statement in allowing(view):
            for node in actions(view, statement) if statement.kind == "trust" else ():
                if not fnmatchcase("sts:assumerolewithwebidentity", str(node.value).lower()):
                    continue
                cases = [list(demanded(view, condition)) for condition in view.at(statement.node.when(node), "Condition")]
                for claim in (":aud", ":sub"):
                    if not all(any(key.endswith(claim) and not _any(values) for key, values in case) for case in cases):
                        yield statement.place(node), f"no condition on {claim} of the token"
                for value in (value for case in cases for key, values in case if key.endswith(":sub") for value in values):
                    if value.text is not None and _OPEN_SUBJECT.match(value.text):
                        yield statement.place(value), f"{value.text!r} admits more than one repository"


class ConfusedDeputy(Rule):
    id = "E9507"
    shortdesc = "A service is let in on behalf of a named account or resource"
    description = "A resource policy with a service principal has a condition on aws:SourceArn, aws:SourceAccount or the like."
    source_url = f"{_GUIDE}/confused-deputy.html"

    def check(self, view: View) -> Iterator[Problem]:
        for statement in allowing(view):
            if statement.kind != "resource":
                continue
            for kind, node in principals(view, statement):
                if kind == "Service" and not restricted(view, statement, node, *_SOURCE_KEYS):
                    yield statement.place(node), f"{node.text or 'a service'} without a condition on aws:SourceArn or aws:SourceAccount"
        for properties in view.properties("AWS::Lambda::Permission"):
            for node in view.at(properties, "Principal"):
                sources = [n for name in ("SourceArn", "SourceAccount", "PrincipalOrgID") for n in view.at(properties, name) if n.present]
                if node.text and node.text.endswith(".amazonaws.com") and not sources:
                    yield node.path, f"{node.text} without SourceArn or SourceAccount"
