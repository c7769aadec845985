"""Whether the role that makes a stack may do what its resources' handlers do.

In: stacks with the policies of the role that CloudFormation makes them with, and what is left out on purpose. Out: a finding for each
resource that the role could not make, read, change or delete, with the missing actions; the rows of docs/handler-permissions.md.
Never: imports cfn-lint (its data files are read where they lie), judges a stack that is made with somebody else's permissions.

What a type's handlers call stands in its provider schema (CloudFormation CLI user guide, "Resource type schema", handlers). A permission
is granted by a statement that names the action and can name the resource: in the stack's region, by the name that the template gives it
or that CloudFormation will make up. The resource types of an action come from the service authorization data that cfn-lint ships.
"""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from assembly.model import Frozen
from lint.gate import Finding, cfn_lint_version
from lint.verdicts import Verdicts

RULE = "E9590"
LISTING = "the list handler runs for Cloud Control and the IaC generator, not for a stack"

LeftOut = Mapping[str, Sequence[tuple[str, str, tuple[str, ...]]]]
"""By type: pattern of permissions, why they are not granted, the properties whose use takes the reason away."""


class ProvisionedStack(Frozen, frozen=True, kw_only=True):
    """A stack and whoever makes it."""

    stack_id: str
    stack_name: str
    template: bytes
    regions: tuple[str, ...]
    role: str
    """Name of the role."""
    policies: tuple[dict[str, Any], ...]
    """Its policy documents, as they stand in the template of the role."""
    where: str
    """Where a permission is added to it."""


@dataclass(frozen=True)
class Row:
    """One permission of one resource's handlers."""

    kind: str
    permission: str
    handlers: tuple[str, ...]
    granted_by: str | None
    """Sid of the statement."""
    reason: str | None
    """Why it is not granted."""


def check(
    stacks: Sequence[ProvisionedStack], left_out: LeftOut, stands_for: Mapping[str, str], *, remedy: str, cache_folder: Path | None
) -> dict[str, tuple[Finding, ...]]:
    """The findings by `stack_id`. `remedy` says where a reason is written down; verdicts are kept in `cache_folder` (`lint.verdicts`)."""
    kept = Verdicts(cache_folder)
    fixed = json.dumps([cfn_lint_version(sys.path), left_out, stands_for, remedy]).encode() + Path(__file__).read_bytes()
    found: dict[str, tuple[Finding, ...]] = {}
    for made in stacks:
        key = hashlib.sha256(hashlib.sha256(fixed).digest() + msgspec.json.encode(made)).hexdigest()
        verdict = kept.load(key)
        if verdict is None:
            found[made.stack_id] = tuple(_findings(made, left_out, stands_for, remedy))
            kept.store(key, msgspec.json.encode(found[made.stack_id]))
        else:
            found[made.stack_id] = msgspec.json.decode(verdict, type=tuple[Finding, ...])
    return found


def rows(made: ProvisionedStack, left_out: LeftOut, stands_for: Mapping[str, str]) -> Iterator[tuple[str, Row]]:
    """Each resource's logical id with every permission of its handlers; none for a type that is not known."""
    grants = _grants(made)
    for logical_id, resource in json.loads(made.template)["Resources"].items():
        kind, properties = str(resource["Type"]), resource.get("Properties", {})
        target = _target(made, logical_id, resource)
        wanted: dict[str, list[str]] = {}
        for handler, entry in _handlers(stands_for.get(kind, kind)).items():
            for permission in entry.get("permissions", []):
                wanted.setdefault(permission, []).append(handler)
        for permission, handlers in sorted(wanted.items()):
            reasons = [
                why for pattern, why, unless in left_out.get(kind, ()) if fnmatchcase(permission, pattern) and not _used(properties, unless)
            ]
            reason = next(iter(reasons), LISTING if handlers == ["list"] else None)
            yield logical_id, Row(kind, permission, tuple(handlers), _granted_by(grants, target, permission), reason)


