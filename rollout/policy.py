"""Which IAM and resource policies would allow more than they do now, and what a stack policy forbids.

In: resolved resources before and after; a stack policy and the changes. Out: `Widening` values; logical ids.
Never: asks IAM (this reads documents, it does not simulate accounts), or stays silent where it is unsure: what it cannot prove to be
covered by a statement that was there before is reported.

A policy is read as grants: (principal, action, resource, conditions). A grant of an Allow statement is covered if one statement before
allowed it; a refusal of a Deny statement is kept if one statement after refuses it. Both directions are sound, neither is complete: a
grant that two old statements only cover together is reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any, Literal

from rollout.intrinsics import HIDDEN, marked, text_of, value_of
from rollout.model import Redacted, ResourceChange, Widening, WideningKind
from untrusted.documents import loads

Resources = Mapping[str, Mapping[str, Any]]

# --- patterns -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in text), re.DOTALL)


def covers(pattern: str, text: str, *, fold: bool = False) -> bool:
    """Whether everything that the pattern `text` matches is matched by `pattern` too ("*" any characters, "?" any one).

    `fold`: without regard to case, as for actions.
    """
    if fold:
        pattern, text = pattern.lower(), text.lower()
    if pattern in ("*", text):
        return True
    if "*" not in text and "?" not in text:
        return _pattern(pattern).fullmatch(text) is not None
    return _covers(pattern, text)


@lru_cache(maxsize=4096)
def _covers(pattern: str, text: str) -> bool:
    """Sound for wildcards on both sides: "?" in `text` needs "?" or "*" opposite, "*" needs "*"."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return _covers(pattern[1:], text) or (bool(text) and _covers(pattern, text[1:]))
    if not text or text[0] == "*":
        return False
    return (pattern[0] == "?" or pattern[0] == text[0]) and _covers(pattern[1:], text[1:])


def overlaps(left: str, right: str, *, fold: bool = False) -> bool:
    """Whether some text may match both patterns; True when in doubt."""
    if fold:
        left, right = left.lower(), right.lower()
    return covers(left, right) or covers(right, left) or ("*" in left + right and _may_overlap(left, right)) or "?" in left + right


def _may_overlap(left: str, right: str) -> bool:
    a, b = left.split("*", maxsplit=1)[0], right.split("*", maxsplit=1)[0]
    return a.startswith(b) or b.startswith(a)


# --- statements ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Field:
    """Action, Resource or Principal of a statement: the patterns it names, or (negated) all but them."""

    items: tuple[str, ...]
    negated: bool = False
    fold: bool = False
    """Case does not matter (actions)."""

    def covers(self, other: Field, item: str) -> bool:
        """Whether this field allows all that `item` of `other` stands for; a negated `other` stands as a whole."""
        if other.negated:
            if self.negated:
                return all(any(covers(theirs, mine, fold=self.fold) for theirs in other.items) for mine in self.items)
            return "*" in self.items
        if self.negated:
            return not any(overlaps(mine, item, fold=self.fold) for mine in self.items)
        return any(covers(mine, item, fold=self.fold) for mine in self.items)

    @property
    def atoms(self) -> tuple[str, ...]:
        """The items, or one placeholder that stands for the whole negated field."""
        return (self.shown,) if self.negated else self.items

    @property
    def shown(self) -> str:
        """For a reader."""
        listed = ", ".join(self.items) or "nothing"
        return f"everything but {listed}" if self.negated else listed


Conditions = frozenset[tuple[str, str, frozenset[str]]]


@dataclass(frozen=True)
class Statement:
    """One statement of a policy, normalized."""

    name: str
    effect: str
    principals: Field
    actions: Field
    resources: Field
    conditions: Conditions

    def covers(self, other: Statement, principal: str, action: str, resource: str) -> bool:
        """Whether this statement applies to every request that the grant of `other` is about."""
        return (
            self.principals.covers(other.principals, principal)
            and self.actions.covers(other.actions, action)
            and self.resources.covers(other.resources, resource)
            and _conditions_cover(self.conditions, other.conditions)
        )

    @property
    def grants(self) -> Iterator[tuple[str, str, str]]:
        """Every (principal, action, resource)."""
        return product(self.principals.atoms, self.actions.atoms, self.resources.atoms)

    @property
    def shown(self) -> str:
        """One line for a reader."""
        who = "" if self.principals == _ANYONE_ATTACHED else f" to {self.principals.shown}"
        what = "" if self.resources == _ANYTHING_ATTACHED else f" on {self.resources.shown}"
        when = f" if {_shown_conditions(self.conditions)}" if self.conditions else ""
        return f"{self.effect} {self.actions.shown}{what}{who}{when}"

    @property
    def grants_everything(self) -> bool:
        """It allows a bare "*" as action or as anonymous principal, or a whole service on every resource, without any condition."""
        if self.effect != "Allow" or self.conditions:
            return False
        every_action = self.actions.negated or "*" in self.actions.items
        broad = any(item.endswith(":*") for item in self.actions.items)
        every_resource = self.resources.negated or "*" in self.resources.items
        anyone = self.principals != _ANYONE_ATTACHED and (self.principals.negated or bool({"*", "AWS:*"} & {*self.principals.items}))
        return every_action or anyone or (broad and every_resource)


