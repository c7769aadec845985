"""What there is to draw, and what leads to what.

In: an assembly and its templates. Out: a `Picture`. Never: knows a format.

An arrow is a reference: Ref, Fn::GetAtt and Fn::Sub inside a template, a parameter that an earlier stack's output feeds, or a bucket's name
written out. Resources that nobody looks for in a picture (policies, permissions) are left out.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from assembly.model import Assembly, OutputRef, Stack
from guards import documents

Mark = Literal["", "add", "modify", "replace", "remove"]
"""What a plan does; empty: nothing, or nobody asked."""

SHOWN = {
    "AWS::Route53::RecordSet": "DNS record",
    "AWS::Route53::RecordSetGroup": "DNS records",
    "AWS::Route53::HealthCheck": "health check",
    "AWS::CloudFront::Distribution": "CloudFront distribution",
    "AWS::CloudFront::Function": "CloudFront function",
    "AWS::Lambda::Function": "Lambda@Edge function",
    "AWS::S3::Bucket": "bucket",
    "AWS::CertificateManager::Certificate": "certificate",
    "AWS::WAFv2::WebACL": "firewall",
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::CloudWatch::Dashboard": "dashboard",
    "AWS::SNS::Topic": "topic",
    "AWS::Logs::LogGroup": "log group",
    "AWS::DynamoDB::Table": "table",
    "AWS::SecretsManager::Secret": "secret",
}
"""Types that are drawn, in words."""
LABELS = {
    ("DNS record", "CloudFront distribution"): "leads to",
    ("CloudFront distribution", "bucket"): "reads",
    ("CloudFront distribution", "CloudFront function"): "runs",
    ("CloudFront distribution", "Lambda@Edge function"): "runs",
    ("CloudFront distribution", "certificate"): "shows",
    ("CloudFront distribution", "firewall"): "asks",
    ("alarm", "topic"): "tells",
    ("bucket", "bucket"): "copies to",
}
"""What an arrow says; "watches" of alarms and dashboards, "uses" of the rest."""
_VARIABLE = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[A-Za-z0-9.]+)?\}")
_MAIN = frozenset({"leads to", "reads", "runs", "asks"})
_WATCHING = frozenset({"alarm", "dashboard"})


MARKS: Mapping[Mark, str] = {"": "", "add": "+", "modify": "~", "replace": "-/+", "remove": "-"}
"""As in the text of a review; weakest first."""


MEANINGS: Mapping[Mark, str] = {"add": "new", "modify": "changed", "replace": "made anew", "remove": "removed"}


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a plan does to one resource."""

    mark: Mark
    resource_type: str


Changes = Mapping[tuple[str, str], Change]
"""By stack and logical id."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """One or several resources of one kind in one stack."""

    id: str
    kind: str
    label: str
    stack: str
    mark: Mark = ""
    """The strongest change of its resources."""


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """From who uses to what is used."""

    source: str
    target: str
    label: str
    main: bool
    """On the way of a request."""


@dataclass(frozen=True, kw_only=True)
class Box:
    """A stack with its place."""

    stack: str
    account: str
    region: str
    nodes: tuple[Node, ...]
    mark: Mark = ""
    """The strongest change in the stack, also of what is not drawn."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Stacks in the order of the assembly."""

    title: str
    domain: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    entry: tuple[str, ...]
    """Nodes that a visitor meets first."""

    @property
    def places(self) -> dict[tuple[str, str], list[Box]]:
        """The boxes by account and region, in the order in which they come up."""
        found: dict[tuple[str, str], list[Box]] = {}
        for box in self.boxes:
            found.setdefault((box.account, box.region), []).append(box)
        return dict(sorted(found.items(), key=lambda item: [place[0] for place in found].index(item[0][0])))


def picture(assembly: Assembly, templates: Mapping[str, bytes], changes: Changes | None = None) -> Picture:
    """The picture of an environment as built, with what a plan changes of it; what it removes is drawn too."""
    changed = changes or {}
    parsed = {stack.id: _with_removed(stack.id, documents.loads(templates[stack.id]), changed) for stack in assembly.stacks}
    built = _Built(
        resources={stack: each["Resources"] for stack, each in parsed.items()},
        nodes={stack: dict(_nodes(stack, each["Resources"], changed)) for stack, each in parsed.items()},
        feeds={(stack.id, p.name): p.source for stack in assembly.stacks for p in stack.parameters if isinstance(p.source, OutputRef)},
        outputs={stack: each.get("Outputs", {}) for stack, each in parsed.items()},
    )
    boxes = tuple(
        Box(
            stack=stack.id,
            account=stack.account_id,
            region=_region(stack),
            nodes=tuple({node.id: node for node in built.nodes[stack.id].values()}.values()),
            mark=_strongest(change.mark for (owner, _), change in changed.items() if owner == stack.id),
        )
        for stack in assembly.stacks
    )
    nodes = {node.id: node for box in boxes for node in box.nodes}
    records = tuple(node.id for node in nodes.values() if node.kind == "DNS record")
    return Picture(
        title=f"{assembly.project} {assembly.environment}",
        domain=assembly.contract.domain if assembly.contract else "",
        boxes=tuple(box for box in boxes if box.nodes),
        arrows=tuple(built.arrows()),
        entry=records or tuple(node.id for node in nodes.values() if node.kind == "CloudFront distribution"),
    )