def _findings(made: ProvisionedStack, left_out: LeftOut, stands_for: Mapping[str, str], remedy: str) -> Iterator[Finding]:
    missing: dict[str, list[str]] = {}
    for logical_id, row in rows(made, left_out, stands_for):
        if row.granted_by is None and row.reason is None:
            missing.setdefault(logical_id, []).append(row.permission)
    for logical_id, resource in json.loads(made.template)["Resources"].items():
        kind = str(resource["Type"])
        if not _handlers(stands_for.get(kind, kind)):
            yield _finding(
                made, logical_id, f"nobody knows what making {kind} takes: its schema names no handlers. Say in {remedy} which type does"
            )
        elif logical_id in missing:
            actions = ", ".join(missing[logical_id])
            yield _finding(
                made,
                logical_id,
                f"{kind}: the role {made.role}, with which CloudFormation makes this stack, may not {actions} on it in"
                f" {', '.join(made.regions)}. Grant them in {made.where}, or say in {remedy} why they are not needed",
            )


def _finding(made: ProvisionedStack, logical_id: str, message: str) -> Finding:
    path = ("Resources", logical_id)
    return Finding(
        stack_id=made.stack_id, rule=RULE, level="error", message=message, logical_id=logical_id, path=path, line=None, source="ours"
    )


def _used(value: Any, unless: tuple[str, ...]) -> bool:
    return any(_holds(value, path.split(".")) for path in unless)


def _holds(value: Any, path: list[str]) -> bool:
    if not path:
        return True
    if isinstance(value, list):
        return any(_holds(item, path) for item in value)
    if isinstance(value, dict) and "Fn::If" in value:
        return any(_holds(item, path) for item in value["Fn::If"])
    return isinstance(value, dict) and path[0] in value and _holds(value[path[0]], path[1:])


# --- grants -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Grant:
    """An Allow statement."""

    sid: str
    actions: frozenset[str]
    """In lower case."""
    elements: tuple[str, ...]
    """Its resources, with `*` for what only AWS will know."""
    passed_to: tuple[str, ...] | None
    """Services to which it passes roles; None: any."""

    def allows(self, permission: str) -> bool:
        """The statement names the action."""
        name = permission.lower()
        return name in self.actions or any("*" in pattern and fnmatchcase(name, pattern) for pattern in self.actions)


def _grants(made: ProvisionedStack) -> list[_Grant]:
    found = []
    for statement in (statement for policy in made.policies for statement in policy["Statement"] if statement["Effect"] == "Allow"):
        to = statement.get("Condition", {}).get("StringEquals", {}).get("iam:PassedToService")
        found.append(
            _Grant(
                sid=str(statement.get("Sid", "")),
                actions=frozenset(action.lower() for action in statement["Action"]),
                elements=tuple(_flat(element) for element in statement["Resource"]),
                passed_to=to if to is None else (to,) if isinstance(to, str) else tuple(to),
            )
        )
    return found


@dataclass(frozen=True)
class _Target:
    """The resource that a handler works on."""

    service: str
    word: str
    """What the service calls its kind, without hyphens."""
    name: str | None
    """None where the type has ids, or the name is not known at build."""
    regions: tuple[str, ...]


def _target(made: ProvisionedStack, logical_id: str, resource: Mapping[str, Any]) -> _Target:
    kind = str(resource["Type"])
    service, last = kind.split("::")[1].lower(), kind.rpartition("::")[2]
    known = _schema(kind).get("properties", {})
    key = next((key for key in (f"{last}Name", "Name", *_identifier(kind)) if key in known), None)
    if key is None:
        return _Target(service, last.lower(), None, made.regions)
    value = resource.get("Properties", {}).get(key)
    # As CloudFormation makes names up (User Guide, "Name type").
    given = json.loads(json.dumps(value).replace("${AWS::StackName}", made.stack_name))
    name = f"{made.stack_name}-{logical_id}-XXXXXXXXXXXX" if given is None else _flat(given)
    return _Target(service, key.removesuffix("Name").lower() or last.lower(), name, made.regions)


def _identifier(kind: str) -> list[str]:
    """The property that names the resource, if one does: it is the identifier, and AWS does not make it up."""
    schema = _schema(kind)
    parts = [part for part in schema.get("primaryIdentifier", []) if part not in schema.get("readOnlyProperties", [])]
    return [part.removeprefix("/properties/") for part in parts] if len(parts) == len(schema.get("primaryIdentifier", [])) == 1 else []