_ANYONE_ATTACHED = Field(("(attached)",))
"""Stands for the principal of an identity policy: whoever it is attached to."""

_ANYTHING_ATTACHED = Field(("(attached)",))
"""Stands for the resource of a trust policy: what it is attached to."""


def _conditions_cover(wider: Conditions, narrower: Conditions) -> bool:
    """Every condition of `wider` is implied by one of `narrower`: same operator and key, and no more values.

    More values are weaker for positive operators and stronger for negated ones; for ForAllValues and ...IfExists only equality counts.
    """
    for operator, key, values in wider:
        base = operator.rsplit(":", 1)[-1]
        same = [v for o, k, v in narrower if (o, k.lower()) == (operator, key.lower())]
        negated = "Not" in base
        if not any(v == values or (":" not in operator and (v >= values if negated else v <= values)) for v in same):
            return False
    return True


def _shown_conditions(conditions: Conditions) -> str:
    return " and ".join(f"{operator} {key} {', '.join(sorted(values))}" for operator, key, values in sorted(conditions, key=_order))


def _order(condition: tuple[str, str, frozenset[str]]) -> tuple[str, str, list[str]]:
    return condition[0], condition[1], sorted(condition[2])


def _shown(value: Any) -> str:
    shown = value_of(value)
    return HIDDEN if isinstance(shown, Redacted) else shown.text


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(_shown(item) for item in (value if isinstance(value, list) else [value]))


def _field(body: Mapping[str, Any], name: str, default: Field, *, fold: bool = False) -> Field:
    if f"Not{name}" in body:
        return Field(tuple(sorted(set(_texts(body[f"Not{name}"])))), negated=True, fold=fold)
    return Field(tuple(sorted(set(_texts(body[name])))), fold=fold) if name in body else default


def _principals(body: Mapping[str, Any]) -> Field:
    for name, negated in (("Principal", False), ("NotPrincipal", True)):
        if name in body:
            given = body[name]
            if isinstance(given, Mapping) and not (len(given) == 1 and next(iter(given)).startswith(("Fn::", "Ref"))):
                items = [f"{kind}:{item}" for kind, values in given.items() for item in _texts(values)]
                return Field(tuple(sorted({"*" if i == "AWS:*" else i for i in items})), negated)
            return Field(tuple(sorted(set(_texts(given)))), negated)
    return _ANYONE_ATTACHED


def statements(document: Any) -> tuple[Statement, ...]:
    """The statements of a policy document; a statement that is not one (an unresolved function) is passed over."""
    if not isinstance(document, Mapping):
        return ()
    raw = document.get("Statement", [])
    found = []
    for position, body in enumerate(raw if isinstance(raw, list) else [raw], 1):
        if not isinstance(body, Mapping) or "Effect" not in body:
            continue
        actions = _field(body, "Action", Field(("*",)), fold=True)
        found.append(
            Statement(
                name=_shown(body["Sid"]) if body.get("Sid") else f"#{position}",
                effect=text_of(body["Effect"]),
                principals=_principals(body),
                actions=actions,
                resources=_field(body, "Resource", _ANYTHING_ATTACHED),
                conditions=frozenset(
                    (operator, key, frozenset(_texts(values)))
                    for operator, pairs in (body.get("Condition") or {}).items()
                    if isinstance(pairs, Mapping)
                    for key, values in pairs.items()
                ),
            )
        )
    return tuple(found)


# --- policies in resources ----------------------------------------------------------------------------------------


