"""What AWS's service authorization data says about actions and resources: an Allow that matches no call allows nothing.

In: a template. Out: problems of identity policies whose actions do not take the resources beside them.
Never: judges a resource policy, an action that the data does not know (`AnyResource` and cfn-lint do), or a resource that
only AWS will know.

The data is what cfn-lint ships of the Service Authorization Reference. It gives an ARN format for each resource type, cut off after the
first part that varies, so a bucket and an object look alike there; that difference is looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from cfnlint.data import AdditionalSpecs
from cfnlint.helpers import load_resource

from lint.rules.base import Problem, Rule
from lint.rules.iam import Statement, actions, allowing
from templates.view import Node, View

_SOURCE = "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"
_UNNARROWED: frozenset[str] = frozenset({"cloudwatch:putmetricdata"})
"""Actions whose resource types are listed, but which in practice take "*" (narrowed by the condition key cloudwatch:namespace)."""

_PARTS = 6
"""Parts of an ARN; the last may hold further colons."""


@cache
def services() -> dict[str, Any]:
    """The data by service prefix: Actions by lower-case name, Resources by type."""
    loaded: dict[str, Any] = load_resource(AdditionalSpecs, "Policies.json")  # type: ignore[no-untyped-call]
    return loaded


def resource_types(action: str) -> list[frozenset[str]]:
    """The resource types of the action, or of each that its wildcard stands for; empty if nobody has heard of it."""
    service, _, name = action.lower().partition(":")
    known = services().get(service, {}).get("Actions", {})
    return [frozenset(entry.get("Resources") or ()) for key, entry in known.items() if fnmatchcase(key, name)]


def takes(service: str, kinds: frozenset[str], resource: str) -> bool:
    """Whether a resource element, wildcards and variables included, can name a resource of one of the types."""
    formats = services()[service].get("Resources", {})
    # Types of CloudFormation's registry are public: their ARNs name no account (CloudFormation User Guide, IAM examples for StackSets).
    given = resource.replace("::type/", ":${Account}:type/")
    for kind in kinds:
        found = formats.get(kind, {}).get("ARNFormats")
        # A type that has no format cannot be compared.
        if not found or any(_fits(text, given) and _bucket_or_object(service, kind, resource) for text in found):
            return True
    return False


def _fits(pattern: str, resource: str) -> bool:
    """The ARN format (`${Region}`, a trailing `.*`) and the resource element (`*`, `?`, `${...}`) can stand for one ARN."""
    wanted, given = _split(pattern), _split(resource)
    if len(given) < _PARTS:
        return set(resource) == {"*"}
    for want, have in zip(wanted[:-1], given[:-1], strict=True):
        # A star may stand for nothing, too (S3 User Guide, policy resources); a variable stands for something.
        if not (fnmatchcase(want, have) or (have and "$" in want) or (want and "$" in have)):
            return False
    want, have = (re.split(r"\.\*|\$\{|\*|\?", parts[-1])[0] for parts in (wanted, given))
    return want.startswith(have) or have.startswith(want)


def _split(text: str) -> list[str]:
    # Variables hold colons of their own: ${AWS::AccountId}.
    return re.sub(r"\$\{[^}]*\}", "${}", text).split(":", _PARTS - 1)


def _bucket_or_object(service: str, kind: str, resource: str) -> bool:
    if service != "s3" or kind not in ("bucket", "object"):
        return True
    return "/" not in resource if kind == "bucket" else "/" in resource or "*" in _split(resource)[-1]


def can_be_narrower(action: str) -> bool:
    """The action, or one that its wildcard stands for, has resource types; also if nobody has heard of it."""
    if action.lower() in _UNNARROWED:
        return False
    types = resource_types(action)
    return not types or any(types)


class AnyResource(Rule):
    id = "E9504"
    shortdesc = "An Allow names its resources wherever AWS offers to"
    description = 'Resource "*" stands only with actions that have no resource type in the service authorization reference.'
    source_url = _SOURCE

    def check(self, view: View) -> Iterator[Problem]:
        for statement in allowing(view):
            if statement.kind != "identity":
                continue
            for resource in view.items(statement.node, "Resource"):
                if resource.text is None or set(resource.text) != {"*"}:
                    continue
                bound = replace(statement, node=statement.node.when(resource))
                narrower = sorted({str(node.value) for node in actions(view, bound) if can_be_narrower(str(node.value))})
                if narrower:
                    yield statement.place(resource), f'Resource "*" though AWS takes narrower ones for {", ".join(narrower)}'


class TakenResource(Rule):
    id = "E9508"
    shortdesc = "An Allow names resources that its actions take"
    description = (
        "An action without resource types is allowed on * only, and an action with resource types on an ARN of one of them; "
        "anything else matches no call, so the statement allows nothing."
    )
    source_url = _SOURCE

    def check(self, view: View) -> Iterator[Problem]:
        for statement in allowing(view):
            if statement.kind != "identity":
                continue
            resources = list(view.items(statement.node, "Resource"))
            if not resources or not all((node.text or "").startswith("arn:") for node in resources):
                continue
            yield from self._actions(view, statement, resources)
            yield from self._resources(view, statement, resources)

    @staticmethod
    def _actions(view: View, statement: Statement, resources: list[Node]) -> Iterator[Problem]:
        for node in actions(view, statement):
            action = str(node.value)
            kinds = resource_types(action)
            if not kinds:
                continue
            if not any(kinds):
                yield statement.place(node), f'{action} takes no resource; AWS allows it on "*" only, in a statement of its own'
            elif not any(_taken(action, kinds, resource) for resource in resources):
                names = ", ".join(sorted(frozenset().union(*kinds)))
                yield statement.place(node), f"{action} takes {names}; none of the resources beside it is one"

    @staticmethod
    def _resources(view: View, statement: Statement, resources: list[Node]) -> Iterator[Problem]:
        for resource in resources:
            bound = replace(statement, node=statement.node.when(resource))
            names = [str(node.value) for node in actions(view, bound)]
            known = [(name, resource_types(name)) for name in names]
            if known and all(kinds for _, kinds in known) and not any(_taken(action, kinds, resource) for action, kinds in known):
                yield statement.place(resource), f"none of the actions beside it takes {resource.text}"


def _taken(action: str, kinds: list[frozenset[str]], resource: Node) -> bool:
    service = action.lower().partition(":")[0]
    return any(takes(service, types, str(resource.value)) for types in kinds)