def legend(of: Picture) -> tuple[str, ...]:
    """What the marks in the picture mean."""
    used = {box.mark for box in of.boxes} | {node.mark for box in of.boxes for node in box.nodes}
    return tuple(f"{MARKS[mark]} {meaning}" for mark, meaning in MEANINGS.items() if mark in used)


def _region(stack: Stack) -> str:
    if stack.stackset is None:
        return stack.region
    regions = stack.stackset.targets.regions
    return regions[0] if len(regions) == 1 else f"{len(regions)} regions"


def _with_removed(stack_id: str, template: Mapping[str, Any], changes: Changes) -> Mapping[str, Any]:
    gone = {
        name: {"Type": change.resource_type} for (owner, name), change in changes.items() if owner == stack_id and change.mark == "remove"
    }
    return {**template, "Resources": {**gone, **template["Resources"]}}


def _strongest(marks: Iterable[Mark]) -> Mark:
    return max(marks, key=list(MARKS).index, default="")


def _nodes(stack_id: str, resources: Mapping[str, Any], changes: Changes) -> Iterator[tuple[str, Node]]:
    """Logical id to its node; alarms, roles, records and the like of one stack are one node."""
    kinds = {name: _kind(resource["Type"]) for name, resource in sorted(resources.items()) if resource["Type"] in SHOWN}
    number = Counter(kinds.values())
    for name, kind in kinds.items():
        together = number[kind] > 1 and kind != "bucket"
        label = f"{number[kind]} {kind}s" if together else f"{kind} {_name(resources[name])}".rstrip()
        of_node = [each for each in kinds if kinds[each] == kind] if together else [name]
        mark = _strongest(changes[stack_id, each].mark for each in of_node if (stack_id, each) in changes)
        yield name, Node(id=_identifier(stack_id, kind if together else name), kind=kind, label=label, stack=stack_id, mark=mark)


def _kind(resource_type: str) -> str:
    return SHOWN[resource_type].removesuffix("s") if resource_type == "AWS::Route53::RecordSetGroup" else SHOWN[resource_type]


def _name(resource: Mapping[str, Any]) -> str:
    found = resource.get("Properties", {}).get("BucketName")
    return found if isinstance(found, str) else ""


def _identifier(*parts: str) -> str:
    return re.sub(r"\W", "_", "_".join(parts))


@dataclass(frozen=True)
class _Built:
    """What the templates say, by stack."""

    resources: Mapping[str, Mapping[str, Any]]
    nodes: Mapping[str, Mapping[str, Node]]
    """By logical id."""
    feeds: Mapping[tuple[str, str], OutputRef]
    """By stack and parameter."""
    outputs: Mapping[str, Mapping[str, Any]]

    def arrows(self) -> Iterator[Arrow]:
        """Each pair once."""
        seen: set[tuple[str, str]] = set()
        for stack, nodes in self.nodes.items():
            for name, node in nodes.items():
                properties = self.resources[stack][name].get("Properties", {})
                for target in (*self._reached(stack, properties), *self._named(properties)):
                    if target.id != node.id and (node.id, target.id) not in seen:
                        seen.add((node.id, target.id))
                        yield _arrow(node, target)

    def _reached(self, stack: str, value: Any, passed: frozenset[tuple[str, str]] = frozenset()) -> Iterator[Node]:
        """The drawn resources that a value leads to, through others that are not drawn (a version to its function)."""
        for name in _names(value):
            here = (stack, name)
            if here in passed:
                continue
            if name in self.nodes[stack]:
                yield self.nodes[stack][name]
            elif here in self.feeds:
                source = self.feeds[here]
                output = self.outputs[source.stack].get(source.output, {}).get("Value")
                yield from self._reached(source.stack, output, passed | {here})
            elif name in self.resources[stack]:
                yield from self._reached(stack, self.resources[stack][name].get("Properties", {}), passed | {here})

    def _named(self, properties: Any) -> Iterator[Node]:
        """The buckets whose names are written out, as in ARNs and host names."""
        text = json.dumps(properties)
        for stack, nodes in self.nodes.items():
            for name, node in nodes.items():
                called = _name(self.resources[stack][name])
                if called and re.search(rf"(?<![\w.-]){re.escape(called)}(?![\w-])", text):
                    yield node


def _arrow(source: Node, target: Node) -> Arrow:
    label = LABELS.get((source.kind, target.kind)) or ("watches" if source.kind in _WATCHING else "uses")
    return Arrow(source=source.id, target=target.id, label=label, main=label in _MAIN)


def _names(value: Any) -> Iterator[str]:
    """What intrinsic functions in a value name."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref" and isinstance(inner, str):
                yield inner
            elif key == "Fn::GetAtt":
                yield inner.partition(".")[0] if isinstance(inner, str) else str(inner[0])
            elif key == "Fn::Sub":
                text, given = (inner, {}) if isinstance(inner, str) else inner
                yield from (name for name in _VARIABLE.findall(text) if name not in given)
                yield from _names(given)
            else:
                yield from _names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names(inner)