def documents(value: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every policy document inside resolved properties, with its path; items of a list go by PolicyName or Sid rather than by position."""
    if isinstance(value, str) and value.lstrip().startswith("{") and '"Statement"' in value and not marked(value):
        try:
            value = loads(value)
        except ValueError:
            return
    if isinstance(value, Mapping):
        if "Statement" in value and not path.endswith("Statement"):
            yield path, value
            return
        for key in sorted(value):
            yield from documents(value[key], f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            name = item.get("PolicyName") or item.get("Id") if isinstance(item, Mapping) else None
            yield from documents(item, f"{path}[{_shown(name) if name else index}]")


def widenings(stack: str, before: Resources, after: Resources) -> tuple[Widening, ...]:
    """Every way in which the policies of `after` allow more than those of `before`; both are resolved resources by logical id."""
    found: list[Widening] = []
    for logical_id in sorted({*before, *after}):
        old, new = before.get(logical_id, {}), after.get(logical_id, {})
        kind = str(new.get("Type") or old.get("Type") or "")
        about = _About(stack=stack, logical_id=logical_id, resource_type=kind)
        if old.get("Type") != new.get("Type") and old and new:
            old = {}
        found += _widened(about, old.get("Properties") or {}, new.get("Properties") or {}, exists=bool(new))
    return tuple(found)


@dataclass(frozen=True)
class _About:
    stack: str
    logical_id: str
    resource_type: str

    def widening(
        self, kind: WideningKind, path: str, statement: str = "", before: str = "", after: str = "", *, everything: bool = False
    ) -> Widening:
        return Widening(
            stack=self.stack,
            logical_id=self.logical_id,
            resource_type=self.resource_type,
            path=path,
            kind=kind,
            statement=statement,
            before=before,
            after=after,
            grants_everything=everything,
        )


def _widened(about: _About, old: Mapping[str, Any], new: Mapping[str, Any], *, exists: bool) -> Iterator[Widening]:
    old_documents, new_documents = dict(documents(old)), dict(documents(new))
    for path in sorted({*old_documents, *new_documents}):
        yield from compare(about, path, statements(old_documents.get(path)), statements(new_documents.get(path)))
    if about.resource_type == "AWS::Lambda::Permission":
        yield from compare(about, "", _permission(old), _permission(new))
    attached = [arn for arn in _texts(new.get("ManagedPolicyArns")) if arn not in _texts(old.get("ManagedPolicyArns"))]
    for arn in attached:
        everything = arn.endswith(("/AdministratorAccess", "/IAMFullAccess", "/PowerUserAccess"))
        yield about.widening("managed_policy_attached", "ManagedPolicyArns", after=arn, everything=everything)
    if about.resource_type in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
        for holder in ("Roles", "Users", "Groups"):
            for name in _texts(new.get(holder)):
                if name not in _texts(old.get(holder)):
                    yield about.widening("policy_attached", holder, after=name)
    if exists and "PermissionsBoundary" in old and old["PermissionsBoundary"] != new.get("PermissionsBoundary"):
        gone = "PermissionsBoundary" not in new
        yield about.widening(
            "boundary_removed" if gone else "boundary_changed",
            "PermissionsBoundary",
            before=_shown(old["PermissionsBoundary"]),
            after="" if gone else _shown(new["PermissionsBoundary"]),
            everything=gone,
        )
    blocks, blocked = old.get("PublicAccessBlockConfiguration"), new.get("PublicAccessBlockConfiguration")
    if exists and isinstance(blocks, Mapping):
        for name, value in sorted(blocks.items()):
            now = blocked.get(name, False) if isinstance(blocked, Mapping) else False
            if text_of(value).lower() == "true" and text_of(now).lower() != "true":
                path = f"PublicAccessBlockConfiguration.{name}"
                yield about.widening("public_access_unblocked", path, before="true", after=text_of(now), everything=True)


def _permission(properties: Mapping[str, Any]) -> tuple[Statement, ...]:
    """AWS::Lambda::Permission as the statement that Lambda adds to the function's policy."""
    if "Action" not in properties:
        return ()
    limits = [
        (name, properties[name]) for name in ("SourceArn", "SourceAccount", "PrincipalOrgID", "EventSourceToken") if name in properties
    ]
    limits += [(name, properties[name]) for name in ("FunctionUrlAuthType", "InvokedViaFunctionUrl") if name in properties]
    return (
        Statement(
            name="",
            effect="Allow",
            principals=Field(_texts(properties.get("Principal"))),
            actions=Field(_texts(properties["Action"]), fold=True),
            resources=Field(_texts(properties.get("FunctionName"))),
            conditions=frozenset(("ArnLike" if name == "SourceArn" else "StringEquals", name, frozenset(_texts(v))) for name, v in limits),
        ),
    )


def compare(about: _About, path: str, old: tuple[Statement, ...], new: tuple[Statement, ...]) -> Iterator[Widening]:
    """Widenings of one policy document."""
    allowed = [s for s in old if s.effect == "Allow"]
    for statement in (s for s in new if s.effect == "Allow"):
        extra = [g for g in statement.grants if not any(was.covers(statement, *g) for was in allowed)]
        if extra:
            yield from _explain(about, path, statement, extra, old)
    refused = [s for s in new if s.effect == "Deny"]
    for statement in (s for s in old if s.effect == "Deny"):
        lost = [g for g in statement.grants if not any(now.covers(statement, *g) for now in refused)]
        if lost:
            now = _counterpart(statement, refused)
            kind: WideningKind = "deny_narrowed" if now else "deny_removed"
            yield about.widening(kind, path, statement.name, before=statement.shown, after=now.shown if now else "")


def _explain(
    about: _About, path: str, statement: Statement, extra: list[tuple[str, str, str]], old: tuple[Statement, ...]
) -> Iterator[Widening]:
    everything = statement.grants_everything
    was = _counterpart(statement, [s for s in old if s.effect == "Allow"])
    turned = next((s for s in old if s.effect == "Deny" and s.name == statement.name and not s.name.startswith("#")), None)
    if was is None and turned is not None:
        yield about.widening("effect_allowed", path, statement.name, turned.shown, statement.shown, everything=everything)
        return
    if was is None:
        yield about.widening("statement_added", path, statement.name, after=statement.shown, everything=everything)
        return
    told = False
    dimensions: tuple[tuple[WideningKind, Field, Field], ...] = (
        ("action_added", was.actions, statement.actions),
        ("resource_added", was.resources, statement.resources),
        ("principal_added", was.principals, statement.principals),
    )
    for kind, before, after in dimensions:
        index = {"action_added": 1, "resource_added": 2, "principal_added": 0}[kind]
        items = tuple(dict.fromkeys(g[index] for g in extra if not before.covers(after, g[index])))
        if items:
            told = True
            yield about.widening(kind, path, statement.name, before.shown, ", ".join(items), everything=everything)
    if not _conditions_cover(was.conditions, statement.conditions):
        told = True
        gone = {(o, k) for o, k, _ in was.conditions} - {(o, k) for o, k, _ in statement.conditions}
        condition: Literal["condition_removed", "condition_changed"] = "condition_removed" if gone else "condition_changed"
        before_text, after_text = _shown_conditions(was.conditions), _shown_conditions(statement.conditions)
        yield about.widening(condition, path, statement.name, before_text, after_text, everything=everything)
    if not told:
        yield about.widening("statement_added", path, statement.name, after=statement.shown, everything=everything)


def _counterpart(statement: Statement, candidates: Iterable[Statement]) -> Statement | None:
    """The statement that it used to be, or has become: the one of the same Sid, else the one that it shares most with."""
    listed = list(candidates)
    for other in listed:
        if other.name == statement.name and not other.name.startswith("#"):
            return other
    scored = [(_likeness(statement, other), -i, other) for i, other in enumerate(listed)]
    best = max(scored, key=lambda s: s[:2], default=None)
    return best[2] if best is not None and best[0] >= 1.0 else None


def _likeness(left: Statement, right: Statement) -> float:
    def shared(a: Field, b: Field) -> float:
        both = {*a.items} | {*b.items}
        return len({*a.items} & {*b.items}) / len(both) if both and a.negated == b.negated else 0.0

    return (
        shared(left.actions, right.actions)
        + shared(left.resources, right.resources) * 0.75
        + shared(left.principals, right.principals) * 0.25
    )


# --- stack policies -----------------------------------------------------------------------------------------------


def forbidden(stack_policy: str | None, changes: Iterable[ResourceChange]) -> tuple[str, ...]:
    """Logical ids whose change the stack policy refuses. Source: CloudFormation user guide, "Prevent updates to stack resources".

    With a policy in force everything that no statement allows is refused, and a Deny beats any Allow.
    """
    if not stack_policy:
        return ()
    try:
        raw = loads(stack_policy).get("Statement", [])
    except (ValueError, AttributeError):
        return ()
    rules = [s for s in (raw if isinstance(raw, list) else [raw]) if isinstance(s, Mapping)]
    refused = []
    for change in changes:
        if change.action not in ("modify", "remove", "sync"):
            continue
        needed = (
            "Update:Delete" if change.action == "remove" else "Update:Replace" if change.replacement.verdict != "no" else "Update:Modify"
        )
        effects = {str(rule.get("Effect")) for rule in rules if _rule_applies(rule, needed, change)}
        if "Deny" in effects or "Allow" not in effects:
            refused.append(change.logical_id)
    return tuple(refused)


def _rule_applies(rule: Mapping[str, Any], action: str, change: ResourceChange) -> bool:
    target = f"LogicalResourceId/{change.logical_id}"
    actions = Field(tuple(a.lower() for a in _texts(rule.get("Action", rule.get("NotAction")))), "NotAction" in rule)
    resources = Field(_texts(rule.get("Resource", rule.get("NotResource"))), "NotResource" in rule)
    types = [
        value
        for operator, pairs in (rule.get("Condition") or {}).items()
        if operator in ("StringEquals", "StringLike") and isinstance(pairs, Mapping)
        for value in _texts(pairs.get("ResourceType"))
    ]
    return (
        _matches(actions, action.lower())
        and _matches(resources, target)
        and (not types or any(covers(pattern, change.resource_type) for pattern in types))
    )


def _matches(field: Field, text: str) -> bool:
    return any(covers(pattern, text) for pattern in field.items) != field.negated