def _granted_by(grants: Sequence[_Grant], target: _Target, permission: str) -> str | None:
    """The Sid of a statement that allows the permission on the target."""
    service, _, action = permission.partition(":")
    kinds = _actions(service).get(action.lower())
    for grant in grants:
        if not grant.allows(permission):
            continue
        # No other action has the key of the condition, so such a statement grants none.
        passed = permission == "iam:PassRole" and f"{target.service}.amazonaws.com" in (grant.passed_to or ())
        if grant.passed_to is not None and not passed:
            continue
        if "*" in grant.elements or kinds is None or _reaches(grant.elements, target, service, kinds):
            return grant.sid
    return None


def _reaches(elements: Sequence[str], target: _Target, service: str, kinds: Sequence[str]) -> bool:
    """In every region one of the elements can be what the action takes: the target itself, if it is of one of the action's kinds."""
    own = [kind for kind in kinds if service == target.service and re.sub(r"[- ]", "", kind) == target.word]
    name = target.name if own else None
    formats = [text for kind in own or kinds for text in _formats(service).get(kind, [])]
    return bool(kinds) and all(
        not formats or any(_matches(text, region, name, target.word, element) for text in formats for element in elements)
        for region in target.regions
    )


_PARTS = 6


def _matches(text: str, region: str, name: str | None, word: str, element: str) -> bool:
    """The ARN format, in that region and with that name, can be what the element names."""
    wanted, given = _split(text), _split(element)
    if len(given) < _PARTS or (wanted[2], not wanted[3], not wanted[4]) != (given[2], not given[3], not given[4]):
        return False
    if wanted[3] and not fnmatchcase(region, given[3]):
        return False
    start, have = wanted[5].partition(".*")[0], given[5]
    if name is None or "*" in name:
        literal = re.split(r"[*?]", have)[0]
        return literal.startswith(start) or start.startswith(literal)
    if any(fnmatchcase(f"{start}{name}{rest}", have) for rest in ("", ":x", "/x")):
        return True
    # The shipped data has no more than `.*` for some; the name follows the kind then, as in the web ACL's SCOPE/webacl/NAME/ID.
    parts = have.split("/")
    return not start and any(before == word and fnmatchcase(name, part) for before, part in itertools.pairwise(parts))


@cache
def _split(text: str) -> list[str]:
    return re.sub(r"\$\{[^}]*\}", "*", text).split(":", _PARTS - 1)


def _flat(value: Any) -> str:
    """A value as text, with `*` for what only AWS will know."""
    if isinstance(value, dict):
        value = value.get("Fn::Sub", "*")
        value = value[0] if isinstance(value, list) else value
    return re.sub(r"\$\{[^}]*\}", "*", str(value))


# --- what cfn-lint ships ------------------------------------------------------------------------------------------


@cache
def _data() -> Path:
    spec = importlib.util.find_spec("cfnlint")
    assert spec is not None and spec.submodule_search_locations, "cfn-lint is installed"
    return Path(next(iter(spec.submodule_search_locations))) / "data"


@cache
def _index() -> dict[str, str]:
    found: dict[str, str] = json.loads((_data() / "schemas" / "providers" / "us-east-1.json").read_bytes())
    return found


@cache
def _schema(kind: str) -> dict[str, Any]:
    name = _index().get(kind)
    found: dict[str, Any] = json.loads((_data() / "schemas" / "resources" / f"{name}.json").read_bytes()) if name else {}
    return found


def _handlers(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = _schema(kind).get("handlers", {})
    return found


@cache
def _authorization() -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode((_data() / "AdditionalSpecs" / "Policies.json").read_bytes())
    return found


@cache
def _actions(service: str) -> dict[str, list[str]]:
    """By lower-case name the types of resource that an action takes; none for an action on everything."""
    known = _authorization().get(service, {}).get("Actions", {})
    return {name: list(entry.get("Resources") or ()) for name, entry in known.items()}


@cache
def _formats(service: str) -> dict[str, list[str]]:
    found = _authorization().get(service, {}).get("Resources", {})
    return {kind: list(entry.get("ARNFormats", ())) for kind, entry in found.items()}
